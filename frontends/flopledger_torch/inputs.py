"""The model's arguments: made from specs, or from values that were given."""

from __future__ import annotations

import inspect
from dataclasses import field
from typing import TYPE_CHECKING, Any, get_args

import torch
from flopledger.frontend import (
    InputSpec,
    check_arguments,
    dataclass,
    gather,
    is_a,
    offers,
    spec_dtype,
    split_values,
)

from flopledger_torch.nested import check
from flopledger_torch.state.weights import is_tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flopledger.frontend import Request

    from flopledger_torch.state.copies import Copies

    Make = Callable[[InputSpec, torch.dtype], torch.Tensor]


@dataclass(slots=True)
class Arguments:
    """The arguments of the model's call, and every tensor in them with its name."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    named: list[tuple[str, torch.Tensor, bool]] = field(default_factory=list)


def arguments(request: Request, model: torch.nn.Module, make: Make, copies: Copies) -> Arguments:
    """Return the arguments that a request gives a model.

    Raises:
        UsageError: They don't fit the model's signature, or a dtype is not known.
    """
    if request.values is not None:
        given = split_values(request.values, model.forward)
        for value in _leaves(given):
            if is_tensor(value):
                _twin(value, copies)
            elif offers(value, "__array_interface__", "ndim"):
                copies.keep(value, _twin(torch.as_tensor(value), copies))
        found = Arguments(*copies(given))
    else:
        positional, named = gather(request.inputs)
        default = _dtype_of(model)
        named = {name: _as_tensor(name, value, model, copies) for name, value in named.items()}
        found = Arguments(*_mapped((positional, named), lambda value: _made(value, make, default)))
    names = check_arguments(request, model.forward, found.args, found.kwargs)
    for value, name in zip(found.args, names, strict=False):
        found.named += [(n, t, True) for n, t in _tensors(name, value)]
    for name, value in found.kwargs.items():
        found.named += [(n, t, False) for n, t in _tensors(name, value)]
    return found


def _twin(tensor: torch.Tensor, copies: Copies) -> torch.Tensor:
    """Return the stand-in of an input, whose values may be asked for."""
    check(tensor)
    made = copies.stand_ins(tensor)
    values = copies.stand_ins.tensors.values
    if values is not None:
        values.source(made, tensor, given=True)
    return made


def _items(value: Any) -> list[Any]:
    """Return the elements of a list or tuple, even if its class overrides iteration."""
    return list((tuple if is_a(value, tuple) else list).__iter__(value))


def _leaves(value: Any) -> Iterator[Any]:
    """Yield the leaves of nested lists, tuples and dicts."""
    if is_a(value, tuple, list):
        for item in _items(value):
            yield from _leaves(item)
    elif is_a(value, dict):
        for item in dict.values(value):
            yield from _leaves(item)
    else:
        yield value


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return nested tuples and dicts of specs with each of the specs changed."""
    if type(value) is tuple:
        return tuple(_mapped(item, change) for item in value)
    if type(value) is dict:
        return {key: _mapped(item, change) for key, item in value.items()}
    return change(value)


def _made(value: Any, make: Make, default: torch.dtype) -> Any:
    if not isinstance(value, InputSpec):
        return value
    if value.is_literal:
        return value.literal
    return make(value, spec_dtype(value, default, _known_dtype, "torch"))


def _as_tensor(name: str, value: Any, model: torch.nn.Module, copies: Copies) -> Any:
    """Return a list of numbers as the tensor that a forward declares, whose values sizes may follow from.

    A list for an argument that is declared otherwise, or not at all, stays one.
    """
    if not (isinstance(value, InputSpec) and isinstance(value.literal, (list, tuple))):
        return value
    declared = inspect.signature(model.forward).parameters.get(name)
    if declared is None or not _is_tensor_type(declared.annotation):
        return value
    try:
        tensor = torch.tensor(value.literal)
    except (TypeError, ValueError):
        return value
    _twin(tensor, copies)
    return copies(tensor)


def _is_tensor_type(declared: object) -> bool:
    """Return whether an annotation is a tensor, or one or nothing."""
    if isinstance(declared, str):
        return any(one.strip().endswith("Tensor") for one in declared.split("|"))
    return any(getattr(one, "__name__", "").endswith("Tensor") for one in get_args(declared) or (declared,))


def _known_dtype(name: str) -> torch.dtype | None:
    found = getattr(torch, name, None)
    return found if isinstance(found, torch.dtype) else None


def _dtype_of(model: torch.nn.Module) -> torch.dtype:
    """Return the type of the model's first weight, which its inputs have unless another is given."""
    for parameter in model.parameters():
        if parameter.is_floating_point():
            return parameter.dtype
    return torch.get_default_dtype()


def _tensors(name: str, value: Any) -> Iterator[tuple[str, torch.Tensor]]:
    if is_tensor(value):
        yield name, value
    elif is_a(value, tuple, list):
        for index, item in enumerate(_items(value)):
            yield from _tensors(f"{name}[{index}]", item)
    elif is_a(value, dict):
        for key, item in dict.items(value):
            yield from _tensors(f"{name}.{key}", item)
