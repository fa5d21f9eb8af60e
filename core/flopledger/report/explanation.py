"""An explanation as people read it: from one figure down to the other, one cause at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.counting.ledger import figure
from flopledger.dims.bounds import number
from flopledger.lazy import attribute
from flopledger.report import PAGE, answers, jsonfile, notes
from flopledger.report.blocks import Grid, Heading, Line, Listing, Small
from flopledger.report.numbers import calls_text, grouped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.dims.types import Number
    from flopledger.explaining.explanation import Cause, Explanation, Side
    from flopledger.report.blocks import Block

SCHEMA = "flopledger.explain/1"
HEADERS = ("change", "figure", "why")
RIGHT = frozenset({0, 1})
UNKNOWN = "Unknown, so not in the figures:"


def render(
    explanation: Explanation, form: str = "table", *, layers: bool = False, width: int | None = None
) -> str:
    """Render an explanation in a format, as a text that ends with a line break."""
    if form == PAGE:
        page: str = attribute("flopledger.report.view:of_explanation")(explanation)
        return page
    return answers.render(
        form, blocks(explanation, layers=layers), lambda: document(explanation, layers=layers), width
    )


def blocks(explanation: Explanation, *, layers: bool = False) -> Iterator[Block]:
    """Yield an explanation as people read it."""
    yield Heading(heading(explanation))
    yield Grid(HEADERS, list(_rows(explanation, layers=layers)), RIGHT)
    yield Line(closing(explanation))
    if lines := unknowns(explanation):
        yield Listing(UNKNOWN, lines, alarm=True)
    yield Small((provenance(explanation),))


def heading(explanation: Explanation) -> str:
    """Return the title: the network and the two conventions whose figures are explained."""
    names = " to ".join(notes.titled(side.convention) for side in (explanation.a, explanation.b))
    counted = "bytes" if explanation.a.unit == "B" else "operations"
    what = "parameters" if explanation.what == "params" else counted
    return f"{explanation.source}: {what}, from {names}"


def _rows(explanation: Explanation, *, layers: bool) -> Iterator[tuple[str, str, str]]:
    running, unknown = explanation.a.figure, unknown_calls(explanation)
    yield ("", _figure(explanation.a), notes.titled(explanation.a.convention))
    for cause in explanation.causes:
        running = number(running + cause.count)
        yield (
            signed(cause.count),
            notes.lower_bound(grouped(running), unknown),
            described(cause, explanation.what),
        )
        for path, count in cause.layers if layers else ():
            yield (signed(count), "", f"  {path or '(network)'}")
    yield ("", _figure(explanation.b), notes.titled(explanation.b.convention))


def _figure(side: Side) -> str:
    return f"{bounded(side)} {side.unit}"


def bounded(side: Side) -> str:
    """Write a figure as the lower bound that it is while calls are unknown."""
    return notes.lower_bound(grouped(side.figure), side.unknown_calls)


def unknown_calls(explanation: Explanation) -> int:
    """Return how many calls are unknown under one convention at least."""
    return max(explanation.a.unknown_calls, explanation.b.unknown_calls)


def unknowns(explanation: Explanation) -> list[str]:
    """Return a line for each source that has no formula; one that only one convention lacks names it."""
    of_a, of_b = (
        [notes.unknown_line(one) for one in side.unknown] for side in (explanation.a, explanation.b)
    )
    names = [notes.titled(side.convention) for side in (explanation.a, explanation.b)]
    only = [(line, names[0]) for line in of_a if line not in of_b]
    only += [(line, names[1]) for line in of_b if line not in of_a]
    return [*(line for line in of_a if line in of_b), *(f"by {name} only: {line}" for line, name in only)]


def described(cause: Cause, what: str) -> str:
    """Write a cause with the number of its calls, or of the modules whose parameters it is about."""
    if not cause.calls:
        return cause.cause
    modules = "1 module" if cause.calls == 1 else f"{cause.calls:,} modules"
    return f"{cause.cause} [{modules if what == 'params' else calls_text(cause.calls)}]"


def signed(value: Number) -> str:
    """Write a difference with its sign."""
    written = grouped(value)
    return written if written.startswith("-") else f"+{written}"


def closing(explanation: Explanation) -> str:
    """Return the sentence that the causes sum to the gap."""
    return signed(explanation.gap).join(around_gap(explanation))


def around_gap(explanation: Explanation) -> tuple[str, ...]:
    """Return the words before and after the gap in that sentence; only one text where it does not name it."""
    if not explanation.causes:
        known = "so far as they are known, " if unknown_calls(explanation) else ""
        return (f"The two figures are equal, {known}and no decision separates them.",)
    causes = len(explanation.causes)
    proof = "the one cause is all of it" if causes == 1 else f"the {causes} causes sum to it, to the unit"
    if unknown_calls(explanation):
        return "The gap is not known; without the unknown calls it is ", f": {proof}."
    return "The gap is ", f": {proof}."


def provenance(explanation: Explanation) -> str:
    """Return the line of provenance: the source, how it was read, and the conventions."""
    a, b = explanation.a, explanation.b
    readings = [*notes.origin(a.graph)]
    readings += [f"for {b.convention.name} {part}" for part in notes.origin(b.graph) if part not in readings]
    conventions = " and ".join(notes.named(side.convention) for side in (a, b))
    parts = [*readings, f"conventions: {conventions}", *notes.signed(a.graph, b.graph)]
    return "; ".join(parts)


def document(explanation: Explanation, *, layers: bool = False) -> dict[str, object]:
    """Return the JSON document that ``explain.schema.json`` describes."""
    return {
        "schema": SCHEMA,
        "what": explanation.what,
        "a": _side(explanation.a),
        "b": _side(explanation.b),
        "gap": figure(explanation.gap),
        "causes": [cause_document(cause, layers=layers) for cause in explanation.causes],
    }


def _side(side: Side) -> dict[str, object]:
    return {
        "convention": jsonfile.convention_document(side.convention),
        "unit": side.unit,
        "figure": figure(side.figure),
        "unknown_calls": side.unknown_calls,
        "graph": jsonfile.graph_document(side.graph),
    }


def cause_document(cause: Cause, *, layers: bool = False) -> dict[str, object]:
    """Return a cause as JSON holds it."""
    document: dict[str, object] = {
        "cause": cause.cause,
        "kind": cause.kind,
        "count": figure(cause.count),
        "calls": cause.calls,
    }
    if layers:
        document["layers"] = [{"path": path, "count": figure(count)} for path, count in cause.layers]
    return document
