from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import GraphError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]

A = (2, 3, 5)  # 2 steps of 3 sequences with 5 features
WHERE = {"steps": 2, "batch": 3}


def test_an_lstm_is_counted_gate_by_gate(ask: Ask) -> None:
    found = ask("lstm", A, hidden_size=4)
    assert found.shapes == ((2, 3, 4),)
    # 6 times 4 gates of 4 units, each W x of 5 terms and U h of 4: 16 * 9 macs in 32 dot products
    assert found.facts == {"macs": 864, "dots": 192, "gates": 4, **WHERE}
    # 24 units: 3 products; 4 joins, 1 sum and 3 of sigmoids; 2 tanh
    assert found.parts == {
        "multiplies": 864 + 72,
        "adds": 672 + 24 * 8,
        "bias_adds": 192,
        "exps": 72,
        "divides": 72,
        "trigs": 48,
    }


def test_a_gru_is_counted_gate_by_gate(ask: Ask) -> None:
    found = ask("gru", A, hidden_size=4)
    assert found.shapes == ((2, 3, 4),)
    # 6 times 3 gates of 4 units: 12 * 9 macs in 24 dot products
    assert found.facts == {"macs": 648, "dots": 144, "gates": 3, **WHERE}
    # 24 units: r * (U h), (1 - z) * n, z * h; 3 joins, 1 - z, 1 sum and 2 of sigmoids; 1 tanh
    assert found.parts == {
        "multiplies": 648 + 72,
        "adds": 504 + 24 * 7,
        "bias_adds": 144,
        "exps": 48,
        "divides": 48,
        "trigs": 24,
    }


def test_a_gru_that_resets_before_the_product_costs_the_same(ask: Ask) -> None:
    after, before = (ask("gru", A, hidden_size=4, reset_after=when) for when in (True, False))
    assert before == after


def test_a_simple_layer_has_one_gate(ask: Ask) -> None:
    found = ask("rnn", A, hidden_size=4)
    # 6 times 4 units: 4 * 9 macs in 8 dot products
    assert found.facts == {"macs": 216, "dots": 48, "gates": 1, **WHERE}
    assert found.parts == {"multiplies": 216, "adds": 168 + 24, "bias_adds": 48, "trigs": 24}


def test_a_nonlinearity_is_any_activation_function(ask: Ask) -> None:
    found = ask("rnn", A, hidden_size=4, nonlinearity="relu", biases=0)
    assert found.parts == {"multiplies": 216, "adds": 192, "bias_adds": 0, "compares": 24}
    assert ask("lstm", A, hidden_size=4, nonlinearity="relu").parts["compares"] == 48


def test_a_later_layer_reads_both_directions(ask: Ask) -> None:
    found = ask("lstm", (1, 1, 3), hidden_size=2, layers=2, directions=2)
    assert found.shapes == ((1, 1, 4),)
    # 8 rows of gates: 2 * 8 * (3 + 2) in the first layer, 2 * 8 * (4 + 2) in the second
    assert found.facts["macs"] == 80 + 96
    # 4 layers of 8 rows with two dot products and two biases; 4 * 2 units with 3 sigmoids
    assert found.facts["dots"] == 64
    assert found.parts["bias_adds"] == 64
    assert found.parts["exps"] == 24


def test_a_projection_makes_the_state_smaller(ask: Ask) -> None:
    one, two = (ask("lstm", (1, 1, 3), hidden_size=4, projection=2, layers=n) for n in (1, 2))
    assert one.shapes == ((1, 1, 2),)
    # 16 * (3 + 2) for the gates, 2 * 4 for the projection; then 16 * (2 + 2) and 2 * 4
    assert one.facts["macs"] == 88
    assert one.facts["dots"] == 34
    assert two.facts["macs"] == 88 + 72


def test_an_output_layer_follows_each_step(ask: Ask) -> None:
    found = ask("rnn", A, hidden_size=4, output_size=6, biases=1)
    assert found.shapes == ((2, 3, 6),)
    # 6 times 4 * 9 + 6 * 4 macs in 8 + 6 dot products
    assert (found.facts["macs"], found.facts["dots"]) == (360, 84)
    assert found.parts == {"multiplies": 360, "adds": 276 + 24, "bias_adds": 24 + 36, "trigs": 24 + 36}


def test_an_output_layer_of_one_feature_has_its_nonlinearity_too(ask: Ask) -> None:
    # 6 steps of 4 features and of 1
    assert ask("rnn", A, hidden_size=4, output_size=1, biases=0).parts["trigs"] == 24 + 6


def test_a_static_input_is_multiplied_once_and_added_in_each_step(ask: Ask) -> None:
    found = ask("lstm", A, hidden_size=4, static_size=7, biases=1)
    # 864 + 3 * 16 * 7 macs in 192 + 48 dot products; 6 * 16 additions
    assert (found.facts["macs"], found.facts["dots"]) == (1200, 240)
    assert found.parts["multiplies"] == 1200 + 72
    assert found.parts["adds"] == 960 + 192 + 96
    assert found.parts["bias_adds"] == 96


SHAPES = [
    ((2, 3, 5), {}, (2, 3, 4)),
    ((2, 3, 5), {"batch_first": True}, (2, 3, 4)),
    ((2, 3, 5), {"outputs_sequence": False}, (3, 4)),
    ((2, 3, 5), {"batch_first": True, "outputs_sequence": False}, (2, 4)),
    ((2, 3, 5), {"directions": 2}, (2, 3, 8)),
    ((2, 5), {}, (2, 4)),
    ((2, 5), {"outputs_sequence": False}, (4,)),
    ((2, 3, 2, 2), {}, (2, 3, 4)),
]


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize(("given", "attrs", "out"), SHAPES)
def test_a_layer_gives_its_states(
    ask: Ask, kind: str, given: tuple[int, ...], attrs: dict[str, object], out: tuple[int, ...]
) -> None:
    assert ask(kind, given, hidden_size=4, **attrs).shapes == (out,)


def test_the_batch_may_come_first(ask: Ask) -> None:
    found = ask("lstm", (3, 2, 5), hidden_size=4, batch_first=True)
    assert found.facts == {"macs": 864, "dots": 192, "gates": 4, **WHERE}


def test_a_sequence_without_batch_is_one(ask: Ask) -> None:
    found = ask("gru", (2, 5), hidden_size=4)
    assert found.facts == {"macs": 216, "dots": 48, "gates": 3, "steps": 2, "batch": 1}


def test_axes_after_the_third_belong_to_the_features(ask: Ask) -> None:
    # 2 * 3 times 4 * (2 * 2 * 2 + 4)
    assert ask("rnn", (2, 3, 2, 2, 2), hidden_size=4).facts["macs"] == 288


CELLS = [
    ("rnn_cell", (3, 5), ((3, 4),), 108),
    ("gru_cell", (3, 5), ((3, 4),), 324),
    ("gru_cell", (5,), ((4,),), 108),
    ("lstm_cell", (3, 5), ((3, 4), (3, 4)), 432),
]


@pytest.mark.parametrize(("kind", "given", "shapes", "macs"), CELLS)
def test_a_cell_is_one_step(
    ask: Ask, kind: str, given: tuple[int, ...], shapes: tuple[tuple[int, ...], ...], macs: int
) -> None:
    found = ask(kind, given, hidden_size=4)
    assert found.shapes == shapes
    assert (found.facts["macs"], found.facts["steps"]) == (macs, 1)


def test_as_many_cells_as_steps_cost_as_much_as_a_layer(ask: Ask) -> None:
    cell, layer = ask("lstm_cell", (3, 5), hidden_size=4).parts, ask("lstm", A, hidden_size=4).parts
    assert {name: 2 * count for name, count in cell.items()} == layer


IMPOSSIBLE = [
    ("lstm", (5,), {}, "reads T, N, I"),
    ("lstm_cell", (2, 3, 5), {}, "a cell reads"),
    ("gru", A, {"projection": 2}, "a GRU has no projection"),
    ("rnn", A, {"nonlinearity": "sinh"}, "the nonlinearity 'sinh' is no activation function"),
]


@pytest.mark.parametrize(("kind", "given", "attrs", "message"), IMPOSSIBLE)
def test_what_can_not_be_run_says_why(
    ask: Ask, kind: str, given: tuple[int, ...], attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        ask(kind, given, hidden_size=4, **attrs)


def test_a_cell_has_no_layers(ask: Ask) -> None:
    with pytest.raises(GraphError, match="has no attribute 'layers'"):
        ask("lstm_cell", (3, 5), hidden_size=4, layers=2)


def test_a_unit_of_an_lstm_is_its_step_without_the_products(ask: Ask) -> None:
    """For each of 2 * 5 cells three sigmoids, two tanh, four products and one addition."""
    found = ask("lstm_unit", (1, 2, 5), (1, 2, 20), (1, 2))
    assert found.shapes == ((1, 2, 5), (1, 2, 5))
    sigmoid, tanh = ask("sigmoid", (10,)).parts, ask("tanh", (10,)).parts
    expected = {"multiplies": 40, "adds": 10}
    for parts, times in ((sigmoid, 3), (tanh, 2)):
        for name, count in parts.items():
            expected[name] = expected.get(name, 0) + times * count
    assert found.parts == expected
