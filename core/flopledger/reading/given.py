"""The inputs that a caller of the library gives: shapes and specs, or live values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flopledger.dims.arithmetic import is_dim
from flopledger.errors import UsageError
from flopledger.frontend.description import has_type
from flopledger.frontend.specs import InputSpec, parse_spec


def one_of(inputs: object, input_size: object) -> object:
    """Return the inputs, which may be given under the name that torchinfo and others have for shapes.

    Raises:
        UsageError: Both are given.
    """
    if nothing(input_size):
        return inputs
    if not nothing(inputs):
        raise UsageError("inputs= and input_size= are both given; they are two names of the same")
    return input_size


def nothing(inputs: object) -> bool:
    """Return whether no inputs are given."""
    return inputs is None or (type(inputs) in (tuple, list, dict) and not inputs)


def given_inputs(inputs: object) -> tuple[tuple[InputSpec, ...], object]:
    """Distinguish shapes and specs from live values.

    Returns:
        The specs of inputs given as texts or shapes, and the inputs themselves where they are tensors
        or arrays, which only a reading in this process can take.
    """
    if nothing(inputs):
        return (), None
    if has_type(inputs, str) or _is_shape(inputs):
        return (_spec("", inputs),), None
    if issubclass(type(inputs), Mapping):
        mapping: Any = inputs
        named = list(mapping.items())
    elif has_type(inputs, tuple) or has_type(inputs, list):
        named = [("", given) for given in inputs]
    else:
        return (), inputs
    if all(has_type(given, str) or _is_shape(given) for _, given in named):
        return tuple(_spec(str(name), given) for name, given in named), None
    return (), inputs


def _is_shape(value: object) -> bool:
    return (has_type(value, tuple) or has_type(value, list)) and all(is_dim(d) for d in value)


def _spec(name: str, given: object) -> InputSpec:
    if isinstance(given, str):
        return parse_spec(f"{name}={given}" if name else given)
    return InputSpec(name, tuple(d for d in given if is_dim(d)) if isinstance(given, (tuple, list)) else None)
