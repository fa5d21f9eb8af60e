from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
from flopledger.errors import SourceError
from flopledger.frontend import Request

if TYPE_CHECKING:
    from pathlib import Path

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
files = pytest.importorskip("flopledger_keras.files")
kl = keras.layers

# Keras's own way of saving variables, under NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def network() -> Any:
    given = keras.Input((8, 8, 3))
    x = kl.BatchNormalization()(kl.Conv2D(4, 3)(given))
    return keras.Model(given, kl.Dense(2)(kl.Flatten()(x)))


def load(file: Path) -> Any:
    """Load a file in this process, which has Keras already."""
    return files.load(file, Request(source=str(file)))


# 6 x 6 places, 3 x 3 x 3 weights for each of 4 channels; 144 features to 2
MACS, PARAMS = 36 * 27 * 4 + 144 * 2, 112 + 8 + 290


@pytest.mark.parametrize("suffix", [".keras", ".json", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_file_is_read_by_its_configuration(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"network{suffix}"
    if suffix == ".json":
        file.write_text(network().to_json())
    else:
        network().save(file)
    total = fl.count(str(file)).total
    assert (total.count, total.params, total.buffers) == (MACS, PARAMS, 8)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_an_h5_file_keeps_arguments_that_no_signature_of_keras_has(tmp_path: Path) -> None:
    given = keras.Input((6, 8))
    x = kl.Dense(3)(kl.LayerNormalization()(given))
    words = keras.Input((2,), dtype="string")
    y = kl.Embedding(4, 3)(kl.StringLookup(vocabulary=["a", "b", "c"])(words))
    keras.Model([given, words], [x, y]).save(tmp_path / "network.h5")
    # 8 scales and 8 offsets; 8 x 3 weights and 3 biases; 4 words of 3
    assert fl.count(load(tmp_path / "network.h5"), ("1x6x8", "1x2:string")).total.params == 16 + 27 + 12


def test_a_keras_file_is_read_without_its_weights(tmp_path: Path) -> None:
    file, bare = tmp_path / "network.keras", tmp_path / "bare.keras"
    network().save(file)
    with zipfile.ZipFile(file) as full, zipfile.ZipFile(bare, "w") as empty:
        for name in ("metadata.json", "config.json"):
            empty.writestr(name, full.read(name))
    assert fl.count(str(bare)).total.params == PARAMS


def test_python_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    given = keras.Input((3,))
    keras.Model(given, kl.Lambda(lambda x: x * 2)(given)).save(tmp_path / "code.keras")
    with pytest.raises(SourceError, match="never run from a file"):
        load(tmp_path / "code.keras")


OWN = """
import keras

@keras.saving.register_keras_serializable("own")
class Doubling(keras.layers.Layer):
    def call(self, x):
        return x * 2.0
"""


def test_classes_of_the_user_s_own_come_from_the_file_that_is_named(tmp_path: Path) -> None:
    code, file = tmp_path / "own_layers.py", tmp_path / "own.json"
    code.write_text(OWN)
    given = {"class_name": "InputLayer", "config": {"batch_shape": [None, 3], "name": "given"}}
    layer = {
        "module": None,
        "registered_name": "own>Doubling",
        "class_name": "Doubling",
        "config": {"name": "own"},
    }
    given["module"] = "keras.layers"
    config = {"name": "chain", "layers": [given, layer]}
    file.write_text(json.dumps({"module": "keras", "class_name": "Sequential", "config": config}))
    with pytest.raises(SourceError, match=r"custom_objects\W+FILE\.py"):
        fl.read(str(file))
    ledger = fl.read(str(file), arguments={"custom_objects": str(code)}).count("ops")
    assert ledger.total.count == 3


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("network.keras", b"no archive", "no JSON"),
        ("network.json", b'{"class_name": "Model", "config": ', "no JSON"),
        (
            "network.json",
            b'{"module": "keras", "class_name": "Nothing", "config": {}}',
            "no layer of this Keras",
        ),
        ("network.h5", b"\x89HDF\r\n\x1a\n", "no HDF5 file"),
    ],
)
def test_a_malformed_file_is_a_clear_error(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        load(file)


def test_an_archive_without_a_configuration_is_a_clear_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "network.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
    with pytest.raises(SourceError, match=r"no config\.json"):
        load(tmp_path / "network.keras")
