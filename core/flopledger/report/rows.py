"""Which rows and lines a report shows, in which order: the tree fitted to a screen, or a list."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import magnitude, total
from flopledger.errors import UsageError, choices
from flopledger.records import dataclass
from flopledger.report.notes import lower_bound
from flopledger.report.numbers import calls_text, grouped
from flopledger.report.tree import Line, Node, grow, together, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from fractions import Fraction

    from flopledger.counting.ledger import Ledger, Row
    from flopledger.report import View

FITTED = 40
"""How many lines a table has at most unless more are asked for: about as many as a screen shows."""

KEYS: Mapping[str, tuple[Callable[[Row], Fraction | str], bool]] = {
    "count": (lambda row: magnitude(row.count), True),
    "macs": (lambda row: magnitude(row.macs), True),
    "params": (lambda row: magnitude(row.params), True),
    "path": (lambda row: row.path, False),
    "kind": (lambda row: row.kind, False),
    "source": (lambda row: row.source, False),
}
"""The sort keys of rows, and whether the largest comes first."""
GROUP_OF: Mapping[str, Callable[[Row, int], str]] = {
    "kind": lambda row, _: row.kind,
    "source": lambda row, _: row.source,
    "module": lambda row, depth: ".".join(row.path.replace("/", ".").split(".")[:depth]),
}
"""The keys that rows are summed by; modules are those of a depth, the outermost ones by default."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The lines of a table, the network's own first, and the notes on those that are left out.

    ``facts`` are the notes without options to type, for a paper; None where there are none in them.
    """

    lines: list[Line]
    notes: list[str]
    facts: list[str] | None = None


def check_sort(key: str | None) -> None:
    """Refuse a key that rows can't be sorted by."""
    if key is not None and key not in KEYS:
        raise UsageError(f"rows can't be sorted by {key!r}{choices(key, KEYS)}")


def shown_rows(ledger: Ledger, view: View) -> Sequence[Row]:
    """Return the rows that a list of all of them shows: sorted and cut where the view asks for it."""
    check_sort(view.sort)
    if view.sort is None and view.top is None:
        return ledger.rows
    key, descending = KEYS[view.sort or "count"]
    return sorted(ledger.rows, key=key, reverse=descending)[: view.top]


def shown_lines(ledgers: Sequence[Ledger], view: View) -> Shown:
    """Return the lines of a table of one network under one convention or several."""
    check_sort(view.sort)
    if view.by is not None:
        return _groups(ledgers, view)
    root = grow(ledgers)
    if view.sort is not None or view.top is not None:
        return _sorted(root, view, ledgers[0].total.unit)
    if view.full or view.depth is not None:
        return Shown(list(walk(root, view.depth)), [])
    return _fitted(root, ledgers[0].total.unit)


def _sorted(root: Node, view: View, unit: str) -> Shown:
    """List the rows, the largest first; the last line sums those that ``top`` leaves out."""
    key, descending = KEYS[view.sort or "count"]
    lines = [
        (key(line.row), Line(line.node, line.path, line.path, 0))
        for line in walk(root)
        if line.row is not None and (line.node is not root or _is_work(line.row))
    ]
    lines.sort(key=lambda pair: pair[0], reverse=descending)
    single = [_alone(line) for _, line in lines]
    kept = single[: view.top]
    return Shown([Line(root, "", "", -1), *kept], _rest(single[len(kept) :], unit))


def _is_work(row: Row) -> bool:
    """Return whether a network's own row is more than the sum that the first line shows."""
    return bool(row.count or row.params) or row.status == "unknown"


def _alone(line: Line) -> Line:
    """Return a line of a row's own figures, without those of the rows below it."""
    rows = line.node.rows
    first = rows[0]
    counts = tuple(row.count if row else 0 for row in rows)
    row = line.node.row
    macs, trainable = (row.macs, row.trainable) if row else (0, 0)
    params = first.params if first else 0
    node = Node(line.label, line.path, 0, rows, {}, counts, macs, params, trainable)
    node.missing = tuple(int(row is not None and row.status == "unknown") for row in rows)
    node.roofline = first.roofline if first else None
    node.traffic = first.traffic if first else None
    node.training = first.training if first else None
    return Line(node, line.label, line.path, 0)


def _rest(hidden: Sequence[Line], unit: str) -> list[str]:
    if not hidden:
        return []
    rest = total(line.counts[0] for line in hidden)
    params = total(line.params for line in hidden)
    rows = "row" if len(hidden) == 1 else "rows"
    weights = f" and {grouped(params)} parameters" if params else ""
    known = lower_bound(f"{grouped(rest)} {unit}", sum(line.node.missing[0] for line in hidden))
    return [f"... and {len(hidden):,} more {rows} with {known}{weights}"]


def _fitted(root: Node, unit: str) -> Shown:
    """Show the whole tree if it fits on a screen, else as many levels as fit, folded."""
    whole = list(itertools.islice(walk(root), FITTED + 1))
    if len(whole) <= FITTED:
        return Shown(whole, [])
    silent = sum(1 for line in walk(root) if line.node.silent and line.row is not None)
    notes = [f"Left out: {calls_text(silent)} with 0 {unit} and no parameters."] if silent else []
    found = list(walk(root, 1, fold=True))
    depth, deeper = 1, True
    while deeper and len(found) <= FITTED:
        lines = list(itertools.islice(walk(root, depth + 1, fold=True), FITTED + 1))
        deeper = len(lines) > len(found)
        if len(lines) > FITTED:
            break
        found, depth = lines, depth + 1
    if len(found) > FITTED:
        found, more = _largest(found, unit)
        return Shown(found, [*more, *notes, "All rows: --full; the largest: --top N."], [*more, *notes])
    levels = "1 level" if depth == 1 else f"{depth} levels"
    below = (
        f"Shown: {levels}, equal neighbours in one line. " if deeper else "Equal neighbours are one line. "
    )
    return Shown(found, [*notes, f"{below}More: --depth N, --full."], [*notes, below.strip()])


def _largest(lines: Sequence[Line], unit: str) -> tuple[list[Line], list[str]]:
    """Keep the network and its largest parts, in their order, where a single level has too many."""
    parts = sorted(lines[1:], key=lambda line: -magnitude(line.counts[0]))
    kept = {id(line) for line in parts[: FITTED - 1]}
    shown = [line for line in lines[1:] if id(line) in kept]
    return [lines[0], *shown], _rest([line for line in parts if id(line) not in kept], unit)


def _groups(ledgers: Sequence[Ledger], view: View) -> Shown:
    """Sum the rows by a field of theirs, the largest first."""
    name = view.by or "kind"
    if name not in GROUP_OF:
        raise UsageError(f"rows can't be summed by {name!r}{choices(name, GROUP_OF, 'by')}")
    root = grow(ledgers)
    groups: dict[str, list[Line]] = {}
    for line in walk(root):
        if line.row is not None and not (line.row.status == "container" and not _counts(line.node)):
            key = GROUP_OF[name](line.row, view.depth or 1)
            groups.setdefault(key, []).append(_alone(line))
    lines = sorted((_group(key, each) for key, each in groups.items()), key=_size, reverse=True)
    kept = lines[: view.top or (None if view.full else FITTED)]
    return Shown([Line(root, "", "", -1), *kept], _rest(lines[len(kept) :], ledgers[0].total.unit))


def _counts(node: Node) -> bool:
    return any(row is not None and (row.count or row.params) for row in node.rows)


def _size(line: Line) -> tuple[Fraction, Fraction]:
    return magnitude(line.counts[0]), magnitude(line.params)


def _group(name: str, members: Sequence[Line]) -> Line:
    counts = tuple(total(each) for each in zip(*(line.counts for line in members), strict=True))
    node = Node(
        name, name, 0, [None] * len(counts), {}, counts,
        total(line.macs for line in members), total(line.params for line in members),
        total(line.trainable for line in members), len(members),
        roofline=together(line.roofline for line in members),
        traffic=together(line.traffic for line in members),
        training=together(line.training for line in members),
        missing=tuple(map(sum, zip(*(line.node.missing for line in members), strict=True))),
    )  # fmt: skip
    return Line(node, name, name, 0)


def flat(root: Node) -> Iterator[Line]:
    """Yield every row by itself, in the order of the calls."""
    return (_alone(line) for line in walk(root) if line.row is not None)
