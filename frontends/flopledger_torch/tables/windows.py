"""Convolutions, pooling and resampling: modules, functions and ops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import floordiv, is_dim, plain

from flopledger_torch.tables.call import Meaning, Row, Said, sizes, whole

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
    said: Said, kernel: tuple[Dim, ...], channels: Dim, words: dict[str, Value], *, bias: bool
) -> Meaning:
    axes = len(kernel)
    stride, dilation = sizes(words["stride"], axes), sizes(words["dilation"], axes)
    attrs: dict[str, Value] = {
        "kernel": kernel,
        "out_channels": channels,
        "stride": stride,
        "padding": _padding(words["padding"], kernel, dilation),
        "dilation": dilation,
        "groups": whole(words["groups"], 1),
        "bias": bias,
    }
    return Meaning("conv", attrs, said.first)


def _transposed(
    said: Said, kernel: tuple[Dim, ...], channels: Dim, words: dict[str, Value], *, bias: bool
) -> Meaning:
    """Without a number for it, output padding is what the output is larger than the least that it can be."""
    found = _conv(said, kernel, channels, words, bias=bias)
    axes = len(kernel)
    if words["output_padding"] is not None:
        extra = sizes(words["output_padding"], axes, 0)
        return Meaning("conv_transpose", {**found.attrs, "output_padding": extra}, said.first)
    stride, dilation = sizes(words["stride"], axes), sizes(words["dilation"], axes)
    pads = sizes(words["padding"], axes, 0)
    pairs = zip(said.given[-axes:], said.out[-axes:], kernel, stride, dilation, pads, strict=True)
    extra = tuple(plain(out - (s * (size - 1) + d * (k - 1) + 1 - p - p)) for size, out, k, s, d, p in pairs)
    return Meaning("conv_transpose", {**found.attrs, "output_padding": extra}, said.first)


_WORDS = ("stride", "padding", "dilation", "groups")


def conv_module(said: Said) -> Meaning:
    """torch.nn.Conv1d and its like."""
    kernel = sizes(said.own("kernel_size"), 1)
    words = {name: said.own(name) for name in _WORDS}
    if said.own("padding_mode") != "zeros":  # the border is put round the input beforehand
        words["padding"] = said.own("padding")
    channels = said.own("out_channels")
    bias = said.own("bias") is not None
    return _conv(said, kernel, channels if is_dim(channels) else 0, words, bias=bias)


def conv_transpose_module(said: Said) -> Meaning:
    """torch.nn.ConvTranspose1d and its like, which can be told the size of their output."""
    words = {name: said.own(name) for name in _WORDS}
    args = said.get("args")
    told = said.has("output_size") or (isinstance(args, tuple) and len(args) > 1)
    words["output_padding"] = None if told else said.own("output_padding")
    channels = said.own("out_channels")
    kernel = sizes(said.own("kernel_size"), 1)
    return _transposed(
        said, kernel, channels if is_dim(channels) else 0, words, bias=said.own("bias") is not None
    )


def _named(said: Said) -> dict[str, Value]:
    defaults: dict[str, Value] = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    return {name: said.get(name, default) for name, default in defaults.items()}


def conv_call(said: Said) -> Meaning | None:
    """torch.conv2d and the ops below it; ``transposed`` is an argument of one of them."""
    weight = said.shape("weight")
    if said.get("transposed") is True:
        return conv_transpose_call(said)
    if len(weight) < 3:
        return None
    return _conv(said, weight[2:], weight[0], _named(said), bias=said.has("bias"))


def conv_transpose_call(said: Said) -> Meaning:
    """torch.conv_transpose2d and the op below it."""
    weight, words = said.shape("weight"), _named(said)
    words["output_padding"] = said.get("output_padding", 0)
    channels = weight[1] * whole(words["groups"], 1)
    return _transposed(said, weight[2:], channels, words, bias=said.has("bias"))


def deform_conv(said: Said) -> Meaning | None:
    """The op torchvision.deform_conv2d, whose ops spell out each axis."""
    weight = said.shape("weight")
    if len(weight) != 4:
        return None
    pairs = {what: tuple(said.get(f"{short}_{axis}") for axis in "hw") for what, short in _SHORT.items()}
    words: dict[str, Value] = {**pairs, "groups": said.get("groups", 1)}
    found = _conv(said, weight[2:], weight[0], words, bias=said.has("bias"))
    return Meaning("deform_conv", {**found.attrs, "mask": said.get("use_mask") is True}, said.first)


_SHORT = {"stride": "stride", "padding": "pad", "dilation": "dilation"}


def _pool(said: Said, kind: str, axes: int, words: dict[str, Value]) -> Meaning:
    kernel = sizes(words["kernel_size"], axes)
    stride = words.get("stride")
    ceil = words.get("ceil_mode") is True
    attrs: dict[str, Value] = {
        "kernel": kernel,
        "stride": kernel if stride in (None, ()) else sizes(stride, axes),
        "padding": sizes(words.get("padding"), axes, 0),
        "ceil": ceil,
        "clip": ceil,
    }
    if "dilation" in words:
        attrs["dilation"] = sizes(words["dilation"], axes)
    if kind == "lp_pool":
        norm = words.get("norm_type")
        attrs["p"] = norm if isinstance(norm, (int, float)) else 2
    return Meaning(kind, attrs, said.first)


_POOLS = {
    "max_pool": ("kernel_size", "stride", "padding", "dilation", "ceil_mode"),
    "avg_pool": ("kernel_size", "stride", "padding", "ceil_mode"),
    "lp_pool": ("norm_type", "kernel_size", "stride", "ceil_mode"),
}


def pool_module(kind: str, axes: int) -> Row:
    """Return the row of torch.nn.MaxPool2d and its like."""

    def row(said: Said) -> Meaning:
        return _pool(said, kind, axes, {name: said.own(name) for name in _POOLS[kind]})

    return row


def pool_call(kind: str, axes: int) -> Row:
    """Return the row of torch.nn.functional.max_pool2d and its like, and of their ops."""

    def row(said: Said) -> Meaning:
        return _pool(said, kind, axes, {name: said.get(name) for name in _POOLS[kind]})

    return row


def _adaptive(said: Said, kind: str, axes: int, wanted: Value) -> Meaning:
    given = wanted if isinstance(wanted, tuple) else (wanted,) * axes
    return Meaning(kind, {"output_size": given}, said.first)


def adaptive_module(kind: str, axes: int) -> Row:
    """Return the row of torch.nn.AdaptiveAvgPool2d and its like."""
    return lambda said: _adaptive(said, kind, axes, said.own("output_size"))


def adaptive_call(kind: str, axes: int) -> Row:
    """Return the row of torch.nn.functional.adaptive_avg_pool2d and its like, and of their ops."""
    return lambda said: _adaptive(said, kind, axes, said.get("output_size"))


def _fractional(said: Said, axes: int, kernel: Value) -> Meaning:
    attrs: dict[str, Value] = {"kernel": sizes(kernel, axes), "output_size": said.out[-axes:]}
    return Meaning("fractional_max_pool", attrs, said.first)


def fractional_module(axes: int) -> Row:
    """Return the row of torch.nn.FractionalMaxPool2d and its like."""
    return lambda said: _fractional(said, axes, said.own("kernel_size"))


def fractional_call(axes: int) -> Row:
    """Return the row of torch.nn.functional.fractional_max_pool2d and its like, and of their ops."""
    return lambda said: _fractional(said, axes, said.get("kernel_size"))


def _resampled(said: Said, mode: Value, *, antialias: bool = False) -> Meaning | None:
    axes = len(said.given) - 2
    if axes < 1 or not (mode in _NEAREST or mode in _MODES):
        return None
    word = "nearest" if mode in _NEAREST else _MODES[str(mode)]
    attrs: dict[str, Value] = {"mode": word, "size": said.out[-axes:], "axes": axes}
    if antialias:
        attrs["antialias"] = True
    return Meaning("resample", attrs, said.first)


def upsample_module(said: Said) -> Meaning | None:
    """torch.nn.Upsample and its like."""
    return _resampled(said, said.own("mode"))


def interpolate(said: Said) -> Meaning | None:
    """torch.nn.functional.interpolate; antialiasing reads as many neighbours as the scale asks for."""
    return _resampled(said, said.get("mode", "nearest"), antialias=said.get("antialias") is True)


def antialiased_op(mode: str) -> Row:
    """Return the row of aten._upsample_bilinear2d_aa and its like."""
    return lambda said: _resampled(said, mode, antialias=True)


def upsample_op(mode: str) -> Row:
    """Return the row of aten.upsample_bilinear2d and its like."""
    return lambda said: _resampled(said, mode)


def grid_sample(said: Said) -> Meaning:
    """torch.nn.functional.grid_sample; its ops number the modes."""
    mode = said.get("mode", said.get("interpolation_mode", "bilinear"))
    word = {"nearest": "nearest", 1: "nearest", "bicubic": "cubic", 2: "cubic"}.get(str(mode), "linear")
    if isinstance(mode, int):
        word = ("linear", "nearest", "cubic")[mode]
    return Meaning("grid_sample", {"mode": word}, tuple(said.inputs[:2]))


def affine_grid(said: Said) -> Meaning:
    """torch.nn.functional.affine_grid."""
    return Meaning("affine_grid", {"size": said.out[1:-1]}, said.refs("theta"))
