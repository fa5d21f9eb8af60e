"""Values that no input decides are computed, assertions on data hold, and only a tail may be unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from flopledger.errors import SourceError
from torch import Tensor, nn

from .asserting_models import Asserting

if TYPE_CHECKING:
    from collections.abc import Callable

MACS = 16 * 8
"""Of Linear(16, 8) on one row."""


class Net(nn.Module):
    """A linear layer, and constants of several sorts; its forward is given."""

    def __init__(self, forward: Callable[[Net, Tensor], Tensor]) -> None:
        super().__init__()
        self.fc = nn.Linear(16, 8)
        self.scale = nn.Parameter(torch.full((), 2.0))
        self.register_buffer("strides", torch.tensor([8.0, 16.0, 32.0]))
        self.register_buffer("lengths", torch.tensor([3, 1]))
        self.register_buffer("mask", torch.tensor([True, False] * 8))
        self.given = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.given(self, x)


def strides_as_a_list(net: Any, x: Tensor) -> Tensor:
    assert net.strides.tolist() == [8.0, 16.0, 32.0]
    return net.fc(x.expand(int(net.strides.max()), 16))  # type: ignore[no-any-return]


def a_parameter_as_a_number(net: Any, x: Tensor) -> Tensor:
    return net.fc(x.expand(int(net.scale.item()), 16))  # type: ignore[no-any-return]


def a_product_of_sizes(net: Any, x: Tensor) -> Tensor:
    rows = torch.tensor(x.shape).prod() // 4
    return net.fc(x.expand(rows, 16))  # type: ignore[no-any-return]


def a_place_found_in_a_ramp(net: Any, x: Tensor) -> Tensor:
    found = (torch.linspace(0, 1, 5) > 0.3).nonzero().squeeze(1)
    return net.fc(x.expand(len(found), 16))  # type: ignore[no-any-return]


def a_mask_of_its_own(net: Any, x: Tensor) -> Tensor:
    half = x.expand(4, 16)[:, net.mask]
    return net.fc(torch.cat((half, half), 1))  # type: ignore[no-any-return]


def rows_as_often_as_a_buffer_says(net: Any, x: Tensor) -> Tensor:
    return net.fc(torch.repeat_interleave(x.expand(2, 16), net.lengths, dim=0))  # type: ignore[no-any-return]


def a_fill_with_an_element(net: Any, x: Tensor) -> Tensor:
    return net.fc(x.expand(int(torch.full((3,), net.strides[0]).sum()), 16))  # type: ignore[no-any-return]


def writes_through_a_view(net: Any, x: Tensor) -> Tensor:
    a = torch.zeros(4)
    before = a + 1
    a[1:3].fill_(5)
    a[0] = 2
    assert (a.tolist(), before.tolist()) == ([2, 5, 5, 0], [1, 1, 1, 1])
    return net.fc(x.expand(int(a.sum()), 16))  # type: ignore[no-any-return]


def a_buffer_written_to(net: Any, x: Tensor) -> Tensor:
    net.strides[0] = 4
    return net.fc(x.expand(int(net.strides[0]), 16))  # type: ignore[no-any-return]


def segments_of_a_sorted_list(net: Any, x: Tensor) -> Tensor:
    kinds = torch.tensor([0, 0, 0, 1, 1])
    ends = torch._convert_indices_from_coo_to_csr(kinds, 2)
    return net.fc(x.expand(int(ends[1]), 16))  # type: ignore[no-any-return]


def a_function_named_like_a_product(net: Any, x: Tensor) -> Tensor:
    return net.fc(x.expand(int(torch.lgamma(torch.tensor(4.0)).exp().round()), 16))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("forward", "rows"),
    [
        (segments_of_a_sorted_list, 3),
        (a_function_named_like_a_product, 6),  # the gamma function of 4
        (strides_as_a_list, 32),
        (a_parameter_as_a_number, 2),
        (a_product_of_sizes, 4),  # 1 * 16 // 4
        (a_place_found_in_a_ramp, 3),  # 0.5, 0.75 and 1
        (a_mask_of_its_own, 4),
        (rows_as_often_as_a_buffer_says, 4),  # 3 + 1
        (a_fill_with_an_element, 24),  # 3 * 8
        (writes_through_a_view, 12),  # 2 + 5 + 5
        (a_buffer_written_to, 4),
    ],
)
def test_a_value_that_no_input_decides_is_computed(forward: Any, rows: int) -> None:
    net = Net(forward)
    ledger = fl.count(net, "1x16")
    assert (ledger.total.count, ledger.coverage.unknown) == (rows * MACS, ())
    assert net.strides.tolist() == [8.0, 16.0, 32.0]  # type: ignore[operator]


def test_what_an_input_was_written_to_is_not_known() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        a = torch.zeros(2)
        a[0] = x[0, 0]
        return net.fc(x) if a.sum() > 0 else x  # type: ignore[no-any-return]

    with pytest.raises(SourceError, match=r"depends on its data.*test_values.py, line \d+: return net.fc"):
        fl.count(Net(forward), "1x16")


def test_assertions_on_data_are_taken_to_hold_and_noted() -> None:
    graph = fl.read(Asserting(), "1x16")
    assert graph.count("mac").total.count == MACS
    assert len(graph.reading.notes) >= 5
    assert all(note.startswith("taken to hold, whatever the data: ") for note in graph.reading.notes)
    assert any(note.endswith(": assert (x < 3).all()") for note in graph.reading.notes)


def test_where_only_the_tail_depends_on_data_all_before_it_is_counted() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        y: Tensor = net.fc(x)
        return y if y.max() > 0 else net.fc(x)

    ledger = fl.count(Net(forward), "3x16")
    assert ledger.total.count == 3 * MACS
    unknown = [(u.source, u.calls) for u in ledger.coverage.unknown]
    assert unknown == [("data-dependent", 1)]
    assert "test_values.py, line" in ledger.graph.reading.notes[0]
    assert "execute=True" in ledger.graph.reading.notes[0]


def test_a_count_can_execute_as_the_refusal_says() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        return net.fc(x) if x[:, 0].min() > 0 else x  # type: ignore[no-any-return]

    with pytest.raises(SourceError, match="execute=True"):
        fl.count(Net(forward), "5x16")
    # the inputs are (7 i + 3) mod 997, over 997: all five rows begin with a number above 0
    assert fl.count(Net(forward), "5x16", execute=True).total.count == 5 * MACS
    # 2mac counts both halves of each product
    assert fl.explain(Net(forward), "mac", "2mac", "5x16", execute=True).gap == 5 * MACS
    same = fl.compare(Net(forward), Net(forward), "5x16", execute=True)
    assert [ledger.total.count for ledger in (same.a, same.b)] == [5 * MACS, 5 * MACS]
