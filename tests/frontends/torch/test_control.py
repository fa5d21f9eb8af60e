"""Sequences of given lengths, derivatives inside a forward, operators given functions, generators."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from flopledger.errors import SourceError
from torch import Tensor, nn
from torch._higher_order_ops.map import map as map_rows  # type: ignore[attr-defined]
from torch._higher_order_ops.scan import scan
from torch._higher_order_ops.while_loop import while_loop
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Net(nn.Module):
    """Linear(4, 4), 16 MAC a row, in a forward that is given."""

    def __init__(self, forward: Callable[[Net, Tensor], Any]) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.given = forward

    def forward(self, x: Tensor) -> Any:
        return self.given(self, x)


def figures(forward: Callable[[Any, Tensor], Any]) -> tuple[object, list[str]]:
    """Return the MACs on two rows, and the sources of unknown calls."""
    ledger = fl.count(Net(forward), "2x4")
    return ledger.total.count, [unknown.source for unknown in ledger.coverage.unknown]


class Packed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(4, 5)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
        out: Tensor = pad_packed_sequence(self.rnn(packed)[0])[0]
        return out


def test_a_packed_input_is_counted_row_by_row() -> None:
    given = (pack_sequence([torch.zeros(5, 16), torch.zeros(3, 16)]),)
    # 5 + 3 rows of 4 gates of 8 * (16 + 8)
    assert fl.count(nn.LSTM(16, 8), given).total.count == 6144


def test_the_lengths_that_are_given_are_used_by_position_and_by_name() -> None:
    x, lengths = torch.zeros(7, 3, 4), torch.tensor([2, 7, 4])
    # 13 rows of 4 gates of 5 * (4 + 5)
    assert fl.count(Packed(), (x, lengths)).total.count == 2340
    assert fl.count(Packed(), ((x,), {"lengths": lengths})).total.count == 2340


def test_edges_that_are_given_are_used() -> None:
    class Edges(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(16, 32)

        def forward(self, x: Tensor, edges: Tensor) -> Tensor:
            edges = edges[:, edges[0] != edges[1]]
            loops = torch.arange(len(x)).repeat(2, 1)
            edges = torch.cat((edges, loops), 1)
            y: Tensor = self.fc(x[edges[0]])
            return y

    # of the edges 0-0, 0-1, 1-2 two are no self loops, and 3 self loops are added: 5 rows of 16 * 32
    ledger = fl.count(Edges(), (torch.zeros(3, 16), torch.tensor([[0, 0, 1], [0, 1, 2]])))
    assert ledger.total.count == 5 * 512
    note = "whatever depends on data is as for the values of the inputs that were given"
    assert ledger.graph.reading.notes == (note,)


def test_derivatives_inside_a_forward_are_counted() -> None:
    def gradient(net: Any, x: Tensor) -> Any:
        x.requires_grad_(True)  # noqa: FBT003  (torch's way)
        return torch.autograd.grad(net.fc(x).sum(), x)

    def backward(net: Any, x: Tensor) -> Any:
        net.fc(x).sum().backward()
        return x

    # forward 2 * 16 and as many for the gradient of the input; of the weight as many, the input has none
    assert figures(gradient) == (64, [])
    assert figures(backward) == (64, [])


def test_a_derivative_that_is_not_followed_is_unknown_by_name() -> None:
    class Twice(torch.autograd.Function):
        """Twice its input, with a derivative of its own."""

        @staticmethod
        def forward(_ctx: Any, x: Tensor) -> Tensor:
            return x * 2

        @staticmethod
        def backward(_ctx: Any, grad: Tensor) -> Tensor:
            return grad * 2

    def gradient(net: Any, x: Tensor) -> Any:
        x.requires_grad_(True)  # noqa: FBT003  (torch's way)
        return torch.autograd.grad(Twice.apply(net.fc(x)).sum(), x)  # type: ignore[no-untyped-call]

    assert figures(gradient) == (32, ["torch.autograd.backward"])


def test_a_derivative_by_torch_func_is_counted() -> None:
    # forward 2 * 16, and the gradient of the input 2 * 16
    assert figures(lambda net, x: torch.func.grad(lambda t: net.fc(t).sum())(x)) == (64, [])


def test_a_forward_that_yields_is_run_to_its_end() -> None:
    def twice(net: Any, x: Tensor) -> Iterator[Tensor]:
        yield net.fc(x)
        yield net.fc(x)

    assert figures(twice) == (64, [])


def test_what_is_worked_out_when_it_is_asked_for_is_counted_wherever_it_is_returned() -> None:
    """Two calls of 2 * 16 each, which run only when the results are taken."""
    assert figures(lambda net, x: map(net.fc, [x, x])) == (64, [])
    assert figures(lambda net, x: zip([1, 2], map(net.fc, [x, x]), strict=True)) == (64, [])
    assert figures(lambda net, x: itertools.starmap(net.fc, [(x,), (x,)])) == (64, [])
    assert figures(lambda net, x: {"rows": [(net.fc(x) for _ in range(2))]}) == (64, [])


def test_results_without_end_are_refused() -> None:
    with pytest.raises(SourceError, match="returns a cycle of more than 10000 results"):
        figures(lambda net, x: itertools.cycle([net.fc(x)]))


def test_a_branch_is_counted_where_its_condition_is_known_and_else_unknown() -> None:
    def known(net: Any, x: Tensor) -> Any:
        return torch.cond(torch.arange(3).sum() > 2, net.fc, lambda t: net.fc(net.fc(t)), (x,))

    def open_(net: Any, x: Tensor) -> Any:
        return torch.cond(x.sum() > 2, net.fc, lambda t: net.fc(net.fc(t)), (x,))

    assert figures(known) == (32, [])
    assert figures(open_) == (0, ["higher_order.cond"])


def test_loops_and_maps_are_counted_turn_by_turn() -> None:
    def loop(net: Any, x: Tensor) -> Any:
        start = torch.zeros((), dtype=torch.int64)
        return while_loop(lambda i, _: i < 3, lambda i, t: (i + 1, net.fc(t)), (start, x))

    def steps(net: Any, x: Tensor) -> Any:
        return scan(lambda state, row: (net.fc(state) + row, state.clone()), torch.zeros(4), x)

    assert figures(loop) == (96, [])
    assert figures(lambda net, x: map_rows(net.fc, x)) == (32, [])
    assert figures(steps) == (32, [])


def test_a_derivative_along_a_direction_is_counted_as_torchs_own_counter_does() -> None:
    """The layer, and a product with each of its tangents: FlopCounterMode gives 192 FLOP for two rows."""

    def along(net: Any, x: Tensor) -> Any:
        return torch.func.jvp(net.fc, (x,), (torch.ones_like(x),))

    with FlopCounterMode(display=False) as counter:
        Net(along)(torch.zeros(2, 4))
    assert counter.get_total_flops() == 192
    assert figures(along) == (96, [])


def test_distributions_are_results_and_what_they_check_of_their_parameters_holds() -> None:
    def normal(net: Any, x: Tensor) -> Any:
        return torch.distributions.Normal(net.fc(x), 1.0)

    assert figures(normal) == (32, [])


@torch.library.custom_op("flopledger_test::twice", mutates_args=())
def twice(x: Tensor) -> Tensor:
    return x * 2


def test_what_follows_an_operator_without_a_fake_kernel_is_unknown_and_execution_is_named() -> None:
    net = Net(lambda net, x: net.fc(twice(net.fc(x))))
    ledger = fl.count(net, "2x4")
    assert (ledger.total.count, [u.source for u in ledger.coverage.unknown]) == (32, ["data-dependent"])
    assert "flopledger_test.twice" in ledger.graph.reading.notes[0]
    assert "execute=True" in ledger.graph.reading.notes[0]
    assert fl.count(net, "2x4", execute=True).total.count == 64


def test_a_compressed_tensor_of_results_leaves_only_what_follows_it_unknown() -> None:
    def graph(net: Any, x: Tensor) -> Any:
        values = net.fc(x).flatten()
        rows, columns = torch.tensor([0, 4, 8]), torch.arange(8) % 4
        return net.fc(torch.sparse_csr_tensor(rows, columns, values, size=(2, 4)) @ x.T)

    assert figures(graph) == (32, ["data-dependent"])


def test_an_error_of_sizes_is_stated_once_with_the_line_of_the_model(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(SourceError, match=r"test_control\.py, line \d+: "):
        fl.count(Net(lambda net, x: net.fc(x)), "2x5")
    assert caplog.records == []


@pytest.fixture
def filling() -> Iterator[Callable[..., None]]:
    """An operator of the user's own that writes its result into an argument, as those of vLLM do."""
    library = torch.library.Library("flopledger_control", "FRAGMENT")
    library.define("fill(Tensor a, Tensor(x!) out) -> ()")
    library.impl("fill", lambda *_: None, "Meta")
    yield torch.ops.flopledger_control.fill
    library._destroy()  # type: ignore[no-untyped-call]


def test_an_operator_that_fills_an_argument_is_unknown_and_not_free(filling: Callable[..., None]) -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        out = torch.empty(2, 4)
        filling(net.fc(x), out)
        return out

    assert figures(forward) == (32, ["flopledger_control.fill.default"])


def test_operators_on_lists_are_unknown_in_place_too() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        y = net.fc(x)
        torch._foreach_mul_([y], 2.0)
        return torch._foreach_add([y], 1.0)[0]

    assert figures(forward) == (32, ["aten._foreach_mul_.Scalar", "aten._foreach_add.Scalar"])


def test_products_without_a_layer_are_counted_before_the_forward_depends_on_data() -> None:
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.rand(4, 4))

        def forward(self, x: Tensor) -> Tensor:
            y = x @ self.weight
            return y @ self.weight if y.sum() > 0 else y

    ledger = fl.count(Plain(), "2x4")
    assert (ledger.total.count, [unknown.source for unknown in ledger.coverage.unknown]) == (
        2 * 4 * 4,
        ["data-dependent"],
    )


def test_what_makes_an_older_nested_tensor_is_named() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        return net.fc(torch.nested.nested_tensor([net.fc(x), x]))  # type: ignore[no-any-return]

    ledger = fl.count(Net(forward), "2x4")
    assert ledger.total.count == 32
    assert ["_nested_tensor_from_tensor_list" in note for note in ledger.graph.reading.notes] == [True]


def test_operators_that_answer_in_python_are_unknown_by_name() -> None:
    class Asking(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2 if torch.equal(x, x + 1) or torch.allclose(x, x) else x

    ledger = fl.count(Asking(), (torch.ones(2, 3),), "ops")
    assert sorted(one.source for one in ledger.coverage.unknown) == [
        "aten.allclose.default",
        "aten.equal.default",
    ]
