"""The inputs that a caller of the library gives: shapes and specs, or live values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flopledger.dims.arithmetic import is_dim, is_symbolic
from flopledger.errors import UsageError, shown
from flopledger.frontend.description import has_type
from flopledger.frontend.specs import InputSpec, open_size, parse_spec

_OPEN = (None, "?", -1)
"""How frameworks write a size that is left open."""


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
    _check_shape(inputs)
    if has_type(inputs, str) or _is_shape(inputs):
        return (_spec("", inputs),), None
    if issubclass(type(inputs), Mapping):
        mapping: Any = inputs
        named = list(mapping.items())
    elif has_type(inputs, tuple) or has_type(inputs, list):
        named = [("", given) for given in inputs]
    else:
        return (), inputs
    for _, given in named:
        _check_shape(given)
    if all(has_type(given, str) or _is_shape(given) for _, given in named):
        return tuple(_spec(str(name), given) for name, given in named), None
    return (), inputs


def _is_shape(value: object) -> bool:
    return (has_type(value, tuple) or has_type(value, list)) and all(is_dim(d) for d in value)


def _check_shape(value: object) -> None:
    """Refuse a shape in which a size is open, negative or a fraction.

    Raises:
        UsageError: The message names the size, and what to write.
    """
    if not (has_type(value, tuple) or has_type(value, list)):
        return
    sizes: Any = value
    if not any(is_dim(size) for size in sizes) or not all(map(_is_number, sizes)):
        return
    for size in sizes:
        wrong = open_size(size) if size in _OPEN else ""
        if not wrong and not (is_symbolic(size) or (isinstance(size, int) and size >= 0)):
            wrong = f"{size} is no size; a size is a whole number, such as 1, or a symbol, such as N"
        if wrong:
            raise UsageError(f'the shape {shown(value)}: {wrong}: inputs="1x3x224x224", inputs="Nx3x224x224"')


def _is_number(size: object) -> bool:
    return size is None or type(size) is float or size == "?" or is_dim(size)


def _spec(name: str, given: object) -> InputSpec:
    if isinstance(given, str):
        return parse_spec(f"{name}={given}" if name else given)
    return InputSpec(name, tuple(d for d in given if is_dim(d)) if isinstance(given, (tuple, list)) else None)
