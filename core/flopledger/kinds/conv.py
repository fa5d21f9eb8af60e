"""Convolutions and transposed convolutions, with 1, 2, 3 or more spatial axes.

Shapes are ``[N,] C, L1 .. Lr`` for r spatial axes, or ``[N,] L1 .. Lr, C`` with ``channels_last``.
Sources: Dumoulin and Visin, *A guide to convolution arithmetic for deep learning*, 2016
(arXiv:1603.07285), relations 6, 8, 14 and 15; Caffe's ``base_conv_layer.cpp``; torch.nn.Conv2d.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from flopledger.dims.arithmetic import ceildiv, floordiv, maximum, product, total
from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts, dot_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.dims.types import Dim, Shape

T = TypeVar("T")

COMMON = (
    Attribute("kernel", "kernel size along each spatial axis"),
    Attribute("out_channels", "channels of the output"),
    Attribute("stride", "step along each spatial axis", default=None),
    Attribute(
        "padding",
        'zeros added before and after along each axis, as (before, after) pairs or numbers; "same" for as '
        "many as make the output ceil(L / s)",
        default=None,
    ),
    Attribute("dilation", "distance between kernel elements along each axis", default=None),
    Attribute("groups", "groups that the channels are split into", default=1),
    Attribute("bias", "whether a bias is added to each output element", default=False),
    Attribute("channels_last", "whether the channels are the last axis", default=False),
)


def spatial(call: Call, shape: Shape) -> tuple[Shape, Dim, Shape]:
    """Split a shape into its leading axes, its channels and its spatial axes."""
    rank = len(call.dims("kernel"))
    if len(shape) not in (rank + 1, rank + 2):
        raise call.impossible(f"a kernel with {rank} axes needs {rank + 1} or {rank + 2} dimensions")
    lead = shape[: len(shape) - rank - 1]
    rest = shape[len(shape) - rank - 1 :]
    if call.flag("channels_last"):
        return lead, rest[-1], rest[:-1]
    return lead, rest[0], rest[1:]


def joined(call: Call, lead: Shape, channels: Dim, sizes: Shape) -> Shape:
    """Put a shape together again in the call's layout."""
    if call.flag("channels_last"):
        return (*lead, *sizes, channels)
    return (*lead, channels, *sizes)


def per_axis(call: Call, name: str, fill: int) -> Shape:
    """Return a per-axis attribute, filled where it is not given."""
    if call.get(name) is None:
        return (fill,) * len(call.dims("kernel"))
    return _as_many(call, name, call.dims(name))


def _as_many(call: Call, name: str, values: tuple[T, ...]) -> tuple[T, ...]:
    rank = len(call.dims("kernel"))
    if len(values) != rank:
        raise call.impossible(f"the attribute {name!r} has {len(values)} entries, the kernel {rank}")
    return values


def is_same(call: Call) -> bool:
    """Return whether the padding is chosen so that each output size is ``ceil(L / s)``."""
    return call.get("padding") == "same"


def paddings(call: Call) -> tuple[tuple[Dim, Dim], ...]:
    """Return the padding before and after along each axis."""
    padding = call.get("padding")
    if isinstance(padding, tuple) and all(isinstance(p, tuple) and len(p) == 2 for p in padding):
        return _as_many(call, "padding", tuple((p[0], p[1]) for p in padding))
    return tuple((p, p) for p in per_axis(call, "padding", 0))


def _positive(call: Call, name: str, values: Shape) -> Shape:
    if any(isinstance(value, int) and value < 1 for value in values):
        raise call.impossible(f"the {name} {values} has an entry below 1")
    return values


def window(call: Call) -> tuple[Shape, Shape, Shape]:
    """Return the kernel, the stride and the dilation along each axis, all of them positive."""
    return (
        _positive(call, "kernel", call.dims("kernel")),
        _positive(call, "stride", per_axis(call, "stride", 1)),
        _positive(call, "dilation", per_axis(call, "dilation", 1)),
    )


def windows(call: Call, sizes: Shape) -> Iterator[tuple[Dim, Dim, Dim]]:
    """Yield the padded size, the extent of the dilated kernel and the stride along each axis."""
    for size, k, s, d, (before, after) in zip(sizes, *window(call), paddings(call), strict=True):
        yield size + before + after, d * (k - 1) + 1, s


def conv_shapes(call: Call) -> tuple[Shape, ...]:
    """Each spatial size becomes ``floor((L + p - (d (K - 1) + 1)) / s) + 1``; with "same" ``ceil(L / s)``."""
    shapes = []
    for given in call.inputs:
        lead, channels, sizes = spatial(call, given)
        _check_groups(call, channels)
        if is_same(call):
            shapes.append(joined(call, lead, call.dim("out_channels"), same_sizes(call, sizes)))
            continue
        out: list[Dim] = []
        for padded, extent, stride in windows(call, sizes):
            if isinstance(padded, int) and isinstance(extent, int) and extent > padded:
                raise call.impossible(f"the kernel spans {extent}, the padded input only {padded}")
            out.append(floordiv(padded - extent, stride) + 1)
        shapes.append(joined(call, lead, call.dim("out_channels"), tuple(out)))
    return tuple(shapes)


def same_sizes(call: Call, sizes: Shape) -> Shape:
    """Return the sizes that the padding "same" leaves: ``ceil(L / s)``."""
    _, strides, _ = window(call)
    return tuple(ceildiv(size, stride) for size, stride in zip(sizes, strides, strict=True))


def _check_groups(call: Call, channels: Dim) -> None:
    groups, out = call.dim("groups"), call.dim("out_channels")
    for what, count in (("input", channels), ("output", out)):
        if isinstance(groups, int) and isinstance(count, int) and (groups < 1 or count % groups):
            raise call.impossible(f"{groups} groups don't divide the {count} {what} channels")


def conv_facts(call: Call) -> Facts:
    """``macs = prod(K) (C_in / g) N C_out prod(L_out)``; each output element is one dot product."""
    _, channels, _ = spatial(call, call.input)
    dots = total(product(shape) for shape in call.outputs)
    volume = product(call.dims("kernel"))
    return {
        "macs": volume * floordiv(channels, call.dim("groups")) * dots,
        "dots": dots,
        "kernel_volume": volume,
        "in_channels": channels,
    }


def conv_parts(call: Call) -> Parts:
    """A dot product for each output element, plus one addition where there is a bias."""
    facts = conv_facts(call)
    return dot_parts(facts["macs"], facts["dots"], facts["dots"] if call.flag("bias") else 0)


def conv_transpose_shapes(call: Call) -> tuple[Shape, ...]:
    """Each spatial size becomes ``s (L - 1) + d (K - 1) + 1 - p + output_padding``."""
    shapes = []
    for given in call.inputs:
        lead, channels, sizes = spatial(call, given)
        _check_groups(call, channels)
        extra = per_axis(call, "output_padding", 0)
        out: list[Dim] = []
        for size, k, s, d, e, (before, after) in zip(
            sizes, *window(call), extra, paddings(call), strict=True
        ):
            grown = s * (size - 1) + d * (k - 1) + 1 - before - after + e
            if isinstance(grown, int) and grown < 1:
                raise call.impossible(f"the output would have size {grown}")
            out.append(grown)
        shapes.append(joined(call, lead, call.dim("out_channels"), tuple(out)))
    return tuple(shapes)


def conv_transpose_facts(call: Call) -> Facts:
    """``macs = prod(K) (C_out / g) N C_in prod(L_in)``: each input element meets each weight once.

    The products land in the output elements, so that ``dots``, the sums, are the output elements;
    products that fall into the cropped border are counted, as every framework computes them.
    """
    _, channels, _ = spatial(call, call.input)
    volume = product(call.dims("kernel"))
    elements = total(product(shape) for shape in call.inputs)
    return {
        "macs": volume * floordiv(call.dim("out_channels"), call.dim("groups")) * elements,
        "dots": total(product(shape) for shape in call.outputs),
        "kernel_volume": volume,
        "in_channels": channels,
    }


def conv_transpose_parts(call: Call) -> Parts:
    """The products, their sums in the output, and one addition for each output with a bias."""
    facts = conv_transpose_facts(call)
    return {
        "multiplies": facts["macs"],
        "adds": maximum(facts["macs"] - facts["dots"], 0),
        "bias_adds": facts["dots"] if call.flag("bias") else 0,
    }


def conv_tbc_shapes(call: Call) -> tuple[Shape, ...]:
    """``T, N, C_in`` and a weight ``K, C_in, C_out`` give ``T + 2 p - K + 1, N, C_out`` (torch.conv_tbc)."""
    if len(call.inputs) < 2 or len(call.inputs[0]) != 3 or len(call.inputs[1]) != 3:
        raise call.impossible("an input T, N, C and a weight K, C_in, C_out are convolved")
    (steps, batch, channels), (size, given, out) = call.inputs[:2]
    if isinstance(channels, int) and isinstance(given, int) and channels != given:
        raise call.impossible(f"a weight for {given} channels meets {channels}")
    length = steps + 2 * call.whole("padding") - size + 1
    if isinstance(length, int) and length < 1:
        raise call.impossible(f"the kernel spans {size}, the padded input is shorter")
    return ((length, batch, out),)


def conv_tbc_facts(call: Call) -> Facts:
    """``macs = K C_in T_out N C_out``."""
    size, channels, _ = call.inputs[1]
    return {
        "macs": size * channels * call.out_elems,
        "dots": call.out_elems,
        "kernel_volume": size,
        "in_channels": channels,
    }


def conv_tbc_parts(call: Call) -> Parts:
    """A dot product and the addition of a bias for each output element."""
    facts = conv_tbc_facts(call)
    return dot_parts(facts["macs"], facts["dots"], facts["dots"])


KINDS = (
    Kind(
        name="conv_tbc",
        doc="convolution along time whose axes are time, batch and channels",
        group="conv",
        attributes=(Attribute("padding", "steps of zeros added before and after", default=0),),
        shapes=conv_tbc_shapes,
        parts=conv_tbc_parts,
        facts=conv_tbc_facts,
    ),
    Kind(
        name="conv",
        doc="convolution with 1, 2, 3 or more spatial axes, grouped and depthwise too",
        group="conv",
        attributes=COMMON,
        shapes=conv_shapes,
        parts=conv_parts,
        facts=conv_facts,
    ),
    Kind(
        name="conv_transpose",
        doc="transposed convolution (deconvolution)",
        group="conv",
        attributes=(*COMMON, Attribute("output_padding", "sizes added to the output", default=None)),
        shapes=conv_transpose_shapes,
        parts=conv_transpose_parts,
        facts=conv_transpose_facts,
    ),
)
