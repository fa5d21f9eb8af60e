"""Running sums, products and extremes along an axis.

Each vector of m takes m - 1 steps, ``n - r`` in all for n elements of r vectors.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger.kinds.activation import times
from flopledger.kinds.axes import axis_of, rows
from flopledger.kinds.kind import Attribute, Call, Kind, Parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.dims.types import Shape

_FUNCTIONS: tuple[tuple[str, str, dict[str, int]], ...] = (
    ("cumsum", "running sums", {"adds": 1}),
    ("cumprod", "running products", {"multiplies": 1}),
    ("cummax", "the largest or smallest so far, and its index", {"compares": 1}),
    (
        "logcumsumexp",
        "logarithms of the running sums of exponentials",
        {"compares": 1, "adds": 3, "exps": 1, "logs": 1},
    ),
)

PER_STEP: Mapping[str, Mapping[str, int]] = MappingProxyType({name: ops for name, _, ops in _FUNCTIONS})
"""The operations of one step, by function."""


def scan_shapes(call: Call) -> tuple[Shape, ...]:
    """The shape stays; it has the axis. The places of extremes are a second output."""
    axis_of(call, call.input)
    return (call.input,) * (2 if call.kind.name == "cummax" else 1)


def scan_parts(call: Call) -> Parts:
    """``y_i = f(y_(i-1), x_i)``: one step less than elements in each vector.

    A step of a logarithm is ``max(a, b) + log(1 + exp(-|a - b|))``.
    """
    return times(PER_STEP[call.kind.name], call.in_elems - rows(call))


KINDS = tuple(
    Kind(
        name=name,
        doc=doc,
        group="elementwise",
        attributes=(Attribute("axis", "axis along which it runs", default=-1),),
        shapes=scan_shapes,
        parts=scan_parts,
    )
    for name, doc, _ in _FUNCTIONS
)
