"""Several readings of one source share a child process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError
from flopledger.frontend import Request
from flopledger.reading.read import Readings

if TYPE_CHECKING:
    from pathlib import Path

CODE = """
import pathlib, sys
pathlib.Path({log!r}).open("a").write("imported\\n")

def good():
    {body}
"""


def source(folder: Path, body: str) -> str:
    (folder / "net.py").write_text(CODE.format(log=str(folder / "log"), body=body))
    return f"{folder / 'net.py'}:good"


def errors(name: str, timeout: float | None = None) -> list[str]:
    found = []
    with Readings(name, Request(source=name, timeout=timeout)) as readings:
        for profile in ({"mode": "eval"}, {"mode": "train"}):
            with pytest.raises(SourceError) as caught:
                readings.read(profile)
            found.append(str(caught.value))
    return found


def test_the_users_code_is_imported_once_for_all_profiles(tmp_path: Path) -> None:
    name = source(tmp_path, "raise ValueError('no model today')")

    found = errors(name)

    assert all("ValueError: no model today" in message for message in found)
    assert (tmp_path / "log").read_text() == "imported\n"


def test_a_child_that_ended_is_followed_by_another(tmp_path: Path) -> None:
    name = source(tmp_path, "import os; os._exit(7)")

    found = errors(name)

    assert all("ended with exit code 7 before it was read" in message for message in found)
    assert (tmp_path / "log").read_text() == "imported\n" * 2


def test_a_timeout_is_that_of_each_reading(tmp_path: Path) -> None:
    name = source(tmp_path, "import time; time.sleep(60)")

    assert all("took longer than 2 seconds" in message for message in errors(name, timeout=2.0))
