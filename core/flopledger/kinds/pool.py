"""Pooling, with 1, 2, 3 or more spatial axes.

Shapes are ``[N,] C, L1 .. Lr`` for r spatial axes, or ``[N,] L1 .. Lr, C`` with ``channels_last``.
A window that hangs over the border is counted with its nominal size. Sources: Caffe's
``pooling_layer.cpp``; torch.nn.MaxPool2d, AvgPool2d, LPPool2d, AdaptiveAvgPool2d.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import ceildiv, floordiv, is_dim, minimum, product, total
from flopledger.kinds.conv import is_same, joined, paddings, same_sizes, spatial, windows
from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts, merged

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.dims.types import Dim, Shape

MOST_WINDOWS = 1_000
"""The most windows along an axis of unknown size; each is a term of its own."""
_CHANNELS_LAST = Attribute("channels_last", "whether the channels are the last axis", default=False)
_WINDOW = (
    Attribute("kernel", "window size along each spatial axis"),
    Attribute("stride", "step along each spatial axis; None for 1", default=None),
    Attribute(
        "padding",
        'border before and after along each axis, pairs or numbers; "same" as in conv',
        default=None,
    ),
    Attribute("dilation", "distance between window elements along each axis", default=None),
    Attribute("ceil", "whether a last window may hang over the end", default=False),
    Attribute("clip", "whether the last window must start before the end of the input", default=False),
    Attribute("whole", "whether the window is the whole spatial input", default=False),
    Attribute("keep_dims", "whether a whole window leaves spatial axes of size 1", default=True),
    _CHANNELS_LAST,
)


def pool_shapes(call: Call) -> tuple[Shape, ...]:
    """Each spatial size becomes ``floor((L + p - (d (K - 1) + 1)) / s) + 1``, or with ``ceil``.

    With the padding "same" it is ``ceil(L / s)``.

    With ``clip`` it is at most ``ceil((L + p_before) / s)``: the last window starts inside.
    """
    lead, channels, sizes = spatial(call, call.input)
    if call.flag("whole"):
        return (joined(call, lead, channels, (1,) * len(sizes) if call.flag("keep_dims") else ()),)
    if is_same(call):
        return (joined(call, lead, channels, same_sizes(call, sizes)),)
    divide = ceildiv if call.flag("ceil") else floordiv
    out: list[Dim] = []
    for size, (before, _), (padded, extent, stride) in zip(
        sizes, paddings(call), windows(call, sizes), strict=True
    ):
        length = divide(padded - extent, stride) + 1
        if call.flag("clip"):
            length = minimum(length, ceildiv(size + before, stride))
        if isinstance(length, int) and length < 1:
            raise call.impossible(f"the window spans {extent}, the padded input only {padded}")
        out.append(length)
    return (joined(call, lead, channels, tuple(out)),)


def pool_facts(call: Call) -> Facts:
    """Return the number of elements in a window."""
    _, _, sizes = spatial(call, call.input)
    return {"kernel_volume": product(sizes if call.flag("whole") else call.dims("kernel"))}


def fractional_facts(call: Call) -> Facts:
    """Return the number of elements in a window."""
    return {"kernel_volume": product(call.dims("kernel"))}


def _volume(call: Call) -> Dim:
    return call.kind.facts(call)["kernel_volume"]


def max_pool_parts(call: Call) -> Parts:
    """``max`` over the window: one comparison less than elements."""
    return {"compares": call.out_elems * (_volume(call) - 1)}


def avg_pool_parts(call: Call) -> Parts:
    """The mean of the window: its sum and a division."""
    return {"adds": call.out_elems * (_volume(call) - 1), "divides": call.out_elems}


def stochastic_pool_parts(call: Call) -> Parts:
    """``y = sum(x_i^2) / sum(x_i)``, the mean weighted by its own probabilities.

    Source: Zeiler and Fergus, 2013 (arXiv:1301.3557), equation 6, the form for inference.
    """
    n, volume = call.out_elems, _volume(call)
    return {"multiplies": n * volume, "adds": 2 * n * (volume - 1), "divides": n}


def lp_pool_parts(call: Call) -> Parts:
    """``y = (sum |x_i|^p)^(1/p)``: for p = 1 magnitudes, for p = 2 squares and a root, else powers."""
    n, volume, p = call.out_elems, _volume(call), call.number("p")
    sums: Parts = {"adds": n * (volume - 1)}
    if p == 1:
        return {**sums, "compares": n * volume}
    if p == 2:
        return {**sums, "multiplies": n * volume, "sqrts": n}
    return {**sums, "powers": n * (volume + 1)}


def _adaptive(call: Call) -> tuple[Shape, Dim, tuple[tuple[Dim, Dim], ...]]:
    """Return leading axes, channels, and for each spatial axis its size in the input and output."""
    wanted = call.get("output_size")
    if not isinstance(wanted, tuple) or not all(size is None or is_dim(size) for size in wanted):
        raise call.impossible(f"the output size {wanted!r} is not a size or None for each spatial axis")
    rank, shape = len(wanted), call.input
    if len(shape) not in (rank + 1, rank + 2):
        raise call.impossible(f"an output size for {rank} axes needs {rank + 1} or {rank + 2} dimensions")
    start = len(shape) - rank - (1 if call.flag("channels_last") else 0)
    sizes = shape[start : start + rank]
    lead = shape[: len(shape) - rank - 1]
    channels = shape[-1] if call.flag("channels_last") else shape[start - 1]
    out = tuple(size if want is None else want for size, want in zip(sizes, wanted, strict=True))
    if any(isinstance(size, int) and size < 1 for size in out):
        raise call.impossible(f"the output size {wanted!r} has a size below 1")
    return lead, channels, tuple(zip(sizes, out, strict=True))


def adaptive_shapes(call: Call) -> tuple[Shape, ...]:
    """The spatial sizes are given; None keeps one."""
    lead, channels, pairs = _adaptive(call)
    return (joined(call, lead, channels, tuple(out for _, out in pairs)),)


def covered(call: Call, size: Dim, out: Dim) -> Dim:
    """Return how many elements the windows from ``floor(i L / M)`` to ``ceil((i + 1) L / M)`` hold.

    For i from 0 to M - 1 they are ``L + M - gcd(L, M)`` together, since neighbours share an element
    wherever the border between them falls inside one.
    """
    if isinstance(size, int) and isinstance(out, int):
        return size + out - math.gcd(size, out)
    if size == out:
        return size
    if not isinstance(out, int) or out > MOST_WINDOWS:
        raise call.impossible(f"windows for the output size {out} need a number in its place")
    return total(ceildiv((i + 1) * size, out) - floordiv(i * size, out) for i in range(out))


def adaptive_facts(call: Call) -> Facts:
    """``window_elems`` is the size of all windows together; ``kernel_volume`` that of one of them.

    Where the sizes don't divide, ``kernel_volume`` is rounded down along each axis.
    """
    lead, channels, pairs = _adaptive(call)
    windows_together = product(covered(call, size, out) for size, out in pairs)
    return {
        "kernel_volume": product(floordiv(size, out) for size, out in pairs),
        "window_elems": product(lead) * channels * windows_together,
    }


def adaptive_max_parts(call: Call) -> Parts:
    """``max`` over each window: one comparison less than elements."""
    return {"compares": adaptive_facts(call)["window_elems"] - call.out_elems}


def adaptive_avg_parts(call: Call) -> Parts:
    """The mean of each window: its sum and a division."""
    return {"adds": adaptive_facts(call)["window_elems"] - call.out_elems, "divides": call.out_elems}


def fractional_shapes(call: Call) -> tuple[Shape, ...]:
    """The spatial sizes are given; each window starts at another element than the one before it."""
    lead, channels, sizes = spatial(call, call.input)
    out = call.dims("output_size")
    if len(out) != len(sizes):
        raise call.impossible(f"the output size {out} has not {len(sizes)} entries")
    for size, count, k in zip(sizes, out, call.dims("kernel"), strict=True):
        left = size - (count + k - 1)
        if isinstance(left, int) and left < 0:
            raise call.impossible(f"{count} windows of {k} don't fit {size}")
    return (joined(call, lead, channels, out),)


def pyramid_shapes(call: Call) -> tuple[Shape, ...]:
    """Level i pools each channel into ``2^i x 2^i`` bins; the h levels are joined: (N, C (4^h - 1) / 3)."""
    batch, channels, _, _ = _picture(call)
    return ((batch, channels * ((4 ** call.whole("height") - 1) // 3)),)


def _picture(call: Call) -> Shape:
    if len(call.input) != 4:
        raise call.impossible("a pyramid is pooled from 4 dimensions, N, C, H, W")
    return call.input


def pyramid_parts(call: Call) -> Parts:
    """The pooling of each level, with windows of ``ceil(H / 2^i) x ceil(W / 2^i)``.

    Sources: He et al., *Spatial Pyramid Pooling*, 2014 (arXiv:1406.4729), section 2.2; ``spp_layer.cpp``.
    """
    batch, channels, height, width = _picture(call)
    found: Parts = {}
    for level in range(call.whole("height")):
        bins = 2**level
        windows_of_level = batch * channels * bins * bins
        volume = ceildiv(height, bins) * ceildiv(width, bins)
        found = merged(found, _pooled(call, windows_of_level, volume))
    return found


def _pooled(call: Call, windows_made: Dim, volume: Dim) -> Parts:
    """Return the operations of a number of windows of one size, as for plain pooling."""
    method = call.word("method")
    if method == "max":
        return {"compares": windows_made * (volume - 1)}
    if method == "avg":
        return {"adds": windows_made * (volume - 1), "divides": windows_made}
    if method == "stochastic":
        return {
            "multiplies": windows_made * volume,
            "adds": 2 * windows_made * (volume - 1),
            "divides": windows_made,
        }
    raise call.impossible(f"the method {method!r} is none of max, avg and stochastic")


def _pool(name: str, doc: str, parts: Callable[[Call], Parts], *more: Attribute) -> Kind:
    return Kind(
        name=name,
        doc=doc,
        group="pool",
        attributes=(*_WINDOW, *more),
        shapes=pool_shapes,
        parts=parts,
        facts=pool_facts,
    )


def _adaptive_pool(name: str, doc: str, parts: Callable[[Call], Parts]) -> Kind:
    size = Attribute("output_size", "spatial sizes of the output; None keeps one")
    return Kind(
        name=name,
        doc=doc,
        group="pool",
        attributes=(size, _CHANNELS_LAST),
        shapes=adaptive_shapes,
        parts=parts,
        facts=adaptive_facts,
        fact_names=("window_elems",),
    )


KINDS = (
    _pool("max_pool", "the largest element of each window", max_pool_parts),
    _pool("avg_pool", "the mean of each window", avg_pool_parts),
    _pool("stochastic_pool", "an element drawn from each window", stochastic_pool_parts),
    _pool("lp_pool", "the p-norm of each window", lp_pool_parts, Attribute("p", "the norm", default=2)),
    Kind(
        name="fractional_max_pool",
        doc="the largest element of each of the windows at random distances (arXiv:1412.6071)",
        group="pool",
        attributes=(
            Attribute("kernel", "window size along each spatial axis"),
            Attribute("output_size", "spatial sizes of the output"),
            _CHANNELS_LAST,
        ),
        shapes=fractional_shapes,
        parts=max_pool_parts,
        facts=fractional_facts,
    ),
    _adaptive_pool(
        "adaptive_max_pool", "the largest element of windows made for an output size", adaptive_max_parts
    ),
    _adaptive_pool("adaptive_avg_pool", "the mean of windows made for an output size", adaptive_avg_parts),
    Kind(
        name="pyramid_pool",
        doc="poolings into 1, 4, 16 .. bins side by side",
        group="pool",
        attributes=(
            Attribute("height", "number of levels"),
            Attribute("method", "max, avg or stochastic", default="max"),
        ),
        shapes=pyramid_shapes,
        parts=pyramid_parts,
    ),
)
