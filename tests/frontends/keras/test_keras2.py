"""Models of tf.keras 2: configurations with arguments that Keras 3 no longer has, and live objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
from flopledger.errors import SourceError
from flopledger.frontend import Request

if TYPE_CHECKING:
    from pathlib import Path

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")


def layer(name: str, **config: Any) -> dict[str, Any]:
    return {
        "class_name": name,
        "config": {"name": name.lower(), "trainable": True, "dtype": "float32", **config},
    }


def chain(*layers: dict[str, Any]) -> str:
    given = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 8, 8, 3], "dtype": "float32",
             "sparse": False, "ragged": False, "name": "given"}}  # fmt: skip
    config = {"name": "chain", "layers": [given, *layers]}
    return json.dumps({"class_name": "Sequential", "config": config, "keras_version": "2.15.0"})


def loaded(tmp_path: Path, text: str) -> Any:
    from flopledger_keras.files import load

    path = tmp_path / "old.json"
    path.write_text(text)
    return load(path, Request(source=str(path)))


def depthwise(**more: Any) -> dict[str, Any]:
    return layer("DepthwiseConv2D", kernel_size=[3, 3], padding="same", use_bias=False, **more)


def test_arguments_that_change_nothing_are_left_out(tmp_path: Path) -> None:
    model = loaded(
        tmp_path,
        chain(
            depthwise(groups=1),
            layer("LeakyReLU", alpha=0.1),
            layer("BatchNormalizationV1", axis=[3], fused=True, renorm=False, virtual_batch_size=None),
            layer("ThresholdedReLU", theta=0.5),
            layer("Reshape", target_shape=[8, 24]),
            layer("CuDNNLSTM", units=5),
        ),
    )
    total = fl.count(model).total
    # 64 places, 3 channels, a kernel of 9; 8 steps of 4 gates, 5 units, 24 + 5 numbers
    assert total.count == 64 * 3 * 9 + 8 * 4 * 5 * (24 + 5)
    assert total.params == 27 + 6 + 4 * 5 * (24 + 5 + 1)


def test_layers_as_the_package_tf_keras_writes_them_are_read(tmp_path: Path) -> None:
    glorot = {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None},
              "registered_name": None}  # fmt: skip
    gone = {"kernel_initializer": glorot, "kernel_regularizer": None, "kernel_constraint": None}
    own = {"depthwise_initializer": glorot, "pointwise_initializer": glorot}
    layers = [
        layer("BatchNormalization", axis=[3]),
        layer("SeparableConv2D", filters=5, kernel_size=[3, 3], **gone, **own),
    ]
    for one in layers:
        one.update(module="keras.layers", registered_name=None)
    total = fl.count(loaded(tmp_path, chain(*layers))).total
    # 6 x 6 places, a kernel of 9 for each of 3 channels, then 5 filters
    assert total.count == 36 * 3 * 9 + 36 * 3 * 5
    assert total.params == 6 + 27 + 15 + 5


def test_an_argument_that_changes_what_the_layer_does_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"'depthwiseconv2d' .* has groups = 3, which"):
        loaded(tmp_path, chain(depthwise(groups=3)))


def test_a_function_of_tensorflow_says_what_to_do() -> None:
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    with pytest.raises(SourceError, match="call it in a Keras layer"):
        fl.read(tf.function(lambda x: x * 2), "2x3")


def test_a_live_model_of_tf_keras_is_read_by_its_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    # the package may be absent: an object that looks like its own is enough
    base = type("Layer", (), {"__module__": "tf_keras.src.engine.base_layer"})
    made = type("Sequential", (base,), {"__module__": "tf_keras.src.engine.sequential"})
    monkeypatch.setattr(made, "to_json", lambda _: chain(depthwise(groups=1)), raising=False)
    assert fl.count(made()).total.count == 64 * 3 * 9


def test_a_live_model_of_tf_keras_that_holds_code_is_refused_as_a_file_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran = []
    monkeypatch.setattr("os.system", ran.append)
    code = {"class_name": "Lambda", "config": {"name": "l", "function": ["os.system", None, None]}}
    base = type("Layer", (), {"__module__": "tf_keras.src.engine.base_layer"})
    made = type("Sequential", (base,), {"__module__": "tf_keras.src.engine.sequential"})
    monkeypatch.setattr(made, "to_json", lambda _: chain(code), raising=False)
    with pytest.raises(SourceError, match=r"'l' .*Lambda"):
        fl.count(made())
    assert ran == []
