"""The table of parameters of a live model, in which a tensor that is registered twice is one row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.graph.tables import Parameter

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from flopledger.dims.types import Shape


class ParameterTable:
    """The parameters and buffers of a model, one row for each object, in the order of adding."""

    def __init__(self) -> None:
        self._rows: list[Parameter] = []
        self._names: list[list[str]] = []
        self._objects: dict[int, int] = {}
        self._storages: dict[Hashable, int] = {}
        self._held: list[object] = []

    def add(  # noqa: PLR0913  (one argument for each column of the table)
        self,
        tensor: object,
        paths: Iterable[str],
        name: str,
        *,
        shape: Shape,
        dtype: str,
        role: str,
        trainable: bool,
        memory: Hashable | None,
    ) -> int:
        """Add a tensor that a module has under a name, and return its row.

        Args:
            tensor: The framework's object; the same object is the same row, whose names grow.
            paths: The module's paths.
            name: What the module calls the tensor.
            shape: Its sizes.
            dtype: Its neutral name, such as ``float32``.
            role: What it is for, such as ``weight``; the first that is given for an object counts.
            trainable: Whether training changes it.
            memory: Equal for tensors that lie in the same memory, and so count once; None where the tensor
                has no memory yet, or none that others could share.
        """
        row = self._objects.get(id(tensor))
        if row is None:
            row = self._objects[id(tensor)] = len(self._rows)
            # torch unpacks the weights of quantised modules into tensors that nobody else holds: were one
            # freed, the next could have its id, and two weights would be one row.
            self._held.append(tensor)
            storage = row if memory is None else self._storages.setdefault(memory, row)
            self._rows.append(Parameter(row, (), shape, dtype, role, trainable, row, storage))
            self._names.append([])
        self._names[row] += [f"{path}.{name}" if path else name for path in paths]
        return row

    def rows(self) -> list[Parameter]:
        """Return the finished table."""
        return [replace(row, names=tuple(names)) for row, names in zip(self._rows, self._names, strict=True)]
