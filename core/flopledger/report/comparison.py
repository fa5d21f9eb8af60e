"""Two networks side by side: totals, differences grouped by reason, and the layers in pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.counting.ledger import figure
from flopledger.dims.bounds import number
from flopledger.lazy import attribute
from flopledger.report import PAGE, answers, jsonfile, notes
from flopledger.report.blocks import Grid, Heading, Line, Listing, Small
from flopledger.report.explanation import UNKNOWN, signed
from flopledger.report.numbers import grouped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from flopledger.comparing.comparison import Comparison, Group, Pair
    from flopledger.comparing.layers import ComparedLayer
    from flopledger.counting.ledger import Ledger, Total
    from flopledger.dims.types import Number
    from flopledger.report.blocks import Block, Cell

    Stated: TypeAlias = "tuple[str, Number | None, bool]"
    """Words before a figure, the figure if there is one, and whether it is a difference."""

SCHEMA = "flopledger.compare/1"
TOTALS = ("", "a", "b", "b - a")
SUMMARY = ("times", "MAC", "params", "reason")
PAIRS = ("status", "a", "b", "MAC", "params", "why")
PLACES = 3
"""How many layers a summary names for a reason."""


def render(
    comparison: Comparison, form: str = "table", *, layers: bool = False, width: int | None = None
) -> str:
    """Render a comparison in a format, as a text that ends with a line break.

    Args:
        comparison: What is rendered.
        form: ``table``, ``markdown``, ``json`` or ``html``.
        layers: Whether pairs that are the same are shown too; JSON has all of them.
        width: The columns that a table has room for; None for no limit.
    """
    if form == PAGE:
        page: str = attribute("flopledger.report.view:of_comparison")(comparison)
        return page
    return answers.render(form, blocks(comparison, layers=layers), lambda: document(comparison), width)


def blocks(comparison: Comparison, *, layers: bool = False) -> Iterator[Block]:
    """Yield a comparison as people read it."""
    names = [side.graph.reading.source for side in (comparison.a, comparison.b)]
    yield Heading(" against ".join(names), (f"a  {names[0]}", f"b  {names[1]}"))
    yield Line(verdict(comparison))
    yield Grid(TOTALS, totals(comparison), frozenset({1, 2, 3}))
    if summary := _summary(comparison):
        title = "Differences by reason, with the change b - a that each causes:"
        yield Grid(SUMMARY, summary, frozenset({0, 1, 2}), title)
    if pairs := _pairs(comparison, layers=layers):
        yield Grid(PAIRS, pairs, frozenset({3, 4}), "Layers, in their order:")
    if lines := unknowns(comparison):
        yield Listing(UNKNOWN, lines, alarm=True)
    yield Small(provenances(comparison))


def provenances(comparison: Comparison) -> tuple[str, ...]:
    """Return a line of provenance for each side."""
    return tuple(f"{side}: {notes.provenance(ledger)}" for side, ledger in _sides(comparison))


def verdict(comparison: Comparison) -> str:
    """State whether the networks are equal, and how many layers correspond to each other."""
    counts = dict.fromkeys(("same", "changed", "only_a", "only_b"), 0)
    for pair in comparison.pairs:
        counts[pair.status] += 1
    if comparison.equal:
        known = (
            ""
            if comparison.a.total.complete and comparison.b.total.complete
            else ", as far as they are known"
        )
        answer = f"Equal{known}: every layer has a counterpart with as many MACs and trainable parameters."
    else:
        answer = "Not equal."
    statuses = {"same": "the same", "changed": "changed", "only_a": "in a only", "only_b": "in b only"}
    layers = ", ".join(f"{counts[status]} {words}" for status, words in statuses.items() if counts[status])
    return f"{answer} Layers: {layers or 'none'}."


def unknowns(comparison: Comparison) -> list[str]:
    """Return a line for each source that has no formula, with the side that has it."""
    ledgers = ((comparison.a, comparison.b), *comparison.more)
    sides = (("a", [a for a, _ in ledgers]), ("b", [b for _, b in ledgers]))
    found = (f"{side}: {line}" for side, each in sides for one in each for line in notes.unknowns(one))
    return list(dict.fromkeys(found))


def totals(comparison: Comparison) -> list[tuple[str, ...]]:
    """Return the totals of both sides and their differences, one line for each figure."""
    return [(label, *map(_stated, cells)) for label, cells in figures(comparison)]


def _stated(cell: Stated) -> str:
    words, value, difference = cell
    return words if value is None else words + (signed(value) if difference else grouped(value))


def figures(comparison: Comparison) -> Iterator[tuple[str, tuple[Stated, Stated, Stated]]]:
    """Yield each of the totals: its name, the figures of both sides, and their difference."""
    for one, other in ((comparison.a, comparison.b), *comparison.more):
        label = f"{one.total.unit} ({notes.titled(one.convention)})"
        yield label, _operations(one.total, other.total, "count")
    a, b = comparison.a.total, comparison.b.total
    if a.unit != "MAC" or a.count != a.macs or b.count != b.macs:
        yield "own MAC", _operations(a, b, "macs")
    yield "trainable params", _three(a.trainable_params, b.trainable_params)
    routed = comparison.a.experts or comparison.b.experts
    if routed and a.active_params is not None and b.active_params is not None:
        yield "active params", _three(a.active_params, b.active_params)


def _operations(a: Total, b: Total, figure_of: str) -> tuple[Stated, Stated, Stated]:
    """Return figures that are lower bounds while calls are unknown; their difference is a bound, or open."""
    of_a, of_b, (_, difference, _) = _three(getattr(a, figure_of), getattr(b, figure_of))
    bounds = [notes.lower_bound("", total.unknown_calls) for total in (a, b)]
    words = {(True, True): "", (True, False): "at least ", (False, True): "at most "}
    known = words.get((a.complete, b.complete))
    last: Stated = ("not known", None, True) if known is None else (known, difference, True)
    return (bounds[0], *of_a[1:]), (bounds[1], *of_b[1:]), last


def _three(a: Number, b: Number) -> tuple[Stated, Stated, Stated]:
    return ("", a, False), ("", b, False), ("", number(b - a), True)


def change(macs: Number, *, unknown: bool) -> str:
    """Write a difference in work; that of unknown calls is not known, whatever is known beside it."""
    if not unknown:
        return signed(macs)
    return "unknown" if macs == 0 else f"{signed(macs)} and unknown"


def _summary(comparison: Comparison) -> list[tuple[Cell, ...]]:
    return [
        (
            f"{group.times} x",
            change(group.macs, unknown=group.unknown),
            signed(group.params),
            _described(group),
        )
        for group in comparison.groups()
    ]


def _described(group: Group) -> Cell:
    """Name a reason and the first of its places, one on each line where their texts have more than a name."""
    named = group.texts == (group.reason,)
    places = map(_place, group.pairs) if named else (_rest(text, group.reason) for text in group.texts)
    lines = list(places)
    more = [f"and {len(lines) - PLACES} more"] if len(lines) > PLACES else []
    shown = [*lines[:PLACES], *more]
    if named:
        return f"{group.reason}: {', '.join(shown)}"
    return f"{group.reason}: {shown[0]}" if len(lines) == 1 else (f"{group.reason}:", *shown)


def _rest(text: str, reason: str) -> str:
    """Return the details that follow the name of a reason in its text."""
    return text.partition(": ")[2] or text.removeprefix(reason).strip() or text


def _place(pair: Pair) -> str:
    item = pair.a or pair.b
    return item.path or "(network)" if item is not None else ""


def _pairs(comparison: Comparison, *, layers: bool) -> list[tuple[str, ...]]:
    return [
        (
            pair.status.replace("_", " in "),
            _name(pair.a),
            _name(pair.b),
            change(pair.macs, unknown=pair.unknown),
            signed(pair.params),
            pair.why,
        )
        for pair in comparison.pairs
        if layers or pair.status != "same"
    ]


def _name(item: ComparedLayer | None) -> str:
    return "" if item is None else item.path or "(network)"


def _sides(comparison: Comparison) -> tuple[tuple[str, Ledger], tuple[str, Ledger]]:
    return (("a", comparison.a), ("b", comparison.b))


def document(comparison: Comparison) -> dict[str, object]:
    """Return the JSON document that ``compare.schema.json`` describes."""
    return {
        "schema": SCHEMA,
        "equal": comparison.equal,
        "a": _side([comparison.a, *(a for a, _ in comparison.more)]),
        "b": _side([comparison.b, *(b for _, b in comparison.more)]),
        "summary": [
            {
                "reason": group.reason,
                "times": group.times,
                "macs": figure(group.macs),
                "unknown": group.unknown,
                "params": figure(group.params),
            }
            for group in comparison.groups()
        ],
        "rows": [
            {"status": pair.status, "a": _item(pair.a), "b": _item(pair.b), "why": pair.why}
            for pair in comparison.pairs
        ],
    }


def _side(ledgers: Sequence[Ledger]) -> dict[str, object]:
    return {
        "graph": jsonfile.graph_document(ledgers[0].graph),
        "totals": [
            {
                "convention": jsonfile.convention_document(ledger.convention),
                "total": jsonfile.total_document(ledger),
            }
            for ledger in ledgers
        ],
    }


def _item(item: ComparedLayer | None) -> dict[str, object] | None:
    if item is None:
        return None
    return {
        "path": item.path,
        "kind": item.kind,
        "source": item.source,
        "macs": figure(item.macs),
        "unknown": item.unknown,
        "params": figure(item.params),
    }
