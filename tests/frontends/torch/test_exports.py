"""Networks against their own exports: the files of torch's two exporters beside the model that they read."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("onnx", reason="torch's exporters need the package onnx")

# The exporters warn of each other and take seconds.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

EXPORTERS = [pytest.param(False, id="torchscript"), pytest.param(True, id="dynamo")]
FOLDED = "batch_norm folded into the conv before it"
ADDED = "MatMul + Add of a constant as a linear layer with a bias"


@pytest.fixture(autouse=True)
def plain_attention() -> Iterator[None]:
    """Export attention as its products: the fused operator of the fast path has no translation."""
    torch.backends.mha.set_fastpath_enabled(False)
    yield
    torch.backends.mha.set_fastpath_enabled(True)


def random_weights(model: nn.Module) -> nn.Module:
    """Give each tensor its own values: exporters drop zeros, and store equal constants once."""
    random = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(0.5, 1.5, generator=random)
    return model.eval()


def exported(model: nn.Module, given: torch.Tensor, path: Path, *, dynamo: bool) -> str:
    if dynamo:
        pytest.importorskip("onnxscript", reason="torch's newer exporter needs the package onnxscript")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        torch.onnx.export(model, (given,), str(path), dynamo=dynamo, verbose=False)
    return str(path)


def reasons(model: nn.Module, given: torch.Tensor, path: Path, *, dynamo: bool) -> dict[str, int]:
    """Return how often each reason occurs, of a comparison whose figures are those of both totals."""
    random_weights(model)
    spec = f"{'x'.join(map(str, given.shape))}{'' if given.is_floating_point() else ':int64'}"
    found = fl.compare(fl.read(model, spec), fl.read(exported(model, given, path, dynamo=dynamo)))
    assert found.b.coverage.unknown == ()
    assert (found.macs, found.a.total.count) == (0, found.b.total.count)
    assert found.params == found.b.total.params - found.a.total.params
    assert found.params == sum(group.params for group in found.groups())
    return {group.reason: group.times for group in found.groups()}


class Residual(nn.Module):
    """A bottleneck of ResNet or MobileNetV2 with a classifier: convolutions that batch norms follow."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
        self.inner = nn.Sequential(
            nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6(),
            nn.Conv2d(16, 16, 3, padding=1, groups=groups, bias=False), nn.BatchNorm2d(16), nn.ReLU6(),
            nn.Conv2d(16, 8, 1, bias=False), nn.BatchNorm2d(8),
        )  # fmt: skip
        self.head = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        return self.head((x + self.inner(x)).mean((2, 3)))


@pytest.mark.parametrize("dynamo", EXPORTERS)
@pytest.mark.parametrize("groups", [1, 16])
def test_batch_norms_are_folded_and_nothing_else(tmp_path: Path, groups: int, *, dynamo: bool) -> None:
    given = torch.zeros(1, 3, 16, 16)
    assert reasons(Residual(groups), given, tmp_path / "net.onnx", dynamo=dynamo) == {FOLDED: 4}


class Preactivated(nn.Module):
    """The start of a DenseNet: behind the stem's norm, the next block begins with one of the same size."""

    def __init__(self, *, bias: bool) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=bias), nn.BatchNorm2d(8), nn.ReLU())
        self.block = nn.Sequential(nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        return x + self.block(x)


@pytest.mark.parametrize("dynamo", EXPORTERS)
@pytest.mark.parametrize("bias", [False, True])
def test_the_folded_norm_is_the_one_behind_the_stem(tmp_path: Path, *, bias: bool, dynamo: bool) -> None:
    given = torch.zeros(1, 3, 8, 8)
    assert reasons(Preactivated(bias=bias), given, tmp_path / "net.onnx", dynamo=dynamo) == {FOLDED: 1}


class Vision(nn.Module):
    """A vision transformer of one block: class token, table of positions, torch's own attention."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, 16))
        self.positions = nn.Parameter(torch.zeros(1, 5, 16))
        self.norms = nn.ModuleList([nn.LayerNorm(16), nn.LayerNorm(16)])
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))
        self.head = nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        y = self.norms[0](x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return self.head((x + self.mlp(self.norms[1](x)))[:, 0])


@pytest.mark.parametrize("dynamo", EXPORTERS)
def test_attention_is_its_projections_and_products(tmp_path: Path, *, dynamo: bool) -> None:
    given = torch.zeros(1, 3, 8, 8)
    assert reasons(Vision(), given, tmp_path / "net.onnx", dynamo=dynamo) == {
        ADDED: 2,
        "multi_head_attention as the layers that it covers": 1,
    }


class Recurrent(nn.Module):
    def __init__(self, levels: int) -> None:
        super().__init__()
        self.table = nn.Embedding(11, 6)
        self.lstm = nn.LSTM(6, 4, num_layers=levels, bidirectional=True, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(self.table(x))[0])


@pytest.mark.parametrize("dynamo", EXPORTERS)
@pytest.mark.parametrize("levels", [1, 2])
def test_a_recurrent_layer_is_itself_or_one_for_each_level(
    tmp_path: Path, levels: int, *, dynamo: bool
) -> None:
    given = torch.zeros(1, 7, dtype=torch.long)
    found = reasons(Recurrent(levels), given, tmp_path / "net.onnx", dynamo=dynamo)
    several = {} if levels == 1 else {"lstm as the layers that it covers": 1}
    assert found == {ADDED: 1, **several}


def bert() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        transformers = pytest.importorskip("transformers", reason="its BERT is the network")
    sizes = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 50}
    config = transformers.BertConfig(**sizes, num_hidden_layers=1, use_cache=False)

    class Bert(nn.Module):
        """BERT with the outputs that an exporter can return."""

        def __init__(self) -> None:
            super().__init__()
            self.bert = transformers.BertModel(config)

        def forward(self, x: torch.Tensor) -> Any:
            found = self.bert(input_ids=x)
            return found.last_hidden_state, found.pooler_output

    return Bert()


@pytest.mark.parametrize("dynamo", EXPORTERS)
def test_bert_s_tables_are_embeddings_though_their_indices_are_stated(
    tmp_path: Path, *, dynamo: bool
) -> None:
    given = torch.zeros(1, 128, dtype=torch.long)  # the newer exporter looks fewer up itself
    assert reasons(bert(), given, tmp_path / "net.onnx", dynamo=dynamo) == {
        ADDED: 6,
        "attention as the layers that it covers": 1,
    }


@pytest.mark.parametrize("dynamo", EXPORTERS)
def test_a_changed_network_is_found_out(tmp_path: Path, *, dynamo: bool) -> None:
    """An export of a network with another kernel is not equal, whatever else the exporter does."""
    path = exported(
        random_weights(Residual(1)), torch.zeros(1, 3, 16, 16), tmp_path / "n.onnx", dynamo=dynamo
    )
    model = Residual(1)
    model.inner[3] = nn.Conv2d(16, 16, 5, padding=2, bias=False)
    found = fl.compare(fl.read(model, "1x3x16x16"), fl.read(path))
    assert not found.equal
    assert found.macs == -(25 - 9) * 16 * 16 * 8 * 8
    assert {group.reason for group in found.groups()} == {FOLDED, "kernel 5x5 against 3x3"}
