"""Exported programs are read as the modules that they were made from."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from flopledger.dims.arithmetic import substitute
from flopledger.errors import SourceError
from flopledger.plugins.discovery import kinds
from flopledger.testing import check_graph
from networks import Attention, Dense, Generator, Inverted, Recurrent, ResNet, UNet, ViT
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flopledger.graph.graph import Graph


def exported(model: nn.Module, *args: Tensor, **more: Any) -> torch.export.ExportedProgram:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.export.export(model.eval(), args, **more)


def calls(graph: Graph) -> list[str]:
    """Return the paths of the module calls, in order, but for those that do nothing at all."""
    return [c.path for c in graph.layers if c.level == "layer" and c.kind != "identity"]


def by_module(graph: Graph) -> Counter[str]:
    """Return our own count for each module's call, by its path."""
    found: Counter[str] = Counter()
    for row in graph.count("mac").rows:
        layer = graph.layers[row.id]
        while layer.level != "layer":
            assert layer.parent is not None
            layer = graph.layers[layer.parent]
        found[layer.path] += row.count
    return +found


def weights(graph: Graph) -> dict[str, tuple[int, ...]]:
    """Return the sizes of all weights and buffers by each of their names."""
    return {name: tuple(p.shape) for p in graph.parameters for name in p.names}


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "ResNet": (ResNet, (2, 3, 64, 64)),
    "inverted residual": (lambda: Inverted(6), (1, 6, 15, 15)),
    "dense block": (Dense, (1, 12, 15, 15)),
    "U-Net": (UNet, (1, 3, 32, 32)),
    "generator": (Generator, (2, 20, 1, 1)),
    "attention": (Attention, (2, 7, 24)),
    "ViT": (ViT, (2, 3, 32, 32)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_program_has_the_modules_and_the_figures_of_the_live_model(name: str) -> None:
    make, shape = NETWORKS[name]
    model = make()
    live, read = fl.read(model, torch.zeros(shape)), fl.read(exported(model, torch.zeros(shape)))
    check_graph(read, kinds())
    assert calls(read) == calls(live)
    assert by_module(read) == by_module(live)
    assert weights(read) == weights(live)
    assert read.count("mac").total == live.count("mac").total
    assert read.count("mac").coverage.unknown == ()
    assert read.reading.notes == ()


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_recurrent_layers_and_tied_weights_are_read_so_too(name: str) -> None:
    model, ids = Recurrent(name), torch.zeros(2, 9, dtype=torch.int64)
    live, read = fl.read(model, ids), fl.read(exported(model, ids))
    assert calls(read) == calls(live)
    assert read.count("mac").total == live.count("mac").total
    # the table of 50 words of 12 is tied to the words that come out: it has both names, and counts once
    assert weights(read)["table.weight"] == weights(read)["words.weight"] == (50, 12)


class Reused(nn.Module):
    """One layer under two names, one that is called twice, and one whose result nobody reads."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.again = self.first
        self.body = nn.Sequential(nn.Linear(4, 4, bias=False), nn.ReLU())
        self.unread, self.unused = nn.Linear(4, 5), nn.Linear(4, 6)
        self.register_buffer("scale", torch.ones(4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(self.body(self.again(self.first(x))))
        self.unread(x)
        return x * self.scale


def test_modules_that_are_called_again_or_in_vain_are_there() -> None:
    read = fl.read(exported(Reused(), torch.zeros(3, 4)))
    assert calls(read) == [
        "Reused", "first", "again", "body", "body.0", "body.1", "body#2", "body.0#2", "body.1#2", "unread",
    ]  # fmt: skip
    # 3 rows: 4 x 4 four times, and 4 x 5
    assert by_module(read) == {
        "first": 48, "again": 48, "body.0": 48, "body.0#2": 48, "unread": 60,
    }  # fmt: skip
    # 16 + 4 under two names, 16, 20 + 5, 24 + 6
    assert read.count("mac").total.params == 20 + 16 + 25 + 30
    assert read.count("mac").total.buffers == 4


class Again(nn.Module):
    """Calls itself as often as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(4, 4)

    def forward(self, x: Tensor, times: int = 2, *, more: Tensor | None = None) -> Tensor:
        x = self.mix(x)
        if times:
            return self(x, times - 1, more=more)
        return x if more is None else x + more


@pytest.mark.parametrize("inside", [False, True])
def test_a_module_that_calls_itself_is_read(*, inside: bool) -> None:
    read = fl.read(exported(nn.Sequential(Again()) if inside else Again(), torch.zeros(3, 4)))
    assert read.count("mac").total.count == 3 * 3 * 4 * 4  # three times, 3 rows by 4 x 4


class Named(nn.Module):
    """Has parts that are called as things in the reader are."""

    def __init__(self) -> None:
        super().__init__()
        self.due, self.run, self.root = nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.root(self.run(self.due(x)))
        return y


def test_parts_may_be_called_anything() -> None:
    read = fl.read(exported(nn.Sequential(Named()), torch.zeros(3, 4)))
    assert calls(read) == ["Sequential", "0", "0.due", "0.run", "0.root"]


def test_a_program_is_read_with_all_that_it_was_exported_with() -> None:
    program = exported(Again(), torch.zeros(3, 4), kwargs={"more": torch.zeros(2, 3, 4)})
    assert fl.count(program).rows[-1].outputs == ((2, 3, 4),)


def test_the_classes_of_the_modules_are_named() -> None:
    read = fl.read(exported(ResNet(), torch.zeros(1, 3, 32, 32)))
    types = {path: module.type for module in read.modules for path in module.paths}
    assert types[""] == "networks.ResNet"
    assert types["stem.0"] == "torch.nn.modules.conv.Conv2d"


def test_a_file_says_where_its_operations_belong(tmp_path: Path) -> None:
    model, file = ResNet(), tmp_path / "net.pt2"
    torch.export.save(exported(model, torch.zeros(2, 3, 32, 32)), file)
    ledger = fl.count(str(file))
    assert ledger.total == fl.count(model, "2x3x32x32").total
    assert {"stem.0/conv2d", "blocks.1.body.3/conv2d"} <= {row.path for row in ledger.rows}


def test_a_program_for_any_batch_takes_any_batch_and_symbols() -> None:
    model = ResNet()
    program = exported(
        model, torch.zeros(4, 3, 32, 32), dynamic_shapes=({0: torch.export.Dim("rows", min=1, max=64)},)
    )
    assert fl.count(program, "7x3x32x32").total == fl.count(model, "7x3x32x32").total
    formula = fl.count(program, "Nx3x32x32").total.count
    assert substitute(formula, {"N": 7}) == fl.count(model, "7x3x32x32").total.count


def test_a_program_that_was_exported_for_other_sizes_refuses_these() -> None:
    program = exported(ResNet(), torch.zeros(2, 3, 32, 32))
    with pytest.raises(SourceError, match=r"x\.size\(\)\[0\] == 2|Guard failed"):
        fl.read(program, "3x3x32x32")


def test_a_program_that_does_not_know_its_modules_is_read_flat_and_says_so() -> None:
    program = exported(ResNet(), torch.zeros(1, 3, 32, 32))
    for node in program.graph.nodes:
        node.meta.pop("nn_module_stack", None)
    read = fl.read(program)
    assert read.reading.notes == ("the program does not name the modules of its operations",)
    assert read.count("mac").total.count == fl.count(ResNet(), "1x3x32x32").total.count


WORDS = {
    "vocab_size": 50, "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2,
    "num_attention_heads": 2,
}  # fmt: skip
PUBLISHED: dict[str, tuple[str, dict[str, int]]] = {
    "Bert": ("BertModel", WORDS),
    "GPT2": ("GPT2LMHeadModel", {"vocab_size": 50, "n_embd": 16, "n_layer": 2, "n_head": 2}),
    "Llama": ("LlamaForCausalLM", {**WORDS, "num_key_value_heads": 1}),
}


class First(nn.Module):
    """Returns the first thing that a model returns."""

    def __init__(self, model: nn.Module, told: dict[str, bool]) -> None:
        super().__init__()
        self.model, self.told = model, told

    def forward(self, input_ids: Tensor) -> Any:
        return self.model(input_ids, **self.told)[0]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_language_models_are_read_so_too(name: str) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    kind, told = PUBLISHED[name]
    config = getattr(transformers, f"{name}Config")(**told, bos_token_id=0, eos_token_id=1)
    model = First(getattr(transformers, kind)(config), {} if name == "Bert" else {"use_cache": False})
    ids = torch.zeros(2, 9, dtype=torch.int64)
    live, read = fl.read(model.eval(), ids), fl.read(exported(model, ids))
    assert calls(read) == calls(live)
    assert by_module(read) == by_module(live)
    assert read.count("mac").total == live.count("mac").total
    assert read.count("mac").coverage.unknown == ()
