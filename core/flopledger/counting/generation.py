"""The cost of a language model to read a prompt and to write tokens after it, one at a time.

Step i finds ``prompt + i`` tokens in the cache. Its operations, and the bytes of the cache, grow by as much
with each of them until a window is full, and not at all from then on; attention in chunks begins anew with
each. So the sum over all steps is that of a few pieces, each half its length times the sum of its ends: a few
readings serve for any number of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from flopledger.counting import engine
from flopledger.counting.ledger import Roofline
from flopledger.counting.roofline import bound_of
from flopledger.dims.arithmetic import product, total
from flopledger.errors import UsageError
from flopledger.graph.dtypes import bytes_each
from flopledger.records import dataclass

if TYPE_CHECKING:
    from flopledger.analysis.analysis import Analysis
    from flopledger.conventions.convention import Convention
    from flopledger.counting.ledger import ConventionInfo, GraphInfo
    from flopledger.devices.device import Device
    from flopledger.dims.types import Number
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Parameter

CACHE = ("past_key_values", "cache_params", "state", "mems")
"""How the inputs that are a cache are called."""
_SURE = 60
"""As many picks for each expert, and all experts are picked but for less than a byte."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step, or several: operations, bytes held and bytes read, and the bound of the time on a device."""

    what: str
    flop: int
    weight_bytes: int
    kv_bytes: int
    bytes_read: int
    roofline: Roofline | None = None

    @property
    def intensity(self) -> Fraction:
        """The operations for each byte that is read."""
        return Fraction(self.flop, self.bytes_read) if self.bytes_read else Fraction(0)


@dataclass(frozen=True, slots=True)
class Generation:
    """A whole generation: its steps, the bytes of the cache for each token, and the prompt's reading.

    ``routed`` marks that the weights read are an expectation, for a router that picks each expert as often.
    """

    prompt: int
    new: int
    batch: int
    steps: tuple[Step, ...]
    kv_bytes_per_token: int
    routed: bool
    graph: GraphInfo
    convention: ConventionInfo
    device: Device | None = None


Read = Callable[[int, int], "Graph"]
"""Reads a step of so many new tokens after so many in the cache."""


def generation(
    read: Read,
    lengths: tuple[int, int, int],
    convention: Convention,
    dtypes: Mapping[str, str],
    device: Device | None = None,
) -> Generation:
    """Return the cost of a prompt and of the tokens after it.

    Args:
        read: Reads a step.
        lengths: The tokens of the prompt, the new tokens, and the sequences read at once.
        convention: Counts operations, in FLOP.
        dtypes: The types of ``weights`` and ``kv``, where they are not the model's own.
        device: The device whose time is bounded: its arithmetic is in the type of the model's own weights.

    Raises:
        UsageError: A length is less than 1, or the convention counts something else.
    """
    prompt, new, batch = lengths
    if min(lengths) < 1:
        raise UsageError(f"--prompt {prompt} --new {new} --batch {batch}: each must be 1 at least")
    if convention.unit != "FLOP":
        raise UsageError(f"the convention {convention.name!r} counts {convention.unit}, expected FLOP")
    at = _Readings(read, convention, dtypes, batch, device)
    first = at.step("prefill", prompt, 0)
    after = at.cache(prompt)
    rows = [replace(first, kv_bytes=after)]
    if new > 1:
        last = prompt + new - 2
        ends = [at.step("first decode step", 1, prompt), at.step("last decode step", 1, last)]
        kinks = [held for held in at.held(last) if prompt < held < last]
        points = sorted({prompt, last, *kinks, *at.turns(prompt, last)})
        decoded = _summed([(p, at.step("", 1, p)) for p in points])
        whole = Step(
            "generation",
            first.flop + decoded.flop,
            first.weight_bytes,
            ends[1].kv_bytes,
            first.bytes_read + decoded.bytes_read,
            at.bounded(first.flop, first.bytes_read, decoded.flop, decoded.bytes_read),
        )
        rows += [*ends, whole]
    graph, used = engine.graph_info(at.graph(prompt, 0)), engine.convention_info(convention)
    per_token = at.per_token(prompt)
    return Generation(prompt, new, batch, tuple(rows), per_token, at.routed, graph, used, device)


def _summed(steps: list[tuple[int, Step]]) -> Step:
    """Add up all steps between those given, along straight lines."""
    flop, read = Fraction(steps[0][1].flop), Fraction(steps[0][1].bytes_read)
    for (left, a), (right, b) in pairwise(steps):
        length = right - left  # the left end is in the sum already
        flop += Fraction(length * (a.flop + b.flop) + (b.flop - a.flop), 2)
        read += Fraction(length * (a.bytes_read + b.bytes_read) + (b.bytes_read - a.bytes_read), 2)
    return Step("", int(flop), 0, 0, int(read))


class _Readings:
    """The readings of one model at several lengths, each made once."""

    def __init__(
        self,
        read: Read,
        convention: Convention,
        dtypes: Mapping[str, str],
        batch: int,
        device: Device | None,
    ) -> None:
        self._read, self._convention, self._dtypes, self._batch = read, convention, dtypes, batch
        self._device, self._computes_in = device, ""
        self._graphs: dict[tuple[int, int], Graph] = {}
        self.routed = False

    def graph(self, new: int, past: int) -> Graph:
        if (new, past) not in self._graphs:
            self._graphs[new, past] = self._read(new, past)
        return self._graphs[new, past]

    def step(self, what: str, new: int, past: int) -> Step:
        graph = self.graph(new, past)
        flop = engine.count(graph, self._convention).total.count
        analysis = engine.analysis_of(graph)
        weights = self._bytes_of(analysis.weights_held)
        read = self._weights_read(analysis, new * self._batch)
        cache = self.cache(past) if past else 0
        self._computes_in = _dtype(analysis)
        operations, moved = int(Fraction(str(flop))), int(read) + cache
        return Step(what, operations, int(weights), cache, moved, self.bounded(operations, moved))

    def bounded(self, *figures: int) -> Roofline | None:
        """Return the bound of steps, of operations and bytes given in turn; None without a device."""
        if self._device is None:
            return None
        found = Roofline()
        for flop, moved in zip(figures[::2], figures[1::2], strict=True):
            found += bound_of(self._device, self._computes_in, flop, moved)
        return found

    def _bytes_of(self, parameters: Mapping[int, Parameter]) -> Fraction:
        return sum((self._bytes(one) for one in parameters.values()), Fraction(0))

    def _bytes(self, parameter: Parameter) -> Fraction:
        return Fraction(str(parameter.numel)) * bytes_each(self._dtypes.get("weights", parameter.dtype))

    def _weights_read(self, analysis: Analysis, tokens: int) -> Fraction:
        """Return the bytes of the weights that tokens need: the rows of a table, the experts picked."""
        read = self._bytes_of(analysis.weights_held)
        for storage, rows in analysis.tables.items():
            parameter = analysis.weights_held[storage]
            read -= self._bytes(parameter) * max(Fraction(0), 1 - Fraction(tokens, rows))
        each = bytes_each(self._dtypes.get("weights", _dtype(analysis)))
        for group in analysis.experts:
            self.routed = True
            picked = Fraction(group.picked, group.size)
            left = (1 - picked) ** tokens if tokens * picked < _SURE else Fraction(0)
            read -= left * int(str(group.params)) * each
        return read

    def cache(self, past: int) -> int:
        """Return the bytes of the cache with so many tokens in it."""
        return int(sum((size for size, _ in self._cache(past)), Fraction(0)))

    def held(self, past: int) -> list[int]:
        """Return how many tokens each part of the cache holds."""
        return [tokens for _, tokens in self._cache(past) if tokens]

    def turns(self, first: int, last: int) -> set[int]:
        """Return the lengths between two at which attention begins with a new chunk, and those before.

        Within a chunk each step has one key more than the last; with the next it starts from one again.
        """
        masked = engine.analysis_of(self.graph(1, last)).masked.values()
        chunks = {one.mask.chunk for one in masked if isinstance(one.mask.chunk, int) and one.mask.chunk}
        starts = {place for size in chunks for place in range(-first % size + first, last + 1, size)}
        return {place for start in starts for place in (start - 1, start) if first < place < last}

    def per_token(self, past: int) -> int:
        """Return the bytes of one token more of one sequence in the cache, before a window is full."""
        parts = [size / tokens for size, tokens in self._cache(past) if tokens]
        return int(sum(parts, Fraction(0)) / self._batch)

    def _cache(self, past: int) -> list[tuple[Fraction, int]]:
        """Return the bytes of each tensor of the cache, and the tokens that it holds: 0 of a state."""
        graph = self.graph(1, past)
        found = []
        for given in graph.inputs:
            tensor = graph.tensors[given.tensor]
            if given.name.startswith(CACHE) and tensor.shape is not None:
                size = int(str(product(tensor.shape))) * bytes_each(self._dtypes.get("kv", tensor.dtype))
                named = given.name.rpartition(".")[2] in ("keys", "values", "indexer_keys")
                found.append((size, int(str(tensor.shape[-2])) if named else 0))
        return found


def _dtype(analysis: Analysis) -> str:
    """Return the type of most of the weights."""
    sizes: dict[str, Number] = {}
    for one in analysis.weights_held.values():
        sizes[one.dtype] = total((sizes.get(one.dtype, 0), one.numel))
    return max(sizes, key=lambda name: int(str(sizes[name])), default="float32")
