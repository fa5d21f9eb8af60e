"""Operations that TensorFlow's profiler was not asked about: unknown under its convention, by name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import flopledger as fl
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
kl, ops = keras.layers, keras.ops
keras_models = importlib.import_module("keras_models")
Cell, chain, changed = keras_models.Cell, keras_models.chain, keras_models.changed

# Keras's own way of reading a variable that is quantised, under NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


UNKNOWN: Mapping[str, Callable[[], Any]] = {
    "a cell in a loop": lambda: chain(kl.RNN(Cell(4)), (5, 3)),
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


QUANTISED: Mapping[str, tuple[Callable[[], Any], str, bool, int, int]] = {
    # 2 * 512 product, 16 + 16 clipped, 16 + 64 scaled, 2 + 64 divided, 64 bias, 2 largest values
    "dense int8": (lambda: kl.Dense(32), "int8", False, 1268, 512),
    "dense int4": (lambda: kl.Dense(32), "int4", False, 1888, 512),
    "dense float8": (lambda: kl.Dense(32), "float8", False, 2178, 512),
    # the product with A (8 by 2) and B (2 by 32) for 2 rows: 32 + 128
    "dense int8, updated": (lambda: kl.Dense(32), "int8", True, 1716, 672),
    "dense int4, updated": (lambda: kl.Dense(32), "int4", True, 2336, 672),
    "einsum int8": (lambda: kl.EinsumDense("ab,bc->ac", 32, bias_axes="c"), "int8", False, 1268, 512),
    "einsum int4, updated": (lambda: kl.EinsumDense("ab,bc->ac", 32, bias_axes="c"), "int4", True, 2336, 672),
    "embedding int8": (lambda: kl.Embedding(32, 8), "int8", False, 72, 0),
    # 6 rows of A (2 wide) with B (2 by 8): 96
    "embedding int4, updated": (lambda: kl.Embedding(32, 8), "int4", True, 720, 96),
}
"""A layer, the type that it is quantised to, whether LoRA updates it, the profiler's figure, the products."""


@pytest.mark.parametrize("name", QUANTISED)
def test_a_quantised_layer_has_the_profiler_s_figure(name: str) -> None:
    """Figures of TensorFlow 2.21.0's profiler, at 2 rows of 8 or 2 rows of 3 places."""
    make, mode, updated, flops, macs = QUANTISED[name]
    layer = make()
    given = np.ones((2, 3), "int64") if name.startswith("embedding") else np.ones((2, 8), "float32")
    layer(given)
    layer.quantize(mode)
    if updated:
        layer.enable_lora(2)
    graph = fl.read(layer, given)
    theirs, own = graph.count("tf-profiler"), graph.count("mac")
    assert (theirs.total.count, theirs.coverage.unknown) == (flops, ())
    assert (own.total.count, own.coverage.unknown, own.disagreements) == (macs, (), ())


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_inputs_of_any_type_are_cast_to_the_one_that_layers_compute_in(dtype: str) -> None:
    """372: TensorFlow 2.21.0's profiler on the model that Keras's own test of float8 makes."""
    given = [keras.Input((3,), batch_size=2) for _ in range(2)]
    model = keras.Model(given, kl.Dense(4)(kl.Dense(5)(given[0] + given[1])))
    model.quantize("float8", filters="dense")
    theirs = fl.read(model, (np.ones((2, 3), dtype),) * 2).count("tf-profiler")
    assert (theirs.total.count, theirs.coverage.unknown) == (372, ())


def test_a_layer_alone_casts_the_floating_point_numbers_that_it_is_given() -> None:
    layer = kl.Dense(32)
    layer(np.ones((2, 8), "float32"))
    layer.quantize("float8")
    theirs = fl.read(layer, np.ones((2, 8), "float64")).count("tf-profiler")
    assert (theirs.total.count, theirs.coverage.unknown) == (2178, ())


@pytest.mark.parametrize(("named", "flops"), [({}, 60), ({"mask": np.ones((2, 5), "bool")}, 68)])
def test_a_mask_that_a_model_is_called_with_reaches_its_first_layer(named: Any, flops: int) -> None:
    """A mean is 60 operations, under a mask a sum (56) and a division (12)."""
    steps = keras.Input((5, 6))
    model = keras.Model(steps, kl.GlobalAveragePooling1D()(steps))
    given = (np.ones((2, 5, 6), "float32"),)
    assert fl.read(model, (given, named)).count("tf-profiler").total.count == flops


def test_a_quantised_layer_in_mixed_precision_casts_its_weights() -> None:
    """448: TensorFlow 2.21.0's profiler on the layer that Keras's own test of dtypes makes."""
    layer, given = kl.Dense(5, dtype="float8_from_mixed_bfloat16"), np.ones((2, 3, 4), "float32")
    layer(given)
    theirs = fl.read(layer, given).count("tf-profiler")
    assert (theirs.total.count, theirs.coverage.unknown) == (448, ())
