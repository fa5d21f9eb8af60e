"""Distances of vectors: of all pairs of two lists, of all pairs of one, of two tensors as a whole.

The distance is the p-norm of the difference; without ``order`` its largest magnitude. Sources:
scipy.spatial.distance.cdist and pdist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import floordiv, product
from flopledger.kinds.axes import broadcast, differ
from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts, merged
from flopledger.kinds.reduce import norm_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.dims.types import Dim, Shape


def cdist_shapes(call: Call) -> tuple[Shape, ...]:
    """(.., P, M) and (.., R, M) give (.., P, R), the leading axes broadcast."""
    if len(call.inputs) != 2 or min(map(len, call.inputs)) < 2:
        raise call.impossible("distances are taken of two lists of vectors")
    a, b = call.inputs
    if differ(a[-1], b[-1]):
        raise call.impossible(f"vectors of {a[-1]} and of {b[-1]} elements have no distance")
    return ((*broadcast(call, (a[:-2], b[:-2])), a[-2], b[-2]),)


def pdist_shapes(call: Call) -> tuple[Shape, ...]:
    """N vectors have ``N (N - 1) / 2`` pairs."""
    if len(call.input) != 2:
        raise call.impossible("the pairs are those of one list of vectors")
    count = call.input[0]
    return ((floordiv(count * (count - 1), 2),),)


def pair_facts(call: Call) -> Facts:
    """A squared distance is the dot product of a difference of M elements with itself.

    ``macs`` are M for each pair; other norms have none.
    """
    if call.get("order") is None or call.number("order") != 2:
        return {"macs": 0, "dots": 0}
    return {"macs": call.out_elems * call.input[-1], "dots": call.out_elems}


def pair_parts(call: Call) -> Parts:
    """For each pair the difference of M elements, and its norm."""
    return _lengths(call, call.out_elems * call.input[-1], call.out_elems)


def _lengths(call: Call, terms: Dim, results: Dim) -> Parts:
    return merged({"adds": terms}, norm_parts(call, terms, results))


def dist_shapes(call: Call) -> tuple[Shape, ...]:
    """One number; the two inputs are broadcast."""
    broadcast(call, call.inputs)
    return ((),)


def dist_parts(call: Call) -> Parts:
    """The difference, and its norm."""
    return _lengths(call, product(broadcast(call, call.inputs)), 1)


_ORDER = Attribute("order", "p of the norm; None for the largest magnitude", default=2)


def _pairs(name: str, doc: str, shapes: Callable[[Call], tuple[Shape, ...]]) -> Kind:
    return Kind(
        name=name,
        doc=doc,
        group="linear",
        attributes=(_ORDER,),
        shapes=shapes,
        parts=pair_parts,
        facts=pair_facts,
    )


KINDS = (
    _pairs("cdist", "distance of each vector of one list from each of another", cdist_shapes),
    _pairs("pdist", "distance of each vector of a list from each later one", pdist_shapes),
    Kind(
        name="dist",
        doc="length of the difference of two tensors",
        group="elementwise",
        attributes=(_ORDER,),
        shapes=dist_shapes,
        parts=dist_parts,
    ),
)
