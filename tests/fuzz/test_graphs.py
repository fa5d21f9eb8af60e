"""Saved graphs: real ones with values changed, dropped, moved, of the wrong type, too large or too deep."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import flopledger
from flopledger.kinds import builtin
from fuzzing import ends, folder
from hypothesis import given
from hypothesis import strategies as st

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SMALL = """
layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 2 dim: 4 dim: 8 dim: 8 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 8 kernel_size: 3 group: 2 } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "fc" type: "InnerProduct" bottom: "pool" top: "fc" inner_product_param { num_output: 5 } }
layer { name: "lstm" type: "Softmax" bottom: "fc" top: "p" }
"""


def _graphs() -> list[str]:
    with folder(net__prototxt=SMALL):
        read = [
            flopledger.read("net.prototxt"),
            flopledger.read("net.prototxt", {"data": "NxCx16xW"}),
            flopledger.read(str(EXAMPLES / "alexnet.prototxt")),
        ]
    return [graph.to_json() for graph in read]


GRAPHS = [json.loads(text) for text in _graphs()]
SIZES = st.sampled_from([0, 1, -1, 3, 2**31, 2**63 - 1, 2**63, 2**64, 10**30, 1e308, 1.5, -0.0])
TEXTS = st.sampled_from(
    [
        "", "conv", "lstm", "unknown", "container", "N", "N**64", "(((N**60)**60)**60)", "N//0", "1//0",
        "N" * 99, "min(N, H)//3", "a.b", "__import__('os')", "float32", "op", "layer", "\ud800", "\x1b[31m",
        "a/b/c.d#2", "sum(range(99999))", "-N", "N/3", "9**99", "1e5", "running_mean",
    ]
)  # fmt: skip
LEAVES = SIZES | TEXTS | st.none() | st.booleans()
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["dim", "tensor", "map", "float", "x"]), inner, max_size=2)
    ),
    max_leaves=5,
)


def _places(value: object) -> list[tuple[object, object]]:
    """Every container of a document with each of its keys or positions."""
    found: list[tuple[object, object]] = []
    pending = [value]
    while pending:
        here = pending.pop()
        if isinstance(here, (dict, list)):
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            found += [(here, key) for key in keys]
            pending += [here[key] for key in keys]
    return found


@st.composite
def changed(draw: st.DrawFn) -> str:
    graph = copy.deepcopy(draw(st.sampled_from(GRAPHS)))
    for _ in range(draw(st.integers(1, 3))):
        places = _places(graph)
        here, key = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.sampled_from(["change", "drop", "copy", "add"])):
            case "drop":
                del here[key]
            case "copy" if isinstance(here, list):
                here.insert(draw(st.integers(0, len(here))), copy.deepcopy(here[key]))
            case "add" if isinstance(here, dict):
                here[draw(st.sampled_from(["id", "shape", "attrs", "native", "problem", "x"]))] = draw(VALUES)
            case _:
                here[key] = draw(VALUES)
    return json.dumps(graph)


CONVENTIONS = st.sampled_from(["mac", "ops", "2mac", "netscope", "seed-001", "convnet-burden"])


@given(changed(), CONVENTIONS, st.sampled_from(["json", "csv", "markdown", "table"]))
def test_a_graph_with_something_changed_is_counted_or_refused(text: str, convention: str, form: str) -> None:
    with folder(net__json=text):
        ends("count", "net.json", "-c", convention, "--format", form, "--sort", "count")


@st.composite
def calls(draw: st.DrawFn) -> str:
    """One call of any kind, with any attributes, on tensors of any shape."""
    kind = draw(st.sampled_from(sorted(builtin())))
    names = [attribute.name for attribute in builtin()[kind].attributes]
    attrs = {name: draw(ATTRIBUTES) for name in names if draw(st.booleans())}
    shapes = draw(
        st.lists(st.none() | st.lists(st.sampled_from([0, 1, 2, 8, "N", 2**40]), max_size=5), max_size=4)
    )
    graph = copy.deepcopy(GRAPHS[0])
    graph["tensors"] = [{"id": i, "shape": shape} for i, shape in enumerate(shapes)]
    cut = draw(st.integers(0, len(shapes)))
    ids = list(range(len(shapes)))
    layer = {"id": 0, "path": "x", "kind": kind, "source": "x", "attrs": attrs, "inputs": ids[:cut]}
    graph |= {
        "layers": [{**layer, "outputs": ids[cut:]}],
        "inputs": [],
        "outputs": [],
        "modules": [],
        "parameters": [],
    }
    return json.dumps(graph)


ATTRIBUTES = st.recursive(
    SIZES
    | st.sampled_from(["same", "linear", "cubic", "area", "tanh", "relu", "ab,bc->ac"])
    | st.none()
    | st.booleans(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@given(calls(), st.sampled_from(["mac", "ops"]))
def test_any_call_is_counted_or_refused(text: str, convention: str) -> None:
    with folder(net__json=text):
        ends("count", "net.json", "-c", convention, codes=frozenset({0, 3}))


JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8)


@given(JSON)
def test_any_json_is_refused(value: object) -> None:
    with folder(net__json=json.dumps({"schema": "flopledger.graph/1", "reading": value, "layers": value})):
        ends("count", "net.json", codes=frozenset({0, 3}))
