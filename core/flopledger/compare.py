"""Whether two networks are the same: their layers side by side, and what differs, in words.

Frameworks name, nest and order layers differently, so layers are aligned by what they do: the calls
that compute or hold weights are put in the order of the data flow (how many computing layers lie
before them), and the two rows are aligned as sequences, by kind, kernel, channels and size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flopledger import alignment, convention
from flopledger.dims import total
from flopledger.expression import compile_expression
from flopledger.functions import number
from flopledger.items import Item, items_of

if TYPE_CHECKING:
    from flopledger.convention import Convention
    from flopledger.dims import Number
    from flopledger.graph import Graph
    from flopledger.ledger import Ledger

STATUSES = ("same", "changed", "only_a", "only_b")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two layers that stand for each other, or one that has no counterpart."""

    a: Item | None
    b: Item | None
    why: str = ""

    @property
    def status(self) -> str:
        """``same``, ``changed``, ``only_a`` or ``only_b``."""
        if self.a is None:
            return "only_b"
        if self.b is None:
            return "only_a"
        return "changed" if self.why and not self.equal else "same"

    @property
    def equal(self) -> bool:
        """Whether both sides have as many multiply-accumulates and trainable parameters."""
        return self.macs == 0 and self.params == 0 and self.a is not None and self.b is not None

    @property
    def macs(self) -> Number:
        """The multiply-accumulates of b less those of a."""
        return number((self.b.macs if self.b else 0) - (self.a.macs if self.a else 0))

    @property
    def params(self) -> Number:
        """The trainable parameters of b less those of a."""
        return number((self.b.params if self.b else 0) - (self.a.params if self.a else 0))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two networks side by side. The pairs' differences sum to those of the totals."""

    a: Ledger
    b: Ledger
    pairs: tuple[Pair, ...]

    @property
    def equal(self) -> bool:
        """Whether every layer has a counterpart with as many macs and trainable parameters."""
        return all(pair.equal for pair in self.pairs)


def compare(graph_a: Graph, graph_b: Graph, under: str | Convention = "mac") -> Comparison:
    """Compare two networks, of any frameworks.

    Args:
        graph_a: The one.
        graph_b: The other.
        under: The convention that both totals are counted under.

    Raises:
        ConventionError: The convention does not apply to one of the networks.
    """
    sides = [items_of(graph, _trainable()) for graph in (graph_a, graph_b)]
    pairs = alignment.align(*sides)
    totals = [graph.count(under) for graph in (graph_a, graph_b)]
    return Comparison(totals[0], totals[1], tuple(Pair(a, b, why) for a, b, why in pairs))


def _trainable() -> Convention:
    """Return ``mac`` with the trainable parameters in the rows."""
    mac = convention.load("mac")
    if mac.params is None:
        return mac
    return replace(mac, params=replace(mac.params, count=compile_expression("numel if trainable else 0")))


def sums(comparison: Comparison) -> tuple[Number, Number]:
    """Return by how many macs and trainable parameters b differs from a, summed over the pairs."""
    macs = number(total(pair.macs for pair in comparison.pairs))
    return macs, number(total(pair.params for pair in comparison.pairs))
