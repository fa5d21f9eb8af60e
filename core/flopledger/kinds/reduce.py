"""Reductions along axes: sums, means, extremes and the places of extremes.

``n`` is the number of elements, ``r`` of results: joining the ``n / r`` elements of each result takes
``n - r`` operations in all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import floordiv, product
from flopledger.kinds.axes import axes_of, axis_of, rows, without
from flopledger.kinds.kind import Attribute, Call, Kind, Parts, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.dims.types import Dim, Shape

_AXES = (
    Attribute("axes", "axes that are reduced; None for all", default=None),
    Attribute("keep_dims", "whether they stay, with size 1", default=False),
)
_JOINS = {"sum": "adds", "mean": "adds", "prod": "multiplies", "max": "compares", "min": "compares"}
"""The operation that each way to join two elements takes."""


def reduce_shapes(call: Call) -> tuple[Shape, ...]:
    """The axes disappear, or stay with size 1."""
    axes = axes_of(call, call.input)
    return (without(call.input, axes, 1 if call.flag("keep_dims") else None),)


def _results(call: Call) -> Dim:
    return product(without(call.input, axes_of(call, call.input)))


def _joined(part: str, first: Mapping[str, int], last: Mapping[str, int]) -> Callable[[Call], Parts]:
    """Return the formula of a reduction.

    It is ``first`` for each element, ``part`` to join elements, ``last`` for each result, and a
    product for each result where there is a coefficient other than 1.
    """

    def parts(call: Call) -> Parts:
        n, r = call.in_elems, _results(call)
        found: Parts = {part: n - r}
        scaled = {"multiplies": 1} if call.number("coefficient") != 1 else {}
        for ops, count in ((first, n), (last, r), (scaled, r)):
            for name, each in ops.items():
                found[name] = found.get(name, 0) + each * count
        return found

    return parts


def arg_max_shapes(call: Call) -> tuple[Shape, ...]:
    """The axes are reduced; for the ``top`` places along one axis it gets that size.

    With ``values`` there is a second output, the extremes. A ``shape`` that is given is that of the
    only output.
    """
    top, keep = call.whole("top"), call.flag("keep_dims")
    axes = axes_of(call, call.input)
    if call.get("shape") is not None:
        return (call.dims("shape"),)
    if top > 1 and len(axes) != 1:
        raise call.impossible(f"the {top} largest are looked for along {len(axes)} axes, one is possible")
    shape = without(call.input, axes, top if top > 1 else 1 if keep else None)
    return (shape,) * (2 if call.flag("values") else 1)


def _selected(n: Dim, r: Dim, top: Dim) -> Dim:
    """Return the comparisons that select the ``top`` largest of ``n / r`` elements, r times.

    The i-th of m takes ``m - i`` comparisons: ``k m - k (k + 1) / 2`` for k of them (selection sort;
    Knuth, *The Art of Computer Programming*, volume 3, section 5.2.3).
    """
    return top * n - r * floordiv(top * (top + 1), 2)


def arg_max_parts(call: Call) -> Parts:
    """The largest is found by m - 1 comparisons, the next by one less, and so on."""
    return {"compares": _selected(call.in_elems, _results(call), call.whole("top"))}


def top_k_shapes(call: Call) -> tuple[Shape, ...]:
    """The axis gets the requested size; the outputs are the values and their places."""
    axis, size = axis_of(call, call.input), call.dim("size")
    along = call.input[axis]
    if isinstance(size, int) and isinstance(along, int) and size > along:
        raise call.impossible(f"the {size} largest of {along} are asked for")
    return (without(call.input, (axis,), size),) * 2


def top_k_parts(call: Call) -> Parts:
    """The largest is found by m - 1 comparisons, the next by one less, and so on."""
    return {"compares": _selected(call.in_elems, rows(call), call.dim("size"))}


def min_max_shapes(call: Call) -> tuple[Shape, ...]:
    """The axes are reduced; the smallest come first, then the largest."""
    return reduce_shapes(call) * 2


def min_max_parts(call: Call) -> Parts:
    """Both the smallest and the largest take one comparison less than elements."""
    return {"compares": 2 * (call.in_elems - _results(call))}


def logsumexp_parts(call: Call) -> Parts:
    """``y = max + log(sum exp(x - max))``, as torch.logsumexp keeps it from overflowing.

    For each result of m elements: m - 1 comparisons, m differences, m exponentials, m - 1 additions, a
    logarithm, and one addition more.
    """
    n, r = call.in_elems, _results(call)
    return {"compares": n - r, "adds": 2 * n, "exps": n, "logs": r}


def vector_norm_parts(call: Call) -> Parts:
    """``(sum |x|^p)^(1/p)``; for p = 0 how many are not 0; without ``order`` the largest ``|x|``.

    A magnitude is one comparison, the square of an element one product. Source: numpy.linalg.norm of
    vectors.
    """
    return norm_parts(call, call.in_elems, _results(call))


def norm_parts(call: Call, n: Dim, r: Dim) -> Parts:
    """Return the parts of r norms of n elements together."""
    if call.get("order") is None:
        return {"compares": 2 * n - r}
    order = call.number("order")
    if order in (0, 1):
        return {"compares": n, "adds": n - r}
    if order == 2:
        return {"multiplies": n, "adds": n - r, "sqrts": r}
    return {"compares": n, "powers": n + r, "adds": n - r}


def accumulate_shapes(call: Call) -> tuple[Shape, ...]:
    """The shape is given."""
    return (call.dims("shape"),)


def accumulate_parts(call: Call) -> Parts:
    """``y[index] += x``: one addition for each element of the input, and a product where it is scaled.

    Other ways to join take a product or a comparison in place of the addition; a mean takes a quotient
    for each element of the output besides. Sources: torch.Tensor.scatter_reduce_,
    torch.Tensor.index_add_, torch.nn.Fold.
    """
    join, n = call.word("join"), call.in_elems
    if join not in _JOINS:
        raise call.impossible(f"the way to join {join!r} is none of {', '.join(_JOINS)}")
    scaled: Parts = {"multiplies": n} if call.flag("scaled") else {}
    return merged({_JOINS[join]: n}, scaled, {"divides": call.out_elems} if join == "mean" else {})


def histogram_shapes(call: Call) -> tuple[Shape, ...]:
    """A count for each bin."""
    return ((call.dim("bins"),),)


def histogram_parts(call: Call) -> Parts:
    """Each element is taken to its bin, ``floor((x - low) / width)``, and counted there."""
    n = call.in_elems
    return {"adds": 2 * n, "divides": n}


def variance_parts(call: Call) -> Parts:
    """``sum((x - mean)^2) / m`` with ``mean = sum(x) / m``.

    Both sums take n - r additions, the differences n, the squares n products, and each result two
    divisions; the deviation takes a root of it.
    """
    n, r = call.in_elems, _results(call)
    roots: Parts = {"sqrts": r} if call.flag("root") else {}
    return {"adds": 3 * n - 2 * r, "multiplies": n, "divides": 2 * r, **roots}


def _reduction(
    name: str,
    doc: str,
    part: str,
    first: Mapping[str, int] | None = None,
    last: Mapping[str, int] | None = None,
) -> Kind:
    return Kind(
        name=name,
        doc=doc,
        group="elementwise",
        attributes=(*_AXES, Attribute("coefficient", "the factor of each result", default=1)),
        shapes=reduce_shapes,
        parts=_joined(part, first or {}, last or {}),
    )


KINDS = (
    _reduction("reduce_sum", "the sum", "adds"),
    _reduction("reduce_mean", "the mean: the sum and a division", "adds", last={"divides": 1}),
    _reduction("reduce_max", "the largest", "compares"),
    _reduction("reduce_min", "the smallest", "compares"),
    _reduction("reduce_prod", "the product", "multiplies"),
    _reduction("reduce_asum", "the sum of magnitudes, each one comparison", "adds", first={"compares": 1}),
    _reduction("reduce_sumsq", "the sum of squares", "adds", first={"multiplies": 1}),
    _reduction("reduce_any", "whether any, or all, are true", "compares"),
    Kind(
        name="arg_max",
        doc="the places of the largest or smallest",
        group="elementwise",
        attributes=(
            *_AXES,
            Attribute("top", "how many places are given", default=1),
            Attribute("values", "whether the values are a second output", default=False),
            Attribute("shape", "shape of the output, where it follows no such rule", default=None),
        ),
        shapes=arg_max_shapes,
        parts=arg_max_parts,
    ),
    Kind(
        name="top_k",
        doc="the largest or smallest in order, and their places",
        group="elementwise",
        attributes=(
            Attribute("size", "how many are given"),
            Attribute("axis", "axis along which it runs", default=-1),
        ),
        shapes=top_k_shapes,
        parts=top_k_parts,
    ),
    Kind(
        name="min_max",
        doc="the smallest and the largest",
        group="elementwise",
        attributes=_AXES,
        shapes=min_max_shapes,
        parts=min_max_parts,
    ),
    Kind(
        name="logsumexp",
        doc="the logarithm of the sum of exponentials",
        group="elementwise",
        attributes=_AXES,
        shapes=reduce_shapes,
        parts=logsumexp_parts,
    ),
    Kind(
        name="vector_norm",
        doc="the length of vectors",
        group="elementwise",
        attributes=(*_AXES, Attribute("order", "p of the norm; None for the largest magnitude", default=2)),
        shapes=reduce_shapes,
        parts=vector_norm_parts,
    ),
    Kind(
        name="accumulate",
        doc="elements added up, or combined in another way, at the places given by indices",
        group="elementwise",
        attributes=(
            Attribute("shape", "shape of the output"),
            Attribute("join", "how they are combined: sum, mean, prod, max or min", default="sum"),
            Attribute("scaled", "whether each is multiplied by a factor", default=False),
        ),
        shapes=accumulate_shapes,
        parts=accumulate_parts,
    ),
    Kind(
        name="histogram",
        doc="how many elements lie in each of equal bins",
        group="elementwise",
        attributes=(Attribute("bins", "number of bins"),),
        shapes=histogram_shapes,
        parts=histogram_parts,
    ),
    Kind(
        name="variance",
        doc="the mean squared distance from the mean",
        group="elementwise",
        attributes=(*_AXES, Attribute("root", "whether its root is taken, the deviation", default=False)),
        shapes=reduce_shapes,
        parts=variance_parts,
    ),
)
