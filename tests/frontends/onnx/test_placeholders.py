"""States of zeros, and the ones and zeros of norms, which are no weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from onnx_files import Tensor as Stored
from onnx_files import block, graph, model, node, number, one, tensor, value
from onnx_operators import ints

if TYPE_CHECKING:
    from conftest import Read

UNSURE = "counted as weights, though they may be masks or positions: "
BY_NAME, AS_ZEROS = (
    "counted as trained, by their names: ",
    "not counted, taken for the zeros that exporters write: ",
)
PLACEHOLDERS = "not counted, as the ones and zeros that exporters write for a norm without weights: "

ELSEWHERE = "initial states whose elements are not in the file, "


@pytest.mark.parametrize(
    ("states", "stored", "said"),
    [
        ({"h": [0.5] * 12, "c": [0.0] * 11 + [1.0]}, 24, (f"{UNSURE}h, c (24 elements)",)),
        ({"h": [0.0] * 12, "c": [0.0] * 12}, 0, ()),
        ({"h": None, "c": None}, 0, (f"{ELSEWHERE}{AS_ZEROS}h, c (24 elements)",)),
        (
            {"rnn.h": None, "c": None}, 12,
            (f"{ELSEWHERE}{BY_NAME}rnn.h (12 elements)", f"{ELSEWHERE}{AS_ZEROS}c (12 elements)"),
        ),
        ({"rnn.h": [0.0] * 12, "rnn.c": [1.0] * 12}, 12, ()),
    ],
    ids=["trained", "zeros", "elsewhere", "named", "zeros_named"],
)  # fmt: skip
def test_initial_states_are_weights_where_they_are_known_to_be_other_than_zero(
    read: Read, states: dict[str, list[float] | None], stored: int, said: tuple[str, ...]
) -> None:
    """The weights of 4 gates of 6 for 5 features and 6 states: 24 * (5 + 6) = 264."""
    constants = [
        tensor("w", [1, 24, 5], None), tensor("r", [1, 24, 6], None), None, None,
        *(tensor(name, [1, 2, 6], items) for name, items in states.items()),
    ]  # fmt: skip
    network = read(one("LSTM", [7, 2, 5], constants=constants, hidden_size=6))
    assert network.count("mac").total.params == 264 + stored
    assert network.reading.notes == said


@pytest.mark.parametrize(("last", "stored"), [(0.0, 0), (1.0, 70_000)], ids=["zeros", "trained"])
def test_a_state_of_any_size_is_looked_at(read: Read, last: float, stored: int) -> None:
    """70,000 elements are 280,000 bytes, more than are looked at in one piece. A GRU has 3 gates of 1."""
    state = tensor("h", [1, 70_000, 1], [*[0.0] * 69_999, last])
    constants = [tensor("w", [1, 3, 1], None), tensor("r", [1, 3, 1], None), None, None, state]
    network = read(one("GRU", [2, 70_000, 1], constants=constants, hidden_size=1))
    assert network.count("mac").total.params == 3 + 3 + stored
    assert len(network.reading.notes) == (1 if stored else 0)


@pytest.mark.parametrize(("item", "stored"), [(0.0, 0), (0.5, 5_000)], ids=["zeros", "trained"])
def test_a_state_that_repeats_one_element_is_looked_at(read: Read, item: float, stored: int) -> None:
    nodes = [
        node("ConstantOfShape", ["size"], ["h"], value=Stored(tensor("v", [1], [item]))),
        node("RNN", ["x", "w", "r", "", "", "h"], ["y"], hidden_size=1),
    ]
    constants = [ints("size", 1, 5000, 1), tensor("w", [1, 1, 1], None), tensor("r", [1, 1, 1], None)]
    network = read(model(graph(nodes, [value("x", [2, 5000, 1])], ["y"], constants)))
    assert network.count("mac").total.params == 1 + 1 + stored


@pytest.mark.parametrize(("items", "stored"), [([], 0), ([0.0], 0), ([2.0], 6)])
def test_a_sparse_state_is_looked_at(read: Read, items: list[float], stored: int) -> None:
    state = block(1, tensor("h", [len(items)], items)) + number(3, 1) + number(3, 1) + number(3, 6)
    nodes = [node("RNN", ["x", "w", "r", "", "", "h"], ["y"], hidden_size=6)]
    constants = [tensor("w", [1, 6, 2], None), tensor("r", [1, 6, 6], None)]
    content = graph(nodes, [value("x", [4, 1, 2])], ["y"], constants) + block(15, state)
    assert read(model(content)).count("mac").total.params == 12 + 36 + stored


@pytest.mark.parametrize(
    ("scale", "stored", "said"),
    [
        (
            {"val_1": [1.0] * 3, "val_2": [0.0] * 3}, 0,
            (f"{PLACEHOLDERS}val_1, val_2 (6 elements)",),
        ),
        ({"n.weight": [1.0] * 3, "n.bias": [0.0] * 3}, 6, ()),
        ({"val_1": [1.0, 1.0, 1.5], "val_2": [0.0, 0.0, 0.5]}, 6, ()),
        ({"val_1": [0.0] * 3, "val_2": [1.0] * 3}, 6, ()),
        ({"val_1": None, "val_2": None}, 6, ()),
    ],
    ids=["placeholders", "named", "trained", "other_elements", "elsewhere"],
)  # fmt: skip
def test_the_ones_and_zeros_of_a_norm_without_weights_are_no_weights(
    read: Read, scale: dict[str, list[float] | None], stored: int, said: tuple[str, ...]
) -> None:
    """Exporters spell a group norm of 3 groups as an instance norm of 3 channels with neither."""
    constants = [tensor(name, [3], items) for name, items in scale.items()]
    network = read(one("InstanceNormalization", [1, 3, 5], constants=constants))
    assert network.count("mac").total.params == stored
    assert network.reading.notes == said
