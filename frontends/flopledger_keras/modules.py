"""The tables of modules and parameters: the layers that are registered, and their variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import Module, Parameter, Registered
from keras.src.api_export import get_name_from_symbol

from flopledger_keras.tables import recurrent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.frontend import GraphBuilder, Value

_ROLES = {
    "kernel": "weight",
    "depthwise_kernel": "weight",
    "pointwise_kernel": "weight",
    "recurrent_kernel": "weight",
    "embeddings": "weight",
    "bias": "bias",
    "gamma": "scale",
    "scale": "scale",
    "beta": "shift",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "mean": "running_mean",
    "variance": "running_var",
    "count": "counter",
}
"""The roles of variables by the names that Keras's own layers give them."""
_NUMBER_SUFFIX = re.compile(r"_\d+\Z")
"""The number that Keras appends where a layer has several variables of one name, as ``kernel_1``."""


def source_of(cls: type) -> str:
    """Return the name that a class is exported under; a user's class has its module's."""
    name = get_name_from_symbol(cls)
    if isinstance(name, str):
        return name
    if cls.__module__.startswith("keras."):
        folder = next((f for f in ("layers", "models") if f".{f}." in cls.__module__), "ops")
        return f"keras.{folder}.{cls.__name__}"
    return f"{cls.__module__}.{cls.__qualname__}"


def _bases(cls: type) -> tuple[str, ...]:
    kept = [
        base for base in cls.__mro__[1:] if base.__module__.startswith("keras.") or "." in base.__module__
    ]
    return tuple(source_of(base) for base in kept if base.__module__ != "builtins" and _is_layer(base))


def _is_layer(cls: type) -> bool:
    return any(base.__name__ == "Layer" and base.__module__.startswith("keras.") for base in cls.__mro__)


def children(layer: Any) -> list[Any]:
    """Return the layers that are registered in one, each once."""
    found: dict[int, Any] = {}
    for child in _listed(layer):
        found.setdefault(id(child), child)
    return list(found.values())


def _listed(layer: Any) -> list[Any]:
    own = layer._layers  # noqa: SLF001  (its public name is that of models alone)
    if not hasattr(layer, "_nodes_by_depth") and not hasattr(layer, "_functional"):
        return list(own)
    # of a model with a graph those of the graph first; a class of the user's may have others beside it
    return [*layer.layers, *(one for one in own if not isinstance(one, keras.layers.InputLayer))]


def registered_in(root: Any) -> Registered[Any]:
    """Return a layer and all that are registered below it."""
    return Registered(root, lambda layer: [(child.name, child) for child in children(layer)])


def add_modules(root: Any, builder: GraphBuilder, *, training: bool) -> dict[int, int]:
    """Fill the tables of modules and parameters; return the module of each layer, by its identity."""
    registered, known = registered_in(root), dict[int, int]()
    trainable = bool(root.trainable)  # Keras asks the model and each variable, not the layers between
    for i, layer in enumerate(registered.modules):
        # Layers of one name in one layer, which Keras allows outside functional models, have one path.
        paths = list(dict.fromkeys(registered.paths[i]))
        own = []
        for variable in _variables(layer):
            if id(variable) not in known:
                known[id(variable)] = _add_parameter(builder, layer, variable, paths, trainable=trainable)
            own.append((str(variable.name), known[id(variable)]))
        cls = type(layer)
        builder.modules.append(
            Module(
                i,
                tuple(paths),
                source_of(cls),
                _bases(cls),
                tuple(registered.children[i]),
                tuple(own),
                training,
                native(layer),
            )
        )
    _add_optimizer(root, builder)
    return {id(layer): i for i, layer in enumerate(registered.modules)}


def _variables(layer: Any) -> Iterator[Any]:
    """Yield a layer's own variables; the state of its random seeds is not among its weights."""
    yield from layer._trainable_variables  # noqa: SLF001  (the public list holds those of layers below)
    yield from layer._non_trainable_variables  # noqa: SLF001


def _add_parameter(
    builder: GraphBuilder, layer: Any, variable: Any, paths: list[str], *, trainable: bool
) -> int:
    i = len(builder.parameters)
    name = str(variable.name)
    role = _ROLES.get(_NUMBER_SUFFIX.sub("", name), "weight")
    if role in ("running_mean", "running_var", "counter") and _is_learned(layer, variable):
        role = "weight"
    shape = tuple(int(d) for d in variable.shape)
    names = tuple(f"{path}.{name}" if path else name for path in paths)
    builder.parameters.append(
        Parameter(i, names, shape, str(variable.dtype), role, trainable and bool(variable.trainable), i, i)
    )
    return i


def _is_learned(layer: Any, variable: Any) -> bool:
    """Return whether a layer trains a variable, which is no running statistic then, whatever its name.

    ``Normalization`` calls its statistics mean and variance; a layer of the user's may call weights so, such
    as the centres of a mixture, which would then not be counted among its parameters.
    """
    own = layer._trainable_variables  # noqa: SLF001
    return any(one is variable for one in own)


def _add_optimizer(root: Any, builder: GraphBuilder) -> None:
    """Add the variables that a compiled model's optimizer has made."""
    optimizer = getattr(root, "optimizer", None)
    for variable in optimizer.variables if optimizer is not None and optimizer.built else ():
        i = len(builder.parameters)
        shape = tuple(int(d) for d in variable.shape)
        names = (f"optimizer.{variable.name}",)
        record = Parameter(
            i, names, shape, str(variable.dtype), "optimizer", trainable=False, object=i, storage=i
        )
        builder.parameters.append(record)


def native(layer: Any) -> dict[str, Value]:
    """Return the numbers, words and lists of them that a layer of Keras has, and those of its cell."""
    if not type(layer).__module__.startswith("keras."):
        return {}
    cell = getattr(layer, "cell", None)
    found: dict[str, Value] = {} if cell is None else {**_attributes(cell), **recurrent.functions(cell)}
    found |= _attributes(layer)
    mode = getattr(layer, "quantization_mode", None)  # of the type policy: a property, no attribute
    if mode is not None:
        found["quantization_mode"] = str(mode)
    activation = getattr(layer, "activation", None)
    if activation is not None:
        found["activation"] = activation_name(activation)
    return found


def _attributes(layer: Any) -> dict[str, Value]:
    named = {name: value for name, value in vars(layer).items() if name[0] != "_"}
    return {name: _as_value(value) for name, value in named.items() if _is_value(value)}


def activation_name(activation: Any) -> str:
    """Return the name of an activation function; one of the user's has its module's name before it."""
    name = str(getattr(activation, "__name__", type(activation).__name__))
    module = str(getattr(activation, "__module__", ""))
    return name if module.startswith("keras.") else f"{module}.{name}"


def _is_value(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_value(v) for v in value)
    return value is None or isinstance(value, (bool, int, float, str))


def _as_value(value: Any) -> Value:
    if isinstance(value, (list, tuple)):
        return tuple(_as_value(v) for v in value)
    found: Value = value
    return found
