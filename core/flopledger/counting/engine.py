"""Prices a graph under a convention. It knows no framework and no tool by name."""

from __future__ import annotations

import ast
import functools
from collections import Counter as Counts
from typing import TYPE_CHECKING, TypeVar

from flopledger import gc_pause as collector
from flopledger.analysis.analysis import Structure
from flopledger.analysis.likeness import Memo
from flopledger.conventions import loader
from flopledger.conventions.convention import Convention
from flopledger.conventions.facts import SEEN, STRUCTURAL
from flopledger.counting.ledger import (
    Adjustment,
    ConventionInfo,
    Coverage,
    GraphInfo,
    Ledger,
    Row,
    Total,
    Unknown,
)
from flopledger.counting.scopes import Count, ModuleSite, ParameterSite, Site
from flopledger.dims.arithmetic import product, total
from flopledger.dims.bounds import number
from flopledger.errors import ConventionError, ExpressionError, GraphError, ProfileMismatch, Unbounded
from flopledger.expressions.compiler import compile_expression
from flopledger.expressions.functions import ROUNDING
from flopledger.graph.tables import CONTAINER, LEVELS, UNKNOWN
from flopledger.meter import metered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from flopledger.analysis.likeness import Seen
    from flopledger.conventions.convention import Params
    from flopledger.dims.types import Dim, Number, Shape
    from flopledger.expressions.compiler import Expression
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Input, Layer
T = TypeVar("T")


def count_graph(graph: Graph, convention: object, switches: Mapping[str, object]) -> Ledger:
    """Count a graph under a convention, given by name, by file or as an object.

    Raises:
        ConventionError: The convention is unknown, malformed, or not for this network.
        ProfileMismatch: It needs another reading of the network.
    """
    if not isinstance(convention, Convention):
        convention = loader.load(str(convention))
    return count(graph, convention.set(switches))


def structure_of(graph: Graph) -> Structure:
    """Return the views of a graph, which live as long as the graph does."""
    found = graph.__dict__.get("_structure")
    if not isinstance(found, Structure):
        from flopledger.plugins import discovery as plugins  # noqa: PLC0415  (a graph may be counted with kinds of plugins)

        found = graph.__dict__["_structure"] = Structure(graph, plugins.kinds())
    return found


@collector.paused()
def count(graph: Graph, convention: Convention, structure: Structure | None = None) -> Ledger:
    """Count a graph under a loaded convention."""
    with metered(len(graph.layers)):
        return _count(graph, convention, structure)


def _count(graph: Graph, convention: Convention, structure: Structure | None) -> Ledger:
    check_applies(graph, convention)
    structure = structure or structure_of(graph)
    counted = Counter(structure, convention)
    rows = counted.rows()
    figure, adjustments = counted.total(rows)
    params, trainable, non_trainable, buffers = counted.params()
    return Ledger(
        graph=graph_info(graph),
        convention=ConventionInfo(
            convention.name, convention.title, convention.unit, convention.changed, convention.digest
        ),
        total=Total(
            figure,
            convention.unit,
            total(structure.true_macs),
            params,
            trainable,
            non_trainable,
            buffers,
            structure.active_params,
        ),
        rows=rows,
        coverage=coverage(structure, rows),
        adjustments=adjustments,
        disagreements=structure.disagreements,
        experts=structure.experts,
        print_spec=convention.print,
    )


def check_applies(graph: Graph, convention: Convention) -> None:
    """Refuse a convention that is for other networks, or that needs another reading."""
    reading = graph.reading
    if convention.frameworks and reading.framework not in convention.frameworks:
        raise ConventionError(
            f"the convention {convention.name!r} is for networks of {' or '.join(convention.frameworks)}; "
            f"{reading.source} was read from {reading.framework}"
        )
    for key, needed in convention.profile.items():
        found = reading.profile.get(key, needed)
        if found != needed:
            raise ProfileMismatch(
                f"the convention {convention.name!r} needs a reading with {key} = {needed}, this one has "
                f"{key} = {found}: read the network again for this convention"
            )


def graph_info(graph: Graph) -> GraphInfo:
    """Say which graph was counted."""
    return GraphInfo(graph.reading, _inputs(graph), graph)


def _inputs(graph: Graph) -> tuple[tuple[Input, Shape | None, str], ...]:
    tensors = ((given, graph.tensors[given.tensor]) for given in graph.inputs)
    return tuple((given, tensor.shape, tensor.dtype) for given, tensor in tensors)


class Counter(Count):
    """One count under way."""

    def __init__(self, structure: Structure, convention: Convention) -> None:
        super().__init__(structure, convention)
        self._contributions: dict[Expression, list[tuple[int | None, Number]]] = {}
        self._memo = Memo(convention.define, lambda name: name in SEEN or name not in STRUCTURAL)
        self._param_memo = Memo(convention.define, lambda name: "." in name)

    def rows(self) -> tuple[Row, ...]:
        """Return a row for each call that the convention listens to."""
        heard: dict[int, Site] = {}
        for layer in self.structure.graph.layers:
            rules = self.convention.levels.get(layer.level)
            if rules is None:
                continue
            site = Site(self, layer)
            if self._true(rules.where, site):
                heard[layer.id] = site
        params = self._params_of(heard)
        places: dict[int, int] = {}
        rows: list[Row] = []
        for i, site in heard.items():
            places[i] = len(rows)
            rows.append(self._row(site, self._row_parent(site.layer, places), params.get(i, 0)))
        return tuple(rows)

    def _row_parent(self, layer: Layer, places: Mapping[int, int]) -> int | None:
        up = layer.parent
        while up is not None and up not in places:
            up = self.structure.graph.layers[up].parent
        return up

    def _row(self, site: Site, parent: int | None, params: Number) -> Row:
        layer, structure = site.layer, self.structure
        rule, by_source = self.rule(layer)
        price = self._price(rule, site) if rule is not None else 0
        inputs, outputs, parts = structure.shown(layer)
        weights, label = ((), "") if layer.module is None else structure.stated(layer.module)
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
            price,
            structure.true_macs[layer.id],
            parts,
            self._status(site, price, by_source=by_source),
            layer.problem,
            weights,
            layer.module,
            label,
        )

    def _price(self, rule: Expression, site: Site) -> Number:
        times = self._number(self.convention.levels[site.layer.level].times, site)
        try:
            return number(self._number(rule, site) * times) if times != 0 else 0
        except Unbounded as error:
            raise ConventionError(f"{self.convention.name}: {site.layer.path}: {error}") from None

    def _status(self, site: Site, price: Number, *, by_source: bool) -> str:
        layer = site.layer
        if price != 0:
            return "counted"
        if site.kind is None and not by_source:
            if layer.kind == CONTAINER or self.structure.has_calls[layer.id]:
                return "container"
            return "unknown"
        return "free" if site.kind is not None and not site.parts else "ignored"

    def _true(self, expression: Expression, site: Site) -> bool:
        return expression.text == "True" or bool(self._at(site, self._memo.value, expression))

    def _number(self, expression: Expression, site: Site) -> Number:
        return 1 if expression.text == "1" else self._at(site, self._memo.number, expression)

    def _at(self, site: Site, evaluate: Callable[[Expression, Site], T], expression: Expression) -> T:
        try:
            return evaluate(expression, site)
        except ExpressionError as error:
            raise ConventionError(f"{self.convention.name}: {site.layer.path}: {error}") from None
        except GraphError as error:
            raise GraphError(f"{site.layer.path}: {error}") from None

    def total(self, rows: tuple[Row, ...]) -> tuple[Number, tuple[Adjustment, ...]]:
        """Return the total, and what it has beside the sum of the rows."""
        sums: dict[str, object] = {
            level: total(r.count for r in rows if r.level == level) for level in LEVELS
        }
        sums["params"] = self.params()[0] or 0
        batch = self.structure.root_batch
        exact = without_rounding(self.convention.total)
        figure = self._figure(self.convention.total, {**sums, "root_batch": batch})
        unrounded = self._figure(exact, {**sums, "root_batch": batch})
        undivided = self._figure(exact, {**sums, "root_batch": 1})
        beside = "parameters" if "params" in exact.names else "scaling"
        steps = {
            beside: number(undivided - total(r.count for r in rows)),
            "batch division": number(unrounded - undivided),
            "rounding": number(figure - unrounded),
        }
        return figure, tuple(Adjustment(what, value) for what, value in steps.items() if value != 0)

    def _figure(self, expression: Expression, values: Mapping[str, object]) -> Number:
        try:
            return expression.number(self.root_scope(values))
        except ExpressionError as error:
            raise ConventionError(f"{self.convention.name}: {error}") from None

    def params(self) -> tuple[Number | None, Number, Number, Number]:
        """Return the tool's parameters, and its trainable and other ones where it tells them."""
        weights, trained, buffers = self.structure.params
        own = (trained, weights - trained, buffers)
        rule = self.convention.params
        if rule is None:
            return None, *own
        extra = (rule.trainable, rule.non_trainable, rule.buffers)
        found = [self._param_sum(e) if e is not None else o for e, o in zip(extra, own, strict=True)]
        return self._param_sum(rule.count), found[0], found[1], found[2]

    def _param_sum(self, count: Expression) -> Number:
        return number(total(value for _, value in self.contributions(count)))

    def contributions(self, count: Expression | None = None) -> list[tuple[int | None, Number]]:
        """Return what each parameter or module counts, and the module that it belongs to."""
        rule = self.convention.params
        if rule is None:
            return []
        count = count or rule.count
        if count not in self._contributions:
            self._contributions[count] = list(self._count_params(rule, count))
        return self._contributions[count]

    def _count_params(self, rule: Params, count: Expression) -> Iterator[tuple[int | None, Number]]:
        sites = self._parameters() if rule.over == "parameters" else self._modules()
        for module, site in sites:
            try:
                if rule.where.text == "True" or self._param_memo.value(rule.where, site):
                    yield module, self._param_memo.number(count, site)
            except ExpressionError as error:
                raise ConventionError(f"{self.convention.name}: {error}") from None

    def _parameters(self) -> Iterator[tuple[int | None, Seen]]:
        for owner, known in self.structure.parameter_facts:
            yield owner, ParameterSite(self, known)

    def _modules(self) -> Iterator[tuple[int | None, Seen]]:
        for module in self.structure.graph.modules:
            yield module.id, ModuleSite(self, module)

    def _params_of(self, heard: Iterable[int]) -> dict[int, Number]:
        """Give each module's parameters to the row of its first call, or of the module around it."""
        first: dict[int, int] = {}
        layers = self.structure.graph.layers
        for i in heard:
            module = layers[i].module
            if module is not None and layers[i].level == "layer":
                first.setdefault(module, i)
        sums: dict[int, list[Number]] = {}
        for module, value in self.contributions() if first else ():
            found = self._place(module, first)
            if found is not None and value != 0:
                sums.setdefault(found, []).append(value)
        return {i: number(total(values)) for i, values in sums.items()}

    def _place(self, module: int | None, first: Mapping[int, int]) -> int | None:
        while module is not None and module not in first:
            parents = self.structure.parents[module]
            module = parents[0] if parents else None
        return None if module is None else first[module]


@functools.lru_cache(maxsize=256)
def without_rounding(expression: Expression) -> Expression:
    """Return a total as it would be if nothing in it were rounded."""
    tree = _Unrounded().visit(ast.parse(expression.text, mode="eval"))
    return compile_expression(ast.unparse(tree), where=expression.where)


class _Unrounded(ast.NodeTransformer):
    """Takes the argument in the place of a call that only rounds it."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in ROUNDING and len(node.args) == 1:
            return node.args[0]
        return node


def coverage(structure: Structure, rows: tuple[Row, ...]) -> Coverage:
    """Tell how many calls were counted, are free, were left out, or are unknown.

    Unknown are all calls that no formula is known for and no rule priced, whether the convention
    listens to their level or not, unless what lies below them is known.
    """
    by_status = Counts(row.status for row in rows)
    priced = {row.id for row in rows if row.status == "counted"} if structure.unformulated else ()
    unknown: dict[tuple[str, str, str], list[Layer]] = {}
    for layer in structure.unformulated:
        if layer.id not in priced:
            unknown.setdefault((layer.source, layer.kind, layer.problem), []).append(layer)
    found = tuple(_unknown(structure, calls) for calls in unknown.values())
    return Coverage(by_status["counted"], by_status["free"], by_status["ignored"], found)


def _unknown(structure: Structure, calls: list[Layer]) -> Unknown:
    first, graph = calls[0], structure.graph
    shapes = [graph.shape(i) for layer in calls for i in layer.outputs]
    elements: Dim | None = None
    if all(s is not None for s in shapes):
        elements = total(product(s) for s in shapes if s is not None)
    return Unknown(
        first.source,
        first.kind,
        len(calls),
        elements,
        first.problem or _reason(structure, first),
        tuple(layer.path for layer in calls),
        tuple(graph.shape(i) for i in first.inputs),
        tuple(graph.shape(i) for i in first.outputs),
        first.level,
    )


def _reason(structure: Structure, layer: Layer) -> str:
    if layer.kind == UNKNOWN:
        return f"no formula for {layer.source!r}"
    if layer.kind not in structure.kinds:
        return f"the kind {layer.kind!r} is not known here: is its plugin installed?"
    return f"the kind {layer.kind!r} has no formula: its work depends on the data"
