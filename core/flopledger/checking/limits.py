"""Budgets and regressions: whether a network stays within limits, or grew since it was last counted."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from flopledger import input_files
from flopledger.counting.ledger import SCHEMA, Total
from flopledger.errors import SourceError, UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flopledger.counting.ledger import Ledger
    from flopledger.dims.types import Number

KEYS = tuple(name for name in Total.__dataclass_fields__ if name != "unit")
"""What a limit may be set on: the figures of a ledger's total."""
COSTS = ("count", "macs", "params")
"""The figures of the total that may not be above an earlier ledger's; freezing a layer is no regression."""
FIGURES = ("count", "params")
"""The figures of each row that are compared with an earlier ledger's."""
Exact: TypeAlias = "int | Fraction"
WRITTEN = re.compile(r"-?[0-9]{1,4000}(?:/[0-9]{1,4000})?\Z")
"""A figure in a document: longer ones are no figures, and would take long to read."""
LARGEST_FILE = 256 * 2**20
"""The largest ledger that is read, in bytes; one of 100,000 rows takes a sixth of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure and what it was held against: a limit, or an earlier figure with a tolerance."""

    key: str
    found: Exact
    limit: Exact
    before: Exact | None = None

    @property
    def passed(self) -> bool:
        """Whether the figure is not above its limit."""
        return self.found <= self.limit


@dataclass(frozen=True, slots=True)
class Growth:
    """A layer that grew since an earlier ledger; ``before`` is None for one that was not there."""

    path: str
    key: str
    before: Exact | None
    after: Exact

    @property
    def change(self) -> Exact:
        """By how much it grew."""
        return self.after - (self.before or 0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a network stays within its limits, by which figures, and which layers grew."""

    ledger: Ledger
    findings: tuple[Finding, ...]
    grown: tuple[Growth, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every figure is within its limit."""
        return all(finding.passed for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier ledger says: its convention, its totals, and the figures of its rows by path."""

    convention: str
    switches: Mapping[str, str]
    total: Mapping[str, Exact]
    rows: Mapping[str, Mapping[str, Exact]]
    where: str


def check_key(key: str) -> str:
    """Return a figure's name if a ledger's total has it.

    Raises:
        UsageError: It has no such figure.
    """
    if key not in KEYS:
        raise UsageError(
            f"a ledger's total has no figure {key!r}{nearest(key, KEYS)}; it has {', '.join(KEYS)}"
        )
    return key


def check(
    ledger: Ledger,
    limits: Mapping[str, Fraction | int],
    earlier: Earlier | None = None,
    tolerance: Fraction = Fraction(0),
) -> Verdict:
    """Hold a ledger against limits, and against an earlier ledger of the same convention.

    Args:
        ledger: What was counted.
        limits: The most that figures of its total may be, by their names.
        earlier: What its figures and rows may not be above of.
        tolerance: The share by which the figures may be above the earlier ones.

    Raises:
        UsageError: A figure is not known, is None under this convention, or has symbols; the earlier
            ledger was counted under another convention.
    """
    findings = [Finding(check_key(key), _figure(ledger, key), limit) for key, limit in limits.items()]
    if earlier is None:
        return Verdict(ledger, tuple(findings))
    _check_same(ledger, earlier)
    for key in COSTS:
        before = earlier.total.get(key)
        if before is not None:
            findings.append(Finding(key, _figure(ledger, key), before + before * tolerance, before))
    return Verdict(ledger, tuple(findings), tuple(_grown(ledger, earlier)))


def _figure(ledger: Ledger, key: str) -> int | Fraction:
    found: Number | None = getattr(ledger.total, key)
    if found is None:
        raise UsageError(f"the convention {ledger.convention.name!r} gives no figure for {key}")
    if not isinstance(found, (int, Fraction)):
        raise UsageError(f"{key} is {found}, a formula: give the inputs sizes instead of symbols")
    return found


def _check_same(ledger: Ledger, earlier: Earlier) -> None:
    used = ledger.convention
    if (used.name, dict(used.switches)) != (earlier.convention, dict(earlier.switches)):
        said = " ".join([earlier.convention, *(f"{k}={v}" for k, v in earlier.switches.items())])
        raise UsageError(
            f"{earlier.where} was counted under {said}, this one under {used.name}: count it with -c {said}"
        )


def _grown(ledger: Ledger, earlier: Earlier) -> list[Growth]:
    """Return the rows whose count or parameters are above those of the earlier ledger, the most first."""
    grown = []
    for row in ledger.rows:
        old = earlier.rows.get(row.path)
        for key, after in (("count", row.count), ("params", row.params)):
            before = None if old is None else old[key]
            if isinstance(after, (int, Fraction)) and after > (before or 0):
                grown.append(Growth(row.path, key, before, after))
    return sorted(grown, key=lambda one: (one.key, -one.change, one.path))


def load(path: str) -> Earlier | None:
    """Read an earlier ledger from its JSON; None where the file is something else, such as a saved graph.

    Raises:
        SourceError: The file is missing or is no JSON document of ours.
    """
    try:
        document = json.loads(input_files.read_text(path, LARGEST_FILE))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SourceError(f"{path}: it can't be read as a ledger's JSON: {reason}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        return None
    try:
        return _earlier(document, path)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{path}: it says that it is a ledger, but a part of it is missing or malformed: {error}"
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
    total = {key: _figure(ledger, key) for key in COSTS if getattr(ledger.total, key) is not None}
    rows = {
        row.path: {key: value for key in FIGURES if isinstance(value := getattr(row, key), (int, Fraction))}
        for row in ledger.rows
    }
    return Earlier(ledger.convention.name, ledger.convention.switches, total, rows, where)
