"""Earlier counts, read from their JSON: the figures that a network may not exceed."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from flopledger import input_files
from flopledger.bounded import values_in
from flopledger.counting.ledger import SCHEMA, SEVERAL
from flopledger.dims.arithmetic import symbol_names
from flopledger.errors import SourceError, UsageError, shown
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from flopledger.counting.ledger import Ledger
    from flopledger.dims.types import Number

COSTS = ("count", "macs", "params")
"""The figures of the total that may not exceed earlier ones; freezing a layer is not a regression."""
FIGURES = ("count", "params")
"""The figures of each row that are compared with an earlier ledger's."""
Exact: TypeAlias = "int | Fraction"
WRITTEN = re.compile(r"-?[0-9]{1,4000}(?:/[0-9]{1,4000})?\Z")
"""A figure in a document: longer texts are not figures, and would take long to read."""
LARGEST_FILE = 256 * 2**20
"""The largest ledger that is read, in bytes; one of 100,000 rows takes a sixth of it."""
MOST_NAMED = 6
"""How many ledgers of a file a message names."""
MOST_VALUES = 1 << 22
"""The most JSON values of a ledger, each of which becomes an object; one of 100,000 rows has 2.6 million."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The figures of an earlier ledger: its source, convention and totals, and its rows' figures by path.

    Its unknown calls are known by their source, their number and the elements of their results.
    """

    source: str
    convention: str
    switches: Mapping[str, str]
    total: Mapping[str, Exact]
    rows: Mapping[str, Mapping[str, Exact]]
    where: str
    unknown: frozenset[tuple[str, int, str]] = frozenset()

    @property
    def under(self) -> str:
        """The convention and its changed switches."""
        return " ".join([self.convention, *(f"{name}={value}" for name, value in self.switches.items())])


def figure_of(ledger: Ledger, key: str) -> int | Fraction:
    """Return a figure of a ledger's total, where it is a number.

    Raises:
        UsageError: The convention gives none, or it is a formula.
    """
    found: Number | None = getattr(ledger.total, key)
    if found is None:
        raise UsageError(f"the convention {ledger.convention.name!r} gives no figure for {key}")
    if not isinstance(found, (int, Fraction)):
        sizes = " ".join(f"--size {name}=1" for name in symbol_names(found))
        raise UsageError(
            f"{ledger.graph.reading.source}: {key} is {found}, a formula: give its symbols numbers in the "
            f"inputs, or with {sizes}"
        )
    return found


def load(path: str) -> tuple[Earlier, ...] | None:
    """Read earlier ledgers from their JSON; None where the file is something else, such as a saved graph.

    ``Ledger.to_json`` writes a document of one ledger, ``flopledger count`` one of a list.

    Raises:
        SourceError: The file is missing or is not one of our JSON documents.
    """
    try:
        written = input_files.read_text(path, LARGEST_FILE)
        if values_in(written) > MOST_VALUES:
            raise SourceError(f"{path}: it holds more than {MOST_VALUES} values, which no ledger does")
        document = json.loads(written)
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SourceError(f"{path}: it can't be read as a ledger's JSON: {reason}") from None
    if not isinstance(document, dict) or document.get("schema") not in (SCHEMA, SEVERAL):
        return None
    try:
        ledgers = [document] if document["schema"] == SCHEMA else document["ledgers"]
        return tuple(_earlier(ledger, path) for ledger in ledgers)
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        message = f"{path}: it claims to be a ledger, but a part of it is missing or malformed: {error}"
        raise SourceError(message) from None


def _earlier(document: Mapping[str, Any], path: str) -> Earlier:
    used, total = document["convention"], document["total"]
    rows = {_text(row["path"]): {key: _exact(row[key]) for key in FIGURES} for row in document["rows"]}
    figures = {key: _exact(total[key]) for key in COSTS if total[key] is not None}
    switches = {name: _text(value) for name, value in used["set"].items()}
    unknown = frozenset(
        (_text(one["source"]), int(one["calls"]), str(one["out_elems"]))
        for one in document["coverage"]["unknown"]
    )
    source = _text(document["graph"]["source"])
    return Earlier(source, _text(used["name"]), switches, figures, rows, path, unknown)


def unknown_of(ledger: Ledger) -> frozenset[tuple[str, int, str]]:
    """Return the unknown calls of a ledger as :class:`Earlier` has them."""
    return frozenset((one.source, one.calls, str(one.out_elems)) for one in ledger.coverage.unknown)


def of_same(found: Sequence[Earlier], ledger: Ledger) -> Earlier:
    """Return the earlier ledger of the same source and convention; a file's only one is taken as it is.

    Raises:
        UsageError: Several are there, and not just one is of the same source and convention.
    """
    if len(found) == 1:
        return found[0]
    source, used = ledger.graph.reading.source, ledger.convention
    same = [
        earlier
        for earlier in found
        if (earlier.source, earlier.convention, dict(earlier.switches))
        == (source, used.name, dict(used.switches))
    ]
    if len(same) != 1:
        where = found[0].where if found else "the file"
        listed = ", ".join(f"{earlier.source} under {earlier.under}" for earlier in found[:MOST_NAMED])
        raise UsageError(
            f"{where} has {len(same) or 'no'} ledgers of {source} under {used.name}; "
            f"it has {listed or 'none at all'}"
        )
    return same[0]


def _text(value: object) -> str:
    """Return a text of a document."""
    if not isinstance(value, str):
        raise TypeError(f"a text is {shown(value)}")
    return value


def _exact(value: object) -> int | Fraction:
    """Return a figure of a document: a whole number, or a fraction written as p/q."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError(f"a figure is {shown(value)}")
    if isinstance(value, str) and not WRITTEN.match(value):
        raise ValueError(f"a figure is {shown(value)}")
    exact = Fraction(value)
    return exact.numerator if exact.denominator == 1 else exact


def of_ledger(ledger: Ledger, where: str) -> Earlier:
    """Return a ledger counted just now, of a saved graph, as the earlier one."""
    total = {key: figure_of(ledger, key) for key in COSTS if getattr(ledger.total, key) is not None}
    rows = {
        row.path: {key: value for key in FIGURES if isinstance(value := getattr(row, key), (int, Fraction))}
        for row in ledger.rows
    }
    source = ledger.graph.reading.source
    used = ledger.convention
    return Earlier(source, used.name, used.switches, total, rows, where, unknown_of(ledger))
