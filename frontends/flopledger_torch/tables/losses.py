"""Losses: functions and ops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger_torch.tables.call import Meaning, Row, Said

if TYPE_CHECKING:
    from flopledger.frontend import Value

_REDUCTIONS = ("none", "mean", "sum")
"""How ops number what becomes of the losses."""


def _reduced(said: Said) -> dict[str, Value]:
    number = said.get("reduction")
    word = _REDUCTIONS[number] if isinstance(number, int) else "mean"
    return {"reduction": word, "outputs": (said.out,)} if word == "none" else {"reduction": word}


def loss(kind: str) -> Row:
    """Return the row of an op of inputs and targets of one shape."""
    return lambda said: Meaning(kind, _reduced(said), tuple(said.inputs[:2]))


def weighted_loss(kind: str) -> Row:
    """Return the row of an op that may have weights, of positive targets too."""

    def row(said: Said) -> Meaning:
        attrs: dict[str, Value] = {**_reduced(said), "weighted": said.has("weight")}
        if said.has("pos_weight"):
            attrs["positive_weight"] = True
        return Meaning(kind, attrs, tuple(said.inputs[:2]))

    return row


def class_loss(kind: str) -> Row:
    """Return the row of an op of classes and labels; one sample may come without batch."""

    def row(said: Said) -> Meaning:
        attrs: dict[str, Value] = {**_reduced(said), "axis": min(len(said.given) - 1, 1)}
        power = said.get("p")
        if kind == "multi_margin":
            attrs["p"] = power if isinstance(power, (int, float)) else 1
        return Meaning(kind, attrs, tuple(said.inputs[:2]))

    return row


def ctc(said: Said) -> Meaning:
    """aten._ctc_loss, which reduces nothing."""
    return Meaning("ctc", {"reduction": "none", "outputs": (said.out,)}, tuple(said.inputs[:2]))
