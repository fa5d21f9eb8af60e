"""A lower bound of the time on a device, by the roofline of each call.

A call takes at least its operations divided by the device's peak, and at least the bytes that it moves
divided by the bandwidth: the larger of the two is its bound. Calls run one after another, each reads its
operands from memory and does every multiply-accumulate, which is all that counts here. A run takes longer;
only fused kernels, caches or algorithms with fewer multiplications (Winograd) can go below.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.counting import engine
from flopledger.counting.by_row import by_row
from flopledger.counting.ledger import Roofline
from flopledger.dims.arithmetic import is_symbolic, total
from flopledger.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.analysis.analysis import Analysis
    from flopledger.counting.ledger import Ledger
    from flopledger.devices.device import Device
    from flopledger.dims.types import Number
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer


def on_device(ledger: Ledger, graph: Graph, device: Device) -> Ledger:
    """Return a ledger with the bound of the time of each row, and of the network.

    Calls without a row of their own count to the row around them; the network's bound has those too that
    no row is around.

    Raises:
        UsageError: A size is a symbol, the reading is of a training step, or the device has no peak for
            a type.
    """
    if ledger.total.training is not None:
        raise UsageError("--device bounds the time of a forward pass: what a backward moves is not counted")
    bounds = _bounds(engine.analysis_of(graph), device)
    whole, of_rows = by_row(ledger, graph, bounds, Roofline())
    return replace(
        ledger,
        device=device,
        total=replace(ledger.total, roofline=whole),
        rows=tuple(replace(row, roofline=of_rows.get(row.id, Roofline())) for row in ledger.rows),
    )


def bound_of(device: Device, dtype: str, flop: int, moved: int) -> Roofline:
    """Return the bound of one call, or of one step that is looked at as a whole."""
    computing = Fraction(flop) / device.peak(dtype) if flop else Fraction(0)
    moving = Fraction(moved) / device.bandwidth
    if computing >= moving:
        return Roofline(flop, moved, compute_seconds=computing)
    return Roofline(flop, moved, memory_seconds=moving)


def _bounds(analysis: Analysis, device: Device) -> Iterator[tuple[int, Roofline]]:
    """Yield the bound of each call that runs: an innermost one, or one whose inside is not all known."""
    graph, formulas, memory = analysis.graph, analysis.formulas, analysis.memory
    ends, leaves = analysis.calls.ends, analysis.gradients.leaves
    places = [one.id for one in leaves]
    counted = {i: macs for i, macs in enumerate(formulas.true_macs) if macs != 0}
    taken: set[int] = set()
    for call, macs in counted.items():
        inside = leaves[bisect_left(places, call) : bisect_right(places, ends[call])]
        taken.update(one.id for one in inside)
        if total(formulas.macs(one) for one in inside) != macs:
            moved = sum(_number(memory.moved(one)) for one in inside)
            yield call, bound_of(device, _dtype(analysis, graph.layers[call]), 2 * _number(macs), moved)
        else:
            for one in inside:
                yield one.id, _bound(analysis, device, one, 2 * _number(formulas.macs(one)))
    for one in leaves:
        if one.id not in taken:
            yield one.id, _bound(analysis, device, one, 0)


def _bound(analysis: Analysis, device: Device, layer: Layer, flop: int) -> Roofline:
    return bound_of(device, _dtype(analysis, layer), flop, _number(analysis.memory.moved(layer)))


def _dtype(analysis: Analysis, layer: Layer) -> str:
    """Return the type that a call computes in: that of its first operand, of its result if it has none."""
    tensors = analysis.graph.tensors
    return next((tensors[i].dtype for i in (*layer.inputs, *layer.outputs)), "float32")


def _number(value: Number) -> int:
    """Return a count of operations or bytes, rounded up to a whole one.

    Raises:
        UsageError: It has symbols.
    """
    if is_symbolic(value):
        raise UsageError("a bound of the time needs numbers: give numbers in place of symbols")
    return -int(-Fraction(str(value)) // 1)
