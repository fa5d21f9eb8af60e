"""The hooks that must work without Keras."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
from flopledger_keras import plugin

if TYPE_CHECKING:
    from pathlib import Path


def test_the_frontend_says_what_installs_it() -> None:
    frontend = plugin.frontend()
    assert (frontend.name, frontend.framework, frontend.module) == ("keras", "Keras", "keras")
    assert frontend.remedy == "pip install 'flopledger[keras]'"


@pytest.mark.parametrize(
    ("name", "content", "claimed"),
    [
        ("a.keras", b"", True),
        ("a.h5", b"\x89HDF\r\n", True),
        ("a.h5", b"something else", False),
        ("a.json", b'{"class_name": "Sequential", "config": {}}', True),
        ("a.json", b'{"rows": []}', False),
        ("a.py", b"import keras", False),
    ],
)
def test_a_file_is_recognised_by_name_and_first_bytes(
    tmp_path: Path, name: str, content: bytes, *, claimed: bool
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert plugin.recognises_file(file) is claimed


def test_an_archive_with_a_configuration_is_recognised_whatever_its_name(tmp_path: Path) -> None:
    for name, member in (("a.zip", "config.json"), ("b.zip", "other.txt")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(member, "{}")
    assert plugin.recognises_file(tmp_path / "a.zip")
    assert not plugin.recognises_file(tmp_path / "b.zip")


def test_what_is_no_keras_object_is_not_recognised() -> None:
    assert not plugin.recognises_object(object())
    assert not plugin.recognises_object(len)
