from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from caffe_nets import Net, resnet50
from flopledger.comparing import alignment, gathering
from flopledger.comparing.comparison import compare
from flopledger.conventions import loader
from flopledger.counting import engine
from flopledger.dims.arithmetic import equal, symbol
from flopledger.errors import ConventionError
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading
from flopledger.kinds import builtin
from graphs import graphs, layer
from hypothesis import given
from torch_graphs import torch_graphs

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.comparing.comparison import Comparison
    from flopledger.comparing.layers import ComparedLayer
    from flopledger.dims.types import Dim
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Value


def whys(found: Comparison) -> list[tuple[str, str]]:
    """Return status and reason of every pair that is not the same without a word."""
    return [(pair.status, pair.why) for pair in found.pairs if pair.why]


def one(kind: str, attrs: dict[str, Value], *shape: Dim) -> Graph:
    return layer(kind, attrs, shape)


def conv(out: int = 4, kernel: int = 3, **more: Value) -> dict[str, Value]:
    return {"kernel": (kernel, kernel), "out_channels": out, **more}


def sums_agree(found: Comparison) -> bool:
    a, b = found.a.total, found.b.total
    return equal(found.macs, b.macs - a.macs) and equal(found.params, b.trainable_params - a.trainable_params)


def of(graph: Graph) -> list[ComparedLayer]:
    return gathering.compared_layers(engine.evaluate(graph, loader.load("mac")))


@pytest.fixture
def read(tmp_path: Path) -> object:
    """Read a prototxt's text."""

    def read(text: str, name: str = "net") -> Graph:
        file = tmp_path / f"{name}.prototxt"
        file.write_text(text)
        return fl.read(file)

    return read


def test_resnet_50_v1_and_v1_5_differ_by_three_strides_that_moved_and_nothing_else(read) -> None:  # noqa: ANN001
    """In the first block of three stages the first 1x1 works at twice the height and width.

    Stage 3: (56^2 - 28^2) * 256 * 128 = 77,070,336; stages 4 and 5 as much, so that it is 231,211,008.
    """
    found = compare(read(resnet50(version=1)), read(resnet50(version=1.5)))

    assert (found.a.total.macs, found.b.total.macs) == (3_857_973_248, 4_089_184_256)
    assert (found.macs, found.params, found.equal) == (231_211_008, 0, False)
    (group,) = found.groups()
    assert (group.reason, group.times) == ("stride moved from the 1x1 in a to the 3x3 in b", 3)
    assert (group.macs, group.params) == (231_211_008, 0)
    assert group.texts == (
        "stride moved: 2x2 at 3a/1x1 in a, 2x2 at 3a/3x3 in b",
        "stride moved: 2x2 at 4a/1x1 in a, 2x2 at 4a/3x3 in b",
        "stride moved: 2x2 at 5a/1x1 in a, 2x2 at 5a/3x3 in b",
    )
    assert [pair.status for pair in found.pairs].count("same") == 107 - 6


def test_resnet_50_with_biases_differs_by_53_biases_and_the_strides(read) -> None:  # noqa: ANN001
    """Their channels: 64 + 3 (64 + 64 + 256) + 256 + 4 (128 + 128 + 512) + 512 + 6 (256 + 256 + 1024) + 1024
    + 3 (512 + 512 + 2048) + 2048 = 26,560.
    """
    found = compare(read(resnet50(version=1.5)), read(resnet50(version=1, bias=True)))

    told = [(group.times, group.reason, group.macs, group.params) for group in found.groups()]
    assert told == [
        (3, "stride moved from the 3x3 in a to the 1x1 in b", -231_211_008, 0),
        (53, "bias in b only", 0, 26_560),
    ]


def test_a_network_is_equal_to_itself(read) -> None:  # noqa: ANN001
    graph = read(resnet50(version=1))
    found = compare(graph, graph)

    assert (found.equal, whys(found), len(found.pairs)) == (True, [], 107)


def test_a_norm_is_one_with_the_scale_behind_it(read) -> None:  # noqa: ANN001
    net = Net(3, 8)
    net.normed("c", "data", 4, 3)
    found = [(item.path, item.kind, item.params) for item in of(read(net.text()))]

    assert found == [("c", "conv", 108), ("c/bn", "batch_norm", 8)]


@pytest.mark.parametrize(
    ("a", "b", "status", "why"),
    [
        (conv(), conv(), "same", ""),
        (conv(), conv(bias=True), "changed", "bias in b only"),
        (conv(bias=True), conv(), "changed", "bias in a only"),
        (conv(kernel=3), conv(kernel=5, padding=(1, 1)), "changed", "kernel 3x3 against 5x5"),
        (conv(), conv(padding=(1, 1)), "changed", "output 6x6 against 8x8"),
        (conv(), conv(stride=(2, 2)), "changed", "stride 1x1 against 2x2"),
        (conv(), conv(groups=2), "changed", "groups 1 against 2"),
        (conv(out=4), conv(out=6), "changed", "output channels 4 against 6"),
        (
            conv(dilation=(2, 2), padding=(1, 1)), conv(), "changed",
            "dilation 2x2 against 1x1",
        ),
    ],
)  # fmt: skip
def test_what_differs_in_a_convolution(
    a: dict[str, Value], b: dict[str, Value], status: str, why: str
) -> None:
    found = compare(one("conv", a, 1, 4, 8, 8), one("conv", b, 1, 4, 8, 8))
    (pair,) = found.pairs

    assert sums_agree(found)
    assert pair.why.split("; ")[0] == why
    assert (pair.status, found.equal) == (status, not why or pair.equal)


def test_layouts_make_no_difference() -> None:
    first = one("conv", conv(), 1, 4, 8, 8)
    last = one("conv", conv(channels_last=True), 1, 8, 8, 4)

    assert whys(compare(first, last)) == []


def test_a_dense_layer_is_a_convolution_over_all_of_its_input() -> None:
    found = compare(one("linear", {"out_features": 10}, 1, 36), one("conv", conv(10, 3), 1, 4, 3, 3))

    assert whys(found) == [("same", "a dense layer as a convolution")]
    assert found.equal


def test_a_larger_batch_is_named() -> None:
    found = compare(one("linear", {"out_features": 5}, 1, 3), one("linear", {"out_features": 5}, 8, 3))

    assert whys(found) == [("changed", "a batch 8 times as large in b")]
    assert found.macs == 8 * 15 - 15


def test_one_more_layer_stands_alone(read) -> None:  # noqa: ANN001
    small, large = Net(3, 8), Net(3, 8)
    for net, depth in ((small, 2), (large, 3)):
        top = "data"
        for place in range(depth):
            top = net.relu(net.conv(f"c{place}", top, 5, 3))
        net.dense("fc", top, 2)
    found = compare(read(small.text(), "a"), read(large.text(), "b"))

    assert whys(found) == [("only_b", "conv without a counterpart in a")]
    assert (found.macs, found.params) == (8 * 8 * 9 * 25, 9 * 25)


def test_parallel_branches_are_paired_by_what_they_do(read) -> None:  # noqa: ANN001
    """The branches of an Inception block are written in another order."""
    nets = []
    for order in ((1, 3, 5), (5, 1, 3)):
        net = Net(3, 8)
        tops = [net.conv(f"b{kernel}", "data", 4, kernel) for kernel in order]
        net.dense("fc", net.layer("all", "Concat", *tops), 2)
        nets.append(read(net.text(), f"n{order[0]}"))

    found = compare(*nets)
    assert whys(found) == []
    assert all(pair.a.path == pair.b.path for pair in found.pairs)


def test_symbols_are_compared_as_they_are() -> None:
    n, h = symbol("N"), symbol("H")
    a = one("conv", conv(padding=(1, 1)), n, 4, h, h)
    found = compare(a, one("conv", conv(bias=True, padding=(1, 1)), n, 4, h, h))

    assert whys(found) == [("changed", "bias in b only")]
    assert compare(a, a).equal


def test_weights_in_no_called_module_are_a_row_of_their_own() -> None:
    """A table of 7 numbers that belongs to no module at all, beside a dense layer."""
    builder = GraphBuilder(builtin())
    x = builder.input("x", (1, 3))
    y = builder.tensor((1, 2))
    builder.modules.append(Module(0, ("",), "hand.linear"))
    builder.parameters.append(Parameter(0, ("table",), (7,)))
    builder.layer("", "linear", "hand.linear", module=0, inputs=[x], outputs=[y], attrs={"out_features": 2})
    more = builder.build(Reading("by hand", "hand", "hand"), [y])
    found = compare(one("linear", {"out_features": 2}, 1, 3), more)

    assert [(pair.status, pair.b.path, pair.params) for pair in found.pairs if pair.why] == [
        ("only_b", gathering.NOWHERE, 7)
    ]


def product_and_constant(shape: tuple[int, ...], constant: tuple[int, ...]) -> Graph:
    """Return a dense layer from 3 to 4 features over 6 rows, in another shape, then a constant's addition."""
    builder = GraphBuilder(builtin())
    x, y = builder.input("x", (6, 3)), builder.tensor((6, 4))
    z, added = builder.tensor(shape), builder.tensor(shape)
    builder.modules += [
        Module(0, ("product",), "hand.linear", parameters=(("weight", 0),)),
        Module(1, ("sum",), "hand.add", parameters=(("constant", 1),)),
    ]
    builder.parameters += [
        Parameter(0, ("product.weight",), (4, 3), object=0, storage=0),
        Parameter(1, ("sum.constant",), constant, object=1, storage=1),
    ]
    attrs = {"out_features": 4, "bias": False}
    table = builder.tensor(constant)
    builder.layer("product", "linear", "hand.linear", module=0, inputs=[x], outputs=[y], attrs=attrs)
    builder.layer("reshape", "reshape", "hand.reshape", inputs=[y], outputs=[z], attrs={"shape": shape})
    builder.layer("sum", "add", "hand.add", module=1, inputs=[z, table], outputs=[added])
    return builder.build(Reading("by hand", "hand", "hand"), [added])


@pytest.mark.parametrize("shape", [(1, 6, 4), (2, 3, 4)])
def test_a_constant_is_a_bias_behind_a_reshape_of_the_leading_axes(shape: tuple[int, ...]) -> None:
    (layer,) = of(product_and_constant(shape, (4,)))
    assert (layer.path, layer.macs, layer.params, layer.bias, layer.added) == ("product", 72, 16, True, True)


def test_a_constant_is_no_bias_where_the_features_are_elsewhere() -> None:
    layers = of(product_and_constant((4, 6), (4, 1)))
    assert [(each.path, each.params, each.bias) for each in layers] == [
        ("product", 12, False),
        ("sum", 4, False),
    ]


def norms(*storages: int) -> Graph:
    """Return a layer norm of 4 features with a scale and a shift for each of these storages, in a row."""
    builder = GraphBuilder(builtin())
    x = builder.input("x", (2, 4))
    for i, storage in enumerate(storages):
        y = builder.tensor((2, 4))
        builder.modules.append(
            Module(i, (f"n{i}",), "hand.norm", parameters=(("w", 2 * i), ("b", 2 * i + 1)))
        )
        builder.parameters += [
            Parameter(2 * i + k, (f"n{i}.{k}",), (4,), object=2 * storage + k, storage=2 * storage + k)
            for k in (0, 1)
        ]
        attrs: dict[str, Value] = {"axis": 1, "scale": True, "shift": True}
        builder.layer(f"n{i}", "layer_norm", "hand.norm", module=i, inputs=[x], outputs=[y], attrs=attrs)
        x = y
    return builder.build(Reading("by hand", "hand", "hand"), [x])


def test_a_layer_whose_parameters_are_stored_once_has_its_counterpart() -> None:
    """Exporters store the scales and shifts of untrained norms once: 2 of 3 norms of 8 have none."""
    found = compare(norms(0, 1, 2), norms(0, 0, 0))

    why = "parameters stored once: shared with n0"
    assert whys(found) == [("changed", why), ("changed", why)]
    assert [(pair.a.path, pair.b.path, pair.params) for pair in found.pairs] == [
        ("n0", "n0", 0), ("n1", "n1", -8), ("n2", "n2", -8),
    ]  # fmt: skip
    assert [(group.reason, group.times, group.params) for group in found.groups()] == [
        ("parameters stored once", 2, -16)
    ]
    assert sums_agree(found)
    assert [(pair.why, pair.params) for pair in compare(norms(0, 0, 0), norms(0, 1, 2)).pairs] == [
        ("", 0), (why, 8), (why, 8),
    ]  # fmt: skip


def test_a_layer_without_figures_of_its_own_needs_no_counterpart() -> None:
    assert [pair.b.path for pair in compare(norms(0), norms(0, 0, 0)).pairs] == ["n0"]
    assert compare(norms(0, 0, 0), norms(0)).equal


def test_a_convention_that_does_not_apply_is_refused() -> None:
    graph = one("linear", {"out_features": 2}, 1, 3)
    with pytest.raises(ConventionError, match="is for networks of caffe"):
        compare(graph, graph, "netscope")


def test_networks_too_long_to_be_weighed_whole_are_cut_first(monkeypatch: pytest.MonkeyPatch, read) -> None:  # noqa: ANN001
    a, b = read(resnet50(version=1), "a"), read(resnet50(version=1.5, bias=True), "b")
    whole = compare(a, b)
    monkeypatch.setattr(alignment, "MOST_CELLS", 50)
    cut = compare(a, b)

    assert [group.reason for group in cut.groups()] == [group.reason for group in whole.groups()]
    assert sums_agree(cut)


@given(graphs(), graphs())
def test_the_pairs_sum_to_the_difference_of_the_totals(a, b) -> None:  # noqa: ANN001
    found = compare(a, b)

    assert sums_agree(found)
    assert sum(group.macs for group in found.groups()) == found.macs
    assert sum(group.params for group in found.groups()) == found.params


def paths(layer):  # noqa: ANN001, ANN201
    """The layers with figures that one stands for: those that were joined into it, or itself."""
    every = (layer.holds or (layer,)) if layer else ()
    return [each.path for each in every if each.macs != 0 or each.params != 0]


@given(torch_graphs(), torch_graphs())
def test_the_pairs_of_whole_networks_sum_too_and_each_layer_is_in_one(a, b) -> None:  # noqa: ANN001
    found = compare(a, b)

    assert sums_agree(found)
    assert sorted(path for p in found.pairs for path in paths(p.a)) == sorted(
        path for i in of(a) for path in paths(i)
    )
    assert sorted(path for p in found.pairs for path in paths(p.b)) == sorted(
        path for i in of(b) for path in paths(i)
    )


@given(graphs(symbols=True), graphs(symbols=True))
def test_the_pairs_sum_in_symbols_too(a, b) -> None:  # noqa: ANN001
    assert sums_agree(compare(a, b))
