"""What the summary shows of quantised layers and of models in models, beside Keras's own count."""

from __future__ import annotations

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
