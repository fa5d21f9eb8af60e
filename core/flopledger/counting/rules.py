"""The rules of one convention for the calls of one network: a call's rule, and the call that covers it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from flopledger.analysis.flow import downstream
from flopledger.conventions.convention import without_overload
from flopledger.conventions.facts import STRUCTURAL
from flopledger.counting.memo import Memo
from flopledger.counting.scopes import CallScope, keep_errors, raised
from flopledger.errors import ExpressionError, GraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.analysis.analysis import Analysis
    from flopledger.conventions.convention import Convention
    from flopledger.conventions.facts import Fact
    from flopledger.expressions.compiler import Expression
    from flopledger.graph.tables import Layer, Module


class Rules:
    """One convention's rules for the calls and modules of one network."""

    def __init__(self, analysis: Analysis, convention: Convention) -> None:
        self.analysis, self.convention = analysis, convention
        self._found: dict[tuple[str, str, str, tuple[str, ...]], tuple[Memo | None, bool]] = {}

    def memo(self, expression: Expression) -> Memo:
        """Return an expression that remembers its values for the calls of this network."""
        return Memo(expression, self.convention.define, self._alike)

    def _alike(self, name: str) -> bool:
        """Return whether a name has one value for all calls of a signature, wherever they are."""
        fact = STRUCTURAL.get(name)
        return fact is None or fact.alike or not self._differs(fact)

    def _differs(self, fact: Fact) -> bool:
        """Return whether a fact that depends on a call's place has several values in this network."""
        if fact.some is None:
            return True
        try:
            return bool(fact.some(self.analysis))
        except (ExpressionError, GraphError):  # a rule that needs it will say so, and name its call
            return True

    def rule(self, layer: Layer) -> tuple[Memo | None, bool]:
        """Return the rule for a call, and whether it was found by the call's source."""
        bases = self._bases(layer)
        key = (layer.level, layer.source, layer.kind, bases)
        found = self._found.get(key)
        if found is None:
            rule, by_source = self.convention.rule(layer.level, layer.source, layer.kind, bases)
            found = self._found[key] = (None if rule is None else self.memo(rule), by_source)
        return found

    def _bases(self, layer: Layer) -> tuple[str, ...]:
        """Return the base types of a module's call; a function has none."""
        return () if layer.module is None else self.analysis.graph.modules[layer.module].bases

    def mapped(self, module: Module) -> bool:
        """Return whether the convention has a rule for a module's calls, by their source."""
        level = self.convention.levels.get("layer")
        return level is not None and level.by_source(module.type, module.bases) is not None

    @functools.cached_property
    def open_paths(self) -> list[int]:
        """The number of paths to each module that pass through no mapped one."""
        modules = self.analysis.graph.modules
        return self.analysis.modules.count_paths(lambda i: self.mapped(modules[i]))

    @functools.cached_property
    def covered(self) -> list[bool]:
        """Whether each call is inside one that this convention can price as a whole."""
        layers, covers = self.analysis.graph.layers, dict[int, bool]()
        covered: list[bool] = []
        for layer in layers:
            up = layer.parent
            if up is None:
                covered.append(False)
                continue
            if up not in covers:
                covers[up] = covered[up] or self._covers(up)
            covered.append(covers[up])
        return covered

    def _covers(self, call: int) -> bool:
        layer = self.analysis.graph.layers[call]
        if self.analysis.formulas.kind_of[call] is not None:
            return True
        return layer.level in self.convention.levels and self.rule(layer)[1]

    def ruled(self, layer: Layer) -> bool:
        """Return whether a rule of the convention other than ``*`` is for a call."""
        rule, by_source = self.rule(layer)
        return by_source or (rule is not None and layer.kind in self.convention.levels[layer.level].rules)

    @functools.cached_property
    def hidden(self) -> frozenset[int]:
        """The calls that the convention's flow reaches."""
        flow = self.convention.flow
        if not flow:
            return frozenset()
        begins, ends = flow["from"], flow["until"]
        return downstream(
            self.analysis.graph.layers,
            lambda layer: bool(begins(CallScope(self, layer))),
            lambda layer: bool(ends(CallScope(self, layer))),
        )

    def inner(self, layer: Layer) -> bool:
        """Return whether a call of the same level contains this one within its module's call.

        A call that the level's ``through`` lists does not count as containing others. fvcore and
        torchprofile read a trace of torch.jit, which records ``aten::_convolution`` where PyTorch's own
        dispatcher, from which the graph is read, first shows ``aten.conv2d``: without ``through`` they
        would count no convolution.
        """
        through = self.convention.levels[layer.level].through
        for up in self.analysis.calls.around(layer.id):
            above = self.analysis.graph.layers[up]
            if above.level == "layer":
                return False
            if above.level == layer.level and not {above.source, without_overload(above.source)} & through:
                return True
        return False

    def root_scope(self, values: Mapping[str, object]) -> Callable[[str], object]:
        """Return the scope of a total or a parameter rule: the values given, switches and definitions."""
        known = dict(values)

        def scope(name: str) -> object:
            if name not in known:
                known[name] = keep_errors(find, name)
            return raised(known[name])

        def find(name: str) -> object:
            space, dot, key = name.partition(".")
            if dot and space == "switch":
                return self.convention.chosen[key]
            return self.convention.define[name](scope)

        return scope
