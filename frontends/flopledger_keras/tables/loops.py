"""Cells and functions that run once for each step: the user's own in a recurrent layer, those of a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import CONTAINER

from flopledger_keras.tables.steps import Step

if TYPE_CHECKING:
    from flopledger_keras.calls import Calls

LOOP = "keras.layers.RNN.loop"
"""The source of the steps of a layer that is not unrolled: a loop of the backend."""


def run_cell(tracer: Calls, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> Any:
    """Call a cell for each step.

    With ``unroll=True`` the cell is called step by step, as Keras does it. Otherwise the cell is called
    once, on the steps of all sequences at once: each step has the same shapes, so that the work is the
    same, and the number of steps may be a symbol. (What a cell computes of its weights alone would be
    counted once; no cell that we know of does that.)
    """
    sequences = args[0] if args else kwargs["sequences"]
    first = keras.tree.flatten(sequences)[0]
    batch, steps = first.shape[:2]
    folded = not op.unroll or tracer.symbolic
    rows = batch * steps if folded else batch
    inside = keras.tree.map_structure(lambda x: _row(x, rows), sequences)
    states, results = _states(op, rows), []
    if folded:
        _folded(tracer, sequences, inside, states)
        with tracer.inside(tracer.call("loop", LOOP, CONTAINER, tracer.tensors((inside, states)), ())):
            results.append(_step(tracer, op.cell, inside, states))
    else:
        _moved(tracer, "unstack", sequences, inside)
    for _ in () if folded else range(steps):
        results.append(_step(tracer, op.cell, inside, states))
        states = results[-1][1]
    _moved(tracer, "stack", (results, kwargs), outputs)
    return outputs


def _folded(tracer: Calls, sequences: Any, inside: Any, states: Any) -> None:
    """Record how the steps of all sequences follow from these, and as many first states of one value."""
    for before, after in zip(*map(keras.tree.flatten, (sequences, inside)), strict=True):
        step = Step("reshape", "reshape", {"shape": (-1, *after.shape[1:])})
        (rows,) = tracer.step(step, tracer.tensors([before]))
        tracer.name(after, rows)
    for state in keras.tree.flatten(states):
        if len(state.shape) == 2 and len(after.shape) == 2:
            first = Step("slice", "slice", {"axis": 1, "start": 0, "stop": 1, "step": 1})
            tiled = Step("tile", "tile", {"repeats": (1, int(state.shape[1]))})
            tracer.name(state, tracer.step(tiled, tracer.step(first, [rows]))[0])


def _moved(tracer: Calls, name: str, before: Any, after: Any) -> None:
    """Record that tensors are picked from others, or put together of them.

    With symbols it is left out: a shape that is simply given would fix them.
    """
    if tracer.symbolic:
        return
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


def _step(tracer: Calls, cell: Any, inputs: Any, states: list[Any]) -> tuple[Any, list[Any]]:
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


MOST_STEPS = 4096
"""Steps of a loop of ``keras.ops`` that are followed; of a longer one the operation is unknown."""


class NotFollowedError(Exception):
    """Why a loop of ``keras.ops`` is not followed step by step."""


def _steps(tracer: Calls, number: Any) -> range:
    if tracer.symbolic:
        message = "it runs once for each of a number of steps, which may be one of the symbols"
        raise NotFollowedError(message)
    if not 0 <= int(number) <= MOST_STEPS:
        message = f"it runs {int(number)} times, and up to {MOST_STEPS} steps are followed"
        raise NotFollowedError(message)
    return range(int(number))


def _stacked(rows: list[Any]) -> Any:
    return keras.tree.map_structure(lambda *parts: keras.ops.stack(parts), *rows)


def _at(values: Any, place: int) -> Any:
    return keras.tree.map_structure(lambda x: x[place], values)


def _map(tracer: Calls, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``stack([f(x) for x in xs])``, as the documentation of ``keras.ops.map`` has it."""
    named = dict(zip(("f", "xs"), args, strict=False)) | kwargs
    steps = _steps(tracer, keras.tree.flatten(named["xs"])[0].shape[0])
    del op
    return _stacked([named["f"](_at(named["xs"], i)) for i in steps])


def _vectorized(tracer: Calls, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _map(tracer, op, (op.function, *args, *kwargs.values()), {})


def _scan(tracer: Calls, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A value carried through a function, from one slice to the next, as ``keras.ops.scan`` documents."""
    named = dict(zip(("f", "init", "xs"), args, strict=False)) | kwargs
    xs, carry, rows = named.get("xs"), named["init"], []
    for i in _steps(tracer, op.length if op.length is not None else keras.tree.flatten(xs)[0].shape[0]):
        carry, row = named["f"](carry, None if xs is None else _at(xs, i))
        rows.append(row)
    return carry, _stacked(rows)


def _fori(tracer: Calls, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A value carried through a function that is given the number of the step."""
    (state,) = (*args, *kwargs.values())
    if not all(isinstance(end, int) for end in (op.lower, op.upper)):
        message = "how often its body runs depends on the data"
        raise NotFollowedError(message)
    for i in _steps(tracer, max(op.upper - op.lower, 0)):
        state = op.body_fun(op.lower + i, state)
    return state


def _while(tracer: Calls, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A loop whose condition asks nothing of the data: a counter, say."""
    (state,) = (*args, *kwargs.values())
    several = isinstance(state, (tuple, list))
    for _ in _steps(tracer, MOST_STEPS if op.maximum_iterations is None else op.maximum_iterations):
        goes_on = op.cond(*state) if several else op.cond(state)
        if isinstance(goes_on, keras.KerasTensor):
            message = "how often its body runs depends on the data"
            raise NotFollowedError(message)
        if not goes_on:
            return state
        state = op.body(*state) if several else op.body(state)
    if op.maximum_iterations is None:
        message = f"its condition holds for more than {MOST_STEPS} steps"
        raise NotFollowedError(message)
    return state


LOOPS = {"Map": _map, "VectorizedMap": _vectorized, "Scan": _scan, "ForiLoop": _fori, "WhileLoop": _while}
"""Operations that run a function several times, by class name."""
