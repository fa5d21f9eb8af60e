"""Losses: functions and ops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger_torch.tables.call import Meaning, Rule, TorchCall

if TYPE_CHECKING:
    from flopledger.frontend import Value

_REDUCTIONS = ("none", "mean", "sum")
"""The reductions of losses, by the numbers that ops have for them."""


def _reduced(call: TorchCall) -> dict[str, Value]:
    number = call.get("reduction")
    word = _REDUCTIONS[number] if isinstance(number, int) else "mean"
    return {"reduction": word, "outputs": (call.out,)} if word == "none" else {"reduction": word}


def loss(kind: str) -> Rule:
    """Return the rule of an op of inputs and targets of one shape."""
    return lambda call: Meaning(kind, _reduced(call), tuple(call.inputs[:2]))


def weighted_loss(kind: str) -> Rule:
    """Return the rule of an op that may have weights, of positive targets too."""

    def rule(call: TorchCall) -> Meaning:
        attrs: dict[str, Value] = {**_reduced(call), "weighted": call.has("weight")}
        if call.has("pos_weight"):
            attrs["positive_weight"] = True
        return Meaning(kind, attrs, tuple(call.inputs[:2]))

    return rule


def class_loss(kind: str) -> Rule:
    """Return the rule of an op of classes and labels; one sample may come without batch."""

    def rule(call: TorchCall) -> Meaning:
        attrs: dict[str, Value] = {**_reduced(call), "axis": min(len(call.input_shape) - 1, 1)}
        power = call.get("p")
        if kind == "multi_margin":
            attrs["p"] = power if isinstance(power, (int, float)) else 1
        return Meaning(kind, attrs, tuple(call.inputs[:2]))

    return rule


def ctc(call: TorchCall) -> Meaning:
    """aten._ctc_loss, which reduces nothing."""
    return Meaning("ctc", {"reduction": "none", "outputs": (call.out,)}, tuple(call.inputs[:2]))
