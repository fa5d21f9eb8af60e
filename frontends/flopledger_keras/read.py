"""Reads Keras models into graphs. Imports Keras, with the backend that is set for it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import keras
from flopledger.frontend import (
    Graph,
    GraphBuilder,
    Reading,
    Request,
    SourceError,
    UsageError,
    Views,
    kinds,
    reshape,
    type_names,
    weights_alone,
)

from flopledger_keras.constants import recording_constants
from flopledger_keras.files import load, of_tf_keras
from flopledger_keras.inputs import Inputs, inputs_of
from flopledger_keras.listen import hooked
from flopledger_keras.modules import add_modules, registered_in
from flopledger_keras.state import as_before, without_values
from flopledger_keras.trace import Tracer

VIEWS = Views(whole=frozenset(("reshape", "flatten", "squeeze", "unsqueeze", "identity")))
"""Kinds whose results TensorFlow leaves in the memory of their operand; it copies parts and other orders."""


def read_source(source: object, request: Request) -> Graph:
    """Read a file or a live model.

    Raises:
        SourceError: It is missing, malformed, or can't be read.
        UsageError: An input does not fit, or one is missing.
    """
    model = load(source, request) if isinstance(source, Path) else source
    if type_names(type(model))[0].startswith("tf_keras."):
        model = of_tf_keras(model, request.source)
    if any(name.startswith("tensorflow.") for name in type_names(type(model))[:1]):
        raise SourceError(
            f"{request.source} is {type(model).__name__}, a function or object of TensorFlow, which is not "
            "read by itself: give the Keras model that it was made from, or call it in a Keras layer (as in "
            "keras.layers.Lambda(function, output_shape=...)), whose call is followed"
        )
    if not isinstance(model, keras.layers.Layer):
        raise SourceError(f"{request.source} is {type(model).__name__}, expected a Keras model or layer")
    with without_values(), as_before(registered_in(model).modules):
        return _read(model, request)


def _read(model: Any, request: Request) -> Graph:
    training = request.profile.get("mode") == "train"
    try:
        given = inputs_of(model, request)
    except (SourceError, UsageError) as error:
        registered = registered_in(model).modules
        if weights_alone.gives_no_inputs(request) and all(layer.built for layer in registered):
            return _weights_of(model, request, str(error), training=training)
        raise
    if not all(layer.built for layer in registered_in(model).modules):
        _trace(model, given, GraphBuilder(kinds()), training=training, building=True)
    builder = GraphBuilder(kinds(), VIEWS)
    outputs = _trace(model, given, builder, training=training)
    profile = {"mode": "train" if training else "eval"}
    framework = f"{keras.__version__} ({keras.config.backend()})"
    reading = Reading(request.source, "keras", "keras", framework, profile)
    graph = builder.build(reading, outputs)
    if not given.symbolic:
        return graph
    return reshape(
        graph,
        {i: shape for i, (_, _, shape) in zip(_inputs(builder), given.named, strict=True)},
        builder.kinds,
    )


def _weights_of(model: Any, request: Request, missing: str, *, training: bool) -> Graph:
    """Return a graph of the layers with their weights, of which no call is known."""
    builder = GraphBuilder(kinds(), VIEWS)
    add_modules(model, builder, training=training)
    framework = f"{keras.__version__} ({keras.config.backend()})"
    profile = {"mode": "train" if training else "eval"}
    reading = Reading(request.source, "keras", "keras", framework, profile)
    advice = missing.removeprefix(f"{request.source}: ")
    return weights_alone.weights_of(builder, reading, "their sizes are open", advice)


def _inputs(builder: GraphBuilder) -> list[int]:
    return [one.tensor for one in builder.inputs]


def _trace(
    model: Any, given: Inputs, builder: GraphBuilder, *, training: bool, building: bool = False
) -> list[int]:
    """Follow a model; return the tensors of its outputs.

    With ``building`` the model is called as users call it, since ``Layer.__call__`` alone makes the weights
    of a layer that has some of its own. (That method also casts the inputs, in calls that are not
    the model's own.)
    """
    modules = add_modules(model, builder, training=training)
    tracer = Tracer(builder, modules, training=training, symbolic=given.symbolic)
    for name, tensor, _ in given.named:
        tracer.name(tensor, builder.input(name, tuple(tensor.shape), str(tensor.dtype)))
    with hooked(tracer.evaluate, lambda: tracer.own_call), recording_constants(tracer):
        if building:
            with contextlib.suppress(Exception):  # errors show when the calls are recorded
                model(*given.args, **given.kwargs)
                return []
        outputs = tracer.evaluate(model, given.args, dict(given.kwargs))
    return tracer.tensors(outputs)
