"""What a network takes in memory: weights, gradients, an optimizer's state, inputs, activations, a cache."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.analysis.memory import STATES
from flopledger.counting import engine
from flopledger.counting.generation import CACHE
from flopledger.dims.arithmetic import is_symbolic, product
from flopledger.errors import UsageError, nearest
from flopledger.graph.dtypes import bytes_each
from flopledger.graph.tables import OPTIMIZER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flopledger.counting.ledger import GraphInfo
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Parameter

KINDS = ("weights", "gradients", "optimizer", "kv")
"""What may have a type of its own in memory."""


@dataclass(frozen=True, slots=True)
class Activations:
    """Bytes of activations: all that are made, the most at once and where, those kept for a backward.

    ``saved`` and ``training_peak`` are None where no training step could be read.
    """

    sum: int
    peak: int
    at: str
    saved: int | None
    training_peak: int | None


@dataclass(frozen=True, slots=True)
class Footprint:
    """The memory that a network takes, in bytes; ``timeline`` is the memory alive while each call runs."""

    weights: int
    buffers: int
    gradients: int
    optimizer: int
    inputs: int
    activations: Activations
    kv_bytes: int
    kv_bytes_per_token: int
    timeline: tuple[tuple[str, int], ...]
    graph: GraphInfo

    @property
    def total(self) -> int:
        """All of them together at the peak: of a training step where gradients are counted."""
        peak = self.activations.peak
        if self.gradients:  # the peak of a training step has the gradients in it
            peak = (self.activations.training_peak or 0) - self.gradients
        return (
            self.weights + self.buffers + self.gradients + self.optimizer + self.inputs + self.kv_bytes + peak
        )


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
        UsageError: A size is a symbol, or the optimizer is not known.
    """
    if optimizer not in STATES:
        known = ", ".join(STATES)
        raise UsageError(
            f"no optimizer is called {optimizer!r}{nearest(optimizer, STATES)}; there are {known}"
        )
    if any(is_symbolic(size) for tensor in forward.tensors for size in tensor.shape or ()):
        raise UsageError(
            "what is alive at once depends on the sizes: give numbers in place of symbols, as with "
            "--size NAME=NUMBER"
        )
    memory = engine.analysis_of(forward).memory
    kept = None if train is None else engine.analysis_of(train)
    weights = [p for p in forward.parameters if not p.is_buffer]
    trained = _trained(train) if train is not None and trains else []
    cache = [given for given in forward.inputs if given.name.startswith(CACHE)]
    kv = sum(_bytes(forward, given.tensor, dtypes.get("kv")) for given in cache)
    activations = Activations(
        int(str(sum(memory.made.values()))),
        memory.peak.bytes,
        "" if memory.peak.call is None else forward.layers[memory.peak.call].path,
        None if kept is None else int(str(sum(kept.memory.saved.values()))),
        None if kept is None else kept.training_peak,
    )
    as_weights = dtypes.get("weights")
    times, steps = STATES[optimizer]
    return Footprint(
        _stored(weights, as_weights),
        _stored([p for p in forward.parameters if p.is_buffer and p.role != OPTIMIZER], None),
        _stored(trained, dtypes.get("gradients", as_weights)),
        times * _stored(trained, dtypes.get("optimizer", as_weights)) + steps * len(trained),
        sum(_bytes(forward, given.tensor, None) for given in forward.inputs if given not in cache),
        activations,
        kv,
        _per_token(forward, dtypes.get("kv")),
        tuple((forward.layers[call].path, live) for call, live in memory.timeline),
        engine.graph_info(forward),
    )


def _stored(parameters: Iterable[Parameter], dtype: str | None) -> int:
    """Return the bytes of parameters, each storage once."""
    found = {p.storage: int(str(p.numel)) * bytes_each(dtype or p.dtype) for p in parameters}
    return int(sum(found.values(), Fraction(0)))


def _trained(train: Graph) -> list[Parameter]:
    """Return the weights that get a gradient, each storage once."""
    wanted = engine.analysis_of(train).gradients.trained
    return list({p.storage: p for p in train.parameters if p.id in wanted}.values())


def _bytes(graph: Graph, tensor: int, dtype: str | None) -> int:
    record = graph.tensors[tensor]
    return int(int(str(product(record.shape or ()))) * bytes_each(dtype or record.dtype))


def _per_token(graph: Graph, dtype: str | None) -> int:
    """Return the bytes that one token more of one sequence takes in the cache."""
    found = Fraction(0)
    for given in graph.inputs:
        shape = graph.shape(given.tensor) or ()
        if given.name.startswith(CACHE) and given.name.endswith(("keys", "values")) and len(shape) > 2:
            found += Fraction(_bytes(graph, given.tensor, dtype), int(str(shape[0] * shape[-2])))
    return int(found)
