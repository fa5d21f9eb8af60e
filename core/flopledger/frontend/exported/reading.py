"""The common parts of readers of exported files: refusals, and the graph of a trace."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from flopledger.errors import ShapeError, SourceError, Unbounded, UsageError
from flopledger.frontend.builder import GraphBuilder
from flopledger.frontend.exported.writer import Writer
from flopledger.graph.tables import Input
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flopledger.frontend.exported.operands import Operand
    from flopledger.frontend.exported.recording import Recording
    from flopledger.frontend.exported.records import Record
    from flopledger.frontend.exported.weights import Weights
    from flopledger.frontend.request import Request
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Reading, Value


class Trace(Protocol):
    """The calls of one model, in order, those that never run, and the weights."""

    recording: Recording
    uncalled: list[Record]
    weights: Weights


def file_of(source: object, model: str) -> Path:
    """Return a source as the file that it has to be, which errors call ``model``: "an ONNX model".

    Raises:
        SourceError: It is an object.
    """
    if not isinstance(source, (str, Path)):
        raise SourceError(f"{model} is a file, found {type(source).__name__}")
    return Path(source)


@contextlib.contextmanager
def reading_alone(path: Path, request: Request, model: str, example: str) -> Iterator[None]:
    """Refuse requests that no exported model can meet, and name the file in its errors.

    Args:
        path: The file.
        request: The request for the reading.
        model: The name of such files in errors: "an ONNX model".
        example: An input as the format has it: "x=1x3x224x224".

    Raises:
        UsageError: Values are given, the mode of training is asked for, or the inputs don't fit.
        ShapeError: The file contradicts itself.
        SourceError: It is malformed.
    """
    if request.values is not None:
        raise UsageError(f"{model} takes shapes of inputs, such as {example}, not values")
    if request.profile.get("mode") == "train" and request.profile.get("step") != "train":
        raise UsageError("an exported model is read as it infers: mode train can't be had of it")
    try:
        yield
    except (UsageError, Unbounded):
        raise
    except ShapeError as error:
        if request.inputs:
            raise UsageError(f"the inputs that are given don't fit the network: {error}") from error
        raise ShapeError(f"{path}: {error}") from error
    except SourceError as error:
        raise SourceError(f"{path}: {error}") from error


def graph_of(  # noqa: PLR0913  (the parts of a network)
    trace: Trace,
    inputs: Sequence[tuple[str, Operand]],
    outputs: Sequence[Operand],
    *,
    network: str,
    native: Mapping[str, Value],
    reading: Reading,
) -> Graph:
    """Return the graph of a traced model.

    Args:
        trace: Its calls and weights.
        inputs: The network's inputs by name.
        outputs: The network's outputs.
        network: The type of the module, and the source of the call, that is the whole network.
        native: The file's statements about the network itself.
        reading: How it was read.
    """
    builder = GraphBuilder(builtin())
    for name, value in inputs:
        value.tensor = builder.tensor(value.shape, value.dtype)
        builder.inputs.append(Input(name, value.tensor))
    builder.parameters.extend(trace.weights.table)
    writer = Writer(builder, trace.recording.records, network)
    made = writer.write([value for _, value in inputs], outputs, native)
    writer.uncalled(trace.uncalled)
    return builder.build(reading, made)
