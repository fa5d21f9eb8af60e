"""Which conventions print a figure that was found somewhere, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.counting.ledger import figure as written_figure
from flopledger.dims.bounds import number
from flopledger.report import answers, jsonfile, notes
from flopledger.report.blocks import Grid, Heading, Line, Listing, Small
from flopledger.report.explanation import UNKNOWN, cause_document, described, signed
from flopledger.report.numbers import grouped, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.counting.ledger import GraphInfo
    from flopledger.dims.types import Number
    from flopledger.explaining.find_figure import Candidate, Match
    from flopledger.explaining.search import Found
    from flopledger.explaining.two_figures import Gap
    from flopledger.quantities import Figure
    from flopledger.report.blocks import Block

SCHEMA = "flopledger.figures/1"
HEADERS = ("convention", "figure", "unit", "off by", "")
RIGHT = frozenset({1, 3, 4})
MOST, NEAREST = 12, 3
"""How many conventions are shown that print a figure, and how many that come near where none does."""


def render(found: Found, form: str = "table", width: int | None = None, *, full: bool = False) -> str:
    """Render the conventions found for each figure, as a text that ends with a line break."""
    return answers.render(form, blocks(found, full=full), lambda: document(found), width)


def blocks(found: Found, *, full: bool = False) -> Iterator[Block]:
    """Yield the conventions found, and the causes of the gap between two figures, as blocks for people.

    Args:
        found: What was found.
        full: Whether all that fit are shown, not those alone that take the least for granted.
    """
    graph = found.graph
    for figure, matches in found.figures:
        yield Heading(f"{graph.reading.source}: {verdict(figure, matches)}")
        chosen = every(matches) if full else shown(matches)
        changed = any(_changes(match) for match in chosen)
        more = _more(matches, chosen)
        yield Grid((*HEADERS, "if" if changed else ""), _rows(figure, chosen), RIGHT, more=more)
    if found.gap is not None:
        yield from _gap(found, found.gap)
    yield Line(f"Tried: {'; '.join(found.tried)}.")
    if lines := unknowns(found, full=full):
        yield Listing(UNKNOWN, lines, alarm=True)
    yield Small((_provenance(graph),))


def unknowns(found: Found, *, full: bool = False) -> list[str]:
    """Return a line for each source that has no formula under a convention that is shown."""
    matches = [match for _, each in found.figures for match in (every(each) if full else shown(each))] + (
        [found.gap.a, found.gap.b] if found.gap else []
    )
    return list(dict.fromkeys(notes.unknown_line(one) for match in matches for one in match.by.unknown))


def _more(matches: Sequence[Match], chosen: Sequence[Match]) -> str:
    left = sum(match.fits for match in matches) - len(chosen)
    return f"and {left} more, which take more for granted (--full shows them)" if left > 0 else ""


def _gap(found: Found, gap: Gap) -> Iterator[Block]:
    """Yield the way from one figure to the other."""
    first, second = (figure.text for figure, _ in found.figures)
    yield Heading(f"From {first} to {second}:")
    running: Number = gap.a.by.count
    unknown = max(gap.a.by.unknown_calls, gap.b.by.unknown_calls)
    rows = [("", _bounded(gap.a.by), _named(gap.a))]
    for cause in gap.causes:
        running = number(running + cause.count)
        bounded = notes.lower_bound(grouped(running), unknown)
        rows.append((signed(cause.count), bounded, described(cause, gap.a.by.what)))
    rows.append(("", _bounded(gap.b.by), _named(gap.b)))
    yield Grid(("change", "figure", "why"), rows, frozenset({0, 1}))
    yield Line(_closing(found, gap))


def _closing(found: Found, gap: Gap) -> str:
    """Return the sentence on the sum of the causes, and on figures that nothing gives."""
    known = not (gap.a.by.unknown_calls or gap.b.by.unknown_calls)
    is_ = "The gap is" if known else "The gap is not known; without the unknown calls it is"
    whole = f"{is_} {signed(gap.gap)}, and its causes sum to it, to the unit."
    missed = [
        figure.text
        for (figure, _), match in zip(found.figures, (gap.a, gap.b), strict=True)
        if not match.fits
    ]
    return whole + (
        f" Nothing that was tried gives {' or '.join(missed)}: the nearest is shown." if missed else ""
    )


def _bounded(one: Candidate) -> str:
    """Write a figure as the lower bound that it is while calls are unknown."""
    return notes.lower_bound(grouped(one.count), one.unknown_calls)


def _named(match: Match) -> str:
    """Return a match in words: its convention, its switches, and the changes to the network as read."""
    by = match.by
    named = " ".join([by.convention, *(f"{name}={value}" for name, value in by.switches)])
    return "; ".join([f"{by.unit} ({named})", *_changes(match)])


def _changes(match: Match) -> list[str]:
    return [*match.by.changes, *(["digits cut off, not rounded"] if match.cut else [])]


def verdict(figure: Figure, matches: Sequence[Match]) -> str:
    """Return the sentence that states whether any convention prints a figure."""
    if not matches:
        return f"no convention gives a figure to compare with {figure.text}"
    if not matches[0].fits:
        return f"no convention prints {figure.text}, with up to two decisions changed; the nearest:"
    if matches[0].by.changes:
        return f"no convention prints {figure.text} for this network; it is the figure of these:"
    return f"{figure.text} is the figure of these conventions:"


def shown(matches: Sequence[Match]) -> Sequence[Match]:
    """Return those that fit, or the nearest ones where none does.

    Of another network than the one that was read, only the simplest are shown.
    """
    fitting = every(matches)
    if not fitting[:1] or not fitting[0].fits:
        return fitting
    least = fitting[0].assumptions
    if fitting[0].by.changes:
        fitting = [match for match in fitting if match.assumptions == least]
    return fitting[:MOST]


def every(matches: Sequence[Match]) -> Sequence[Match]:
    """Return all that fit, or the nearest ones where none does."""
    return [match for match in matches if match.fits] or matches[:NEAREST]


def _rows(figure: Figure, chosen: Sequence[Match]) -> list[tuple[str, ...]]:
    return [
        (
            " ".join([match.by.convention, *(f"{name}={value}" for name, value in match.by.switches)]),
            _bounded(match.by),
            match.by.unit,
            grouped(number(match.distance)),
            percent(match.distance / figure.middle) if figure.middle else "",
            "; ".join(_changes(match)),
        )
        for match in chosen
    ]


def _provenance(graph: GraphInfo) -> str:
    return "; ".join([*notes.origin(graph), *notes.signed(graph)])


def document(found: Found) -> dict[str, object]:
    """Return the JSON document that ``figures.schema.json`` describes."""
    return {
        "schema": SCHEMA,
        "graph": jsonfile.graph_document(found.graph),
        "figures": [_figure(figure, matches) for figure, matches in found.figures],
        "tried": list(found.tried),
        "gap": None if found.gap is None else _gap_document(found.gap),
    }


def _gap_document(gap: Gap) -> dict[str, object]:
    return {
        "a": _match(gap.a),
        "b": _match(gap.b),
        "gap": written_figure(gap.gap),
        "causes": [cause_document(cause) for cause in gap.causes],
    }


def _figure(figure: Figure, matches: Sequence[Match]) -> dict[str, object]:
    return {
        "text": figure.text,
        "low": written_figure(figure.low),
        "high": written_figure(figure.high),
        "fits": bool(matches) and matches[0].fits,
        "count": sum(match.fits for match in matches),
        "matches": [_match(match) for match in every(matches)],
    }


def _match(match: Match) -> dict[str, object]:
    return {
        "convention": match.by.convention,
        "set": dict(match.by.switches),
        "what": match.by.what,
        "unit": match.by.unit,
        "figure": written_figure(match.by.count),
        "unknown_calls": match.by.unknown_calls,
        "changes": list(match.by.changes),
        "off_by": written_figure(match.distance),
        "fits": match.fits,
        "cut": match.cut,
    }
