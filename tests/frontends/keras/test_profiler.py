"""Operations that TensorFlow's profiler was not asked about: unknown under its convention, by name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
kl, ops = keras.layers, keras.ops
keras_models = importlib.import_module("keras_models")
Cell, chain, changed = keras_models.Cell, keras_models.chain, keras_models.changed

# Keras's own way of reading a variable that is quantised, under NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def updated(layer: Any) -> None:
    layer.quantize("int8")
    layer.enable_lora(2)


UNKNOWN: Mapping[str, Callable[[], Any]] = {
    "a cell in a loop": lambda: chain(kl.RNN(Cell(4)), (5, 3)),
    "a quantised dense layer": lambda: changed(kl.Dense(16), (16,), lambda x: x.quantize("int8")),
    "an updated quantised dense layer": lambda: changed(kl.Dense(16), (16,), updated),
    "a product that depends on how shapes are compared": lambda: chain(ops.inner, (6, 6), (6, 6)),
    "a scan": lambda: chain(lambda x: ops.scan(lambda c, y: (c + y, c), x[0], x)[0], (4,)),
    "moments": lambda: chain(lambda x: ops.moments(x, axes=(0,))[1], (4,)),
    "a sorting": lambda: chain(lambda x: ops.sort(x, axis=-1), (4, 6)),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_was_not_measured_is_unknown_and_no_silent_zero(name: str) -> None:
    graph = fl.read(UNKNOWN[name]())
    assert graph.count("tf-profiler").coverage.unknown
    assert name == "a sorting" or graph.count("mac").coverage.unknown == ()
