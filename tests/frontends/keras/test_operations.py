"""Operations of ``keras.ops``: the cost of each, by hand, and which are unknown, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
kl, ops = keras.layers, keras.ops


def chain(apply: Callable[..., Any], *shapes: tuple[int, ...]) -> Any:
    given = [keras.Input(batch_shape=shape) for shape in shapes]
    return keras.Model(given, apply(*given))


def product(x: Any) -> Any:
    return ops.matmul(x, ops.ones((6, 6)))


def counted(start: int, end: int) -> Callable[[Any], Any]:
    """Return a loop that counts its steps itself."""
    return lambda x: ops.while_loop(
        lambda i, _: i < end, lambda i, y: (i + 1, product(y)), (ops.convert_to_tensor(start), x)
    )[1]


LOOPS: Mapping[str, tuple[Callable[[Any], Any], int]] = {
    "map": (lambda x: ops.map(product, x), 4 * 2 * 6 * 6),
    "vectorized_map": (lambda x: ops.vectorized_map(product, x), 4 * 2 * 6 * 6),
    "scan": (lambda x: ops.scan(lambda c, y: (c + product(y), c), ops.zeros((2, 6)), x)[1], 4 * 2 * 6 * 6),
    "scan of a length": (
        lambda x: ops.scan(lambda c, _: (product(c), c), x, length=3)[0], 3 * 4 * 2 * 6 * 6,
    ),
    "fori_loop": (lambda x: ops.fori_loop(2, 5, lambda _, y: product(y), x), 3 * 4 * 2 * 6 * 6),
    "while_loop": (counted(1, 4), 3 * 4 * 2 * 6 * 6),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOPS)
def test_a_function_counts_once_for_each_step(name: str) -> None:
    apply, macs = LOOPS[name]
    ledger = fl.count(chain(apply, (4, 2, 6)))
    assert (ledger.total.count, ledger.coverage.unknown) == (macs, ())


def test_a_loop_that_the_data_ends_is_unknown_and_says_why() -> None:
    model = chain(
        lambda x: ops.while_loop(lambda y: ops.sum(y) < 3, lambda y: (product(y),), (x,))[0], (4, 6)
    )
    (unknown,) = [row for row in fl.count(model).rows if row.status == "unknown"]
    assert unknown.source == "keras.ops.while_loop"
    assert "depends on the data" in fl.read(model).layers[unknown.id].problem


class Cell(kl.Layer):  # type: ignore[misc]
    state_size = output_size = 4

    def build(self, shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], 4))

    def call(self, x: Any, states: Any) -> Any:
        out = ops.matmul(x, self.kernel) + states[0]
        return out, [out]


def test_a_number_of_steps_that_is_a_symbol_is_no_example_size() -> None:
    given = keras.Input((5, 3))
    unrolled = keras.Model(given, kl.RNN(Cell(), unroll=True)(given))
    assert str(fl.count(unrolled, "2xTx3").total.count) == "24*T"  # 2 sequences of T steps, 3 by 4
    given = keras.Input((None, 3))
    mapped = keras.Model(given, ops.map(lambda x: ops.matmul(x, ops.ones((3, 2))), given))
    assert fl.count(mapped, "2x5x3").total.count == 2 * 5 * 3 * 2
    with pytest.raises(fl.FlopledgerError, match=r"map: no rule is known for the shapes of 'keras.ops.map'"):
        fl.count(mapped, "Nx5x3")


# A transform of 8 complex points takes 5 * 8 * log2(8) = 120 real operations, one of 4 points 40, and one to
# or from real numbers half as many; an inverse multiplies each number by a factor.
ARITHMETIC: Mapping[str, tuple[Callable[[], Any], int]] = {
    "fft": (lambda: chain(lambda a, b: ops.fft((a, b)), (3, 8), (3, 8)), 3 * 120),
    "fft2": (lambda: chain(lambda a, b: ops.fft2((a, b)), (3, 8, 4), (3, 8, 4)), 3 * (4 * 120 + 8 * 40)),
    "rfft": (lambda: chain(ops.rfft, (3, 8)), 3 * 60),
    "rfft of a start": (lambda: chain(lambda x: ops.rfft(x, 4), (3, 8)), 3 * 20),
    "irfft": (lambda: chain(lambda a, b: ops.irfft((a, b)), (3, 5), (3, 5)), 3 * (60 + 8)),
    "stft": (lambda: chain(lambda x: ops.stft(x, 8, 4, 8), (3, 32)), 3 * 9 * (60 + 8)),
    "log1p": (lambda: chain(ops.log1p, (4, 6)), 24),
    "norm": (lambda: chain(lambda x: ops.norm(x, axis=1), (4, 6)), 4 * (6 + 5 + 1)),
    "std": (lambda: chain(lambda x: ops.std(x, axis=1), (4, 6)), 4 * (5 + 1 + 6 + 6 + 5 + 1 + 1)),
    "average": (
        lambda: chain(lambda x, w: ops.average(x, axis=1, weights=w), (4, 6), (4, 6)), 24 + 20 + 20 + 4,
    ),
    "diff": (lambda: chain(lambda x: ops.diff(x, n=2), (4, 6)), 4 * 5 + 4 * 4),
    "peak to peak": (lambda: chain(lambda x: ops.ptp(x, axis=1), (4, 6)), 20 + 20 + 4),
    "trace": (lambda: chain(ops.trace, (4, 6)), 3),
}  # fmt: skip


@pytest.mark.parametrize("name", ARITHMETIC)
def test_an_operation_has_the_arithmetic_of_its_formula(name: str) -> None:
    make, figure = ARITHMETIC[name]
    ledger = fl.count(make(), convention="ops")
    assert (ledger.total.count, ledger.coverage.unknown) == (figure, ())


MOVES: Mapping[str, Callable[[], Any]] = {
    "triangles": lambda: chain(lambda x: (ops.tril(x), ops.triu(x)), (4, 6)),
    "side by side": lambda: chain(
        lambda x: (ops.hstack([x, x]), ops.vstack([x, x]), ops.append(x, x)), (4, 6)
    ),
    "parts": lambda: chain(lambda x: ops.array_split(x, 4, axis=1), (4, 6)),
    "grids": lambda: chain(ops.meshgrid, (4,), (6,)),
    "borders": lambda: chain(lambda x: ops.image.pad_images(x, 1, 1, 1, 1), (2, 4, 4, 3)),
    "letters": lambda: chain(lambda x: ops.rearrange(x, "b (h c) -> b h c", c=2), (4, 6)),
}


@pytest.mark.parametrize("name", MOVES)
def test_moving_elements_is_free(name: str) -> None:
    ledger = fl.count(MOVES[name](), convention="ops")
    assert (ledger.total.count, ledger.coverage.unknown) == (0, ())


MACS: Mapping[str, tuple[Callable[[], Any], int]] = {
    "vdot": (lambda: chain(ops.vdot, (4, 6), (4, 6)), 24),
    "cdist": (lambda: chain(ops.cdist, (4, 6), (5, 6)), 4 * 5 * 6),
    "one triangle": (
        lambda: chain(lambda a, b: ops.solve_triangular(a, b, lower=True), (5, 5), (5, 2)), 2 * 5 * 4 // 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MACS)
def test_products_of_vectors_and_matrices_are_macs(name: str) -> None:
    make, macs = MACS[name]
    assert fl.count(make()).total.count == macs
