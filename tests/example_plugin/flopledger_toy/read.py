"""Reads a toy network into a graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flopledger.frontend import (
    GraphBuilder,
    Module,
    Parameter,
    Reading,
    SourceError,
    UsageError,
    kinds,
    parse_spec,
)

from flopledger_toy.model import ToyModel

if TYPE_CHECKING:
    from flopledger.frontend import Graph, Request, Shape, Value


def read_network(source: object, request: Request) -> Graph:
    """Read a file or a live model."""
    if isinstance(source, Path):
        text = source.read_text(encoding="utf-8")
    elif isinstance(source, ToyModel):
        text = source.text
    else:
        message = f"{request.source} is {source!r}, expected a .toy file or a ToyModel"
        raise SourceError(message)
    network = _Network(request)
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            network.add(f"{request.source}, line {number}", line.split())
    return network.graph()


class _Network:
    """The layers so far; ``blobs`` maps their names to tensors."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.builder = GraphBuilder(kinds())
        self.blobs: dict[str, int] = {}
        self.parts = {"input": self.input, "conv": self.conv, "scan": self.scan}

    def add(self, where: str, words: list[str]) -> None:
        """Add the layer of one line."""
        what, *rest = words
        if what not in self.parts or len(rest) < 2:
            message = (
                f"{where}: found {' '.join(words)!r}, expected input, conv or scan, a name, and the rest"
            )
            raise SourceError(message)
        self.parts[what](where, *rest)

    def input(self, _: str, name: str, written: str) -> None:
        """Add an input; a spec of the request goes before the shape of the file."""
        given = [spec for spec in self.request.inputs if spec.name in ("", name)]
        spec = given[0] if given else parse_spec(written)
        if spec.shape is None:
            message = f"the input {name!r} is {spec.literal!r}, expected a shape"
            raise UsageError(message)
        self.blobs[name] = self.builder.input(name, spec.shape)

    def conv(self, where: str, name: str, below: str, *options: str) -> None:
        """Add a square convolution without padding."""
        given = self.options(where, options, "out", "kernel")
        channels = self.shape(where, below)[1]
        kernel = (given["kernel"], given["kernel"])
        attrs: dict[str, Value] = {"kernel": kernel, "out_channels": given["out"]}
        weights: dict[str, Shape] = {"weight": (given["out"], channels, *kernel)}
        self.layer(where, name, below, kind="conv", attrs=attrs, weights=weights)

    def scan(self, where: str, name: str, below: str, *options: str) -> None:
        """Add a scan."""
        given = self.options(where, options, "state")
        channels = self.shape(where, below)[1]
        weights: dict[str, Shape] = dict.fromkeys(("decay", "readout"), (channels, given["state"]))
        self.layer(where, name, below, kind="toy.scan", attrs={"state": given["state"]}, weights=weights)

    def shape(self, where: str, name: str) -> Shape:
        """Return the shape of the result of a layer above."""
        shape = self.builder.tensors[self.blobs[name]].shape if name in self.blobs else None
        if shape is None:
            message = f"{where}: there is no {name!r} above it"
            raise SourceError(message)
        return shape

    def options(self, where: str, written: tuple[str, ...], *names: str) -> dict[str, int]:
        """Read ``key=number`` options, exactly those that the layer has."""
        try:
            given = {key: int(value) for key, _, value in (option.partition("=") for option in written)}
        except ValueError:
            given = {}
        if sorted(given) != sorted(names):
            message = (
                f"{where}: found {' '.join(written)!r}, expected whole numbers for {' and '.join(names)}"
            )
            raise SourceError(message)
        return given

    def layer(  # noqa: PLR0913  (what a layer is made of)
        self,
        where: str,
        name: str,
        below: str,
        *,
        kind: str,
        attrs: dict[str, Value],
        weights: dict[str, Shape],
    ) -> None:
        """Add a layer, its module and its weights."""
        builder, tensor = self.builder, self.blobs[below]
        (shape,) = builder.infer(kind, attrs, [tensor], where)
        first = len(builder.parameters)
        for number, (role, size) in enumerate(weights.items(), first):
            record = Parameter(number, (f"{name}.{role}",), size, object=number, storage=number)
            builder.parameters.append(record)
        own = tuple((role, first + i) for i, role in enumerate(weights))
        source = f"toy.{kind.removeprefix('toy.')}"
        builder.modules.append(Module(len(builder.modules), (name,), source, parameters=own))
        self.blobs[name] = builder.tensor(shape)
        builder.layer(
            name,
            kind,
            source,
            module=len(builder.modules) - 1,
            inputs=[tensor],
            outputs=[self.blobs[name]],
            attrs=attrs,
        )

    def graph(self) -> Graph:
        """Return what was read; the last layer's result is the network's."""
        if not self.builder.layers:
            message = f"{self.request.source}: it has no layer"
            raise SourceError(message)
        reading = Reading(self.request.source, "toy", "Toy", "1.0", dict(self.request.profile))
        return self.builder.build(reading, self.builder.layers[-1].outputs)
