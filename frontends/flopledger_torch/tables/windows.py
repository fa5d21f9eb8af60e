"""Convolutions, pooling and resampling: modules, functions and ops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import floordiv, is_dim, plain

from flopledger_torch.tables.call import Meaning, Rule, TorchCall, sizes, whole

if TYPE_CHECKING:
    from flopledger.frontend import Dim, Value

_NEAREST = frozenset(("nearest", "nearest-exact"))
_MODES = {"bilinear": "linear", "linear": "linear", "trilinear": "linear", "bicubic": "cubic", "area": "area"}


def _padding(value: Value, kernel: tuple[Dim, ...], dilation: tuple[Dim, ...]) -> Value:
    """Return the padding before and after; ``same`` puts the odd one after."""
    if value == "same":
        spans = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((floordiv(s, 2), s - floordiv(s, 2)) for s in spans)
    return sizes(0 if value == "valid" else value, len(kernel), 0)


def _conv(
    call: TorchCall, kernel: tuple[Dim, ...], channels: Dim, arguments: dict[str, Value], *, bias: bool
) -> Meaning:
    axes = len(kernel)
    stride, dilation = sizes(arguments["stride"], axes), sizes(arguments["dilation"], axes)
    attrs: dict[str, Value] = {
        "kernel": kernel,
        "out_channels": channels,
        "stride": stride,
        "padding": _padding(arguments["padding"], kernel, dilation),
        "dilation": dilation,
        "groups": whole(arguments["groups"], 1),
        "bias": bias,
    }
    return Meaning("conv", attrs, call.first)


def _transposed(
    call: TorchCall, kernel: tuple[Dim, ...], channels: Dim, arguments: dict[str, Value], *, bias: bool
) -> Meaning:
    """Without a number for it, output padding is the output's excess over its least size."""
    found = _conv(call, kernel, channels, arguments, bias=bias)
    axes = len(kernel)
    if arguments["output_padding"] is not None:
        extra = sizes(arguments["output_padding"], axes, 0)
        return Meaning("conv_transpose", {**found.attrs, "output_padding": extra}, call.first)
    stride, dilation = sizes(arguments["stride"], axes), sizes(arguments["dilation"], axes)
    pads = sizes(arguments["padding"], axes, 0)
    pairs = zip(call.input_shape[-axes:], call.out[-axes:], kernel, stride, dilation, pads, strict=True)
    extra = tuple(plain(out - (s * (size - 1) + d * (k - 1) + 1 - p - p)) for size, out, k, s, d, p in pairs)
    return Meaning("conv_transpose", {**found.attrs, "output_padding": extra}, call.first)


_ARGUMENTS = ("stride", "padding", "dilation", "groups")


def conv_module(call: TorchCall) -> Meaning:
    """torch.nn.Conv1dand its variants."""
    kernel = sizes(call.own("kernel_size"), 1)
    arguments = {name: call.own(name) for name in _ARGUMENTS}
    if call.own("padding_mode") != "zeros":  # the border is put round the input beforehand
        arguments["padding"] = call.own("padding")
    channels = call.own("out_channels")
    bias = call.own("bias") is not None
    return _conv(call, kernel, channels if is_dim(channels) else 0, arguments, bias=bias)


def conv_transpose_module(call: TorchCall) -> Meaning:
    """torch.nn.ConvTranspose1dand its variants, whose call may give the size of the output."""
    arguments = {name: call.own(name) for name in _ARGUMENTS}
    args = call.get("args")
    sized = call.has("output_size") or (isinstance(args, tuple) and len(args) > 1)
    arguments["output_padding"] = None if sized else call.own("output_padding")
    channels = call.own("out_channels")
    kernel = sizes(call.own("kernel_size"), 1)
    return _transposed(
        call, kernel, channels if is_dim(channels) else 0, arguments, bias=call.own("bias") is not None
    )


def _named(call: TorchCall) -> dict[str, Value]:
    defaults: dict[str, Value] = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    return {name: call.get(name, default) for name, default in defaults.items()}


def conv_call(call: TorchCall) -> Meaning | None:
    """torch.conv2d and the ops below it; ``transposed`` is an argument of one of them."""
    weight = call.shape("weight")
    if call.get("transposed") is True:
        return conv_transpose_call(call)
    if len(weight) < 3:
        return None
    return _conv(call, weight[2:], weight[0], _named(call), bias=call.has("bias"))


def conv_transpose_call(call: TorchCall) -> Meaning:
    """torch.conv_transpose2d and the op below it."""
    weight, arguments = call.shape("weight"), _named(call)
    arguments["output_padding"] = call.get("output_padding", 0)
    channels = weight[1] * whole(arguments["groups"], 1)
    return _transposed(call, weight[2:], channels, arguments, bias=call.has("bias"))


def deform_conv(call: TorchCall) -> Meaning | None:
    """The op torchvision.deform_conv2d, whose ops spell out each axis."""
    weight = call.shape("weight")
    if len(weight) != 4:
        return None
    pairs = {what: tuple(call.get(f"{short}_{axis}") for axis in "hw") for what, short in _SHORT.items()}
    arguments: dict[str, Value] = {**pairs, "groups": call.get("groups", 1)}
    found = _conv(call, weight[2:], weight[0], arguments, bias=call.has("bias"))
    return Meaning("deform_conv", {**found.attrs, "mask": call.get("use_mask") is True}, call.first)


def boxes(kind: str) -> Rule:
    """Return the rule of torchvision's functions that take one small map for each box."""
    return lambda call: Meaning(
        kind, {"pooled": (call.get("pooled_height"), call.get("pooled_width"))}, tuple(call.inputs[:2])
    )


_SHORT = {"stride": "stride", "padding": "pad", "dilation": "dilation"}


def _pool(call: TorchCall, kind: str, axes: int, arguments: dict[str, Value]) -> Meaning:
    kernel = sizes(arguments["kernel_size"], axes)
    stride = arguments.get("stride")
    ceil = arguments.get("ceil_mode") is True
    attrs: dict[str, Value] = {
        "kernel": kernel,
        "stride": kernel if stride in (None, ()) else sizes(stride, axes),
        "padding": sizes(arguments.get("padding"), axes, 0),
        "ceil": ceil,
        "clip": ceil,
    }
    if "dilation" in arguments:
        attrs["dilation"] = sizes(arguments["dilation"], axes)
    if kind == "lp_pool":
        norm = arguments.get("norm_type")
        attrs["p"] = norm if isinstance(norm, (int, float)) else 2
    return Meaning(kind, attrs, call.first)


_POOLS = {
    "max_pool": ("kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    "avg_pool": ("kernel_size", "stride", "padding", "ceil_mode"),
    "lp_pool": ("norm_type", "kernel_size", "stride", "ceil_mode"),
}


def pool_module(kind: str, axes: int) -> Rule:
    """Return the rule of torch.nn.MaxPool2dand its variants."""

    def rule(call: TorchCall) -> Meaning:
        return _pool(call, kind, axes, {name: call.own(name) for name in _POOLS[kind]})

    return rule


def pool_call(kind: str, axes: int) -> Rule:
    """Return the rule of torch.nn.functional.max_pool2dand its variants, and of their ops."""

    def rule(call: TorchCall) -> Meaning:
        return _pool(call, kind, axes, {name: call.get(name) for name in _POOLS[kind]})

    return rule


def _adaptive(call: TorchCall, kind: str, axes: int, wanted: Value) -> Meaning:
    size = wanted if isinstance(wanted, tuple) else (wanted,) * axes
    return Meaning(kind, {"output_size": size}, call.first)


def adaptive_module(kind: str, axes: int) -> Rule:
    """Return the rule of torch.nn.AdaptiveAvgPool2dand its variants."""
    return lambda call: _adaptive(call, kind, axes, call.own("output_size"))


def adaptive_call(kind: str, axes: int) -> Rule:
    """Return the rule of torch.nn.functional.adaptive_avg_pool2dand its variants, and of their ops."""
    return lambda call: _adaptive(call, kind, axes, call.get("output_size"))


def _fractional(call: TorchCall, axes: int, kernel: Value) -> Meaning:
    attrs: dict[str, Value] = {"kernel": sizes(kernel, axes), "output_size": call.out[-axes:]}
    return Meaning("fractional_max_pool", attrs, call.first)


def fractional_module(axes: int) -> Rule:
    """Return the rule of torch.nn.FractionalMaxPool2dand its variants."""
    return lambda call: _fractional(call, axes, call.own("kernel_size"))


def fractional_call(axes: int) -> Rule:
    """Return the rule of torch.nn.functional.fractional_max_pool2dand its variants, and of their ops."""
    return lambda call: _fractional(call, axes, call.get("kernel_size"))


def _resampled(call: TorchCall, mode: Value, *, antialias: bool = False) -> Meaning | None:
    axes = len(call.input_shape) - 2
    if axes < 1 or not (mode in _NEAREST or mode in _MODES):
        return None
    word = "nearest" if mode in _NEAREST else _MODES[str(mode)]
    attrs: dict[str, Value] = {"mode": word, "size": call.out[-axes:], "axes": axes}
    if antialias:
        attrs["antialias"] = True
    return Meaning("resample", attrs, call.first)


def upsample_module(call: TorchCall) -> Meaning | None:
    """torch.nn.Upsampleand its variants."""
    return _resampled(call, call.own("mode"))


def interpolate(call: TorchCall) -> Meaning | None:
    """torch.nn.functional.interpolate; antialiasing reads as many neighbours as the scale asks for."""
    return _resampled(call, call.get("mode", "nearest"), antialias=call.get("antialias") is True)


def antialiased_op(mode: str) -> Rule:
    """Return the rule of aten._upsample_bilinear2d_aaand its variants."""
    return lambda call: _resampled(call, mode, antialias=True)


def upsample_op(mode: str) -> Rule:
    """Return the rule of aten.upsample_bilinear2dand its variants."""
    return lambda call: _resampled(call, mode)


def grid_sample(call: TorchCall) -> Meaning:
    """torch.nn.functional.grid_sample; its ops number the modes."""
    mode = call.get("mode", call.get("interpolation_mode", "bilinear"))
    word = {"nearest": "nearest", 1: "nearest", "bicubic": "cubic", 2: "cubic"}.get(str(mode), "linear")
    if isinstance(mode, int):
        word = ("linear", "nearest", "cubic")[mode]
    return Meaning("grid_sample", {"mode": word}, tuple(call.inputs[:2]))


def affine_grid(call: TorchCall) -> Meaning:
    """torch.nn.functional.affine_grid."""
    return Meaning("affine_grid", {"size": call.out[1:-1]}, call.refs("theta"))
