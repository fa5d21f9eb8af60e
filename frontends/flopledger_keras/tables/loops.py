"""Recurrent layers around a cell of the user's own: the cell as often as there are steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import CONTAINER

from flopledger_keras.tables.steps import Step

if TYPE_CHECKING:
    from flopledger_keras.trace import Tracer

LOOP = "keras.layers.RNN.loop"
"""What the steps of a layer that is not unrolled are called: a loop of the backend."""


def run_cell(tracer: Tracer, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> Any:
    """Call a cell for each step.

    With ``unroll=True`` the cell is called step by step, as Keras does it. Otherwise the cell is called
    once, on the steps of all sequences at once: each step has the same shapes, so that the work is the
    same, and the number of steps may be a symbol. (What a cell computes of its weights alone would be
    counted once; no cell that we know of does that.)
    """
    sequences = args[0] if args else kwargs["sequences"]
    first = keras.tree.flatten(sequences)[0]
    batch, steps = first.shape[:2]
    folded = not op.unroll
    rows = batch * steps if folded else batch
    inside = keras.tree.map_structure(lambda x: _row(x, rows), sequences)
    _moved(tracer, "unstack", sequences, inside)
    states, results = _states(op, rows), []
    if folded:
        with tracer.inside(tracer.call("loop", LOOP, CONTAINER, tracer.tensors((inside, states)), ())):
            results.append(_step(tracer, op.cell, inside, states))
    for _ in () if folded else range(steps):
        results.append(_step(tracer, op.cell, inside, states))
        states = results[-1][1]
    _moved(tracer, "stack", (results, kwargs), outputs)
    return outputs


def _moved(tracer: Tracer, name: str, before: Any, after: Any) -> None:
    """Record that tensors are picked from others, or put together of them."""
    given = tracer.tensors(before)
    for tensor in tracer.tensors(after):
        tracer.step(Step(name, "gather", {"shape": tracer.shapes([tensor])[0]}), given, [tensor])


def _row(sequence: Any, rows: Any) -> Any:
    return keras.KerasTensor((rows, *sequence.shape[2:]), dtype=sequence.dtype)


def _states(op: Any, rows: int) -> list[Any]:
    """Return the first states of a layer: of the sizes that its cell states, or as the cell makes them."""

    def made(size: int) -> Any:
        return keras.KerasTensor((rows, size), dtype=op.cell.compute_dtype)

    make = getattr(op.cell, "get_initial_state", None)
    if make is None:
        states = keras.tree.map_structure(made, op.cell.state_size)
    else:
        states = keras.src.backend.compute_output_spec(lambda: make(batch_size=rows))
    return list(states) if isinstance(states, (list, tuple)) else [states]


def _step(tracer: Tracer, cell: Any, inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    """Call a cell, or one stacked cell after the other, as ``StackedRNNCells.call`` does."""
    if not isinstance(cell, keras.layers.StackedRNNCells):
        result, after = tracer.evaluate(cell, (inputs, states), {})
        return result, list(after) if isinstance(after, (list, tuple)) else [after]
    found = []
    for inner, state in zip(cell.cells, states, strict=True):
        nested = isinstance(state, (list, tuple))
        inputs, after = tracer.evaluate(inner, (inputs, list(state) if nested else [state]), {})
        found.append(after if nested else after[0])
    return inputs, found
