"""Pipes, devices, sockets, folders and names without a file: an error at once, never a wait or a new file."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from flopledger.cli import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_S = 20
"""After so long the test fails instead of waiting for ever."""

PLACES = {
    "source": ("count {}", 3),
    "source of a frontend": ("count {} --frontend caffe", 3),
    "source to read": ("read {}", 3),
    "source to explain": ("explain {} mac 2mac", 3),
    "first to compare": ("compare {} toy.json", 3),
    "second to compare": ("compare toy.json {}", 3),
    "source to check": ("check {} --max-macs 1", 3),
    "earlier": ("check toy.json --against {}", 3),
    "convention": ("count toy.json -c ./{}", 2),
    "convention to show": ("conventions ./{}", 2),
    "convention to read for": ("read toy.json --for ./{}", 2),
    "convention to explain": ("explain toy.json mac ./{}", 2),
    "python file": ("count ./{}.py:Net", 3),
    "inputs": ("count toy.json --inputs ./{}.py:make", 3),
    "inputs of the second": ("compare toy.json toy.json --inputs-b ./{}.py:make", 3),
    "source to view": ("view {} -o page.html", 3),
    "convention to view": ("view toy.json -c ./{} -o page.html", 2),
    "source of memory": ("memory {}", 3),
    "language model": ("llm {} --prompt 4 --new 2", 3),
    "what to scan": ("scan {} -o zoo.db", 3),
    "list to scan": ("scan ./{}.toml -o zoo.db", 3),
    "convention to scan": ("scan toy.json -c ./{} -o zoo.db", 2),
    "database to make": ("scan toy.json -o {}", 5),
    "database": ("zoo {}", 3),
    "database to explain": ("explain {} --name toy mac ops", 3),
    "target": ("count toy.json -o {}", 5),
    "target of a page": ("view toy.json -o {}", 5),
    "target of an answer": ("explain toy.json mac ops -o {}", 5),
    "target of a graph": ("read toy.json -o {}", 5),
    "target of memory": ("memory toy.json -o {}", 5),
}


THINGS = {
    "pipe": "pipe", "socket": "socket", "folder": "folder", "device": "device", "link to itself": "loop",
    "name below a file": "toy.json/x", "name below nothing": "nothing/x", "name that is too long": "N" * 300,
}  # fmt: skip


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    """Fail a test that waits."""

    def late(*_: object) -> None:
        raise AssertionError(f"still waiting after {LONGEST_S} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LONGEST_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def things(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network, and with each thing under four names."""
    monkeypatch.chdir(tmp_path)
    for suffix in ("", ".py", ".prototxt", ".json", ".toml"):
        os.mkfifo(tmp_path / f"pipe{suffix}")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(f"socket{suffix}")
        (tmp_path / f"folder{suffix}").mkdir()
        (tmp_path / f"device{suffix}").symlink_to("/dev/full")
        (tmp_path / f"loop{suffix}").symlink_to(f"loop{suffix}")
    assert toy.parent == tmp_path
    return tmp_path


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_regular_file_ends_at_once_with_the_code_of_its_place(
    place: str, thing: str, things: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    args, code = PLACES[place]
    thing = THINGS[thing]
    before = sorted(things.iterdir())
    plain = ".py:" in args or ".toml" in args or args.startswith("llm")
    names = [thing] if plain else [thing, f"{thing}.prototxt", f"{thing}.json"]
    for name in names:
        assert run(args.format(name).split()) == code, name
        out, err = capfd.readouterr()
        assert out == ""
        assert err.startswith("Error: ")
        assert "the output can't be written" not in err  # an error of the system's that nobody has expected
        assert "Traceback" not in err
        assert sorted(things.iterdir()) == before


def test_a_pipe_that_is_read_is_written_to(things: Path) -> None:
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert run(["count", "toy.json", "--format", "json", "-o", "pipe"]) == 0
    assert os.read(reader, 1 << 16).startswith(b'{"schema"')
    os.close(reader)
    assert (things / "pipe").is_fifo()
