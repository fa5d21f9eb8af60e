"""Real networks against figures that were worked out apart from this code.

Their multiply-accumulates are those of every node that ONNX Runtime executed. The files have no weights;
those that come out of packages are read where ONNX_PACKAGES names a folder that they were unpacked into.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flopledger.dims.arithmetic import substitute
from flopledger.frontend.request import Request
from flopledger.frontend.specs import InputSpec
from flopledger_onnx.read import read_file

if TYPE_CHECKING:
    from flopledger.graph.graph import Graph

GOLDEN = Path(__file__).parents[4] / "shared" / "golden"
TABLE = GOLDEN / "onnx.json"
NETWORKS: list[dict[str, Any]] = json.loads(TABLE.read_text())["files"] if TABLE.exists() else []

pytestmark = pytest.mark.skipif(not NETWORKS, reason=f"the real networks are not here: no {TABLE}")


def file_of(entry: dict[str, Any]) -> Path:
    if "file" in entry:
        return GOLDEN / entry["file"]
    member = entry["get"].partition("member ")[2]
    folders = [Path(os.environ["ONNX_PACKAGES"])] if "ONNX_PACKAGES" in os.environ else []
    try:
        import onnx
    except ImportError:
        pass
    else:
        folders.append(Path(onnx.__file__).parents[1])
    found = next((folder / member for folder in folders if (folder / member).is_file()), None)
    if found is None:
        pytest.skip(f"it comes out of a package: {entry['get']}; set ONNX_PACKAGES to where it is unpacked")
    return found


def network(entry: dict[str, Any]) -> Graph:
    specs = [
        InputSpec(name, None, literal=given["value"], is_literal=True)
        if isinstance(given, dict)
        else InputSpec(name, tuple(given))
        for name, given in entry.get("inputs", {}).items()
    ]
    return read_file(file_of(entry), Request(entry["name"], inputs=tuple(specs)))


@pytest.mark.parametrize("entry", NETWORKS, ids=lambda entry: entry["name"])
def test_the_totals_are_exact_and_nothing_is_unknown(entry: dict[str, Any]) -> None:
    ledger = network(entry).count("mac")
    assert ledger.total.count == entry["macs"]
    assert ledger.coverage.unknown == ()
    if "params" in entry:
        assert ledger.total.params == entry["params"]


@pytest.mark.parametrize("entry", NETWORKS, ids=lambda entry: entry["name"])
def test_each_operator_has_its_share(entry: dict[str, Any]) -> None:
    if "macs_by_op" not in entry:
        pytest.skip("the table has the total alone")
    found: dict[str, int] = {}
    for row in network(entry).count("mac").rows:
        if row.count:
            operator = row.source.rpartition(".")[2]
            found[operator] = found.get(operator, 0) + int(str(row.count))
    assert found == entry["macs_by_op"]


def test_open_sizes_become_symbols_and_give_the_same_figure_in_their_place(shared: Path) -> None:
    path = shared / "golden" / "onnx" / "tv_resnet18.dyn0N_2H_3W.onnx"
    found = read_file(path, Request("r")).count("mac").total.count
    assert substitute(found, {"N": 2, "H": 160, "W": 192}) == 2221711360


def test_layers_lie_in_the_modules_of_the_source(shared: Path) -> None:
    path = shared / "golden" / "onnx" / "tv_resnet18.dyn0N_2H_3W.onnx"
    graph = read_file(path, Request("r"))
    paths = {layer.path: layer for layer in graph.layers}
    conv = paths["layer1.0.conv1"]
    assert (conv.kind, conv.source) == ("conv", "Conv")
    assert conv.parent is not None
    block = graph.layers[conv.parent]
    assert (block.path, block.kind, block.source) == (
        "layer1.0", "container", "torchvision.models.resnet.BasicBlock",
    )  # fmt: skip
    relu, again = paths["layer1.0.relu"], paths["layer1.0.relu#2"]
    assert (relu.module, relu.index, again.index) == (again.module, 1, 2)


def test_the_older_exporter_s_names_give_the_same_modules(shared: Path) -> None:
    graph = read_file(shared / "golden" / "onnx" / "tv_resnet50.ts11.onnx", Request("r"))
    paths = {layer.path: layer.kind for layer in graph.layers}
    assert paths["layer1.0"] == "container"
    assert paths["layer1.0.downsample.0"] == "conv"
    assert paths["layer4.2.conv3"] == "conv"
