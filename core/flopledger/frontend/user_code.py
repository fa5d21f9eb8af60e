"""Describes in one line an error in the user's code or in a framework, with its place."""

from __future__ import annotations

import functools
import site
import sys
import sysconfig
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_INSTALLED = ("site-packages", "dist-packages")
_PATHS = ("stdlib", "platstdlib", "purelib", "platlib")


def describe(error: BaseException, ours: Iterable[str] = ()) -> str:
    """Return an exception's type and message and the line of the user's file that it came from.

    Args:
        error: The exception that was raised.
        ours: Prefixes of the paths of the frontends' code, whose lines do not help the user.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"SyntaxError: {error.msg} ({error.filename}, line {error.lineno})"
    what = "".join(traceback.format_exception_only(error)).strip()
    frame = _frame(error, (f"{Path(__file__).parents[1]}/", "<frozen ", *ours))
    return f"{what} ({frame.filename}, line {frame.lineno}: {frame.line})" if frame else what


def _frame(error: BaseException, ours: tuple[str, ...]) -> traceback.FrameSummary | None:
    return users_line(traceback.extract_tb(error.__traceback__), ours)


def users_line(
    stack: Iterable[traceback.FrameSummary], ours: tuple[str, ...]
) -> traceback.FrameSummary | None:
    """Return the innermost line outside of libraries, else the innermost that is not ours.

    Args:
        stack: Frames, the innermost last.
        ours: Prefixes of the paths of code whose lines do not help the user.
    """
    frames = [frame for frame in reversed(list(stack)) if not frame.filename.startswith(ours)]
    libraries = _libraries(tuple(sys.path))
    users = (f for f in frames if not f.filename.startswith(libraries))
    return next(users, frames[0] if frames else None)


@functools.lru_cache(maxsize=4)
def _libraries(search_path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the prefixes of the paths of installed code.

    The environment's own folders are not enough: a ``.pth`` file, a user's site and an environment that sees
    the system's packages all add folders to the search path, from which frameworks are imported as well.
    """
    folders = {sysconfig.get_path(name) for name in _PATHS}
    folders.update(site.getsitepackages(), [site.getusersitepackages()])
    folders.update(folder for folder in search_path if Path(folder).name in _INSTALLED)
    return tuple(f"{folder}/" for folder in folders)
