"""Kinds specific to object detectors and optical flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import ceildiv
from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts, dot_parts, no_products

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.dims.types import Dim, Shape


def prior_box_shapes(call: Call) -> tuple[Shape, ...]:
    """Two rows, corners and variances, of four numbers for each prior at each position.

    Source: Liu et al., *SSD*, 2015 (arXiv:1512.02325), section 2.2; the layer of its Caffe fork.
    """
    if len(call.input) != 4:
        raise call.impossible("priors lie on a feature map of 4 dimensions, N, C, H, W")
    _, _, height, width = call.input
    return ((1, 2, height * width * call.dim("priors") * 4),)


def roi_pool_shapes(call: Call) -> tuple[Shape, ...]:
    """One small map for each box of the second input.

    Source: Girshick, *Fast R-CNN*, 2015 (arXiv:1504.08083), section 2.1.
    """
    if len(call.inputs) < 2 or len(call.input) != 4 or len(call.inputs[1]) < 1:
        raise call.impossible("boxes are pooled from a feature map, N, C, H, W, and a list of boxes")
    pooled = call.dims("pooled")
    if len(pooled) != 2:
        raise call.impossible(f"the pooled size {pooled} is not a height and a width")
    return ((call.inputs[1][0], call.input[1], *pooled),)


def correlation_shapes(call: Call) -> tuple[Shape, ...]:
    """One channel for each displacement, ``(2 floor(d / s2) + 1)^2`` of them.

    Each size becomes ``ceil((L + 2 p - 2 (d + r)) / s1)`` with the kernel's radius ``r = (K - 1) / 2``.
    Sources: Dosovitskiy et al., *FlowNet*, 2015 (arXiv:1504.06852), equation 1; its
    ``correlation_layer.cpp``.
    """
    if len(call.input) != 4 or len(call.inputs) != 2 or call.inputs[0] != call.inputs[1]:
        raise call.impossible("two feature maps of one shape, N, C, H, W, are correlated")
    grid = 2 * (call.whole("displacement") // call.whole("displacement_stride")) + 1
    return ((call.input[0], grid * grid, *_places(call)),)


def _places(call: Call) -> Iterator[Dim]:
    border = call.whole("displacement") + (call.whole("kernel") - 1) // 2
    for size in call.input[2:]:
        places = ceildiv(size + 2 * call.whole("padding") - 2 * border, call.whole("stride"))
        if isinstance(places, int) and places < 1:
            raise call.impossible(f"the size {size} has no place at a distance of {border} from its border")
        yield places


def correlation_facts(call: Call) -> Facts:
    """``macs = K^2 C`` for each output element, the product of two patches."""
    return {"macs": call.whole("kernel") ** 2 * call.input[1] * call.out_elems, "dots": call.out_elems}


def correlation_parts(call: Call) -> Parts:
    """A dot product for each output element, and its division by the number of its terms."""
    facts = correlation_facts(call)
    return {**dot_parts(facts["macs"], facts["dots"]), "divides": call.out_elems}


KINDS = (
    Kind(
        name="correlation",
        doc="patches of one feature map times those of another at each displacement",
        group="conv",
        attributes=(
            Attribute("kernel", "side of a patch", default=1),
            Attribute("displacement", "largest displacement"),
            Attribute("displacement_stride", "distance of the displacements", default=1),
            Attribute("stride", "distance of the places", default=1),
            Attribute("padding", "zeros added on each side", default=0),
        ),
        shapes=correlation_shapes,
        parts=correlation_parts,
        facts=correlation_facts,
    ),
    Kind(
        name="prior_box",
        doc="boxes of fixed sizes around each position; they depend on no data",
        group="move",
        attributes=(Attribute("priors", "boxes at each position"),),
        shapes=prior_box_shapes,
    ),
    Kind(
        name="roi_pool",
        doc="the largest elements within boxes; the comparisons depend on the boxes",
        group="pool",
        attributes=(Attribute("pooled", "height and width of each map"),),
        shapes=roi_pool_shapes,
        parts=None,
        facts=no_products,
    ),
    Kind(
        name="roi_align",
        doc="averages of interpolated elements within boxes; how many are read may depend on the boxes",
        group="resample",
        attributes=(Attribute("pooled", "height and width of each map"),),
        shapes=roi_pool_shapes,
        parts=None,
        facts=no_products,
    ),
)
