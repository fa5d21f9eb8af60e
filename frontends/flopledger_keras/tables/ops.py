"""The table of Keras operations: ``keras.ops`` functions to kinds and neutral attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flopledger.frontend import is_dim

from flopledger_keras.tables.call import axes, one_or_all
from flopledger_keras.tables.equations import explicit, tensordot
from flopledger_keras.tables.names import OPERANDS, REDUCTIONS, SIMPLE
from flopledger_keras.tables.numerics import NUMERICS
from flopledger_keras.tables.windows import conv_attrs, conv_transpose_attrs, depthwise_attrs, pool_attrs

if TYPE_CHECKING:
    from flopledger.frontend import Shape, Value

    from flopledger_keras.tables.call import KerasCall, Meaning, Rule


def _as(kind: str) -> Rule:
    return lambda _op, _call: (kind, {})


def _joined(kind: str) -> Rule:
    """Return the rule of an operation on several operands, some of them plain numbers."""
    return lambda _op, call: (kind, {"scalars": call.scalars} if call.scalars else {})


def _along(kind: str) -> Rule:
    return lambda op, _call: (kind, {"axis": op.axis})


def _normalised(kind: str) -> Rule:
    """Return the rule of a softmax, along one axis or several."""
    return lambda op, _call: (kind, {"axis": one_or_all(op.axis)})


def _reduced(kind: str) -> Rule:
    return lambda op, _call: (kind, {"axes": axes(op.axis), "keep_dims": bool(op.keepdims)})


def _view(_op: Any, call: KerasCall) -> Meaning:
    return ("view", {"shape": call.outputs[0]}) if len(call.outputs) == 1 else None


def _gather(_op: Any, call: KerasCall) -> Meaning:
    return "gather", {"shape": call.outputs[0]}


def _fill(_op: Any, call: KerasCall) -> Meaning:
    return "fill", {"shape": call.outputs[0]}


def relu(op: Any, _call: KerasCall) -> Meaning:
    """A rectifier with Keras's options: a slope below zero, a largest value, a threshold."""
    options: dict[str, Value] = {
        "threshold": bool(getattr(op, "threshold", 0)),
        "slope": bool(getattr(op, "negative_slope", 0)),
        "largest": getattr(op, "max_value", None) is not None,
    }
    chosen = [name for name, value in options.items() if value]
    if len(chosen) > 1:
        return "rectifier", options
    return {"threshold": "threshold", "slope": "leaky_relu", "largest": "relu6"}[
        chosen[0]
    ] if chosen else "relu", {}


def _gelu(op: Any, _call: KerasCall) -> Meaning:
    return ("gelu_tanh" if op.approximate else "gelu"), {}


def _reshape(op: Any, call: KerasCall) -> Meaning:
    return reshaped(call.inputs[0], call.outputs[0], op.newshape)


def reshaped(before: Shape, after: Shape, wanted: object) -> Meaning:
    """Return a reshape that keeps the leading axes that stay, so that their sizes may be others."""
    lead = 0
    while lead < min(len(before), len(after)) and before[lead] == after[lead]:
        lead += 1
    open_size = isinstance(wanted, (tuple, list)) and -1 in wanted
    shape = tuple(
        -1 if open_size and size == -1 else after[i] for i, size in enumerate(_sizes(wanted, after))
    )
    return "reshape", {"lead": lead, "shape": shape[lead:] if lead < len(after) else ()}


def _sizes(wanted: object, after: Shape) -> tuple[object, ...]:
    return tuple(wanted) if isinstance(wanted, (tuple, list)) and len(wanted) == len(after) else after


def _transpose(op: Any, call: KerasCall) -> Meaning:
    rank = len(call.inputs[0])
    order = tuple(reversed(range(rank))) if op.axes is None else tuple(int(a) for a in op.axes)
    return "transpose", {"order": order}


def _swapaxes(op: Any, call: KerasCall) -> Meaning:
    order = list(range(len(call.inputs[0])))
    order[op.axis1], order[op.axis2] = order[op.axis2], order[op.axis1]
    return "transpose", {"order": tuple(order)}


def _stack(op: Any, _call: KerasCall) -> Meaning:
    return "stack", {"axis": op.axis}


def _split(op: Any, call: KerasCall) -> Meaning:
    axis = op.axis % len(call.inputs[0])
    return "split", {"axis": axis, "sizes": tuple(shape[axis] for shape in call.outputs)}


def _unstack(op: Any, call: KerasCall) -> Meaning:
    """Slices of length one along an axis, which then goes: a view for each, of one shape."""
    if len(call.outputs) == 1:
        return "squeeze", {"axes": axes(op.axis)}
    return "unstack", {"axis": op.axis}


def _clip(_op: Any, _call: KerasCall) -> Meaning:
    """A value between two limits: two comparisons, as min(max(x, low), high)."""
    return "hard_tanh", {}


def weights_given(op: Any) -> bool:
    """Return whether an operation's second operand is a kernel, which its kind knows by its attributes."""
    return type(op).__name__ in ("Conv", "DepthwiseConv", "ConvTranspose")


def shape_given(op: Any) -> bool:
    """Return whether an operation takes its first operand's shape alone, and reads none of its values."""
    return type(op).__name__ in ("ZerosLike", "OnesLike", "EmptyLike", "FullLike")


def _squeeze(op: Any, _call: KerasCall) -> Meaning:
    return "squeeze", {"axes": axes(op.axis)}


def _unsqueeze(op: Any, _call: KerasCall) -> Meaning:
    return "unsqueeze", {"axes": axes(op.axis)}


def _pad(op: Any, _call: KerasCall) -> Meaning:
    width = op.pad_width
    return "pad", {"padding": tuple((int(before), int(after)) for before, after in width)}


def _tile(op: Any, _call: KerasCall) -> Meaning:
    return "tile", {"repeats": axes(op.repeats)}


def _repeat(op: Any, call: KerasCall) -> Meaning:
    if op.axis is None or not isinstance(op.repeats, int):
        return _view(op, call)
    times = [1] * len(call.inputs[0])
    times[op.axis] = op.repeats
    return "tile", {"repeats": tuple(times)}


def _get_item(op: Any, call: KerasCall) -> Meaning:
    """One slice along one axis is a slice; any other pick a view."""
    key = call.argument(1, "key")
    keys = key if isinstance(key, tuple) else (key,)
    whole = slice(None)
    picked = [(axis, k) for axis, k in enumerate(keys) if k != whole]
    if not picked and Ellipsis not in keys:
        return "identity", {}
    plain = len(picked) == 1 and isinstance(picked[0][1], slice) and Ellipsis not in keys
    if not plain:
        return _view(op, call)
    axis, cut = picked[0]
    ends: dict[str, Value] = {
        "start": cut.start,
        "stop": cut.stop,
        "step": 1 if cut.step is None else cut.step,
    }
    numbers = all(value is None or is_dim(value) for value in ends.values())
    return ("slice", {"axis": axis, **ends}) if numbers else _view(op, call)


def _einsum(op: Any, call: KerasCall) -> Meaning:
    return "einsum", {"equation": explicit(op.subscripts, call.inputs)}


def _tensordot(op: Any, call: KerasCall) -> Meaning:
    return "einsum", {"equation": tensordot(op.axes, len(call.inputs[0]), len(call.inputs[1]))}


def _dot(_op: Any, call: KerasCall) -> Meaning:
    """The last axis with the last but one of the second operand, or its only one (numpy.dot)."""
    a, b = (len(shape) for shape in call.inputs) if len(call.inputs) == 2 else (0, 0)
    if not a or not b:
        return None
    return "einsum", {"equation": tensordot(([a - 1], [max(b - 2, 0)]), a, b)}


def _inner(_op: Any, call: KerasCall) -> Meaning:
    """The last axis of both operands (numpy.inner)."""
    a, b = (len(shape) for shape in call.inputs) if len(call.inputs) == 2 else (0, 0)
    return ("einsum", {"equation": tensordot(([a - 1], [b - 1]), a, b)}) if a and b else None


def _adaptive(kind: str) -> Rule:
    def rule(op: Any, _call: KerasCall) -> Meaning:
        sizes = tuple(int(n) for n in op.output_size)
        return kind, {"output_size": sizes, "channels_last": op.data_format != "channels_first"}

    return rule


def _pool(kind: str) -> Rule:
    return lambda op, call: (kind, pool_attrs(op, len(call.inputs[0]) - 2))


def _conv(op: Any, call: KerasCall) -> Meaning:
    return "conv", conv_attrs(op, call.inputs[0], call.inputs[1])


def _depthwise(op: Any, call: KerasCall) -> Meaning:
    return "conv", depthwise_attrs(op, call.inputs[0], call.inputs[1])


def _transposed(op: Any, call: KerasCall) -> Meaning:
    return "conv_transpose", conv_transpose_attrs(op, call.inputs[1])


def _top_k(op: Any, _call: KerasCall) -> Meaning:
    return "top_k", {"size": op.k}


def _norm(op: Any, call: KerasCall) -> Meaning:
    first = op.axis[0] if isinstance(op.axis, (tuple, list)) else op.axis
    kind = "rms_norm" if type(op).__name__ == "RMSNorm" else "layer_norm"
    shift: dict[str, Value] = {} if kind == "rms_norm" else {"shift": len(call.inputs) > 2}
    return kind, {"axis": first, "scale": len(call.inputs) > 1, **shift}


OPERATIONS: dict[str, Rule] = {
    **NUMERICS,
    **{name: _as(kind) for name, kind in SIMPLE.items()},
    **{name: _joined(kind) for name, kind in OPERANDS.items()},
    **{name: _reduced(kind) for name, kind in REDUCTIONS.items()},
    "Relu": relu,
    "ReLU": relu,
    "Gelu": _gelu,
    "Glu": _along("glu"),
    "Softmax": _normalised("softmax"),
    "LogSoftmax": _normalised("log_softmax"),
    "Concatenate": _along("concat"),
    "Cumsum": _along("cumsum"),
    "Sort": _along("sort"),
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Swapaxes": _swapaxes,
    "Stack": _stack,
    "Split": _split,
    "Unstack": _unstack,
    "Clip": _clip,
    "Squeeze": _squeeze,
    "ExpandDims": _unsqueeze,
    "Pad": _pad,
    "Tile": _tile,
    "Repeat": _repeat,
    "GetItem": _get_item,
    "BroadcastTo": lambda _op, call: ("expand", {"shape": call.outputs[0]}),
    "Moveaxis": _view,
    "Ravel": _view,
    "Diagonal": _view,
    "Slice": _view,
    "Take": _gather,
    "TakeAlongAxis": _gather,
    "OneHot": _fill,
    "OnesLike": _fill,
    "ZerosLike": _fill,
    "FullLike": _fill,
    "Full": _fill,
    "Arange": _fill,
    "Einsum": _einsum,
    "Tensordot": _tensordot,
    "Dot": _dot,
    "Inner": _inner,
    "Conv": _conv,
    "DepthwiseConv": _depthwise,
    "ConvTranspose": _transposed,
    "MaxPool": _pool("max_pool"),
    "AveragePool": _pool("avg_pool"),
    "AdaptiveMaxPool": _adaptive("adaptive_max_pool"),
    "AdaptiveAveragePool": _adaptive("adaptive_avg_pool"),
    "TopK": _top_k,
    "LayerNorm": _norm,
    "RMSNorm": _norm,
}
"""Operation classes by name."""
