"""The result of a count: a row for each call that the convention looks at, and the totals."""

from __future__ import annotations

import functools
from dataclasses import field
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeAlias

from flopledger import lazy
from flopledger.dims.arithmetic import plain, text, total
from flopledger.dims.bounds import number
from flopledger.errors import UsageError, choices
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.analysis.experts.groups import Experts
    from flopledger.conventions.printspec import PrintSpec
    from flopledger.devices.device import Device
    from flopledger.dims.types import Dim, Number, Shape
    from flopledger.graph.tables import Input, Reading

Figure: TypeAlias = "int | str"
"""A figure as JSON has it: whole, or the text of an expression or a fraction."""


SCHEMA = "flopledger.ledger/1"
"""The name of a ledger's JSON format."""
SEVERAL = "flopledger.ledgers/1"
"""The name of the JSON format of a list of ledgers, of one too."""
OPERATIONS = ("count", "macs", "flops")
"""The figures of a total that are lower bounds while calls are unknown; parameters are known all the same."""
GROUPS = ("kind", "source", "level", "path", "status")
"""The fields that rows may be summed by."""


def figure(value: Number) -> Figure:
    """Return a count as JSON holds it: an ``int``, or a string where symbols or fractions appear."""
    if type(value) is int:  # nearly always, and a class of numbers takes long to ask
        return value
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else text(value)
    whole = plain(value)
    return whole if isinstance(whole, int) else text(whole)


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of a training step in a figure."""

    forward: Number = 0
    grad_input: Number = 0
    grad_weight: Number = 0
    recompute: Number = 0

    @property
    def backward(self) -> Number:
        """The gradients of data and of weights."""
        return number(self.grad_input + self.grad_weight)

    def __add__(self, other: Shares) -> Shares:
        """Return those of both."""
        return Shares(
            total((self.forward, other.forward)),
            total((self.grad_input, other.grad_input)),
            total((self.grad_weight, other.grad_weight)),
            total((self.recompute, other.recompute)),
        )

    def times(self, count: int) -> Shares:
        """Return those of as many repetitions."""
        return Shares(
            self.forward * count, self.grad_input * count, self.grad_weight * count, self.recompute * count
        )


@dataclass(frozen=True, slots=True)
class Roofline:
    """A lower bound of the time on a device: operations, bytes moved, and the seconds that each asks for.

    ``compute_seconds`` are those of the calls that the device's arithmetic bounds, ``memory_seconds`` of
    those that its memory does: together they are the bound, which no run of these calls one by one beats.
    """

    flop: int = 0
    bytes: int = 0
    compute_seconds: Fraction = Fraction(0)
    memory_seconds: Fraction = Fraction(0)

    @property
    def seconds(self) -> Fraction:
        """The lower bound of the time."""
        return self.compute_seconds + self.memory_seconds

    @property
    def intensity(self) -> Fraction | None:
        """The operations for each byte; None where nothing is moved."""
        return Fraction(self.flop, self.bytes) if self.bytes else None

    @property
    def bound(self) -> str:
        """``compute`` or ``memory``, whichever most of the time is bound by; empty where there is none."""
        if not self.seconds:
            return ""
        return "compute" if self.compute_seconds >= self.memory_seconds else "memory"

    def __add__(self, other: Roofline) -> Roofline:
        """Return the bound of both, one after the other."""
        return Roofline(
            self.flop + other.flop,
            self.bytes + other.bytes,
            self.compute_seconds + other.compute_seconds,
            self.memory_seconds + other.memory_seconds,
        )

    def times(self, count: int) -> Roofline:
        """Return the bound of as many repetitions."""
        return Roofline(
            self.flop * count,
            self.bytes * count,
            self.compute_seconds * count,
            self.memory_seconds * count,
        )


@dataclass(frozen=True, slots=True)
class Traffic:
    """The bytes that calls read and write, nothing fused; a lower bound while ``unknown``."""

    reads: Number = 0
    writes: Number = 0
    unknown: bool = False

    def __add__(self, other: Traffic) -> Traffic:
        """Return those of both."""
        return Traffic(
            total((self.reads, other.reads)),
            total((self.writes, other.writes)),
            self.unknown or other.unknown,
        )

    def times(self, count: int) -> Traffic:
        """Return those of as many repetitions."""
        return Traffic(self.reads * count, self.writes * count, self.unknown)


@dataclass(frozen=True, slots=True)
class Row:
    """One call as the convention counted it.

    ``count`` is the convention's figure with sharing and reuse already in it; ``macs`` our own true
    count; ``parts`` the arithmetic operations; ``status`` one of counted, free, ignored, unknown,
    container; ``why`` is the reason why an unknown row is unknown; ``weights`` are the shapes of the call's
    own parameters, ``trainable`` how many of our own count of them are trained, ``kernel`` the extent of its
    window; ``module`` is the module that is called, ``label`` the framework's own name of it.
    """

    id: int
    parent: int | None
    path: str
    call: int
    kind: str
    source: str
    level: str
    inputs: tuple[Shape | None, ...]
    outputs: tuple[Shape | None, ...]
    params: Number
    count: Number
    macs: Dim
    parts: Mapping[str, Dim]
    status: str = "counted"
    why: str = ""
    weights: tuple[Shape, ...] = ()
    module: int | None = None
    label: str = ""
    trainable: Number = 0
    kernel: tuple[Dim, ...] = ()
    training: Shares | None = None
    roofline: Roofline | None = None
    traffic: Traffic | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """The totals: ``count`` and ``params`` as the convention's tool prints them, the rest our own.

    ``params`` is None for a tool that prints no parameter figure. ``active_params`` are the weights that
    one token's forward uses: fewer than there are where a router picks some of several experts. While
    ``unknown_calls``, the calls that no formula is known for, is not 0, operations are a lower bound.
    """

    count: Number
    unit: str
    macs: Dim
    params: Number | None
    trainable_params: Number
    non_trainable_params: Number
    buffers: Number
    active_params: Number | None = None
    unknown_calls: int = 0
    training: Shares | None = None
    roofline: Roofline | None = None
    traffic: Traffic | None = None

    @property
    def flops(self) -> Dim:
        """Our own count in FLOP, under every convention: 2 for each multiply-accumulate."""
        return 2 * self.macs

    @property
    def complete(self) -> bool:
        """Whether the operations are all counted: no call is unknown."""
        return not self.unknown_calls


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A difference between the total and the sum of the rows: batch division, rounding."""

    what: str
    count: Number


@dataclass(frozen=True, slots=True)
class Unknown:
    """Calls of one source that no formula is known for."""

    source: str
    kind: str
    calls: int
    out_elems: Dim | None
    why: str = ""
    paths: tuple[str, ...] = ()
    inputs: tuple[Shape | None, ...] = ()
    outputs: tuple[Shape | None, ...] = ()
    level: str = "layer"


@dataclass(frozen=True, slots=True)
class Coverage:
    """The numbers of calls that were counted, are free, were left out by the convention, or are unknown."""

    counted: int
    free: int
    ignored: int
    unknown: tuple[Unknown, ...] = ()

    @property
    def unknown_calls(self) -> int:
        """The number of calls that no formula is known for."""
        return sum(unknown.calls for unknown in self.unknown)


@dataclass(frozen=True, slots=True)
class ConventionInfo:
    """The convention that was used: its name, title and unit, its changed switches, and its digest."""

    name: str
    title: str
    unit: str
    switches: Mapping[str, str]
    digest: str


class Identified(Protocol):
    """An object with a digest, such as a graph, which computes it when it is first used."""

    @property
    def digest(self) -> str:
        """The text that identifies it."""


@dataclass(frozen=True, slots=True)
class GraphInfo:
    """The graph that was counted."""

    reading: Reading
    inputs: tuple[tuple[Input, Shape | None, str], ...]
    graph: Identified = field(repr=False)

    @property
    def digest(self) -> str:
        """The text that identifies the graph; see :attr:`flopledger.graph.graph.Graph.digest`."""
        return self.graph.digest


class Sums(dict[object, "Number"]):
    """The rows' counts by group; that of a group in ``unknown_calls`` is a lower bound, and is shown so."""

    unknown_calls: Mapping[object, int] = MappingProxyType({})

    @property
    def complete(self) -> bool:
        """Whether all operations are counted: no call is unknown."""
        return not self.unknown_calls

    def __repr__(self) -> str:
        """Write the dictionary, with ``at least`` before each lower bound."""
        least = dict.fromkeys(self.unknown_calls, "at least ")
        pairs = (f"{name!r}: {least.get(name, '')}{count!r}" for name, count in self.items())
        return f"{{{', '.join(pairs)}}}"


@dataclass(frozen=True, repr=False)
class Ledger(lazy.Shown):
    """A graph counted under a convention. It is counted once; everything else reads from it."""

    graph: GraphInfo
    convention: ConventionInfo
    total: Total
    rows: tuple[Row, ...]
    coverage: Coverage
    adjustments: tuple[Adjustment, ...] = ()
    disagreements: tuple[str, ...] = ()
    experts: tuple[Experts, ...] = ()
    unmatched: tuple[str, ...] = ()
    device: Device | None = None
    print_spec: PrintSpec | None = field(default=None, repr=False, compare=False)

    @functools.cached_property
    def listed(self) -> Number:
        """The sum of the rows' counts: the total without the adjustments."""
        return total(row.count for row in self.rows)

    def by(self, key: str) -> Sums:
        """Sum the rows' counts by one of their fields, one of :data:`GROUPS`.

        Raises:
            UsageError: It is not one of them.
        """
        if key not in GROUPS:
            raise UsageError(f"rows can't be summed by {key!r}{choices(str(key), GROUPS, 'by')}")
        groups: dict[object, list[Row]] = {}
        for row in self.rows:
            groups.setdefault(getattr(row, key), []).append(row)
        sums = Sums({name: total(row.count for row in rows) for name, rows in groups.items()})
        unknown = {name: sum(row.status == "unknown" for row in rows) for name, rows in groups.items()}
        sums.unknown_calls = {name: calls for name, calls in unknown.items() if calls}
        return sums

    def to_dict(self) -> dict[str, object]:
        """Return the ledger as its JSON document; ``report/schema.json`` describes it."""
        return lazy.ledger_document(self)

    def to_json(self) -> str:
        """Write the ledger as one JSON document."""
        return lazy.ledger_json(self)

    def to_dicts(self) -> list[dict[str, object]]:
        """Return the rows as a list of dictionaries, ready for a data frame."""
        return [lazy.row_document(row) for row in self.rows]
