"""Sorting, searching and drawing, where the comparisons that are made depend on the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.kinds.axes import axes_of, axis_of, without
from flopledger.kinds.kind import Attribute, Call, Kind, no_products
from flopledger.kinds.move import given_shape

if TYPE_CHECKING:
    from flopledger.dims.types import Shape


def sort_shapes(call: Call) -> tuple[Shape, ...]:
    """The outputs are the values in order and their places."""
    axis_of(call, call.input)
    return (call.input,) * 2


def order_statistic_shapes(call: Call) -> tuple[Shape, ...]:
    """The axes are reduced; with ``places`` there is a second output, the indices of the values."""
    shape = without(call.input, axes_of(call, call.input), 1 if call.flag("keep_dims") else None)
    return (shape,) * (2 if call.flag("places") else 1)


_SHAPE = Attribute("shape", "shape of the output")

KINDS = (
    Kind(
        name="sort",
        doc="all in order, and their places; the comparisons depend on the data",
        group="elementwise",
        attributes=(Attribute("axis", "axis along which it runs", default=-1),),
        shapes=sort_shapes,
        parts=None,
        facts=no_products,
    ),
    Kind(
        name="order_statistic",
        doc="the median, the k-th smallest or the most frequent; the comparisons depend on the data",
        group="elementwise",
        attributes=(
            Attribute("axes", "axes that are reduced; None for all", default=None),
            Attribute("keep_dims", "whether they stay, with size 1", default=False),
            Attribute("places", "whether the places are a second output", default=False),
        ),
        shapes=order_statistic_shapes,
        parts=None,
        facts=no_products,
    ),
    Kind(
        name="search",
        doc="places of elements among others; the comparisons depend on the data",
        group="elementwise",
        attributes=(_SHAPE,),
        shapes=given_shape,
        parts=None,
        facts=no_products,
    ),
    Kind(
        name="draw",
        doc="places drawn at random by given weights; the comparisons depend on the data",
        group="elementwise",
        attributes=(_SHAPE,),
        shapes=given_shape,
        parts=None,
        facts=no_products,
    ),
)
