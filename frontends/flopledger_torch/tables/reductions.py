"""Reductions, running sums, sorting, and elements that are joined by index: functions and ops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import TensorRef, is_dim, product

from flopledger_torch.tables.algebra import order_of
from flopledger_torch.tables.call import Meaning, Row, Said, whole
from flopledger_torch.tables.elements import pair, picked

if TYPE_CHECKING:
    from flopledger.frontend import Shape, Value


def _axes(value: Value) -> Value:
    if isinstance(value, int) and not isinstance(value, bool):
        return (value,)
    if isinstance(value, tuple) and value and all(is_dim(axis) for axis in value):
        return value
    return None


def _over(said: Said) -> dict[str, Value]:
    axes = _axes(said.get("dim"))
    return {"axes": axes, "keep_dims": said.get("keepdim") is True and axes is not None}


def reduction(kind: str) -> Row:
    """Return the row of a sum, mean and the like over some axes, or all."""

    def row(said: Said) -> Meaning | None:
        if len(said.inputs) > 1:  # torch.max of two tensors
            return pair({"reduce_max": "maximum", "reduce_min": "minimum"}.get(kind, kind))(said)
        return Meaning(kind, _over(said), said.first)

    return row


def places(said: Said) -> Meaning:
    """torch.argmax and torch.argmin."""
    return Meaning("arg_max", _over(said), said.first)


def top_k(said: Said) -> Meaning:
    """torch.topk."""
    return Meaning("top_k", {"size": said.get("k"), "axis": whole(said.get("dim"), -1)}, said.first)


def sort(said: Said) -> Meaning:
    """torch.sort."""
    return Meaning("sort", {"axis": whole(said.get("dim"), -1)}, said.first)


def accumulated(said: Said) -> Meaning:
    """torch.scatter_add and index_add, which add the last tensor, and fold, which adds its only one."""
    attrs: dict[str, Value] = {"shape": said.out, "scaled": said.get("alpha", 1) != 1}
    return Meaning("accumulate", attrs, tuple(said.inputs[-1:]))


def histogram(said: Said) -> Meaning:
    """torch.histc and torch.histogram."""
    return Meaning("histogram", {"bins": said.get("bins")}, said.first)


def deviation(said: Said) -> Meaning:
    """torch.std and torch.std_mean."""
    return Meaning("variance", {**_over(said), "root": True}, said.first)


def norm(said: Said) -> Meaning:
    """torch.norm of vectors; the nuclear norm is none of them."""
    order = order_of(said.get("ord", said.get("p")))
    return Meaning("vector_norm", {**_over(said), "order": order}, said.first)


def nonzeros(said: Said) -> Meaning:
    """torch.count_nonzero."""
    return Meaning("vector_norm", {**_over(said), "order": 0}, said.first)


def order_statistic(said: Said) -> Meaning:
    """torch.median, torch.mode and torch.kthvalue, which along an axis say the places too."""
    over = _over(said)
    return Meaning("order_statistic", {**over, "places": over["axes"] is not None}, said.first)


def scan(kind: str) -> Row:
    """Return the row of torch.cumsum and its like."""

    def row(said: Said) -> Meaning | None:
        return Meaning(kind, {"axis": whole(said.get("dim"), -1)}, said.first) if said.given else None

    return row


def located(kind: str) -> Row:
    """Return the row of what looks for places, or draws them."""
    return lambda said: Meaning(kind, {"shape": said.out}, tuple(said.inputs))


_JOINS = {
    "sum": "sum",
    "add": "sum",
    "mean": "mean",
    "prod": "prod",
    "multiply": "prod",
    "amax": "max",
    "amin": "min",
}


def scattered(said: Said) -> Meaning:
    """torch.scatter_reduce, index_reduce and scatter, which joins nothing unless it is told to."""
    word = said.get("reduce")
    if word is None:
        return picked(said)
    source = said.refs("src", "source")
    if said.has("index") and (not source or said.shape("src") not in ((), said.shape("index"))):
        source = said.refs("index")  # only as much as the index says is read
    return Meaning("accumulate", {"shape": said.out, "join": _JOINS[str(word)]}, source)


def put(said: Said) -> Meaning | None:
    """torch.index_put and torch.put, which replace elements, or add to them."""
    if said.get("accumulate") is not True:
        return picked(said)
    values, index = said.refs("values", "source"), said.get("indices")
    places = said.shape("index") if index is None else _indexed(said, index)
    if places is None or product(said.tensors.shapes[values[0]]) != product(places):
        return None
    return Meaning("accumulate", {"shape": said.out}, values)


def _indexed(said: Said, index: Value) -> Shape | None:
    """Return the shape of what one list of indices names along the first axis; None of any other."""
    if not isinstance(index, tuple) or len(index) != 1 or not isinstance(index[0], TensorRef):
        return None
    number = index[0].id
    if said.tensors.dtypes[number] == "bool":
        return None
    return (*said.tensors.shapes[number], *said.given[1:])
