"""The place of each call among the modules of the exporter's source, and its name there."""

from __future__ import annotations

import itertools
import re
from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from flopledger.frontend.exported.scopes import leaf_of
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.frontend.exported.records import Record

_WEIGHT = re.compile(r"([A-Za-z_]\w*(?:\.\w+)*)\.\w+\Z")


class Scope(NamedTuple):
    """One call of a module: its identity, the module's path, and its class."""

    id: int
    path: str
    type: str


class Place(NamedTuple):
    """The place of a call: the containers around it, its path, and whether its module is called again."""

    containers: tuple[Scope, ...]
    path: str
    again: bool


@dataclass(slots=True)
class _Run:
    """Calls of one scope that follow each other."""

    number: int
    sources: list[str] = field(default_factory=list)
    records: list[int] = field(default_factory=list)


def places_of(records: Sequence[Record]) -> dict[int, Place]:
    """Return the place of each call; those within an operator have none."""
    places: dict[int, Place] = {}
    around: dict[int | None, list[int]] = {}
    for number, record in enumerate(records):
        if record.level == "layer":
            around.setdefault(record.parent, []).append(number)
    ids = itertools.count()
    for members in around.values():
        places.update(_Grouping(records, members, ids).places())
    return places


class _Grouping:
    """The scopes of the calls inside one call, in order."""

    def __init__(self, records: Sequence[Record], members: Sequence[int], ids: Iterator[int]) -> None:
        self.records, self.members, self.ids = records, members, ids
        self.runs: dict[str, list[_Run]] = {}
        self.place_in: dict[tuple[int, str], int] = {}
        self._collect()
        self.split = {path for path, runs in self.runs.items() if _called_again(runs)}
        self.known: dict[tuple[int, str, int], Scope] = {}

    def _collect(self) -> None:
        """Gather runs: calls of a scope with no call outside of it between them."""
        last: dict[str, int] = {}
        for order, number in enumerate(self.members):
            record = self.records[number]
            for path, _ in record.scopes:
                runs = self.runs.setdefault(path, [])
                if last.get(path) != order - 1 or not runs:
                    runs.append(_Run(len(runs)))
                last[path] = order
                runs[-1].sources.append(record.source)
                runs[-1].records.append(number)
                self.place_in[number, path] = runs[-1].number

    def places(self) -> dict[int, Place]:
        """Return the place of each call."""
        return {number: self._place(number) for number in self.members}

    def _size(self, number: int, path: str) -> int:
        """Return how many calls the call of a scope holds."""
        if path in self.split:
            return len(self.runs[path][self.place_in[number, path]].records)
        return sum(len(run.records) for run in self.runs[path])

    def _place(self, number: int) -> Place:
        record = self.records[number]
        if not record.scopes:
            return Place((), record.name.strip("/") or record.name, again=False)
        containers: list[Scope] = []
        above = -1
        for path, cls in record.scopes:
            # A scope around one call alone is that call: a convolution is not a container of a convolution.
            if self._size(number, path) < 2:
                continue
            turn = self.place_in[number, path] if path in self.split else 0
            key = (above, path, turn)
            scope = self.known.get(key)
            if scope is None:
                scope = self.known[key] = Scope(next(self.ids), path, cls)
            containers.append(scope)
            above = scope.id
        innermost = record.scopes[-1]
        if containers and containers[-1].path == innermost[0]:
            return Place(tuple(containers), f"{innermost[0]}/{leaf_of(record.name)}", again=False)
        return Place(tuple(containers), _by_weight(record, innermost), again=innermost[0] in self.split)


def _called_again(runs: Sequence[_Run]) -> bool:
    """Return whether runs of one scope are calls of one module: each does the same.

    ResNet's blocks call one ReLU twice. Runs that differ are one call whose nodes an exporter moved
    apart, as constants and shapes are.
    """
    return len(runs) > 1 and all(run.sources == runs[0].sources for run in runs)


def _by_weight(record: Record, scope: tuple[str, str]) -> str:
    """Return the path of a call that is a scope's only one.

    The newer PyTorch exporter folds a batch norm into the convolution before it and leaves the batch
    norm's metadata: the weight's name, ``layer1.0.conv1.weight``, then identifies the module.
    """
    path, cls = scope
    if "Norm" not in cls or "Norm" in record.source or not record.parameters:
        return path
    match = _WEIGHT.match(record.parameters[0][0])
    beside = match is not None and match[1].rpartition(".")[0] == path.rpartition(".")[0]
    return match[1] if match is not None and beside else path
