"""The demands of every fuzz test on the command: a documented end, soon, and nothing written."""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger.cli import run
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CODES = frozenset({0, 1, 2, 3, 4, 5, 130})
LONGEST_S = 5
"""Seconds of processor time that one small example may take; most take a hundredth of one."""

NUMBERS = st.sampled_from(
    [
        "0", "1", "-1", "2", "3", "7", "64", "4294967295", "4294967296", "-2147483649", "2147483647", "1e400",
        "0x7fffffff", "010", "1.5", "99999999999999999999999", "nan", "inf", "1" * 5000,
    ]
)  # fmt: skip
"""Numbers at the edges of fields and files."""


def ends(*args: str, codes: frozenset[int] = CODES) -> tuple[int, str, str]:
    """Run the command in this process; return its exit code and its output.

    Whatever escapes as an exception fails the test that asks.
    """
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    started = time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(args)
    taken = time.process_time() - started
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    written = out.buffer.getvalue().decode()
    assert code in codes, (code, err.getvalue())
    assert "Traceback" not in err.getvalue()
    assert code in (0, 1, 4) or err.getvalue().strip()
    assert taken < LONGEST_S, f"{taken:.1f} s of processor time"
    return code, written, err.getvalue()


@contextlib.contextmanager
def folder(**files: str | bytes) -> Iterator[Path]:
    """A folder of its own with these files, as the working directory; nothing else may appear in it."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        for stem, content in files.items():
            path = Path(stem.replace("__", "."))
            path.write_bytes(
                content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
            )
        yield Path(name)
        assert {path.name for path in Path(name).iterdir()} == {stem.replace("__", ".") for stem in files}


@st.composite
def mutated(draw: st.DrawFn, texts: Sequence[str], words: st.SearchStrategy[str]) -> str:
    """Take a text and cut, copy, move or replace pieces of it."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(1, 4))):
        lines = text.split("\n")
        at = draw(st.integers(0, len(lines) - 1))
        to = min(len(lines), at + draw(st.integers(1, 4)))
        match draw(st.sampled_from(["drop", "copy", "move", "number", "word", "character"])):
            case "drop":
                del lines[at:to]
            case "copy":
                lines[at:at] = lines[at:to]
            case "move":
                piece = lines[at:to]
                del lines[at:to]
                place = draw(st.integers(0, len(lines)))
                lines[place:place] = piece
            case "number":
                lines[at] = re.sub(r"-?\d+(\.\d+)?", lambda _: draw(NUMBERS), lines[at], count=1)
            case "word":
                lines[at] = re.sub(r"\w+", lambda _: draw(words), lines[at], count=1)
            case "character":
                place = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:place] + draw(st.characters()) + lines[at][place + 1 :]
        text = "\n".join(lines)
    return text
