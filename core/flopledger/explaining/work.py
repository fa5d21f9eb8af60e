"""One convention's figure for each piece of work, split into components that sum to it."""

from __future__ import annotations

import functools
from dataclasses import field
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.counting.memo import Memo, names_read
from flopledger.counting.scopes import CallScope
from flopledger.dims.arithmetic import is_symbolic, plain, total
from flopledger.dims.bounds import number
from flopledger.explaining.omissions import Omissions
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flopledger.analysis.analysis import Analysis
    from flopledger.counting.count import Count, PricedCall
    from flopledger.dims.types import Dim, Number
    from flopledger.expressions.compiler import Expression
    from flopledger.graph.tables import Layer

OPERATIONS = {"MAC": 1, "FLOP": 2, "params": 0, "B": 0}
"""The operations, in each unit, of one multiply-accumulate."""
OF_BIAS = frozenset({"bias", "native.bias", "params", "bias_adds", "ops"})
"""The names whose value depends on whether a call has a bias; see :class:`Unbiased`."""


MOST_PASSES = 5
"""Forward, the gradients of three operands, and the forward again for a checkpoint."""


class Unbiased(CallScope):
    """A call as it would be without a bias: the decrease of a convention's count is the bias.

    Rules count biases in different forms (``+ out_elems``, a factor, the size of the parameter called
    ``bias``), so a bias can't be read off a rule; it is the difference between two evaluations.
    """

    __slots__ = ()

    @property
    def parts(self) -> Mapping[str, Dim]:
        """The arithmetic operations of the call without the additions of its bias."""
        return {name: value for name, value in super().parts.items() if name != "bias_adds"}

    def _find(self, name: str) -> object:
        """Look a name up as for a layer without a bias, under each name that a convention may have for it."""
        if name == "bias" and self.kind is not None and "bias" in self.kind.defaults:
            return False
        if name == "native.bias":
            return False if isinstance(super()._find(name), bool) else None
        if name == "params":
            found = super()._find(name)
            return tuple(p for p in found if "bias" not in str(p[0])) if isinstance(found, tuple) else found
        return super()._find(name)


class Evaluated:
    """One convention's count of a network, and other values that explanations need, each computed once."""

    def __init__(self, count: Count) -> None:
        self.count, self.convention, self.analysis = count, count.convention, count.analysis
        self.omissions = Omissions(count)
        self._unbiased: dict[Expression, Memo | None] = {}

    @functools.cached_property
    def of_weights(self) -> dict[int, Number]:
        """The part of each row in a total that counts by the parameters; empty for other totals."""
        steps = {step.what: step.count for step in self.count.total[1]}
        beside, counted = steps.get("parameters", 0), self.count.params.count
        if beside == 0 or not counted or self.convention.unit == "params":
            return {}
        whole = beside if is_symbolic(beside) or is_symbolic(counted) else Fraction(str(beside))
        held = self.count.params.by_call(self.count.listed)
        return {call: number(whole * size / counted) for call, size in held.items()}

    def counts(self, call: int) -> bool:
        """Return whether the convention prices this very call at something."""
        priced = self.count.priced.get(call)
        return priced is not None and priced.count != 0

    def unbiased(self, call: PricedCall) -> Number:
        """Return the price of a call without its bias."""
        if call.rule is None or call.price == 0:
            return call.price
        rule = call.rule.expression
        if rule not in self._unbiased:
            names = names_read(rule, self.convention.define)
            self._unbiased[rule] = None if names.isdisjoint(OF_BIAS) else self.count.rules.memo(rule)
        memo = self._unbiased[rule]
        return call.price if memo is None else self.count.number(memo, Unbiased(self.count.rules, call.layer))


@dataclass(frozen=True, slots=True)
class Passes:
    """How often a piece's products are counted, and the part of attention left out: nothing, above, half."""

    times: int
    left_out: str = ""


@dataclass(slots=True)
class Breakdown:
    """One convention's figure for one piece of work, in components that sum to it.

    ``macs`` are the true multiply-accumulates, where the convention prices the piece at all; ``unit`` the
    change by its unit; ``formula`` the difference of its own formula; ``form`` names a known formula:
    ``exact`` takes a dot product of n terms as 2n - 1 operations, ``output positions`` counts a transposed
    convolution at its output, ``causal`` half of the products that a causal mask removes. ``twice`` is the
    work counted again inside a counted call, ``sharing`` the increase by several parents of a module,
    ``missed`` the calls inside that are omitted. ``weights`` is what the formula has for the piece's weights,
    where a total counts by the parameters; ``passes`` how often the piece counts, forward and gradients
    together, where it is a training step's. ``cause`` and ``reason`` state why a piece has no count.
    """

    macs: Number = 0
    unit: Number = 0
    formula: Number = 0
    bias: Number = 0
    twice: Number = 0
    sharing: Number = 0
    form: str = ""
    missed: dict[int, Number] = field(default_factory=dict)
    weights: Number = 0
    passes: Passes | None = None
    cause: str = ""
    reason: str = ""
    levels: list[str] = field(default_factory=list)

    @property
    def once(self) -> Number:
        """The figure of the piece without the work that is counted again."""
        return number(total((self.macs, self.unit, self.formula, self.bias, *self.missed.values())))


def pieces(analysis: Analysis, sides: tuple[Evaluated, Evaluated]) -> list[int]:
    """Return the piece of work that each call belongs to, by the id of its outermost call.

    Two conventions look at different levels (thop at modules, fvcore at lowered ops), so that their rows
    can't be compared call by call. A piece is the smallest part of the network that both count at their own
    level: a call with a formula, or one that calls no module and that a convention prices as it is; where
    neither convention prices such a call itself, the calls with formulas inside it, if there are any.
    """
    layers, kind_of = analysis.graph.layers, analysis.formulas.kind_of
    formula_inside, module_inside = [False] * len(layers), [False] * len(layers)
    for layer in reversed(layers):
        if layer.parent is not None:
            formula_inside[layer.parent] |= formula_inside[layer.id] or kind_of[layer.id] is not None
            module_inside[layer.parent] |= module_inside[layer.id] or layer.level == "layer"
    piece_of: list[int] = []
    divided: set[int] = set()
    for layer in layers:
        if layer.parent is not None and layer.parent not in divided:
            piece_of.append(piece_of[layer.parent])
            continue
        piece_of.append(layer.id)
        priced = any(side.counts(layer.id) for side in sides)
        whole = kind_of[layer.id] is not None or (priced and not module_inside[layer.id])
        if not whole or (formula_inside[layer.id] and not priced):
            divided.add(layer.id)
    return piece_of


def break_down(side: Evaluated, piece_of: list[int]) -> dict[int, Breakdown]:
    """Split a convention's figure for each piece of work."""
    analysis, priced = side.analysis, side.count.priced
    layers = analysis.graph.layers
    found = {piece: Breakdown() for piece in sorted(set(piece_of))}
    members: dict[int, list[PricedCall]] = {}
    inside: dict[int, list[Layer]] = {}
    for layer in layers:
        inside.setdefault(piece_of[layer.id], []).append(layer)
        call = priced.get(layer.id)
        if call is not None and call.rule is not None:
            members.setdefault(piece_of[layer.id], []).append(call)
    true = _true_macs(analysis, piece_of)
    for piece, calls in members.items():
        part = found[piece]
        _take_apart(part, calls, layers[piece], side, true[piece])
        if part.formula != 0 and part.macs != 0 and not part.form and len(inside[piece]) > 1:
            _take_out_missed(part, side, inside[piece])
        if not part.form:
            _take_out_bias(part, plain(analysis.formulas.parts(layers[piece]).get("bias_adds", 0)))
    for i, value in side.of_weights.items():
        _add_weights(found[piece_of[i]], value, true[piece_of[i]], OPERATIONS[side.convention.unit])
    for piece, part in found.items():
        if side.count.trains or side.convention.estimates:
            part.passes = _passes(part, CallScope(side.count.rules, layers[piece]), side)
        if part.once == 0:
            part.cause, part.reason = side.omissions.of_piece(inside[piece])
    return found


def _add_weights(part: Breakdown, value: Number, true: Dim, scale: int) -> None:
    """Add the part of a total that is for a piece's weights: for each of them, as if it were multiplied."""
    part.weights = number(part.weights + value)
    part.formula = number(part.formula + value)
    if part.macs == 0 and true != 0:
        part.macs, part.unit = true, number((scale - 1) * true)
        part.formula = number(part.formula - scale * true)


def _passes(part: Breakdown, scope: CallScope, side: Evaluated) -> Passes | None:
    """Return how often a piece's products count, and the part of them that a causal mask leaves out.

    Recognised by the figure, as other forms are: once for the forward, and once for each gradient.
    """
    once = number(OPERATIONS[side.convention.unit] * part.macs)
    price = number(once + part.formula)
    if once == 0:
        return None
    masked = scope.analysis.masked.get(scope.layer.id)
    parts: dict[str, Number] = {"": once}
    if masked is not None:
        unit = number(OPERATIONS[side.convention.unit] * masked.pair_macs)
        parts["above"] = number(once - unit * masked.mask.above)
        parts["half"] = number(once - unit * masked.mask.half)
    for name, size in parts.items():
        for times in range(1, MOST_PASSES + 1):
            if size != 0 and number(price - times * size) == 0:
                return Passes(times, name)
    return None


def _true_macs(analysis: Analysis, piece_of: list[int]) -> dict[int, Dim]:
    """Return the multiply-accumulates of each piece: of its own formula, or of those inside it."""
    sums: dict[int, list[Dim]] = {}
    formulas, layers = analysis.formulas, analysis.graph.layers
    for layer in layers:
        sums.setdefault(piece_of[layer.id], []).append(formulas.true_macs[layer.id])
    return {
        piece: formulas.macs(layers[piece]) if formulas.kind_of[piece] else total(values)
        for piece, values in sums.items()
    }


def _take_apart(
    part: Breakdown, calls: Iterable[PricedCall], layer: Layer, side: Evaluated, true: Dim
) -> None:
    """Split the figure of a piece into the causes that two conventions may differ in.

    They are: the unit, the bias, the formula beyond the true multiply-accumulates, calls that are counted
    inside counted ones, and weights that several calls share. Without the split a bias, which nearly every
    tool treats in its own way, would be called a different formula.
    """
    scale = OPERATIONS[side.convention.unit]
    counted = {call.layer.id: call for call in calls if call.times != 0 and call.price != 0}
    around = side.analysis.calls.around
    outermost = {i for i in counted if counted.keys().isdisjoint(around(i))}
    first = [call for i, call in counted.items() if i in outermost]
    part.twice = total(call.price for i, call in counted.items() if i not in outermost)
    part.sharing = number(total(number(call.count - call.price) for call in counted.values()))
    part.levels = sorted({call.layer.level for call in counted.values()})
    price, unbiased = total(call.price for call in first), total(side.unbiased(call) for call in first)
    part.bias = number(price - unbiased)
    if true == 0 or price == 0:
        part.formula = unbiased
        return
    part.macs, part.unit = true, number((scale - 1) * true)
    part.formula = number(unbiased - scale * true)
    part.form = _form(CallScope(side.count.rules, layer), part.formula, number(scale * true))


def _take_out_bias(part: Breakdown, biases: Dim) -> None:
    """Recognise a bias by its size where nothing in the rule names it.

    thop and calflops count a module's call as a whole, and a rule such as ``out_elems * (macs_per_output +
    1)`` has the additions of the bias in it. A formula that is off by one or two operations for each of
    them counts the bias.
    """
    if part.macs != 0 and part.bias == 0 and biases != 0 and part.formula in (biases, number(2 * biases)):
        part.bias, part.formula = part.formula, 0


def _form(scope: CallScope, formula: Number, exact: Number) -> str:
    """Name the formula that differs by so much from the multiply-accumulates in a convention's unit.

    Recognised by the figure, not by the text of the rule, so that a user's own convention gets the same
    words: ``2mac-1`` is exact, thop counts a transposed convolution at its output, and language models'
    figures halve what a causal mask removes. Unrecognised, each is "another formula", which is true and
    explains nothing.
    """
    facts = scope.facts
    if formula == 0:
        return ""
    if number(formula + facts.get("dots", 0)) == 0:
        return "exact"
    if scope.kind is not None and scope.kind.name == "conv_transpose":
        call = scope.analysis.formulas.call(scope.layer, scope.kind)
        at_inputs = call.in_elems * call.dim("out_channels")
        at_outputs = call.out_elems * facts["in_channels"]
        if number(number(exact + formula) * at_inputs - exact * at_outputs) == 0:
            return "output positions"
    macs, masked = facts.get("macs", 0), scope.analysis.masked.get(scope.layer.id)
    if masked is not None and number(formula * macs + exact * masked.pair_macs * masked.mask.above) == 0:
        return "causal"
    return ""


def _take_out_missed(part: Breakdown, side: Evaluated, inside: list[Layer]) -> None:
    """Separate the multiply-accumulates of those calls of a piece that a convention does not price.

    MultiheadAttention is one piece. fvcore prices the projections inside it and has no rule for the fused
    attention; without this the cause would read "another formula for multi_head_attention". It applies only
    where the innermost calls account for all of the piece's work, so that each missing one is known by its
    size.
    """
    analysis, scale = side.analysis, OPERATIONS[side.convention.unit]
    macs_of, around = analysis.formulas.macs, analysis.calls.around
    working = {layer.id: macs_of(layer) for layer in inside if macs_of(layer) != 0}
    outer = {up for i in working for up in around(i)}
    innermost = {i: macs for i, macs in working.items() if i not in outer}
    if number(total(innermost.values()) - part.macs) != 0:
        return
    priced = {layer.id for layer in inside if side.counts(layer.id)}
    reached = priced | {up for i in priced for up in around(i)}
    for i, macs in innermost.items():
        if i not in reached and priced.isdisjoint(around(i)):
            part.missed[i] = number(-scale * macs)
    part.formula = number(part.formula - total(part.missed.values()))
