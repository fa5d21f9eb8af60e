"""Files of compiled models, against Keras's own summary of the model that it loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
from flopledger.frontend.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
kl = keras.layers

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer:UserWarning"),
]


def network(optimizer: object) -> Any:
    inner = keras.Sequential([keras.Input((4,)), kl.Dense(4)], name="inner")
    inner.compile("sgd", "mse")
    model = keras.Sequential([keras.Input((4,)), inner, kl.BatchNormalization(), kl.Dense(3)])
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def loaded(path: Path) -> Any:
    from flopledger_keras.files import load

    return load(path, Request(source=str(path)))


# Dense 4 -> 4 and 4 -> 3; 16 + 4, 12 + 3 weights, 8 of the normalisation; 8 moving statistics
MACS, TRAINABLE, OTHER = 16 + 12, 20 + 8 + 15, 8
OPTIMIZERS: Mapping[str, tuple[Callable[[], Any], int]] = {
    # the counter of steps and the learning rate, and what is kept for each weight
    "adam": (lambda: keras.optimizers.Adam(), 2 + 2 * TRAINABLE),  # noqa: PLW0108  (a new one each time)
    "lion": (lambda: keras.optimizers.Lion(), 2 + TRAINABLE),  # noqa: PLW0108
    # a schedule is no variable: the counter of steps alone, and a momentum for each weight
    "schedule": (
        lambda: keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 9, 0.9), 0.9),
        1 + TRAINABLE,
    ),
    # one product of momenta more than Adam has
    "nadam": (lambda: keras.optimizers.Nadam(), 3 + 2 * TRAINABLE),  # noqa: PLW0108
    "lamb": (lambda: keras.optimizers.Lamb(), 2 + 2 * TRAINABLE),  # noqa: PLW0108
    # its momenta begin as copies of the weights
    "schedule-free": (lambda: keras.optimizers.ScheduleFreeAdamW(), 2 + 2 * TRAINABLE),  # noqa: PLW0108
    # of a matrix its sums along both axes and itself, of a vector two single numbers and itself:
    # (4 + 4 + 16) + (4 + 3 + 12), and 2 more than each of the vectors of 4, 4, 4 and 3
    "adafactor": (lambda: keras.optimizers.Adafactor(), 2 + 24 + 19 + 6 + 6 + 6 + 5),  # noqa: PLW0108
    # the scale, its counter and two more of its own, then Adam's
    "scaled": (lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()), 6 + 2 * TRAINABLE),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_compiled_model_s_file_counts_as_the_model_that_keras_loads(tmp_path: Path, name: str) -> None:
    make, stored = OPTIMIZERS[name]
    file = tmp_path / "compiled.keras"
    network(make()).save(file)
    model = loaded(file)
    assert fl.count(model).total.count == MACS
    total = fl.count(model, convention="keras-summary").total
    theirs = sum(int(v.value.numpy().size) for v in keras.models.load_model(file).optimizer.variables)
    assert (total.trainable_params, total.non_trainable_params) == (TRAINABLE, OTHER)
    assert total.buffers == theirs == stored
    assert total.count == TRAINABLE + OTHER + stored


def test_an_optimizer_that_is_not_known_is_left_out() -> None:
    from flopledger_keras.compiled import add_optimizer

    model = network("adam")
    model.optimizer = None
    for said in ({"module": "os", "class_name": "system", "config": {}}, "no such optimizer", 5):
        add_optimizer(model, {"optimizer": said}, {})
        assert model.optimizer is None
    assert fl.count(model).total.count == MACS
