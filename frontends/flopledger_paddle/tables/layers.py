"""Paddle's layers as kinds: from the ops that they made, and for missing details from the layer itself.

A layer that is not in the table and made one op, from its own input to its own output, has the meaning of
that op; any other is a container of its ops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flopledger.frontend import CONTAINER, dataclass

from flopledger_paddle.framework import paddle
from flopledger_paddle.modules import class_path
from flopledger_paddle.tables.call import Meaning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.frontend import Value

FREE = frozenset(
    {"reshape", "view", "squeeze", "unsqueeze", "identity", "transpose", "cast", "fill", "expand", "split"}
)
"""Kinds that only bring a tensor into the form in which an op wants it."""


@dataclass(frozen=True, slots=True)
class OpRecord:
    """An op that a layer made: its meaning, and its tensors."""

    meaning: Meaning
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def _chief(ops: Sequence[OpRecord], *beside: str) -> Meaning | None:
    """Return the one op that computes, where all others only bring tensors into form or add a bias."""
    chief = [op for op in ops if op.meaning.kind not in FREE and op.meaning.kind not in beside]
    return chief[0].meaning if len(chief) == 1 else None


def _without(axis: int, attrs: dict[str, Value]) -> dict[str, Value]:
    """Return a window's attributes without one of two axes, which was put in for the op."""
    dropped = dict(attrs)
    for name in ("kernel", "stride", "padding", "dilation", "output_padding", "output_size"):
        value = dropped.get(name)
        if isinstance(value, tuple):
            dropped[name] = tuple(v for i, v in enumerate(value) if i != axis)
    return dropped


def _conv(extra: int | None = None) -> Any:
    """A convolution with its bias; ``extra`` is the axis that a one-dimensional one is given."""

    def rule(layer: Any, ops: Sequence[OpRecord]) -> Meaning | None:
        chief = _chief(ops, "add")
        if chief is None or chief.kind not in ("conv", "conv_transpose"):
            return None
        attrs = chief.attrs if extra is None else _without(extra, chief.attrs)
        return Meaning(chief.kind, {**attrs, "bias": layer.bias is not None})

    return rule


def _linear(layer: Any, ops: Sequence[OpRecord]) -> Meaning | None:
    chief = _chief(ops, "add")
    if chief is None or chief.kind != "matmul":
        return None
    return Meaning("linear", {"out_features": int(layer.weight.shape[1]), "bias": layer.bias is not None})


def _pool1d(layer: Any, ops: Sequence[OpRecord]) -> Meaning | None:
    del layer
    chief = _chief(ops)
    return None if chief is None else Meaning(chief.kind, _without(0, chief.attrs))


def _lrn(layer: Any, ops: Sequence[OpRecord]) -> Meaning | None:
    del ops
    channels_last = layer.data_format[-1] == "C"
    return None if channels_last else Meaning("lrn", {"size": int(layer.size)})


def _recurrent(layer: Any, ops: Sequence[OpRecord]) -> Meaning:
    del ops
    mode = layer.mode
    attrs: dict[str, Value] = {
        "hidden_size": layer.hidden_size,
        "layers": layer.num_layers,
        "directions": layer.num_directions,
        "batch_first": not layer.time_major,
        "biases": _biases(layer[0].cell if hasattr(layer[0], "cell") else layer[0].cell_fw),
        "projection": layer.proj_size or 0,
    }
    if mode.startswith("RNN"):
        attrs["nonlinearity"] = mode.rpartition("_")[2].lower()
    return Meaning(mode.partition("_")[0].lower(), attrs)


def _biases(cell: Any) -> int:
    return sum(getattr(cell, name, None) is not None for name in ("bias_ih", "bias_hh"))


def _cell(kind: str, outputs: int = 1) -> Any:
    def rule(layer: Any, ops: Sequence[OpRecord]) -> Meaning | None:
        del ops
        if getattr(layer, "proj_size", 0):
            return None
        attrs: dict[str, Value] = {"hidden_size": layer.hidden_size, "biases": _biases(layer)}
        if kind == "rnn_cell":
            attrs["nonlinearity"] = layer.activation
        return Meaning(kind, attrs, outputs=outputs)

    return rule


LAYERS: dict[str, Any] = {
    "Conv1D": _conv(0),
    "Conv1DTranspose": _conv(1),
    "Conv2D": _conv(),
    "Conv2DTranspose": _conv(),
    "Conv3D": _conv(),
    "Conv3DTranspose": _conv(),
    "Linear": _linear,
    "AvgPool1D": _pool1d,
    "MaxPool1D": _pool1d,
    "AdaptiveAvgPool1D": _pool1d,
    "AdaptiveMaxPool1D": _pool1d,
    "LocalResponseNorm": _lrn,
    "SimpleRNN": _recurrent,
    "GRU": _recurrent,
    "LSTM": _recurrent,
    "SimpleRNNCell": _cell("rnn_cell"),
    "GRUCell": _cell("gru_cell"),
    "LSTMCell": _cell("lstm_cell", 2),
}
"""What each layer of ``paddle.nn`` is, by its name."""


def meaning_of(layer: Any, ops: Sequence[OpRecord] | None, tensors: tuple[list[int], list[int]]) -> Meaning:
    """Return the meaning of a layer's call.

    Args:
        layer: The layer.
        ops: The ops that it made itself; None where layers below it made some.
        tensors: Its input and output tensors.
    """
    if not runs_own_forward(layer):
        return Meaning(CONTAINER, outputs=-1)
    for cls in type(layer).__mro__:
        path = class_path(cls)
        rule = LAYERS.get(cls.__name__) if path.startswith("paddle.nn.") else None
        if rule is not None and (ops is not None or rule is _recurrent):
            found = rule(layer, ops or ())
            return found if found is not None else Meaning(CONTAINER, outputs=-1)
    if ops is not None and len(ops) == 1:
        given, gave = tensors
        if list(ops[0].inputs) == given and list(ops[0].outputs) == gave[: len(ops[0].outputs)]:
            return ops[0].meaning
    return Meaning(CONTAINER, outputs=-1)


def runs_own_forward(layer: Any) -> bool:
    """Return whether a layer runs a forward of ``paddle.nn``, its class's or that of a base."""
    if "forward" in layer.__dict__:
        return False
    owner = next(cls for cls in type(layer).__mro__ if "forward" in cls.__dict__)
    return owner is not paddle.nn.Layer and class_path(owner).startswith("paddle.nn.")
