"""The memory of a network: weights, gradients, an optimizer's state, inputs, activations, a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.analysis.memory import STATES
from flopledger.counting import engine
from flopledger.counting.generation import CACHE
from flopledger.dims.arithmetic import is_symbolic, product, total
from flopledger.dims.bounds import number
from flopledger.errors import UsageError, choices
from flopledger.graph.dtypes import bytes_each
from flopledger.graph.tables import OPTIMIZER
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flopledger.counting.ledger import GraphInfo
    from flopledger.dims.types import Number
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Parameter

KINDS = ("weights", "gradients", "optimizer", "kv")
"""The parts of a network's memory that may have a type of their own."""


@dataclass(frozen=True, slots=True)
class Activations:
    """Bytes of activations: all that are made, the most at once and where, those kept for a backward.

    ``saved`` and ``training_peak`` are None where no training step could be read, ``peak`` and
    ``training_peak`` where sizes are symbols: what is alive at once depends on them. While ``unknown_calls``,
    the calls whose derivative nobody knows, is not 0, these two are lower bounds.
    """

    sum: Number
    peak: int | None
    at: str
    saved: Number | None
    training_peak: int | None
    unknown_calls: int = 0


@dataclass(frozen=True, slots=True)
class Footprint:
    """The memory that a network takes, in bytes; ``timeline`` is the memory alive while each call runs."""

    weights: Number
    buffers: Number
    gradients: Number
    optimizer: Number
    inputs: Number
    activations: Activations
    kv_bytes: Number
    kv_bytes_per_token: Number
    timeline: tuple[tuple[str, int], ...]
    graph: GraphInfo

    @property
    def total(self) -> Number | None:
        """All of them together at the peak: of a training step where gradients are counted."""
        peak = self.activations.training_peak if self.gradients else self.activations.peak
        if peak is None:
            return None
        beside = (self.weights, self.buffers, self.optimizer, self.inputs, self.kv_bytes)
        return total((*beside, peak))  # the peak of a training step has the gradients in it


def footprint(
    forward: Graph, train: Graph | None, *, trains: bool, optimizer: str, dtypes: Mapping[str, str]
) -> Footprint:
    """Return the memory that a network takes.

    Args:
        forward: A reading without gradients.
        train: A reading of a training step, where there is one.
        trains: Whether gradients and the optimizer's state are part of it.
        optimizer: The optimizer, one of :data:`flopledger.analysis.memory.STATES`.
        dtypes: The types in memory that differ from the model's own.

    Raises:
        UsageError: The optimizer is not known.
    """
    if optimizer not in STATES:
        raise UsageError(f"no optimizer is called {optimizer!r}{choices(optimizer, STATES)}")
    symbols = any(is_symbolic(size) for tensor in forward.tensors for size in tensor.shape or ())
    memory = engine.analysis_of(forward).memory
    kept = None if train is None else engine.analysis_of(train)
    weights = [p for p in forward.parameters if not p.is_buffer]
    trained = _trained(train) if train is not None and trains else []
    cache = [given for given in forward.inputs if given.name.startswith(CACHE)]
    kv = total(_bytes(forward, given.tensor, dtypes.get("kv")) for given in cache)
    peak = None if symbols else memory.peak
    at = None if peak is None else peak.call
    activations = Activations(
        total(memory.made.values()),
        None if peak is None else peak.bytes,
        "" if at is None else forward.layers[at].path,
        None if kept is None else total(kept.memory.saved.values()),
        None if kept is None or symbols else kept.training_peak,
        0 if kept is None else kept.gradients.unknown,
    )
    as_weights = dtypes.get("weights")
    times, steps = STATES[optimizer]
    return Footprint(
        _stored(weights, as_weights),
        _stored([p for p in forward.parameters if p.is_buffer and p.role != OPTIMIZER], None),
        _stored(trained, dtypes.get("gradients", as_weights)),
        number(times * _stored(trained, dtypes.get("optimizer", as_weights)) + steps * len(trained)),
        total(_bytes(forward, given.tensor, None) for given in forward.inputs if given not in cache),
        activations,
        kv,
        _per_token(forward, dtypes.get("kv")),
        () if symbols else tuple((forward.layers[call].path, live) for call, live in memory.timeline),
        engine.graph_info(forward),
    )


def _stored(parameters: Iterable[Parameter], dtype: str | None) -> Number:
    """Return the bytes of parameters, each storage once; a linear layer's weights may depend on the input."""
    found = {p.storage: number(p.numel * bytes_each(dtype or p.dtype)) for p in parameters}
    return number(total(found.values()))


def _trained(train: Graph) -> list[Parameter]:
    """Return the weights that get a gradient, each storage once."""
    wanted = engine.analysis_of(train).gradients.trained
    return list({p.storage: p for p in train.parameters if p.id in wanted}.values())


def _bytes(graph: Graph, tensor: int, dtype: str | None) -> Number:
    record = graph.tensors[tensor]
    return number(product(record.shape or ()) * bytes_each(dtype or record.dtype))


def _per_token(graph: Graph, dtype: str | None) -> Number:
    """Return the memory of one token more of one sequence in the cache."""
    found: Number = 0
    for given in graph.inputs:
        shape = graph.shape(given.tensor) or ()
        if given.name.startswith(CACHE) and given.name.endswith(("keys", "values")) and len(shape) > 2:
            elements = product((*shape[1:-2], shape[-1]))
            found += elements * bytes_each(dtype or graph.tensors[given.tensor].dtype)
    return number(found)
