"""A model without inputs has parameters, and operations that are not known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torchinfo
from flopledger.cli import run
from flopledger.errors import UsageError
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
    asked: list[Any] = [fl.read, lambda net: fl.compare(net, net)]
    for ask in asked:
        with pytest.raises(UsageError, match="missing a required argument"):
            ask(Net())


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
    assert run(["count", source, "-o", str(table)]) == 0
    capfd.readouterr()
    assert "at least 0 MAC" in table.read_text("utf-8")
    assert "give the size of each: -i 1x3x224x224, in Python input_size=" in table.read_text("utf-8")
