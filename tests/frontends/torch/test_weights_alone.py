"""A model without inputs has parameters, and operations that are not known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import flopledger as fl
import pytest
import torch
import torchinfo
from flopledger.cli import run
from flopledger.errors import ProfileMismatch, UsageError
from flopledger.graph.graph import Graph
from torch import Tensor, nn

if TYPE_CHECKING:
    from pathlib import Path


class Net(nn.Module):
    """A convolution, a norm, and a layer whose bias is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 4)
        self.fc.bias.requires_grad = False

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.norm(self.conv(x)).mean((2, 3)))  # type: ignore[no-any-return]


CONV, NORM, FC = 8 * 27 + 8, 2 * 8, 8 * 4 + 4


@pytest.mark.parametrize("convention", ["mac", "ops", "ptflops-aten", "fvcore"])
def test_the_parameters_are_counted_and_what_is_computed_is_unknown(convention: str) -> None:
    ledger = fl.count(Net(), convention=convention)

    assert ledger.total.params == CONV + NORM + FC - (4 if convention == "ptflops-aten" else 0)
    assert (ledger.total.trainable_params, ledger.total.buffers) == (CONV + NORM + FC - 4, 2 * 8 + 1)
    assert (ledger.total.count, ledger.total.complete) == (0, False)
    (unknown,) = ledger.coverage.unknown
    assert unknown.why.startswith("no inputs are given, and its forward takes (x: ")
    assert torchinfo.summary(Net(), verbose=0).total_params == CONV + NORM + FC


def test_a_price_is_not_proposed_where_the_inputs_are_missing() -> None:
    shown = str(fl.count(Net()))

    assert "input_size=(1, 3, 224, 224)" in shown
    assert "To price them" not in shown


def test_a_row_for_each_module_has_its_parameters() -> None:
    rows = {row.path: row.params for row in fl.count(Net()).rows}
    assert {path: rows[path] for path in ("conv", "norm", "fc")} == {"conv": CONV, "norm": NORM, "fc": FC}


def test_what_goes_by_calls_needs_the_inputs_as_do_the_other_functions() -> None:
    for convention in ("thop", "torchsummary"):
        with pytest.raises(UsageError, match=r"missing a required argument: 'x'.*inputs="):
            fl.count(Net(), convention=convention)
    for a, b, what in (("mac", "ops", "count"), ("mac", "thop", "params")):
        with pytest.raises(UsageError, match="missing a required argument"):
            fl.explain(Net(), a, b, what=what)
    with pytest.raises(UsageError, match="missing a required argument"):
        fl.compare(Net(), nn.Identity(), inputs_b=(1, 3, 8, 8))


def test_a_saved_reading_has_the_parameters_and_no_figure_that_goes_by_calls() -> None:
    graph = fl.read(Net())

    assert graph.count("mac").total.params == CONV + NORM + FC
    assert "give the size of each" in graph.reading.notes[-1]
    again = Graph.from_json(graph.to_json())
    for convention in ("thop", "torchsummary", "torchprofile"):
        with pytest.raises(ProfileMismatch, match="read without the inputs that it needs"):
            again.count(convention)


class Shared(nn.Module):
    """A linear layer under two names, a list, and parameters of its own, some frozen and in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(3, 4)
        self.b = self.a
        self.norms = nn.ModuleList([nn.BatchNorm1d(4)])
        self.own = nn.Parameter(torch.zeros(7))
        self.frozen = nn.ParameterDict({"x": nn.Parameter(torch.zeros(5), requires_grad=False)})

    def forward(self, x: Tensor) -> Tensor:
        return self.a(x)  # type: ignore[no-any-return]


def test_torchinfo_prints_the_parameters_of_a_model_without_inputs() -> None:
    total = fl.count(Shared(), convention="torchinfo").total

    assert (total.params, total.complete) == (16 + 8 + 7 + 5, False)
    printed = torchinfo.summary(Shared(), verbose=0)
    assert (printed.total_params, printed.trainable_params) == (total.params, total.params - 5)


def test_networks_without_inputs_are_compared_by_their_parameters() -> None:
    wide = Net()
    wide.fc = nn.Linear(8, 5)
    found = fl.compare(Net(), wide)

    assert [(pair.status, pair.params) for pair in found.pairs] == [
        ("same", 0), ("same", 0), ("changed", 5 * 8 + 5 - 8 * 4),
    ]  # fmt: skip
    assert not found.a.total.complete
    assert fl.compare(Net(), Net()).equal


def test_a_difference_of_parameters_is_explained_without_inputs(capfd: pytest.CaptureFixture[str]) -> None:
    """ptflops-aten leaves out the 4 values of the bias that is frozen."""
    found = fl.explain(Net(), "mac", "ptflops-aten", what="params")
    assert (found.a.figure, found.gap, [cause.count for cause in found.causes]) == (
        CONV + NORM + FC,
        -4,
        [-4],
    )
    command = ["explain", f"{__file__}:Net", "mac", "ptflops-aten", "--what", "params", "--format", "json"]
    assert run(command) == 0
    assert json.loads(capfd.readouterr().out)["gap"] == -4


def test_the_commands_say_what_is_missing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source, table = f"{__file__}:Net", tmp_path / "table"
    assert run(["check", source, "--max-params", "1K"]) == 0
    assert run(["check", source, "--max-macs", "1K"]) == 2
    assert run(["read", source, "-o", str(tmp_path / "graph.json")]) == 0
    assert "give the size of each: -i 1x3x224x224" in capfd.readouterr().err
    assert run(["compare", source, source]) == 0
    assert run(["compare", source, source, "-i", "1x3x8x8"]) == 0
    assert "inputs: x=1x3x8x8" in capfd.readouterr().out.rpartition("b: source")[2]
    assert run(["count", source, "-o", str(table)]) == 0
    capfd.readouterr()
    assert "at least 0 MAC" in table.read_text("utf-8")
    assert "give the size of each: -i 1x3x224x224, in Python input_size=" in table.read_text("utf-8")
