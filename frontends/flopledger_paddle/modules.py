"""The registered layers and their weights as tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from flopledger.frontend import Module, ParameterTable, Registered

from flopledger_paddle.framework import paddle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.frontend import Parameter, Value

_SCALARS = (bool, int, float, str)
_STATISTICS = {"_mean": "running_mean", "_variance": "running_var"}
"""The running statistics of a norm: Paddle keeps them as parameters that are not trained."""
_VECTORS = ("weight_u", "weight_v")
"""The vectors of ``SpectralNorm``'s power iteration: parameters as well, though nothing trains them."""


def dtype_name(dtype: Any) -> str:
    """Return ``float32`` for ``paddle.float32``."""
    return str(dtype).rpartition(".")[2].lower()


def class_path(cls: type) -> str:
    """Return a class by its canonical path: ``paddle.nn.Conv2D``, whatever file defines it."""
    if getattr(paddle.nn, cls.__name__, None) is cls:
        return f"paddle.nn.{cls.__name__}"
    return f"{getattr(cls, '__module__', '')}.{cls.__qualname__}"


def registered_in(model: Any) -> Registered[Any]:
    """Return the layers of a model."""
    return Registered(model, lambda layer: layer._sub_layers.items())  # noqa: SLF001


def _memory(tensor: Any) -> tuple[int, int] | None:
    """Return a key that is equal for tensors that share memory; a lazy one has none yet."""
    if not tensor._is_initialized() or tensor.numel() == 0:  # noqa: SLF001
        return None
    return (tensor.data_ptr(), int(tensor.numel()))


def module_tables(registered: Registered[Any], mode: str) -> tuple[list[Module], list[Parameter]]:
    """Return the rows of all layers, as read in a mode, and of all their weights."""
    table = ParameterTable()
    rows = []
    for number, layer in enumerate(registered.modules):
        cls = type(layer)
        paths = registered.paths[number]
        rows.append(
            Module(
                number,
                tuple(paths),
                class_path(cls),
                tuple(class_path(base) for base in cls.__mro__[1:-1]),
                tuple(registered.children[number]),
                tuple(_weights(layer, paths, table)),
                bool(layer.training) if mode == "given" else mode == "train",
                native(layer),
            )
        )
    return rows, table.rows()


def _weights(layer: Any, paths: list[str], table: ParameterTable) -> Iterator[tuple[str, int]]:
    """Yield the name and the row of each tensor that a layer has itself."""

    def add(tensor: Any, name: str, role: str) -> int:
        return table.add(
            tensor,
            paths,
            name,
            shape=tuple(tensor.shape),
            dtype=dtype_name(tensor.dtype),
            role=role,
            trainable=bool(getattr(tensor, "trainable", False)) and not tensor.stop_gradient,
            memory=_memory(tensor),
        )

    for name, parameter in layer._parameters.items():  # noqa: SLF001
        if parameter is not None:
            yield name, add(parameter, name, _role(layer, name))
    for name, buffer in layer._buffers.items():  # noqa: SLF001
        if buffer is not None:
            yield name, add(buffer, name, "buffer")


def _role(layer: Any, name: str) -> str:
    """Return the role of a parameter; statistics and the vectors of a power iteration are no weights."""
    norm = "Norm" in type(layer).__name__
    if norm and name in _STATISTICS:
        return _STATISTICS[name]
    if isinstance(layer, paddle.nn.SpectralNorm) and name in _VECTORS:
        return "buffer"
    if norm:
        return {"weight": "scale", "bias": "shift"}.get(name, "weight")
    return "bias" if name.startswith("bias") else "weight"


def native(layer: Any) -> dict[str, Value]:
    """Return a layer's plain attributes, its name, and the shapes of its weights.

    Attributes lose the ``_`` that most begin with, so that a convention can name them.
    ``parameters`` are the shapes of everything that Paddle calls a parameter of this layer, running
    statistics among them, each once; ``trained`` of those that are trained; ``label`` is the name
    that Paddle gives the layer.
    """
    found: dict[str, Value] = {}
    for name, value in layer.__dict__.items():
        if name not in _NOT_RECORDED:
            plain = _as_value(value)
            if plain is not None or value is None:
                found[name.lstrip("_")] = plain
    own = {id(p): p for p in layer._parameters.values() if p is not None}  # noqa: SLF001
    found["label"] = layer.full_name()
    found["parameters"] = tuple(tuple(p.shape) for p in own.values())
    found["trained"] = tuple(tuple(p.shape) for p in own.values() if p.trainable and not p.stop_gradient)
    for name in ("weight", "bias"):
        tensor = getattr(layer, name, None)  # weight_norm leaves a computed tensor in its place
        if tensor is not None and not isinstance(tensor, paddle.Tensor):
            continue
        found[name] = None if tensor is None else tuple(tensor.shape)
    return found


_NOT_RECORDED = frozenset({"training", "_full_name", "_helper", "_built", "_init_in_dynamic_mode"})
"""Attributes that describe nothing of the layer, or are recorded elsewhere."""


def _as_value(value: Any) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, (tuple, list)):
        items = tuple(_as_value(item) for item in value)
        whole = all(i is not None or v is None for i, v in zip(items, value, strict=True))
        return items if whole else None
    return None
