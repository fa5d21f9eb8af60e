"""A scan: which networks are missing in the database, and the outcome of each, as it comes."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import field, replace
from typing import TYPE_CHECKING, Protocol

from flopledger.records import dataclass
from flopledger.scanning import choose, listing, options
from flopledger.scanning.choose import Wanted
from flopledger.scanning.outcome import FAILED, MEMORY, TIMEOUT, UNKNOWN, Outcome, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from flopledger.scanning.network import Network
    from flopledger.scanning.outcome import Chosen
    from flopledger.scanning.store import Store
    from flopledger.scanning.workers import Group

_LISTED = "flopledger.scanning.listing:listed"
RETRIED: Mapping[str, frozenset[str]] = {
    "failed": frozenset({FAILED, TIMEOUT, MEMORY}),
    "unknown": frozenset({UNKNOWN}),
}
"""The words of ``--retry``: the statuses of the networks that are counted again."""


class Counts(Protocol):
    """Where networks are counted: on this machine, or on a cluster."""

    def call(self, group: Group, function: str, argument: object) -> bytes:
        """Call one of our functions where a frontend's framework may be imported."""

    def count(self, works: Iterable[Work]) -> Iterator[tuple[Work, Outcome]]:
        """Count networks, and yield the outcome of each as it ends."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The figures that are counted of each network.

    Attributes:
        conventions: The conventions.
        inputs: Specs for the networks that state none of their own.
        options: Options of reading, for all that don't have their own.
        arguments: Arguments for the makers of models, likewise.
        frontend: The frontend that reads, where it is not settled.
        keep_graphs: Whether graphs are kept in the database.
        retry: The statuses of the networks that are counted again.
    """

    conventions: tuple[Chosen, ...] = ()
    inputs: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    arguments: Mapping[str, object] = field(default_factory=dict)
    frontend: str = ""
    keep_graphs: bool = False
    retry: frozenset[str] = frozenset()

    def complete(self, network: Network) -> Network:
        """Return a network with the defaults of the scan."""
        return replace(
            network,
            inputs=network.inputs or self.inputs,
            options=options.settled({**self.options, **network.options}),
            arguments={**self.arguments, **network.arguments},
            frontend=network.frontend or self.frontend,
        )


@dataclass(slots=True)
class Progress:
    """How far a scan is.

    Attributes:
        total: How many networks it is about.
        kept: How many of them the database had already.
        done: How many were counted in this scan, by status.
        failures: The names and reasons of those that were not read.
        keys: What the networks are known by.
        started: When counting began, by the clock that only goes on.
    """

    total: int
    kept: int
    done: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    keys: tuple[str, ...] = ()
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> int:
        """How many are still to be counted."""
        return self.total - self.kept - self.done.total()


def works_of(what: Iterable[str], where: Counts, settings: Settings) -> tuple[Work, ...]:
    """Describe the networks of a scan, before a database is made for it.

    Args:
        what: Registries, folders, globs, lists, or single sources; see :func:`choose.wanted`.
        where: Where a registry is listed.
        settings: What is counted.

    Raises:
        SourceError: There is nothing to count, or a registry can't be listed.
        UsageError: A list is malformed, or a pattern matches nothing.
    """
    works: dict[str, Work] = {}
    for network in map(settings.complete, _all(what, where)):
        key = network.key(choose.release_of(network.frontend))
        works.setdefault(key, Work(key, network, settings.conventions, settings.keep_graphs))
    return tuple(works.values())


def scan(
    works: Sequence[Work],
    store: Store,
    where: Counts,
    settings: Settings,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Count every network that the database lacks.

    Args:
        works: What :func:`works_of` gives.
        store: The database.
        where: Where they are counted.
        settings: What is counted.
        tell: Is called before the first network and after each.

    Raises:
        OutputError: The database can't be written.
    """
    missing = _missing(works, store, settings)
    progress = Progress(len(works), len(works) - len(missing), keys=tuple(work.key for work in works))
    tell(progress)
    for work, outcome in where.count(missing):
        store.put(work.key, work.network, outcome)
        progress.done[outcome.status] += 1
        if outcome.reason:
            progress.failures.append((work.network.name, outcome.status, outcome.reason))
        tell(progress)
    return progress


def _all(what: Iterable[str], where: Counts) -> Iterator[Network]:
    listed: dict[Group, bytes] = {}  # several patterns may be of one registry
    for one in what:
        found = choose.wanted(one)
        if isinstance(found, Wanted):
            group = (found.plugin.name, found.registry)
            if group not in listed:
                listed[group] = where.call(group, _LISTED, group)
            yield from found.of(listing.members(listed[group]))
        else:
            yield from found


def _missing(works: Iterable[Work], store: Store, settings: Settings) -> list[Work]:
    """Return the networks that the database lacks, or lacks a figure or the graph of, or that are retried."""
    statuses, counted = store.statuses(), store.counted()
    graphs = store.with_graph() if settings.keep_graphs else set()
    figures = [one.identity() for one in settings.conventions]

    def lacks(work: Work) -> bool:
        status = statuses.get(work.key)
        if status is None or status in settings.retry:
            return True
        if status in RETRIED["failed"]:
            return False
        unkept = settings.keep_graphs and work.key not in graphs
        return unkept or any((work.key, *figure) not in counted for figure in figures)

    return [work for work in works if lacks(work)]
