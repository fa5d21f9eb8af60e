"""The columns of a table of one network, as data, and how they are laid out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import text
from flopledger.errors import UsageError, choices
from flopledger.records import dataclass
from flopledger.report import COLUMNS, notes
from flopledger.report import numbers as figures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.counting.ledger import Ledger, Roofline, Shares, Traffic
    from flopledger.dims.types import Number
    from flopledger.report import View
    from flopledger.report.tree import Line

WIDEST = 400
"""No column is wider, since each line takes the room of the longest cell: words are cut, figures are not."""
MOST_INDENTED = 30
"""Deeper lines of a tree are not indented further."""
NARROWEST = 16
"""The first column is not cut below this width."""
WANTED = 28
"""Other columns are dropped before names are cut below this width."""
GAP = 2
NETWORK = "(network)"
"""The name of the network's own call, whose path is empty."""
CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name and header, its cell for a line, its alignment, and when it is dropped.

    ``yields``: columns with a larger figure are dropped first where the terminal is too narrow; 0
    never.
    """

    name: str
    header: str
    value: Callable[[Line], str]
    right: bool = False
    yields: int = 0


def label(line: Line) -> str:
    """Return the first cell of a line, indented by its depth."""
    return "  " * min(max(line.depth, 0), MOST_INDENTED) + (line.label or NETWORK)


def kind(line: Line) -> str:
    """Return the kind of a call, the source of an unknown one; nothing for a container."""
    row = line.row
    if row is None or CONTAINER in (row.status, row.kind):
        return ""
    return row.source if "unknown" in (row.status, row.kind) else row.kind


def _class(line: Line) -> str:
    return "" if line.row is None else line.row.source


def _input(line: Line) -> str:
    return "" if line.row is None else figures.shapes_text(line.row.inputs)


def output(line: Line) -> str:
    """Return the shapes of a call's results."""
    return "" if line.row is None else figures.shapes_text(line.row.outputs)


def _kernel(line: Line) -> str:
    return "" if line.row is None or not line.row.kernel else "x".join(map(text, line.row.kernel))


def _intensity(bound: Roofline) -> str:
    found = bound.intensity
    return "" if found is None else f"{float(found):,.4g}"


class Table:
    """The columns of one table: how its figures are written, and of which total they are shares."""

    def __init__(self, ledgers: Sequence[Ledger], view: View) -> None:
        self.ledgers, self.raw = ledgers, view.units != "auto"

    def written(self, value: Number, unit: str = "") -> str:
        """Write a figure in full, or in short with a prefix; its unit stands in the header."""
        unit = unit if unit != "params" else ""
        short = "" if self.raw else figures.scaled(value, unit).removesuffix(unit).strip()
        return short or figures.grouped(value)

    def _counts(self) -> list[Column]:
        """Return a column for each convention."""
        if len(self.ledgers) == 1:
            return [Column("count", self.ledgers[0].total.unit, self._count(0), right=True)]
        headers = [f"{notes.titled(one.convention)} ({one.total.unit})" for one in self.ledgers]
        return [Column("count", header, self._count(i), right=True) for i, header in enumerate(headers)]

    def _count(self, which: int) -> Callable[[Line], str]:
        unit = self.ledgers[which].total.unit
        return lambda line: self._operations(line, line.counts[which], which, unit)

    def _operations(self, line: Line, count: Number, which: int, unit: str) -> str:
        """Write operations: a lower bound where calls of the line are unknown, those in no row too."""
        missing = line.node.missing[which] if line.depth >= 0 else self.ledgers[which].total.unknown_calls
        if missing and not count:
            return "unknown"
        return ("≥ " if missing else "") + self.written(count, unit)

    def _macs(self, line: Line) -> str:
        """Write our own multiply-accumulates; the network's have those that no row of the convention has."""
        macs = line.macs if line.depth >= 0 else self.ledgers[0].total.macs
        return self._operations(line, macs, 0, "MAC")

    def _share(self, line: Line) -> str:
        return figures.percent(figures.share_of(line.counts[0], self.ledgers[0].listed))

    def _bar(self, line: Line) -> str:
        return figures.bar(figures.share_of(line.counts[0], self.ledgers[0].listed)) if line.label else ""

    def _params_share(self, line: Line) -> str:
        whole = self.ledgers[0].total.params
        return "" if whole is None else figures.percent(figures.share_of(line.params, whole))

    def _roofline(self, show: Callable[[Roofline], str]) -> Callable[[Line], str]:
        """Return a cell of the bound of the time; the network's own has the calls that are in no row."""

        def value(line: Line) -> str:
            bound = line.roofline if line.depth >= 0 else self.ledgers[0].total.roofline
            return "" if bound is None or not bound.seconds else show(bound)

        return value

    def _traffic(self, side: Callable[[Traffic], Number]) -> Callable[[Line], str]:
        """Return a cell of the bytes read or written; the network's own has the calls that are in no row."""

        def value(line: Line) -> str:
            found = line.traffic if line.depth >= 0 else self.ledgers[0].total.traffic
            if found is None:
                return ""
            moved = side(found)
            text = self.written(moved, "B")
            return text if not found.unknown else f"≥ {text}" if moved else "unknown"

        return value

    def _training(self, name: str, header: str, share: Callable[[Shares], Number]) -> Column:
        """Return a column of a share of a training step; the network's own has the adjustments too."""
        unit = self.ledgers[0].total.unit

        def value(line: Line) -> str:
            found = line.training if line.depth >= 0 else self.ledgers[0].total.training
            return "" if found is None else self._operations(line, share(found), 0, unit)

        return Column(name, header, value, right=True, yields=1)

    def _params(self, line: Line) -> str:
        """Return the parameters; nothing for a tool that prints none."""
        return "" if self.ledgers[0].total.params is None else self.written(line.params)

    def _trainable(self, line: Line) -> str:
        """Write our own trainable parameters; the network's have those that no row of the convention has."""
        return self.written(line.trainable if line.depth >= 0 else self.ledgers[0].total.trainable_params)

    def of_name(self, name: str) -> list[Column]:
        """Return the columns that a name is for, one for each convention where it is ``count``."""
        several = len(self.ledgers) > 1
        by = f" ({self.ledgers[0].convention.name})" if several else ""
        params = f"params{by}" if len({one.total.params for one in self.ledgers}) > 1 else "params"
        found: Mapping[str, list[Column]] = {
            "kind": [Column("kind", "kind", kind, yields=3)],
            "class": [Column("class", "class", _class, yields=4)],
            "input": [Column("input", "input", _input, yields=2)],
            "output": [Column("output", "output", output, yields=1)],
            "kernel": [Column("kernel", "kernel", _kernel, yields=2)],
            "params": [Column("params", params, self._params, right=True)],
            "params-share": [
                Column("params-share", f"of {params}", self._params_share, right=True, yields=4)
            ],
            "trainable": [Column("trainable", "trainable", self._trainable, right=True)],
            "count": self._counts(),
            "macs": [Column("macs", "own MAC", self._macs, right=True)],
            "forward": [self._training("forward", "forward", lambda one: one.forward)],
            "grad_input": [self._training("grad_input", "grad. input", lambda one: one.grad_input)],
            "grad_weight": [self._training("grad_weight", "grad. weight", lambda one: one.grad_weight)],
            "recompute": [self._training("recompute", "recomputed", lambda one: one.recompute)],
            "reads": [
                Column("reads", "reads (B)", self._traffic(lambda one: one.reads), right=True, yields=2)
            ],
            "writes": [
                Column("writes", "writes (B)", self._traffic(lambda one: one.writes), right=True, yields=2)
            ],
            "intensity": [Column("intensity", "FLOP/B", self._roofline(_intensity), right=True, yields=2)],
            "bound": [Column("bound", "bound by", self._roofline(lambda one: one.bound), yields=3)],
            "time": [
                Column(
                    "time",
                    "time at least",
                    self._roofline(lambda one: figures.seconds(one.seconds)),
                    right=True,
                )
            ],
            "share": [Column("share", f"share{by}", self._share, right=True, yields=5)],
            "bar": [Column("bar", "", self._bar, yields=6)],
        }
        return found[name]


USUAL = ("kind", "output", "params", "count", "share", "bar")
SIDE_BY_SIDE = ("kind", "output", "params", "count")
"""The columns of one convention, and of several."""
GROUPED = ("params", "count", "share", "bar")
"""The columns where rows are summed."""
ROOFLINE = ("intensity", "bound", "time")
"""The columns that a device adds."""
TRAINING = ("forward", "grad_input", "grad_weight", "recompute")
"""The columns that a training step adds; the last one only where something is computed again."""


def of_view(ledgers: Sequence[Ledger], view: View, *, bars: bool = True) -> list[Column]:
    """Return the columns of a table: those that are asked for, else the usual ones.

    Raises:
        UsageError: There is no such column.
    """
    usual = GROUPED if view.by else USUAL if len(ledgers) == 1 else SIDE_BY_SIDE
    on_device = ledgers[0].device is not None
    training = ledgers[0].total.training
    more = ROOFLINE if on_device else ()
    if training is not None and len(ledgers) == 1:
        more = (*(TRAINING if training.recompute != 0 else TRAINING[:-1]), *more)
    names = view.columns or (*(name for name in usual if name != "bar" or not more), *more)
    for name in names:
        if name not in COLUMNS:
            raise UsageError(f"no column is called {name!r}{choices(name, COLUMNS)}")
    if not on_device and not set(ROOFLINE).isdisjoint(names):
        raise UsageError(f"the columns {', '.join(ROOFLINE)} need a device: --device NAME")
    if training is None and not set(TRAINING).isdisjoint(names):
        raise UsageError(
            f"the columns {', '.join(TRAINING)} need a training step, and a convention that counts it by "
            "parts: --step train"
        )
    table = Table(ledgers, view)
    first = Column("layer", view.by or "layer", label)
    return [first, *(column for name in names if bars or name != "bar" for column in table.of_name(name))]


def fit(columns: Sequence[Column], widths: Sequence[int], room: int | None) -> tuple[list[int], int]:
    """Choose the columns that fit, and the width of the first, which is cut only if nothing else suffices."""
    kept = list(range(len(columns)))
    if room is None:
        return kept, widths[0]

    first = min(widths[0], WANTED)

    def needed() -> int:
        return first + sum(widths[i] for i in kept[1:]) + GAP * (len(kept) - 1)

    while needed() > room and any(columns[i].yields for i in kept):
        kept.remove(max(kept, key=lambda i: columns[i].yields))
    others = needed() - first
    return kept, max(min(widths[0], room - others), min(widths[0], NARROWEST))


def padded(cell: str, width: int, *, right: bool) -> str:
    """Fill a cell up to its column's width, or cut it with an ellipsis unless it is a figure."""
    taken = figures.width_of(cell)
    if taken > width and right:
        return cell
    if taken > width:
        cell, taken = _cut(cell, width)
    fill = " " * (width - taken)
    return fill + cell if right else cell + fill


def _cut(cell: str, width: int) -> tuple[str, int]:
    cell = cell[:width]
    while figures.width_of(cell) > width - 1:
        cell = cell[:-1]
    return f"{cell}…", figures.width_of(cell) + 1
