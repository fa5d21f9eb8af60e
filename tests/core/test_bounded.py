"""Untrusted files: bounded in bytes, members, values and depth before they become objects."""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING

import pytest
from flopledger import bounded
from flopledger.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "untrusted"


def archive(path: Path, name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as made:
        made.writestr(name, content)


def test_a_member_is_read_up_to_its_bound(path: Path) -> None:
    archive(path, "a", b"x" * 1000)
    assert bounded.member_of(path, "a", 1000) == b"x" * 1000
    with pytest.raises(SourceError, match="its a is larger than 999 bytes"):
        bounded.member_of(path, "a", 999)
    with pytest.raises(KeyError):
        bounded.member_of(path, "b")


def test_a_member_that_understates_its_size_is_refused(path: Path) -> None:
    archive(path, "a", b"x" * 100_000)
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<L", 100_000), struct.pack("<L", 10)))
    with pytest.raises(SourceError, match="can't be read"):
        bounded.member_of(path, "a", 1000)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_packing_that_takes_as_much_as_the_file_says_is_refused(path: Path, method: int) -> None:
    archive(path, "a", b"x", method)
    with pytest.raises(SourceError, match="neither stored nor deflated"):
        bounded.member_of(path, "a")


def test_an_endless_list_of_members_is_refused_before_it_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(path, "w") as made:
        for number in range(50):
            made.writestr(str(number), b"")
    assert len(bounded.names_in(path)) == 50
    monkeypatch.setattr(bounded, "MOST_MEMBERS", 10)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(SourceError, match="the list of its members has"):
        bounded.names_in(path)


def test_the_list_in_a_longer_record_is_bounded_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 5)
    with zipfile.ZipFile(path, "w") as made:
        for number in range(50):
            made.writestr(str(number), b"")
    assert b"PK\x06\x06" in path.read_bytes()
    monkeypatch.setattr(bounded, "MOST_MEMBERS", 10)
    with pytest.raises(SourceError, match="the list of its members has"):
        bounded.names_in(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + b"\xff" * 18, b"PK\x05\x06" * 100])
def test_what_is_no_archive_is_a_clear_error(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(SourceError, match="can't be read"):
        bounded.names_in(path)


def test_values_are_counted_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bounded.json_of('{"a": [1, {}]}', "x", most=5) == {"a": [1, {}]}
    monkeypatch.setattr(bounded.json, "loads", None)
    for text in ("[" + "{}," * 9 + "1]", "[" * 9 + "]" * 9, '{"a":' * 9 + "1" + "}" * 9):
        with pytest.raises(SourceError, match="x: its JSON holds more than 5 values"):
            bounded.json_of(text, "x", most=5)


@pytest.mark.parametrize("depth", [4, 500, 100_000])
def test_nesting_is_bounded(depth: int) -> None:
    with pytest.raises(SourceError, match="nested deeper than 3 levels"):
        bounded.json_of("[" * depth + "]" * depth, "x", deepest=3)


def test_a_text_that_is_no_json_is_a_clear_error() -> None:
    for text in ("", "{", "1" * 9999, "\ud800"):
        with pytest.raises(SourceError, match="x: it is no JSON"):
            bounded.json_of(text, "x")


def test_a_text_is_read_up_to_its_bound(path: Path) -> None:
    path.write_text("abc")
    assert bounded.text_of(path, 3) == "abc"
    for content, message in ((b"abcd", "larger than 3"), (b"\xff", "not UTF-8")):
        path.write_bytes(content)
        with pytest.raises(SourceError, match=message):
            bounded.text_of(path, 3)


def test_a_shape_has_no_more_axes_than_a_tensor_can_have() -> None:
    bounded.check_axes(64, "w")
    with pytest.raises(SourceError, match="w has 65 axes, at most 64 are read"):
        bounded.check_axes(65, "w")
