"""The table of TensorFlow's operations: types of graph operations to kinds and neutral attributes.

Layers that call TensorFlow itself are traced as a function graph; these are the nodes found there.
Attributes and operands are as ``tensorflow/core/ops`` declares them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from flopledger_keras.tables.equations import explicit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flopledger.frontend import Shape, Value

Meaning: TypeAlias = "tuple[str, dict[str, Value], slice] | None"
"""A kind, its attributes and which operands it reads, the others being kernels, sizes and axes."""
Rule: TypeAlias = "Callable[[Any, Sequence[Shape], Sequence[Shape]], Meaning]"
"""Describes a node by itself, the shapes of its operands and those of its results."""
FIRST, SECOND, LAST, ALL = slice(1), slice(1, 2), slice(-1, None), slice(None)


def constant(tensor: Any) -> Any:
    """Return the value that a tensor of a graph has whatever the inputs are, else None."""
    import tensorflow as tf  # noqa: PLC0415  (only where it is the backend)

    return tf.get_static_value(tensor)


def _as(kind: str) -> Rule:
    return lambda _op, _ins, _outs: (kind, {}, FIRST)


def _joined(kind: str) -> Rule:
    return lambda _op, _ins, _outs: (kind, {}, ALL)


def _to_shape(kind: str) -> Rule:
    """Return the rule of a movement whose result has a shape that TensorFlow states."""
    return lambda _op, _ins, outs: (kind, {"shape": outs[0]}, FIRST) if len(outs) == 1 else None


def _matmul(op: Any, ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
    del ins
    names = ("transpose_a", "transpose_b") if op.type == "MatMul" else ("adj_x", "adj_y")
    turned = {side: bool(op.get_attr(name)) for side, name in zip(("a", "b"), names, strict=True)}
    return "matmul", {f"transpose_{side}": True for side, value in turned.items() if value}, slice(2)


def _einsum(op: Any, ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
    return "einsum", {"equation": explicit(op.get_attr("equation").decode(), tuple(ins))}, ALL


def _layout(op: Any) -> bool:
    return not op.get_attr("data_format").decode().startswith("NC")


def _spatial(values: Sequence[int], *, last: bool) -> tuple[int, ...]:
    return tuple(int(v) for v in (values[1:-1] if last else values[2:]))


def _window(op: Any) -> dict[str, Value]:
    last = _layout(op)
    attrs: dict[str, Value] = {"stride": _spatial(op.get_attr("strides"), last=last)}
    if "dilations" in op.node_def.attr:
        attrs["dilation"] = _spatial(op.get_attr("dilations"), last=last)
    padding = op.get_attr("padding").decode()
    if padding == "SAME":
        attrs["padding"] = "same"
    elif padding == "EXPLICIT":
        pads = op.get_attr("explicit_paddings")
        pairs = list(zip(pads[::2], pads[1::2], strict=True))
        attrs["padding"] = tuple((int(a), int(b)) for a, b in (pairs[1:-1] if last else pairs[2:]))
    if last:
        attrs["channels_last"] = True
    return attrs


def _conv(op: Any, ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
    """A convolution: the filter is its sizes, input channels of a group, filters."""
    data, weight = _ints(ins[0]), _ints(ins[1])
    channels = data[-1] if _layout(op) else data[1]
    attrs: dict[str, Value] = {"kernel": weight[:-2], "out_channels": weight[-1], **_window(op)}
    if channels != weight[-2]:
        attrs["groups"] = channels // weight[-2]
    return "conv", attrs, FIRST


def _depthwise(op: Any, ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
    """A convolution of each channel: the filter is its sizes, channels, multiplier."""
    weight = _ints(ins[1])
    channels = weight[-2]
    attrs: dict[str, Value] = {
        "kernel": weight[:-2],
        "out_channels": channels * weight[-1],
        "groups": channels,
    }
    return "conv", {**attrs, **_window(op)}, FIRST


def _conv_transpose(op: Any, ins: Sequence[Shape], outs: Sequence[Shape]) -> Meaning:
    """A transposed convolution, given by the sizes of its result; its padding is the remainder.

    The operands are the result's sizes, the filter (sizes, channels of the result, of the input), the input.
    """
    weight, data = _ints(ins[1]), _ints(ins[2])
    last, rank = _layout(op), len(weight) - 2
    strides = _spatial(op.get_attr("strides"), last=last)
    rates = _spatial(op.get_attr("dilations"), last=last) if "dilations" in op.node_def.attr else (1,) * rank
    before, after = _spatial(data, last=last), _spatial(_ints(outs[0]), last=last)
    spare = [
        (size - 1) * s + d * (k - 1) + 1 - out
        for size, out, k, s, d in zip(before, after, weight[:rank], strides, rates, strict=True)
    ]
    attrs: dict[str, Value] = {
        "kernel": weight[:rank],
        "out_channels": weight[-2],
        "stride": strides,
        "dilation": rates,
        "padding": tuple((max(n, 0), 0) for n in spare),
        "output_padding": tuple(max(-n, 0) for n in spare),
        "channels_last": last,
    }
    return "conv_transpose", attrs, LAST


def _ints(shape: Shape) -> tuple[int, ...]:
    """Return the sizes of a graph's tensor, which are numbers."""
    return tuple(int(str(size)) for size in shape)


def _pool(kind: str) -> Rule:
    def rule(op: Any, _ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
        kernel = _spatial(op.get_attr("ksize"), last=_layout(op))
        return kind, {"kernel": kernel, **_window(op)}, FIRST

    return rule


def _reduced(kind: str) -> Rule:
    def rule(op: Any, _ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
        axes = constant(op.inputs[1])
        if axes is None:
            return None
        along = tuple(int(a) for a in axes.reshape(-1))
        keep_dims = bool(op.get_attr("keep_dims")) if "keep_dims" in op.node_def.attr else False
        return kind, {"axes": along, "keep_dims": keep_dims}, FIRST

    return rule


def _batch_norm(op: Any, _ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
    return (
        "batch_norm",
        {"axis": -1 if _layout(op) else 1, "batch_stats": bool(op.get_attr("is_training"))},
        FIRST,
    )


def _resize(mode: str) -> Rule:
    """Return the rule of a resampling of pictures, whose channels are last, to the sizes of its result."""
    return lambda _op, _ins, outs: (
        "resample", {"mode": mode, "size": tuple(outs[0][1:3]), "channels_last": True}, FIRST,
    )  # fmt: skip


def _running(kind: str) -> Rule:
    def rule(op: Any, ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
        axis = constant(op.inputs[1])
        return None if axis is None else (kind, {"axis": int(axis) % len(ins[0])}, FIRST)

    return rule


def _top_k(op: Any, _ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
    size = constant(op.inputs[1])
    return None if size is None else ("top_k", {"size": int(size)}, FIRST)


def _compared(_op: Any, _ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
    return "compare", {"scalars": 1}, FIRST


def _bias(_op: Any, _ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
    return "add", {"scalars": 1}, FIRST


def _squared_difference(_op: Any, ins: Sequence[Shape], outs: Sequence[Shape]) -> Meaning:
    """An error without a mean, as ``tf.nn.moments`` has it; the kind has its first operand's size."""
    return ("mse", {"reduction": "none", "outputs": tuple(outs)}, ALL) if ins[0] == outs[0] else None


def _concat(op: Any, _ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
    axis = constant(op.inputs[-1])
    return None if axis is None else ("concat", {"axis": int(axis)}, slice(-1))


def _stack(op: Any, _ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
    return "stack", {"axis": int(op.get_attr("axis"))}, ALL


def _unstack(op: Any, _ins: Sequence[Shape], outs: Sequence[Shape]) -> Meaning:
    axis = int(op.get_attr("axis"))
    return ("unstack", {"axis": axis}, FIRST) if len(outs) > 1 else ("squeeze", {"axes": (axis,)}, FIRST)


def _split(op: Any, ins: Sequence[Shape], outs: Sequence[Shape]) -> Meaning:
    """A split; Split is called with the axis and the data, SplitV with data, sizes and axis."""
    data, place = (SECOND, 0) if op.type == "Split" else (FIRST, 2)
    axis = constant(op.inputs[place])
    if axis is None:
        return None
    along = int(axis) % len(ins[data][0])
    return "split", {"axis": along, "sizes": tuple(shape[along] for shape in outs)}, data


def _transpose(op: Any, _ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
    order = constant(op.inputs[1])
    return None if order is None else ("transpose", {"order": tuple(int(a) for a in order)}, FIRST)


def _select(_op: Any, _ins: Sequence[Shape], _outs: Sequence[Shape]) -> Meaning:
    return "select", {}, ALL


_FUNCTIONS: dict[str, str] = {
    **{name: name.lower() for name in ("Relu", "Relu6", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus", "Exp")},
    **{name: name.lower() for name in ("Softsign", "Log", "Sqrt", "Rsqrt", "Square", "Abs", "Sin", "Cos")},
    **{name: name.lower() for name in ("Erf", "Reciprocal", "Round", "Sign", "Cast", "Softmax", "Identity")},
    "LeakyRelu": "leaky_relu",
    "LogSoftmax": "log_softmax",
    "Neg": "negate",
    "Erfc": "erf",
    "Floor": "round",
    "Ceil": "round",
    "Rint": "round",
    "LogicalNot": "logical",
    "Invert": "logical",
    "StopGradient": "identity",
    "PreventGradient": "identity",
    "EnsureShape": "identity",
    "CheckNumerics": "identity",
}  # fmt: skip
_PAIRS: dict[str, str] = {
    "Add": "add", "AddV2": "add", "AddN": "add", "Sub": "subtract", "Mul": "multiply", "RealDiv": "divide",
    "Div": "divide", "DivNoNan": "divide", "FloorDiv": "divide", "TruncateDiv": "divide", "Pow": "power",
    "Maximum": "maximum", "Minimum": "minimum", "FloorMod": "modulo", "Mod": "modulo",
    "Atan2": "atan2", "LeftShift": "multiply", "RightShift": "multiply",
    **dict.fromkeys(("LogicalAnd", "LogicalOr", "BitwiseAnd", "BitwiseOr", "BitwiseXor"), "logical"),
    **dict.fromkeys(("Equal", "NotEqual", "Greater", "GreaterEqual", "Less", "LessEqual"), "compare"),
}  # fmt: skip
_REDUCTIONS: dict[str, str] = {
    "Sum": "reduce_sum", "Mean": "reduce_mean", "Max": "reduce_max", "Min": "reduce_min",
    "Prod": "reduce_prod", "All": "reduce_any", "Any": "reduce_any", "ArgMax": "arg_max", "ArgMin": "arg_max",
}  # fmt: skip
_MOVES = (
    "Reshape", "ExpandDims", "Squeeze", "StridedSlice", "Slice", "Tile", "Pad", "PadV2", "MirrorPad",
    "BroadcastTo", "Roll", "ReverseV2", "MatrixBandPart", "MatrixDiagV3", "MatrixDiagPartV3",
    "SpaceToBatchND", "BatchToSpaceND", "SpaceToDepth", "DepthToSpace", "ExtractImagePatches",
    "Bitcast", "Real", "Imag",
)  # fmt: skip
_GATHERS = ("Gather", "GatherV2", "GatherNd", "ResourceGather", "TensorScatterUpdate", "ScatterNd")
_CREATION = (
    "Fill", "ZerosLike", "OnesLike", "Range", "Shape", "Size", "Rank", "OneHot", "LinSpace",
    "InvertPermutation", "BroadcastArgs", "RandomUniform", "RandomStandardNormal", "TruncatedNormal",
    "StatelessRandomUniformV2",
    "StatelessRandomNormalV2", "StatelessTruncatedNormalV2",
)  # fmt: skip

RULES: dict[str, Rule] = {
    **{name: _as(kind) for name, kind in _FUNCTIONS.items()},
    **{name: _joined(kind) for name, kind in _PAIRS.items()},
    **{name: _reduced(kind) for name, kind in _REDUCTIONS.items()},
    **dict.fromkeys(_MOVES, _to_shape("view")),
    **dict.fromkeys(_GATHERS, _to_shape("gather")),
    **dict.fromkeys(_CREATION, _to_shape("fill")),
    **dict.fromkeys(("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"), _matmul),
    "Einsum": _einsum,
    **dict.fromkeys(("Conv2D", "Conv3D"), _conv),
    "DepthwiseConv2dNative": _depthwise,
    **dict.fromkeys(("Conv2DBackpropInput", "Conv3DBackpropInputV2"), _conv_transpose),
    **dict.fromkeys(("MaxPool", "MaxPool3D"), _pool("max_pool")),
    **dict.fromkeys(("AvgPool", "AvgPool3D"), _pool("avg_pool")),
    "FusedBatchNormV3": _batch_norm,
    "ResizeNearestNeighbor": _resize("nearest"),
    "ResizeBilinear": _resize("linear"),
    "ResizeBicubic": _resize("cubic"),
    "Cumsum": _running("cumsum"),
    "Cumprod": _running("cumprod"),
    "TopKV2": _top_k,
    **dict.fromkeys(("IsNan", "IsInf", "IsFinite"), _compared),
    "BiasAdd": _bias,
    "SquaredDifference": _squared_difference,
    "ConcatV2": _concat,
    "Pack": _stack,
    "Unpack": _unstack,
    **dict.fromkeys(("Split", "SplitV"), _split),
    "Transpose": _transpose,
    **dict.fromkeys(("Select", "SelectV2"), _select),
}
"""Types of operations by name."""

WITHOUT_ROW = frozenset((
    "Placeholder", "PlaceholderWithDefault", "Const", "NoOp", "ReadVariableOp", "VarHandleOp", "Assert",
    "StatelessRandomGetKeyCounter",
))  # fmt: skip
"""Nodes that hold values, random seeds among them, or only order others; they are no calls."""

CALLS = frozenset(("PartitionedCall", "StatefulPartitionedCall"))
"""A function's call: the nodes in it do the work."""
