"""The differences between two conventions' counts of a network's work, call by call, with a reason each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.counting.scopes import CallScope
from flopledger.dims.arithmetic import total
from flopledger.dims.bounds import number
from flopledger.explaining.words import TOTALS, Difference, Wording, of_total
from flopledger.explaining.work import Breakdown, Evaluated, break_down, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator


def differences(first: Evaluated, second: Evaluated) -> Iterator[Difference]:
    """Yield every difference between two conventions' counts of one graph; they sum to the gap."""
    analysis, sides = first.analysis, (first.convention, second.convention)
    piece_of = pieces(analysis, (first, second))
    a, b = break_down(first, piece_of), break_down(second, piece_of)
    for piece in a:
        words = Wording(sides, CallScope(first.count.rules, analysis.graph.layers[piece]))
        yield from _of_piece(words, a[piece], b[piece])
        yield from _of_missed((first, second), a[piece], b[piece])
    yield from _of_totals(first, second)


def _of_piece(words: Wording, a: Breakdown, b: Breakdown) -> Iterator[Difference]:
    """Yield the differences of one piece of work, by component.

    A piece that one side does not price differs in one way, however many components the other side's figure
    has: split, an attention that fvcore leaves out would be three causes (unit, formula, bias) of which none
    is the reason.
    """
    if a.macs != b.macs:
        yield words.uncounted(a, b)
    else:
        a, b = words.in_one_unit(a, b)
        yield words.unit(a, b)
        yield words.formula(a, b)
        yield words.bias(a, b)
    yield words.twice(a, b)
    yield words.sharing(a, b)


def _of_missed(sides: tuple[Evaluated, Evaluated], a: Breakdown, b: Breakdown) -> Iterator[Difference]:
    """Yield the calls that each side omits inside a piece that it counts.

    Calls that both omit differ between them by the unit only: MAC leaves out half as many as FLOP.
    """
    layers = sides[0].analysis.graph.layers
    conventions = (sides[0].convention, sides[1].convention)
    for i in sorted({*a.missed, *b.missed}):
        words = Wording(conventions, CallScope(sides[0].count.rules, layers[i]))
        left, right = a.missed.get(i, 0), b.missed.get(i, 0)
        if i in a.missed and i in b.missed:
            yield words.unit(Breakdown(unit=left), Breakdown(unit=right))
        else:
            side = 0 if i in a.missed else 1
            yield words.missed(side, sides[side].omissions.of_piece([layers[i]]), left, right)


def _of_totals(first: Evaluated, second: Evaluated) -> Iterator[Difference]:
    """Yield the adjustments of the totals to the sums of the rows."""
    found = [{a.what: a.count for a in side.count.total[1]} for side in (first, second)]
    for side, steps in zip((first, second), found, strict=True):
        if side.of_weights:  # that is among the pieces
            steps["parameters"] = number(steps["parameters"] - total(side.of_weights.values()))
    names = (first.convention.name, second.convention.name)
    for what in TOTALS:
        a, b = found[0].get(what, 0), found[1].get(what, 0)
        yield Difference(TOTALS[what].kind, of_total(what, names, (a, b)), number(b - a))
