from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flopledger.cli import run
from flopledger.cli.output import write
from flopledger.errors import OutputError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable


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


READ = {
    "count": "count {} -o {}",
    "read": "read {} -o {}",
    "view": "view {} -o {}",
    "explain": "explain {} mac ops -o {}",
    "first": "compare {} other.json -o {}",
    "second": "compare other.json {} -o {}",
    "memory": "memory {} -o {}",
    "several": "count other.json {} -o {}",
    "check": "check {} --max-macs 1 -o {}",
    "earlier": "check other.json --against {} -o {}",
    "convention": "count other.json -c ./{} -o {}",
    "device": "count other.json --device ./{} -o {}",
    "inputs": "count other.json --inputs {}:make -o {}",
    "attribute": "count {}:Net -o {}",
    "argument": "count other.json --arg custom_objects={} -o {}",
    "database": "zoo {} -o {}",
    "scan": "scan {} -o {}",
}


@pytest.fixture
def here(toy: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the toy, as the working directory."""
    monkeypatch.chdir(toy.parent)
    return toy.parent


@pytest.mark.parametrize("way", ["file", "./file", "../{folder}/file", "link", "hard"])
@pytest.mark.parametrize("place", READ)
def test_a_file_that_is_read_is_not_written_to(
    place: str, way: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "other.json").write_text((here / "toy.json").read_text())
    (here / "toy.json").rename("file")
    (here / "link").symlink_to("file")
    (here / "hard").hardlink_to("file")
    before = (here / "file").read_bytes()
    target = way.format(folder=here.name)
    assert run(READ[place].format("file", target).split()) == (3 if place == "scan" else 2)
    out, err = capfd.readouterr()
    assert out == ""
    assert f"-o {target}: this command reads that file; name another to write" in err or place == "scan"
    assert (here / "file").read_bytes() == before
    assert (here / "link").is_symlink()


def test_what_the_read_files_name_is_not_written_to(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Files that no option names: a convention that another extends, budgets, a shard, a module's code."""
    budget = '[[tool.flopledger.budgets]]\nsource = "toy.json"\nmax-macs = "1G"\n'
    header = b'{"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'
    (here / "base.toml").write_text('name = "base"\nextend = "mac"\n')
    (here / "mine.toml").write_text('name = "mine"\nextend = "./base.toml"\n')
    (here / "pyproject.toml").write_text(budget)
    (here / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    (here / "model.safetensors.index.json").write_text('{"weight_map": {"w": "a.safetensors"}}')
    (here / "net.py").write_text("")
    (here / "list").hardlink_to(here / "base.toml")
    for line, target in {
        "count toy.json -c ./mine.toml": "base.toml",
        "explain toy.json mac ./mine.toml": "list",
        "check": "pyproject.toml",
        "count model.safetensors.index.json": "a.safetensors",
        "count net:Net": "net.py",
    }.items():
        before = (here / target).read_bytes()
        assert run([*line.split(), "-o", target]) == 2, line
        assert f"-o {target}: this command reads that file" in capfd.readouterr().err, line
        assert (here / target).read_bytes() == before


def test_what_an_earlier_command_has_read_is_written_to(here: Path) -> None:
    (here / "other.json").write_text((here / "toy.json").read_text())
    assert run(["count", "other.json"]) == 0
    assert run(["count", "toy.json", "-o", "other.json"]) == 0


@pytest.mark.usefixtures("here")
def test_a_file_with_the_name_of_a_convention_or_format_is_written_to() -> None:
    for target in ("mac", "json"):
        for _ in range(2):
            assert run(["count", "toy.json", "-c", "mac", "--format", "json", "-o", target]) == 0


@pytest.mark.parametrize(
    "line",
    ["count toy.json", "read toy.json", "view toy.json -o -", "explain toy.json mac ops", "memory toy.json"],
)
def test_a_full_disk_is_an_error(
    line: str, toy: Path, tmp_path: Path, flopledger: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    before = toy.read_bytes()
    with open("/dev/full", "wb") as full:  # noqa: PTH123  (a device)
        done = flopledger(*line.split(), stdout=full)
    assert (done.returncode, done.stderr) == (
        5, "Error: the output can't be written: No space left on device\n",
    )  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["toy.json"]
    assert toy.read_bytes() == before


@pytest.mark.parametrize("line", ["count toy.json", "read toy.json", "view toy.json"])
def test_a_folder_of_somebody_else_loses_nothing(
    line: str, here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "kept").write_text("old")

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:  # for root every folder can be written to
        patch.setattr("tempfile.mkstemp", refuse)
        assert run([*line.split(), "-o", "kept"]) == 5
    assert capfd.readouterr().err == "Error: kept: it can't be written: Permission denied\n"
    assert sorted(path.name for path in here.iterdir()) == ["kept", "toy.json"]
    assert (here / "kept").read_text() == "old"


@pytest.mark.usefixtures("here")
def test_a_disk_that_fills_up_leaves_the_old_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    (kept := Path("kept")).write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    assert run(["read", "toy.json", "-o", "kept"]) == 5
    assert kept.read_text() == "old"
    assert sorted(path.name for path in Path().iterdir()) == ["kept", "toy.json"]
