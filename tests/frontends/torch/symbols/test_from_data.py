"""Sizes that depend on data are symbols: figures by hand, and of FlopCounterMode for a real run's numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from flopledger.errors import SourceError, UsageError
from flopledger_torch.symbols.from_data import Place, name_of
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from collections.abc import Callable

PER_ROW = 8 * 4
"""Products of Linear(8, 4) on one row."""
CONV = 3 * 8 * 9
"""Products of a 3 x 3 convolution from 3 to 8 channels at one place."""


class Net(nn.Module):
    """A convolution, a layer for rows of its channels, and a convolution along rows; its forward is given."""

    def __init__(self, forward: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.fc = nn.Linear(8, 4)
        self.along = nn.Conv1d(8, 2, 3)
        self.given = forward

    def forward(self, x: Tensor) -> Any:
        return self.given(self, x)


def selected_by_a_mask(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x)
    rows: Tensor = y.permute(0, 2, 3, 1)[y.mean(1) > 0]
    return net.fc(rows)  # type: ignore[no-any-return]


def convolved_after_nonzero(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x)
    places = (y.mean(1) > 0).nonzero()
    rows = y[places[:, 0], :, places[:, 1], places[:, 2]]
    return net.along(rows.T[None])  # type: ignore[no-any-return]


def repeated(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x).flatten(2)[0].T
    return net.fc(y.repeat_interleave((y.sum(1) > 0).long() + 1, dim=0))  # type: ignore[no-any-return]


def unique_rows(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x).flatten(2)[0].T
    return net.fc(y[torch.unique(y.mean(1).abs().mul(10).long())])  # type: ignore[no-any-return]


def selected_and_masked(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x)
    found = torch.masked_select(y, y > 0)
    return net.fc(found[:, None].expand(-1, 8))  # type: ignore[no-any-return]


FIRST = 16 * CONV


@pytest.mark.parametrize(
    ("forward", "name", "each", "least"),
    [
        (selected_by_a_mask, "Selected", PER_ROW, 0),
        (convolved_after_nonzero, "Nonzero", 8 * 2 * 3, 2 * 8 * 2 * 3),  # two rows give no place
        (repeated, "Repeated", PER_ROW, 0),
        (unique_rows, "Unique", PER_ROW, 0),
        (selected_and_masked, "Selected", PER_ROW, 0),
    ],
)
def test_a_size_that_the_data_decides_is_a_symbol_of_the_total(
    forward: Any, name: str, each: int, least: int
) -> None:
    ledger = fl.count(Net(forward), "1x3x4x4")

    assert str(ledger.total.count) == f"{each}*{name} + {FIRST - least}"
    assert not ledger.coverage.unknown
    assert fl.count(Net(forward), "1x3x4x4", sizes={name: 7}).total.count == FIRST - least + 7 * each


def test_the_note_says_where_a_size_arises_and_how_large_it_can_be() -> None:
    graph = fl.read(Net(selected_by_a_mask), "1x3x4x4")

    assert graph.reading.data_sizes == {"Selected": 16}
    (note,) = graph.reading.notes
    assert note.startswith("the data decides Selected <= 16: index (")
    assert ".permute(0, 2, 3, 1)[y.mean(1) > 0])" in note
    assert note.endswith("--size Selected=N gives it a number")


def test_a_number_above_the_bound_and_an_unknown_name_are_refused() -> None:
    net = Net(selected_by_a_mask)
    with pytest.raises(UsageError, match=r"Selected=17: it can be at most 16"):
        fl.count(net, "1x3x4x4", sizes={"Selected": 17})
    with pytest.raises(UsageError, match=r"has no size Selekted.*did you mean 'Selected'"):
        fl.count(net, "1x3x4x4", sizes={"Selekted": 7})


def test_a_symbol_of_an_input_and_one_of_data_are_given_numbers_together_or_apart() -> None:
    net = Net(selected_by_a_mask)
    both = fl.count(net, "1x3xHxH")
    assert both.total.count == fl.count(net, "1x3xHxH").total.count
    assert str(fl.count(net, "1x3xHxH", sizes={"H": 4}).total.count) == f"{PER_ROW}*Selected + {FIRST}"
    assert str(fl.count(net, "1x3xHxH", sizes={"Selected": 3}).total.count) == f"{CONV}*H**2 + {3 * PER_ROW}"
    assert fl.count(net, "1x3xHxH", sizes={"H": 4, "Selected": 3}).total.count == FIRST + 3 * PER_ROW


def test_two_sizes_that_a_model_needs_to_be_equal_become_one() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        y = net.conv(x)
        return net.fc(y.permute(0, 2, 3, 1)[y[:, 0] > 0]) + net.fc(y.permute(0, 2, 3, 1)[y[:, 0] > 0.0])  # type: ignore[no-any-return]

    assert str(fl.count(Net(forward), "1x3x4x4").total.count) == f"{2 * PER_ROW}*Selected + {FIRST}"


def test_a_branch_on_a_size_becomes_a_condition_and_a_number_takes_its_own_way() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        y = net.conv(x)
        rows: Tensor = y.permute(0, 2, 3, 1)[y.mean(1) > 0]
        return rows if rows.shape[0] < 3 else net.fc(rows)

    ledger = fl.count(Net(forward), "1x3x4x4")
    assert str(ledger.total.count) == f"{PER_ROW}*Selected + {FIRST}"
    assert any("formulas hold only where Selected >= 3" in note for note in ledger.graph.reading.notes)
    for number, rows in ((0, 0), (2, 0), (3, 3), (16, 16)):
        found = fl.count(Net(forward), "1x3x4x4", sizes={"Selected": number})
        assert found.total.count == FIRST + rows * PER_ROW


def loop(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x)
    for _ in range(int((y > 0).sum())):
        net.fc(y[0, :, 0, 0])
    return y  # type: ignore[no-any-return]


def rows_one_by_one(net: Any, x: Tensor) -> list[Tensor]:
    y = net.conv(x)
    return [net.fc(row) for row in y.permute(0, 2, 3, 1)[y.mean(1) > 0]]


def emptied(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x)
    rows = y.permute(0, 2, 3, 1)[y.mean(1) > 0]
    while rows.shape[0] > 0:
        rows = rows[1:]
    return rows  # type: ignore[no-any-return]


def branch_on_a_value(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x)
    return net.fc(y[0, :, 0]) if int((y > 0).sum()) > 5 else y  # type: ignore[no-any-return]


def list_of_values(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x)
    return net.fc(y.flatten(2)[0].T[: (y > 0).sum((0, 2, 3)).tolist()[0]])  # type: ignore[no-any-return]


@pytest.mark.parametrize("forward", [loop, rows_one_by_one, emptied, branch_on_a_value])
def test_where_a_loop_or_branch_goes_by_a_value_the_known_part_stays_a_number(forward: Any) -> None:
    ledger = fl.count(Net(forward), "1x3x4x4")

    assert ledger.total.count == FIRST
    assert [one.source for one in ledger.coverage.unknown] == ["data-dependent"]
    assert any(
        "execute=True" in note and "test_from_data.py, line" in note for note in ledger.graph.reading.notes
    )


def test_a_loop_over_rows_runs_as_often_as_the_number_that_is_given() -> None:
    ledger = fl.count(Net(rows_one_by_one), "1x3x4x4", sizes={"Selected": 5})
    assert (ledger.total.count, ledger.coverage.unknown) == (FIRST + 5 * PER_ROW, ())


def test_a_number_read_from_a_tensor_may_be_a_size_but_is_never_taken_for_a_number() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        y = net.conv(x)
        return net.fc(y.new_ones((y > 0).sum().item(), 8))  # type: ignore[no-any-return]

    assert str(fl.count(Net(forward), "1x3x4x4").total.count) == f"{PER_ROW}*Value + {FIRST}"


def test_nothing_known_before_and_no_size_either_is_an_error_that_names_execution() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        return net.conv(x) if x.sum() > 0 else x  # type: ignore[no-any-return]

    with pytest.raises(SourceError, match=r"depends on its data.*execute=True"):
        fl.count(Net(forward), "1x3x4x4")


def test_lengths_of_tensors_are_symbols_and_of_all_else_numbers() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        y = net.conv(x)
        rows = y.permute(0, 2, 3, 1)[y.mean(1) > 0]
        assert len([1, 2]) == 2
        return net.fc(rows.new_zeros((len(rows), 8)))  # type: ignore[no-any-return]

    before = len
    assert str(fl.count(Net(forward), "1x3x4x4").total.count) == f"{PER_ROW}*Selected + {FIRST}"
    assert len is before


def test_names_are_symbols_made_of_the_module_and_the_operator() -> None:
    nonzero = "aten.nonzero.default"
    assert name_of(Place("", nonzero), {}) == "Nonzero"
    assert name_of(Place("roi_heads", "torchvision.nms.default"), {}) == "RoiHeadsKept"
    assert (
        name_of(Place("net.layers.3", nonzero), {"LayersNonzero": 1, "LayersNonzero2": 2}) == "LayersNonzero3"
    )
    assert name_of(Place("box_head", "lib.expand_boxes.default"), {}) == "BoksHeadEkspandBokses"
    assert name_of(Place("été", "aten.unique_dim.default"), {}) == "TUnique"


torch.library.define("flopledger_sizes::nms", "(Tensor boxes, Tensor scores, float threshold) -> Tensor")
torch.library.define(
    "flopledger_sizes::roi_align", "(Tensor features, Tensor boxes, SymInt height, SymInt width) -> Tensor"
)


@torch.library.impl("flopledger_sizes::nms", "cpu")
def nms(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    del boxes
    return torch.where(scores > threshold)[0]


@torch.library.register_fake("flopledger_sizes::nms")
def nms_shape(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    del scores, threshold
    return boxes.new_empty(torch.library.get_ctx().new_dynamic_size(), dtype=torch.long)


@torch.library.impl("flopledger_sizes::roi_align", "cpu")
def roi_align(features: Tensor, boxes: Tensor, height: int, width: int) -> Tensor:
    return features.new_ones((boxes.shape[0], features.shape[1], height, width))


@torch.library.register_fake("flopledger_sizes::roi_align")
def roi_align_shape(features: Tensor, boxes: Tensor, height: int, width: int) -> Tensor:
    return features.new_empty((boxes.shape[0], features.shape[1], height, width))


class Heads(nn.Module):
    """Heads that score each proposal, keep at most 100 boxes, and draw a mask of each."""

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Linear(8 * 4 * 4, 5)
        self.mask = nn.Conv2d(8, 6, 3, padding=1)

    def forward(self, features: Tensor, boxes: Tensor) -> Tensor:
        ops = torch.ops.flopledger_sizes
        found = self.score(ops.roi_align(features, boxes, 4, 4).flatten(1))
        kept = ops.nms(found[:, :4], found[:, 4], 0.0)[:100]
        return self.mask(ops.roi_align(features, found[kept, :4], 7, 7))  # type: ignore[no-any-return]


class Detector(nn.Module):
    """A small R-CNN: a backbone, twelve proposals by score, a suppression, and heads."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Conv2d(3, 8, 3, padding=1)
        self.rpn = nn.Conv2d(8, 5, 1)
        self.roi_heads = Heads()

    def forward(self, x: Tensor) -> Tensor:
        features = self.backbone(x)
        found = self.rpn(features).flatten(2)[0].T
        scores, best = found[:, 4].topk(12)
        boxes = found[best, :4]
        kept = torch.ops.flopledger_sizes.nms(boxes, scores, float(self.threshold))
        return self.roi_heads(features, boxes[kept])  # type: ignore[no-any-return]

    threshold = 0.0


BACKBONE, RPN, BOX, MASK = 64 * CONV, 64 * 8 * 5, 8 * 4 * 4 * 5, 7 * 7 * 8 * 6 * 9


def test_a_detectors_figure_is_a_formula_in_its_proposals_and_its_masks() -> None:
    ledger = fl.count(Detector(), "1x3x8x8")

    assert str(ledger.total.count) == f"{BOX}*Kept + {MASK}*RoiHeadsKept + {BACKBONE + RPN}"
    assert any("hold only where RoiHeadsKept < 100" in note for note in ledger.graph.reading.notes)
    assert fl.count(Detector(), "1x3x8x8", sizes={"Kept": 12, "RoiHeadsKept": 500}).total.count == (
        BACKBONE + RPN + 12 * BOX + 100 * MASK
    )


@pytest.mark.parametrize("seed", range(4))
def test_with_the_numbers_of_a_real_run_the_formula_is_what_flop_counter_mode_counts(seed: int) -> None:
    torch.manual_seed(seed)
    net, x = Detector().eval(), torch.randn(1, 3, 8, 8)
    found: list[int] = []
    net.rpn.register_forward_hook(
        lambda _, __, out: setattr(net, "threshold", float(out[0, 4].median()) + 0.2)
    )
    net.roi_heads.register_forward_pre_hook(lambda _, args: found.append(args[1].shape[0]))
    net.roi_heads.mask.register_forward_pre_hook(lambda _, args: found.append(args[0].shape[0]))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(x)

    sizes = {"Kept": found[0], "RoiHeadsKept": found[1]}
    ledger = fl.count(Detector(), "1x3x8x8", "torch-flop-counter", sizes=sizes)
    assert ledger.total.count == counter.get_total_flops()
    saved = fl.read(Detector(), "1x3x8x8")
    if min(found):
        assert fl.count(saved, convention="torch-flop-counter", sizes=sizes).total.count == ledger.total.count
