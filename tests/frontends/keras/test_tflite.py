"""Networks that TensorFlow converts: TFLite files that its own converter wrote, read by both frontends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
from flopledger.dims.arithmetic import substitute
from flopledger_tflite.flat.options import FIELDS, FIELDS_2
from flopledger_tflite.tables.operators import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
tf = pytest.importorskip(
    "tensorflow", reason="TensorFlow, whose converter writes the files, is not installed"
)
kl = keras.layers

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # the converter warns of itself
    pytest.mark.skipif(
        keras.backend.backend() != "tensorflow", reason="the converter reads TensorFlow's graphs"
    ),
]


def converted(model: Any, path: Path, *, quantised: str = "", batch: int | None = None) -> Path:
    """Convert a model, with an open batch or a fixed one, as it is or quantised to int8."""
    if batch is None:
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
    else:
        specs = [tf.TensorSpec([batch, *each.shape[1:]], each.dtype) for each in model.inputs]
        function = tf.function(lambda *given: model(given if len(given) > 1 else given[0]))
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [function.get_concrete_function(*specs)], model
        )
    if quantised:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantised == "int8":
        shapes = [(1, *each.shape[1:]) for each in model.inputs]
        converter.representative_dataset = lambda: iter([[tf.random.uniform(shape) for shape in shapes]] * 2)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    path.write_bytes(converter.convert())
    return path


def random_biases(model: Any) -> Any:
    """Give each layer weights of its own: the converter stores equal constants, zeros above all, once."""
    for number, variable in enumerate(model.weights):
        variable.assign(tf.random.stateless_uniform(variable.shape, (7, number)) + 0.5)
    return model


def pictures() -> Any:
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            kl.Conv2D(8, 3, padding="same", use_bias=False),
            kl.BatchNormalization(),
            kl.ReLU(6.0),
            kl.SeparableConv2D(16, 3, strides=2, activation="relu"),
            kl.Conv2DTranspose(4, 3, strides=2, padding="same"),
            kl.MaxPooling2D(3, 2, padding="same"),
            kl.Flatten(),
            kl.Dense(10, activation="softmax"),
        ]
    )


PICTURES = 1024 * 8 * 27 + 225 * (8 * 9 + 16 * 8) + 225 * 16 * 4 * 9 + 10 * 4 * 15 * 15
"""The same by hand: 32 x 32 places, 15 x 15 behind the stride, 30 x 30 after the transposed convolution."""
PICTURES_WEIGHTS = 8 * 27 + 8 + 8 * 9 + 8 + 16 * 8 + 16 + 16 * 4 * 9 + 4 + 900 * 10 + 10
"""The batch norm of 8 channels is folded into the convolution before it, whose bias of 8 remains; the
converter gives the separable convolution's first half a bias too."""


@pytest.mark.parametrize("quantised", ["", pytest.param("weights", marks=pytest.mark.slow), "int8"])
def test_a_network_of_pictures_has_its_work_and_weights_however_quantised(
    tmp_path: Path, quantised: str
) -> None:
    model = random_biases(pictures())
    path = converted(model, tmp_path / "net.tflite", quantised=quantised)
    ledger = fl.count(str(path))
    assert fl.count(model).total.count == PICTURES
    assert substitute(ledger.total.count, {"N": 1}) == PICTURES
    assert (ledger.total.params, ledger.coverage.unknown) == (PICTURES_WEIGHTS, ())


def recurrent(layer: Callable[..., Any]) -> Any:
    return keras.Sequential([keras.Input((12, 8)), layer(16), kl.Dense(3)])


@pytest.mark.parametrize(("name", "macs"), [("LSTM", 12 * 64 * 24 + 48), ("GRU", 12 * 48 * 24 + 48)])
def test_a_recurrent_layer_is_a_loop_of_known_length(tmp_path: Path, name: str, macs: int) -> None:
    model = random_biases(recurrent(getattr(kl, name)))
    ledger = fl.count(str(converted(model, tmp_path / "net.tflite", batch=1)))
    total = fl.count(model).total
    assert (total.count, ledger.total.count, ledger.coverage.unknown) == (macs, macs, ())
    assert ledger.total.params == total.params


def test_attention_is_counted_with_an_open_batch(tmp_path: Path) -> None:
    given = keras.Input((10, 32))
    x = kl.LayerNormalization()(given + kl.MultiHeadAttention(4, 8)(given, given))
    model = random_biases(keras.Model(given, kl.Dense(7)(kl.GlobalAveragePooling1D()(x))))
    ledger = fl.count(str(converted(model, tmp_path / "net.tflite")))
    macs = 4 * 10 * 32 * 32 + 2 * 4 * 10 * 10 * 8 + 32 * 7
    assert (fl.count(model).total.count, substitute(ledger.total.count, {"N": 1})) == (macs, macs)
    assert ledger.coverage.unknown == ()


def test_a_network_against_its_own_file_differs_by_the_folded_batch_norm_alone(tmp_path: Path) -> None:
    layers = [
        keras.Input((16, 16, 3)), kl.Conv2D(8, 3, use_bias=False), kl.BatchNormalization(), kl.ReLU(),
        kl.Flatten(), kl.Dense(10),
    ]  # fmt: skip
    model = random_biases(keras.Sequential(layers))
    path = converted(model, tmp_path / "net.tflite")
    found = fl.compare(fl.read(model, "1x16x16x3"), fl.read(str(path), "1x16x16x3"))
    assert [(group.reason, group.times, group.params) for group in found.groups()] == [
        ("batch_norm folded into the conv before it", 1, -8)
    ]


def test_a_norm_that_the_converter_spells_out_is_not_called_folded(tmp_path: Path) -> None:
    """Out of a function it keeps variables: scale, shift, mean, variance, and a bias of zeros, 8 each."""
    layers = [keras.Input((16, 16, 3)), kl.Conv2D(8, 3, use_bias=False), kl.BatchNormalization(), kl.ReLU()]
    model = random_biases(keras.Sequential(layers))
    path = converted(model, tmp_path / "net.tflite", batch=1)
    found = fl.compare(fl.read(model, "1x16x16x3"), fl.read(str(path)))
    spelled = "batch_norm as the multiplication and addition of constants, its statistics among them"
    assert [(group.reason, group.times, group.params) for group in found.groups()] == [
        (spelled, 1, 16), ("bias in b only", 1, 8),
    ]  # fmt: skip


def test_a_recurrent_layer_against_its_own_file_is_the_products_that_it_covers(tmp_path: Path) -> None:
    model = random_biases(keras.Sequential([keras.Input((5, 8)), kl.LSTM(6)]))
    found = fl.compare(fl.read(model), fl.read(str(converted(model, tmp_path / "net.tflite", batch=1))))
    assert found.equal
    assert [group.reason for group in found.groups()] == ["lstm as the layers that it covers"]


@pytest.mark.slow
@pytest.mark.parametrize("quantised", ["", "int8"])
def test_mobilenet_has_its_published_figure(tmp_path: Path, quantised: str) -> None:
    path = converted(keras.applications.MobileNet(weights=None), tmp_path / "net.tflite", quantised=quantised)
    assert fl.count(str(path), "1x224x224x3").total.count == 568740352


def test_the_tables_of_the_format_are_those_of_its_schema() -> None:
    schema = pytest.importorskip("tensorflow.lite.python.schema_py_generated")
    numbers = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    assert {number: name for number, name in enumerate(NAMES) if name != "-"} == {
        number: name for number, name in numbers.items() if "PLACEHOLDER" not in name
    }
    for options, fields in ((schema.BuiltinOptions, FIELDS), (schema.BuiltinOptions2, FIELDS_2)):
        types = {value: name for name, value in vars(options).items() if isinstance(value, int)}
        for number, text in fields.items():
            stored = vars(schema)[f"{types[number]}T"]().__dict__
            ours = [each.partition(":")[0].replace("_", "") for each in text.split()]
            for mine, its in zip(ours, stored, strict=False):
                # activations, and the factors of dilation, have longer names there
                assert its.lower().startswith(mine) or mine in its.lower(), (types[number], ours, stored)
