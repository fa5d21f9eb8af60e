"""The table of a zoo: rows of a database, chosen, sorted, beside an earlier one or published figures."""

from __future__ import annotations

import json
import math
import re
import sqlite3
from dataclasses import field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from flopledger.errors import SourceError, UsageError, choices, shown
from flopledger.records import dataclass
from flopledger.scanning import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from flopledger.counting.ledger import Figure
    from flopledger.scanning.store import Store

OWN = (
    "name", "source", "status", "input_size", "params", "trainable_params", "buffers", "macs", "flops",
    "unknown_calls", "frontend", "framework", "framework_version", "registry", "registry_version",
    "seconds", "peak_bytes", "reason", "seconds_at_least",
)  # fmt: skip
"""The columns that every zoo has; each convention is one more, by its name."""
WHOLE = ("params", "trainable_params", "buffers", "macs", "flops", "peak_bytes", "unknown_calls")
"""The columns of figures: whole numbers, or formulas where sizes are symbols."""


@dataclass(frozen=True, slots=True)
class ZooRow:
    """A network of a zoo.

    Attributes:
        number: The number of its row in the database.
        cells: Its columns of :data:`OWN`, by name.
        figures: Its figure under each convention, by the convention's title in the table.
        units: The unit of each figure.
        published: The figures that its registry states, as texts.
        options: The options that it was read with, where they are not the usual ones, each as a cell.
        has_graph: Whether its graph is kept.
    """

    number: int
    cells: Mapping[str, Any]
    figures: Mapping[str, Figure | None]
    units: Mapping[str, str]
    published: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    has_graph: bool = False

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.cells["name"])

    def value(self, column: str) -> Any:
        """Return its value in a column; None where it has none."""
        if column in self.cells:
            return self.cells[column]
        return self.options[column] if column in self.options else self.figures.get(column)


def rows_of(store: Store) -> list[ZooRow]:
    """Return the networks of a database, by name.

    Raises:
        SourceError: A row holds what no scan writes: the file may come from anybody.
    """
    found = store.rows()
    try:
        return [_row(one) for one in found]
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(f"{store.path}: it holds what no scan writes: {error}") from None


def _row(found: Mapping[str, Any]) -> ZooRow:
    cells = {name: _figure(found[name]) if name in (*WHOLE, "input_size") else found[name] for name in OWN}
    _check_seconds(cells["seconds"])
    if cells["seconds_at_least"] is not None:
        _check_seconds(cells["seconds_at_least"])
    figures: dict[str, Figure | None] = {}
    units: dict[str, str] = {}
    for one in found["figures"]:
        switches = ", ".join(f"{key}={_text(value)}" for key, value in json.loads(one["switches"]).items())
        title = f"{one['convention']}[{switches}]" if switches else one["convention"]
        figures[title], units[title] = _figure(one["count"]), one["unit"]
    published = {str(what): _stated(text) for what, text in json.loads(found["published"]).items()}
    given = {name: _option(value) for name, value in json.loads(found["options"]).items()}
    return ZooRow(found["id"], cells, figures, units, published, given, bool(found["has_graph"]))


def _stated(text: Any) -> str:
    if not (isinstance(text, str) and _STATED.match(text)):
        raise ValueError(f"a published figure is {shown(text)}")
    return text


def _figure(value: Any) -> Any:
    """Return a whole number that SQLite could only keep as text as a number again."""
    if value is not None and not isinstance(value, (int, str)):
        raise TypeError(f"a figure is {shown(value)}")
    return int(value) if isinstance(value, str) and _NUMBER.match(value) else value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is {shown(value)}")
    return value


def _option(value: Any) -> str | int:
    cell = options.text(value)
    if not isinstance(cell, (str, int)):
        raise TypeError(f"an option is {shown(value)}")
    return cell


def _check_seconds(value: Any) -> None:
    if not (isinstance(value, (int, float)) and math.isfinite(value)):
        raise TypeError(f"seconds are {shown(value)}")


def columns_of(rows: Iterable[ZooRow]) -> list[str]:
    """Return the names of all columns."""
    listed = list(rows)
    figures = dict.fromkeys(title for row in listed for title in row.figures)
    return list(dict.fromkeys((*OWN, *options_of(listed), *figures)))


def options_of(rows: Sequence[ZooRow]) -> list[str]:
    """Return the names of the options that a row was read with, in their usual order."""
    return options.ordered({name for row in rows for name in row.options})


def differing(rows: Sequence[ZooRow]) -> list[str]:
    """Return the options that not every row was read with alike."""
    return [name for name in options_of(rows) if len({row.options.get(name) for row in rows}) > 1]


def check_column(name: str, known: Sequence[str]) -> str:
    """Return the name of a column.

    Raises:
        UsageError: There is none of that name.
    """
    if name not in known:
        raise UsageError(f"no column is called {name!r}{choices(name, known)}")
    return name


def where(rows: Sequence[ZooRow], condition: str) -> list[ZooRow]:
    """Return the rows that meet a condition in SQL, over the columns: ``macs < 5e9 and name like 'resnet%'``.

    It is asked of a table in memory that holds nothing else, and may only compute.

    Raises:
        UsageError: The condition is no expression over the columns.
    """
    columns = columns_of(rows)
    memory = sqlite3.connect(":memory:")
    try:
        memory.execute(f"CREATE TABLE zoo (number, {', '.join(map(_quoted, columns))})")
        marks = ", ".join("?" * (len(columns) + 1))
        memory.executemany(
            f"INSERT INTO zoo VALUES ({marks})",  # noqa: S608  (marks alone)
            [(row.number, *(_kept(row.value(column)) for column in columns)) for row in rows],
        )
        memory.set_authorizer(_may)
        memory.set_progress_handler(lambda: 1, _MOST_STEPS)
        found = memory.execute(f"SELECT number FROM zoo WHERE ({condition}\n)")  # noqa: S608  (see _may)
        wanted = {number for (number,) in found}
    except (sqlite3.Error, sqlite3.Warning) as error:
        known = ", ".join(columns)
        raise UsageError(f"--where {condition!r} can't be used: {error}. The columns are {known}") from None
    finally:
        memory.close()
    return [row for row in rows if row.number in wanted]


_MOST_STEPS = 100_000_000
"""How many steps of SQLite's a condition may take."""
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ})


def _may(action: int, _: str | None, name: str | None, *__: object) -> int:
    """Allow the actions of a condition: reading columns, and functions that only compute."""
    computes = action == sqlite3.SQLITE_FUNCTION and name != "load_extension"
    return sqlite3.SQLITE_OK if action in _ALLOWED or computes else sqlite3.SQLITE_DENY


def _kept(value: Any) -> Any:
    """Return a value as SQLite compares it: an integer beyond its own as the nearest float."""
    if not isinstance(value, int) or abs(value) < 2**63:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def ordered(rows: Sequence[ZooRow], column: str) -> list[ZooRow]:
    """Sort rows by a column: figures from the largest down, texts from A; rows without one come last."""

    def key(row: ZooRow) -> tuple[int, Any, str]:
        value = row.value(column)
        if isinstance(value, (int, float)):
            return 0, -value, row.name
        return (2, "", row.name) if value is None else (1, str(value), row.name)

    return sorted(rows, key=key)


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that differs from an earlier one, or from the published one."""

    name: str
    what: str
    before: Figure | None
    after: Figure | None
    number: int | None = None
    earlier: int | None = None
    causes: tuple[str, ...] = ()


def changes(before: Sequence[ZooRow], after: Sequence[ZooRow]) -> Iterator[Change]:
    """Yield the changes between two zoos: networks that came or went, statuses, figures.

    A network is the same by its name, its options, and its registry or else its source.
    """
    old = {_identity(row): row for row in before}
    new = {_identity(row): row for row in after}
    for known in dict.fromkeys((*old, *new)):
        a, b = old.get(known), new.get(known)
        if a is None or b is None:
            row = a or b
            if row is not None:
                there = ("there", None) if b is None else (None, "there")
                yield Change(row.name, "network", *there)
            continue
        for what in ("status", "params", "macs", *dict.fromkeys((*a.figures, *b.figures))):
            both = what in OWN or (what in a.figures and what in b.figures)
            if both and a.value(what) != b.value(what):
                yield Change(b.name, what, a.value(what), b.value(what), b.number, a.number)


def _identity(row: ZooRow) -> tuple[str, str, str]:
    return row.name, row.cells["registry"] or row.cells["source"], str(sorted(row.options.items()))


def published(rows: Iterable[ZooRow]) -> Iterator[Change]:
    """Yield the figures that differ from those of a network's registry, to the digits that it states."""
    for row in rows:
        for what, stated in sorted(row.published.items()):
            value = row.value(what)
            figure, step = _parsed(stated)
            if isinstance(value, int) and abs(figure - value) * 2 > step:
                yield Change(row.name, what, int(figure), value, row.number)


def _parsed(stated: str) -> tuple[Fraction, Fraction]:
    """Return a published figure and the step that it is rounded to: 4,089 of a million for ``4.089G``."""
    scale = _SCALES.get(stated[-1:].upper(), 0)
    number = stated[:-1] if scale else stated
    step = Fraction(scale or 1, 10 ** len(number.partition(".")[2]))
    return Fraction(number) * (scale or 1), step


_STATED = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?[KMGBT]?\Z")
_NUMBER = re.compile(r"-?[0-9]+\Z")
_SCALES = {"K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "T": 10**12}
