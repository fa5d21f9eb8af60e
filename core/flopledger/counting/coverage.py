"""The coverage of a count: which calls are counted, free, ignored or unknown."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flopledger.counting.ledger import Coverage, Unknown
from flopledger.dims.arithmetic import product, total
from flopledger.graph.tables import CONTAINER, UNKNOWN

if TYPE_CHECKING:
    from flopledger.analysis.analysis import Analysis
    from flopledger.counting.count import Count
    from flopledger.counting.ledger import Row
    from flopledger.dims.types import Dim
    from flopledger.graph.tables import Layer


def coverage(analysis: Analysis, rows: tuple[Row, ...]) -> Coverage:
    """Return how many calls were counted, are free, were left out, or are unknown.

    Unknown are all calls that have no formula and that no rule priced, whether the convention
    looks at their level or not, unless the calls inside them are known; and all for which the convention
    declares the tool's figure unknown, or asks for operations that depend on the data.
    """
    by_status = Counter(row.status for row in rows)
    formulas = analysis.formulas
    without_formula = [layer for layer in formulas.unknown if not formulas.partly_known(layer)]
    priced = {row.id for row in rows if row.status == "counted"} if without_formula else ()
    unknown: dict[tuple[str, str, str], list[Layer]] = {}
    for layer in without_formula:
        if layer.id not in priced:
            unknown.setdefault((layer.source, layer.kind, layer.problem), []).append(layer)
    shown = {layer.id for layer in without_formula}
    for row in rows:
        if row.status == "unknown" and row.id not in shown:
            layer = analysis.graph.layers[row.id]
            unknown.setdefault((layer.source, layer.kind, layer.problem), []).append(layer)
    found = tuple(_unknown(analysis, calls) for calls in unknown.values())
    return Coverage(by_status["counted"], by_status["free"], by_status["ignored"], found)


def unknown_in(count: Count) -> tuple[Unknown, ...]:
    """Return the unknown calls of a count; the rows are made only where there may be any."""
    if not count.analysis.formulas.without and not any(call.unknown for call in count.priced.values()):
        return ()
    return coverage(count.analysis, count.rows()).unknown


def _unknown(analysis: Analysis, calls: list[Layer]) -> Unknown:
    first, graph = calls[0], analysis.graph
    shapes = [graph.shape(i) for layer in calls for i in layer.outputs]
    elements: Dim | None = None
    if all(s is not None for s in shapes):
        elements = total(product(s) for s in shapes if s is not None)
    return Unknown(
        first.source,
        first.kind,
        len(calls),
        elements,
        first.problem or _reason(analysis, first),
        tuple(layer.path for layer in calls),
        tuple(graph.shape(i) for i in first.inputs),
        tuple(graph.shape(i) for i in first.outputs),
        first.level,
    )


def _reason(analysis: Analysis, layer: Layer) -> str:
    if layer.kind == UNKNOWN:
        return f"no formula for {layer.source!r}"
    if layer.kind not in analysis.kinds:
        return f"the kind {layer.kind!r} is not known here: is its plugin installed?"
    if analysis.formulas.kind_of[layer.id] is not None or layer.kind == CONTAINER:
        return "the convention has no rule for the tool's figure here"
    return f"the kind {layer.kind!r} has no formula: its work depends on the data"
