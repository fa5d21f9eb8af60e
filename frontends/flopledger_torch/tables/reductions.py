"""Reductions, running sums, sorting, and elements that are joined by index: functions and ops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import TensorRef, is_dim, product

from flopledger_torch.tables.algebra import order_of
from flopledger_torch.tables.call import Meaning, Rule, TorchCall, whole
from flopledger_torch.tables.elements import pair, picked

if TYPE_CHECKING:
    from flopledger.frontend import Shape, Value


def _axes(value: Value) -> Value:
    if isinstance(value, int) and not isinstance(value, bool):
        return (value,)
    if isinstance(value, tuple) and value and all(is_dim(axis) for axis in value):
        return value
    return None


def _over(call: TorchCall) -> dict[str, Value]:
    axes = _axes(call.get("dim"))
    return {"axes": axes, "keep_dims": call.get("keepdim") is True and axes is not None}


def reduction(kind: str) -> Rule:
    """Return the rule of a sum, mean and the like over some axes, or all."""

    def rule(call: TorchCall) -> Meaning | None:
        if len(call.inputs) > 1:  # torch.max of two tensors
            return pair({"reduce_max": "maximum", "reduce_min": "minimum"}.get(kind, kind))(call)
        return Meaning(kind, _over(call), call.first)

    return rule


def places(call: TorchCall) -> Meaning:
    """torch.argmax and torch.argmin."""
    return Meaning("arg_max", _over(call), call.first)


def top_k(call: TorchCall) -> Meaning:
    """torch.topk."""
    return Meaning("top_k", {"size": call.get("k"), "axis": whole(call.get("dim"), -1)}, call.first)


def sort(call: TorchCall) -> Meaning:
    """torch.sort."""
    return Meaning("sort", {"axis": whole(call.get("dim"), -1)}, call.first)


def accumulated(call: TorchCall) -> Meaning:
    """torch.scatter_add and index_add, which add the last tensor, and fold, which adds its only one."""
    attrs: dict[str, Value] = {"shape": call.out, "scaled": call.get("alpha", 1) != 1}
    return Meaning("accumulate", attrs, tuple(call.inputs[-1:]))


def histogram(call: TorchCall) -> Meaning:
    """torch.histc and torch.histogram."""
    return Meaning("histogram", {"bins": call.get("bins")}, call.first)


def deviation(call: TorchCall) -> Meaning:
    """torch.std and torch.std_mean."""
    return Meaning("variance", {**_over(call), "root": True}, call.first)


def norm(call: TorchCall) -> Meaning:
    """torch.norm of vectors; the nuclear norm is none of them."""
    order = order_of(call.get("ord", call.get("p")))
    return Meaning("vector_norm", {**_over(call), "order": order}, call.first)


def nonzeros(call: TorchCall) -> Meaning:
    """torch.count_nonzero."""
    return Meaning("vector_norm", {**_over(call), "order": 0}, call.first)


def order_statistic(call: TorchCall) -> Meaning:
    """torch.median, torch.mode and torch.kthvalue, which along an axis return the positions too."""
    over = _over(call)
    return Meaning("order_statistic", {**over, "places": over["axes"] is not None}, call.first)


def scan(kind: str) -> Rule:
    """Return the rule of torch.cumsumand its variants."""

    def rule(call: TorchCall) -> Meaning | None:
        return Meaning(kind, {"axis": whole(call.get("dim"), -1)}, call.first) if call.input_shape else None

    return rule


def located(kind: str) -> Rule:
    """Return the rule of functions that search or draw positions."""
    return lambda call: Meaning(kind, {"shape": call.out}, tuple(call.inputs))


_JOINS = {
    "sum": "sum",
    "add": "sum",
    "mean": "mean",
    "prod": "prod",
    "multiply": "prod",
    "amax": "max",
    "amin": "min",
}


def scattered(call: TorchCall) -> Meaning:
    """torch.scatter_reduce, index_reduce and scatter, which joins nothing unless ``reduce`` is given."""
    word = call.get("reduce")
    if word is None:
        return picked(call)
    source = call.refs("src", "source")
    if call.has("index") and (not source or call.shape("src") not in ((), call.shape("index"))):
        source = call.refs("index")  # only as many elements as the index has are read
    return Meaning("accumulate", {"shape": call.out, "join": _JOINS[str(word)]}, source)


def put(call: TorchCall) -> Meaning | None:
    """torch.index_put and torch.put, which replace elements, or add to them."""
    if call.get("accumulate") is not True:
        return picked(call)
    values, index = call.refs("values", "source"), call.get("indices")
    places = call.shape("index") if index is None else _indexed(call, index)
    if places is None or product(call.tensors.shapes[values[0]]) != product(places):
        return None
    return Meaning("accumulate", {"shape": call.out}, values)


def _indexed(call: TorchCall, index: Value) -> Shape | None:
    """Return the shape of the elements that one list of indices selects along the first axis; else None."""
    if not isinstance(index, tuple) or len(index) != 1 or not isinstance(index[0], TensorRef):
        return None
    number = index[0].id
    if call.tensors.dtypes[number] == "bool":
        return None
    return (*call.tensors.shapes[number], *call.input_shape[1:])
