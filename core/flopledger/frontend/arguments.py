"""The arguments of a live model: how values are split, which dtype a spec means, whether they fit."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from flopledger.errors import UsageError
from flopledger.frontend.specs import dtype_name
from flopledger.frontend.type_of import is_a, offers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.frontend.request import Request
    from flopledger.frontend.specs import InputSpec

D = TypeVar("D")


def _is_call(values: object, function: Callable[..., object]) -> bool:
    """Return whether inputs are a pair of positional and named arguments, as ``torch.export`` takes them.

    A model may itself take a tuple and a dict; the dict's keys are then hardly names of its parameters.
    """
    if type(values) is not tuple or len(values) != 2:
        return False
    args, kwargs = values
    if type(args) is not tuple or type(kwargs) is not dict:
        return False
    try:
        signature = inspect.signature(function)
        signature.bind(*args, **kwargs)
    except (TypeError, ValueError):
        return False
    return bool(kwargs) or len(signature.parameters) < 2


def split_values(
    values: object, function: Callable[..., object] | None = None
) -> tuple[tuple[object, ...], dict[str, object]]:
    """Return values that were given for a model's inputs as positional and keyword arguments.

    A dict, or an object with a dict's methods such as a tokenizer's result, holds keyword arguments; a plain
    tuple or list holds positional ones; anything else is the only argument. A named tuple is one value,
    since models take it as such. A pair of a tuple and a dict that ``function`` takes so is both.
    """
    if function is not None and _is_call(values, function):
        both: Any = values
        return tuple(both[0]), dict(both[1])
    if is_a(values, dict):
        named: Any = values
        return (), {str(name): value for name, value in dict.items(named)}
    if offers(values, "keys", "__getitem__"):
        named = values
        return (), {str(name): named[name] for name in named.keys()}  # noqa: SIM118  (no dict)
    if type(values) in (tuple, list):
        items: Any = values
        return tuple(items), {}
    return (values,), {}


def spec_dtype(spec: InputSpec, default: D, known: Callable[[str], D | None], framework: str) -> D:
    """Return the dtype of an input, as a framework has it.

    Args:
        spec: The input.
        default: The dtype where the spec has none.
        known: Returns the framework's dtype of a name, or None.
        framework: How messages call the framework.

    Raises:
        UsageError: The framework has no dtype of that name.
    """
    if not spec.dtype:
        return default
    found = known(dtype_name(spec.dtype))
    if found is None:
        message = (
            f"the dtype {spec.dtype!r} is not known to {framework}, expected one such as float32 or int64"
        )
        raise UsageError(message)
    return found


def check_arguments(
    request: Request, forward: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object]
) -> tuple[str, ...]:
    """Check that arguments fit a model's forward, and return the names of the positional ones.

    Raises:
        UsageError: They don't fit; the message shows the signature and a spec for each input.
    """
    numbered = tuple(f"input{i}" for i in range(len(args)))
    try:
        signature = inspect.signature(forward)
    except (TypeError, ValueError):  # of a compiled function
        return numbered
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        message = f"{request.source}: the inputs don't fit: {error}. Its forward takes {signature}"
        if request.values is None:
            message += f"; give one -i for each input, such as {_example(signature)}"
        raise UsageError(message) from None
    names = tuple(p.name for p in signature.parameters.values() if p.kind is not p.VAR_POSITIONAL)
    return (*names, *numbered[len(names) :])[: len(args)]


def _example(signature: inspect.Signature) -> str:
    """Show examples of input specs, by the names that people give to tokens and to pictures.

    A forward in which each argument may be left out is most often a language model's, as in transformers.
    """
    words = []
    for name, parameter in signature.parameters.items():
        if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            integers = "id" in name or "token" in name
            words.append(f"-i {name}=1x128:int64" if integers else f"-i {name}=1x3x224x224")
    return " ".join(words) or "-i input_ids=1x128:int64"
