"""Reads a TFLite model into a graph. Shapes follow from the kinds' shape rules; nothing is run."""

from __future__ import annotations

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
    bounded,
    builtin,
)

from flopledger_tflite.flat.buffer import Flat
from flopledger_tflite.flat.model import model_of
from flopledger_tflite.inputs import inputs_of
from flopledger_tflite.trace import Tracer
from flopledger_tflite.variables import states_of

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.frontend import Graph, Request

NETWORK = "tflite.Graph"
"""The type of the module, and the source of the call, that is the whole network."""


def read_file(path: Path, request: Request) -> Graph:
    """Read a model's file.

    Raises:
        SourceError: The file is missing, malformed, or no TFLite model.
        UsageError: The inputs that are given don't fit the network.
    """
    if request.values is not None:
        raise UsageError("a TFLite model takes shapes of inputs, such as x=1x224x224x3, not values")
    if request.profile.get("mode") == "train":
        raise UsageError("an exported model is read as it infers: mode train can't be had of it")
    with bounded.mapped(path, "a TFLite model") as data:
        try:
            return _read(Flat(data), request)
        except (UsageError, Unbounded):
            raise
        except ShapeError as error:
            if request.inputs:
                raise UsageError(f"the inputs that are given don't fit the network: {error}") from error
            raise
        except SourceError as error:
            raise SourceError(f"{path}: {error}") from error


def _read(flat: Flat, request: Request) -> Graph:
    model = model_of(flat)
    if not model.graphs:
        raise SourceError("it holds no graph")
    model.states = states_of(model)
    inputs = inputs_of(model, request.inputs)
    tracer = Tracer(flat, model, overridden=inputs.overridden)
    builder = GraphBuilder(builtin())
    for name, value in inputs.values:
        value.tensor = builder.tensor(value.shape, value.dtype)
        builder.inputs.append(Input(name, value.tensor))
    given = [value for _, value in inputs.values]
    values = tracer.body(0, given)
    builder.parameters.extend(tracer.weights.table)
    writer = Writer(builder, tracer.records, NETWORK)
    outputs = writer.write(given, values, {})
    writer.uncalled(tracer.uncalled)
    notes = tuple(filter(None, [inputs.note, tracer.weights.note]))
    version = f"schema {model.version}"
    reading = Reading(request.source, "tflite", "tflite", version, profile={"mode": "eval"}, notes=notes)
    return builder.build(reading, outputs)
