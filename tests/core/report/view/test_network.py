from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
from flopledger.counting.roofline import on_device
from flopledger.devices.device import Device
from flopledger.graph.tables import Input, Layer, Module, Parameter, Reading, Tensor
from flopledger.report.view.lists import Figures
from flopledger.report.view.network import network as drawn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PARENT, PART, KIND, SOURCE, OUTPUT, INPUT, ATTRIBUTES, STATUS, NOTE, ALIKE, PARAMS, COUNT = range(12)


@pytest.fixture(scope="module")
def resnet(root: Path) -> fl.Graph:
    return fl.read(str(root / "examples" / "resnet18.prototxt"))


def network(graph: fl.Graph, ledgers: Sequence[fl.Ledger]) -> dict[str, Any]:
    """Return the data of a page about a network, with its figures."""
    figures = Figures()
    return {**drawn(graph, ledgers, figures), "figures": list(figures.found)}


def rows_of(found: dict[str, Any]) -> list[list[Any]]:
    """Return the rows with their parents, the cells that they share with others, and their figures."""
    rows: list[list[Any]] = []
    above: list[int] = []
    for depth, part, number in (found["heads"][head] for head in found["rows"]):
        del above[depth:]
        cells = found["cells"][number]
        figures = [figures_at(found, each) for each in cells[PARAMS - 2 :]]
        rows.append([above[-1] if above else -1, part, *cells[: PARAMS - 2], *figures])
        above.append(len(rows) - 1)
    return rows


def figures_at(found: dict[str, Any], number: Any) -> Any:
    if isinstance(number, tuple):
        return tuple(found["figures"][each] for each in number)
    return found["figures"][number]


def edges_of(found: dict[str, Any]) -> list[int]:
    """Return the ends of the edges, from each to the one that reads."""
    ends: list[int] = []
    reader = 0
    for behind, before in zip(found["edges"][::2], found["edges"][1::2], strict=True):
        reader += behind
        ends += [reader - before, reader]
    return ends


def cell(row: list[Any], column: int) -> Any:
    return row[column] if column < len(row) else 0


def test_the_rows_own_figures_sum_to_the_total(resnet: fl.Graph) -> None:
    """1,814,073,344 macs and 11,689,512 parameters, as the paper's network has them."""
    found = network(resnet, [resnet.count("mac")])
    assert sum(cell(row, COUNT) for row in rows_of(found)) == 1_814_073_344
    assert sum(cell(row, PARAMS) for row in rows_of(found)) == 11_689_512
    assert found["cut"] is None


def test_a_row_has_its_place_its_kind_and_its_window(resnet: fl.Graph) -> None:
    found = network(resnet, [resnet.count("mac")])
    rows, strings = rows_of(found), found["strings"]
    conv = next(row for row in rows if row[PART] == "conv1" and row[PARENT] == 0)
    texts = [strings[cell(conv, column)] for column in (KIND, SOURCE, OUTPUT, INPUT, ATTRIBUTES)]
    assert texts == ["conv", "Convolution", "1x64x112x112", "1x3x224x224", "7x7 /2"]
    last = next(row for row in rows if row[PART] == "pool5")
    assert strings[cell(last, ATTRIBUTES)] == "7x7"  # the whole of what it gets
    assert found["colors"]["conv"] == "conv"
    assert all(row[PARENT] < i for i, row in enumerate(rows))


def test_the_time_on_a_device_is_one_figure_more(root: Path) -> None:
    """LeNet moves 1,805,096 + 77,680 bytes, its first convolution 51,296: at 10^9 a second a ps for each.

    At 10^12 operations a second 2 x 288,000 take 576,000 ps, so memory bounds the convolution, as all others.
    """
    device = Device("toy", "Toy", "by hand", Fraction(10**9), {"float32": Fraction(10**12)})
    graph = fl.read(str(root / "examples" / "lenet.prototxt"))
    found = network(graph, [on_device(graph.count("mac"), graph, device)])
    time = found["conventions"][1]
    rows = {row[PART]: row for row in rows_of(found)}

    assert (time["name"], time["unit"], time["count"]) == ("time on Toy", "ps", 1_882_776_000)
    assert sum(cell(row, COUNT + 1) for row in rows_of(found)) == 1_882_776_000
    assert rows["conv1"][COUNT + 1] == 51_296_000
    assert found["bounds"][rows_of(found).index(rows["conv1"])] == "memory, 11.23 FLOP/B"


def test_the_data_flow_joins_what_makes_a_tensor_with_what_reads_it(resnet: fl.Graph) -> None:
    found = network(resnet, [resnet.count("mac")])
    rows, edges = rows_of(found), edges_of(found)
    pairs = set(zip(edges[::2], edges[1::2], strict=True))
    places = {row[PART]: i for i, row in enumerate(rows) if row[PARENT] == 0}
    assert any(b == places["fc"] for _, b in pairs)
    assert (places["fc"], places["prob"]) in pairs
    assert all(-1 <= a < len(rows) and 0 <= b < len(rows) for a, b in pairs)


def tied(depth: int = 1) -> fl.Graph:
    """An embedding of 5 x 3 and a head that shares its weight, ``depth`` modules down."""
    modules = (
        Module(0, ("",), "Net", children=(1, 2)),
        Module(1, ("wte",), "Embedding", parameters=(("weight", 0),)),
        Module(2, ("head",), "Linear", parameters=(("weight", 1),)),
    )
    parameters = (
        Parameter(0, ("wte.weight",), (5, 3), object=0, storage=0),
        Parameter(1, ("head.weight",), (5, 3), object=0, storage=0),
    )
    prefix = ".".join(["deep"] * (depth - 1) + ["head"])
    layers = (
        Layer(0, "", "container", "Net", module=0, inputs=(0,), outputs=(2,)),
        Layer(1, "wte", "embedding", "Embedding", parent=0, module=1, inputs=(0,), outputs=(1,)),
        Layer(2, prefix, "linear", "Linear", parent=0, module=2, inputs=(1,), outputs=(2,),
              attrs={"in_features": 3, "out_features": 5}),
    )  # fmt: skip
    tensors = (Tensor(0, (1, 2), "int64"), Tensor(1, (1, 2, 3)), Tensor(2, (1, 2, 5)))
    reading = Reading("tied", "toy", "toy")
    return fl.Graph(reading, (Input("ids", 0),), (2,), modules, layers, tensors, parameters)


def test_a_tied_head_says_with_what_it_is_tied() -> None:
    graph = tied()
    found = network(graph, [graph.count("mac")])
    notes = [found["strings"][cell(row, NOTE)] for row in rows_of(found)]
    assert notes == ["", "", "weight is tied with that of wte"]


def test_parameters_are_those_of_each_convention(root: Path) -> None:
    """LeNet's second convolution has 50 x 20 x 5 x 5 weights and 50 biases, which caffe-script leaves out.

    Those of the others are 20, 500 and 10.
    """
    graph = fl.read(str(root / "examples" / "lenet.prototxt"))
    found = network(graph, [graph.count("mac"), graph.count("caffe-script")])
    cells = {row[PART]: cell(row, PARAMS) for row in rows_of(found)}
    assert cells["conv2"] == (25_050, 25_000)
    assert cells["pool1"] == 0
    assert [one["params"] for one in found["conventions"]] == [431_080, 431_080 - 580]


def test_a_cut_network_keeps_the_data_flow_between_its_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """12 calls in 4 blocks by their names alone, one after another; there is room for the blocks only."""
    paths = [f"block{i // 3}/relu{i}" for i in range(12)]
    calls = (
        Layer(i + 1, path, "relu", "ReLU", parent=0, inputs=(i,), outputs=(i + 1,))
        for i, path in enumerate(paths)
    )
    whole = Layer(0, "", "container", "Net", module=0, inputs=(0,), outputs=(12,))
    tensors = tuple(Tensor(i, (1, 3)) for i in range(13))
    reading = Reading("chain", "toy", "toy")
    modules = (Module(0, ("",), "Net"),)
    graph = fl.Graph(reading, (Input("x", 0),), (12,), modules, (whole, *calls), tensors, ())
    monkeypatch.setattr(sys.modules[drawn.__module__], "MOST", 5)
    found = network(graph, [graph.count("mac")])
    assert [row[PART] for row in rows_of(found)] == ["", "block0", "block1", "block2", "block3"]
    assert edges_of(found) == [-1, 1, 1, 2, 2, 3, 3, 4]
    assert found["cut"] == [5, 13, 12]
    monkeypatch.setattr(sys.modules[drawn.__module__], "MOST", 4)
    found = network(graph, [graph.count("mac")])
    assert [row[PART] for row in rows_of(found)] == ["", "block0", "block1", ".... 6 more calls"]
    assert edges_of(found) == [-1, 1, 1, 2, 2, 3]


def test_figures_with_symbols_are_formulas(root: Path) -> None:
    graph = fl.read(str(root / "examples" / "alexnet.prototxt"), "data=Nx3x227x227")
    found = network(graph, [graph.count("mac")])
    assert "105415200*N" in [cell(row, COUNT) for row in rows_of(found)]


def test_a_network_with_too_many_rows_is_cut_and_its_sums_stay(
    resnet: fl.Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    for most in (30, 12, 5):
        monkeypatch.setattr(sys.modules[drawn.__module__], "MOST", most)
        found = network(resnet, [resnet.count("mac")])
        assert len(rows_of(found)) <= most
        assert found["cut"] is not None
        assert sum(cell(row, COUNT) for row in rows_of(found)) == 1_814_073_344
        ends = edges_of(found)
        assert all(end < len(rows_of(found)) for end in ends)
    assert "more calls" in rows_of(found)[-1][PART]
