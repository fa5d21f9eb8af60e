"""The search for the origin of figures: conventions first, then other networks than the one named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flopledger.counting import engine
from flopledger.errors import FlopledgerError
from flopledger.explaining import hypotheses
from flopledger.explaining.find_figure import candidates, find, of_batches
from flopledger.explaining.two_figures import gap_between
from flopledger.frontend.specs import InputSpec
from flopledger.reading import profiles
from flopledger.reading.read import Readings
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flopledger.conventions.convention import Convention
    from flopledger.counting.ledger import GraphInfo
    from flopledger.explaining.find_figure import Candidate, Match
    from flopledger.explaining.two_figures import Gap
    from flopledger.graph.graph import Graph
    from flopledger.quantities import Figure

PAIR = 2
PLAIN = (
    "every convention with up to two decisions changed; strides moved within blocks; no classifier; of "
    "parameters also those without biases, norms or embeddings, the trainable ones, and those with buffers"
)


class Source(Protocol):
    """A source that can be read under several profiles."""

    def read(self, profile: Mapping[str, object]) -> Graph:
        """Read under a profile."""


@dataclass(frozen=True, slots=True)
class Found:
    """The matches of each figure, the attempts, and the gap between two."""

    graph: GraphInfo
    figures: tuple[tuple[Figure, list[Match]], ...]
    tried: tuple[str, ...]
    gap: Gap | None = None


def search(
    source: Source, first: Graph, conventions: Sequence[Convention], figures: Sequence[Figure]
) -> Found:
    """Search for the origin of figures; the gap between them is explained where there are two.

    Other input sizes and batches, which fit almost any figure of two digits, are only tried for figures that
    nothing else fits.

    Args:
        source: What reads the network.
        first: Its reading in its present mode.
        conventions: Those that apply to its framework.
        figures: The figures.
    """
    graphs = profiles.readings(source.read, conventions, first)
    known = candidates(graphs)
    found = [find(known, figure) for figure in figures]
    tried = [PLAIN]
    if any(_misses(matches) for matches in found):
        own = [one for one in conventions if not one.tool]
        sizes, descriptions = _of_sizes(source, first, own)
        tried += [*descriptions, f"batches of {', '.join(map(str, hypotheses.BATCHES))}"]
        wider = [*known, *sizes, *of_batches(known)]
        found = [
            find(wider, figure) if _misses(matches) else matches
            for figure, matches in zip(figures, found, strict=True)
        ]
    gap = gap_between(found[0], found[1]) if len(figures) == PAIR else None
    return Found(engine.graph_info(graphs[0][0]), tuple(zip(figures, found, strict=True)), tuple(tried), gap)


def _misses(matches: Sequence[Match]) -> bool:
    return not (matches and matches[0].fits)


def _of_sizes(
    source: Source, first: Graph, conventions: Sequence[Convention]
) -> tuple[list[Candidate], list[str]]:
    """Return the figures of other input sizes, and which were tried or why one could not be."""
    if not isinstance(source, Readings):
        return [], []
    found: list[Candidate] = []
    read, refused = [], []
    for size, shape in hypotheses.other_sizes(first):
        spec = InputSpec(first.inputs[0].name if not first.inputs[0].positional else "", shape)
        try:
            graph = source.read({}, (spec,))
        except FlopledgerError as error:
            refused.append(f"no input of {size}: {str(error).splitlines()[0]}")
            continue
        read.append(str(size))
        found += candidates([(graph, conventions)], (f"input size {size}",))
    return found, [*_sizes(read), *refused]


def _sizes(read: Sequence[str]) -> Iterator[str]:
    if read:
        yield f"input sizes {', '.join(read)}, with one decision changed"
