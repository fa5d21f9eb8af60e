"""Operators that are sums of products: dense layers, matrix products, recurrent layers.

Source: the operators' kernels in tensorflow/lite/kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import (
    CONTAINER,
    WEIGHT_AND_BIAS,
    Attrs,
    Part,
    Row,
    Step,
    Unshaped,
    floordiv,
    product,
    row,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.frontend import Dim, Shape

    from flopledger_tflite.node import Call


def _matrix(call: Call, index: int) -> Shape:
    shape = call.shape(index)
    if len(shape) != 2:
        raise call.impossible(f"has a weight of {len(shape)} axes, expected 2")
    return shape


def fully_connected(call: Call) -> Step:
    """A dense layer; the weight is (out, in), and the input is rows of ``in`` features whatever its axes."""
    shape, (features, size) = call.shape(), _matrix(call, 1)
    count = product(shape)
    if isinstance(size, int) and (size < 1 or (isinstance(count, int) and count % size)):
        raise call.impossible(f"has {count} elements and a weight for {size}")
    keep = call.flag("keep_num_dims") and len(shape) > 0
    rows: Shape = shape if keep else (floordiv(count, size), size)
    if rows[-1] != size:
        raise call.impossible(f"has vectors of {rows[-1]} and a weight for {size}")
    shapes = [(*rows[:-1], features)] * max(call.outputs, 1)
    operand: int | Shape = 0 if rows == shape else rows
    if not call.value(1).constants:
        attrs: Attrs = {"transpose_b": True, "bias": call.has(2)}
        return Step("matmul", attrs, (operand, 1), shapes)
    return Step("linear", {"out_features": features, "bias": call.has(2)}, (operand,), shapes)


def batch_matmul(call: Call) -> Step:
    """A product of matrices; with a constant matrix on the right it is a dense layer."""
    first, second = call.shape(0), call.shape(1)
    if len(first) < 2 or len(second) < 2:
        raise call.impossible("multiplies inputs of fewer than two axes")
    turn = call.flag("adj_x"), call.flag("adj_y")
    if len(second) == 2 and not turn[0] and call.value(1).constants and not call.value(0).constants:
        size, features = second[::-1] if turn[1] else second
        if first[-1] != size:
            raise call.impossible(f"has vectors of {first[-1]} and a weight for {size}")
        return Step("linear", {"out_features": features, "bias": False}, (0,))
    attrs: Attrs = {"transpose_a": turn[0], "transpose_b": turn[1]}
    return Step("matmul", attrs, (0, 1))


def svdf(call: Call) -> Step:
    """A dense layer of rank r (SVDF): features of the input, then a filter over those of the last steps.

    ``B F I`` multiply-accumulates for F = r units features, ``B F M`` for the filter over M steps.
    Source: Nakkiran et al., 2015, Compressing deep neural networks using a rank-constrained topology.
    """
    batch, (features, _), (_, memory) = call.shape()[0], _matrix(call, 1), _matrix(call, 2)
    rank = max(call.whole("rank"), 1)
    units = floordiv(features, rank)
    parts = [
        Part("features", "linear", {"out_features": features}, (call.shape(),)),
        Part("time", "matmul", {}, ((features, batch, memory), (features, memory, 1))),
    ]
    if rank > 1:
        parts.append(Part("ranks", "reduce_sum", {"axes": (2,)}, ((batch, units, rank),)))
    if call.has(3):
        parts.append(Part("bias", "add", {}, ((batch, units), (units,))))
    return Step(CONTAINER, parts=parts, shapes=[(batch, units)])


def rnn(call: Call) -> Step:
    """One step of a simple recurrent layer: input, weight (U, I), recurrent weight (U, U), bias, state."""
    units, size = _matrix(call, 1)
    _reads(call, call.shape()[-1], size)
    return Step("rnn_cell", {"hidden_size": units, "biases": 1}, (0,))


def _reads(call: Call, features: Dim, size: Dim) -> None:
    if isinstance(features, int) and isinstance(size, int) and features != size:
        raise call.impossible(f"has steps of {features} features and a weight for {size}")


def sequence_rnn(call: Call) -> Step:
    """The same for every step."""
    units, size = _matrix(call, 1)
    _reads(call, call.shape()[-1], size)
    attrs: Attrs = {"hidden_size": units, "biases": 1, "batch_first": not call.flag("time_major")}
    return Step("rnn", attrs, (0,))


def bidirectional_rnn(call: Call) -> Step:
    """Two of them, one from behind; each has four inputs: weight, recurrent weight, bias and state."""
    shape, merged = call.shape(), call.flag("merge_outputs")
    _without(call, 9)
    parts, sizes = [], []
    for name, first in (("forward", 1), ("backward", 5)):
        units, size = _matrix(call, first)
        _reads(call, shape[-1], size)
        attrs: Attrs = {"hidden_size": units, "biases": 1, "batch_first": not call.flag("time_major")}
        parts.append(Part(name, "rnn", attrs, (shape,)))
        sizes.append(units)
    return Step(CONTAINER, parts=parts, shapes=_directions(shape, sizes, merged=merged))


def _without(call: Call, index: int) -> None:
    """Refuse the second input that layers on top of a bidirectional one may have."""
    if call.has(index):
        raise Unshaped("a recurrent layer with an auxiliary input has no formula here")


def _directions(shape: Shape, sizes: list[Dim], *, merged: bool) -> list[Shape | None]:
    """Return the outputs of two directions: side by side, or one after the other."""
    if merged:
        return [(*shape[:-1], sizes[0] + sizes[1])]
    return [(*shape[:-1], size) for size in sizes]


def lstm(call: Call) -> Step:
    """One step of an LSTM: (B, I), with all four weights of a kind in one in the basic form."""
    if call.whole("kernel_type") == 1:
        gates, joint = _matrix(call, 2)
        units = floordiv(gates, 4)
        batch = call.shape()[0]
        _reads(call, call.shape()[-1] + call.shape(1)[-1], joint)
        shapes = [(batch, units), (batch, units), (batch, joint), (batch, gates)]
        return Step("lstm_cell", {"hidden_size": units, "biases": 1}, (0,), shapes[: max(call.outputs, 1)])
    shape = call.shape()
    parts, state = _direction(call, "", 1, (1, *shape[:-1], shape[-1]), time_major=True)
    return Step(CONTAINER, parts=parts, shapes=[(*shape[:-1], state)] * max(call.outputs, 1))


def sequence_lstm(call: Call) -> Step:
    """The same for every step of (T, B, I) or (B, T, I)."""
    shape = call.shape()
    parts, state = _direction(call, "", 1, shape, time_major=call.flag("time_major"))
    only = parts[0]
    shapes = [(*shape[:-1], state)]
    if len(parts) == 1:
        return Step(only.kind, only.attrs, (0,), shapes)
    return Step(CONTAINER, parts=parts, shapes=shapes)


def bidirectional_lstm(call: Call) -> Step:
    """Two of them, one from behind; the second's weights are 17 inputs behind the first's."""
    shape = call.shape()
    _without(call, 39)
    first, forward = _direction(call, "forward", 1, shape, time_major=call.flag("time_major"))
    second, backward = _direction(call, "backward", 18, shape, time_major=call.flag("time_major"))
    shapes = _directions(shape, [forward, backward], merged=call.flag("merge_outputs"))
    return Step(CONTAINER, parts=[*first, *second], shapes=shapes)


def _direction(
    call: Call, name: str, first: int, shape: Shape, *, time_major: bool
) -> tuple[list[Part], Dim]:
    """Return the computations of one direction of an LSTM, and the size of its state.

    From input ``first`` on: four weights for the input (H, I), the first one of which is missing where the
    input gate is one less the forget gate; four for the state (H, R); three peepholes (H); four biases (H);
    the projection (R, H) and its bias.
    """
    if len(shape) != 3:
        raise call.impossible(f"has an input of {len(shape)} axes, expected 3")
    units, size = _matrix(call, first + 1)
    _reads(call, shape[-1], size)
    projected = call.has(first + 15)
    state = _matrix(call, first + 15)[0] if projected else units
    coupled = not call.has(first)
    peepholes = sum(call.has(first + 8 + i) for i in range(3))
    normed = call.inputs[20:24] if first == 1 else ()
    prefix = f"{name}." if name else ""
    if not coupled and not peepholes and not any(normed):
        attrs: Attrs = {
            "hidden_size": units,
            "biases": 1,
            "projection": state if projected else 0,
            "batch_first": not time_major,
        }
        return [Part(name or "lstm", "lstm", attrs, (shape,))], state
    gates = 3 if coupled else 4
    rows = product(shape[:-1])
    out, wide = (rows, units), (rows, gates * units)
    parts = [
        Part(f"{prefix}input", "linear", {"out_features": gates * units, "bias": True}, ((rows, size),)),
        Part(f"{prefix}state", "linear", {"out_features": gates * units}, ((rows, state),)),
        Part(f"{prefix}join", "add", {}, (wide, wide)),
        *(Part(f"{prefix}peephole", "multiply_add", {}, (out, out)) for _ in range(peepholes)),
        *(Part(f"{prefix}norm", "layer_norm", {}, (out,)) for each in normed if each is not None),
        Part(f"{prefix}gates", "sigmoid", {}, ((rows, (gates - 1) * units),)),
        *(Part(f"{prefix}tanh", "tanh", {}, (out,)) for _ in range(2)),
        *(Part(f"{prefix}product", "multiply", {}, (out, out)) for _ in range(3)),
        *(Part(f"{prefix}couple", "subtract", {"scalars": 1}, (out,)) for _ in range(coupled)),
        Part(f"{prefix}cell", "add", {}, (out, out)),
    ]
    if projected:
        bias = call.has(first + 16)
        parts.append(Part(f"{prefix}project", "linear", {"out_features": state, "bias": bias}, (out,)))
    return parts, state


_CELL: Mapping[int, str] = {
    **dict.fromkeys((*range(1, 12), 16), "weight"),
    **dict.fromkeys((*range(12, 16), 17), "bias"),
    **dict.fromkeys(range(20, 24), "scale"),
}
_BOTH: Mapping[int, str] = {
    **dict.fromkeys((*range(1, 12), 16, *range(18, 29), 33), "weight"),
    **dict.fromkeys((*range(12, 16), 17, *range(29, 33), 34), "bias"),
    **dict.fromkeys(range(40, 48), "weight"),
}
_RNN: Mapping[int, str] = {1: "weight", 2: "weight", 3: "bias"}

ROWS: Mapping[str, Row[Call]] = {
    "FULLY_CONNECTED": row(fully_connected, weights=WEIGHT_AND_BIAS),
    "BATCH_MATMUL": row(batch_matmul),
    "SVDF": row(svdf, 4, weights={1: "weight", 2: "weight", 3: "bias"}),
    "RNN": row(rnn, 4, weights=_RNN),
    "UNIDIRECTIONAL_SEQUENCE_RNN": row(sequence_rnn, 4, weights=_RNN),
    "BIDIRECTIONAL_SEQUENCE_RNN": row(
        bidirectional_rnn,
        4,
        8,
        weights={**_RNN, 5: "weight", 6: "weight", 7: "bias", 10: "weight", 11: "weight"},
    ),
    "LSTM": row(lstm, 18, 19, weights=_CELL),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": row(sequence_lstm, 18, 19, weights=_CELL),
    "BIDIRECTIONAL_SEQUENCE_LSTM": row(bidirectional_lstm, 35, 36, 37, 38, weights=_BOTH),
}
