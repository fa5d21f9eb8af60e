"""The registered layers and their weights as tables."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from flopledger.frontend import Module, Parameter, Registered

from flopledger_paddle.framework import paddle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.frontend import Value

_SCALARS = (bool, int, float, str)
_STATISTICS = {"_mean": "running_mean", "_variance": "running_var"}
_VECTORS = ("weight_u", "weight_v")


def dtype_name(dtype: Any) -> str:
    """Return ``float32`` for ``paddle.float32``."""
    return str(dtype).rpartition(".")[2].lower()


def class_path(cls: type) -> str:
    """Return a class by its canonical path: ``paddle.nn.Conv2D``, wherever its file lies."""
    if getattr(paddle.nn, cls.__name__, None) is cls:
        return f"paddle.nn.{cls.__name__}"
    return f"{getattr(cls, '__module__', '')}.{cls.__qualname__}"


def registered_in(model: Any) -> Registered[Any]:
    """Return the layers of a model."""
    return Registered(model, lambda layer: layer._sub_layers)  # noqa: SLF001


class Weights:
    """The parameters and buffers, one row for each object, in order of the layers."""

    def __init__(self) -> None:
        self.rows: list[Parameter] = []
        self._objects: dict[int, int] = {}
        self._storages: dict[tuple[int, int], int] = {}
        self._names: list[list[str]] = []

    def add(self, tensor: Any, names: list[str], role: str) -> int:
        """Add a tensor under its names, and return its row."""
        row = self._objects.get(id(tensor))
        if row is None:
            row = self._objects[id(tensor)] = len(self.rows)
            shape = tuple(tensor.shape)
            storage = self._storages.setdefault(_memory(tensor, row), row)
            trainable = bool(getattr(tensor, "trainable", False)) and not tensor.stop_gradient
            self.rows.append(
                Parameter(row, (), shape, dtype_name(tensor.dtype), role, trainable, row, storage)
            )
            self._names.append([])
        self._names[row] += names
        return row

    def table(self) -> list[Parameter]:
        """Return the finished table."""
        return [
            Parameter(r.id, tuple(n), r.shape, r.dtype, r.role, r.trainable, r.object, r.storage)
            for r, n in zip(self.rows, self._names, strict=True)
        ]


def _memory(tensor: Any, row: int) -> tuple[int, int]:
    """Return what is equal for tensors that are the same memory; a lazy one has none yet."""
    if not tensor._is_initialized() or tensor.numel() == 0:  # noqa: SLF001
        return (-1, row)
    return (tensor.data_ptr(), int(tensor.numel()))


def module_tables(registered: Registered[Any], mode: str) -> tuple[list[Module], list[Parameter]]:
    """Return the rows of all layers, as read in a mode, and of all their weights."""
    weights = Weights()
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
                tuple(_own(layer, paths, weights)),
                bool(layer.training) if mode == "given" else mode == "train",
                native(layer),
            )
        )
    return rows, weights.table()


def _own(layer: Any, paths: list[str], weights: Weights) -> Iterator[tuple[str, int]]:
    for name, parameter in layer._parameters.items():  # noqa: SLF001
        if parameter is not None:
            yield name, weights.add(parameter, _named(paths, name), _role(layer, name))
    for name, buffer in layer._buffers.items():  # noqa: SLF001
        if buffer is not None:
            yield name, weights.add(buffer, _named(paths, name), "buffer")


def _named(paths: list[str], name: str) -> list[str]:
    return [f"{path}.{name}" if path else name for path in paths]


def _role(layer: Any, name: str) -> str:
    """Return what a parameter is; statistics and the vectors of a power iteration are no weights."""
    norm = "Norm" in type(layer).__name__
    if norm and name in _STATISTICS:
        return _STATISTICS[name]
    if isinstance(layer, paddle.nn.SpectralNorm) and name in _VECTORS:
        return "buffer"
    if norm:
        return {"weight": "scale", "bias": "shift"}.get(name, "weight")
    return "bias" if name.startswith("bias") else "weight"


def native(layer: Any) -> dict[str, Value]:
    """Return a layer's own words: its plain attributes, its name, and the shapes of its weights.

    Attributes lose the ``_`` that most begin with, so that a convention can name them.
    ``parameters`` are the shapes of everything that Paddle calls a parameter of this layer, running
    statistics among them, each once; ``trained`` of those that are trained; ``label`` is the name
    that Paddle gives the layer.
    """
    found: dict[str, Value] = {}
    for name, value in layer.__dict__.items():
        if name not in _UNTOLD:
            plain = _plain(value)
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


_UNTOLD = frozenset({"training", "_full_name", "_helper", "_built", "_init_in_dynamic_mode"})
"""What says nothing about the layer, or is told elsewhere."""


def _plain(value: Any) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, (tuple, list)):
        items = tuple(_plain(item) for item in value)
        whole = all(i is not None or v is None for i, v in zip(items, value, strict=True))
        return items if whole else None
    return None
