"""Messages about the command line's options, in the words of Python's users.

A message says what to do in the words of the command line: ``give it, as in -i 1x3x224x224``. Users of the
library give the same as arguments, so that :mod:`flopledger.api` puts those in place of options.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.errors import FlopledgerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.graph.graph import Graph

_SPEC = r"""(?:![^ ]*|[\w.\[\]]+=!?[^\s;,]+|[\w.(][^\s;,]*)"""
_SPECS = re.compile(rf"-i (?!and\b|or\b){_SPEC}(?: -i {_SPEC})*")
_BOTH = re.compile(r"-i [^ ]+, in Python (?=\w+=)")
"""An option before the argument that has its place in Python."""
_ARGUMENTS = re.compile(r"--arg (\w+)=\.\.\.(?: --arg \w+=\.\.\.)*")
_WORDS = (
    (re.compile(r"--execute \(execute=True(?: in Python)?\)"), "execute=True"),
    (re.compile(r"--execute\b"), "execute=True"),
    (re.compile(r"--frontend NAME"), "frontend=NAME"),
    (re.compile(r"--frontend\b"), "frontend="),
    (re.compile(r"--arg custom_objects=FILE\.py"), 'arguments={"custom_objects": "FILE.py"}'),
    (re.compile(r"--arg\b"), "arguments="),
    (re.compile(r"-i(?= (?:and|or)\b)"), "inputs="),
    (re.compile(r"--inputs\b"), "inputs_from="),
    (re.compile(r"--timeout\b"), "timeout="),
    (re.compile(r"--memory-limit\b"), "memory_limit="),
    (re.compile(r" \(--set \w+=\w+\)"), ""),
)


def in_python(message: str) -> str:
    """Return a message with arguments in place of options."""
    message = message.replace("one -i for each input", "one of inputs= for each input")
    message = _BOTH.sub("", message)
    message = _SPECS.sub(_as_inputs, message)
    message = _ARGUMENTS.sub(_as_arguments, message)
    for option, argument in _WORDS:
        message = option.sub(argument, message)
    return message


def noted(graph: Graph) -> Graph:
    """Return a graph whose notes name arguments of Python."""
    notes = tuple(map(in_python, graph.reading.notes))
    if notes == graph.reading.notes:
        return graph
    return replace(graph, reading=replace(graph.reading, notes=notes))


def _as_inputs(found: re.Match[str]) -> str:
    specs = [f'"{spec}"' for spec in found[0].removeprefix("-i ").split(" -i ")]
    return f"inputs={specs[0]}" if len(specs) == 1 else f"inputs=({', '.join(specs)})"


def _as_arguments(found: re.Match[str]) -> str:
    names = re.findall(r"--arg (\w+)=", found[0])
    return "arguments={" + ", ".join(f'"{name}": ...' for name in names) + "}"


@contextlib.contextmanager
def spoken() -> Iterator[None]:
    """Let errors inside the ``with`` name arguments of Python."""
    try:
        yield
    except FlopledgerError as error:
        error.args = tuple(in_python(part) if isinstance(part, str) else part for part in error.args)
        raise
