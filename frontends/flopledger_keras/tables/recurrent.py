"""Recurrent layers: the cells of Keras to kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import PER_ELEMENT

from flopledger_keras.tables.steps import Description, Step

if TYPE_CHECKING:
    from flopledger.frontend import Value

    from flopledger_keras.tables.call import KerasCall

_CELLS = {"SimpleRNNCell": "rnn", "GRUCell": "gru", "LSTMCell": "lstm"}
_NAMES = {"hard_silu": "hard_swish", "hard_swish": "hard_swish", "swish": "silu"}


def cell_kind(cell: Any) -> str:
    """Return the kind of a layer that runs a cell; empty where the cell is not one of Keras's."""
    for base in type(cell).__mro__:
        kind = _CELLS.get(base.__name__)
        if kind is not None and base.__module__.startswith("keras."):
            known: Any = base
            return kind if type(cell).call is known.call else ""
    return ""


def cell_attrs(cell: Any) -> dict[str, Value]:
    """Return the attributes of a cell."""
    attrs: dict[str, Value] = {"hidden_size": int(cell.units), "biases": _biases(cell)}
    name = getattr(cell.activation, "__name__", "")
    name = _NAMES.get(name, name)
    if name != "tanh" and name in PER_ELEMENT:
        attrs["nonlinearity"] = name
    if cell_kind(cell) == "gru":
        attrs["reset_after"] = bool(cell.reset_after)
    return attrs


def _biases(cell: Any) -> int:
    """Return the bias vectors of each gate: Keras has two only in a GRU that resets afterwards."""
    return 0 if not cell.use_bias else 2 if getattr(cell, "reset_after", False) else 1


def recurrent(layer: Any, call: KerasCall) -> Description | None:
    """Describe a recurrent layer: one step for each of its cells."""
    stacked = isinstance(layer.cell, keras.layers.StackedRNNCells)
    cells = list(layer.cell.cells) if stacked else [layer.cell]
    if not all(cell_kind(cell) for cell in cells):
        return None
    steps = []
    for place, cell in enumerate(cells, 1):
        sequence = place < len(cells) or bool(layer.return_sequences)
        attrs = {**cell_attrs(cell), "batch_first": True, "outputs_sequence": sequence}
        cell_place: dict[str, Value] = {"place": place, "unroll": bool(layer.unroll)}
        mask = call.keywords.get("mask")
        steps.append(Step("rnn", cell_kind(cell), attrs, native=cell_place, reads=(mask,)))
    return Description(tuple(steps))


def cell_step(layer: Any, _call: KerasCall) -> Description | None:
    """Describe a cell that is called on its own, one step."""
    kind = cell_kind(layer)
    attrs = {name: value for name, value in cell_attrs(layer).items() if name != "reset_after"}
    return Description((Step("rnn", f"{kind}_cell", attrs),)) if kind else None


def functions(cell: Any) -> dict[str, Value]:
    """Return the names of a cell's activation functions."""
    found: dict[str, Value] = {}
    for name in ("activation", "recurrent_activation"):
        value = getattr(cell, name, None)
        if value is not None:
            found[name] = getattr(value, "__name__", type(value).__name__)
    return found
