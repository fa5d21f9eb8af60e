"""The parameters that a convention counts, in total and for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.conventions import facts
from flopledger.counting.memo import Memo
from flopledger.counting.scopes import ModuleScope, ParameterScope
from flopledger.dims.arithmetic import total
from flopledger.dims.bounds import number
from flopledger.errors import ConventionError, ExpressionError
from flopledger.meter import metered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flopledger.conventions.convention import Params
    from flopledger.counting.memo import SignedScope
    from flopledger.counting.rules import Rules
    from flopledger.dims.types import Number
    from flopledger.expressions.compiler import Expression


class ParameterCount:
    """The parameters of one network under one convention; each expression is evaluated over them once."""

    def __init__(self, rules: Rules) -> None:
        self.rules, self.analysis, self.convention = rules, rules.analysis, rules.convention
        self._values: dict[tuple[str, str, str], list[tuple[int | None, Number]]] = {}

    def figures(self) -> tuple[Number | None, Number, Number, Number]:
        """Return the tool's parameters, trainable and other ones, and buffers; ours where it has no rule.

        The first is None for a tool that prints no parameter figure.
        """
        weights, trained, buffers = self.analysis.weights.totals
        own = (trained, weights - trained, buffers)
        rule = self.convention.params
        if rule is None:
            return None, *own
        extra = (rule.trainable, rule.non_trainable, rule.buffers)
        found = [self._sum(e) if e is not None else o for e, o in zip(extra, own, strict=True)]
        return self._sum(rule.count), found[0], found[1], found[2]

    @property
    def count(self) -> Number | None:
        """The tool's figure of all parameters; None if it has none."""
        rule = self.convention.params
        return None if rule is None else self._sum(rule.count)

    @property
    def bytes(self) -> Number:
        """The tool's figure of their bytes; 0 if it has none."""
        rule = self.convention.params
        return 0 if rule is None or rule.bytes is None else self._sum(rule.bytes)

    def _sum(self, count: Expression) -> Number:
        return number(total(value for _, value in self.values(count)))

    def values(self, count: Expression | None = None) -> list[tuple[int | None, Number]]:
        """Return the count of each parameter or module, with the module that it belongs to.

        Args:
            count: The rule for each; by default that of the convention.
        """
        rule = self.convention.params
        if rule is None:
            return []
        count = count or rule.count
        key = (rule.over, rule.where.text, count.text)
        shared = self.analysis.weights.by_rule if self._of_graph_alone(rule.where, count) else self._values
        if key not in shared:
            with metered(len(self.analysis.graph.layers)):
                shared[key] = list(self._evaluate(rule, count))
        return shared[key]

    @staticmethod
    def _of_graph_alone(*expressions: Expression) -> bool:
        """Return whether expressions have the same values under every convention that has them."""
        return not any(map(facts.of_convention, frozenset().union(*(one.names for one in expressions))))

    def _evaluate(self, rule: Params, count: Expression) -> Iterator[tuple[int | None, Number]]:
        scopes = self._parameters() if rule.over == "parameters" else self._modules()
        where, value = (
            Memo(e, self.convention.define, lambda name: "." in name) for e in (rule.where, count)
        )
        for module, scope in scopes:
            try:
                if rule.where.text == "True" or where.value(scope):
                    yield module, value.number(scope)
            except ExpressionError as error:
                raise ConventionError(f"{self.convention.name}: {error}") from None

    def _parameters(self) -> Iterator[tuple[int | None, SignedScope]]:
        parameters, used = self.analysis.graph.parameters, self.analysis.used
        for parameter, (owner, plain) in zip(parameters, self.analysis.weights.facts, strict=True):
            known = {**plain, "used": used.get(parameter.storage, 1)}
            yield owner, ParameterScope(self.rules, known)

    def _modules(self) -> Iterator[tuple[int | None, SignedScope]]:
        for module in self.analysis.graph.modules:
            yield module.id, ModuleScope(self.rules, module)

    def by_call(self, listed: Iterable[int], count: Expression | None = None) -> dict[int, Number]:
        """Return the parameters of each row: a module's belong to its first call.

        Where that has no row they belong to the first one directly inside it, or to the module around it.

        Args:
            listed: The calls that have rows.
            count: The rule for each parameter; by default that of the convention.
        """
        return self._gathered(listed, self.values(count))

    def trained_by_call(self, listed: Iterable[int]) -> dict[int, Number]:
        """Return our own count of the trainable parameters of each row, whatever the convention counts."""
        return self._gathered(listed, self.analysis.weights.trained)

    def _gathered(
        self, listed: Iterable[int], values: Iterable[tuple[int | None, Number]]
    ) -> dict[int, Number]:
        """Return values of modules by the row that each belongs to, added up."""
        first: dict[int, int] = {}
        deeper: list[int] = []
        layers = self.analysis.graph.layers
        for i in listed:
            module = layers[i].module
            if module is not None and layers[i].level == "layer":
                first.setdefault(module, i)
            else:
                deeper.append(i)
        counted = [(module, value) for module, value in values if value != 0]
        if any(module is not None and module not in first for module, _ in counted):
            self._add_inner(first, deeper)
        sums: dict[int, list[Number]] = {}
        for module, value in counted if first else ():
            call = self._call_for(module, first)
            if call is not None:
                sums.setdefault(call, []).append(value)
        return {i: number(total(values)) for i, values in sums.items()}

    def _add_inner(self, first: dict[int, int], calls: Iterable[int]) -> None:
        """Add the first call directly inside each module that has no row: a tool may list functions alone."""
        layers = self.analysis.graph.layers
        found: dict[int, int] = {}
        for i in calls:
            up = layers[i].parent
            while up is not None and (layers[up].module is None or layers[up].level != "layer"):
                up = layers[up].parent
            module = None if up is None else layers[up].module
            if module is not None:
                found.setdefault(module, i)
        for module, i in found.items():
            first.setdefault(module, i)

    def _call_for(self, module: int | None, first: Mapping[int, int]) -> int | None:
        while module is not None and module not in first:
            parents = self.analysis.modules.parents[module]
            module = parents[0] if parents else None
        return None if module is None else first[module]
