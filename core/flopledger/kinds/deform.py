"""Sampling at places that depend on the data: deformable convolutions, sampling grids and their making.

A linear sample along d axes reads ``2^d`` neighbours. Their weights depend on the places, which are
data here, but are counted with the sample they belong to: ``2^d`` products and ``2^d - 1`` additions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import product
from flopledger.kinds.axes import differ
from flopledger.kinds.conv import COMMON, conv_facts, conv_parts, conv_shapes
from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts, dot_parts, merged

if TYPE_CHECKING:
    from flopledger.dims.types import Dim, Shape

_TAPS = {"linear": 2, "cubic": 4}


def sampled(n: Dim, axes: int, taps: int) -> Parts:
    """Return the operations of n samples along some axes: axis after axis, as in resampling."""
    interpolations = sum(taps**axis for axis in range(axes)) * n
    return {"multiplies": taps * interpolations, "adds": (taps - 1) * interpolations}


def grid_sample_shapes(call: Call) -> tuple[Shape, ...]:
    """The spatial sizes are those of the grid, (N, L1 .. Lr, r)."""
    if len(call.inputs) != 2 or len(call.inputs[0]) != len(call.inputs[1]) or len(call.input) < 3:
        raise call.impossible("a grid of as many axes as the input is needed")
    return ((*call.input[:2], *call.inputs[1][1:-1]),)


def grid_sample_parts(call: Call) -> Parts:
    """A sample for each output element; nearest is a copy.

    Source: Jaderberg et al., *Spatial Transformer Networks*, 2015 (arXiv:1506.02025), equation 3.
    """
    mode = call.word("mode")
    if mode == "nearest":
        return {}
    if mode not in _TAPS:
        raise call.impossible(f"the mode {mode!r} is none of nearest, linear and cubic")
    return sampled(call.out_elems, len(call.input) - 2, _TAPS[mode])


def affine_grid_shapes(call: Call) -> tuple[Shape, ...]:
    """``N, r, r + 1`` maps give a grid ``N, L1 .. Lr, r``."""
    sizes, rank = call.dims("size"), len(call.dims("size"))
    if len(call.input) != 3 or differ(call.input[1], rank) or differ(call.input[2], rank + 1):
        raise call.impossible(f"{rank} axes need an affine map of {rank} rows and {rank + 1} columns each")
    return ((call.input[0], *sizes, rank),)


def affine_grid_facts(call: Call) -> Facts:
    """``g = A (x, 1)``: each coordinate of a place is a dot product of r + 1 terms."""
    return {"macs": call.out_elems * call.input[-1], "dots": call.out_elems}


def affine_grid_parts(call: Call) -> Parts:
    """The dot products; the places themselves depend on no data.

    Source: Jaderberg et al., *Spatial Transformer Networks*, 2015 (arXiv:1506.02025), equation 1.
    """
    facts = affine_grid_facts(call)
    return dot_parts(facts["macs"], facts["dots"])


def _samples(call: Call) -> Dim:
    """Return the samples that a deformable convolution takes: one for each kernel element and place."""
    channels = conv_facts(call)["in_channels"]
    rank = len(call.dims("kernel"))
    places = product(call.output[: -rank - 1]) * product(call.output[-rank:])
    return places * channels * product(call.dims("kernel"))


def deform_conv_parts(call: Call) -> Parts:
    """The convolution, its samples, and a product for each sample where there is a mask.

    Sources: Dai et al., *Deformable Convolutional Networks*, 2017 (arXiv:1703.06211); Zhu et al., 2018
    (arXiv:1811.11168) for the mask.
    """
    samples = _samples(call)
    masked: Parts = {"multiplies": samples} if call.flag("mask") else {}
    return merged(conv_parts(call), sampled(samples, len(call.dims("kernel")), 2), masked)


KINDS = (
    Kind(
        name="grid_sample",
        doc="the input sampled at the places of a grid",
        group="resample",
        attributes=(Attribute("mode", "nearest, linear or cubic", default="linear"),),
        shapes=grid_sample_shapes,
        parts=grid_sample_parts,
    ),
    Kind(
        name="affine_grid",
        doc="the places of a grid under affine maps",
        group="linear",
        attributes=(Attribute("size", "spatial sizes of the grid"),),
        shapes=affine_grid_shapes,
        parts=affine_grid_parts,
        facts=affine_grid_facts,
    ),
    Kind(
        name="deform_conv",
        doc="convolution whose kernel elements are shifted by the data",
        group="conv",
        attributes=(*COMMON, Attribute("mask", "whether each sample is weighted", default=False)),
        shapes=conv_shapes,
        parts=deform_conv_parts,
        facts=conv_facts,
    ),
)
