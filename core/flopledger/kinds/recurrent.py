r"""Recurrent layers and cells: simple, gated (GRU) and long short-term memory (LSTM).

Shapes are ``T, N, I`` for steps, batch and features, or ``N, T, I`` with ``batch_first``, or ``T, I``
for one sequence; axes after the third belong to the features. ``h`` is the state of size R, which is
the hidden size H, or the projection P where there is one. ``s`` is the sigmoid, ``*`` the product of
elements, ``f`` the nonlinearity.

Simple (Elman, 1990; torch.nn.RNN)::

    h' = f(W x + b + U h + c)

GRU (Cho et al., 2014, arXiv:1406.1078; torch.nn.GRU)::

    r = s(W_r x + b_r + U_r h + c_r)        z = s(W_z x + b_z + U_z h + c_z)
    n = f(W_n x + b_n + r * (U_n h + c_n))    h' = (1 - z) * n + z * h

LSTM (Hochreiter and Schmidhuber, 1997; Gers et al., 2000; torch.nn.LSTM; Sak et al., 2014,
arXiv:1402.1128 for the projection)::

    i = s(W_i x + b_i + U_i h + c_i)    g = f(W_g x + b_g + U_g h + c_g)    q = i * g + k * cell
    k = s(W_k x + b_k + U_k h + c_k)    o = s(W_o x + b_o + U_o h + c_o)    h' = V (o * f(q))
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import product
from flopledger.kinds.activation import PER_ELEMENT
from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts
from flopledger.records import dataclass

if TYPE_CHECKING:
    from flopledger.dims.types import Dim, Shape


@dataclass(frozen=True, slots=True)
class _Cell:
    """The gates of a cell, and for each unit and step its sigmoids, ``f``, products and additions.

    ``adds`` has one addition to join ``W x`` and ``U h`` in each gate.
    """

    gates: int
    sigmoids: int
    nonlinearities: int
    multiplies: int
    adds: int


_CELLS = {
    "rnn": _Cell(gates=1, sigmoids=0, nonlinearities=1, multiplies=0, adds=1),
    # r * (U_n h), (1 - z) * n, z * h; three joins, 1 - z, and the sum of the two products.
    # With reset_after off, U_n (r * h) takes as many products.
    "gru": _Cell(gates=3, sigmoids=2, nonlinearities=1, multiplies=3, adds=5),
    # i * g, k * cell, o * f(q); four joins and the sum of the two products.
    "lstm": _Cell(gates=4, sigmoids=3, nonlinearities=2, multiplies=3, adds=5),
}


def _cell(call: Call) -> _Cell:
    return _CELLS[call.kind.name.removesuffix("_cell")]


def _is_cell(call: Call) -> bool:
    return call.kind.name.endswith("_cell")


def _sequence(call: Call) -> tuple[Dim, Dim, Dim]:
    """Return steps, batch and features of the input."""
    shape = call.input
    if _is_cell(call):
        if len(shape) not in (1, 2):
            raise call.impossible("a cell reads [N,] I")
        return 1, product(shape[:-1]), shape[-1]
    if len(shape) < 2:
        raise call.impossible("a recurrent layer reads T, N, I or N, T, I or T, I")
    if len(shape) == 2:
        return shape[0], 1, shape[1]
    first, second = shape[:2]
    steps, batch = (second, first) if call.flag("batch_first") else (first, second)
    return steps, batch, product(shape[2:])


def _state(call: Call) -> Dim:
    """Return R, the size of the state that is passed from step to step."""
    hidden = call.dim("hidden_size")
    if _is_cell(call) or call.dim("projection") == 0:
        return hidden
    if call.kind.name == "gru":
        raise call.impossible("a GRU has no projection: its gates act on the whole state")
    return call.dim("projection")


def recurrent_shapes(call: Call) -> tuple[Shape, ...]:
    """The features become ``directions R``, or the output size; without the sequence T disappears."""
    steps, batch, _ = _sequence(call)
    features = call.whole("directions") * _state(call)
    if call.dim("output_size") != 0:
        features = call.dim("output_size")
    lead: Shape = (steps,) if call.flag("outputs_sequence") else ()
    if len(call.input) == 2:
        return ((*lead, features),)
    return ((batch, *lead, features) if call.flag("batch_first") else (*lead, batch, features),)


def cell_shapes(call: Call) -> tuple[Shape, ...]:
    """The new state; an LSTM's cell has a second one of the same shape."""
    _sequence(call)
    shape = (*call.input[:-1], _state(call))
    return (shape,) * (2 if call.kind.name == "lstm_cell" else 1)


def _stack(call: Call) -> tuple[int, int]:
    """Return the number of layers and of directions."""
    return (1, 1) if _is_cell(call) else (call.whole("layers"), call.whole("directions"))


def _extra(call: Call, name: str) -> Dim:
    return 0 if _is_cell(call) else call.dim(name)


def recurrent_facts(call: Call) -> Facts:
    """``macs = T N sum (G H (I_l + R) + H P)`` over layers and directions.

    Each gate has two dot products for each unit, ``W x`` and ``U h``, the projection one for each of
    its P elements. Caffe's static input adds ``N G H S`` once, its output layer ``T N H O``
    (``lstm_layer.cpp``, ``rnn_layer.cpp``).
    """
    steps, batch, features = _sequence(call)
    hidden, state, gates = call.dim("hidden_size"), _state(call), _cell(call).gates
    projection, static, out = (_extra(call, name) for name in ("projection", "static_size", "output_size"))
    (layers, directions), units = _stack(call), gates * hidden
    inputs = features + (layers - 1) * directions * state
    macs = directions * (units * (inputs + layers * state) + layers * hidden * projection)
    dots = layers * directions * (2 * units + projection)
    return {
        "macs": steps * batch * (macs + directions * state * out) + batch * units * static,
        "dots": steps * batch * (dots + out) + (batch * units if static != 0 else 0),
        "gates": gates,
        "steps": steps,
        "batch": batch,
    }


def _nonlinearity(call: Call) -> dict[str, int]:
    name = call.word("nonlinearity")
    if name not in PER_ELEMENT:
        raise call.impossible(f"the nonlinearity {name!r} is no activation function that is known")
    return dict(PER_ELEMENT[name])


def _unit_parts(call: Call) -> dict[str, int]:
    """Return the operations of one unit in one step, without dot products and biases."""
    cell = _cell(call)
    parts = {"multiplies": cell.multiplies, "adds": cell.adds}
    for ops, count in (
        (PER_ELEMENT["sigmoid"] if cell.sigmoids else {}, cell.sigmoids),
        (_nonlinearity(call), cell.nonlinearities),
    ):
        for name, each in ops.items():
            parts[name] = parts.get(name, 0) + count * each
    return parts


def recurrent_parts(call: Call) -> Parts:
    """The dot products, the biases, and the operations of each gate by the equations of this module.

    A static input is added to each gate in each step; an output layer has a bias and a nonlinearity.
    """
    facts = recurrent_facts(call)
    at_once = facts["steps"] * facts["batch"]
    hidden, biases, out = call.dim("hidden_size"), call.whole("biases"), _extra(call, "output_size")
    cells = at_once * hidden * math.prod(_stack(call))
    parts: Parts = {name: count * cells for name, count in _unit_parts(call).items()}
    static = at_once * facts["gates"] * hidden if _extra(call, "static_size") != 0 else 0
    parts["multiplies"] += facts["macs"]
    parts["adds"] += facts["macs"] - facts["dots"] + static
    parts["bias_adds"] = biases * facts["gates"] * cells + at_once * (out if biases else 0)
    for name, count in _nonlinearity(call).items() if out != 0 else ():
        parts[name] += count * at_once * out
    return parts


def unit_shapes(call: Call) -> tuple[Shape, ...]:
    """The next cell and the next state, each of the last cell's shape."""
    return (call.input, call.input)


def lstm_unit_parts(call: Call) -> Parts:
    """The equations of the LSTM without its products: ``q = i * g + m * k * cell`` and ``h' = o * f(q)``.

    For each element of the cell three sigmoids, two tanh, four products, one of them with the mark m that
    a sequence goes on, and one addition. Source: Caffe's ``lstm_unit_layer.cpp``.
    """
    n = call.in_elems
    parts: Parts = {"multiplies": 4 * n, "adds": n}
    for name, times in (("sigmoid", 3), ("tanh", 2)):
        for operation, each in PER_ELEMENT[name].items():
            parts[operation] = parts.get(operation, 0) + times * each * n
    return parts


_HIDDEN = Attribute("hidden_size", "units of each layer and direction")
_CELL = (
    _HIDDEN,
    Attribute("biases", "bias vectors in each gate: 0, 1 or 2", default=2),
    Attribute("nonlinearity", "activation function of the new state", default="tanh"),
)
_LAYER = (
    *_CELL,
    Attribute("layers", "layers on top of each other", default=1),
    Attribute("directions", "2 where the sequence is read backwards too", default=1),
    Attribute("projection", "size that the state is projected to; 0 for none", default=0),
    Attribute("batch_first", "whether the batch is the first axis", default=False),
    Attribute("reset_after", "whether a GRU resets after the product with U", default=True),
    Attribute("outputs_sequence", "whether each step has an output, or the last only", default=True),
    Attribute("output_size", "size of a dense layer after each step; 0 for none", default=0),
    Attribute("static_size", "size of an input that is the same in each step; 0 for none", default=0),
)


def _recurrent(name: str, doc: str) -> Kind:
    cell = name.endswith("_cell")
    return Kind(
        name=name,
        doc=doc,
        group="recurrent",
        attributes=_CELL if cell else _LAYER,
        shapes=cell_shapes if cell else recurrent_shapes,
        parts=recurrent_parts,
        facts=recurrent_facts,
    )


KINDS = (
    _recurrent("rnn", "simple recurrent layer"),
    _recurrent("gru", "gated recurrent layer"),
    _recurrent("lstm", "long short-term memory layer"),
    _recurrent("rnn_cell", "one step of a simple recurrent layer"),
    _recurrent("gru_cell", "one step of a gated recurrent layer"),
    _recurrent("lstm_cell", "one step of a long short-term memory layer"),
    Kind(
        name="lstm_unit",
        doc="one step of a long short-term memory layer whose products are formed already",
        group="activation",
        shapes=unit_shapes,
        parts=lstm_unit_parts,
    ),
)
