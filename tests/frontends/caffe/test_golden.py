"""Real networks, every layer of them, against figures that were worked out apart from this code."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flopledger.dims.arithmetic import total
from flopledger.frontend.request import Request
from flopledger.frontend.specs import InputSpec
from flopledger.kinds import builtin
from flopledger.kinds.kind import Call
from flopledger_caffe.read import read_file

if TYPE_CHECKING:
    from flopledger.dims.types import Dim, Number
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer

GOLDEN = Path(__file__).parents[4] / "shared" / "golden"
TABLE = GOLDEN / "caffe.json"
NETWORKS: list[dict[str, Any]] = json.loads(TABLE.read_text())["files"] if TABLE.exists() else []
ASSUMED = "was assumed (the file does not say)"
SPELLED = {"data": "Data"}
"""Types that a file spells as Caffe itself would not."""
ROLES = {"mean": "running_mean", "variance": "running_var"}

pytestmark = pytest.mark.skipif(not NETWORKS, reason=f"the real networks are not here: no {TABLE}")


def network(entry: dict[str, Any]) -> Graph:
    assumed = {note.partition(":")[0] for note in entry["notes"] if note.endswith(ASSUMED)}
    specs = tuple(InputSpec(name, tuple(entry["inputs"][name])) for name in sorted(assumed))
    return read_file(GOLDEN / "caffe" / entry["file"], Request(entry["file"], inputs=specs))


def macs(graph: Graph, layer: Layer) -> Dim:
    kind = builtin()[layer.kind]
    inputs, outputs = (
        tuple(shape for shape in map(graph.shape, tensors) if shape is not None)
        for tensors in (layer.inputs, layer.outputs)
    )
    return kind.facts(Call(kind, layer.attrs, inputs, outputs)).get("macs", 0)


def blobs(graph: Graph, layer: Layer) -> list[int]:
    assert layer.module is not None
    return [number for _, number in graph.modules[layer.module].parameters]


@pytest.mark.parametrize("entry", NETWORKS, ids=lambda entry: Path(entry["file"]).stem)
def test_each_layer_has_its_name_type_shapes_blobs_and_macs(entry: dict[str, Any]) -> None:
    graph = network(entry)
    found = [
        {
            "name": layer.path,
            "type": layer.source,
            "top": [list(graph.shape(tensor) or ()) for tensor in layer.outputs],
            "blobs": [list(graph.parameters[i].shape) for i in blobs(graph, layer)],
            "roles": [graph.parameters[i].role for i in blobs(graph, layer)],
            "params": total(graph.parameters[i].numel for i in blobs(graph, layer)),
            "macs": macs(graph, layer),
        }
        for layer in graph.layers[1:]
    ]
    expected = [
        {
            "name": layer["name"],
            "type": SPELLED.get(layer["type"], layer["type"]),
            "top": layer["top"],
            "blobs": layer.get("blobs", []),
            "roles": [ROLES.get(role, role) for role in layer.get("roles", [])],
            "params": layer.get("params", 0),
            "macs": layer.get("macs", 0),
        }
        for layer in entry["layers"]
    ]
    assert found == expected


@pytest.mark.parametrize("entry", NETWORKS, ids=lambda entry: Path(entry["file"]).stem)
def test_each_window_is_as_the_file_says(entry: dict[str, Any]) -> None:
    graph = network(entry)
    for layer, expected in zip(graph.layers[1:], entry["layers"], strict=True):
        # The table leaves out a kernel and a stride of 1; of the padding it leaves out both 0 and 1.
        if layer.kind == "conv":
            assert layer.attrs["kernel"] == tuple(expected.get("kernel", (1, 1)))
            assert layer.attrs["groups"] == expected["group"]
        if layer.kind == "conv" or (layer.source == "Pooling" and "global" not in expected):
            assert layer.attrs["stride"] == tuple(expected.get("stride", (1, 1)))
        if "pad" in expected:
            assert layer.attrs["padding"] == tuple(expected["pad"])
        if layer.source == "Pooling":
            assert layer.attrs.get("whole", False) == expected.get("global", False)
        if layer.source == "Concat":
            assert layer.attrs["axis"] == expected["axis"]


@pytest.mark.parametrize("entry", NETWORKS, ids=lambda entry: Path(entry["file"]).stem)
def test_the_totals_are_exact(entry: dict[str, Any]) -> None:
    graph = network(entry)
    roles: Counter[str] = Counter()
    for parameter in graph.parameters:
        assert isinstance(parameter.numel, int)
        roles[parameter.role] += parameter.numel
    by_type: dict[str, Number] = {}
    for layer in graph.layers[1:]:
        by_type[layer.source] = by_type.get(layer.source, 0) + macs(graph, layer)
    assert roles.total() == entry["params_all_blobs"]
    assert (roles["weight"], roles["bias"]) == (entry["weights"], entry["biases"])
    assert (roles["scale"], roles["shift"]) == (entry["scales"], entry["shifts"])
    assert roles["running_mean"] + roles["running_var"] == entry["bn_statistics"]
    assert roles["counter"] == entry["bn_counters"]
    assert sum(by_type.values()) == entry["macs_at_file_batch"] == entry["macs"] * entry["batch"]
    assert by_type.get("Convolution", 0) == entry["macs_conv"] * entry["batch"]
    assert by_type.get("InnerProduct", 0) == entry["macs_fc"] * entry["batch"]


@pytest.mark.parametrize("entry", NETWORKS, ids=lambda entry: Path(entry["file"]).stem)
def test_the_inputs_are_those_of_the_file(entry: dict[str, Any]) -> None:
    graph = network(entry)
    found = {item.name: list(graph.shape(item.tensor) or ()) for item in graph.inputs}
    assert found == entry["inputs"]
    assert graph.reading.profile == {"mode": "eval"}
