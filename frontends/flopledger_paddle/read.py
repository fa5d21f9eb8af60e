"""Reading a layer or a saved program."""

from __future__ import annotations

import inspect
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flopledger.frontend import (
    FlopledgerError,
    GraphBuilder,
    Input,
    Reading,
    SourceError,
    kinds,
    weights_alone,
)

from flopledger_paddle.calls import Calls
from flopledger_paddle.execute import NOTE, run
from flopledger_paddle.framework import paddle
from flopledger_paddle.inputs import Arguments, arguments
from flopledger_paddle.modules import module_tables, registered_in
from flopledger_paddle.state import preserved_layers, preserved_process
from flopledger_paddle.symbols import Sizes, at, symbols_of, with_symbols
from flopledger_paddle.tables.moves import IN_LAYERS
from flopledger_paddle.trace import Trace, direct, public
from flopledger_paddle.values import Values

if TYPE_CHECKING:
    from flopledger.frontend import Graph, Registered, Request

_READING = threading.Lock()
RAN = "the forward really ran, on {}: sizes and branches that depend on values are those of this run"


def read_source(source: object, request: Request) -> Graph:
    """Read a layer, or the file of a saved inference program."""
    with _READING:
        if isinstance(source, Path):
            from flopledger_paddle.files import read_program  # noqa: PLC0415  (only for files)

            return read_program(source, request)
        return _read_layer(source, request)


def _read_layer(model: Any, request: Request) -> Graph:
    if not isinstance(model, paddle.nn.Layer):
        raise SourceError(f"expected a paddle.nn.Layer, found {type(model).__name__}")
    mode = str(request.profile.get("mode", "eval"))
    if not paddle.in_dynamic_mode():
        raise SourceError(
            f"{request.source}: Paddle is in static mode, where a layer is part of a program: call "
            "paddle.disable_static() before the model is made"
        )
    if weights_alone.gives_no_inputs(request) and _needs_inputs(model):
        return _weights_of(model, request, mode)
    given = arguments(request, model)
    shapes = tuple(spec.shape or () for spec in given.specs())
    if not symbols_of(shapes):
        return _read_at(model, given, request, {}, mode)
    return with_symbols(request, shapes, lambda sizes: _read_at(model, given, request, sizes, mode))


def _needs_inputs(model: Any) -> bool:
    try:
        inspect.signature(model.forward).bind()
    except TypeError:
        return True
    return False


def _weights_of(model: Any, request: Request, mode: str) -> Graph:
    """Return a graph of the layers with their parameters, of which no call is known."""
    registered = registered_in(model)
    builder = GraphBuilder(kinds(), IN_LAYERS)
    builder.modules, builder.parameters = module_tables(registered, mode)
    reading = Reading(request.source, "paddle", "paddle", paddle.__version__, {"mode": mode})
    names = ", ".join(inspect.signature(model.forward).parameters)
    return weights_alone.weights_of(builder, reading, f"its forward takes ({names})")


def _read_at(model: Any, given: Arguments, request: Request, sizes: Sizes, mode: str) -> Graph:
    """Read a layer with a number for each symbol in its inputs."""
    registered = registered_in(model)
    given = given.changed(lambda spec: at(spec, sizes))
    with preserved_process(), preserved_layers(list(registered.modules), mode):
        builder = GraphBuilder(kinds(), IN_LAYERS)
        outputs, notes = _written(model, given, request, registered, builder)
    builder.modules, builder.parameters = module_tables(registered, mode)
    reading = Reading(request.source, "paddle", "paddle", paddle.__version__, {"mode": mode}, notes)
    return builder.build(reading, outputs)


def _written(
    model: Any, given: Arguments, request: Request, registered: Registered[Any], builder: GraphBuilder
) -> tuple[list[int], tuple[str, ...]]:
    """Write the model's calls; return the tensors of its outputs, and the notes on the reading.

    The direct recipe is tried first; where it does not work, the public one, or a real run if that is
    allowed.
    """
    try:
        if request.execute:
            trace = direct(model, given, run=True)
            trace.notes = (RAN.format("the values that were given" if given.are_given() else "zeros"),)
        else:
            trace = direct(model, given)
    except FlopledgerError:
        raise
    except Exception as first:  # noqa: BLE001  (the user's forward may raise anything)
        if request.execute:
            return run(model, given, registered, builder), (NOTE,)
        trace = _by_translation(model, given, request, first)
    return write(trace, registered, builder), trace.notes


def _by_translation(model: Any, given: Arguments, request: Request, first: Exception) -> Trace:
    try:
        return public(model, given)
    except Exception as second:  # noqa: BLE001  (likewise)
        reason = f"{type(first).__name__}: {_last_line(first)}"
        if type(second) is not type(first):
            reason += f"; by Paddle's own translation {type(second).__name__}: {_last_line(second)}"
        raise SourceError(
            f"{request.source}: its forward can't be followed without data: {reason}; where it depends on "
            "values, --execute (execute=True in Python) really runs it"
        ) from first


def _last_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if len(lines) < 2 else f"{lines[0]} ... {lines[-1]}") if lines else ""


def write(trace: Trace, registered: Registered[Any], builder: GraphBuilder) -> list[int]:
    """Write a trace's tensors and calls into a builder; return the tensors of its outputs."""
    values = Values(builder, trace.known)
    for name, value, positional in trace.inputs:
        builder.inputs.append(Input(name, values.tensor(value), positional))
    Calls(builder, registered, values).write(trace.program.global_block().ops, trace.events)
    return values.tensors(trace.outputs)
