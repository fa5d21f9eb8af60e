"""TensorFlow's profiler where layers are unusual; the figures are its own (TensorFlow 2.21, Keras 3.15.1)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
kl, ops = keras.layers, keras.ops
ConvLSTM = importlib.import_module("keras.src.layers.rnn.conv_lstm").ConvLSTM

# Keras's own way of reading a variable that is quantised, under NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Cell(kl.Layer):  # type: ignore[misc]
    def __init__(self, units: int) -> None:
        super().__init__()
        self.state_size = self.output_size = units

    def build(self, shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.state_size))
        self.recurrent = self.add_weight(shape=(self.state_size, self.state_size))

    def call(self, x: Any, states: Any) -> Any:
        out = ops.matmul(x, self.kernel) + ops.matmul(states[0], self.recurrent)
        return out, [out]


def chain(apply: Callable[..., Any], *shapes: tuple[int, ...], dtype: str = "float32") -> Any:
    given = [keras.Input(shape, dtype=dtype) for shape in shapes]
    return keras.Model(given if len(given) > 1 else given[0], apply(*given))


def changed(layer: Any, shape: tuple[int, ...], change: Callable[[Any], None]) -> Any:
    given = keras.Input(shape)
    out = layer(given)
    change(layer)
    return keras.Model(given, out)


def masked(apply: Callable[[Any], Any]) -> Any:
    """Return a network of words, 0 for none: an embedding whose mask the layers after it hand on."""
    return chain(lambda x: apply(kl.Embedding(11, 6, mask_zero=True)(x)), (5,), dtype="int32")


def causal() -> Any:
    attention, given = kl.MultiHeadAttention(2, 4), keras.Input((6, 8))
    return keras.Model(given, attention(given, given, use_causal_mask=True, return_attention_scores=True))


class Masking(kl.Layer):  # type: ignore[misc]
    """A dense layer whose result is zero where a mask is."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = kl.Dense(3)

    def build(self, shape: tuple[int, ...]) -> None:
        self.dense.build(shape)

    def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], 3)

    def call(self, x: Any, mask: Any = None) -> Any:
        out = self.dense(x)
        return out if mask is None else out * ops.cast(ops.expand_dims(mask, -1), out.dtype)


def masked_steps() -> Any:
    given = [keras.Input((2, 4)), keras.Input((2,), dtype="bool")]
    return keras.Model(given, kl.TimeDistributed(Masking())(given[0], mask=given[1]))


class Block(kl.Layer):  # type: ignore[misc]
    """Attention that takes the mask of what it reads twice: as an argument, and from the tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.attention, self.norm = kl.MultiHeadAttention(2, 3), kl.LayerNormalization()
        self.supports_masking = True

    def call(self, x: Any, mask: Any = None) -> Any:
        steps = None if mask is None else mask[:, None, :]
        return self.norm(x + self.attention(x, x, attention_mask=steps))


class Distances(kl.Layer):  # type: ignore[misc]
    """A learned vector for each distance of two steps, as T5 has numbers."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.table = self.add_weight(shape=(4, shape[-1]))

    def call(self, x: Any) -> Any:
        tf = pytest.importorskip("tensorflow")
        steps = tf.range(tf.shape(x)[1])
        far = tf.minimum(tf.abs(steps[:, None] - steps[None, :]), 3)
        return tf.einsum("btc,tsc->bsc", x, tf.gather(self.table, far))


class Angles(kl.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return x + ops.matmul(ops.ones((5, 1)), ops.ones((1, 6)))


def again(x: Any) -> Any:
    """Attention takes the mask off what it reads (Keras 3.15), so that its sum with the result has none."""
    y = kl.Add()([x, kl.MultiHeadAttention(2, 3)(x, x)])
    return kl.Attention()([y, y])


MEASURED: Mapping[str, tuple[Callable[[], Any], int, int]] = {
    "LoRA of a dense layer": (lambda: changed(kl.Dense(16), (16,), lambda x: x.enable_lora(2)), 2064, 2592),
    "LoRA of a convolution": (
        lambda: changed(kl.Conv2D(5, 3), (10, 10, 4), lambda x: x.enable_lora(2)), 24440, 47800,
    ),
    "a cell unrolled with a mask": (lambda: masked(kl.RNN(Cell(4), unroll=True)), 435, 870),
    "a cell unrolled": (lambda: chain(kl.RNN(Cell(4), unroll=True), (5, 3)), 300, 600),
    "a norm over the first axis": (lambda: chain(kl.LayerNormalization(axis=1), (5, 6, 7)), 2058, 4116),
    "a norm over two axes apart": (lambda: chain(kl.LayerNormalization(axis=(1, 3)), (5, 6, 7)), 1914, 3828),
    "a softmax over two axes": (lambda: chain(kl.Softmax(axis=(1, 2)), (3, 4, 8)), 296, 592),
    "a softmax with a mask of numbers": (
        lambda: chain(lambda x, m: kl.Softmax()(x, mask=m), (4, 8), (4, 8)), 192, 384,
    ),
    "a rectifier with all options": (lambda: chain(kl.ReLU(3.0, 0.1, 0.5), (4, 6)), 168, 336),
    "a rectifier to 6 with a threshold": (lambda: chain(kl.ReLU(6.0, threshold=0.5), (4, 6)), 72, 144),
    "an outer product": (lambda: chain(kl.EinsumDense("a,b->ab", output_shape=7), ()), 14, 28),
    "an outer product in other letters": (
        lambda: chain(lambda x: ops.einsum("i,d->id", x[:, 0], ops.ones((7,))), (1,)), 14, 28,
    ),
    "a masked mean": (lambda: masked(kl.GlobalAveragePooling1D()), 49, 98),
    "attention with masks": (lambda: masked(lambda x: kl.Attention()([x, x])), 765, 1530),
    "causal attention with masks": (
        lambda: masked(lambda x: kl.Attention()([x, x], use_causal_mask=True)), 790, 1555,
    ),
    "additive attention with masks": (lambda: masked(lambda x: kl.AdditiveAttention()([x, x])), 890, 1780),
    "heads with masks": (lambda: masked(lambda x: kl.MultiHeadAttention(2, 3)(x, x)), 1875, 3750),
    "grouped heads with masks": (lambda: masked(lambda x: kl.GroupQueryAttention(3, 4, 2)(x, x)), 2927, 5852),
    "a block with masks": (lambda: masked(Block()), 2200, 4400),
    "attention after a mask was taken": (lambda: masked(again), 2630, 5260),
    "positions of a gather": (lambda: chain(Distances(), (5, 6)), 50, 50),
    "a product of constants": (lambda: chain(Angles(), (5, 6)), 90, 120),
    "a convolution with a kernel of the data": (
        lambda: chain(lambda x, k: ops.conv(x, (k * 2.0)[0], padding="same"), (8, 3), (3, 3, 4)), 612, 1224,
    ),
    "a norm that reads no mask": (lambda: masked(kl.BatchNormalization()), 106, 176),
    "a mask that nobody reads": (lambda: masked(kl.TimeDistributed(kl.Dense(3))), 205, 410),
    "steps left out": (
        lambda: chain(lambda x: kl.BatchNormalization()(kl.Masking()(x)), (5, 6)), 126, 216,
    ),
    "both directions with a mask": (lambda: masked(kl.Bidirectional(kl.LSTM(4))), 471, 942),
    "a convolution's state with a mask": (
        lambda: chain(lambda x, m: kl.ConvLSTM2D(2, 3)(x, mask=ops.greater(m, 0)), (3, 6, 6, 2), (3,)),
        4739, 9798,
    ),
    "attention of its own": (lambda: chain(ops.dot_product_attention, *[(5, 2, 4)] * 3), 301, 601),
    "attention with a causal mask": (
        lambda: chain(lambda x: kl.Attention()([x, x], use_causal_mask=True), (4, 8)), 624, 1232,
    ),
    "a division that knows no 0": (lambda: chain(ops.divide_no_nan, (6,), (6,)), 0, 0),
    "a remainder": (lambda: chain(ops.fmod, (6,), (6,)), 6, 12),
    "a cut": (lambda: chain(ops.trunc, (6,)), 6, 12),
    "a root of three": (lambda: chain(ops.cbrt, (6,)), 12, 24),
    "unit length over two axes": (lambda: chain(kl.UnitNormalization(axis=(1, 2)), (3, 4)), 38, 76),
    "unit length over one": (lambda: chain(kl.UnitNormalization(), (3, 4)), 42, 84),
    "a causal mask, and the scores": (causal, 4860, 9684),
    "steps of convolutions": (
        lambda: chain(ConvLSTM(rank=2, filters=4, kernel_size=3, padding="same"), (3, 5, 5, 3)), 22000, 45000,
    ),
    "a mask of steps": (masked_steps, 60, 120),
    "whether numbers are close": (lambda: chain(ops.isclose, (6,), (6,)), 24, 48),
    "spectra": (lambda: chain(lambda x: ops.rfft(x)[0], (8,)), 0, 0),
    "logarithms": (lambda: chain(ops.log2, (4, 6)), 49, 97),
    "places of the largest": (lambda: chain(lambda x: ops.argmax(x, axis=-1), (4, 6)), 68, 136),
    "a variance": (lambda: chain(lambda x: ops.var(x, axis=-1), (4, 6)), 96, 192),
}  # fmt: skip


@pytest.mark.parametrize("name", MEASURED)
def test_an_unusual_layer_has_the_profiler_s_figure(name: str) -> None:
    make, one, two = MEASURED[name]
    model = make()
    for batch, figure in ((1, one), (2, two)):
        inputs = ["x".join(map(str, (batch, *given.shape[1:]))) for given in model.inputs]
        ledger = fl.count(model, inputs, "tf-profiler")
        assert (ledger.total.count, ledger.coverage.unknown) == (figure, ())


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
