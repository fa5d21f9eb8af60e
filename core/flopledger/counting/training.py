"""The shares of a training step in a figure: forward, gradients of data and of weights, and recomputation.

A share is the change of the convention's own rule when the facts of that share are there and no others. A
rule is a sum over them, so the shares add up to the figure, for every convention.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.counting.ledger import Shares
from flopledger.counting.scopes import CallScope
from flopledger.dims.bounds import number

if TYPE_CHECKING:
    from flopledger.counting.memo import Memo
    from flopledger.dims.types import Number

INPUT = frozenset(("data_grads", "grad_input"))
WEIGHT = frozenset(("weight_grads", "grad_weight"))
AGAIN = frozenset(("recomputed",))


class _Silenced(CallScope):
    """A call for which some facts of a training step are 0."""

    __slots__ = ("silent",)

    silent: frozenset[str]

    def _find(self, name: str) -> object:
        return 0 if name in self.silent else super()._find(name)


def shares(scope: CallScope, rule: Memo | None, times: Number, count: Number) -> Shares:
    """Return the shares of a training step in the count of a call: its rule's value, so many times."""
    if rule is None or count == 0:
        return Shares()

    def without(silent: frozenset[str]) -> Number:
        left = _Silenced(scope.rules, scope.layer)
        left.silent = silent
        return number(rule.expression.number(left) * times)

    forward = without(INPUT | WEIGHT | AGAIN)
    of_weights = number(without(INPUT | AGAIN) - forward)
    again = number(without(INPUT | WEIGHT) - forward)
    return Shares(forward, number(count - forward - of_weights - again), of_weights, again)
