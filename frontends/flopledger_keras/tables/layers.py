"""The table of Keras layers: each in neutral terms.

A layer that is not here runs its own ``call`` on shapes, and the operations in it determine its meaning.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from flopledger_keras.introspect import dtype_of
from flopledger_keras.tables.call import last_axes, one_or_all
from flopledger_keras.tables.equations import explicit
from flopledger_keras.tables.lora import low_rank, of_einsum, of_embedding
from flopledger_keras.tables.numerics import RESAMPLING, limited, normalized
from flopledger_keras.tables.ops import relu
from flopledger_keras.tables.steps import Branch, Description, Step
from flopledger_keras.tables.windows import (
    bias,
    channels_last,
    conv_layer_attrs,
    conv_transpose_layer_attrs,
    depthwise_layer_attrs,
    pointwise_attrs,
    pool_attrs,
    spread,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend import Shape, Value

    from flopledger_keras.tables.call import KerasCall


Rule: TypeAlias = "Callable[[Any, KerasCall], Description | None]"
"""Describes a layer on certain shapes; None where its ``call`` must be followed."""


def single(
    name: str, kind: str, attrs: Mapping[str, Value], activation: Callable[..., object] | None = None
) -> Description:
    """Return the description of a layer of one step."""
    return Description((Step(name, kind, attrs),), None if is_linear(activation) else activation)


def is_linear(activation: object) -> bool:
    """Return whether an activation does nothing."""
    return activation is None or (
        getattr(activation, "__name__", "") == "linear"
        and str(getattr(activation, "__module__", "")).startswith("keras.")
    )


def _conv(layer: Any, call: KerasCall) -> Description:
    description = single("conv", "conv", conv_layer_attrs(layer), layer.activation)
    return replace(description, beside=low_rank(layer, call))


def _transposed(layer: Any, _call: KerasCall) -> Description:
    return single("conv_transpose", "conv_transpose", conv_transpose_layer_attrs(layer), layer.activation)


def _channels(layer: Any, shape: Shape) -> int:
    return int(str(shape[-1] if channels_last(layer) else shape[-layer.rank - 1]))


def _depthwise(layer: Any, call: KerasCall) -> Description:
    attrs = depthwise_layer_attrs(layer, _channels(layer, call.inputs[0]))
    return single("depthwise_conv", "conv", {**attrs, **bias(layer)}, layer.activation)


def _separable(layer: Any, call: KerasCall) -> Description:
    first = Step("depthwise_conv", "conv", depthwise_layer_attrs(layer, _channels(layer, call.inputs[0])))
    second = Step("conv", "conv", pointwise_attrs(layer))
    return Description((first, second), None if is_linear(layer.activation) else layer.activation)


def _dense(layer: Any, call: KerasCall) -> Description:
    description = single(
        "matmul", "linear", {"out_features": int(layer.units), **bias(layer)}, layer.activation
    )
    return replace(description, beside=low_rank(layer, call))


def _einsum_dense(layer: Any, call: KerasCall) -> Description:
    # the kernel itself may be packed, and `layer.kernel` of an updated or packed one computes it
    stated = getattr(layer, "original_kernel_shape", None)
    kernel = tuple(int(d) for d in (layer.kernel.shape if stated is None else stated))
    equation = explicit(layer.equation, (call.inputs[0], kernel))
    attrs: dict[str, Value] = {"equation": equation}
    if layer.bias_axes:
        attrs["bias"] = True
    step = Step("einsum", "einsum", attrs, (kernel,), native={"equation": str(layer.equation)})
    activation = None if is_linear(layer.activation) else layer.activation
    return Description((step,), activation, of_einsum(layer, call, equation))


def _embedding(layer: Any, call: KerasCall) -> Description:
    attrs = {"num_embeddings": int(layer.input_dim), "embedding_dim": int(layer.output_dim)}
    return replace(single("take", "embedding", attrs), beside=of_embedding(layer, call))


def _batch_norm(layer: Any, call: KerasCall) -> Description:
    attrs: dict[str, Value] = {
        "axis": layer.axis,
        "scale": bool(layer.scale),
        "shift": bool(layer.center),
        "batch_stats": call.training and bool(layer.trainable),
    }
    return single("batch_normalization", "batch_norm", attrs)


def _layer_norm(layer: Any, call: KerasCall) -> Description | None:
    axis = last_axes(layer.axis, len(call.inputs[0]))
    if axis is None:
        return None
    if layer.rms_scaling:
        return single("layer_normalization", "rms_norm", {"axis": axis, "scale": bool(layer.scale)})
    attrs: dict[str, Value] = {"axis": axis, "scale": bool(layer.scale), "shift": bool(layer.center)}
    return single("layer_normalization", "layer_norm", attrs)


def _rms_norm(layer: Any, call: KerasCall) -> Description | None:
    axis = last_axes(layer.axis, len(call.inputs[0]))
    return None if axis is None else single("rms_normalization", "rms_norm", {"axis": axis})


def _group_norm(layer: Any, call: KerasCall) -> Description:
    axis = layer.axis % len(call.inputs[0])
    groups = call.inputs[0][axis] if layer.groups == -1 else layer.groups
    attrs = {"groups": groups, "axis": axis, "scale": bool(layer.scale), "shift": bool(layer.center)}
    return single("group_normalization", "group_norm", attrs)


def _unit_norm(layer: Any, call: KerasCall) -> Description | None:
    meaning = normalized(layer.axis, len(call.inputs[0]))
    return None if meaning is None else single("normalize", *meaning)


def _pool(kind: str) -> Rule:
    def rule(layer: Any, call: KerasCall) -> Description:
        return single(kind, kind, pool_attrs(layer, len(call.inputs[0]) - 2))

    return rule


def _global_pool(kind: str) -> Rule:
    def rule(layer: Any, call: KerasCall) -> Description:
        attrs: dict[str, Value] = {
            "kernel": (0,) * (len(call.inputs[0]) - 2),
            "whole": True,
            "keep_dims": bool(layer.keepdims),
            "channels_last": channels_last(layer),
        }
        return single(kind, kind, attrs)

    return rule


def _masked_mean(layer: Any, call: KerasCall) -> Description:
    """The mean of the steps that a mask leaves: their sum, divided by how many they are."""
    mask = call.argument(1, "mask")
    if mask is None:
        return _global_pool("avg_pool")(layer, call) or Description(())
    steps = 1 if channels_last(layer) else 2
    total = Step("sum", "reduce_sum", {"axes": (steps,), "keep_dims": bool(layer.keepdims)})
    count = Step("sum", "reduce_sum", {"axes": (1,), "keep_dims": True}, (mask,))
    spread_count = (call.inputs[0][0], 1, 1) if layer.keepdims else (call.inputs[0][0], 1)
    mean = Step("divide", "divide", {}, (spread_count,))
    return Description((total, mean), beside=(Branch((count,), reads_input=False),))


def _adaptive_pool(kind: str) -> Rule:
    def rule(layer: Any, call: KerasCall) -> Description:
        size = spread(layer.output_size, len(call.inputs[0]) - 2)
        return single(kind, kind, {"output_size": size, "channels_last": channels_last(layer)})

    return rule


def _relu(layer: Any, call: KerasCall) -> Description | None:
    meaning = relu(layer, call)
    return None if meaning is None else single(meaning[0], *meaning)


def _without_attrs(kind: str) -> Rule:
    return lambda _layer, _call: single(kind, kind, {})


def _axis(kind: str) -> Rule:
    def rule(layer: Any, _call: KerasCall) -> Description | None:
        return single(kind, kind, {"axis": layer.axis}) if isinstance(layer.axis, int) else None

    return rule


def _softmax(layer: Any, call: KerasCall) -> Description:
    """A softmax along one axis or several; a mask picks a large negative number before, and 0 afterwards."""
    attrs: dict[str, Value] = {"axis": one_or_all(layer.axis)}
    mask = call.argument(1, "mask")
    if mask is None:
        return single("softmax", "softmax", attrs)
    pick = Step("where", "select", {"scalars": 1}, (mask,))
    whether = Branch((Step("greater", "compare", {"scalars": 1}, (mask,)),), reads_input=False)
    beside = () if dtype_of(mask) == "bool" else (whether,)  # keras_hub's masks are numbers
    return Description((pick, Step("softmax", "softmax", attrs), pick), beside=beside)


def _dropout(layer: Any, call: KerasCall) -> Description:
    return single("dropout", "dropout", {"rate": float(layer.rate), "training": call.training})


def _idle(_layer: Any, call: KerasCall) -> Description | None:
    """Describe a layer that works in training only, whose ``call`` must be followed then."""
    return None if call.training else single("identity", "identity", {})


def _flatten(layer: Any, call: KerasCall) -> Description | None:
    plain = channels_last(layer) and len(call.inputs[0]) > 1
    return single("reshape", "flatten", {}) if plain else None


def _reshape(layer: Any, _call: KerasCall) -> Description:
    return single("reshape", "reshape", {"lead": 1, "shape": tuple(int(d) for d in layer.target_shape)})


def _permute(layer: Any, _call: KerasCall) -> Description:
    return single("transpose", "transpose", {"order": (0, *(int(d) for d in layer.dims))})


def _repeat_vector(layer: Any, _call: KerasCall) -> Description:
    steps = (
        Step("expand_dims", "unsqueeze", {"axes": (1,)}),
        Step("repeat", "tile", {"repeats": (1, int(layer.n), 1)}),
    )
    return Description(steps)


def _pairs(layer: Any, amounts: object, sign: int) -> Value:
    """Return the padding before and after each axis; with sign -1 it is cropped."""
    given = amounts if isinstance(amounts, (tuple, list)) else ()
    nested = given if given and isinstance(given[0], (tuple, list)) else (given,)
    sizes = tuple((sign * int(before), sign * int(after)) for before, after in nested)
    if channels_last(layer):
        return ((0, 0), *sizes, (0, 0))
    return ((0, 0), (0, 0), *sizes)


def _zero_padding(layer: Any, _call: KerasCall) -> Description:
    return single("pad", "pad", {"padding": _pairs(layer, layer.padding, 1)})


def _cropping(layer: Any, _call: KerasCall) -> Description:
    return single("slice", "pad", {"padding": _pairs(layer, layer.cropping, -1)})


def _upsampling(layer: Any, call: KerasCall) -> Description | None:
    mode = RESAMPLING.get(getattr(layer, "interpolation", "nearest"))
    rank = len(call.inputs[0]) - 2
    if mode is None:
        return None
    last = rank == 1 or channels_last(layer)
    scale = spread(layer.size, rank)
    attrs: dict[str, Value] = {"mode": mode, "scale": scale, "axes": rank, "channels_last": last}
    after = limited(call.argument(0, "inputs"), mode)
    return Description((Step("resize", "resample", attrs), *(Step(kind, kind, {}) for kind in after)))


def _dot(layer: Any, call: KerasCall) -> Description | None:
    """A product over one axis of each input, for each item of the batch."""
    if layer.normalize:
        return None
    a, b = (len(shape) for shape in call.inputs)
    first, second = (layer.axes, layer.axes) if isinstance(layer.axes, int) else layer.axes
    x = ["a", *(chr(ord("b") + i) for i in range(a - 1))]
    y = ["a", *(chr(ord("b") + a + i) for i in range(b - 1))]
    y[second % b] = x[first % a]
    out = [c for c in x if c == "a" or c not in y] + [c for c in y if c not in x]
    out = out if len(out) > 1 else ["a"]
    if len(call.outputs[0]) != len(out):
        return None
    return single("batch_dot", "einsum", {"equation": f"{''.join(x)},{''.join(y)}->{''.join(out)}"})


def _rescaling(_layer: Any, _call: KerasCall) -> Description:
    scalar = {"scalars": 1}
    return Description((Step("multiply", "multiply", scalar), Step("add", "add", scalar)))


def _normalization(layer: Any, _call: KerasCall) -> Description | None:
    if layer.invert or layer.mean is None:
        return None
    mean = tuple(int(d) for d in layer.mean.shape)
    return Description((Step("subtract", "subtract", {}, (mean,)), Step("divide", "divide", {}, (mean,))))


def _resizing(layer: Any, _call: KerasCall) -> Description | None:
    mode = RESAMPLING.get(layer.interpolation)
    if mode is None or layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio:
        return None
    size = (int(layer.height), int(layer.width))
    last = channels_last(layer)
    return single("resize", "resample", {"mode": mode, "size": size, "channels_last": last})


def _center_crop(layer: Any, call: KerasCall) -> Description | None:
    shape = call.inputs[0]
    first = len(shape) - (3 if channels_last(layer) else 2)
    spare = [int(str(shape[first + i])) - size for i, size in enumerate((layer.height, layer.width))]
    if min(spare) < 0:
        return None
    cuts = [(-(n // 2), n // 2 - n) for n in spare]
    padding = [(0, 0)] * len(shape)
    padding[first : first + 2] = cuts
    return single("slice", "pad", {"padding": tuple(padding)})


def _activation(layer: Any, _call: KerasCall) -> Description:
    if is_linear(layer.activation):
        return single("identity", "identity", {})
    return Description((), layer.activation)


LAYERS: dict[str, Rule] = {
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D"), _conv),
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), _transposed),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), _depthwise),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _separable),
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "Embedding": _embedding,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "RMSNormalization": _rms_norm,
    "GroupNormalization": _group_norm,
    "UnitNormalization": _unit_norm,
    **{f"MaxPooling{n}D": _pool("max_pool") for n in (1, 2, 3)},
    **{f"AveragePooling{n}D": _pool("avg_pool") for n in (1, 2, 3)},
    **{f"GlobalMaxPooling{n}D": _global_pool("max_pool") for n in (1, 2, 3)},
    **{f"GlobalAveragePooling{n}D": _global_pool("avg_pool") for n in (2, 3)},
    "GlobalAveragePooling1D": _masked_mean,
    **{f"AdaptiveMaxPooling{n}D": _adaptive_pool("adaptive_max_pool") for n in (1, 2, 3)},
    **{f"AdaptiveAveragePooling{n}D": _adaptive_pool("adaptive_avg_pool") for n in (1, 2, 3)},
    "Activation": _activation,
    "ReLU": _relu,
    "LeakyReLU": _without_attrs("leaky_relu"),
    "PReLU": _without_attrs("prelu"),
    "ELU": _without_attrs("elu"),
    "Softmax": _softmax,
    "Dropout": _dropout,
    **{f"SpatialDropout{n}D": _dropout for n in (1, 2, 3)},
    "AlphaDropout": _idle,
    "GaussianDropout": _idle,
    "GaussianNoise": _idle,
    "ActivityRegularization": _without_attrs("identity"),
    "Identity": _without_attrs("identity"),
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "RepeatVector": _repeat_vector,
    **{f"ZeroPadding{n}D": _zero_padding for n in (1, 2, 3)},
    **{f"Cropping{n}D": _cropping for n in (1, 2, 3)},
    **{f"UpSampling{n}D": _upsampling for n in (1, 2, 3)},
    **{kind.capitalize(): _without_attrs(kind) for kind in ("add", "subtract", "multiply", "average")},
    **{kind.capitalize(): _without_attrs(kind) for kind in ("maximum", "minimum")},
    "Concatenate": _axis("concat"),
    "Dot": _dot,
    "Rescaling": _rescaling,
    "Normalization": _normalization,
    "Resizing": _resizing,
    "CenterCrop": _center_crop,
    **{
        f"Random{name}": _idle
        for name in (
            "Brightness", "ColorDegeneration", "ColorJitter", "Contrast", "Flip", "GaussianBlur", "Grayscale",
            "Hue", "Invert", "Perspective", "Posterization", "Rotation", "Saturation", "Sharpness", "Shear",
            "Translation", "Zoom", "ElasticTransform", "Erasing",
        )
    },
}  # fmt: skip
"""Layer classes of ``keras.layers`` by name."""
