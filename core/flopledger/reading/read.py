"""The source to read: finding the source that the user named, and reading it in the right place.

A file that needs neither a framework nor the user's code (a prototxt, a saved graph) and a live
object are read in this process; everything else in a child process, see
:mod:`flopledger.reading.child_process`.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from flopledger import gc_pause as collector
from flopledger import input_files
from flopledger.errors import FlopledgerError, SourceError, UsageError, of_type, shown
from flopledger.frontend.description import has_type
from flopledger.frontend.request import PROFILE
from flopledger.graph.graph import Graph
from flopledger.graph.load import LARGEST_FILE
from flopledger.plugins import discovery as plugins
from flopledger.reading import choose as reading
from flopledger.reading import sizes, step
from flopledger.reading.source import locate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend.request import Request
    from flopledger.frontend.specs import InputSpec
    from flopledger.plugins.registry import Plugin
    from flopledger.reading.child_process import Child, Reads

LONGEST_S = 10_000_000
"""The longest timeout, in seconds; a third of a year."""
MOST_BYTES = 2**62
"""The largest memory limit; the kernel's own numbers end soon after."""
_HEAD = 4096
"""How much of a file is examined to recognise a saved graph."""


class Readings:
    """One source, read under one profile after another; it decides which process reads it.

    All readings that need a child process share one, which imports the framework and the user's code once.

    Args:
        source: As for :func:`read_source`.
        request: How to read it; its profile takes precedence over the one that a reading is asked for.
        shared: Reads in a child process in place of one that is the source's own.

    Raises:
        UsageError: A limit can't be kept.
    """

    def __init__(self, source: object, request: Request, shared: Reads | None = None) -> None:
        _check_limits(request.timeout, request.memory_limit)
        _check_profile(request.profile)
        self.source, self.request = source, request
        self._shared = shared
        self._child: Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.close()

    def read(self, profile: Mapping[str, object], inputs: tuple[InputSpec, ...] = ()) -> Graph:
        """Read under a profile, with the inputs of the request or with others.

        Raises:
            SourceError: The source is missing, malformed, or can't be read.
            UsageError: An option does not fit the source, or several frontends read it.
        """
        request = replace(self.request, profile=step.settled({**profile, **self.request.profile}))
        if inputs:
            request = replace(request, inputs=inputs, values=None, inputs_from="")
        return step.applied(sizes.given(self._read(sizes.asked(request)), request), request)

    def _read(self, request: Request) -> Graph:
        if not (has_type(self.source, str) or has_type(self.source, Path)):
            return _read_live(self.source, request)
        target = locate(str(self.source))
        if isinstance(target, Path) and not request.inputs_from:
            if request.frontend is None and saved_graph(target):
                return read_saved(target, request)
            plugin = reading.choose_for_file(target, request, plugins.registry())
            if plugin.frontend.in_place:
                return _read_in_place(plugin, target, request)
        # Most counts of a prototxt need no process of their own, nor the code that starts one
        from flopledger.reading import child_process  # noqa: PLC0415

        if self._shared is not None:
            return self._shared.read(child_process.Task(target, request))
        if self._child is None:
            self._child = child_process.Child(request.memory_limit)
        return self._child.read(child_process.Task(target, request))


def read_source(source: object, request: Request) -> Graph:
    """Read a source into a graph.

    Args:
        source: A file's path, ``package.module:attribute``, ``file.py:attribute``, or a live object:
            a model, or a class or function that makes one.
        request: How to read it.

    Raises:
        SourceError: The source is missing, malformed, or can't be read.
        UsageError: An option does not fit the source, or several frontends read it.
    """
    with Readings(source, request) as readings:
        return readings.read({})


def _check_limits(timeout: float | None, memory_limit: int | None) -> None:
    """Refuse limits that no timer and no kernel take: none at all, not a number, or beyond all bounds."""
    for name, limit in (("timeout", timeout), ("memory limit", memory_limit)):
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float)):
            raise UsageError(f"the {name} is {of_type(limit)}, expected a number")
    if timeout is not None and not 0 < timeout <= LONGEST_S:
        raise UsageError(f"the timeout is {timeout} seconds, expected more than 0 and at most {LONGEST_S}")
    if memory_limit is not None and not 0 < memory_limit <= MOST_BYTES:
        found = shown(memory_limit)
        raise UsageError(f"the memory limit is {found} bytes, expected more than 0 and at most {MOST_BYTES}")


def _check_profile(profile: Mapping[str, object]) -> None:
    """Refuse a mode or step that no frontend has, where the frontend takes no notice of it too."""
    for name in ("mode", "step"):
        found = profile.get(name)
        if found is not None and found not in PROFILE[name]:
            raise UsageError(
                f"the {name} is {shown(found)}, expected one of {', '.join(map(str, PROFILE[name]))}"
            )


@collector.paused()
def _read_in_place(plugin: Plugin, target: Path, request: Request) -> Graph:
    return _guarded(reading.read, plugin, target, request)


def _guarded(read: Callable[..., Graph], *what: object) -> Graph:
    """Read in this process; an exception in a frontend or in the user's model becomes a SourceError."""
    try:
        return read(*what)
    except FlopledgerError:
        raise
    except Exception as error:
        from flopledger.frontend import user_code as blame  # noqa: PLC0415  (it is needed in no other case)

        found = plugins.registry()
        raise SourceError(blame.describe(error, found.code, found.frameworks)) from error


def _read_live(source: object, request: Request) -> Graph:
    if request.inputs_from:
        raise UsageError("a live object is read in this process: give it the inputs themselves")
    read = functools.partial(_guarded, reading.read_object, source, request, plugins.registry())
    if not request.isolated:
        return read()
    from flopledger.frontend import forked  # noqa: PLC0415  (only an isolated reading needs it)

    return forked.read_in_fork(
        request.source, read, timeout=request.timeout, memory_limit=request.memory_limit
    )


def saved_graph(path: Path) -> bool:
    """Return whether a file is a graph that was saved."""
    if input_files.kind(path):
        return False
    try:
        with input_files.open_regular(path) as stream:
            head = stream.read(LARGEST_FILE if path.suffix == ".json" else _HEAD)
    except OSError as error:
        raise SourceError(f"{path}: it can't be read: {error.strerror}") from None
    return head.lstrip().startswith(b"{") and b'"flopledger.graph/' in head


@collector.paused()
def read_saved(path: Path, request: Request) -> Graph:
    """Read a saved graph, which has been read already: no option of reading fits it."""
    if request.inputs or request.arguments or request.options or request.execute:
        message = f"{path} is a saved graph: inputs, arguments and options were settled when it was read"
        raise UsageError(message)
    try:
        text = input_files.read_text(path, LARGEST_FILE)
    except OSError as error:
        raise SourceError(f"{path}: it can't be read: {error.strerror}") from None
    return Graph.from_json(text, str(path))
