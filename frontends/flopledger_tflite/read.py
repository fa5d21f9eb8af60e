"""Reads a TFLite model into a graph. Shapes follow from the kinds' shape rules; nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import Reading, SourceError, bounded, file_of, graph_of, reading_alone

from flopledger_tflite.flat.buffer import Flat
from flopledger_tflite.flat.model import model_of
from flopledger_tflite.inputs import inputs_of
from flopledger_tflite.trace import Tracer
from flopledger_tflite.variables import states_of

if TYPE_CHECKING:
    from flopledger.frontend import Graph, Request

NETWORK = "tflite.Graph"
"""The type of the module, and the source of the call, that is the whole network."""


def read_file(source: object, request: Request) -> Graph:
    """Read a model's file.

    Raises:
        SourceError: The file is missing, malformed, or no TFLite model.
        UsageError: The inputs that are given don't fit the network.
    """
    path = file_of(source, "a TFLite model")
    mapped = bounded.mapped(path, "a TFLite model")
    with mapped as data, reading_alone(path, request, "a TFLite model", "x=1x224x224x3"):
        return _read(Flat(data), request)


def _read(flat: Flat, request: Request) -> Graph:
    model = model_of(flat)
    if not model.graphs:
        raise SourceError("it holds no graph")
    model.states = states_of(model)
    inputs = inputs_of(model, request.inputs)
    tracer = Tracer(flat, model, overridden=inputs.overridden)
    values = tracer.body(0, [value for _, value in inputs.values])
    notes = tuple(filter(None, [inputs.note, tracer.weights.note]))
    version = f"schema {model.version}"
    reading = Reading(request.source, "tflite", "tflite", version, profile={"mode": "eval"}, notes=notes)
    return graph_of(tracer, inputs.values, values, network=NETWORK, native={}, reading=reading)
