"""The weights of a network, those that layers share by name stored once.

Source: Caffe's ``net.cpp`` (``AppendParam``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.frontend import BUFFER_ROLES, Parameter

from flopledger_caffe.text.net import ParamSpec, param_specs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.frontend import GraphBuilder, Shape

    from flopledger_caffe.tables.row import Blob
    from flopledger_caffe.text.net import Entry


class Parameters:
    """Adds the blobs of layers to a graph."""

    def __init__(self, builder: GraphBuilder) -> None:
        self.builder = builder
        self.owners: dict[str, tuple[int, str]] = {}
        self.also: dict[int, list[str]] = {}
        self.notes: list[str] = []

    def add(self, entry: Entry, path: str, blobs: Sequence[Blob]) -> tuple[tuple[str, int], ...]:
        """Add a layer's blobs and return their names in the layer and their ids.

        Raises:
            SourceError: A blob is shared under a name whose first owner has another shape.
        """
        specs = param_specs(entry.message)
        if len(specs) > len(blobs):
            count = f"{len(specs)} param for {len(blobs)} blobs"
            self.notes.append(f"{path}: it has {count}; real Caffe would refuse that")
        found = []
        for i, blob in enumerate(blobs):
            spec = specs[i] if i < len(specs) else ParamSpec()
            found.append((blob.name, self._one(entry, path, blob, spec)))
        return tuple(found)

    def _one(self, entry: Entry, path: str, blob: Blob, spec: ParamSpec) -> int:
        if spec.name in self.owners:
            return self._shared(entry, path, blob, spec)
        table = self.builder.parameters
        trainable = blob.role not in BUFFER_ROLES and spec.rate != 0
        number = len(table)
        table.append(
            Parameter(
                number, (f"{path}.{blob.name}",), blob.shape,
                role=blob.role, trainable=trainable, object=number, storage=number,
            )
        )  # fmt: skip
        if spec.name:
            self.owners[spec.name] = (number, path)
        return number

    def _shared(self, entry: Entry, path: str, blob: Blob, spec: ParamSpec) -> int:
        number, owner = self.owners[spec.name]
        shared = self.builder.parameters[number]
        fits = shared.shape == blob.shape
        if spec.permissive:
            fits = shared.numel == replace(shared, shape=blob.shape).numel
        if not fits:
            raise entry.error(
                f"shares the parameter {spec.name!r} with layer {owner!r}, where its shape is "
                f"{_text(shared.shape)}; here it would be {_text(blob.shape)}"
            )
        self.also.setdefault(number, []).append(f"{path}.{blob.name}")
        return number

    def finish(self) -> None:
        """Give each shared blob the names that it has in other layers."""
        for number, names in self.also.items():
            shared = self.builder.parameters[number]
            self.builder.parameters[number] = replace(shared, names=(*shared.names, *names))


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape)) or "a scalar"
