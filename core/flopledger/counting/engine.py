"""Counts a graph under a convention. It knows no framework and no tool by name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger import gc_pause
from flopledger.analysis import analysis as analyses
from flopledger.counting.count import Count
from flopledger.counting.coverage import coverage, unknown_in
from flopledger.counting.ledger import ConventionInfo, GraphInfo, Ledger, Shares, Total
from flopledger.counting.memo import names_read
from flopledger.counting.own_rules import unmatched
from flopledger.dims.arithmetic import total
from flopledger.dims.bounds import number
from flopledger.errors import ConventionError, ProfileMismatch
from flopledger.frontend.request import GIVEN
from flopledger.meter import metered
from flopledger.plugins import discovery as plugins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.analysis.analysis import Analysis
    from flopledger.conventions.convention import Convention
    from flopledger.counting.ledger import Adjustment, Row
    from flopledger.dims.types import Shape
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Input


def count(graph: Graph, convention: Convention) -> Ledger:
    """Count a graph under a loaded convention.

    Raises:
        ConventionError: The convention is not for this network.
        ProfileMismatch: It needs another reading of the network.
    """
    return ledger_of(evaluate(graph, convention))


@gc_pause.paused()
def count_total(graph: Graph, convention: Convention) -> Total:
    """Return the totals of a count alone: rows, which nobody looks at, take a third of the time.

    A training step's shares in a figure are left out, which are sums over the rows.

    Raises:
        ConventionError: The convention is not for this network.
        ProfileMismatch: It needs another reading of the network.
    """
    counted = evaluate(graph, convention)
    with metered(len(graph.layers)):
        return _total(counted, sum(unknown.calls for unknown in unknown_in(counted)))


def evaluate(graph: Graph, convention: Convention) -> Count:
    """Return a graph's count under a convention, of which ledgers and explanations are made.

    Raises:
        ConventionError: The convention is not for this network.
        ProfileMismatch: It needs another reading of the network.
    """
    check_applies(graph, convention)
    return Count(graph, analysis_of(graph), convention)


def analysis_of(graph: Graph) -> Analysis:
    """Return the views of a graph, which are kept for as long as the graph lives."""
    return analyses.analysis_of(graph, plugins.kinds)


@gc_pause.paused()
def ledger_of(counted: Count) -> Ledger:
    """Return a count as a ledger."""
    with metered(len(counted.graph.layers)):
        return _ledger(counted)


def _ledger(counted: Count) -> Ledger:
    analysis, convention = counted.analysis, counted.convention
    rows = counted.rows()
    covered = coverage(analysis, rows)
    adjustments = counted.total[1]
    shares = _shares(rows, adjustments) if counted.trains else None
    return Ledger(
        graph=graph_info(counted.graph),
        convention=convention_info(convention),
        total=replace(_total(counted, covered.unknown_calls), training=shares),
        rows=rows,
        coverage=covered,
        adjustments=adjustments,
        disagreements=analysis.formulas.disagreements,
        experts=analysis.experts,
        print_spec=convention.print,
        unmatched=unmatched(analysis, convention),
    )


def _total(counted: Count, unknown_calls: int) -> Total:
    """Return the totals, without the shares of a training step."""
    analysis = counted.analysis
    params, trainable, non_trainable, buffers = counted.params.figures()
    return Total(
        counted.total[0],
        counted.convention.unit,
        total(analysis.formulas.true_macs),
        params,
        trainable,
        non_trainable,
        buffers,
        analysis.active_params,
        unknown_calls,
    )


def _shares(rows: Sequence[Row], adjustments: Sequence[Adjustment]) -> Shares:
    """Return the shares of a training step in a total; adjustments beside the rows count to the forward."""
    found = [row.training for row in rows if row.training is not None]
    beside = total(adjustment.count for adjustment in adjustments)
    return Shares(
        number(total(one.forward for one in found) + beside),
        number(total(one.grad_input for one in found)),
        number(total(one.grad_weight for one in found)),
        number(total(one.recompute for one in found)),
    )


def applies(graph: Graph, convention: Convention) -> bool:
    """Return whether a convention is for networks like this: of its framework, of tokens if it needs them.

    Whether the reading is the one that it needs is another question.
    """
    if convention.frameworks and graph.reading.framework not in convention.frameworks:
        return False
    by_tokens = "tokens" in names_read(convention.total, convention.define)
    return not by_tokens or analysis_of(graph).tokens is not None


def check_applies(graph: Graph, convention: Convention) -> None:
    """Refuse a convention that is for other networks, or that needs another reading.

    Raises:
        ConventionError: It is for networks of other frameworks.
        ProfileMismatch: It needs another reading.
    """
    reading = graph.reading
    if convention.frameworks and reading.framework not in convention.frameworks:
        raise ConventionError(
            f"the convention {convention.name!r} is for networks of {' or '.join(convention.frameworks)}; "
            f"{reading.source} was read from {reading.framework}"
        )
    if reading.of_weights and not convention.weights_suffice:
        raise ProfileMismatch(
            f"the convention {convention.name!r} goes by calls, and {reading.source} was read without the "
            "inputs that it needs: read it again with its inputs, as in -i 1x3x224x224"
        )
    for key, needed in {"step": "forward", **convention.profile}.items():
        found = reading.profile.get(key, "forward" if key == "step" else needed)
        if needed not in (found, GIVEN):  # a model in any mode is a model in its present mode
            raise ProfileMismatch(
                f"the convention {convention.name!r} needs a reading with {key} = {needed}, this one has "
                f"{key} = {found}: read the network again for this convention"
                + _switch(convention, key, found)
            )


def _switch(convention: Convention, key: str, found: object) -> str:
    """Say how a convention takes the reading that there is, where a switch decides."""
    name = convention.profile_switches.get(key)
    if name is None or found not in convention.switches[name].values:
        return ""
    return f", or let its tool do so too with {name}={found} (--set {name}={found})"


def convention_info(convention: Convention) -> ConventionInfo:
    """Return which convention was used, as a ledger records it."""
    return ConventionInfo(
        convention.name, convention.title, convention.unit, convention.changed, convention.digest
    )


def graph_info(graph: Graph) -> GraphInfo:
    """Return which graph was counted, as a ledger records it."""
    return GraphInfo(graph.reading, _inputs(graph), graph)


def _inputs(graph: Graph) -> tuple[tuple[Input, Shape | None, str], ...]:
    tensors = ((given, graph.tensors[given.tensor]) for given in graph.inputs)
    return tuple((given, tensor.shape, tensor.dtype) for given, tensor in tensors)
