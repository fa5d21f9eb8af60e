from __future__ import annotations

from typing import Any

import flopledger as fl
import numpy as np
import pytest
from flopledger.errors import ShapeError, SourceError, UsageError
from flopledger.frontend.shape_inference import check_shapes
from flopledger.plugins import discovery as plugins
from flopledger.plugins.discovery import kinds
from flopledger.testing import check_graph

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
kl = keras.layers


def chain(*stack: Any, shape: tuple[int | None, ...]) -> Any:
    return keras.Sequential([keras.Input(shape), *stack])


def test_a_chain_is_read_with_its_input_and_each_layer_as_one_call() -> None:
    model = chain(kl.Conv2D(4, 3, name="a"), kl.ReLU(name="b"), kl.Flatten(name="c"), shape=(8, 8, 3))
    graph = fl.read(model)
    assert [(layer.path, layer.kind) for layer in graph.layers] == [
        ("", "container"),
        ("a", "conv"),
        ("b", "relu"),
        ("c", "flatten"),
    ]
    assert [graph.shape(layer.outputs[0]) for layer in graph.layers[1:]] == [
        (1, 6, 6, 4),
        (1, 6, 6, 4),
        (1, 144),
    ]


def test_a_functional_model_has_its_input_layer_among_its_calls() -> None:
    given = keras.Input((5,), name="given")
    graph = fl.read(keras.Model(given, kl.Dense(3)(given)))
    assert [layer.kind for layer in graph.layers] == ["container", "input", "linear"]


def test_a_batch_of_one_is_taken_where_none_is_given() -> None:
    assert fl.read(chain(kl.Dense(3), shape=(5,))).shape(0) == (1, 5)


def test_the_batch_and_resolution_that_are_given_are_used() -> None:
    model = chain(kl.Conv2D(4, 3, padding="same"), kl.GlobalAveragePooling2D(), shape=(None, None, 3))
    # 2 x 10 x 20 places, 3 x 3 x 3 weights for each of 4 channels
    assert fl.count(model, "2x10x20x3").total.count == 2 * 10 * 20 * 4 * 27


def test_an_open_size_that_is_not_given_is_asked_for() -> None:
    model = chain(kl.Conv2D(4, 3), shape=(None, None, 3))
    with pytest.raises(UsageError, match="open sizes are not given"):
        fl.count(model, convention="bytes")
    assert "name them all" in fl.read(model).reading.notes[-1]


def test_an_activation_inside_a_layer_is_a_function_of_its_own() -> None:
    graph = fl.read(chain(kl.Dense(3, activation="gelu", name="d"), shape=(5,)))
    assert [(layer.path, layer.kind, layer.level) for layer in graph.layers[1:]] == [
        ("d", "container", "layer"),
        ("d/matmul", "linear", "function"),
        ("d/gelu", "gelu", "function"),
    ]


def test_an_activation_of_the_user_s_own_is_followed() -> None:
    def squared(x: Any) -> Any:
        return keras.ops.square(keras.ops.relu(x))

    graph = fl.read(chain(kl.Dense(3, activation=squared, name="d"), shape=(5,)))
    assert [layer.kind for layer in graph.layers[1:]] == ["container", "linear", "relu", "square"]


def test_operations_between_layers_are_calls() -> None:
    a, b = keras.Input((9, 6)), keras.Input((6, 11))
    graph = fl.read(keras.Model([a, b], keras.ops.matmul(a, b) + 1.0))
    assert [(layer.kind, layer.source) for layer in graph.layers[3:]] == [
        ("matmul", "keras.ops.matmul"),
        ("add", "keras.ops.add"),
    ]
    assert graph.count("mac").total.count == 9 * 6 * 11


def test_a_layer_called_twice_counts_twice_and_weighs_once() -> None:
    dense, given = kl.Dense(5, name="d"), keras.Input((5,))
    graph = fl.read(keras.Model(given, dense(dense(given))))
    assert [(layer.path, layer.index) for layer in graph.layers if layer.kind == "linear"] == [
        ("d", 1),
        ("d#2", 2),
    ]
    total = graph.count("mac").total
    assert (total.count, total.params) == (2 * 25, 30)


def test_a_model_inside_a_model_is_read_at_the_size_that_it_is_called_with() -> None:
    inner = chain(kl.Conv2D(2, 1, use_bias=False, name="c"), shape=(None, None, 3))
    inner.name = "inner"
    given = keras.Input((8, 8, 3))
    joined = kl.Concatenate(axis=1)(
        [kl.Flatten()(inner(given)), kl.Flatten()(inner(kl.MaxPooling2D(2)(given)))]
    )
    graph = fl.read(keras.Model(given, joined))
    convs = [layer for layer in graph.layers if layer.kind == "conv"]
    assert [layer.path for layer in convs] == ["inner.c", "inner#2.c"]
    assert {graph.shape(layer.outputs[0]) for layer in convs} == {(1, 8, 8, 2), (1, 4, 4, 2)}


class Block(kl.Layer):  # type: ignore[misc]
    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = kl.Dense(units, name="dense")
        self.norm = kl.LayerNormalization(name="norm")

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.gain = self.add_weight(shape=(self.dense.units,), name="gain")
        self.dense.build(shape)
        self.norm.build((*shape[:-1], self.dense.units))

    def call(self, x: Any) -> Any:
        return self.gain * self.norm(self.dense(x))


class Network(keras.Model):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(name="network")
        self.first, self.second = Block(8, name="first"), Block(4, name="second")

    def call(self, x: Any) -> Any:
        return self.second(keras.ops.relu(self.first(x)))


def test_a_model_of_the_user_s_own_classes_is_followed_into_its_layers_and_operations() -> None:
    graph = fl.read(Network(), "2x5")
    assert [layer.path for layer in graph.layers] == [
        "",
        "first",
        "first.dense",
        "first.norm",
        "first/multiply",
        "relu",
        "second",
        "second.dense",
        "second.norm",
        "second/multiply",
    ]
    total = graph.count("mac").total
    assert total.count == 2 * (5 * 8 + 8 * 4)
    assert total.params == (5 * 8 + 8 + 2 * 8 + 8) + (8 * 4 + 4 + 2 * 4 + 4)


def test_a_built_model_of_the_user_s_own_class_needs_no_inputs() -> None:
    model = Network()
    model(keras.Input((5,)))
    assert fl.count(model).total.count == 5 * 8 + 8 * 4


def test_a_model_that_does_not_say_its_inputs_needs_them() -> None:
    with pytest.raises(SourceError, match="declares no inputs"):
        fl.read(Network())


def test_layers_that_the_backend_s_own_functions_lie_between_are_still_counted() -> None:
    tensorflow = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    if keras.config.backend() != "tensorflow":
        pytest.skip("Keras computes with another backend")

    class Raw(kl.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="raw")
            self.dense = kl.Dense(5, name="dense")

        def call(self, x: Any) -> Any:
            return tensorflow.nn.relu(self.dense(x))

    given = keras.Input((7,))
    ledger = fl.read(keras.Model(given, Raw()(given))).count("mac")
    assert ledger.total.count == 35
    assert ledger.coverage.unknown == ()


def test_a_subclass_that_overrides_call_is_not_taken_for_its_base() -> None:
    class Twice(kl.Dense):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return super().call(super().call(x))

    ledger = fl.read(chain(Twice(5, name="twice"), shape=(5,))).count("mac")
    assert ledger.total.count == 2 * 25
    assert ledger.coverage.unknown == ()


def test_a_subclass_that_changes_nothing_is_what_its_base_is() -> None:
    class Same(kl.Dense):  # type: ignore[misc]
        pass

    graph = fl.read(chain(Same(3), shape=(5,)))
    assert graph.layers[-1].kind == "linear"
    assert "keras.layers.Dense" in graph.modules[-1].bases


def test_running_statistics_are_buffers_and_frozen_weights_are_weights() -> None:
    model = chain(kl.Dense(7), kl.BatchNormalization(), shape=(5,))
    model.layers[0].trainable = False
    total = fl.count(model).total
    assert (total.params, total.trainable_params, total.buffers) == (42 + 14, 14, 14)


def test_a_layer_refuses_an_input_that_its_weights_do_not_fit() -> None:
    model = chain(kl.Flatten(), kl.Dense(3, name="last"), shape=(4, 4, 1))
    with pytest.raises(ShapeError, match="last"):
        fl.read(model, "1x8x8x1")


def test_inputs_are_given_by_order_or_by_name() -> None:
    a, b = keras.Input((5,), name="a"), keras.Input((7,), name="b")
    model = keras.Model([a, b], kl.Concatenate()([a, b]))
    assert fl.read(model, ["2x5", "2x7"]).shape(1) == (2, 7)
    assert fl.read(model, {"b": "3x7", "a": "3x5"}).shape(1) == (3, 7)
    with pytest.raises(UsageError, match=r"no place for the input 'c'"):
        fl.read(model, {"c": "3x7"})
    with pytest.raises(UsageError, match="2 sizes"):
        fl.read(model, ["2x5x1", "2x7"])


def test_a_dict_of_inputs_is_given_by_its_keys() -> None:
    given = {"left": keras.Input((5,), name="left"), "right": keras.Input((5,), name="right")}
    model = keras.Model(given, given["left"] + given["right"])
    assert fl.read(model, {"left": "4x5", "right": "4x5"}).shape(0) == (4, 5)


def test_arrays_may_be_given_as_inputs() -> None:
    numpy = pytest.importorskip("numpy", reason="it comes with Keras")
    assert fl.read(chain(kl.Dense(3), shape=(5,)), numpy.zeros((4, 5), "float32")).shape(0) == (4, 5)


def test_values_are_taken_as_the_model_takes_them() -> None:
    column = chain(kl.Dense(3), shape=(1,))
    assert fl.count(column, keras.ops.ones((4,))).total.count == 4 * 3
    row = keras.Sequential([keras.Input((5,)), kl.Dense(3)])
    assert fl.count(row, keras.ops.ones((2, 5, 1))).total.count == 2 * 5 * 3
    given = {name: keras.Input((3,), name=name) for name in "ab"}
    both = keras.Model(given, kl.Dense(2)(given["a"] + given["b"]))
    values = {name: keras.ops.ones((4, 3)) for name in "abc"}
    assert fl.count(both, values).total.count == 4 * 3 * 2
    with pytest.raises(UsageError, match="no place for the input 'c'"):
        fl.count(both, {name: values[name] for name in "ac"})


def test_training_brings_in_dropout_and_the_batch_s_statistics() -> None:
    model = chain(kl.BatchNormalization(), kl.Dropout(0.5), shape=(5,))
    trained = fl.read(model, "4x5", profile={"mode": "train"})
    assert [layer.attrs.get("batch_stats", layer.attrs.get("training")) for layer in trained.layers[1:]] == [
        True,
        True,
    ]
    assert trained.reading.profile["mode"] == "train"


def test_training_reaches_the_layers_inside_a_layer_of_the_user_s_own() -> None:
    class Dropping(kl.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="own")
            self.inherits, self.told = kl.Dropout(0.5), kl.Dropout(0.5)

        def call(self, x: Any) -> Any:
            return self.told(self.inherits(x), training=False)

    graph = fl.read(chain(Dropping(), shape=(5,)), profile={"mode": "train"})
    assert [layer.attrs["training"] for layer in graph.layers if layer.kind == "dropout"] == [True, False]


@pytest.mark.parametrize(
    ("layer", "shape", "macs"),
    [
        # T steps, G gates, H units, I features: T G H (I + H)
        (lambda: kl.LSTM(8), (5, 6), 5 * 4 * 8 * (6 + 8)),
        (lambda: kl.GRU(8, reset_after=False), (5, 6), 5 * 3 * 8 * (6 + 8)),
        (lambda: kl.Bidirectional(kl.SimpleRNN(8)), (5, 6), 2 * 5 * 8 * (6 + 8)),
        (lambda: kl.RNN([kl.LSTMCell(8), kl.GRUCell(7)]), (5, 6), 5 * (4 * 8 * 14 + 3 * 7 * 15)),
        (lambda: kl.TimeDistributed(kl.Dense(7)), (5, 13), 5 * 13 * 7),
        # 3 steps of 5 x 7 places: 4 gates of 4 filters, 3 x 3 over 2 channels and over 4
        (lambda: kl.ConvLSTM2D(4, 3), (3, 7, 9, 2), 3 * 35 * 16 * 9 * (2 + 4)),
        # depthwise 3 x 5 over 6 channels, then 6 to 10
        (lambda: kl.SeparableConv2D(10, (3, 5)), (17, 23, 6), 15 * 19 * (6 * 15 + 6 * 10)),
        (lambda: kl.Conv2DTranspose(10, (3, 5), strides=(2, 3)), (9, 11, 6), 99 * 6 * 15 * 10),
        (lambda: kl.EinsumDense("abc,cd->abd", output_shape=(None, 7)), (5, 13), 5 * 13 * 7),
    ],
)  # fmt: skip
def test_the_multiply_accumulates_of_a_layer(layer: Any, shape: tuple[int, ...], macs: int) -> None:
    ledger = fl.read(chain(layer(), shape=shape)).count("mac")
    assert ledger.total.count == macs
    assert (ledger.coverage.unknown, ledger.disagreements) == ((), ())


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_both_products_of_attention_are_counted(dropout: float) -> None:
    given = keras.Input((5, 12))
    model = keras.Model(given, kl.MultiHeadAttention(3, 4, dropout=dropout)(given, given))
    # four projections of 12 to 12, and 5 x 5 scores of 3 heads with 4 features, twice
    assert fl.count(model).total.count == 4 * 5 * 12 * 12 + 2 * 25 * 3 * 4


def test_a_network_of_many_kinds_keeps_the_contract() -> None:
    given = keras.Input((32, 32, 3))
    x = kl.Rescaling(1 / 255)(given)
    x = kl.ReLU(6.0)(kl.BatchNormalization()(kl.Conv2D(8, 3, strides=2, padding="same")(x)))
    x = kl.Add()([x, kl.DepthwiseConv2D(3, padding="same", activation="silu")(x)])
    x = kl.UpSampling2D(2)(kl.ZeroPadding2D(((0, 1), (1, 0)))(kl.AveragePooling2D(2)(x)))
    x = kl.LSTM(4)(kl.Reshape((-1, 8))(x))
    graph = fl.read(keras.Model(given, kl.Dense(2, activation="softmax")(x)))
    check_graph(graph, plugins.kinds())
    assert check_shapes(graph, kinds()) == ()
    assert graph.count("ops").coverage.unknown == ()


def test_the_parameters_of_a_model_with_open_sizes_are_known_without_inputs() -> None:
    model = chain(kl.Conv2D(4, 3), kl.BatchNormalization(), kl.GlobalMaxPooling2D(), shape=(None, None, 3))
    total = fl.count(model).total
    # 3 x 3 x 3 weights and a bias for each of 4 channels, then a scale and a shift
    assert (total.params, total.buffers) == (4 * 28 + 2 * 4, 2 * 4)
    assert (total.count, total.complete) == (0, False)


def test_a_model_that_has_no_weights_yet_needs_its_inputs() -> None:
    with pytest.raises(SourceError, match="declares no inputs"):
        fl.count(keras.Sequential([kl.Dense(3)]))


def test_positional_and_named_values_are_given_as_a_pair() -> None:
    many, few = np.ones((2, 8, 16), "float32"), np.ones((2, 4, 16), "float32")
    # 2 heads of 4: 8 and twice 4 rows of 16 into 8, 8 by 4 pairs twice, 8 rows of 8 into 16
    macs = 2 * (8 * 16 * 8 + 2 * 4 * 16 * 8 + 2 * 2 * 8 * 4 * 4 + 8 * 8 * 16)
    attention = kl.MultiHeadAttention(2, 4)
    assert fl.count(attention, ((many,), {"value": few})).total.count == macs
    assert fl.count(attention, ((many, few), {"return_attention_scores": True})).total.count == macs
    assert fl.count(attention, (many, few)).total.count == macs
