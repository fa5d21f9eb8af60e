"""Reads an ONNX model into a graph. Shapes follow from the kinds' shape rules; nothing is run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flopledger.frontend import (
    GraphBuilder,
    Input,
    Reading,
    ShapeError,
    SourceError,
    Unbounded,
    UsageError,
    Writer,
    builtin,
)

from flopledger_onnx.inputs import inputs_of
from flopledger_onnx.names import Scope, opsets_of
from flopledger_onnx.trace import Tracer
from flopledger_onnx.wire.file import opened

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.frontend import Graph, Operand, Request

    from flopledger_onnx.wire.parse import Parser

NETWORK = "onnx.Graph"
"""The type of the module, and the source of the call, that is the whole network."""


def read_file(path: Path, request: Request) -> Graph:
    """Read a model's file.

    Raises:
        SourceError: The file is missing, malformed, or no ONNX model.
        UsageError: The inputs that are given don't fit the network.
    """
    if request.values is not None:
        raise UsageError("an ONNX model takes shapes of inputs, such as x=1x3x224x224, not values")
    if request.profile.get("mode") == "train":
        raise UsageError("an exported model is read as it infers: mode train can't be had of it")
    with opened(path) as parser:
        try:
            return _read(parser, request)
        except (UsageError, Unbounded):
            raise
        except ShapeError as error:
            if request.inputs:
                raise UsageError(f"the inputs that are given don't fit the network: {error}") from error
            raise
        except SourceError as error:
            raise SourceError(f"{path}: {error}") from error


def _read(parser: Parser, request: Request) -> Graph:
    model = parser.model()
    graph = model.graph
    if graph is None or not (graph.node or graph.output):
        raise SourceError("it holds no graph: it is no ONNX model, or an empty one")
    inputs = inputs_of(graph, request.inputs)
    opsets = opsets_of(model.opset_import)
    tracer = Tracer(parser, model, overridden=inputs.overridden)
    tracer.symbols = inputs.symbols
    scope = Scope("", opsets, names=dict(inputs.values))
    builder = GraphBuilder(builtin())
    for name, value in inputs.values:
        value.tensor = builder.tensor(value.shape, value.dtype)
        builder.inputs.append(Input(name, value.tensor))
    values: list[Operand] = tracer.run(tracer.body(graph, scope))
    builder.parameters.extend(tracer.weights.table)
    writer = Writer(builder, tracer.records, NETWORK)
    native = {"initializers": sum(math.prod(tensor.dims) for tensor in graph.initializer)}
    outputs = writer.write([value for _, value in inputs.values], values, native)
    writer.uncalled(tracer.uncalled)
    notes = (*inputs.notes, *filter(None, [tracer.weights.note]))
    version = f"opset {opsets.get('', 1)}"
    reading = Reading(request.source, "onnx", "onnx", version, profile={"mode": "eval"}, notes=notes)
    return builder.build(reading, outputs)
