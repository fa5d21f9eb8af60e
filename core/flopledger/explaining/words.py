"""The words for a difference between two conventions, and the kind of cause that it is."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.analysis.gradients import NONE
from flopledger.dims.arithmetic import product
from flopledger.dims.bounds import number
from flopledger.explaining.work import OPERATIONS
from flopledger.graph.tables import LEVELS
from flopledger.records import dataclass

if TYPE_CHECKING:
    from flopledger.conventions.convention import Convention
    from flopledger.counting.scopes import CallScope
    from flopledger.dims.types import Number
    from flopledger.explaining.work import Breakdown

PRODUCTS = frozenset({"matmul", "einsum", "grouped_matmul"})
"""The kinds that multiply two results of the network: a cause for one of them is of the kind matmul."""
UNIT = "unit: a multiply-accumulate is one MAC, or two FLOP"
FORMS = {
    "half": "{subject}: half of the square of new tokens, as under a causal mask, by {name}",
    "exact": "a dot product of n terms of {subject} is 2n - 1 operations by {name}, not 2n",
    "output positions": "{subject} counted at its output positions by {name}, not at its input positions",
    "causal": "{subject}: what a causal mask leaves, by {name}",
}
"""The text for a formula that is recognised; see :class:`flopledger.explaining.work.Breakdown`."""


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much, and why, two figures differ: in one call, or in the total where ``path`` is None.

    ``detail`` is added to the text of a cause if it is the same for all of its calls.
    """

    kind: str
    text: str
    count: Number
    path: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OfTotal:
    """A step between the sum of the rows and the total: the kind of cause, and the text for it."""

    kind: str
    text: str


TOTALS = {
    "scaling": OfTotal("scaling", "the total is scaled"),
    "parameters": OfTotal("parameters", "parameters that no row holds, or several, are counted once"),
    "batch division": OfTotal("batch", "the total is divided by the batch"),
    "rounding": OfTotal("rounding", "the total is rounded"),
}
"""The steps of a total besides summing, by the name of the ledger's adjustment."""
FORWARD_AND_ONE = 2
"""How often a product counts with one of its gradients."""
WEIGHTLESS = ("attention", "matmul")
"""Products of two results, neither of which is a weight."""


def of_total(what: str, names: tuple[str, str], counts: tuple[Number, Number]) -> str:
    """Return the text for a total that one or both conventions scale, divide or round."""
    who = names[1] if counts[0] == 0 else names[0] if counts[1] == 0 else " and ".join(names)
    differently = "" if 0 in counts else ", differently"
    return f"{TOTALS[what].text} by {who}{differently}"


class Wording:
    """Writes the differences in one piece of work."""

    def __init__(self, sides: tuple[Convention, Convention], scope: CallScope) -> None:
        self.sides, self.scope = sides, scope
        self.names = (sides[0].name, sides[1].name)
        kind = scope.kind
        self.kind = kind.group if kind is not None else "module"
        self.subject = kind.name if kind is not None else scope.layer.source
        if kind is not None and kind.name in PRODUCTS:
            self.kind = "matmul"

    def _difference(self, kind: str, text: str, a: Number, b: Number, detail: str = "") -> Difference:
        return Difference(kind, text, number(b - a), self.scope.layer.path, detail)

    def _only(self, a: Number, b: Number) -> str:
        """Return the name of the side that counts a component, empty where both do."""
        return self.names[1] if a == 0 else self.names[0] if b == 0 else ""

    def _missed(self, a: Number, missing: Breakdown) -> str:
        name = self.names[0 if a == 0 else 1]
        return f"{self.subject} not counted by {name}" + (f": {missing.reason}" if missing.reason else "")

    def uncounted(self, a: Breakdown, b: Breakdown) -> Difference:
        """Return the difference in a piece whose dot products only one side counts: all that it counts."""
        missing = a if a.macs == 0 else b
        return self._difference(missing.cause or self.kind, self._missed(a.macs, missing), a.once, b.once)

    def missed(self, side: int, why: tuple[str, str], a: Number, b: Number) -> Difference:
        """Return the difference in dot products inside a call of which one side counts only a part."""
        cause, reason = why
        text = f"{self.subject} not counted by {self.names[side]}" + (f": {reason}" if reason else "")
        return self._difference(cause or self.kind, text, a, b)

    def unit(self, a: Breakdown, b: Breakdown) -> Difference:
        """Return the difference due to the step between MAC and FLOP, or to a figure of parameters."""
        units = [side.unit for side in self.sides]
        if "params" in units:
            name = self.names[units.index("params")]
            text = f"unit: {name} counts parameters, not operations"
        else:
            text = UNIT
        return self._difference("unit", text, a.unit, b.unit)

    def in_one_unit(self, a: Breakdown, b: Breakdown) -> tuple[Breakdown, Breakdown]:
        """Take the unit of the gradients that the first side counts out of the difference of formulas.

        So what more or fewer gradients change is told in the second side's unit, as all that follows is.
        """
        left, right = a.passes, b.passes
        if left is None or right is None or left.times == right.times or left.left_out or right.left_out:
            return a, b
        scales = [OPERATIONS[side.unit] for side in self.sides]
        moved = (left.times - 1) * (scales[1] - scales[0]) * a.macs
        return a, replace(b, unit=number(b.unit + moved), formula=number(b.formula - moved))

    def formula(self, a: Breakdown, b: Breakdown) -> Difference:
        """Return the difference between formulas, or between prices of other operations than dot products."""
        if weights := self._weights(a, b) or self._multiplied(a, b):
            return weights
        if a.passes is not None and b.passes is not None:
            return self._step(a, b)
        if a.form != b.form and 0 in (a.formula, b.formula):
            name = self.names[0 if a.form else 1]
            text = FORMS[a.form or b.form].format(subject=self.subject, name=name)
            return self._difference("formula", text, a.formula, b.formula)
        if a.macs != 0:
            return self._another(a, b)
        if a.formula != 0 and b.formula != 0:
            text = f"{self.subject} priced differently"
            return self._difference(self.kind, text, a.formula, b.formula, self._rates(a.formula, b.formula))
        missing = a if a.formula == 0 else b
        kind = missing.cause if missing.cause in ("functional", "hidden", "reuse") else self.kind
        text = self._missed(a.formula, missing)
        return self._difference(kind, text, a.formula, b.formula, self._rates(a.formula, b.formula))

    def _weights(self, a: Breakdown, b: Breakdown) -> Difference | None:
        """Return the content of a figure of parameters; None if both or neither is one."""
        counting = [side.unit == "params" for side in self.sides]
        if counting[0] == counting[1] or (a, b)[counting.index(True)].formula == 0:
            return None
        text = f"the weights of {self.subject}, which {self.names[counting.index(True)]} counts"
        return self._difference("parameters", text, a.formula, b.formula)

    def _multiplied(self, a: Breakdown, b: Breakdown) -> Difference | None:
        """Return weights that nothing is multiplied with, and that one side counts as if something were."""
        if a.macs != 0 or b.macs != 0 or (a.weights == 0) == (b.weights == 0):
            return None
        who = self.names[0 if a.weights else 1]
        what = "embeddings" if self.subject.startswith("embedding") else f"the weights of {self.subject}"
        return self._difference("parameters", f"{what} counted as products by {who}", a.formula, b.formula)

    def _step(self, a: Breakdown, b: Breakdown) -> Difference:
        """Return the difference in a training step's products: of gradients, or of a causal mask."""
        left, right = a.passes, b.passes
        if left == right:
            return self._difference("unit", UNIT, a.formula, b.formula)
        if left is None or right is None or (left.times != right.times and left.left_out != right.left_out):
            return self._another(a, b)
        if left.times == right.times:
            side = 0 if left.left_out else 1
            text = FORMS["half" if "half" in (left.left_out, right.left_out) else "causal"]
            words = text.format(subject=self.subject, name=self.names[side])
            return self._difference("formula", words, a.formula, b.formula)
        more, less = (0, 1) if left.times > right.times else (1, 0)
        what = (
            self._without()
            if min(left.times, right.times) > 1
            else self._gradients(max(left.times, right.times))
        )
        text = f"{what}, counted by {self.names[more]} and not by {self.names[less]}"
        return self._difference("gradients", text, a.formula, b.formula)

    def _gradients(self, times: int) -> str:
        """Return which gradients of a call one side counts, where the other counts its forward alone."""
        work = self.scope.analysis.gradients.work.get(self.scope.layer.id, NONE)
        again = self.scope.analysis.gradients.recomputed.get(self.scope.layer.id, 0) != 0
        one = times == FORWARD_AND_ONE and not again
        if one and work.of_data == 0 and work.of_weights != 0:
            return f"the gradient of the weights of {self.subject}"
        if one and work.of_data != 0 and work.of_weights == 0:
            return f"the gradient of the input of {self.subject}"
        return f"gradients of {self.subject}{', and it again for a checkpoint' if again else ''}"

    def _without(self) -> str:
        """Return which gradients of a call a backward does without."""
        work = self.scope.analysis.gradients.work.get(self.scope.layer.id, NONE)
        if self.scope.analysis.gradients.recomputed.get(self.scope.layer.id, 0) != 0:
            return f"{self.subject} again for a checkpoint"
        if work.of_data != 0 and work.of_weights == 0 and self.subject not in WEIGHTLESS:
            return f"the gradient of the frozen weights of {self.subject}"
        if work.of_weights != 0 and work.of_data == 0:
            return f"the gradient of the input of {self.subject}, which nothing before it needs"
        return f"gradients of {self.subject}"

    def _another(self, a: Breakdown, b: Breakdown) -> Difference:
        who = self._only(a.formula, b.formula) or " and another by ".join(self.names)
        text = f"another formula for {self.subject} by {who}"
        return self._difference("formula", text, a.formula, b.formula, self._factors(a, b))

    def _factors(self, a: Breakdown, b: Breakdown) -> str:
        """Return which multiple of the true figure a formula gives, where it is a whole one."""
        factors = []
        for name, side, part in zip(self.names, self.sides, (a, b), strict=True):
            true, formula = OPERATIONS[side.unit] * part.macs, part.formula
            if formula == 0 or not isinstance(formula, (int, Fraction)) or not isinstance(true, int):
                continue
            factor = 1 + Fraction(formula) / true if true else Fraction(1, 2)
            if factor.denominator > 1:
                return ""
            factors.append(f"{factor} times the multiply-accumulates by {name}")
        return ", ".join(factors)

    def _rates(self, a: Number, b: Number) -> str:
        """Return how many operations each side counts for an element, where it is a whole number."""
        graph, layer = self.scope.analysis.graph, self.scope.layer
        for what, tensors in (("output", layer.outputs), ("input", layer.inputs)):
            shape = graph.shape(tensors[0]) if tensors else None
            size = product(shape) if shape is not None else 0
            if not isinstance(size, int) or size == 0:
                continue
            rates = [Fraction(n) / size for n in (a, b) if isinstance(n, (int, Fraction))]
            if len(rates) == len((a, b)) and all(rate.denominator == 1 for rate in rates):
                by = [f"{r} by {name}" for r, name in zip(rates, self.names, strict=True) if r]
                return f"{', '.join(by)} for each {what} element"
        return ""

    def bias(self, a: Breakdown, b: Breakdown) -> Difference:
        """Return the difference in the bias."""
        only = self._only(a.bias, b.bias)
        text = (
            f"bias of {self.subject} counted by {only} only"
            if only
            else f"bias of {self.subject} priced differently"
        )
        return self._difference("bias", text, a.bias, b.bias)

    def twice(self, a: Breakdown, b: Breakdown) -> Difference:
        """Return the difference in work that is counted on two levels, or again inside a counted call."""
        only = self._only(a.twice, b.twice)
        levels = (a if b.twice == 0 else b).levels
        where = " and as a ".join(level for level in LEVELS if level in levels)
        how = f"as a {where}" if len(levels) > 1 else "as a whole and in its parts"
        by = f"by {only}" if only else "by both, differently"
        return self._difference(
            "counted twice", f"{self.subject} counted twice {by}: {how}", a.twice, b.twice
        )

    def sharing(self, a: Breakdown, b: Breakdown) -> Difference:
        """Return the difference that modules with several parents make."""
        only = self._only(a.sharing, b.sharing)
        who = f"by {only}" if only else "by both, differently"
        text = f"modules with several parents counted once for each {who}"
        return self._difference("sharing", text, a.sharing, b.sharing)
