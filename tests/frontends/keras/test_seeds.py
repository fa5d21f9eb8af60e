"""The two networks of ``examples/keras_seeds.py``, with figures that are worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")


@pytest.fixture
def seeds(examples: Path) -> str:
    return str(examples / "keras_seeds.py")


def test_the_separable_network_has_the_parameters_of_its_table(seeds: str) -> None:
    ledger = fl.count(f"{seeds}:scnn", convention="keras-summary")
    assert [row.params for row in ledger.rows if row.params] == [4224, 512, 9280, 256, 90123]
    assert (ledger.total.params, ledger.total.trainable_params, ledger.total.non_trainable_params) == (
        104395,
        104011,
        384,
    )


def test_the_recurrent_network_has_the_parameters_and_figures_of_its_table(seeds: str) -> None:
    graph = fl.read(f"{seeds}:pet_cgdnn", arguments={"reset_after": False})
    summary = graph.count("keras-summary")
    assert [row.params for row in summary.rows if row.params] == [257, 1275, 9400, 59136, 1419]
    assert summary.total.params == 71487
    for convention, bias, figures in (
        ("2mac", "mac", [514, 308550, 2199600]),  # 2 (256 + 1), 2 x 121 x 75 (16 + 1), 2 x 117 x 25 (375 + 1)
        ("2mac-1", "none", [511, 281325, 2190825]),
        ("2mac-1", "add", [512, 290400, 2193750]),
    ):
        ledger = graph.count(convention, bias=bias)
        assert [row.count for row in ledger.rows if row.count][:3] == figures


def test_the_recurrent_layer_counts_each_of_its_117_steps(seeds: str) -> None:
    graph = fl.read(f"{seeds}:pet_cgdnn", arguments={"reset_after": False})
    (gru,) = [row for row in graph.count("2mac", bias="mac").rows if row.kind == "gru"]
    # The rule of thumb, two for each of the 59136 parameters, is what one step takes.
    assert gru.count == 2 * 59136 * 117 == 13837824


def test_resetting_after_the_product_takes_a_second_bias(seeds: str) -> None:
    total = fl.count(f"{seeds}:pet_cgdnn", convention="keras-summary").total
    assert total.params == 71871  # 71487, and 3 x 128 more
