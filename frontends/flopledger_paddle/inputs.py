"""The model's arguments: made from specs, or like values that were given."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from flopledger.frontend import (
    InputSpec,
    check_arguments,
    dataclass,
    gather,
    spec_dtype,
    split_values,
    symbol,
)

from flopledger_paddle.framework import paddle
from flopledger_paddle.modules import dtype_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flopledger.frontend import Request, Shape


@dataclass(frozen=True, slots=True)
class Given(InputSpec):
    """The spec of a tensor or array that was given, with its contents, which a real run computes with."""

    contents: Any = field(default=None, compare=False)


def contents_of(spec: InputSpec) -> Any:
    """Return a new tensor for an input: with the contents that were given, else zeros."""
    contents = spec.contents if isinstance(spec, Given) else None
    if contents is None:
        return paddle.zeros(list(spec.shape or ()), spec.dtype)
    made = contents.clone() if isinstance(contents, paddle.Tensor) else paddle.to_tensor(contents)
    return made.detach()


@dataclass(slots=True)
class Arguments:
    """The arguments of a model's call: nested tuples and dicts of input specs and of plain values."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()

    def made(self, make: Callable[[str, InputSpec], Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments with the results of ``make`` in place of each spec that is no literal."""
        args = tuple(_made(n, v, make) for n, v in zip(self.names, self.args, strict=True))
        return args, {name: _made(name, value, make) for name, value in self.kwargs.items()}

    def specs(self) -> list[InputSpec]:
        """Return the specs of tensors, in order."""
        return list(specs_in((self.args, self.kwargs)))

    def are_given(self) -> bool:
        """Return whether the contents of a tensor were given."""
        return any(isinstance(spec, Given) and spec.contents is not None for spec in self.specs())

    def changed(self, change: Callable[[InputSpec], InputSpec]) -> Arguments:
        """Return the arguments with every spec of a tensor changed."""
        args, kwargs = self.made(lambda _, spec: change(spec))
        return Arguments(args, kwargs, self.names)


def arguments(request: Request, model: Any) -> Arguments:
    """Return the arguments that a request gives a model.

    Raises:
        UsageError: They don't fit the model's signature, or a dtype is not known.
    """
    if request.values is not None:
        args, kwargs = split_values(request.values, model.forward)
    else:
        positional, named = gather(request.inputs)
        args, kwargs = tuple(positional), dict(named)
    default = _dtype_of(model)
    given = Arguments(
        tuple(_spec(value, default) for value in args),
        {name: _spec(value, default) for name, value in kwargs.items()},
    )
    given.names = check_arguments(request, model.forward, given.args, given.kwargs)
    return given


def _spec(value: Any, default: str) -> Any:
    """Return a value with specs in place of tensors and arrays, each with its dtype."""
    if isinstance(value, InputSpec):
        if value.is_literal:
            return value
        return InputSpec(value.name, value.shape, spec_dtype(value, default, _known_dtype, "Paddle"))
    if isinstance(value, dict):
        return {key: _spec(item, default) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return like(value, [_spec(item, default) for item in value])
    is_tensor = isinstance(value, paddle.Tensor) or hasattr(value, "__array_interface__")
    if is_tensor or isinstance(value, paddle.static.InputSpec):
        name, shape = getattr(value, "name", "") or "", open_shape(value.shape)
        return Given(name, shape, dtype_name(value.dtype), contents=value if is_tensor else None)
    return value


def open_shape(shape: Any) -> Shape:
    """Return a shape with a symbol for each size that is not known: N on the first axis, else D1, D2 ..."""
    return tuple(
        symbol(f"D{axis}" if axis else "N") if size is None or size == -1 else int(size)
        for axis, size in enumerate(shape)
    )


def _known_dtype(name: str) -> str | None:
    return name if isinstance(getattr(paddle, name, None), paddle.dtype) else None


def _dtype_of(model: Any) -> str:
    """Return the type of the model's first weight, which its inputs have unless another is given."""
    for parameter in model.parameters():
        name = dtype_name(parameter.dtype)
        if "float" in name:
            return name
    return str(paddle.get_default_dtype())


def _made(name: str, value: Any, make: Callable[[str, InputSpec], Any]) -> Any:
    if isinstance(value, InputSpec):
        return value.literal if value.is_literal else make(name, value)
    if isinstance(value, dict):
        return {key: _made(f"{name}.{key}", item, make) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return like(value, [_made(f"{name}[{i}]", item, make) for i, item in enumerate(value)])
    return value


def like(value: Any, items: list[Any]) -> Any:
    """Return a list or tuple like another one; a named one, such as an attention's cache, by its fields."""
    return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)


def specs_in(value: Any) -> Iterator[InputSpec]:
    """Yield every spec of a tensor in nested arguments."""
    if isinstance(value, InputSpec):
        if not value.is_literal:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from specs_in(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from specs_in(item)
