"""Properties of layers, operations and tensors that Keras states without being run."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import ShapeError, SourceError
from keras.src.backend.common import global_state
from keras.src.layers.layer import CallContext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.frontend import Shape, Value

NOT_FOR_SHAPES = ("training", "mask")
"""The arguments that have no effect on shapes."""


def infer(op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the outputs of a layer as Keras infers them.

    Raises:
        SourceError: Keras can't infer them.
    """
    given = {name: value for name, value in kwargs.items() if name not in NOT_FOR_SHAPES}
    try:
        return op.compute_output_spec(*args, **given)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        message = f"{op.name}: Keras can't infer its output: {type(error).__name__}: {reason}"
        raise SourceError(message) from error


def first_by_place(
    op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return arguments with the first one by its place: the table's rules look for the data there.

    ``layer(inputs=x)`` is a call like ``layer(x)``, and without this it would have no input.
    """
    if args or not kwargs:
        return args, kwargs
    first = next(iter(inspect.signature(op.call).parameters))
    named = {name: value for name, value in kwargs.items() if name != first}
    return ((kwargs[first],), named) if first in kwargs else (args, kwargs)


def check_compatible(layer: Any, args: tuple[Any, ...]) -> None:
    """Refuse inputs that the layer's weights don't fit.

    Raises:
        ShapeError: Keras refuses them.
    """
    if not args or graph_of(layer) is not None or not getattr(layer, "input_spec", None):
        return
    try:
        layer._assert_input_compatibility(args[0])  # noqa: SLF001  (the first check of Layer.__call__)
    except ValueError as error:
        raise ShapeError(str(error).strip().partition("\n")[0]) from None


def set_training(*, training: bool) -> None:
    """Let the layers that are called from now on take this for their mode, unless they are given another."""
    context = CallContext(entry_layer=None)
    context.training = training
    global_state.set_global_attribute("current_call_ctx", context)


def graph_of(op: Any) -> Any:
    """Return the graph that a functional or sequential model is; None where its class overrides ``call``."""
    graph = op if hasattr(op, "_nodes_by_depth") else getattr(op, "_functional", None)
    if graph is None or not type(op).call.__module__.startswith("keras.src.models."):
        return None
    return graph


def row_name(op: Any, table: Mapping[str, object]) -> str:
    """Return the name of a class of Keras in the table that a layer is, if it runs that class's ``call``."""
    for base in type(op).__mro__:
        if base.__module__.startswith("keras.") and base.__name__ in table:
            known: Any = base
            return base.__name__ if type(op).call is known.call else ""
    return ""


def snake(name: str) -> str:
    """Return a class's name as that of a function."""
    found: str = keras.src.utils.naming.to_snake_case(name)
    return found


def shape_of(tensor: Any) -> Shape:
    """Return the shape of a tensor, weight or array.

    Raises:
        SourceError: A size is open.
    """
    shape = tuple(tensor.shape)
    if None in shape:
        raise SourceError(f"Keras leaves a size of {shape} open: it depends on the data")
    return tuple(int(size) for size in shape)


def dtype_of(tensor: Any) -> str:
    """Return the name of a tensor's type; an array of texts has one for each length."""
    if getattr(tensor.dtype, "kind", "") in ("U", "S"):
        return "string"
    name: str = keras.backend.standardize_dtype(tensor.dtype)
    return name


def is_array(value: object) -> bool:
    """Return whether a value is a weight or an array, which have a shape and a type of elements."""
    return hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, type)


def settings(op: Any) -> dict[str, Value]:
    """Return the plain attributes of an operation."""
    plain = (bool, int, float, str, type(None))
    named = {name: value for name, value in vars(op).items() if name[0] != "_" and name != "name"}
    return {name: value for name, value in named.items() if isinstance(value, plain)}


def cant(error: Exception) -> str:
    """Say why a call that was run on shapes failed."""
    reason = str(error).strip().partition("\n")[0].partition(". ")[0]
    return f"its call can't be followed on shapes: {type(error).__name__}: {reason}"


def with_first(outputs: Any, result: Any) -> Any:
    """Return a layer's outputs with another first one."""
    _, *rest = keras.tree.flatten(outputs)
    return keras.tree.pack_sequence_as(outputs, [result, *rest])
