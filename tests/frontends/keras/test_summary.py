"""The summary of quantised layers and of models in models, beside Keras's own count."""

from __future__ import annotations

from typing import Any

import flopledger as fl
import pytest

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
kl = keras.layers


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras's own way with NumPy in quantize()
def test_a_quantised_dense_layer_counts_its_scales_and_computes_the_same() -> None:
    model = keras.Sequential([keras.Input((6,)), kl.Dense(5, name="d")])
    model.layers[0].quantize("int8")

    # 6 x 5 weights of eight bits, 5 scales and 5 biases
    assert model.count_params() == 40
    assert fl.count(model, (2, 6), "keras-summary").total.params == 40
    assert fl.count(model, (2, 6)).total.count == 2 * 6 * 5


class Extended(keras.Model):  # type: ignore[misc]
    """A functional model whose class has a layer beside the graph."""

    def __init__(self) -> None:
        given = keras.Input((4,))
        super().__init__(given, kl.Dense(3, name="a")(given))
        self.extra = kl.Dense(5)
        self.extra.build((None, 3))


def test_layers_beside_the_graph_are_in_the_total_and_in_no_row() -> None:
    ledger = fl.count(Extended(), (1, 4), "keras-summary")
    assert ledger.total.params == Extended().count_params() == 4 * 3 + 3 + 3 * 5 + 5
    assert [row.count for row in ledger.rows] == [0, 4 * 3 + 3]


@pytest.mark.parametrize("whole", [True, False])
def test_what_is_made_frozen_has_no_trainable_weights(*, whole: bool) -> None:
    dense = kl.Dense(3) if whole else kl.Dense(3, trainable=False)
    model = keras.Sequential([keras.Input((4,)), dense, kl.ReLU()], trainable=not whole)
    assert model.trainable_weights == []
    total = fl.count(model, (1, 4), "keras-summary").total
    assert (total.trainable_params, total.non_trainable_params) == (0, 15)


@pytest.mark.parametrize("first", [kl.Masking, lambda: kl.Embedding(9, 4, mask_zero=True)])
def test_a_sequential_model_shows_layers_alone_and_no_arithmetic_of_masks(first: Any) -> None:
    layer = first()
    shape, dtype = ((5, 4), "float32") if isinstance(layer, kl.Masking) else ((5,), "int32")
    model = keras.Sequential([keras.Input(shape, dtype=dtype), layer, kl.LSTM(2)])
    rows = fl.count(model, (1, *shape), "keras-summary").rows
    assert [row.path for row in rows] == [one.name for one in model.layers]


def test_a_model_in_a_model_is_one_row_or_each_of_its_layers() -> None:
    inner = keras.Sequential([keras.Input((6,)), kl.Dense(5, name="a"), kl.Dense(4, name="b")], name="inner")
    given = keras.Input((6,))
    model = keras.Model(given, kl.Dense(2, name="c")(inner(given)))

    def rows(**switches: str) -> dict[str, object]:
        ledger = fl.count(model, (1, 6), "keras-summary", **switches)
        assert ledger.total.params == model.count_params() == 69
        return {row.path: row.params for row in ledger.rows if row.params != 0}

    assert rows() == {"inner": 59, "c": 10}
    assert rows(nested="expanded") == {"inner.a": 35, "inner.b": 24, "c": 10}


def test_the_size_beside_the_parameters_is_keras_s_own() -> None:
    layers = [keras.Input((32,)), kl.Dense(64, dtype="bfloat16"), kl.Dense(8, dtype="float64")]
    model = keras.Sequential(layers)
    model.compile(optimizer="adam", loss="mse")
    model.optimizer.build(model.trainable_variables)
    said: list[str] = []
    model.summary(print_fn=lambda text, line_break=False: said.append(text))  # noqa: ARG005  (Keras's own)
    ledger = fl.count(model, (2, 32), "keras-size")

    weights = 2 * (32 * 64 + 64) + 8 * (64 * 8 + 8)  # two moments of each, in its type, and two scalars
    assert ledger.total.count == 3 * weights + 8 + 4
    assert f"({ledger.total.count / 1024:.2f} KB)" in "".join(said).partition("Trainable")[0]
    assert [(a.what, a.count) for a in ledger.adjustments] == [("parameters", 3 * weights + 8 + 4)]
