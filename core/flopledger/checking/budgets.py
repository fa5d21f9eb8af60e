"""Budgets in ``pyproject.toml``, which ``flopledger check`` without a source runs.

Each is a table with a source and its limits, by the names of the command line's options::

    [[tool.flopledger.budgets]]
    source = "model.py:Net"
    inputs = ["1x3x224x224"]
    max-macs = "4.2G"
    max-params = "26M"
"""

from __future__ import annotations

import tomllib
from dataclasses import field
from typing import TYPE_CHECKING

from flopledger import input_files
from flopledger.errors import UsageError, nearest, shown
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE = "pyproject.toml"
LARGEST_FILE = 10 * 2**20
"""The largest pyproject.toml that is read, in bytes."""
TABLE = "[[tool.flopledger.budgets]]"
TEXTS = (
    "source", "convention", "frontend", "mode", "phase", "max-macs", "max-flops", "max-params", "against",
    "tolerance",
)  # fmt: skip
TABLES = ("arguments", "set", "max")
KEYS = (*TEXTS, "inputs", *TABLES)


@dataclass(frozen=True, slots=True)
class Budget:
    """A source, how it is read and counted, and its limits; texts as the command line takes them."""

    source: str
    texts: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    tables: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def text(self, key: str) -> str | None:
        """Return a value, None where the budget has none."""
        return self.texts.get(key)

    def pairs(self, key: str) -> tuple[str, ...]:
        """Return a table as ``KEY=VALUE`` texts."""
        return tuple(f"{name}={_written(value)}" for name, value in self.tables.get(key, {}).items())


def budgets(folder: Path) -> tuple[Budget, ...]:
    """Read the budgets of a project.

    Raises:
        UsageError: There are none, or one is malformed; the message names the budget and the key.
    """
    path = folder / FILE
    how = f"name a source, or write budgets into {FILE} as {TABLE} with source, inputs and max-macs"
    try:
        content = tomllib.loads(input_files.read_text(path, LARGEST_FILE))
    except FileNotFoundError:
        raise UsageError(f"nothing to check, and no {FILE} here: {how}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{FILE} can't be read: {error}") from None
    tools = content.get("tool")
    section = tools.get("flopledger") if isinstance(tools, dict) else None
    given = section.get("budgets") if isinstance(section, dict) else None
    found = tuple(_budget(number, table) for number, table in enumerate(_tables(given), 1))
    if not found:
        raise UsageError(f"nothing to check: {FILE} has no budgets of flopledger's. So {how}")
    return found


def _tables(given: object) -> Iterator[Mapping[str, object]]:
    """Yield the tables of budgets: a list of them, or a table of them by source."""
    listed = given if isinstance(given, list) else []
    items = given.items() if isinstance(given, dict) else [("", one) for one in listed]
    for source, table in items:
        if not isinstance(table, dict):
            raise UsageError(f"{FILE}: a budget is {shown(table)}, expected a table, as in {TABLE}")
        yield {"source": source, **table} if source else table


def _budget(number: int, table: Mapping[str, object]) -> Budget:
    named = {key.replace("_", "-"): value for key, value in table.items()}
    where = f"{FILE}, budget {number}"
    for key in named:
        if key not in KEYS:
            raise UsageError(
                f"{where}: there is no key {key!r}{nearest(key, KEYS)}; there are {', '.join(KEYS)}"
            )
    if not isinstance(named.get("source"), str):
        raise UsageError(f'{where}: it names no source, as in source = "model.py:Net"')
    tables: dict[str, Mapping[str, object]] = {}
    for key in TABLES:
        value = named.get(key, {})
        if not isinstance(value, dict):
            raise UsageError(f"{where}: {key} is {shown(value)}, expected a table")
        tables[key] = value
    inputs = named.get("inputs", ())
    listed = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(listed, (list, tuple)) or not all(isinstance(spec, str) for spec in listed):
        raise UsageError(f'{where}: inputs is {shown(inputs)}, expected specs, as in ["1x3x224x224"]')
    texts = {key: _text(where, key, named[key]) for key in TEXTS if key in named}
    return Budget(texts["source"], texts, tuple(listed), tables)


def _text(where: str, key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise UsageError(f"{where}: {key} is {shown(value)}, expected a text or a number")
    return str(value)


def _written(value: object) -> str:
    """Write a value of a table as an option has it: true and false as switches spell them."""
    return str(value).lower() if isinstance(value, bool) else str(value)
