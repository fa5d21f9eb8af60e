"""Earlier counts, read from their JSON: the figures that a network may not exceed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from flopledger import input_files
from flopledger.bounded import values_in
from flopledger.counting.ledger import SCHEMA
from flopledger.errors import SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
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
MOST_VALUES = 1 << 22
"""The most JSON values of a ledger, each of which becomes an object; one of 100,000 rows has 2.6 million."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The figures of an earlier ledger: its convention, its totals, and the figures of its rows by path."""

    convention: str
    switches: Mapping[str, str]
    total: Mapping[str, Exact]
    rows: Mapping[str, Mapping[str, Exact]]
    where: str


def figure_of(ledger: Ledger, key: str) -> int | Fraction:
    """Return a figure of a ledger's total, where it is a number.

    Raises:
        UsageError: The convention gives none, or it is a formula.
    """
    found: Number | None = getattr(ledger.total, key)
    if found is None:
        raise UsageError(f"the convention {ledger.convention.name!r} gives no figure for {key}")
    if not isinstance(found, (int, Fraction)):
        raise UsageError(f"{key} is {found}, a formula: give the inputs sizes instead of symbols")
    return found


def load(path: str) -> Earlier | None:
    """Read an earlier ledger from its JSON; None where the file is something else, such as a saved graph.

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
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        return None
    try:
        return _earlier(document, path)
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        message = f"{path}: it claims to be a ledger, but a part of it is missing or malformed: {error}"
        raise SourceError(message) from None


def _earlier(document: Mapping[str, Any], path: str) -> Earlier:
    used, total = document["convention"], document["total"]
    rows = {row["path"]: {key: _exact(row[key]) for key in FIGURES} for row in document["rows"]}
    figures = {key: _exact(total[key]) for key in COSTS if total[key] is not None}
    return Earlier(used["name"], dict(used["set"]), figures, rows, path)


def _exact(value: object) -> int | Fraction:
    """Return a figure of a document: a whole number, or a fraction written as p/q."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError(f"a figure is {value!r}")
    if isinstance(value, str) and not WRITTEN.match(value):
        raise ValueError(f"a figure is {value!r}")
    exact = Fraction(value)
    return exact.numerator if exact.denominator == 1 else exact


def of_ledger(ledger: Ledger, where: str) -> Earlier:
    """Return a ledger counted just now, of a saved graph, as the earlier one."""
    total = {key: figure_of(ledger, key) for key in COSTS if getattr(ledger.total, key) is not None}
    rows = {
        row.path: {key: value for key in FIGURES if isinstance(value := getattr(row, key), (int, Fraction))}
        for row in ledger.rows
    }
    return Earlier(ledger.convention.name, ledger.convention.switches, total, rows, where)
