"""Sources: models by name, lazy and wrapped ones, exported programs; and messages about others."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from flopledger.errors import SourceError, UsageError
from flopledger.testing import check_frontend
from networks import Recurrent, ResNet, Routed, seed_convolutions
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NET = """
class Net(nn.Module):
    def __init__(self, width=8, weights="imagenet"):
        super().__init__()
        assert weights is None
        self.body = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))

    def forward(self, x):
        return self.body(x)

net = Net(weights=None)
"""


@pytest.mark.slow
def test_the_frontend_keeps_the_contract(net_file: Callable[[str], str]) -> None:
    from flopledger.frontend.request import Request
    from flopledger.frontend.specs import parse_spec

    source = f"{net_file(NET)}:Net"
    check_frontend("torch", source, Request(source, (parse_spec("3x4"),)))


@pytest.mark.parametrize(
    ("name", "arguments", "count"), [("net", {}, 144), ("Net", {}, 144), ("Net", {"width": 5}, 90)]
)
def test_a_model_is_read_by_name(
    net_file: Callable[[str], str], name: str, arguments: dict[str, object], count: int
) -> None:
    # 3 rows of 4 * 8 + 8 * 2, or of 4 * 5 + 5 * 2
    graph = fl.read(f"{net_file(NET)}:{name}", "3x4", arguments=arguments)
    assert graph.count("mac").total.count == count


@pytest.mark.slow
def test_a_class_is_built_without_memory(net_file: Callable[[str], str]) -> None:
    body = "class Big(nn.Linear):\n    def __init__(self):\n        super().__init__(1 << 21, 1 << 21)"
    ledger = fl.read(f"{net_file(body)}:Big", "1x2097152", memory_limit=16 << 30).count("mac")
    assert ledger.total.count == 1 << 42  # weights of 16 TiB


@pytest.mark.slow
def test_a_function_is_built_without_memory_by_what_its_file_imports(net_file: Callable[[str], str]) -> None:
    source = net_file("def big():\n    return nn.Linear(1 << 21, 1 << 21)")

    ledger = fl.read(f"{source}:big", "1x2097152", memory_limit=16 << 30).count("mac")

    assert ledger.total.count == 1 << 42


VALUES = """
class Rates(nn.Module):
    def __init__(self):
        super().__init__()
        self.rates = [r.item() for r in torch.linspace(0, 1, 3)]
        self.big = nn.Linear(1 << 10, 1 << 10)

    def forward(self, x):
        return self.big(x) * self.rates[1]

class Weights(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.top = float(self.linear.weight.detach().max())

    def forward(self, x):
        return self.linear(x) * self.top
"""


@pytest.mark.slow
def test_a_constructor_may_read_values(net_file: Callable[[str], str]) -> None:
    file = net_file(VALUES)
    graph = fl.read(f"{file}:Rates", "1x1024")
    assert graph.modules[0].native["rates"] == (0.0, 0.5, 1.0)
    assert graph.reading.notes == ()
    assert fl.read(f"{file}:Weights", "1x4").reading.notes == (
        "the weights were allocated, since the constructor reads their values",
    )


@pytest.mark.slow
def test_a_tensor_in_an_object_of_the_model_s_own_may_have_no_memory(net_file: Callable[[str], str]) -> None:
    body = """
class Table:
    def __init__(self):
        self.values = torch.ones(5)

class Net(nn.Linear):
    def __init__(self):
        super().__init__(4, 5)
        self.table = Table()

    def forward(self, x):
        return super().forward(x) * self.table.values
"""
    assert fl.read(f"{net_file(body)}:Net", "2x4").count("mac").total.count == 40


class Compiled(nn.Module):
    """A layer before one that torch.jit compiled, which has a running mean of its own."""

    def __init__(self, *, traced: bool) -> None:
        super().__init__()
        inner = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.BatchNorm1d(4))
        self.first = nn.Linear(16, 8)
        self.second = torch.jit.trace(inner, torch.zeros(2, 8)) if traced else torch.jit.script(inner)

    def forward(self, x: torch.Tensor) -> Any:
        """Return the results of both."""
        return self.second(self.first(x))


@pytest.mark.parametrize("traced", [False, True])
def test_modules_that_torch_jit_compiled_are_read_by_their_operators(*, traced: bool) -> None:
    """3 rows of 16 * 8 and 8 * 4; weights, biases and the norm's scale and shift."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = Compiled(traced=traced)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    ledger = fl.count(net, "3x16")
    assert (ledger.total.count, ledger.total.params) == (3 * (128 + 32), 136 + 36 + 8)
    assert any("torch.jit" in one for one in ledger.graph.reading.notes)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_a_training_step_of_a_part_that_torch_jit_compiled_is_read() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        part = torch.jit.script(nn.Sequential(nn.Linear(8, 4), nn.ReLU()))
    total = fl.read(nn.Sequential(nn.Linear(16, 8), part), "3x16", step="train").count("mac").total
    # the forward, the gradients of both weights, and that of what is between them
    assert total.count == 3 * (128 + 32) + 3 * (128 + 32) + 3 * 32


def test_a_lazy_model_gets_its_sizes_and_stays_lazy() -> None:
    model = nn.Sequential(nn.LazyConv2d(8, 3), nn.Flatten(), nn.LazyLinear(5))
    graph = fl.read(model, "2x3x8x8")
    # 2 * 8 * 36 outputs of 27 terms, 2 * 5 of 288
    assert graph.count("mac").total.count == 15552 + 2880
    assert graph.count("mac").total.params == 3 * 9 * 8 + 8 + 288 * 5 + 5
    assert isinstance(model[2].weight, nn.parameter.UninitializedParameter)


class Wrapped(nn.Module):
    """Stands for a wrapper that shares a model among processes."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module


@pytest.mark.parametrize(
    "wrap",
    [nn.DataParallel, torch.compile, type("FancyDataParallel", (Wrapped,), {})],
    ids=["DataParallel", "compile", "like DDP"],
)
def test_wrappers_are_looked_through(wrap: Callable[[nn.Module], nn.Module]) -> None:
    model = ResNet()
    assert fl.read(wrap(model), "1x3x32x32").digest == fl.read(model, "1x3x32x32").digest


def test_parts_that_are_compiled_run_as_they_are_written() -> None:
    class Parts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = torch.compile(nn.Linear(4, 5))
            self.b = nn.Linear(5, 6)
            self.b.compile()
            self.c = torch.compile(lambda x: x @ x.T)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.c(self.b(self.a(x)))
            return y

    # 3 rows of 4 * 5 + 5 * 6, and 3 * 3 products of 6 terms
    assert fl.read(Parts(), "3x4").count("mac").total.count == 204


def test_a_traced_graph_is_a_model_like_any_other() -> None:
    model = ResNet()
    traced = torch.fx.symbolic_trace(model)
    a, b = (fl.read(m, "1x3x32x32").count("mac").total for m in (model, traced))
    assert (a.count, a.params, a.buffers) == (b.count, b.params, b.buffers)


@pytest.mark.slow
def test_an_exported_program_is_read_with_the_inputs_that_it_has(tmp_path: Path) -> None:
    model = seed_convolutions().eval()
    file = tmp_path / "net.pt2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(model, (torch.zeros(2, 3, 32, 32),)), file)
    ledger = fl.read(str(file)).count("mac")
    assert ledger.total.count == fl.read(model, "2x3x32x32").count("mac").total.count
    assert ledger.total.params == 7428
    assert ledger.coverage.unknown == ()


@pytest.mark.slow
def test_a_file_that_is_no_exported_program_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "net.pt2"
    file.write_bytes(b"nothing")
    with pytest.raises(SourceError, match="can't be read"):
        fl.read(str(file))


class Stepping(nn.Module):
    """Takes as many steps as its data says."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(int(x.sum())):
            x = self.fc(x)
        return x


def test_what_depends_on_data_names_the_line_and_offers_to_execute() -> None:
    line = r"depends on its data.*test_sources.py, line \d+: for _ in .*execute=True"
    with pytest.raises(SourceError, match=line):
        fl.read(Stepping(), "4x8")


def test_rows_that_the_data_chooses_are_a_symbol_of_each_expert() -> None:
    assert str(fl.count(Routed(), "4x8").total.count) == "64*Nonzero + 64*Nonzero2"


def test_an_executed_forward_shows_what_depends_on_data() -> None:
    graph = fl.read(Routed(), "4x8", execute=True)
    # the inputs are 3/997, 59/997, 115/997 and 171/997: the first expert takes all rows, the second none
    assert graph.count("mac").total.count == 4 * 64
    assert graph.count("mac").total.params == 144
    assert graph.reading.notes == (
        "the forward was executed on real tensors: whatever depends on data is as for these values",
    )


def test_an_executed_forward_is_read_as_a_fake_one() -> None:
    for model, inputs in ((ResNet(), "1x3x32x32"), (Recurrent("GRU"), "2x5:int64")):
        fake, real = (fl.read(model, inputs, execute=execute) for execute in (False, True))
        assert [c.source for c in fake.layers] == [c.source for c in real.layers]
        assert fake.count("ops").total.count == real.count("ops").total.count


def test_packed_sequences_are_counted_step_by_step() -> None:
    class Packed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(4, 5)

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
            out, _ = self.rnn(packed)
            return nn.utils.rnn.pad_packed_sequence(out)[0]

    graph = fl.read(Packed(), (torch.zeros(7, 3, 4), torch.tensor([2, 7, 4])), execute=True)
    # 2 + 7 + 4 steps of 4 gates of 5 * (4 + 5)
    assert graph.count("mac").total.count == 13 * 180
    assert graph.count("mac").coverage.unknown == ()


def test_a_missing_input_says_how_to_give_it() -> None:
    with pytest.raises(UsageError, match=r"missing a required argument: 'ids'.*inputs=.ids=1x128:int64"):
        fl.count(Recurrent(), convention="torch-flop-counter")


def test_an_input_without_its_type_says_how_to_give_it() -> None:
    with pytest.raises(SourceError, match=r"networks.py, line \d+.*as in input_ids=1x128:int64"):
        fl.read(Recurrent(), "2x5")


def test_a_dtype_that_torch_has_not_is_refused() -> None:
    with pytest.raises(UsageError, match="the dtype 'int63' is not known to torch"):
        fl.read(Recurrent(), "2x5:int63")


def test_a_mode_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="the mode is 'test', expected one of eval, train, given"):
        fl.read(Recurrent(), "2x5:int64", profile={"mode": "test"})


def test_an_input_that_does_not_fit_names_the_line_of_the_model() -> None:
    with pytest.raises(SourceError, match=r"RuntimeError.*networks.py, line \d+"):
        fl.read(ResNet(), "1x4x32x32")


@pytest.mark.slow
def test_a_model_of_405_billion_parameters_is_read() -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    config = transformers.LlamaConfig(
        hidden_size=16384, intermediate_size=53248, num_hidden_layers=126, num_attention_heads=128,
        num_key_value_heads=8, vocab_size=128256,
    )  # fmt: skip
    with torch.device("meta"):
        model = transformers.LlamaForCausalLM(config)
    total = fl.count(model, {"input_ids": "1x8192:int64"}).total
    assert total.params == 405853388800
    # each of 126 layers: two products with 16384 x 16384, two with 16384 x 1024, three with 16384 x 53248
    weights = 126 * (2 * 16384 * 16384 + 2 * 16384 * 1024 + 3 * 16384 * 53248) + 16384 * 128256
    attention = 126 * 2 * 8192 * 8192 * 16384
    assert total.count == 8192 * weights + attention == 3584579705241600
