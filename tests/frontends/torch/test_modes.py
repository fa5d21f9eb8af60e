"""A live model is read as it stands, module by module, where the convention's tool does so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from flopledger.cli import run
from flopledger.errors import ProfileMismatch
from torch import nn

if TYPE_CHECKING:
    from pathlib import Path

AS_IT_STANDS = ("fvcore", "torch-flop-counter", "torch-flop-counter-no-grad", "torchprofile", "torchsummary")
IN_EVAL = ("ptflops", "ptflops-aten", "thop", "torchinfo", "torchstat-flops", "calflops-flops", "mac", "ops")


class Norms(nn.Module):
    """A convolution of 27 x 512 products, and two norms of 512 elements."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.a, self.b = nn.BatchNorm2d(8), nn.BatchNorm2d(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(self.a(self.conv(x)))  # type: ignore[no-any-return]


class Heads(nn.Module):
    """A second head while it is trained: 2 x 7 x 11 = 154 products, and 2 x 7 x 5 = 70."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(7, 11), nn.Linear(7, 5)

    def forward(self, x: torch.Tensor) -> Any:
        return (self.first(x), self.second(x)) if self.training else self.first(x)


def test_two_norms_of_which_one_is_in_eval() -> None:
    # fvcore: 27 * 512 = 13,824, and for each norm 2 * 512 in eval and 5 * 512 in training
    image = torch.rand(1, 3, 8, 8)
    frozen = Norms()
    frozen.a.eval()
    found = [fl.count(net, (image,), "fvcore") for net in (Norms().eval(), frozen, Norms())]

    assert [ledger.total.count for ledger in found] == [15872, 17408, 18944]
    assert [ledger.graph.reading.profile["mode"] for ledger in found] == ["eval", "given", "train"]


@pytest.mark.parametrize("name", AS_IT_STANDS)
def test_a_fresh_model_is_counted_as_it_trains_where_the_tool_does_so(name: str) -> None:
    per = {"fvcore": 1, "torchprofile": 1, "torchsummary": 0}.get(name, 2)
    expected = {True: per * 224 or 128, False: per * 154 or 88}
    for training, count in expected.items():
        net = Heads().train(training)
        assert fl.count(net, (2, 7), name).total.count == count
        assert [m.training for m in net.modules()] == [training] * 3


@pytest.mark.parametrize("name", IN_EVAL)
def test_other_conventions_count_a_fresh_model_in_eval(name: str) -> None:
    fresh, still = (fl.count(net, (1, 7), name).total.count for net in (Heads(), Heads().eval()))

    assert fresh == still
    found = fl.explain(Heads(), name, "fvcore", (2, 7))
    assert (found.a.figure, found.b.figure) == (fl.count(Heads(), (2, 7), name).total.count, 224)


def test_a_layer_in_training_takes_no_fused_path() -> None:
    # without gradients, in eval, the encoder layer is one operator; in training its products are seen:
    # 10 rows of 8 by 24, 8 by 8, 8 by 12 and 12 by 8, and attention of 2 x 2 x 5 x 5 x (4 + 4)
    encoder = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
    given = torch.rand(2, 5, 8)
    products = 10 * (8 * 24 + 8 * 8 + 2 * 8 * 12) + 2 * 2 * 5 * 5 * (4 + 4)

    assert fl.count(encoder, (given,), "torch-flop-counter-no-grad").total.count == 2 * products
    assert fl.count(encoder.eval(), (given,), "torch-flop-counter-no-grad").total.count == 0


def test_what_is_built_is_in_eval() -> None:
    assert fl.count(Heads, (2, 7), "fvcore").total.count == 154
    assert fl.count(lambda: Heads(), (2, 7), "fvcore").graph.reading.profile["mode"] == "eval"  # noqa: PLW0108


def test_a_program_has_no_mode_of_its_own() -> None:
    program = torch.export.export(Heads(), (torch.rand(2, 7),))
    found = fl.count(program, (), "fvcore")

    assert found.total.count == 224
    assert found.graph.reading.profile["mode"] == "eval"


def test_a_graph_that_was_read_in_any_mode_is_a_model_in_that_mode() -> None:
    for mode, count in (("eval", 154), ("train", 224), ("given", 224)):
        graph = fl.read(Heads(), (2, 7), profile={"mode": mode})
        assert graph.count("fvcore").total.count == count
    with pytest.raises(ProfileMismatch, match="--set mode=train"):
        graph.count("torchinfo")


def test_torchinfo_counts_in_the_mode_that_it_is_told() -> None:
    # 2 samples of (7 + 1) 11 parameters, and of (7 + 1) 5; torchinfo.summary(..., mode="train" or "same")
    partly = nn.Sequential(Heads())
    partly[0].eval()
    for net, told, count in (
        (Heads(), "eval", 176), (Heads(), "train", 256), (Heads(), "same", 256), (partly, "same", 176),
        (partly, "train", 256),
    ):  # fmt: skip
        assert fl.count(net, (2, 7), "torchinfo", mode=told).total.count == count


@pytest.mark.slow
def test_the_command_reads_what_it_builds_in_eval_and_an_object_as_it_stands(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nets.py").write_text(
        "from torch import nn\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.f, self.g = nn.Linear(7, 11), nn.Linear(7, 5)\n\n    def forward(self, x):\n"
        "        return (self.f(x), self.g(x)) if self.training else self.f(x)\n\nnet = Net()\n"
    )
    monkeypatch.chdir(tmp_path)
    counts = {}
    for source, *options in (["nets.py:Net"], ["nets.py:net"], ["nets.py:Net", "--mode", "train"]):
        used = ["-i", "2x7", "-c", "mac", "-c", "fvcore", "-c", "thop", "--format", "json"]
        code = run(["count", source, *used, *options])
        said = capfd.readouterr()
        counts[source, *options] = (code, [one["total"]["count"] for one in json.loads(said.out)["ledgers"]])
        assert ("'thop' needs a reading with mode = eval" in said.err) is bool(options)

    assert counts == {
        ("nets.py:Net",): (0, [154, 154, 154]),
        ("nets.py:net",): (0, [154, 224, 154]),
        ("nets.py:Net", "--mode", "train"): (2, [224, 224]),
    }
