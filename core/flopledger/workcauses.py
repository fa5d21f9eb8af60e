"""The differences between two conventions' counts of a network's work, call by call, with a reason each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flopledger.dims import plain, total
from flopledger.errors import ConventionError, ExpressionError
from flopledger.facts import Site
from flopledger.functions import number
from flopledger.graph import CONTAINER, LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flopledger.dims import Dim, Number
    from flopledger.engine import Counter
    from flopledger.expression import Expression
    from flopledger.graph import Layer
    from flopledger.structure import Structure

OPERATIONS = {"MAC": 1, "FLOP": 2, "params": 1}
"""How many operations of a unit one multiply-accumulate is."""


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much, and why, two figures differ: in one call, or in the whole where it names none."""

    kind: str
    text: str
    count: Number
    path: str | None = None


class Unbiased(Site):
    """A call as it would be without a bias: what a convention counts less of it is the bias."""

    @property
    def parts(self) -> Mapping[str, Dim]:
        """The arithmetic operations of the call but for the additions of its bias."""
        return {name: value for name, value in super().parts.items() if name != "bias_adds"}

    def _find(self, name: str) -> object:
        if name == "bias" and self.kind is not None and "bias" in self.kind.defaults:
            return False
        if name == "native.bias":
            return False if isinstance(super()._find(name), bool) else None
        if name == "params":
            found = super()._find(name)
            return tuple(p for p in found if "bias" not in str(p[0])) if isinstance(found, tuple) else found
        return super()._find(name)


@dataclass(slots=True)
class Priced:
    """One row of a convention: its call, its price before and after sharing, its price without bias."""

    layer: Layer
    price: Number
    times: Number
    unbiased: Number

    @property
    def count(self) -> Number:
        """What the row counts."""
        return number(self.price * self.times) if self.times != 0 else 0


@dataclass(slots=True)
class Work:
    """One convention's count of one piece of work, in components that sum to it.

    ``exact`` says that its formula takes a dot product of n terms as 2n - 1 operations.
    """

    seen: Number = 0
    unit: Number = 0
    formula: Number = 0
    bias: Number = 0
    twice: Number = 0
    sharing: Number = 0
    exact: bool = False
    reason: str = ""
    cause: str = ""
    levels: list[str] = field(default_factory=list)


class Account:
    """What one convention counts of each call, and why it does not count the others."""

    def __init__(self, counter: Counter) -> None:
        self.counter, self.convention = counter, counter.convention
        self.structure: Structure = counter.structure
        self.rows: dict[int, Priced] = {}
        self.reasons: dict[int, tuple[str, str]] = {}
        for layer in self.structure.graph.layers:
            if layer.level in self.convention.levels:
                self._look_at(layer)

    def _look_at(self, layer: Layer) -> None:
        rules = self.convention.levels[layer.level]
        rule, _ = self.convention.rule(layer.level, layer.source, layer.kind, self.counter.bases(layer))
        site = Site(self.counter, layer)
        if rule is None:
            self.reasons[layer.id] = ("unmapped", f"it has no rule for {layer.source}")
        elif not self._ask(rules.where, site):
            self.reasons[layer.id] = ("reuse", f"it counts only calls with {rules.where.text!r}")
        else:
            times = number(self._ask(rules.times, site))
            price = number(self._ask(rule, site))
            unbiased = number(self._ask(rule, Unbiased(self.counter, layer))) if price != 0 else 0
            self.rows[layer.id] = Priced(layer, price, times, unbiased)
            if times == 0:
                self.reasons[layer.id] = ("hidden", "it lies below a module that has a rule of its own")

    def _ask(self, expression: Expression, site: Site) -> object:
        try:
            return expression(site)
        except ExpressionError as error:
            raise ConventionError(f"{self.convention.name}: {site.layer.path}: {error}") from None

    def counts(self, layer: int) -> bool:
        """Whether the convention prices this very call at something."""
        return layer in self.rows and self.rows[layer].count != 0


def pieces(structure: Structure, accounts: tuple[Account, Account]) -> list[int]:
    """Return the piece of work that each call belongs to, by the id of its outermost call.

    A piece is a call with a formula, or, where neither convention prices that call itself, the calls
    with formulas below it, if there are any.
    """
    graph, owner = structure.graph, list[int]()
    known_below = [False] * len(graph.layers)
    for layer in reversed(graph.layers):
        if layer.parent is not None and (known_below[layer.id] or structure.formula(layer) is not None):
            known_below[layer.parent] = True
    open_calls: set[int] = set()
    for layer in graph.layers:
        up = layer.parent
        if up is not None and up not in open_calls:
            owner.append(owner[up])
            continue
        owner.append(layer.id)
        priced = any(account.counts(layer.id) for account in accounts)
        if structure.formula(layer) is None or (known_below[layer.id] and not priced):
            open_calls.add(layer.id)
    return owner


def work(account: Account, owner: list[int]) -> dict[int, Work]:
    """Take a convention's rows apart by pieces of work."""
    structure = account.structure
    found: dict[int, Work] = {piece: Work() for piece in sorted(set(owner))}
    members: dict[int, list[Priced]] = {}
    for layer_id, row in account.rows.items():
        members.setdefault(owner[layer_id], []).append(row)
    for piece, rows in members.items():
        _take_apart(found[piece], rows, structure.graph.layers[piece], account)
    for piece, one in found.items():
        if one.seen == 0 and one.formula == 0 and one.bias == 0:
            one.cause, one.reason = _why_not(account, piece, owner)
    return found


def _take_apart(one: Work, rows: list[Priced], layer: Layer, account: Account) -> None:
    structure, scale = account.structure, OPERATIONS[account.convention.unit]
    counted = {row.layer.id: row for row in rows if row.times != 0 and row.price != 0}
    first = [row for row in counted.values() if not _below(structure, row.layer, counted)]
    again = [row for row in counted.values() if row not in first]
    one.twice = total(row.price for row in again)
    one.sharing = number(total(number(row.count - row.price) for row in counted.values()))
    one.levels = sorted({row.layer.level for row in counted.values()})
    price, unbiased = total(row.price for row in first), total(row.unbiased for row in first)
    one.bias = number(price - unbiased)
    true = structure.macs(layer)
    if true == 0 or price == 0:
        one.formula = unbiased
        return
    one.seen, one.unit = true, number((scale - 1) * true)
    one.formula = number(unbiased - scale * true)
    site = Site(account.counter, layer)
    biases = plain(site.parts.get("bias_adds", 0))
    if one.bias == 0 and biases != 0 and one.formula in (biases, number(2 * biases)):
        one.bias, one.formula = one.formula, 0
    one.exact = one.formula != 0 and number(one.formula + site.facts.get("dots", 0)) == 0


def _below(structure: Structure, layer: Layer, rows: dict[int, Priced]) -> bool:
    up = layer.parent
    while up is not None:
        if up in rows:
            return True
        up = structure.graph.layers[up].parent
    return False


def _why_not(account: Account, piece: int, owner: list[int]) -> tuple[str, str]:
    """Return the kind of cause, and the words, for a piece of work that a convention counts nothing of."""
    layers = account.structure.graph.layers
    levels = account.convention.levels
    inside = [layer for layer in layers[piece:] if owner[layer.id] == piece and layer.level in levels]
    if not inside:
        known = " and ".join(levels)
        return (
            "functional" if layers[piece].level == "function" else "unseen"
        ), f"it sees {known} calls only"
    reasons = [account.reasons[layer.id] for layer in inside if layer.id in account.reasons]
    for cause, reason in reasons:
        if cause in ("hidden", "reuse"):
            return cause, reason
    if reasons and layers[piece].level != inside[0].level:
        return "fused kernel", reasons[0][1]
    return reasons[0] if reasons else ("unpriced", "it prices it at nothing")


def differences(first: Counter, second: Counter) -> Iterator[Difference]:
    """Yield every difference between two conventions' counts of a graph; they sum to the gap."""
    accounts = (Account(first), Account(second))
    structure = first.structure
    owner = pieces(structure, accounts)
    a, b = work(accounts[0], owner), work(accounts[1], owner)
    names = (first.convention.name, second.convention.name)
    for piece in a:
        yield from _of_piece(structure, structure.graph.layers[piece], (a[piece], b[piece]), names)
    yield from _of_totals(first, second)


def _of_piece(
    structure: Structure, layer: Layer, sides: tuple[Work, Work], names: tuple[str, str]
) -> Iterator[Difference]:
    a, b = sides
    subject = layer.kind if structure.formula(layer) else f"{layer.source} ({layer.kind})"
    group = _group(structure, layer)
    named = _Namer(names, subject, group)
    if a.seen != b.seen:
        kind, text = named.unseen(a if a.seen == 0 else b, by_first=a.seen == 0)
        missing = [one.seen + one.formula + one.unit for one in (a, b)]
        yield Difference(kind, text, number(missing[1] - missing[0]), layer.path)
    else:
        yield Difference("unit", named.unit(), number(b.unit - a.unit), layer.path)
        kind, text = named.formula(a, b)
        yield Difference(kind, text, number(b.formula - a.formula), layer.path)
    yield Difference("bias", named.bias(a, b), number(b.bias - a.bias), layer.path)
    yield Difference("counted twice", named.twice(a, b), number(b.twice - a.twice), layer.path)
    yield Difference("sharing", named.sharing(a, b), number(b.sharing - a.sharing), layer.path)


def _group(structure: Structure, layer: Layer) -> str:
    kind = structure.formula(layer)
    return kind.group if kind is not None else CONTAINER


class _Namer:
    """Finds the words for a difference."""

    def __init__(self, names: tuple[str, str], subject: str, group: str) -> None:
        self.names, self.subject, self.group = names, subject, group

    def _by(self, a: Number, b: Number) -> str:
        """Say which of the two counts a component."""
        return f"counted by {self.names[1 if a == 0 else 0]} only" if 0 in (a, b) else "counted differently"

    def unseen(self, missing: Work, *, by_first: bool) -> tuple[str, str]:
        """Name dot products that only one of the two sees."""
        name = self.names[0 if by_first else 1]
        return missing.cause, f"{self.subject} not counted by {name}: {missing.reason}"

    def unit(self) -> str:
        """Name the step between MAC and FLOP."""
        return "unit: a multiply-accumulate is one MAC or two FLOP"

    def formula(self, a: Work, b: Work) -> tuple[str, str]:
        """Name a formula's difference from the true count, or the price of what is no dot product."""
        if a.exact != b.exact and 0 in (a.formula, b.formula):
            name = self.names[0 if a.exact else 1]
            return "formula", f"a dot product of n terms of {self.subject} is 2n - 1 operations by {name}"
        if a.seen != 0:
            used = self._by(a.formula, b.formula).replace("counted", "used")
            return "formula", f"another formula for {self.subject}, {used}"
        sides = " ".join(self._by(a.formula, b.formula).split())
        missing = a if a.formula == 0 else b
        reason = f" ({missing.reason})" if "only" in sides and missing.reason else ""
        return self.group, f"{self.subject} {sides}{reason}"

    def bias(self, a: Work, b: Work) -> str:
        """Name a bias."""
        return f"bias of {self.subject} {self._by(a.bias, b.bias)}"

    def twice(self, a: Work, b: Work) -> str:
        """Name work that is counted on two levels."""
        levels = " and ".join(level for level in LEVELS if level in (*a.levels, *b.levels))
        return f"{self.subject} {self._by(a.twice, b.twice).replace('counted', f'counted twice ({levels})')}"

    def sharing(self, a: Work, b: Work) -> str:
        """Name what shared modules multiply."""
        return f"shared modules {self._by(a.sharing, b.sharing).replace('counted', 'counted again')}"


def _of_totals(first: Counter, second: Counter) -> Iterator[Difference]:
    """Yield what the totals do to the sums of the rows."""
    found = [{a.what: a.count for a in counter.total(counter.rows())[1]} for counter in (first, second)]
    names = (first.convention.name, second.convention.name)
    words = {
        "scaling": "scaled in the total",
        "batch division": "divided by the batch",
        "rounding": "rounded",
    }
    for what, said in words.items():
        a, b = found[0].get(what, 0), found[1].get(what, 0)
        who = names[1] if a == 0 else names[0] if b == 0 else " and ".join(names)
        yield Difference("batch" if what.startswith("batch") else what, f"{said} by {who}", number(b - a))
