from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.errors import UsageError
from flopledger.testing import check_frontend

if TYPE_CHECKING:
    from pathlib import Path

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
kl = keras.layers

# Keras's own way of saving variables, under NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_a_live_model_and_a_file_keep_the_contract_of_every_frontend(tmp_path: Path) -> None:
    given = keras.Input((8, 8, 3))
    model = keras.Model(given, kl.Dense(2, activation="relu")(kl.Flatten()(kl.Conv2D(4, 3)(given))))
    live = check_frontend("keras", model)
    model.save(tmp_path / "model.keras")
    assert check_frontend("keras", str(tmp_path / "model.keras")).layers == live.layers


def test_an_application_is_built_without_weights_and_counted() -> None:
    total = fl.count("keras.applications:ResNet50", "1x224x224x3").total
    assert (total.count, total.params, total.buffers) == (3857973248, 25583592, 53120)


def test_an_application_that_leaves_its_size_open_is_read_at_the_one_that_keras_documents() -> None:
    """Keras's page of MobileNetV3 states 217 million multiply-accumulates for the large one at 224."""
    total = fl.count("keras:MobileNetV3Large").total
    assert round(total.count / 10**6) == 217
    assert total == fl.count("keras:MobileNetV3Large", "1x224x224x3").total


def test_a_network_of_ones_own_that_leaves_its_size_open_is_asked_for_it() -> None:
    def make() -> keras.Model:
        """Make one, whose input_shape: not (8, 8, 3)."""
        picture = keras.Input((None, None, 3))
        return keras.Model(picture, kl.Conv2D(4, 3)(picture))

    with pytest.raises(UsageError, match="open sizes are not given"):
        fl.count(make, convention="bytes")
    assert "open sizes are not given" in str(fl.count(make))


OTHER_BACKEND = """
import keras, flopledger as fl
given = keras.Input((32, 32, 3))
x = keras.layers.BatchNormalization()(keras.layers.Conv2D(8, 3, activation="silu")(given))
model = keras.Model(given, keras.layers.LSTM(4)(keras.layers.Reshape((-1, 8))(x)))
graph = fl.read(model, "2x32x32x3")
print(keras.config.backend(), graph.count("mac").total.count, graph.count("tf-profiler").total.count)
"""


@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
def test_every_backend_gives_the_same_figures(backend: str) -> None:
    pytest.importorskip(backend, reason=f"the backend {backend} is not installed")
    command = [sys.executable, "-c", OTHER_BACKEND]
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    # 30 x 30 places: 8 channels of 27 terms; then 900 steps of 4 gates of 4 units over 8 + 4
    macs = 2 * (900 * 8 * 27 + 900 * 4 * 4 * (8 + 4))
    # products and bias, silu, norm; of the loop: the input's product, two sums of 16, and one product of 4
    profiled = 2 * 7200 * (54 + 1) + 2 * 14400 + 2 * 14400 + 6 * 8 + 2 * (2 * 8 * 16 + 2 * 16 + 4)
    assert done.stdout.split() == [backend, str(macs), str(profiled)]
