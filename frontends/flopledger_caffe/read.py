"""Reads a Caffe network's text into a graph. Shapes follow from the kinds' shape rules; nothing is run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import FlopledgerError, Reading, ShapeError, SourceError, UsageError

from flopledger_caffe.inputs import Specs
from flopledger_caffe.text import net, prototxt
from flopledger_caffe.trace import Tracer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flopledger.frontend import Graph, Request

    from flopledger_caffe.text.message import Message
    from flopledger_caffe.text.net import State


def read_file(path: Path, request: Request) -> Graph:
    """Read a network's text.

    Raises:
        SourceError: The file is missing, malformed, or no network.
        UsageError: A requested input or phase does not exist.
    """
    if path.suffix.lower() == ".caffemodel":
        raise SourceError(f"{path} holds weights; give the network's definition, a .prototxt, instead")
    return read_network(prototxt.load(path), request)


def read_network(root: Message, request: Request) -> Graph:
    """Read a network that is parsed already; see :func:`read_file`."""
    if request.values is not None:
        raise UsageError("a Caffe network takes shapes of inputs, such as data=1x3x224x224, not values")
    state = net.state_of(root, request.options, request.profile.get("mode"))
    tracer = Tracer(root, state, Specs(request.inputs))
    try:
        outputs = tracer.read()
    except FlopledgerError as error:
        raise _with_intels_way(error, root, state, request, tracer.ones) from None
    mode = "train" if state.phase == net.TRAIN else "eval"
    notes = tuple(tracer.notes + tracer.blobs.notes + tracer.parameters.notes)
    reading = Reading(request.source, "caffe", "caffe", profile={"mode": mode}, notes=notes)
    return tracer.builder.build(reading, outputs)


def _with_intels_way(
    error: FlopledgerError, root: Message, state: State, request: Request, ones: Sequence[str]
) -> FlopledgerError:
    """Return an error that names the remedy, if the file fits once a pooling with a kernel of 1 is clipped.

    Intel's Caffe clips it, and the files of its ResNet-50 need that; BVLC's refuses them, as we do.
    """
    if not ones or not isinstance(error, (SourceError, ShapeError)):
        return error
    try:
        Tracer(root, state, Specs(request.inputs), clips_ones=True).read()
    except FlopledgerError:
        return error
    names = ", ".join(map(repr, ones))
    return type(error)(
        f"{error}; Intel's Caffe clips the last window of a pooling with a kernel of 1, and there the shapes "
        f"fit: write round_mode: FLOOR into the pooling_param of {names} to read the file as it does"
    )
