from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from flopledger.cli.output import write
from flopledger.errors import OutputError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_the_mode_that_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    write("text\n", str(tmp_path / "new"))
    assert (tmp_path / "new").read_text() == "text\n"
    assert mode(tmp_path / "new") == mode(tmp_path / "other")


def test_a_file_that_is_replaced_keeps_its_mode_and_its_links(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to("target")
    write("new", str(link))
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert mode(target) == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "target"]


def test_a_link_to_nowhere_makes_the_file_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    write("new", str(tmp_path / "link"))
    assert (tmp_path / "target").read_text() == "new"


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    (tmp_path / "target").write_text("old")
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write("new", str(tmp_path / "target"))
    assert (tmp_path / "target").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["target"]


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write("through\n", str(pipe))
    assert os.read(reader, 100) == b"through\n"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("target", ["/dev/stdout", "/dev/fd/1", "link"])
def test_stdout_by_its_path_is_written_to_where_it_stands(
    target: str, tmp_path: Path, toy: Path, flopledger: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (tmp_path / "link").symlink_to("/dev/stdout")
    with (tmp_path / "out.txt").open("w") as out:
        out.write("before\n")
        out.flush()
        inode = os.fstat(out.fileno()).st_ino
        done = flopledger("count", toy, "--format", "csv", "-o", target, stdout=out)
    assert done.returncode == 0
    assert (tmp_path / "out.txt").stat().st_ino == inode
    assert (tmp_path / "out.txt").read_text().startswith("before\nrecord,graph,")
    assert (tmp_path / "link").is_symlink()


def test_dev_null_is_still_a_device_afterwards(toy: Path) -> None:
    write(toy.read_text(), os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)  # noqa: PTH116  (a device)


def test_a_name_that_can_not_be_encoded_is_escaped(tmp_path: Path) -> None:
    write("a\udc80b", str(tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "a\\udc80b"


def test_a_descriptor_that_is_closed_can_not_be_written() -> None:
    with pytest.raises(OutputError, match="/dev/fd/987: it can't be written: Bad file descriptor"):
        write("x", "/dev/fd/987")
