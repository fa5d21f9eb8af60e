"""What object detectors have of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.kinds.kind import Attribute, Call, Kind

if TYPE_CHECKING:
    from flopledger.dims.types import Shape


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


KINDS = (
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
    ),
)
