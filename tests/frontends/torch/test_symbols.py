"""Totals as formulas: putting numbers in gives what counting with the numbers gives."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import flopledger as fl
import pytest
import sympy
from flopledger.dims import floordiv, maximum, minimum, substitute, symbol, text
from flopledger.engine import structure_of
from flopledger.errors import SourceError
from flopledger_torch.sizes import NAMES, dim_of
from networks import Attention, Dense, Generator, Inverted, Recurrent, ResNet, UNet, ViT
from torch import Tensor, nn
from torch.utils._sympy import functions as theirs

if TYPE_CHECKING:
    from collections.abc import Callable

N, H = symbol("N"), symbol("H")

IMAGES = [{"N": 2, "H": 33, "W": 70}, {"N": 1, "H": 64, "W": 47}]
MODELS: dict[str, tuple[Callable[[], nn.Module], str, list[dict[str, int]]]] = {
    "ResNet": (ResNet, "Nx3xHxW", IMAGES),
    "bottleneck": (lambda: ResNet((2, 2), bottleneck=True), "Nx3xHxW", IMAGES),
    "inverted": (lambda: Inverted(6), "Nx6xHxW", IMAGES),
    "dense block": (Dense, "Nx12xHxW", IMAGES),
    "U-Net": (UNet, "Nx3xHxW", [{"N": 2, "H": 32, "W": 70}, {"N": 3, "H": 46, "W": 48}]),
    "generator": (Generator, "Nx20xHxW", [{"N": 2, "H": 3, "W": 7}]),
    "attention": (Attention, "BxSx24", [{"B": 2, "S": 9}, {"B": 3, "S": 1}]),
    "LSTM": (Recurrent, "BxS:int64", [{"B": 2, "S": 9}]),
    "GRU": (lambda: Recurrent("GRU", num_layers=2), "BxS:int64", [{"B": 2, "S": 9}]),
    "encoder layer": (
        lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), "BxSx8", [{"B": 2, "S": 9}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_numbers_put_into_the_formula_give_the_count(name: str) -> None:
    make, inputs, values = MODELS[name]
    model = make()
    graph = fl.read(model, inputs)
    assert graph.reading.notes == ()
    assert structure_of(graph).disagreements == ()
    assert graph.count("mac").coverage.unknown == ()
    formula = graph.count("mac").total.count
    for sizes in values:
        spec = "x".join(str(sizes.get(part, part)) for part in inputs.partition(":")[0].split("x"))
        counted = fl.count(model, spec + "".join(inputs.partition(":")[1:])).total.count
        assert substitute(formula, sizes) == counted


def test_a_convolution_keeps_its_floors() -> None:
    total = fl.count(nn.Conv2d(3, 8, 3, stride=2), "Nx3xHx9").total.count
    # 27 terms for each of 8 channels at 4 places along one axis and (H - 3) // 2 + 1 along the other
    assert substitute(total, {"N": 5, "H": 12}) == 27 * 8 * 4 * 5 * 5
    assert substitute(total, {"N": 1, "H": 3}) == 27 * 8 * 4


def test_a_symbol_may_stand_in_several_inputs() -> None:
    graph = fl.read(nn.Bilinear(5, 6, 7), ("Nx5", "Nx6"))
    # 7 (5 * 6 + 6) for each row
    assert graph.count("mac").total.count == 252 * N


def test_a_symbol_that_the_model_fixes_is_told_with_its_line() -> None:
    class Fixed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.relu() if x.shape[1] == 7 else x.tanh()

    graph = fl.read(Fixed(), "NxS")
    (note,) = graph.reading.notes
    assert note.startswith("S is held to ")
    assert "test_symbols.py, line " in note
    assert "x.shape[1] == 7" in note
    assert isinstance(graph.shape(graph.outputs[0])[1], int)


def test_positions_that_are_learned_fix_the_size_of_an_image() -> None:
    graph = fl.read(ViT(size=64), "Nx3xHxW")
    assert graph.reading.notes == ("the sizes hold only where 1 + (H//8)*(W//8) = 65",)
    # one sample of 64 x 64 is what the numbers give
    formula = graph.count("mac").total.count
    assert substitute(formula, {"N": 1, "H": 64, "W": 64}) == fl.count(ViT(size=64), "1x3x64x64").total.count


def test_a_model_that_takes_none_of_the_sizes_says_what_to_do() -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.reshape(-1, 1009)

    with pytest.raises(
        SourceError, match=r"give numbers for the sizes that it fixes\. S=5 gave RuntimeError"
    ):
        fl.read(Odd(), "3xS")


def test_a_forward_that_runs_needs_numbers() -> None:
    with pytest.raises(SourceError, match="numbers in the place of symbols"):
        fl.read(nn.ReLU(), "Nx3", execute=True)


a, b = sympy.symbols("a b", integer=True, positive=True)
SIZES = [
    (3 * a + 1, 3 * N + 1),
    (theirs.FloorDiv(a, 2), floordiv(N, 2)),
    (theirs.FloorDiv(a * b, b), N),
    (theirs.CleanDiv(6 * a, 3), 2 * N),
    (theirs.CeilDiv(a, 2), floordiv(N + 1, 2)),
    (theirs.PythonMod(a, 4), N - 4 * floordiv(N, 4)),
    (theirs.Mod(a, 4), N - 4 * floordiv(N, 4)),
    (theirs.ModularIndexing(a, 2, 3), floordiv(N, 2) - 3 * floordiv(floordiv(N, 2), 3)),
    (theirs.Max(a, b), maximum(N, H)),
    (theirs.Min(a, b), minimum(N, H)),
    (a**2, N**2),
    (theirs.PowByNatural(a, sympy.Integer(3)), N**3),
    (theirs.FloorToInt(theirs.IntTrueDiv(a, sympy.Integer(3))), floordiv(N, 3)),
    (theirs.CeilToInt(theirs.IntTrueDiv(a, sympy.Integer(3))), floordiv(N + 2, 3)),
    (theirs.FloorToInt(sympy.Float(1.5) * theirs.ToFloat(a)), floordiv(3 * N, 2)),
    (theirs.TruncToInt(sympy.Float(0.25) * theirs.ToFloat(a + 2)), floordiv(N + 2, 4)),
    (theirs.CeilToInt(theirs.ToFloat(a) / 2 + sympy.Rational(1, 3)), floordiv(3 * N + 2 + 5, 6)),
]


@pytest.mark.parametrize(("size", "dim"), SIZES, ids=str)
def test_torch_s_functions_of_sizes_become_ours(size: sympy.Expr, dim: object) -> None:
    NAMES.set({a: N, b: H})
    found = dim_of(SimpleNamespace(node=SimpleNamespace(expr=size)))
    assert text(found - dim) == "0"


def test_a_size_that_is_not_known_is_refused() -> None:
    NAMES.set({a: N})
    for size, why in ((b, "it depends on the data"), (sympy.sin(a), "sin is not known here")):
        with pytest.raises(SourceError, match=f"can't be written: {why}"):
            dim_of(SimpleNamespace(node=SimpleNamespace(expr=size)))
