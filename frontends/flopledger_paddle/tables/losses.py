"""The losses among the ops of Paddle's programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger_paddle.tables.call import Meaning, Op, Open

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.frontend import Value

    Rule = Callable[[Op], Meaning]


def cross_entropy(op: Op) -> Meaning:
    """Softmax and the loss of each label; an op of its own averages them, where they are averaged."""
    if op.attr("soft_label"):
        raise Open("its labels are probabilities: no formula for these")
    if not op.attr("use_softmax"):
        raise Open("its input has been through a softmax: no formula for the rest of the op")
    attrs: dict[str, Value] = {
        "axis": op.attr("axis"),
        "mean": False,
        "outputs": (op.result(0), op.result(1)),
    }
    return Meaning("softmax_cross_entropy", attrs, (0, 1), 2)


def elements(kind: str, outputs: int = 1) -> Rule:
    """Return the rule of a loss of each element; an op of its own averages them, where they are averaged."""

    def meaning(op: Op) -> Meaning:
        shapes = tuple(op.result(i) for i in range(outputs))
        attrs: dict[str, Value] = {"reduction": "none", "outputs": shapes}
        if kind == "sigmoid_cross_entropy":
            attrs["positive_weight"] = op.given(2)
        return Meaning(kind, attrs, (0, 1), outputs)

    return meaning


def nll(op: Op) -> Meaning:
    """The negative log-likelihood of each label, averaged or summed as the op says."""
    if op.given(2):
        raise Open("its classes have weights: no formula for these")
    attrs: dict[str, Value] = {"axis": 1, "reduction": op.attr("reduction"), "outputs": (op.result(0),)}
    return Meaning("nll", attrs, (0, 1))
