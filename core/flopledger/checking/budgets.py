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
from flopledger.errors import UsageError, choices, near_names, nearest, shown
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
    content = _content(path)
    how = f"name a source, or write budgets into {FILE} as {TABLE} with source, inputs and max-macs"
    if content is None:
        raise UsageError(f"nothing to check, and no {FILE} here or above: {how}")
    given = _section(content).get("budgets")
    found = tuple(_budget(number, table) for number, table in enumerate(_tables(given), 1))
    if not found:
        near = _misspelt(content)
        meant = f" It has [tool.{shown(near)[1:-1]}]: did you mean [tool.flopledger]?" if near else ""
        raise UsageError(f"nothing to check: {FILE} has no budgets of flopledger's.{meant} So {how}")
    return found


def project(folder: Path) -> Path:
    """Return the nearest folder upwards whose pyproject.toml is for flopledger, else one with a file.

    A file of a part of a project that says nothing about flopledger does not hide that of the whole; one
    that can't be read, or whose table is misspelt, does, and is reported.
    """
    for one in (folder, *folder.parents):
        try:
            content = _content(one / FILE)
        except UsageError:
            return one
        if content is not None and (_section(content) or _misspelt(content)):
            return one
    return next((one for one in (folder, *folder.parents) if (one / FILE).is_file()), folder)


def _content(path: Path) -> Mapping[str, object] | None:
    """Read a pyproject.toml; None where there is none."""
    try:
        return tomllib.loads(input_files.read_text(path, LARGEST_FILE))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{FILE} can't be read: {error}") from None


def _section(content: Mapping[str, object]) -> Mapping[str, object]:
    """Return our table, whose only key is that of the budgets."""
    tools = content.get("tool")
    section = tools.get("flopledger", {}) if isinstance(tools, dict) else {}
    if not isinstance(section, dict):
        raise UsageError(f"{FILE}: tool.flopledger is {shown(section)}, expected a table, as in {TABLE}")
    for key in section:
        if key.replace("_", "-") in KEYS:
            raise UsageError(f"{FILE}: {key!r} is in [tool.flopledger]; it belongs below {TABLE}")
        if key != "budgets":
            near = nearest(key, ("budgets",))
            raise UsageError(f"{FILE}: [tool.flopledger] has no key {shown(key)}{near}; there is budgets")
    return section


def _misspelt(content: Mapping[str, object]) -> str:
    """Return the name of a tool's table that is spelled nearly like ours, if there is one."""
    tools = content.get("tool")
    return next(iter(near_names("flopledger", tools if isinstance(tools, dict) else ())), "")


def _tables(given: object) -> Iterator[Mapping[str, object]]:
    """Yield the tables of budgets: a list of them, or a table of them by source."""
    listed = given if isinstance(given, list) else []
    items = given.items() if isinstance(given, dict) else [("", one) for one in listed]
    if given is not None and not isinstance(given, (list, dict)):
        raise UsageError(f"{FILE}: tool.flopledger.budgets is {shown(given)}, expected tables, as in {TABLE}")
    for source, table in items:
        if source in KEYS and not isinstance(table, dict):
            raise UsageError(
                f"{FILE}: {source!r} is in [tool.flopledger.budgets]; it belongs below {TABLE}, with two "
                "brackets, since there may be several"
            )
        if not isinstance(table, dict):
            raise UsageError(f"{FILE}: a budget is {shown(table)}, expected a table, as in {TABLE}")
        yield {"source": source, **table} if source else table


def _budget(number: int, table: Mapping[str, object]) -> Budget:
    named = {key.replace("_", "-"): value for key, value in table.items()}
    where = f"{FILE}, budget {number}"
    for key in named:
        if key not in KEYS:
            raise UsageError(f"{where}: there is no key {key!r}{choices(key, KEYS)}")
    if isinstance(named.get("source"), list):
        raise UsageError(
            f"{where}: source is {shown(named['source'])}, a list; a budget is for one source: write "
            f"a {TABLE} for each"
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
