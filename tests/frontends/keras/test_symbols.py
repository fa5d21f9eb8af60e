from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
from flopledger.dims.arithmetic import substitute
from flopledger.errors import ShapeError

if TYPE_CHECKING:
    from flopledger.dims.types import Dim


keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
kl = keras.layers


def at(value: Any, **sizes: int) -> Dim:
    return substitute(value, sizes)


def test_batch_and_resolution_may_be_symbols() -> None:
    given = keras.Input((None, None, 3))
    x = kl.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(given)
    model = keras.Model(given, kl.Dense(10)(kl.GlobalAveragePooling2D()(x)))
    total = fl.count(model, "NxHxWx3").total.count
    # ceil(H / 2) ceil(W / 2) places of 4 channels with 27 terms, and 4 features to 10
    assert at(total, N=3, H=31, W=20) == 3 * (16 * 10 * 4 * 27 + 40)


def test_the_length_of_a_sequence_may_be_a_symbol() -> None:
    given = keras.Input((None, 12))
    model = keras.Model(given, kl.LSTM(8)(kl.MultiHeadAttention(3, 4)(given, given)))
    total = fl.count(model, "NxTx12").total.count
    # four projections, both products of attention, and T steps of 4 gates of 8 units
    assert at(total, N=2, T=7) == 2 * (4 * 7 * 144 + 2 * 49 * 12 + 7 * 4 * 8 * (12 + 8))


def test_a_resolution_that_is_declared_may_be_replaced_by_a_symbol() -> None:
    model = keras.applications.MobileNetV2(input_shape=(96, 96, 3), alpha=0.35, weights=None)
    whole = fl.count(model, "1x96x96x3").total.count
    assert at(fl.count(model, "NxHxHx3").total.count, N=2, H=96) == 2 * int(str(whole))


def test_the_profiler_s_figure_may_have_symbols_too() -> None:
    model = keras.Sequential([keras.Input((None, None, 3)), kl.Conv2D(4, 3), kl.BatchNormalization()])
    total = fl.count(model, "NxHxWx3", "tf-profiler").total.count
    # 6 x 6 places: 2 x 27 for each product, 1 for the bias and 2 for the norm, and 6 for each channel
    assert at(total, N=1, H=8, W=8) == 36 * 4 * (54 + 1 + 2) + 6 * 4


def test_what_does_not_follow_from_the_input_is_a_clear_error() -> None:
    given = keras.Input((None, 6))
    model = keras.Model(given, keras.ops.take(given, keras.ops.arange(3), axis=1))
    with pytest.raises(ShapeError, match="how the one follows from the other"):
        fl.read(model, "Nx9x6")
