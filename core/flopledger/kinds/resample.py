"""Resampling to a finer or coarser grid.

Shapes are ``[N,] C, L1 .. Lr``, or ``[N,] L1 .. Lr, C`` with ``channels_last``; r is ``axes``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import floordiv, is_dim, maximum, product
from flopledger.kinds.conv import joined
from flopledger.kinds.kind import Attribute, Call, Kind, Parts
from flopledger.kinds.pool import covered

if TYPE_CHECKING:
    from flopledger.dims.types import Dim, Shape

_TAPS = {"linear": 2, "cubic": 4}
"""Neighbours that an interpolation along one axis reads."""


def _split(call: Call) -> tuple[Shape, Dim, Shape]:
    """Return leading axes, channels and spatial sizes of the input."""
    shape, rank = call.input, call.whole("axes")
    if rank < 1 or len(shape) not in (rank + 1, rank + 2):
        raise call.impossible(f"resampling {rank} axes needs {rank + 1} or {rank + 2} dimensions")
    lead, rest = shape[: len(shape) - rank - 1], shape[len(shape) - rank - 1 :]
    return (lead, rest[-1], rest[:-1]) if call.flag("channels_last") else (lead, rest[0], rest[1:])


def resample_shapes(call: Call) -> tuple[Shape, ...]:
    """The spatial sizes are given, or are ``floor(L a / b)`` for a scale of a / b."""
    lead, channels, sizes = _split(call)
    name = "size" if call.get("scale") is None else "scale"
    given = call.get(name)
    both = call.get("size") is not None and call.get("scale") is not None
    if both or not isinstance(given, tuple) or len(given) != len(sizes):
        raise call.impossible("either a size or a scale is needed, with an entry for each spatial axis")
    out = tuple(given) if name == "size" else tuple(map(_scaled, sizes, given))
    if not all(is_dim(size) for size in out) or any(isinstance(size, int) and size < 1 for size in out):
        raise call.impossible(f"the {name} {given!r} gives no output")
    return (joined(call, lead, channels, out),)


def _scaled(size: Dim, scale: object) -> Dim:
    if is_dim(scale):
        return size * scale
    if isinstance(scale, tuple) and len(scale) == 2 and all(isinstance(n, int) and n > 0 for n in scale):
        return floordiv(size * scale[0], scale[1])
    return 0


def resample_parts(call: Call) -> Parts:
    """The interpolations that each output element needs, axis after axis; nearest is a copy.

    Along one axis linear interpolation is ``a (1 - t) + b t``, cubic a weighted sum of 4 (Keys, 1981).
    With k neighbours along each of d axes there are ``1 + k + .. + k^(d-1)`` interpolations of k
    products and k - 1 additions. ``area`` is the mean over windows as in adaptive pooling. The
    weights depend on positions alone and are not arithmetic on the data. Source:
    torch.nn.functional.interpolate.
    """
    mode, n = call.word("mode"), call.out_elems
    if mode == "nearest":
        return {}
    if mode == "area":
        return _area_parts(call)
    if mode not in _TAPS:
        raise call.impossible(f"the mode {mode!r} is none of nearest, linear, cubic and area")
    taps = _TAPS[mode]
    if call.flag("antialias"):
        return _antialiased_parts(call, taps)
    axes = call.whole("axes")
    if not 0 < axes <= len(call.input):
        raise call.impossible(f"there are no {axes} axes to interpolate along")
    interpolations = sum(taps**axis for axis in range(axes)) * n
    return {"multiplies": taps * interpolations, "adds": (taps - 1) * interpolations}


def _antialiased_parts(call: Call, taps: int) -> Parts:
    """One axis after the other, the last one first, each output a weighted sum of its neighbours.

    A kernel of k neighbours is stretched by the factor that an axis shrinks by, so that the outputs along it
    read ``k max(L_in, L_out)`` elements together; windows over the border are counted with their nominal
    size, and an axis that keeps its size is passed over. Source: ``UpSampleKernel.cpp`` of torch.
    """
    lead, channels, sizes = _split(call)
    rank = len(sizes)
    out = call.output[-rank - 1 : -1] if call.flag("channels_last") else call.output[-rank:]
    now = list(sizes)
    multiplies: Dim = 0
    adds: Dim = 0
    for axis in reversed(range(rank)):
        if sizes[axis] == out[axis]:
            continue
        rows = product(lead) * channels * product(now[:axis]) * product(now[axis + 1 :])
        read = rows * taps * maximum(sizes[axis], out[axis])
        now[axis] = out[axis]
        multiplies, adds = multiplies + read, adds + read - rows * out[axis]
    return {"multiplies": multiplies, "adds": adds}


def _area_parts(call: Call) -> Parts:
    lead, channels, sizes = _split(call)
    rank = len(sizes)
    out = call.output[-rank - 1 : -1] if call.flag("channels_last") else call.output[-rank:]
    windows = product(covered(call, a, b) for a, b in zip(sizes, out, strict=True))
    return {"adds": product(lead) * channels * windows - call.out_elems, "divides": call.out_elems}


KINDS = (
    Kind(
        name="resample",
        doc="interpolation to other spatial sizes",
        group="resample",
        attributes=(
            Attribute("mode", "nearest, linear, cubic or area", default="nearest"),
            Attribute("size", "spatial sizes of the output", default=None),
            Attribute("scale", "factor of each spatial axis, whole or as (a, b) for a / b", default=None),
            Attribute("axes", "number of spatial axes", default=2),
            Attribute("channels_last", "whether the channels are the last axis", default=False),
            Attribute("antialias", "whether the kernel is stretched where the input shrinks", default=False),
        ),
        shapes=resample_shapes,
        parts=resample_parts,
    ),
)
