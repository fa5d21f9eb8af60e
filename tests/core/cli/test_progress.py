from __future__ import annotations

import io
import time

import pytest
from flopledger.cli import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("patience", "shown"), [(60.0, ""), (0.01, "| reading x")])
def test_a_sign_of_life_comes_only_after_a_while_and_is_wiped_out(
    patience: float,
    shown: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress, "PATIENCE", patience)
    with progress.progress("reading x"):
        deadline = time.monotonic() + 10
        while shown not in terminal.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert shown in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K" if shown else "")


def test_no_sign_of_life_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    with progress.progress("reading x"):
        time.sleep(0.05)
    assert stream.getvalue() == ""
