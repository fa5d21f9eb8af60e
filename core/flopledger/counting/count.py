"""One convention evaluated over one network: the pass of which a ledger and an explanation are views."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from flopledger.counting import training
from flopledger.counting.ledger import Adjustment, Row
from flopledger.counting.memo import names_read
from flopledger.counting.parameters import ParameterCount
from flopledger.counting.rounding import without_rounding
from flopledger.counting.rules import Rules
from flopledger.counting.scopes import CallScope, OpenOperations
from flopledger.dims.arithmetic import total
from flopledger.dims.bounds import number
from flopledger.errors import ConventionError, ExpressionError, GraphError, Unbounded
from flopledger.graph.tables import CONTAINER, LEVELS
from flopledger.meter import metered
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.analysis.analysis import Analysis
    from flopledger.conventions.convention import Convention
    from flopledger.counting.ledger import Shares
    from flopledger.counting.memo import Memo
    from flopledger.dims.types import Number
    from flopledger.expressions.compiler import Expression
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer


@dataclass(slots=True)
class PricedCall:
    """A call that the convention counts: its rule, the rule's value, how often it counts, and the product.

    ``rule`` is None where the convention has none for it, ``by_source`` whether it names the call's source.
    ``price`` is 0 where ``times`` is: the rule is then not evaluated, which may have no value there. So is a
    call for which the convention declares the tool's figure ``unknown``.
    """

    scope: CallScope
    rule: Memo | None
    by_source: bool
    times: Number
    price: Number
    count: Number
    unknown: bool = False

    @property
    def layer(self) -> Layer:
        """The call's record."""
        return self.scope.layer


class Count:
    """One network under one convention. Everything is evaluated once, when it is first used."""

    def __init__(self, graph: Graph, analysis: Analysis, convention: Convention) -> None:
        self.graph, self.analysis, self.convention = graph, analysis, convention
        self.rules = Rules(analysis, convention)
        self.params = ParameterCount(self.rules)

    @functools.cached_property
    def listed(self) -> dict[int, CallScope]:
        """The calls that the convention counts, even if they count 0, by id."""
        listed: dict[int, CallScope] = {}
        wheres = {level: self.rules.memo(rules.where) for level, rules in self.convention.levels.items()}
        with metered(len(self.graph.layers)):
            for layer in self.graph.layers:
                where = wheres.get(layer.level)
                if where is None:
                    continue
                scope = CallScope(self.rules, layer)
                if where.is_true or self._is_listed(where, scope):
                    listed[layer.id] = scope
        return listed

    def _is_listed(self, where: Memo, scope: CallScope) -> bool:
        try:
            return bool(self._value(where, scope))
        except OpenOperations:
            reason = "whether it is counted is asked of its operations, which depend on the data"
            raise ConventionError(f"{self.convention.name}: {scope.layer.path}: {reason}") from None

    @functools.cached_property
    def priced(self) -> dict[int, PricedCall]:
        """The same calls with their counts."""
        times = {level: self.rules.memo(rules.times) for level, rules in self.convention.levels.items()}
        unknown = {
            level: self.rules.memo(rules.unknown)
            for level, rules in self.convention.levels.items()
            if rules.unknown is not None
        }
        priced: dict[int, PricedCall] = {}
        with metered(len(self.graph.layers)):
            for i, scope in self.listed.items():
                rule, by_source = self.rules.rule(scope.layer)
                asked = unknown.get(scope.layer.level)
                if asked is not None and not self._contains(scope) and self._value(asked, scope):
                    priced[i] = PricedCall(scope, None, by_source, 0, 0, 0, unknown=True)
                else:
                    priced[i] = self._price(scope, rule, times[scope.layer.level], by_source=by_source)
        return priced

    def _price(self, scope: CallScope, rule: Memo | None, times: Memo, *, by_source: bool) -> PricedCall:
        if rule is None:
            return PricedCall(scope, None, by_source, 0, 0, 0)
        try:
            often = self.number(times, scope)
            if often == 0:
                return PricedCall(scope, rule, by_source, 0, 0, 0)
            price = self.number(rule, scope)
            return PricedCall(scope, rule, by_source, often, price, number(price * often))
        except OpenOperations:
            return PricedCall(scope, None, by_source, 0, 0, 0, unknown=True)
        except Unbounded as error:
            raise ConventionError(f"{self.convention.name}: {scope.layer.path}: {error}") from None
        except ConventionError:
            if not scope.layer.problem:
                raise
            # The rule needs a size that the reading left open: coverage lists the call, with this reason.
            return PricedCall(scope, None, by_source=False, times=0, price=0, count=0)

    def number(self, expression: Memo, scope: CallScope) -> Number:
        """Return the value of an expression for a call, where it is a number.

        Raises:
            ConventionError: It has none, or it is not a number; the message names the call.
            GraphError: The call's attributes don't fit its kind.
        """
        if expression.is_one:
            return 1
        try:
            return expression.number(scope)
        except (ExpressionError, GraphError) as error:
            raise self._located(error, scope) from None

    def _value(self, expression: Memo, scope: CallScope) -> object:
        try:
            return expression.value(scope)
        except (ExpressionError, GraphError) as error:
            raise self._located(error, scope) from None

    def _located(self, error: Exception, scope: CallScope) -> Exception:
        if isinstance(error, GraphError):
            return GraphError(f"{scope.layer.path}: {error}")
        return ConventionError(f"{self.convention.name}: {scope.layer.path}: {error}")

    @functools.cached_property
    def total(self) -> tuple[Number, tuple[Adjustment, ...]]:
        """The total, and its difference from the sum of the calls: scaling, batch division, rounding."""
        calls = self.priced.values()
        counts: dict[str, list[Number]] = {level: [] for level in LEVELS}
        for call in calls:
            counts[call.scope.layer.level].append(call.count)
        sums: dict[str, object] = {level: total(found) for level, found in counts.items()}
        if "params" in names_read(self.convention.total, self.convention.define):
            sums["params"] = self.params.count or 0
        if "param_bytes" in names_read(self.convention.total, self.convention.define):
            sums["param_bytes"] = self.params.bytes
        if "tokens" in names_read(self.convention.total, self.convention.define):
            sums["tokens"] = self._tokens()
        batch = self.analysis.calls.root_batch
        exact = without_rounding(self.convention.total)
        figure = self._figure(self.convention.total, {**sums, "root_batch": batch})
        unrounded = self._figure(exact, {**sums, "root_batch": batch})
        undivided = self._figure(exact, {**sums, "root_batch": 1})
        beside = "scaling" if exact.names.isdisjoint(("params", "param_bytes")) else "parameters"
        steps = {
            beside: number(undivided - total(call.count for call in calls)),
            "batch division": number(unrounded - undivided),
            "rounding": number(figure - unrounded),
        }
        return figure, tuple(Adjustment(what, value) for what, value in steps.items() if value != 0)

    def _tokens(self) -> Number:
        found = self.analysis.tokens
        if found is None:
            source = self.graph.reading.source
            raise ConventionError(
                f"{self.convention.name}: it counts by tokens, and {source} has no input of whole numbers"
            )
        return found

    def _figure(self, expression: Expression, values: Mapping[str, object]) -> Number:
        try:
            return expression.number(self.rules.root_scope(values))
        except ExpressionError as error:
            raise ConventionError(f"{self.convention.name}: {error}") from None

    def rows(self, params: Expression | None = None) -> tuple[Row, ...]:
        """Return a row for each call that the convention counts.

        Args:
            params: The rule for each parameter; by default that of the convention.
        """
        of_calls = self.params.by_call(self.listed, params)
        trained = self.params.trained_by_call(self.listed)
        places: dict[int, int] = {}
        rows: list[Row] = []
        layers, trains = self.graph.layers, self.trains
        for i, call in self.priced.items():
            places[i] = len(rows)
            up = layers[i].parent
            while up is not None and up not in places:
                up = layers[up].parent
            shares = self._shares(call) if trains else None
            rows.append(self._row(call, up, of_calls.get(i, 0), trained.get(i, 0), shares))
        return tuple(rows)

    def _row(
        self, call: PricedCall, parent: int | None, params: Number, trained: Number, shares: Shares | None
    ) -> Row:
        layer, formulas = call.scope.layer, self.analysis.formulas
        inputs, outputs, parts, kernel = formulas.shown(layer)
        weights, label = ((), "") if layer.module is None else self.analysis.weights.described(layer.module)
        return Row(
            layer.id,
            parent,
            layer.path,
            layer.index,
            layer.kind,
            layer.source,
            layer.level,
            inputs,
            outputs,
            params,
            call.count,
            formulas.true_macs[layer.id],
            parts,
            "counted" if call.count != 0 else self._why_nothing(call),
            layer.problem,
            weights,
            layer.module,
            label,
            trained,
            kernel,
            shares,
        )

    def _shares(self, call: PricedCall) -> Shares:
        return training.shares(call.scope, call.rule, call.times, call.count)

    @property
    def trains(self) -> bool:
        """Whether it counts a training step call by call; an estimate of one has no shares."""
        return self.graph.reading.trains and not self.convention.estimates

    def _contains(self, scope: CallScope) -> bool:
        """Return whether the calls inside a call have the figure that it lacks: a formula, or a rule."""
        has_children = self.analysis.calls.has_children[scope.layer.id]
        return (
            scope.kind is None
            and not self.rules.rule(scope.layer)[1]
            and (scope.layer.kind == CONTAINER or has_children)
        )

    def _why_nothing(self, call: PricedCall) -> str:
        """Return the status of a call that counts 0."""
        if self._contains(call.scope):
            return "container"
        kind = call.scope.kind
        if call.unknown:
            return "unknown"
        if kind is None and not (call.by_source or self.analysis.formulas.partly_known(call.layer)):
            return "unknown"
        return "free" if kind is not None and not call.scope.parts else "ignored"
