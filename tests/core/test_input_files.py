from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest
from flopledger import input_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def odd(tmp_path: Path) -> dict[str, str]:
    """Makers of files that are not regular, by their names in messages."""
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    return {
        str(tmp_path / "pipe"): "a pipe",
        str(tmp_path / "link"): "a pipe",
        str(tmp_path / "socket"): "a socket",
        str(tmp_path / "folder"): "a directory",
        "/dev/zero": "a device",
    }


def test_what_is_no_regular_file_is_named_and_not_opened(odd: dict[str, str]) -> None:
    for path, name in odd.items():
        assert input_files.kind(path) == name
        with pytest.raises(OSError, match=f"it is {name}, expected a regular file"):
            input_files.open_regular(path)
        assert input_files.head(path, 1) == b""


def test_a_pipe_that_takes_the_files_place_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    regular = os.stat(tmp_path / "file")  # noqa: PTH116  (as the module asks)
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(input_files.os, "stat", lambda _: regular)
    with pytest.raises(OSError, match="it is a pipe"):
        input_files.read_bytes(tmp_path / "pipe", 1)


def test_nothing_and_names_that_no_file_can_have_are_an_os_error(tmp_path: Path) -> None:
    assert input_files.kind(tmp_path / "none") == "nothing"
    assert input_files.kind("a\0b") == "nothing"
    with pytest.raises(FileNotFoundError):
        input_files.open_regular(tmp_path / "none")
    for name in ("a\0b", "\ud800"):
        with pytest.raises(OSError, match="no file can have this name"):
            input_files.open_regular(name)


def test_a_name_that_no_file_can_have_is_no_folder_and_has_none_in_it(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    assert input_files.names_in(tmp_path) == ["a", "b", "loop"]
    assert [name for name in input_files.names_in(tmp_path) if input_files.is_folder(tmp_path / name)] == [
        "b"
    ]
    for name in ("N" * 300, "a\0b", "\ud800", "loop", "a/b"):
        assert input_files.kind(tmp_path / name) == "nothing"
        assert not input_files.is_folder(tmp_path / name)
        assert input_files.names_in(tmp_path / name) == []


def test_a_file_is_read_up_to_its_bound_and_no_further(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    assert input_files.kind(file) == ""
    assert input_files.read_bytes(file, 3) == b"abc"
    assert input_files.head(file, 2) == b"ab"
    with pytest.raises(OSError, match="it is larger than 2 bytes"):
        input_files.read_bytes(file, 2)


def test_text_that_is_no_utf8_names_the_line_and_the_byte(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes("ä\n".encode() + b"b\xff")
    with pytest.raises(OSError, match="line 2: the byte 0xff is not UTF-8 text"):
        input_files.read_text(file, 100)
    file.write_text("ä", encoding="utf-8")
    assert input_files.read_text(file, 100) == "ä"


def test_a_pipe_with_a_writer_is_refused_too(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        with pytest.raises(OSError, match="it is a pipe"):
            input_files.read_text(tmp_path / "pipe", 100)
    finally:
        os.close(reader)


def test_a_pipe_that_says_it_is_a_file_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kmsg"  # /proc/kmsg is such a pipe, and only root can open it
    os.mkfifo(path)
    monkeypatch.setattr(input_files, "_kind", lambda _: "")
    writer = os.open(path, os.O_RDWR)
    try:
        with pytest.raises(OSError, match="it has no content yet, expected a regular file"):
            input_files.read_bytes(path, 9)
        os.write(writer, b"late")
        assert input_files.head(path, 4) == b"late"
    finally:
        os.close(writer)
