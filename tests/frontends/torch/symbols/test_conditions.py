"""Where formulas over symbols hold is said, with the line that asked, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
import pytest
import torch
from flopledger.dims.arithmetic import substitute
from flopledger.errors import SourceError
from networks import Attention, Generator, Inverted, ResNet, UNet
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable


class Threshold(nn.Module):
    """Does otherwise with large pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] > 100:
            x = functional.avg_pool2d(x, 2)
        y: Tensor = self.conv(x)
        return y


class Windows(nn.Module):
    """Attends inside of windows of 7 where they fit."""

    def forward(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        if h % 7 == 0:
            x = x.reshape(n, c, h // 7, 7, w).transpose(1, 2)
        return x @ x.transpose(-1, -2)


class Square(nn.Module):
    """Takes squares alone."""

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] != x.shape[3]:
            message = "no square"
            raise ValueError(message)
        return x @ x


class Oblong(nn.Module):
    """Turns what is no square."""

    def forward(self, x: Tensor) -> Tensor:
        return x @ x.transpose(2, 3) if x.shape[2] != x.shape[3] else x


class Places(nn.Module):
    """Adds what is learned for each of 512 places."""

    def __init__(self) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.zeros(1, 512, 8))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.places[:, : x.shape[1]]


class Single(nn.Module):
    """Does otherwise with one row, and with one step."""

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[0] == 1:
            return x
        return x.relu() if x.shape[1] > 1 else x.tanh()


class Asking(nn.Module):
    """Asks what is true of every size, and the same again and again."""

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(3):
            if x.shape[1] > 0 and x.shape[1] * 2 >= x.shape[1]:
                x = x.relu() if x.shape[1] >= 4 else x.tanh()
        return x.relu() if x.shape[1] > 2 else x.tanh()


class Wide(nn.Module):
    """Does otherwise with pictures that are more than half as high again as wide."""

    def forward(self, x: Tensor) -> Tensor:
        return x.relu() if x.shape[2] / x.shape[3] > 1.5 else x @ x.transpose(2, 3)


class Rounded(nn.Module):
    """Does otherwise with what a quarter of is rounded up to more than 3."""

    def forward(self, x: Tensor) -> Tensor:
        return x.relu() if round(x.shape[1] * 0.25) > 3 else x.tanh()


class Blocks(nn.Module):
    """Takes whole blocks of 4 alone."""

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] % 4:
            message = "no whole blocks"
            raise ValueError(message)
        return x.relu()


class Rescaled(nn.Module):
    """Makes pictures smaller, by a factor that torch works out again from their sizes."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=0.7, recompute_scale_factor=True)


class Rest(nn.Module):
    """Cuts into four parts, the last of them the rest."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([part.relu() for part in x.chunk(4, 1)], 1)


def holds(model: nn.Module, inputs: str) -> list[tuple[str, str]]:
    """Return the conditions of a reading, and the lines that asked, without the file and its number."""
    found = []
    for note in fl.read(model, inputs).reading.notes:
        condition, _, line = note.removeprefix("the formulas hold only where ").partition(" (")
        assert not line or "test_conditions.py, line " in line or "networks.py, line " in line
        found.append((condition, line.partition(": ")[2].removesuffix(")")))
    return found


CONDITIONS = {
    "threshold": (Threshold, "Nx3xHxW", [("H > 100", "if x.shape[2] > 100:")]),
    "windows": (Windows, "Nx3xHxW", [("H is a multiple of 7", "if h % 7 == 0:")]),
    "oblong": (
        Oblong,
        "Nx3xHxW",
        [("H != W", "return x @ x.transpose(2, 3) if x.shape[2] != x.shape[3] else x")],
    ),
    "places": (Places, "NxSx8", [("S <= 512", "return x + self.places[:, : x.shape[1]]")]),
    "asked often": (Asking, "NxS", [("S >= 4", "x = x.relu() if x.shape[1] >= 4 else x.tanh()")]),
    "ratio of sizes": (
        Wide,
        "Nx3xHxW",
        [("H/W <= 3/2", "return x.relu() if x.shape[2] / x.shape[3] > 1.5 else x @ x.transpose(2, 3)")],
    ),
    "what can't be written as a size": (
        Rounded,
        "NxS",
        # 7 is shown, and a quarter of it rounds to 2
        [
            (
                "RoundToInt(0.25*ToFloat(S)) <= 3",
                "return x.relu() if round(x.shape[1] * 0.25) > 3 else x.tanh()",
            )
        ],
    ),
    "blocks": (Blocks, "NxS", [("S is a multiple of 4", "if x.shape[1] % 4:")]),
    "scale that is worked out again": (
        Rescaled,
        "Nx3xHxW",
        [],  # torch asks whether 7 H / 10 is 0 or more
    ),
    "halves that are joined": (
        UNet,
        "Nx3xHxW",
        [
            (
                "H is a multiple of 2 and W is a multiple of 2",
                "y = self.out(torch.cat((a, self.up(b)), 1))",
            )
        ],
    ),
    "pools": (
        lambda: nn.Sequential(nn.MaxPool2d(2), nn.MaxPool2d(3)),
        "Nx3xHxW",
        [("H >= 6 and W >= 6", "")],  # half of 6 is the second window
    ),
    "windows that begin outside": (
        lambda: nn.AvgPool2d(1, 2, ceil_mode=True),
        "Nx3xHxW",
        # the last of the 113 windows that 224 gives, rounded up, begins outside, as for every even size
        [("H is a multiple of 2 and W is a multiple of 2", "")],
    ),
    "steps that a window takes": (lambda: nn.Conv1d(3, 4, 5), "Nx3xT", [("T >= 5", "")]),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_what_was_asked_is_stated_with_the_line_that_asked(name: str) -> None:
    make, inputs, expected = CONDITIONS[name]
    assert holds(make(), inputs) == expected


def test_sizes_that_a_model_holds_to_be_alike_are_stated() -> None:
    graph = fl.read(Square(), "Nx3xHxW")
    (note,) = graph.reading.notes
    assert note.startswith("W is held to H by ")
    assert note.endswith(": if x.shape[2] != x.shape[3]:")
    # each of 3 N products of squares
    assert substitute(graph.count("mac").total.count, {"N": 2, "H": 5}) == 3 * 2 * 5**3


def test_what_asks_about_a_size_of_1_is_one_note() -> None:
    (note,) = fl.read(Single(), "NxS").reading.notes
    assert note.startswith("the formulas hold only where N > 1 and S > 1 (")
    assert note.count("test_conditions.py, line ") == 2


QUIET: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "ResNet": (ResNet, "Nx3xHxW"),
    "bottleneck ResNet": (lambda: ResNet((3, 4, 6, 3), bottleneck=True), "Nx3xHxW"),
    "inverted residual": (lambda: Inverted(6), "Nx6xHxW"),
    "generator": (Generator, "Nx20xHxW"),
    "attention": (Attention, "BxSx24"),
}


@pytest.mark.parametrize("name", QUIET)
def test_a_model_that_takes_all_sizes_has_no_note(name: str) -> None:
    make, inputs = QUIET[name]
    assert fl.read(make(), inputs).reading.notes == ()


def test_what_torch_s_own_layers_ask_is_no_note() -> None:
    model = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    assert fl.read(model, ("BxSx8", "BxTx8")).reading.notes == ()


@pytest.mark.parametrize(("height", "right"), [(15, True), (16, False)])
def test_a_condition_on_a_ratio_is_right_to_the_last_size(height: int, *, right: bool) -> None:
    # 15 rows of 10 are half as high again as wide, no more
    formula = fl.count(Wide(), "1x3xHxW", "ops").total.count
    counted = fl.count(Wide(), f"1x3x{height}x10", "ops").total.count
    assert (substitute(formula, {"H": height, "W": 10}) == counted) is right


RARE: dict[str, tuple[Callable[[int, int], bool], str]] = {
    "one height": (lambda h, w: w > 0 and h == 777, "H != 777"),
    "one large height": (lambda h, w: w > 0 and h == 5000, "H != 5000"),
    "one difference": (lambda h, w: h == w + 7001, "H != 7001 + W"),
    "one area": (lambda h, w: h * w == 4097, "H*W != 4097"),
    "one remainder": (lambda h, w: w > 0 and h % 1000 == 7, "H mod 1000 != 7"),
    "none at all": (lambda h, w: h * w == 0, ""),
}


@pytest.mark.parametrize("name", RARE)
def test_what_fails_at_few_sizes_is_stated_too(name: str) -> None:
    asks, condition = RARE[name]

    class Rare(nn.Module):
        """Does otherwise with a few sizes."""

        def forward(self, x: Tensor) -> Tensor:
            return x.relu() if asks(x.shape[2], x.shape[3]) else x.tanh()

    assert [said for said, _ in holds(Rare(), "Nx3xHxW")] == ([condition] if condition else [])


def test_what_follows_from_an_equation_is_not_stated_beside_it() -> None:
    # that the last part has a size of 0 or more follows from its being 1
    (note,) = fl.read(Rest(), "NxTx8").reading.notes
    assert note.startswith("the formulas hold only where T - 3*((3 + T)//4) = 1 (")


@pytest.mark.parametrize(("height", "right"), [(102, True), (101, True), (100, False)])
def test_a_formula_is_right_inside_of_its_condition_and_not_outside(height: int, *, right: bool) -> None:
    formula = fl.count(Threshold(), "1x3xHx9").total.count
    counted = fl.count(Threshold(), f"1x3x{height}x9").total.count
    assert (substitute(formula, {"H": height}) == counted) is right


def test_the_least_size_that_is_stated_is_the_least_that_runs() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.MaxPool2d(3, 2, ceil_mode=True), nn.Conv2d(4, 5, 3))
    # 3 places for the last convolution are 2 + 1 windows that begin inside of 6: 6 = (13 - 3) / 2 + 1
    assert fl.read(model, "Nx3xHx64").reading.notes == ("the formulas hold only where H >= 13",)
    formula = fl.count(model, "Nx3xHx64").total.count
    assert substitute(formula, {"N": 1, "H": 13}) == fl.count(model, "1x3x13x64").total.count
    with pytest.raises(SourceError, match="RuntimeError"):
        fl.read(model, "1x3x12x64")


def test_a_file_s_line_is_named_as_it_stands_there(net_file: Callable[[str], str]) -> None:
    body = """
class Net(nn.Module):
    def forward(self, x):
        if x.shape[0] >= 3:
            return x.relu()
        return x
"""
    file = net_file(body)
    note = f"the formulas hold only where N >= 3 ({file}, line 7: if x.shape[0] >= 3:)"
    assert fl.read(f"{file}:Net", "NxS").reading.notes == (note,)
