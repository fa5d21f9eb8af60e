"""What is to be read: finding the source that the user named, and reading it in the right place.

A file that needs neither a framework nor the user's code (a prototxt, a saved graph) and a live
object are read in this process; everything else in a child process, see
:mod:`flopledger.reading.child_process`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from flopledger import gc_pause as collector
from flopledger import input_files
from flopledger.errors import FlopledgerError, SourceError, UsageError, shown
from flopledger.graph.graph import Graph
from flopledger.graph.load import LARGEST_FILE
from flopledger.plugins import discovery as plugins
from flopledger.reading import choose as reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend.specs import InputSpec
    from flopledger.plugins.registry import Plugin

LONGEST_S = 10_000_000
"""The longest timeout, in seconds; a third of a year."""
MOST_BYTES = 2**62
"""The largest memory limit; the kernel's own numbers end soon after."""
_HEAD = 4096
"""How much of a file is looked at to tell a saved graph."""


@dataclass(frozen=True, slots=True)
class Request:
    """How a source is to be read.

    Attributes:
        source: The source as the user named it.
        inputs: Input specs, parsed; empty where the source says its own.
        values: Input values given as live objects (tensors, arrays), positional and by keyword.
        inputs_from: ``file.py:make`` or ``package.module:make``, a function that returns the values:
            one tensor or array, a tuple of positional ones, or a dict by name.
        arguments: ``--arg`` values for a class or function that makes the model.
        profile: The values that the reading must have: ``mode``, ``grad``, ``fast_paths``, ``sizes``.
        options: What only some frontends know, such as Caffe's ``phase`` and ``stage``.
        execute: Whether the forward may really run, on small tensors.
    """

    source: str
    inputs: tuple[InputSpec, ...] = ()
    values: object = None
    inputs_from: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)
    profile: Mapping[str, object] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    execute: bool = False


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute, dotted where it lies deeper, of a module or of a Python file."""

    module: str | Path
    name: str

    @property
    def folder(self) -> Path:
        """What comes first on the search path while it is imported."""
        return self.module.resolve().parent if isinstance(self.module, Path) else Path.cwd()


Target: TypeAlias = "Path | Attribute"


def locate(source: str) -> Target:
    """Tell what a source's text means: an existing file, or an attribute of a module or file.

    Raises:
        SourceError: It is neither, or a pipe, a device or a socket, which could keep us waiting for ever.
    """
    if os.path.exists(source):  # noqa: PTH110  (pathlib raises for names that no file can have)
        found = input_files.kind(source)
        if found not in _READABLE:
            raise SourceError(f"{source}: it is {found}, expected a regular file")
        return Path(source)
    head, colon, name = source.rpartition(":")
    if not colon:
        raise SourceError(f"{source!r} is no file. {_EXPECTED}")
    if not all(part.isidentifier() for part in name.split(".")):
        raise SourceError(f"{source!r}: no such file, and {name!r} is no attribute's name. {_EXPECTED}")
    if head.endswith(".py"):
        found = input_files.kind(head)
        if found:
            raise SourceError(f"{source!r}: there is {_no_file(found)} {head!r}")
        return Attribute(Path(head), name)
    if not all(part.isidentifier() for part in head.split(".")):
        raise SourceError(f"{source!r}: {head!r} is neither a module's name nor a Python file. {_EXPECTED}")
    return Attribute(head, name)


def _no_file(kind: str) -> str:
    return "no file" if kind == "nothing" else f"{kind}, expected a file of Python code:"


_READABLE = ("", "a directory")
"""What a source may be: a regular file; or a directory, which a frontend of somebody else's may read."""
_EXPECTED = "Expected a file, package.module:attribute or file.py:attribute"


def read_source(
    source: object,
    request: Request,
    *,
    frontend: str | None = None,
    timeout: float | None = None,
    memory_limit: int | None = None,
) -> Graph:
    """Read a source into a graph.

    Args:
        source: A file's path, ``package.module:attribute``, ``file.py:attribute``, or a live object:
            a model, or a class or function that makes one.
        request: How to read it.
        frontend: Which frontend reads it; needed only where several can.
        timeout: Seconds that a child process may take.
        memory_limit: Bytes of address space that a child process may take.

    Raises:
        SourceError: The source is missing, malformed, or can't be read.
        UsageError: An option does not fit the source, or several frontends read it.
    """
    _check_limits(timeout, memory_limit)
    if not isinstance(source, (str, Path)):
        return _read_live(source, request, frontend)
    target = locate(str(source))
    if isinstance(target, Path) and not request.inputs_from:
        if frontend is None and _is_saved_graph(target):
            return _read_saved(target, request)
        plugin = reading.choose_for_file(target, request, frontend, plugins.registry())
        if plugin.frontend.in_place:
            return _read_in_place(plugin, target, request)
    from flopledger.reading import child_process as child  # noqa: PLC0415  (only what needs a process of its own needs it)

    task = child.Task(target, frontend, request, memory_limit)
    return child.read(task, timeout)


def _check_limits(timeout: float | None, memory_limit: int | None) -> None:
    """Refuse limits that no timer and no kernel take: none at all, not a number, or beyond all bounds."""
    if timeout is not None and not 0 < timeout <= LONGEST_S:
        raise UsageError(f"the timeout is {timeout} seconds, expected more than 0 and at most {LONGEST_S}")
    if memory_limit is not None and not 0 < memory_limit <= MOST_BYTES:
        found = shown(memory_limit)
        raise UsageError(f"the memory limit is {found} bytes, expected more than 0 and at most {MOST_BYTES}")


@collector.paused()
def _read_in_place(plugin: Plugin, target: Path, request: Request) -> Graph:
    return _guarded(reading.read, plugin, target, request)


def _guarded(read: Callable[..., Graph], *what: object) -> Graph:
    """Read in this process; what goes wrong in a frontend or in the user's model is a SourceError."""
    try:
        return read(*what)
    except FlopledgerError:
        raise
    except Exception as error:
        from flopledger.frontend import user_code as blame  # noqa: PLC0415  (it is needed in no other case)

        raise SourceError(blame.describe(error, plugins.registry().code)) from error


def _read_live(source: object, request: Request, frontend: str | None) -> Graph:
    if request.inputs_from:
        raise UsageError("a live object is read in this process: give it the inputs themselves")
    return _guarded(reading.read_object, source, request, frontend, plugins.registry())


def _is_saved_graph(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with input_files.open_regular(path) as stream:
            head = stream.read(LARGEST_FILE if path.suffix == ".json" else _HEAD)
    except OSError as error:
        raise SourceError(f"{path}: it can't be read: {error.strerror}") from None
    return head.lstrip().startswith(b"{") and b'"flopledger.graph/' in head


@collector.paused()
def _read_saved(path: Path, request: Request) -> Graph:
    if request.inputs or request.arguments or request.options or request.execute:
        message = f"{path} is a saved graph: inputs, arguments and options were settled when it was read"
        raise UsageError(message)
    try:
        text = input_files.read_text(path, LARGEST_FILE)
    except OSError as error:
        raise SourceError(f"{path}: it can't be read: {error.strerror}") from None
    return Graph.from_json(text, str(path))
