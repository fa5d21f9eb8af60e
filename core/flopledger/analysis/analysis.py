"""Everything that is derived from one graph, independent of the convention.

Each part is computed when it is first used, and kept. The parts look down only: calls and modules first, then
the parts that use them. Those that few counts ask for are imported when they are asked for: most of a count
of a small file is imports.
"""

from __future__ import annotations

import functools
import weakref
from dataclasses import fields
from typing import TYPE_CHECKING

from flopledger.analysis import flow, held, latent, module_rows
from flopledger.analysis.call_tree import CallTree
from flopledger.analysis.experts import PICKS
from flopledger.analysis.formulas import Formulas
from flopledger.analysis.module_tree import ModuleTree
from flopledger.analysis.signatures import Signatures
from flopledger.analysis.weights import Weights
from flopledger.dims.arithmetic import total
from flopledger.graph.tables import Tables
from flopledger.lazy import attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction

    from flopledger.analysis.backward import Backward
    from flopledger.analysis.experts.groups import Experts, ExpertSearch
    from flopledger.analysis.gradients import Gradients, Work
    from flopledger.analysis.hidden import Hidden
    from flopledger.analysis.masks import Masked, Masks
    from flopledger.analysis.memory import Memory
    from flopledger.dims.types import Dim, Number
    from flopledger.graph.tables import Parameter
    from flopledger.kinds import Kind


class Analysis:
    """The views of one graph.

    ``calls`` are the calls as a tree, ``modules`` the registered modules, ``weights`` the parameters;
    ``signatures`` groups calls with equal signatures, ``formulas`` has the arithmetic of each by its kind.
    """

    graph: Tables
    kinds: Mapping[str, Kind]
    calls: CallTree
    modules: ModuleTree
    weights: Weights
    signatures: Signatures
    formulas: Formulas

    def __init__(self, graph: Tables, kinds: Mapping[str, Kind]) -> None:
        self.graph, self.kinds = graph, kinds
        self.calls = CallTree(graph)
        self.modules = ModuleTree(graph, self.calls)
        self.weights = Weights(graph, self.calls, self.modules)
        self.signatures = Signatures(graph)
        self.formulas = Formulas(graph, kinds, self.calls, self.signatures)

    @functools.cached_property
    def live(self) -> list[bool]:
        """Whether the result of each call reaches an output of the network."""
        return flow.live(self.graph, self.calls.has_children)

    @functools.cached_property
    def absorbed(self) -> Mapping[int, Number]:
        """The factor of the work of calls if a latent projection is absorbed; 1 for calls without."""
        return latent.absorbed(self.graph, self.formulas)

    @functools.cached_property
    def latents(self) -> Mapping[int, Dim]:
        """The elements of the latent vectors of each call of an attention over them."""
        return latent.elements(self.graph)

    @functools.cached_property
    def gradients(self) -> Gradients:
        """The work of a training step beside its forward."""
        make: type[Gradients] = attribute("flopledger.analysis.gradients:Gradients")
        return make(self.graph, self.calls, self.formulas, self.hidden)

    @functools.cached_property
    def backward_work(self) -> Mapping[int, Work]:
        """The gradients of each call that has some; in a forward pass none has."""
        return self.gradients.work if self.graph.reading.trains else {}

    @functools.cached_property
    def recomputed(self) -> Mapping[int, Dim]:
        """The multiply-accumulates that the backward runs again, of each call with all inside it."""
        return self.gradients.recomputed if self.graph.reading.trains else {}

    @functools.cached_property
    def hidden(self) -> Hidden:
        """The parameters that calls read although no tensor among their operands is linked to them."""
        make: type[Hidden] = attribute("flopledger.analysis.hidden:Hidden")
        return make(self.graph, self.calls, self.formulas)

    @functools.cached_property
    def memory(self) -> Memory:
        """The memory of the activations."""
        make: type[Memory] = attribute("flopledger.analysis.memory:Memory")
        return make(self.graph, self.formulas, self.gradients, self.hidden.unseen)

    @functools.cached_property
    def training_peak(self) -> int:
        """The most bytes that are alive at once in a training step: activations and gradients."""
        make: type[Backward] = attribute("flopledger.analysis.backward:Backward")
        return make(self.memory, self.gradients).peak()

    @functools.cached_property
    def weights_held(self) -> Mapping[int, Parameter]:
        """The weights by their storage, each storage once."""
        return held.weights(self.graph)

    @functools.cached_property
    def tables(self) -> Mapping[int, int]:
        """The rows of each table of words that nothing but a lookup uses, by its storage."""
        return held.tables(self.graph)

    @functools.cached_property
    def vocabulary(self) -> Dim:
        """The rows of the largest table of words; 0 if there is none."""
        return held.vocabulary(self.graph)

    @functools.cached_property
    def tokens(self) -> Dim | None:
        """The elements of the first input of whole numbers; None if there is none."""
        return held.tokens(self.graph)

    @functools.cached_property
    def masked(self) -> Mapping[int, Masked]:
        """The masks of attention's products, by their call."""
        if not flow.has_mask(self.graph):
            return {}
        make: type[Masks] = attribute("flopledger.analysis.masks:Masks")
        return make(self.graph, self.calls, self.formulas).found

    @functools.cached_property
    def module_rows(self) -> Mapping[int, Dim]:
        """The elements of the weights in each module's row of a table of modules."""
        return module_rows.weights_by_row(self.graph, self.calls, self.modules)

    @functools.cached_property
    def _expert_search(self) -> ExpertSearch | None:
        if PICKS.isdisjoint(layer.kind for layer in self.graph.layers):
            return None
        search: type[ExpertSearch] = attribute("flopledger.analysis.experts.groups:ExpertSearch")
        return search(self.calls, self.modules, self.weights, self.formulas)

    @functools.cached_property
    def experts(self) -> tuple[Experts, ...]:
        """The experts of which routers choose some for each token."""
        return () if self._expert_search is None else self._expert_search.groups()

    @functools.cached_property
    def expert_parts(self) -> Mapping[int, str]:
        """The parts that calls have in blocks of experts: a router, an expert, or shared by all tokens."""
        return {} if self._expert_search is None else self._expert_search.parts()

    @functools.cached_property
    def used(self) -> Mapping[int, Fraction]:
        """How often a token uses each weight of experts, by its storage."""
        return {} if self._expert_search is None else self._expert_search.used()

    @property
    def active_params(self) -> Dim:
        """Our own figure of the weights that one token's forward uses: of experts, the chosen ones only."""
        unused = (group.active_params - group.params for group in self.experts)
        return total((self.weights.totals[0], *unused))


_ANALYSES: dict[int, Analysis] = {}


def analysis_of(graph: Tables, kinds: Callable[[], Mapping[str, Kind]]) -> Analysis:
    """Return the analysis of a graph, which is kept for as long as the graph lives.

    A ``WeakKeyDictionary`` can't keep it: a graph compares by its tables, which can't be hashed, and an
    analysis that refers to the graph would keep its own key alive. So the key of the entry is the graph's
    identity, a finalizer removes it when the graph dies, and the analysis refers to the tables only.

    Args:
        graph: The graph.
        kinds: Returns the kinds that its calls may have, called if there is no analysis yet.
    """
    found = _ANALYSES.get(id(graph))
    if found is None:
        tables = Tables(*(getattr(graph, field.name) for field in fields(Tables)))
        found = _ANALYSES[id(graph)] = Analysis(tables, kinds())
        weakref.finalize(graph, _ANALYSES.pop, id(graph), None).atexit = False
    return found
