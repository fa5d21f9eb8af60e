"""Prices a graph under a convention. It knows no framework and no tool by name."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from flopledger import collector
from flopledger import convention as conventions
from flopledger.convention import Convention
from flopledger.dims import plain, product, total
from flopledger.errors import ConventionError, ExpressionError, GraphError, ProfileMismatch, Unbounded
from flopledger.expression import compile_expression
from flopledger.facts import Count, ModuleSite, Site
from flopledger.functions import ROUNDING, number
from flopledger.graph import CONTAINER, LEVELS, UNKNOWN
from flopledger.ledger import Adjustment, ConventionInfo, Coverage, GraphInfo, Ledger, Row, Total, Unknown
from flopledger.meter import metered
from flopledger.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.convention import Params
    from flopledger.dims import Dim, Number, Shape
    from flopledger.expression import Expression, Scope
    from flopledger.graph import Graph, Input, Layer

T = TypeVar("T")


def count_graph(graph: Graph, convention: object, switches: Mapping[str, object]) -> Ledger:
    """Count a graph under a convention, given by name, by file or as an object.

    Raises:
        ConventionError: The convention is unknown, malformed, or not for this network.
        ProfileMismatch: It needs another reading of the network.
    """
    if not isinstance(convention, Convention):
        convention = conventions.load(str(convention))
    return count(graph, convention.set(switches))


def structure_of(graph: Graph) -> Structure:
    """Return the views of a graph, which live as long as the graph does."""
    found = graph.__dict__.get("_structure")
    if not isinstance(found, Structure):
        from flopledger import plugins  # noqa: PLC0415  (a graph may be counted with kinds of plugins)

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
            figure, convention.unit, total(structure.true_macs), params, trainable, non_trainable, buffers
        ),
        rows=rows,
        coverage=coverage(structure, rows),
        adjustments=adjustments,
        disagreements=structure.disagreements,
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
    return GraphInfo(graph.reading, _inputs(graph), graph.digest)


def _inputs(graph: Graph) -> tuple[tuple[Input, Shape | None, str], ...]:
    tensors = ((given, graph.tensors[given.tensor]) for given in graph.inputs)
    return tuple((given, tensor.shape, tensor.dtype) for given, tensor in tensors)


class Counter(Count):
    """One count under way."""

    def __init__(self, structure: Structure, convention: Convention) -> None:
        super().__init__(structure, convention)
        self._contributions: dict[Expression, list[tuple[int | None, Number]]] = {}

    def rows(self) -> tuple[Row, ...]:
        """Return a row for each call that the convention listens to."""
        rows: list[Row] = []
        row_of: dict[int, int] = {}
        for layer in self.structure.graph.layers:
            if layer.level not in self.convention.levels:
                continue
            site = Site(self, layer)
            if self._true(self.convention.levels[layer.level].where, site):
                row_of[layer.id] = len(rows)
                rows.append(self._row(site, self._row_parent(layer, row_of)))
        return self._with_params(rows)

    def _row_parent(self, layer: Layer, row_of: Mapping[int, int]) -> int | None:
        up = layer.parent
        while up is not None and up not in row_of:
            up = self.structure.graph.layers[up].parent
        return up

    def _row(self, site: Site, parent: int | None) -> Row:
        layer, graph = site.layer, self.structure.graph
        rule, by_source = self.convention.rule(layer.level, layer.source, layer.kind, self.bases(layer))
        price = self._price(rule, site) if rule is not None else 0
        parts = {name: plain(value) for name, value in site.parts.items() if value != 0}
        return Row(
            id=layer.id,
            parent=parent,
            path=layer.path,
            call=layer.index,
            kind=layer.kind,
            source=layer.source,
            level=layer.level,
            inputs=tuple(graph.shape(i) for i in layer.inputs),
            outputs=tuple(graph.shape(i) for i in layer.outputs),
            params=0,
            count=price,
            macs=self.structure.true_macs[layer.id],
            parts=parts,
            status=self._status(site, price, by_source=by_source),
            why=layer.problem,
            weights=self._weights(layer),
            module=layer.module,
            label=self._label(layer),
        )

    def _label(self, layer: Layer) -> str:
        """Return the native fact ``label`` of the module that is called, the framework's name of it."""
        if layer.module is None:
            return ""
        label = self.structure.graph.modules[layer.module].native.get("label")
        return label if isinstance(label, str) else ""

    def _weights(self, layer: Layer) -> tuple[Shape, ...]:
        if layer.module is None:
            return ()
        graph = self.structure.graph
        return tuple(graph.parameters[i].shape for _, i in graph.modules[layer.module].parameters)

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
        return expression.text == "True" or bool(self._value(expression, site))

    def _number(self, expression: Expression, site: Site) -> Number:
        return 1 if expression.text == "1" else self._value(expression.number, site)

    def _value(self, evaluate: Callable[[Scope], T], site: Site) -> T:
        try:
            return evaluate(site)
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
        steps = {
            "scaling": number(undivided - total(r.count for r in rows)),
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
            self._contributions[count] = self._count_params(rule, count)
        return self._contributions[count]

    def _count_params(self, rule: Params, count: Expression) -> list[tuple[int | None, Number]]:
        found: list[tuple[int | None, Number]] = []
        scopes = self._parameters() if rule.over == "parameters" else self._modules()
        for module, scope in scopes:
            try:
                if rule.where.text == "True" or rule.where(scope):
                    found.append((module, count.number(scope)))
            except ExpressionError as error:
                raise ConventionError(f"{self.convention.name}: {error}") from None
        return found

    def _parameters(self) -> list[tuple[int | None, Scope]]:
        graph = self.structure.graph
        owners: dict[int, int] = {}
        for module in graph.modules:
            for _, i in module.parameters:
                owners.setdefault(i, module.id)
        seen: set[int] = set()
        objects: set[int] = set()
        found: list[tuple[int | None, Scope]] = []
        for p in graph.parameters:
            values: dict[str, object] = {
                "numel": p.numel,
                "param_shape": p.shape,
                "role": p.role,
                "trainable": p.trainable,
                "buffer": p.is_buffer,
                "again": p.storage in seen,
                "repeated": p.object in objects,
                "name": p.names[0] if p.names else "",
            }
            seen.add(p.storage)
            objects.add(p.object)
            found.append((owners.get(p.id), self.root_scope(values)))
        return found

    def _modules(self) -> list[tuple[int | None, Scope]]:
        return [(m.id, ModuleSite(self, m)) for m in self.structure.graph.modules]

    def _with_params(self, rows: list[Row]) -> tuple[Row, ...]:
        """Give each module's parameters to the row of its first call, or of the module around it."""
        first: dict[int, int] = {}
        for place, row in enumerate(rows):
            module = self.structure.graph.layers[row.id].module
            if row.level == "layer" and module is not None:
                first.setdefault(module, place)
        rule = self.convention.params
        sums: dict[int, list[Number]] = {}
        for module, value in self.contributions() if rule and first else ():
            found = self._place(module, first)
            if found is not None and value != 0:
                sums.setdefault(found, []).append(value)
        for place, values in sums.items():
            rows[place] = replace(rows[place], params=number(total(values)))
        return tuple(rows)

    def _place(self, module: int | None, first: Mapping[int, int]) -> int | None:
        while module is not None and module not in first:
            parents = self.structure.parents[module]
            module = parents[0] if parents else None
        return None if module is None else first[module]


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
    by_status = {
        status: sum(row.status == status for row in rows) for status in ("counted", "free", "ignored")
    }
    priced = {row.id for row in rows if row.status == "counted"}
    unknown: dict[tuple[str, str, str], list[Layer]] = {}
    for layer in structure.graph.layers:
        leaf = not structure.has_calls[layer.id] and not structure.covered[layer.id]
        if leaf and layer.kind != CONTAINER and layer.id not in priced and structure.formula(layer) is None:
            unknown.setdefault((layer.source, layer.kind, layer.problem), []).append(layer)
    return Coverage(**by_status, unknown=tuple(_unknown(structure, calls) for calls in unknown.values()))


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
