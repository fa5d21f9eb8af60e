"""Totals as formulas: putting numbers in is the same as counting with the numbers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import flopledger as fl
import pytest
import sympy
import torch
from flopledger.counting.engine import analysis_of
from flopledger.dims.arithmetic import floordiv, maximum, minimum, substitute, symbol, text
from flopledger.errors import SourceError
from flopledger_torch.symbols.sizes import NAMES, dim_of
from networks import Attention, Causal, Dense, Generator, Inverted, Recurrent, ResNet, UNet, ViT
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._sympy import functions as theirs

if TYPE_CHECKING:
    from collections.abc import Callable

N, H = symbol("N"), symbol("H")

IMAGES = [{"N": 2, "H": 33, "W": 70}, {"N": 1, "H": 64, "W": 47}, {"N": 7, "H": 91, "W": 91}]
TEXTS = [{"B": 2, "S": 9}, {"B": 3, "S": 1}, {"B": 1, "S": 128}]
PAIRS = [{"B": 2, "S": 9, "T": 4}, {"B": 1, "S": 3, "T": 11}, {"B": 5, "S": 8, "T": 8}]


class Squeezed(nn.Module):
    """Pools that round up, after convolutions without padding, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.pool = nn.Conv2d(3, 8, 3, 2), nn.MaxPool2d(3, 2, ceil_mode=True)
        self.one, self.three = nn.Conv2d(8, 6, 1), nn.Conv2d(8, 5, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.first(x).relu())
        return torch.cat((self.one(x), self.three(x)), 1).mean((2, 3))


class Shifted(nn.Module):
    """Windows of 7 by 7 of pictures that are filled up to whole ones, their places unfolded and folded."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(3 * 7 * 7, 3 * 7 * 7)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        x = functional.pad(x, (0, (7 - width % 7) % 7, 0, (7 - height % 7) % 7))
        windows = self.mix(functional.unfold(x, 7, stride=7).transpose(1, 2)).transpose(1, 2)
        return functional.fold(windows, x.shape[2:], 7, stride=7)[:, :, :height, :width]


def steps() -> nn.Module:
    """Return convolutions over time, dilated and grouped."""
    return nn.Sequential(
        nn.Conv1d(4, 8, 5, dilation=2), nn.GELU(), nn.Conv1d(8, 8, 3, 2, groups=4), nn.AvgPool1d(2)
    )


MODELS: dict[str, tuple[Callable[[], nn.Module], str | tuple[str, ...], list[dict[str, int]]]] = {
    "ResNet": (ResNet, "Nx3xHxW", IMAGES),
    "bottleneck": (lambda: ResNet((2, 2), bottleneck=True), "Nx3xHxW", IMAGES),
    "inverted": (lambda: Inverted(6), "Nx6xHxW", IMAGES),
    "dense block": (Dense, "Nx12xHxW", IMAGES),
    "pools that round up": (Squeezed, "Nx3xHxW", IMAGES),
    "generator": (Generator, "Nx20xHxW", [{"N": 2, "H": 3, "W": 7}, {"N": 3, "H": 1, "W": 4}, IMAGES[0]]),
    "U-Net": (
        UNet, "Nx3xHxW", [{"N": 2, "H": 32, "W": 70}, {"N": 3, "H": 46, "W": 48}, {"N": 1, "H": 2, "W": 6}],
    ),
    "windows": (Shifted, "Nx3xHxW", IMAGES),
    "steps": (steps, "Nx4xT", [{"N": 2, "T": 29}, {"N": 1, "T": 64}, {"N": 3, "T": 101}]),
    "attention": (Attention, "BxSx24", TEXTS),
    "causal attention": (Causal, ("BxSx8", "BxTx8", "BxTx6"), PAIRS),
    "LSTM": (Recurrent, "BxS:int64", TEXTS),
    "GRU": (lambda: Recurrent("GRU", num_layers=2), "BxS:int64", TEXTS),
    "encoder layer": (lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), "BxSx8", TEXTS),
    "encoder and decoder": (
        lambda: nn.Transformer(8, 2, 1, 1, 16, batch_first=True), ("BxSx8", "BxTx8"), PAIRS,
    ),
}  # fmt: skip
LEAST = {
    "pools that round up": "H >= 5 and W >= 5",
    "U-Net": "H is a multiple of 2 and W is a multiple of 2",
    "steps": "T >= 13",  # 13 - 8 = 5 give 2, and those one pair
}
"""Where a formula does not hold for all sizes, where it does."""


def with_numbers(spec: str, sizes: dict[str, int]) -> str:
    """Return a spec with numbers in place of its symbols."""
    shape, colon, dtype = spec.partition(":")
    return "x".join(str(sizes.get(part, part)) for part in shape.split("x")) + colon + dtype


@pytest.mark.parametrize("name", MODELS)
def test_numbers_put_into_the_formula_give_the_count(name: str) -> None:
    make, inputs, values = MODELS[name]
    specs = (inputs,) if isinstance(inputs, str) else inputs
    model = make()
    graph = fl.read(model, specs)
    said = " ".join(note.partition(" (")[0] for note in graph.reading.notes)
    assert said.removeprefix("the formulas hold only where ") == LEAST.get(name, "")
    assert analysis_of(graph).formulas.disagreements == ()
    assert graph.count("mac").coverage.unknown == ()
    formulas = {convention: graph.count(convention).total.count for convention in ("mac", "ops")}
    for sizes in values:
        counted = fl.read(model, tuple(with_numbers(spec, sizes) for spec in specs))
        for convention, formula in formulas.items():
            assert substitute(formula, sizes) == counted.count(convention).total.count


WORDS = {
    "vocab_size": 50, "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 1,
    "num_attention_heads": 2,
}  # fmt: skip
LANGUAGE: dict[str, tuple[str, dict[str, int]]] = {
    "Bert": ("BertModel", WORDS),
    "GPT2": ("GPT2LMHeadModel", {"vocab_size": 50, "n_embd": 16, "n_layer": 1, "n_head": 2}),
    "Llama": ("LlamaForCausalLM", {**WORDS, "num_key_value_heads": 1}),
}


@pytest.mark.parametrize("name", LANGUAGE)
def test_so_it_is_for_published_language_models(name: str) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    kind, told = LANGUAGE[name]
    ends = {} if name == "Bert" else {"bos_token_id": 0, "eos_token_id": 1}
    model = getattr(transformers, kind)(getattr(transformers, f"{name}Config")(**told, **ends))
    formula = fl.count(model, {"input_ids": "BxS:int64"}).total.count
    for batch, length in ((1, 7), (2, 33), (3, 128), (5, 2)):
        counted = fl.count(model, {"input_ids": f"{batch}x{length}:int64"}).total.count
        assert substitute(formula, {"B": batch, "S": length}) == counted


def test_a_convolution_keeps_its_floors() -> None:
    total = fl.count(nn.Conv2d(3, 8, 3, stride=2), "Nx3xHx9").total.count
    # 27 terms for each of 8 channels at 4 places along one axis and (H - 3) // 2 + 1 along the other
    assert substitute(total, {"N": 5, "H": 12}) == 27 * 8 * 4 * 5 * 5
    assert substitute(total, {"N": 1, "H": 3}) == 27 * 8 * 4


def test_a_symbol_may_stand_in_several_inputs() -> None:
    graph = fl.read(nn.Bilinear(5, 6, 7), ("Nx5", "Nx6"))
    # 7 (5 * 6 + 6) for each row
    assert graph.count("mac").total.count == 252 * N


def test_a_symbol_that_the_model_fixes_is_stated_with_its_line() -> None:
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
    least, places = graph.reading.notes
    assert least.startswith("the formulas hold only where H >= 8 and W >= 8 (")
    assert places.startswith("the formulas hold only where 1 + (H//8)*(W//8) = 65 (")
    assert places.endswith(": x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), 1) + self.positions)")
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
    with pytest.raises(SourceError, match="numbers in place of symbols"):
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
