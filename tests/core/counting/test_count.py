"""Properties of every convention in the folder, on random networks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flopledger.conventions import convention, loader
from flopledger.conventions import names as convention_names
from flopledger.counting.memo import names_read
from flopledger.graph.graph import Graph
from graphs import graphs
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_sketch import ROOT, Sketch, Tensor

if TYPE_CHECKING:
    from flopledger.dims.types import Shape
    from flopledger.graph.tables import Module

CONVENTIONS = {name: loader.load(name) for name in convention_names.known()}
OWN = ("mac", "2mac", "2mac-1", "ops", "seed-001")
SIZES = st.integers(1, 6)
NORM = {"weight": (4,), "bias": (4,), "running_mean": (4,)}
CONV = {"kernel_size": (3, 3), "in_channels": 4, "out_channels": 4, "groups": 1}


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """Draw a network as of torch: shared modules, several ways to them, functions and ops below."""
    batch = draw(SIZES)
    net = Sketch((batch, 4, 6, 6), positional=draw(st.booleans()))
    boxes = [ROOT]
    for _ in range(draw(st.integers(0, 3))):
        boxes.append(net.register("torch.nn.Sequential", parents=some(draw, boxes)))
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        parents = some(draw, boxes)
        kind = draw(st.sampled_from(("conv", "linear", "norm", "relu", "pool", "mine")))
        layers.append((kind, register(net, kind, parents)))
    for _ in range(draw(st.integers(0, 6))):
        call(net, batch, *draw(st.sampled_from(layers)))
    if draw(st.booleans()):
        given = (Tensor(batch, 3, 5), Tensor(batch, 5, 7))
        net.inner("function", "torch.matmul", "input other", given, (batch, 3, 7))
        op = net.inner("op", "aten.matmul.default", "self other", given, (batch, 3, 7), composite=True)
        net.inner("op", "aten.bmm.default", "self mat2", given, (batch, 3, 7), parent=op)
    return net.graph()


def some(draw: st.DrawFn, boxes: list[int]) -> list[int]:
    return draw(st.lists(st.sampled_from(boxes), min_size=1, max_size=3, unique=True))


def register(net: Sketch, kind: str, parents: list[int]) -> int:
    if kind == "conv":
        weights = {"weight": (4, 4, 3, 3), "bias": (4,)}
        return net.register("torch.nn.Conv2d", weights, parents=parents, native=CONV)
    if kind == "linear":
        sizes = {"in_features": 6, "out_features": 6}
        return net.register("torch.nn.Linear", {"weight": (6, 6)}, parents=parents, native=sizes)
    if kind == "norm":
        return net.register("torch.nn.BatchNorm2d", NORM, parents=parents, native={"affine": True})
    if kind == "pool":
        return net.register("torch.nn.AvgPool2d", parents=parents, native={"kernel_size": 2})
    if kind == "relu":
        return net.register("torch.nn.ReLU", parents=parents)
    return net.register("net.Mine", {"weight": (4, 6)}, parents=parents, frozen=["weight"])


def call(net: Sketch, batch: int, kind: str, module: int) -> None:
    shape = (batch, 4, 6, 6)
    x = Tensor(*shape)
    if kind == "conv":
        layer = net.call(module, shape, shape)
        given = (x, Tensor(4, 4, 3, 3), Tensor(4), 1, 1)
        names = "input weight bias stride padding"
        function = net.inner("function", "torch.nn.functional.conv2d", names, given, shape, parent=layer)
        op = net.inner("op", "aten.conv2d.default", names, given, shape, parent=function, composite=True)
        low = (*given, 1, False)
        names = "input weight bias stride padding dilation transposed"
        net.inner("op", "aten.convolution.default", names, low, shape, parent=op)
    elif kind == "pool":
        net.call(module, shape, (batch, 4, 3, 3))
    else:
        layer = net.call(module, shape, shape)
        if kind == "relu":
            net.inner("function", "torch.nn.functional.relu", "input", (x,), shape, parent=layer)


def fitted(graph: Graph, loaded: convention.Convention) -> Graph:
    """Return a graph as if it had been read for a convention: by its framework, of tokens if needed."""
    framework = loaded.frameworks[0] if loaded.frameworks else graph.reading.framework
    profile = {**graph.reading.profile, **loaded.profile}
    modules = tuple(replace(m, native={**m.native, **said(graph, m)}) for m in graph.modules)
    reading = replace(graph.reading, framework=framework, profile=profile)
    by_tokens = "tokens" in names_read(loaded.total, loaded.define)
    given = {one.tensor for one in graph.inputs} if by_tokens else set()
    tensors = tuple(replace(t, dtype="int64") if t.id in given else t for t in graph.tensors)
    return replace(graph, reading=reading, modules=modules, tensors=tensors)


def said(graph: Graph, module: Module) -> dict[str, tuple[Shape, ...]]:
    """The attributes of modules that one of the frameworks records."""
    found = [graph.parameters[i] for _, i in module.parameters]
    trained = tuple(p.shape for p in found if p.trainable)
    return {"parameters": tuple(p.shape for p in found), "trained": trained}


def check(graph: Graph, name: str) -> None:
    ledger = fitted(graph, CONVENTIONS[name]).count(CONVENTIONS[name])
    rows = sum(row.count for row in ledger.rows)
    adjustments = sum(adjustment.count for adjustment in ledger.adjustments)
    assert rows + adjustments == ledger.total.count
    assert {a.what for a in ledger.adjustments} <= {"scaling", "parameters", "batch division", "rounding"}
    assert all(a.count != 0 for a in ledger.adjustments)


@pytest.mark.parametrize("name", CONVENTIONS)
@settings(max_examples=40)
@given(graph=networks())
def test_rows_and_adjustments_add_up_to_the_total(name: str, graph: Graph) -> None:
    check(graph, name)


@pytest.mark.parametrize("name", OWN)
@given(graph=graphs(symbols=True))
def test_the_same_for_our_own_on_graphs_of_any_framework(name: str, graph: Graph) -> None:
    check(graph, name)


@given(graph=networks(), one=st.integers(1, 5))
def test_a_batch_is_divided_where_the_switch_asks_for_it(graph: Graph, one: int) -> None:
    wide = replace(graph, tensors=(replace(graph.tensors[0], shape=(one, 4, 6, 6)), *graph.tensors[1:]))
    ledger = wide.count("mac", batch="one")
    batch = one if wide.inputs[0].positional else 1
    assert ledger.total.count * batch == sum(row.count for row in ledger.rows)


@given(graph=networks())
def test_a_graph_that_was_saved_counts_the_same(graph: Graph) -> None:
    back = Graph.from_json(graph.to_json())
    for name in ("ptflops", "thop", "torchinfo", "torchsummary", "calflops-flops", "fvcore"):
        loaded = CONVENTIONS[name]
        assert back.count(loaded).to_dict() == graph.count(loaded).to_dict()
