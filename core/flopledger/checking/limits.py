"""Budgets and regressions: whether a network stays within limits, or grew since it was last counted."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.checking.earlier import COSTS, figure_of, unknown_of
from flopledger.conventions.names import known_as
from flopledger.counting.ledger import OPERATIONS
from flopledger.errors import UsageError, choices
from flopledger.plugins import discovery as plugins
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.checking.earlier import Earlier, Exact
    from flopledger.counting.ledger import Ledger
    from flopledger.errors import FlopledgerError

KEYS = (
    "count", "macs", "flops", "params", "trainable_params", "non_trainable_params", "buffers",
    "active_params",
)  # fmt: skip
"""The figures that a limit may be set on: those of a ledger's total."""
UNITS = {key: "params" for key in KEYS if key.endswith("params")} | {"macs": "MAC", "flops": "FLOP"}
"""The unit of each figure that has the same one under every convention."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure and its limit: a limit, or an earlier figure with a tolerance.

    ``open`` is a figure that unknown calls may raise: at least so much. Above its limit it is over it for
    certain, and below it nothing can be said.
    """

    key: str
    found: Exact
    limit: Exact
    before: Exact | None = None
    open: bool = False

    @property
    def over(self) -> bool:
        """Whether the figure is above its limit."""
        return self.found > self.limit

    @property
    def passed(self) -> bool:
        """Whether the figure is known not to be above its limit."""
        return not self.over and not self.open


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
    """The result of a check: the figures with their limits, and the layers that grew."""

    ledger: Ledger
    findings: tuple[Finding, ...]
    grown: tuple[Growth, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every figure is known to be within its limit."""
        return all(finding.passed for finding in self.findings)

    @property
    def over(self) -> bool:
        """Whether a figure is above its limit."""
        return any(finding.over for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Unread:
    """A source that could not be checked, and why."""

    source: str
    error: FlopledgerError


def check_key(key: str) -> str:
    """Return a figure's name if a ledger's total has it.

    Raises:
        UsageError: It has no such figure.
    """
    if key not in KEYS:
        if known_as(key, plugins.conventions()) is not None:
            raise UsageError(
                f"{key!r} is a convention, and --max takes only those that count bytes, as in peak=8GiB: "
                f"limit its count with -c {key} --max count=..."
            )
        raise UsageError(
            f"a ledger's total has no figure {key!r}{choices(key, KEYS, 'it has')}; the name of a convention "
            "that counts bytes limits those, as in peak=8GiB"
        )
    return key


def check(
    ledger: Ledger,
    limits: Mapping[str, Fraction | int],
    earlier: Earlier | None = None,
    tolerance: Fraction = Fraction(0),
) -> Verdict:
    """Check a ledger against limits, and against an earlier ledger of the same convention.

    Args:
        ledger: The result of the count.
        limits: The most that figures of its total may be, by their names.
        earlier: The count whose figures and rows must not be exceeded.
        tolerance: The share by which the figures may exceed the earlier ones.

    Raises:
        UsageError: A figure is not known, is None under this convention, or has symbols; the earlier
            ledger was counted under another convention.
    """
    bounds = () if ledger.total.complete else OPERATIONS
    findings = [
        Finding(check_key(key), figure_of(ledger, key), limit, open=key in bounds)
        for key, limit in limits.items()
    ]
    if earlier is None:
        return Verdict(ledger, tuple(findings))
    _check_same(ledger, earlier)
    # Two lower bounds that leave out the same calls compare like with like.
    bounds = () if unknown_of(ledger) == earlier.unknown else bounds
    for key in COSTS:
        before = earlier.total.get(key)
        if before is not None:
            most = before + before * tolerance
            findings.append(Finding(key, figure_of(ledger, key), most, before, open=key in bounds))
    return Verdict(ledger, tuple(findings), tuple(_grown(ledger, earlier)))


def _check_same(ledger: Ledger, earlier: Earlier) -> None:
    used = ledger.convention
    if (used.name, dict(used.switches)) != (earlier.convention, dict(earlier.switches)):
        raise UsageError(
            f"{earlier.where} was counted under {earlier.under}, this one under {used.name}: "
            f"count it with -c {earlier.under}"
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
