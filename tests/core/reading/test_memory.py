"""A child process has a limit of memory where nobody sets one: a share of the machine or control group."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from flopledger.reading import memory

if TYPE_CHECKING:
    from pathlib import Path


def test_the_smallest_limit_of_the_groups_that_one_lies_in_counts(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("0::/a/b\n3:cpu:/a\n")
    for folder, text in (("a/b", "max\n"), ("a", "1073741824\n"), (".", "99999999999999999\n")):
        (tmp_path / "groups" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / folder / "memory.max").write_text(text)
    assert memory.machine(tmp_path / "groups", tmp_path / "own") == 2**30


def test_older_control_groups_count_too(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("4:memory:/a\n")
    (tmp_path / "groups" / "memory" / "a").mkdir(parents=True)
    (tmp_path / "groups" / "memory" / "a" / "memory.limit_in_bytes").write_text("536870912\n")
    assert memory.machine(tmp_path / "groups", tmp_path / "own") == 2**29


def test_without_control_groups_the_machine_counts(tmp_path: Path) -> None:
    assert memory.machine(tmp_path, tmp_path / "none") > 2**28


def test_what_a_framework_needs_is_always_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "machine", lambda: 2**30)
    assert memory.default_limit() == 4 * 2**30
    monkeypatch.setattr(memory, "machine", lambda: 64 * 2**30)
    assert memory.default_limit() == 32 * 2**30


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what is written to")
def test_the_limit_is_one_of_what_is_written_to() -> None:
    code = (
        "import mmap\nfrom flopledger.reading import memory\nmemory.limit_data(2**28)\n"
        "kept = mmap.mmap(-1, 2**30, prot=0, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n"
        "try:\n    bytearray(2**29)\nexcept MemoryError:\n    print('refused')\n"
        "import resource; resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))\nbytearray(2**29)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"
