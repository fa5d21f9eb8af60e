"""The outcome of one network of a scan, and the work of the process that was forked for it."""

from __future__ import annotations

import json
import zlib
from dataclasses import field
from typing import TYPE_CHECKING, Any

from flopledger.conventions import loader
from flopledger.counting import engine, roofline
from flopledger.counting.ledger import figure
from flopledger.devices import file as devices
from flopledger.dims.arithmetic import text
from flopledger.errors import ConventionError
from flopledger.plugins import discovery as plugins
from flopledger.reading import profiles, worker
from flopledger.reading.read import Readings
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.conventions.convention import Convention
    from flopledger.counting.ledger import Figure, Ledger
    from flopledger.dims.types import Shape
    from flopledger.graph.graph import Graph
    from flopledger.reading.child_process import Task
    from flopledger.reading.source import Attribute
    from flopledger.scanning.network import Network

OK, UNKNOWN, FAILED, TIMEOUT, MEMORY = STATUSES = ("ok", "unknown", "failed", "timeout", "memory")
"""How it went: every call has a formula; some have none; it can't be read; too much time; too much memory."""
_PICTURE = 4
"""The dimensions of a batch of pictures."""
OWN = "mac"
"""The convention of the figures that every network has."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A convention, by name or file, with its changed switches: a loaded one can't go to another process."""

    name: str
    switches: tuple[tuple[str, str], ...] = ()

    def load(self) -> Convention:
        """Load it.

        Raises:
            ConventionError: It is unknown or malformed.
        """
        return loader.load(self.name).set(dict(self.switches))

    def identity(self) -> tuple[str, str, str]:
        """Return the key of its figures: name, changed switches, digest."""
        return identity(self.load())


@dataclass(frozen=True, slots=True)
class Work:
    """A network to count, its key, the conventions, and whether its graph is kept."""

    key: str
    network: Network
    conventions: tuple[Chosen, ...]
    keep_graph: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """A network's figure under one convention; ``reason`` says why it has none."""

    convention: str
    switches: str
    digest: str
    unit: str
    count: Figure | None = None
    params: Figure | None = None
    unknown_calls: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a network.

    Attributes:
        status: One of :data:`STATUSES`.
        reason: Why it is not ``ok``, for people.
        figures: Its figure under each convention.
        facts: What the reading says, by the names of the columns: ``framework``, ``inputs``, ``params``,
            ``macs`` ...; nothing where it failed.
        graph: The graph, compressed, if it is kept.
        seconds: The time that it took.
        peak: Bytes of memory that its process had at most.
    """

    status: str
    reason: str = ""
    figures: tuple[Counted, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    graph: bytes | None = None
    seconds: float = 0.0
    peak: int = 0


def identity(convention: Convention) -> tuple[str, str, str]:
    """Return the key of a convention's figures: name, changed switches, digest."""
    return convention.name, json.dumps(dict(convention.changed), sort_keys=True), convention.digest


def prepare(conventions: tuple[Chosen, ...]) -> None:
    """Load conventions, which stay loaded for the processes that are forked from this one."""
    for one in (Chosen(OWN), *conventions):
        one.load()


def examine(work: Work) -> bytes:
    """Read and count a network in this process, and return the outcome, for :func:`outcome`.

    It is called in a process that was forked for it.

    Raises:
        SourceError: The network can't be read.
        UsageError: Its inputs or arguments don't fit.
    """
    network = work.network
    chosen = [one.load() for one in work.conventions]
    own = loader.load(OWN)
    with Readings(network.source, network.request(), _Here()) as readings:
        graphs = profiles.reading_for_each(readings.read, [own, *chosen])
    ledger = engine.count(graphs[0], own)
    if network.device:
        ledger = roofline.on_device(ledger, graphs[0], devices.load(network.device))
    document = {
        "facts": _facts(graphs[0], ledger),
        "figures": [_counted(*pair) for pair in zip(graphs[1:], chosen, strict=True)],
    }
    kept = zlib.compress(graphs[0].to_json().encode()) if work.keep_graph else b""
    return json.dumps(document).encode() + b"\n" + kept


def outcome_of(content: bytes, seconds: float, peak: int) -> Outcome:
    """Return the content that :func:`examine` wrote.

    Raises:
        ValueError, TypeError, KeyError: It did not write that.
    """
    head, _, kept = content.partition(b"\n")
    document = json.loads(head)
    figures = tuple(Counted(**one) for one in document["figures"])
    facts = dict(document["facts"])
    calls = max([facts["unknown_calls"], *(one.unknown_calls or 0 for one in figures)])
    sources = ", ".join(facts.pop("unknown"))
    reason = f"{calls} call{'s' * (calls > 1)} without a formula: {sources}" if calls else ""
    return Outcome(UNKNOWN if calls else OK, reason, figures, facts, kept or None, seconds, peak)


class _Here:
    """Reads in this process, which is the network's own already; code that was loaded stays for the next."""

    def __init__(self) -> None:
        self._loaded: dict[Attribute, object] = {}

    def read(self, task: Task) -> Graph:
        return worker.read(task, plugins.registry(), self._loaded)


def _facts(graph: Graph, ledger: Ledger) -> dict[str, object]:
    total, reading = ledger.total, graph.reading
    return {
        "frontend": reading.frontend,
        "framework": reading.framework,
        "framework_version": reading.framework_version,
        "read_inputs": [_spec(one.name, shape, dtype) for one, shape, dtype in ledger.graph.inputs],
        "input_size": _input_size(ledger),
        "params": None if total.params is None else figure(total.params),
        "trainable_params": figure(total.trainable_params),
        "buffers": figure(total.buffers),
        "macs": figure(total.macs),
        "flops": figure(2 * total.macs),
        "unknown_calls": total.unknown_calls,
        "unknown": [one.source for one in ledger.coverage.unknown],
        "digest": ledger.graph.digest,
        "seconds_at_least": None if total.roofline is None else float(total.roofline.seconds),
    }


def _spec(name: str, shape: Shape | None, dtype: str) -> str:
    sizes = "?" if shape is None else "x".join(map(text, shape)) or "scalar"
    return f"{name}={sizes}:{dtype}"


def _input_size(ledger: Ledger) -> Figure | None:
    """Return the size of the pictures that the network takes: an integer for square ones, else HxW.

    Pictures are the first input of four dimensions, in either order: the axis of channels is the shortest.
    """
    for _, shape, _ in ledger.graph.inputs:
        sizes = [size for size in shape or () if isinstance(size, int)]
        if shape is not None and len(shape) == _PICTURE and len(sizes) >= _PICTURE - 1:
            first, *_, last = sizes = sizes[-3:]
            height, width = sizes[1:] if first < last else sizes[:2]
            return height if height == width else f"{height}x{width}"
    return None


def _counted(graph: Graph, convention: Convention) -> dict[str, object]:
    name, switches, digest = identity(convention)
    head = {"convention": name, "switches": switches, "digest": digest, "unit": convention.unit}
    try:
        total = engine.count_total(graph, convention)
    except ConventionError as error:
        return {**head, "reason": str(error)}
    return {
        **head,
        "count": figure(total.count),
        "params": None if total.params is None else figure(total.params),
        "unknown_calls": total.unknown_calls,
    }
