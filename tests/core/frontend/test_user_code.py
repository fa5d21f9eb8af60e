"""An error names the line of the model, wherever that is installed, and a fault of ours is called ours."""

from __future__ import annotations

import site
from typing import TYPE_CHECKING, Any

import pluggy
import pytest
from flopledger.frontend import user_code

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SITE = site.getsitepackages()[0]
FRAMEWORK = f"{SITE}/framework/"
FRONTEND = f"{SITE}/frontend/"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files below the working directory, as an environment in a checkout is, are named without it."""
    monkeypatch.chdir(tmp_path)


def _caller(file: str, inner: Callable[[], Any] | None = None, raises: str = "") -> Callable[[], Any]:
    """Return a function of a file that calls another, or raises."""
    space: dict[str, Any] = {"inner": inner}
    body = f"raise {raises}" if raises else "return inner()"
    exec(compile(f"def call():\n    {body}", file, "exec"), space)  # noqa: S102  (a text of this test's)
    found: Callable[[], Any] = space["call"]
    return found


def _said(files: list[str], raises: str = "ValueError('no')") -> str:
    """Return how an error is described that comes through files, the innermost last."""
    call = _caller(files[-1], raises=raises)
    for file in reversed(files[:-1]):
        call = _caller(file, call)
    with pytest.raises(Exception, match="no") as caught:
        call()
    error = caught.value
    assert error.__traceback__ is not None
    error.__traceback__ = error.__traceback__.tb_next  # this test's own line
    return user_code.describe(error, (FRONTEND,), (FRAMEWORK,))


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (["/home/net.py", FRAMEWORK + "linear.py"], "/home/net.py"),
        (["/home/net.py", f"{SITE}/zoo/net.py", FRAMEWORK + "linear.py"], "/home/net.py"),
        ([FRAMEWORK + "module.py", f"{SITE}/zoo/net.py", FRAMEWORK + "linear.py"], f"{SITE}/zoo/net.py"),
        # a helper that the model uses is no model
        ([FRAMEWORK + "a.py", f"{SITE}/zoo/net.py", f"{SITE}/einsums/parse.py"], f"{SITE}/zoo/net.py"),
        ([FRAMEWORK + "a.py", f"{SITE}/zoo.py", f"{SITE}/zoology/parse.py"], f"{SITE}/zoo.py"),
        ([FRONTEND + "read.py", pluggy.__file__, FRAMEWORK + "linear.py"], FRAMEWORK + "linear.py"),
        ([FRAMEWORK + "module.py", f"{SITE}/zoo/net.py", FRONTEND + "listen.py"], f"{SITE}/zoo/net.py"),
    ],
)
def test_the_line_that_is_named_is_the_models(files: list[str], named: str) -> None:
    """Not of the framework, of a plugin's code or of the library that finds plugins."""
    assert _said(files).startswith(f"ValueError: no ({named}, line 2: ")


def test_a_mistake_of_our_own_code_is_called_ours_and_asks_for_a_report() -> None:
    """Of a type that no kernel of a framework raises, on a line of ours."""
    said = _said(["/home/net.py", FRAMEWORK + "a.py", FRONTEND + "listen.py"], "AttributeError('no')")
    assert said.startswith("this is a fault in flopledger, not in the model: AttributeError: no")
    assert f"{FRONTEND}listen.py, line 2" in said
    assert "report it" in said
