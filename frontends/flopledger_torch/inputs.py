"""The model's arguments: made from specs, or from values that were given."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import InputSpec, UsageError, gather, is_a, offers

from flopledger_torch.state.weights import is_tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flopledger.frontend import Request

    from flopledger_torch.state.copies import Copies

    Make = Callable[[InputSpec, torch.dtype], torch.Tensor]


@dataclass(slots=True)
class Arguments:
    """What the model is called with, and every tensor in it with its name."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    named: list[tuple[str, torch.Tensor, bool]] = field(default_factory=list)


def arguments(request: Request, model: torch.nn.Module, make: Make, copies: Copies) -> Arguments:
    """Return the arguments that a request gives a model.

    Raises:
        UsageError: They don't fit what the model takes, or a dtype is not known.
    """
    if request.values is not None:
        given = _given(request.values)
        for value in _leaves(given):
            if is_tensor(value):
                copies.twins(value)
            elif offers(value, "__array_interface__", "ndim"):
                copies.keep(value, copies.twins(torch.as_tensor(value)))
        found = Arguments(*copies(given))
    else:
        positional, named = gather(request.inputs)
        default = _dtype_of(model)
        found = Arguments(*_mapped((positional, named), lambda value: _made(value, make, default)))
    names = _check(request, model, found)
    for value, name in zip(found.args, names, strict=False):
        found.named += [(n, t, True) for n, t in _tensors(name, value)]
    for name, value in found.kwargs.items():
        found.named += [(n, t, False) for n, t in _tensors(name, value)]
    return found


def _given(values: object) -> tuple[tuple[object, ...], dict[str, object]]:
    if is_a(values, dict):
        named: Any = values
        return (), {str(name): value for name, value in dict.items(named)}
    if offers(values, "keys", "__getitem__"):  # such as a tokenizer's result
        named = values
        return (), {str(name): named[name] for name in named.keys()}  # noqa: SIM118  (no dict)
    if type(values) in (tuple, list):
        items: Any = values
        return tuple(items), {}
    return (values,), {}


def _items(value: Any) -> list[Any]:
    """Return what a list or tuple holds, whatever its class makes of going through it."""
    return list((tuple if is_a(value, tuple) else list).__iter__(value))


def _leaves(value: Any) -> Iterator[Any]:
    """Yield what lies in nested lists, tuples and dicts."""
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
    return make(value, _dtype(value, default))


def _dtype(spec: InputSpec, default: torch.dtype) -> torch.dtype:
    if not spec.dtype:
        return default
    found = getattr(torch, {"float": "float32", "int": "int64"}.get(spec.dtype, spec.dtype), None)
    if not isinstance(found, torch.dtype):
        message = f"the dtype {spec.dtype!r} is not known to torch, expected one such as float32 or int64"
        raise UsageError(message)
    return found


def _dtype_of(model: torch.nn.Module) -> torch.dtype:
    """Return the type of the model's first weight, which its inputs have where nothing else is said."""
    for parameter in model.parameters():
        if parameter.is_floating_point():
            return parameter.dtype
    return torch.get_default_dtype()


def _check(request: Request, model: torch.nn.Module, found: Arguments) -> list[str]:
    """Check that the arguments fit the model's forward, and return the names of the positional ones."""
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError):
        return [f"input{i}" for i in range(len(found.args))]
    try:
        signature.bind(*found.args, **found.kwargs)
    except TypeError as error:
        message = f"{request.source}: the inputs don't fit: {error}. Its forward takes {signature}"
        if request.values is None:
            message += f"; give one -i for each input, such as {_example(signature)}"
        raise UsageError(message) from None
    names = [p.name for p in signature.parameters.values() if p.kind is not p.VAR_POSITIONAL]
    return names + [f"input{i}" for i in range(len(names), len(found.args))]


def _example(signature: inspect.Signature) -> str:
    """Show what an input spec looks like, by the names that people give."""
    words = []
    for name, parameter in signature.parameters.items():
        if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            integers = "id" in name or "token" in name
            words.append(f"-i {name}=1x128:int64" if integers else f"-i {name}=1x3x224x224")
    return " ".join(words) or "-i input_ids=1x128:int64"


def _tensors(name: str, value: Any) -> Iterator[tuple[str, torch.Tensor]]:
    if is_tensor(value):
        yield name, value
    elif is_a(value, tuple, list):
        for index, item in enumerate(_items(value)):
            yield from _tensors(f"{name}[{index}]", item)
    elif is_a(value, dict):
        for key, item in dict.items(value):
            yield from _tensors(f"{name}.{key}", item)
