"""Describes in one line an error in the user's code or in a framework, with its place."""

from __future__ import annotations

import functools
import linecache
import os
import re
import site
import sys
import sysconfig
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

_INSTALLED = ("site-packages", "dist-packages")
_PATHS = ("stdlib", "platstdlib", "purelib", "platlib")
_LINE_END = re.compile(r"\s*\n\s*")
_MACHINERY = ("<frozen ", f"{Path(pluggy.__file__).parent}/")
"""Libraries that a call passes on its way to a frontend."""


def describe(error: BaseException, ours: Iterable[str] = (), frameworks: Iterable[str] = ()) -> str:
    """Return an exception's type and message and the line of the user's file that it came from.

    An exception that flopledger's own code raised is called a fault of flopledger's.

    Args:
        error: The exception that was raised.
        ours: Prefixes of the paths of the frontends' code, whose lines do not help the user.
        frameworks: Prefixes of the paths of the frameworks' code, whose lines help where there are no others.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"SyntaxError: {error.msg} ({nearby(error.filename)}, line {error.lineno})"
    what = _LINE_END.sub(" ", "".join(traceback.format_exception_only(error)).strip())
    stack = traceback.extract_tb(error.__traceback__)
    own, theirs = (f"{Path(__file__).parents[1]}/", *ours), tuple(frameworks)
    if stack and _is_own_fault(error, stack, own):
        last = stack[-1]
        return (
            f"this is a fault in flopledger, not in the model: {what} ({last.filename}, line {last.lineno}: "
            f"{last.line}). Please report it with this message and, if you can, with the model"
        )
    frame = users_line(stack, (*own, *_MACHINERY), theirs)
    return f"{what} ({nearby(frame.filename)}, line {frame.lineno}: {frame.line})" if frame else what


def quoted_line(file: str, number: int) -> str:
    """Return a line of code with its place."""
    return f"{nearby(file)}, line {number}: {linecache.getline(file, number).strip()}"


def nearby(file: str) -> str:
    """Return the path of a file as a reader in this folder writes it."""
    try:
        return file.removeprefix(f"{os.getcwd()}/")  # noqa: PTH109  (Path.cwd() would resolve nothing more)
    except OSError:  # the folder is gone
        return file


def _is_own_fault(error: BaseException, stack: list[traceback.FrameSummary], own: tuple[str, ...]) -> bool:
    """Return whether an exception is a mistake in flopledger's own code.

    What is wrong with a model or its sizes, a framework's kernels and a call of the user's function raise in
    our frames too, as other types than these.
    """
    return stack[-1].filename.startswith(own) and isinstance(
        error, (AttributeError, KeyError, NameError, AssertionError)
    )


def users_line(
    stack: Iterable[traceback.FrameSummary], ours: tuple[str, ...], frameworks: tuple[str, ...] = ()
) -> traceback.FrameSummary | None:
    """Return the innermost line of the model's code, else the innermost that is not ours.

    The model's code is the code outside of all libraries; of an installed model it is the package that the
    framework called first, whichever other libraries that one then went through.

    Args:
        stack: Frames, the innermost last.
        ours: Prefixes of the paths of code whose lines do not help the user.
        frameworks: Prefixes of the paths of the frameworks' code.
    """
    frames = [frame for frame in stack if not frame.filename.startswith(ours)]
    libraries = _libraries(tuple(sys.path))
    users = [frame for frame in frames if not frame.filename.startswith(libraries)]
    if not users:
        installed = [frame for frame in frames if not frame.filename.startswith(frameworks)]
        package = _package(installed[0].filename, libraries) if installed else ""
        users = [frame for frame in installed if frame.filename.startswith(package)]
    found = users or frames
    return found[-1] if found else None


def _package(file: str, libraries: tuple[str, ...]) -> str:
    """Return the path of the installed package that a file belongs to, or of the file if it is in none."""
    root = max((folder for folder in libraries if file.startswith(folder)), key=len, default="")
    top, folder, _ = file[len(root) :].partition("/")
    return f"{root}{top}{folder}"


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
