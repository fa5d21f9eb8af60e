"""onnx-tool, against the tool itself: its answers are recorded, and asked for again with --peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger
import pytest
from onnx_files import graph, model, node, value
from onnx_peers import Peer
from onnx_probes import of_odd_shapes, of_wrong_shapes, probes, w, weights_of_whole_numbers

if TYPE_CHECKING:
    from pathlib import Path

UNKNOWN = dict(of_wrong_shapes())
TOOL = Peer(
    "onnx-tool", "1.0.1", {**probes(), **dict(weights_of_whole_numbers()), **dict(of_odd_shapes()), **UNKNOWN}
)
NODES_OF_ONE_NAME = {"silero_vad-6.2.3__silero_vad_openvino_16k"}
"""Files whose nodes have one name: the tool keeps one of them (see the quirks of the convention)."""


@pytest.fixture(scope="module", autouse=True)
def record(tmp_path_factory: pytest.TempPathFactory, *, ask_peers: bool) -> None:
    if ask_peers:
        TOOL.ask(tmp_path_factory.mktemp("probes"))


def test_every_probe_is_counted_as_the_tool_does(tmp_path: Path) -> None:
    different, without = TOOL.differences(tmp_path)
    assert different.keys() | without == UNKNOWN.keys()
    assert without == {"einsum_of_three"}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_the_tool_gives_a_wrong_shape_is_unknown(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.onnx"
    path.write_bytes(UNKNOWN[name])
    total = flopledger.count(str(path), convention="onnx-tool").total
    assert (total.count, total.unknown_calls) == (0, 1)


def test_a_state_that_is_expanded_to_the_sizes_of_an_input_is_a_parameter_once(tmp_path: Path) -> None:
    """The tool does not fold the expansion: 4 parameters at the Expand, and the sum reads no constant."""
    nodes = [
        node("Shape", ["x"], ["s"], name="s"),
        node("Expand", ["h0", "s"], ["h"], name="e"),
        node("Add", ["x", "h"], ["y"], name="a"),
    ]
    path = tmp_path / "expanded.onnx"
    path.write_bytes(model(graph(nodes, [value("x", [5, 4])], ["y"], [w("h0", 1, 4)])))
    total = flopledger.count(str(path), convention="onnx-tool").total
    assert (total.count, total.params) == (20, 4)


def test_the_record_has_every_probe_and_is_of_the_version_that_the_convention_names() -> None:
    assert TOOL.said()["version"] == TOOL.version
    assert TOOL.answers().keys() == TOOL.probes.keys()


def test_published_networks_are_counted_as_the_tool_counts_them(shared: Path) -> None:
    assert TOOL.published(shared, NODES_OF_ONE_NAME) == {}
