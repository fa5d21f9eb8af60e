"""The differences between two conventions' counts of a network's work, call by call, with a reason each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flopledger.counting.scopes import Site
from flopledger.dims.arithmetic import plain, total
from flopledger.dims.bounds import number
from flopledger.errors import ConventionError, ExpressionError
from flopledger.explaining import words as wording
from flopledger.explaining.account import Account
from flopledger.explaining.words import OPERATIONS, Difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.analysis.analysis import Structure
    from flopledger.counting.engine import Counter
    from flopledger.dims.types import Dim, Number
    from flopledger.explaining.account import Priced
    from flopledger.graph.tables import Layer

__all__ = ["Difference", "Work", "differences", "pieces", "work"]


@dataclass(slots=True)
class Work:
    """One convention's count of one piece of work, in components that sum to it.

    ``seen`` are the true multiply-accumulates, where it prices the piece at all; ``unit`` what its unit
    makes of them; ``formula`` what its own formula differs by; ``form`` names a formula that is known:
    ``exact`` takes a dot product of n terms as 2n - 1 operations, ``output positions`` counts a transposed
    convolution where its output is, ``causal`` half of what a causal mask leaves out.
    """

    seen: Number = 0
    unit: Number = 0
    formula: Number = 0
    bias: Number = 0
    twice: Number = 0
    sharing: Number = 0
    form: str = ""
    missed: dict[int, Number] = field(default_factory=dict)
    cause: str = ""
    reason: str = ""
    levels: list[str] = field(default_factory=list)

    @property
    def once(self) -> Number:
        """What the piece counts without what is counted again."""
        return number(total((self.seen, self.unit, self.formula, self.bias, *self.missed.values())))


def pieces(structure: Structure, accounts: tuple[Account, Account]) -> list[int]:
    """Return the piece of work that each call belongs to, by the id of its outermost call.

    A piece is a call with a formula, or one that calls no module and that a convention prices as it is;
    where neither convention prices such a call itself, the calls with formulas below it, if there are any.
    """
    graph, owner = structure.graph, list[int]()
    known_below, modules_below = [False] * len(graph.layers), [False] * len(graph.layers)
    for layer in reversed(graph.layers):
        if layer.parent is not None:
            known_below[layer.parent] |= known_below[layer.id] or structure.formula(layer) is not None
            modules_below[layer.parent] |= modules_below[layer.id] or layer.level == "layer"
    open_calls: set[int] = set()
    for layer in graph.layers:
        up = layer.parent
        if up is not None and up not in open_calls:
            owner.append(owner[up])
            continue
        owner.append(layer.id)
        priced = any(account.counts(layer.id) for account in accounts)
        whole = structure.formula(layer) is not None or (priced and not modules_below[layer.id])
        if not whole or (known_below[layer.id] and not priced):
            open_calls.add(layer.id)
    return owner


def work(account: Account, owner: list[int]) -> dict[int, Work]:
    """Take a convention's rows apart by pieces of work."""
    structure = account.structure
    found: dict[int, Work] = {piece: Work() for piece in sorted(set(owner))}
    members: dict[int, list[Priced]] = {}
    inside: dict[int, list[Layer]] = {}
    for layer in structure.graph.layers:
        inside.setdefault(owner[layer.id], []).append(layer)
        if layer.id in account.rows:
            members.setdefault(owner[layer.id], []).append(account.rows[layer.id])
    true = _true_macs(structure, owner)
    for piece, rows in members.items():
        one = found[piece]
        _take_apart(one, rows, structure.graph.layers[piece], account, true[piece])
        if one.formula != 0 and one.seen != 0 and not one.form and len(inside[piece]) > 1:
            _set_apart_missed(one, account, inside[piece])
        if not one.form:
            _set_apart_bias(one, plain(structure.parts(structure.graph.layers[piece]).get("bias_adds", 0)))
    for piece, one in found.items():
        if one.once == 0:
            one.cause, one.reason = account.why_not(inside[piece])
    return found


def _true_macs(structure: Structure, owner: list[int]) -> dict[int, Dim]:
    """Return the multiply-accumulates of each piece: of its own formula, or of those below it."""
    sums: dict[int, list[Dim]] = {}
    for layer in structure.graph.layers:
        sums.setdefault(owner[layer.id], []).append(structure.true_macs[layer.id])
    layers = structure.graph.layers
    return {
        piece: structure.macs(layers[piece]) if structure.formula(layers[piece]) else total(values)
        for piece, values in sums.items()
    }


def _take_apart(one: Work, rows: list[Priced], layer: Layer, account: Account, true: Dim) -> None:
    structure, scale = account.structure, OPERATIONS[account.convention.unit]
    counted = {row.layer.id: row for row in rows if row.times != 0 and row.price != 0}
    first = [row for row in counted.values() if counted.keys().isdisjoint(_around(structure, row.layer.id))]
    again = [row for row in counted.values() if row not in first]
    one.twice = total(row.price for row in again)
    one.sharing = number(total(number(row.count - row.price) for row in counted.values()))
    one.levels = sorted({row.layer.level for row in counted.values()})
    price, unbiased = total(row.price for row in first), total(row.unbiased for row in first)
    one.bias = number(price - unbiased)
    if true == 0 or price == 0:
        one.formula = unbiased
        return
    one.seen, one.unit = true, number((scale - 1) * true)
    one.formula = number(unbiased - scale * true)
    one.form = _form(Site(account.counter, layer), one.formula, number(scale * true))


def _set_apart_bias(one: Work, biases: Dim) -> None:
    """Tell a bias by its size where nothing in the rule says that it is one."""
    if one.seen != 0 and one.bias == 0 and biases != 0 and one.formula in (biases, number(2 * biases)):
        one.bias, one.formula = one.formula, 0


def _form(site: Site, formula: Number, exact: Number) -> str:
    """Name the formula that differs by so much from the multiply-accumulates in a convention's unit."""
    facts = site.facts
    if formula == 0:
        return ""
    if number(formula + facts.get("dots", 0)) == 0:
        return "exact"
    if site.kind is not None and site.kind.name == "conv_transpose":
        call = site.count.structure.call(site.layer, site.kind)
        inside = call.in_elems * call.dim("out_channels")
        outside = call.out_elems * facts["in_channels"]
        if number(number(exact + formula) * inside - exact * outside) == 0:
            return "output positions"
    macs, left = facts.get("macs", 0), facts.get("causal_macs", 0)
    if macs not in (left, 0) and number(formula * macs + exact * (macs - left)) == 0:
        return "causal"
    return ""


def _set_apart_missed(one: Work, account: Account, inside: list[Layer]) -> None:
    """Set apart the multiply-accumulates of those calls of a piece that a convention does not price."""
    structure, scale = account.structure, OPERATIONS[account.convention.unit]
    working = {layer.id: structure.macs(layer) for layer in inside if structure.macs(layer) != 0}
    outer = {up for i in working for up in _around(structure, i)}
    innermost = {i: macs for i, macs in working.items() if i not in outer}
    if number(total(innermost.values()) - one.seen) != 0:
        return
    priced = {layer.id for layer in inside if account.counts(layer.id)}
    reached = priced | {up for i in priced for up in _around(structure, i)}
    for i, macs in innermost.items():
        if i not in reached and priced.isdisjoint(_around(structure, i)):
            one.missed[i] = number(-scale * macs)
    one.formula = number(one.formula - total(one.missed.values()))


def _around(structure: Structure, call: int) -> Iterator[int]:
    """Yield the calls around one, from the inside out."""
    up = structure.graph.layers[call].parent
    while up is not None:
        yield up
        up = structure.graph.layers[up].parent


def differences(first: Counter, second: Counter) -> Iterator[Difference]:
    """Yield every difference between two conventions' counts of a graph; they sum to the gap."""
    accounts = (Account(first), Account(second))
    structure = first.structure
    owner = pieces(structure, accounts)
    a, b = work(accounts[0], owner), work(accounts[1], owner)
    sides = (first.convention, second.convention)
    for piece in a:
        words = wording.Words(sides, Site(first, structure.graph.layers[piece]))
        yield from _of_piece(words, a[piece], b[piece])
        yield from _of_missed(accounts, a[piece], b[piece])
    yield from _of_totals(first, second)


def _of_piece(words: wording.Words, a: Work, b: Work) -> Iterator[Difference]:
    if a.seen != b.seen:
        yield words.unseen(a, b)
    else:
        yield words.unit(a, b)
        yield words.formula(a, b)
        yield words.bias(a, b)
    yield words.twice(a, b)
    yield words.sharing(a, b)


def _of_missed(accounts: tuple[Account, Account], a: Work, b: Work) -> Iterator[Difference]:
    """Yield what each side leaves out inside a piece that it counts; what both do is a matter of the unit."""
    layers = accounts[0].structure.graph.layers
    sides = (accounts[0].convention, accounts[1].convention)
    for i in sorted({*a.missed, *b.missed}):
        words = wording.Words(sides, Site(accounts[0].counter, layers[i]))
        left, right = a.missed.get(i, 0), b.missed.get(i, 0)
        if i in a.missed and i in b.missed:
            yield words.unit(Work(unit=left), Work(unit=right))
        else:
            side = 0 if i in a.missed else 1
            yield words.missed(side, accounts[side].why_not([layers[i]]), left, right)


def _of_totals(first: Counter, second: Counter) -> Iterator[Difference]:
    """Yield what the totals do to the sums of the rows."""
    found = []
    for counter in (first, second):
        try:
            found.append({a.what: a.count for a in counter.total(counter.rows())[1]})
        except ExpressionError as error:
            raise ConventionError(f"{counter.convention.name}: {error}") from None
    names = (first.convention.name, second.convention.name)
    for what in wording.TOTALS:
        a, b = found[0].get(what, 0), found[1].get(what, 0)
        yield Difference(wording.TOTALS[what].kind, wording.of_total(what, names, (a, b)), number(b - a))
