"""Reads an ONNX model into a graph. Shapes follow from the kinds' shape rules; nothing is run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flopledger.frontend import (
    Reading,
    SourceError,
    file_of,
    graph_of,
    input_files,
    reading_alone,
    unlisted,
)

from flopledger_onnx.inputs import inputs_of
from flopledger_onnx.names import Scope, opsets_of
from flopledger_onnx.trace import Tracer
from flopledger_onnx.wire.file import opened
from flopledger_onnx.wire.tensors import files_beside, shape_of

if TYPE_CHECKING:
    from flopledger.frontend import Graph, Request

    from flopledger_onnx.wire.messages import Model
    from flopledger_onnx.wire.parse import Parser

NETWORK = "onnx.Graph"
"""The type of the module, and the source of the call, that is the whole network."""


def read_file(source: object, request: Request) -> Graph:
    """Read a model's file.

    Raises:
        SourceError: The file is missing, malformed, or no ONNX model.
        UsageError: The inputs that are given don't fit the network.
    """
    path = file_of(source, "an ONNX model")
    with opened(path) as parser, reading_alone(path, request, "an ONNX model", "x=1x3x224x224"):
        model = parser.model()
        for name in files_beside(model):
            input_files.remember(path.parent / name)  # never opened, but no result may take its place
        return _read(parser, model, request)


def _read(parser: Parser, model: Model, request: Request) -> Graph:
    graph = model.graph
    if graph is None or not (graph.node or graph.output):
        raise SourceError("it holds no graph: it is no ONNX model, or an empty one")
    inputs = inputs_of(graph, request.inputs)
    opsets = opsets_of(model.opset_import)
    tracer = Tracer(parser, model, overridden=inputs.overridden)
    tracer.symbols = inputs.symbols
    scope = Scope("", opsets, names=dict(inputs.values))
    values = unlisted(tracer.run(tracer.body(graph, scope)))
    native = {"initializers": sum(math.prod(shape_of(tensor)) for tensor in graph.initializer)}
    notes = (*inputs.notes, *filter(None, [tracer.weights.note]), *tracer.placeholders.notes())
    version = f"opset {opsets.get('', 1)}"
    reading = Reading(request.source, "onnx", "onnx", version, profile={"mode": "eval"}, notes=notes)
    return graph_of(tracer, inputs.values, values, network=NETWORK, native=native, reading=reading)
