from __future__ import annotations

import pytest
from flopledger.conventions import loader
from flopledger.conventions import names as convention_names
from flopledger.counting import engine
from flopledger.counting.memo import names_read
from flopledger.dims.arithmetic import is_symbolic, symbol
from flopledger.errors import ConventionError, UsageError
from flopledger.explaining.explanation import explain, from_first, merged
from flopledger.explaining.words import Difference
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Reading
from flopledger.kinds import builtin
from graphs import graphs, layer
from handmade import network
from hypothesis import given
from hypothesis import strategies as st
from torch_graphs import Network, add_conv, add_norm, add_relu, call_conv, torch_graphs


def _counts_operations_of_any_network(name: str) -> bool:
    """Leave out bytes, training steps, and estimates by tokens: none of them is about such networks."""
    one = loader.load(name)
    if one.unit == "B" or one.profile.get("step") == "train" or "tokens" in names_read(one.total, one.define):
        return False
    return one.frameworks in ((), ("torch",)) and bool(one.profile.get("grad", True))


TORCH = list(filter(_counts_operations_of_any_network, convention_names.known()))
EASY = [n for n in TORCH if loader.load(n).frameworks == ()]
LOADED = {name: loader.load(name) for name in TORCH}


@given(graphs(), st.sampled_from(EASY), st.sampled_from(EASY))
def test_the_causes_sum_to_the_gap_for_any_pair(graph, a: str, b: str) -> None:  # noqa: ANN001
    for what in ("count", "params"):
        if what == "params" and None in (LOADED[a].params, LOADED[b].params):
            continue
        found = explain(graph, LOADED[a], LOADED[b], what=what)

        assert sum(cause.count for cause in found.causes) == found.gap
        assert found.gap == found.b.figure - found.a.figure
        assert not any(cause.kind == "other" or "other" in cause.cause.split() for cause in found.causes)


@given(torch_graphs(), st.sampled_from(TORCH), st.sampled_from(TORCH))
def test_the_causes_sum_to_the_gap_for_any_pair_of_torch_tools(graph, a: str, b: str) -> None:  # noqa: ANN001
    """No example is left out: every convention counts every such network."""
    for what in ("count", "params"):
        if what == "params" and None in (LOADED[a].params, LOADED[b].params):
            continue
        found = explain(graph, LOADED[a], LOADED[b], what=what)

        assert sum(cause.count for cause in found.causes) == found.gap
        assert found.gap == found.b.figure - found.a.figure
        assert not any(cause.kind in ("other", "") for cause in found.causes)


@given(graphs(symbols=True), st.sampled_from(EASY), st.sampled_from(EASY))
def test_causes_sum_in_symbols_too(graph, a: str, b: str) -> None:  # noqa: ANN001
    found = explain(graph, LOADED[a], LOADED[b])
    rest = found.gap - sum(cause.count for cause in found.causes)

    assert rest == 0 or (is_symbolic(rest) and rest.expand() == 0)


def test_formulas_are_put_in_order_too() -> None:
    """2 N * 3 * 5 against N * 5 biases."""
    graph = layer("linear", {"out_features": 5, "bias": True}, (symbol("N"), 3))
    found = explain(graph, LOADED["mac"], LOADED["2mac"].set({"bias": "add"}))

    assert [(cause.kind, str(cause.count)) for cause in found.causes] == [("unit", "15*N"), ("bias", "5*N")]


def test_a_convention_and_itself_have_no_causes() -> None:
    found = explain(network(), LOADED["mac"], LOADED["mac"])

    assert (found.gap, found.causes) == (0, ())


def _causes(
    kind: str, attrs: dict[str, object], shape: tuple[int, ...], a: str, b: str, **switches: str
) -> dict[str, int]:
    graph = layer(kind, attrs, shape)
    found = explain(graph, LOADED[a], LOADED[b].set(switches))
    return {cause.kind: cause.count for cause in found.causes}


def test_the_unit_the_bias_and_the_missing_addition_are_distinguished() -> None:
    dense = ("linear", {"out_features": 5, "bias": True}, (2, 3))

    assert _causes(*dense, "mac", "2mac") == {"unit": 30}
    assert _causes(*dense, "mac", "2mac", bias="add") == {"unit": 30, "bias": 10}
    assert _causes(*dense, "mac", "2mac", bias="mac") == {"unit": 30, "bias": 20}
    assert _causes(*dense, "2mac", "2mac-1") == {"formula": -10}
    assert _causes(*dense, "2mac", "2mac-1", bias="add") == {"formula": -10, "bias": 10}
    assert _causes(*dense, "mac", "ops") == {"unit": 30, "formula": -10, "bias": 10}


def test_what_is_priced_by_one_side_only_bears_its_groups_name() -> None:
    assert _causes("relu", {}, (2, 3), "mac", "ops") == {"activation": 6}
    assert _causes("batch_norm", {}, (2, 3), "ops", "mac") == {"norm": -(4 * 6 + 2 * 3)}
    assert _causes("relu", {}, (2, 3), "seed-001", "convnet-burden") == {"activation": 6}


def test_a_batch_division_is_a_cause() -> None:
    assert _causes("linear", {"out_features": 5}, (2, 3), "mac", "mac", batch="one") == {"batch": -15}


def test_a_layer_counted_on_two_levels_and_a_hidden_one(tmp_path) -> None:  # noqa: ANN001
    head = 'unit = "MAC"\ntotal = "layer + function"\n'
    twice = tmp_path / "twice.toml"
    twice.write_text(
        f'name = "twice"\n{head}[rules.layer]\n"torch.nn.Linear" = "macs"\n'
        '[rules.function]\n"torch.nn.functional.linear" = "macs"\n'
    )
    hiding = tmp_path / "hiding.toml"
    hiding.write_text(
        f'name = "hiding"\n{head}[reduce.layer]\ntimes = "open_paths"\n'
        '[rules.layer]\n"torch.nn.Linear" = "macs"\n"mine.Block" = "0"\n'
    )
    graph = network()

    found = explain(graph, LOADED["mac"], loader.load(twice))
    assert {(c.kind, c.count) for c in found.causes} == {("counted twice", 24)}
    assert found.causes[0].cause == "linear counted twice by twice: as a layer and as a function"

    found = explain(graph, LOADED["mac"], loader.load(hiding))
    assert {(c.kind, c.count) for c in found.causes} == {("hidden", -24)}
    assert found.causes[0].layers == (("block.fc", -24),)


def test_reuse_is_a_cause(tmp_path) -> None:  # noqa: ANN001
    file = tmp_path / "last.toml"
    file.write_text(
        'name = "last"\nunit = "MAC"\ntotal = "layer"\n[reduce.layer]\nwhere = "last"\n'
        '[rules.layer]\n"torch.nn.Linear" = "macs"\n'
    )

    (cause,) = explain(network(), LOADED["mac"], loader.load(file)).causes
    assert (cause.kind, cause.count, cause.calls) == ("reuse", -32, 1)


def test_parameters_have_causes_of_their_own(tmp_path) -> None:  # noqa: ANN001
    file = tmp_path / "all.toml"
    file.write_text(
        'name = "all"\nunit = "MAC"\ntotal = "layer"\n[rules.layer]\n[params]\nover = "parameters"\n'
        'count = "numel if trainable or buffer else 0"\n'
    )

    found = explain(network(), LOADED["mac"], loader.load(file), what="params")

    assert {(c.kind, c.count) for c in found.causes} == {("frozen", -16), ("buffers", 7)}
    assert found.gap == -9


def test_what_is_explained_must_be_known_and_given() -> None:
    with pytest.raises(UsageError, match="one of count, params, found 'memory'"):
        explain(network(), LOADED["mac"], LOADED["mac"], what="memory")
    with pytest.raises(ConventionError, match="is for networks of caffe"):
        explain(network(), LOADED["mac"], loader.load("netscope"))


def test_merged_causes_are_largest_first_and_none_is_zero() -> None:
    given_ones = [
        Difference("unit", "u", 3, "a"),
        Difference("bias", "b", -9, "a"),
        Difference("bias", "b", -1, "b"),
        Difference("norm", "n", 4, "a"),
        Difference("norm", "n", -4, "a"),
    ]

    assert [(c.cause, c.count, c.calls) for c in merged(given_ones)] == [("b", -10, 2), ("u", 3, 1)]


def test_a_piece_of_work_has_one_reason_for_each_tool() -> None:
    """A convolution 3 -> 4 of 3x3 with bias on 2x3x4x4, a norm and a ReLU: 2 * 16 * 4 * 27 = 3456 macs,
    128 elements. thop takes 4 for each element of the norm, ptflops 2, and counts the ReLU twice.
    """
    net = Network((2, 3, 4, 4))
    add_conv(net, 4, 3, bias=True, frozen=False, parents=0)
    add_norm(net, frozen=False, parents=0)
    add_relu(net, frozen=False, parents=0)
    found = explain(net.graph(), LOADED["thop"], LOADED["ptflops"])

    assert [(c.cause, c.kind, c.count) for c in found.causes] == [
        ("the total is divided by the batch by ptflops", "batch", -1984),
        ("batch_norm priced differently (4 by thop, 2 by ptflops for each output element)", "norm", -256),
        ("bias of conv counted by ptflops only", "bias", 128),
        ("relu counted twice by ptflops: as a layer and as a function", "counted twice", 128),
        ("relu not counted by thop (1 by ptflops for each output element)", "activation", 128),
    ]
    assert (found.a.figure, found.b.figure) == (3456 + 512, (3456 + 128 + 256 + 128) // 2 + 128)


def test_a_function_is_not_seen_by_a_tool_that_looks_at_modules() -> None:
    net = Network((1, 2, 4, 4))
    net.twice("torch.Tensor.__matmul__", "matmul", "aten.matmul.default")
    found = explain(net.graph(), LOADED["mac"], LOADED["thop"])

    assert [(c.cause, c.kind, c.count) for c in found.causes] == [
        ("matmul not counted by thop: it looks at modules only, this is a function", "functional", -2 * 64)
    ]


def test_a_tool_without_a_rule_for_a_kind_bears_the_kinds_name() -> None:
    net = Network((1, 2, 4, 4))
    net.twice("torch.Tensor.__matmul__", "matmul", "aten.matmul.default")
    found = explain(net.graph(), LOADED["mac"], LOADED["ptflops"])

    assert [(c.cause, c.kind) for c in found.causes] == [
        ("matmul not counted by ptflops: it has no rule for torch.Tensor.__matmul__", "matmul")
    ]


def test_a_transposed_convolution_at_its_output_positions(tmp_path) -> None:  # noqa: ANN001
    """2 to 3 channels, 2x2, stride 2, on 4x4: 6 * 4 * 16 = 384 at the input, 4 times that at its output."""
    file = tmp_path / "outputs.toml"
    file.write_text(
        'name = "outputs"\nunit = "MAC"\ntotal = "layer"\n'
        '[rules.layer]\n"conv_transpose" = "kernel_volume * in_channels * out_elems"\n'
    )
    graph = layer("conv_transpose", {"kernel": (2, 2), "out_channels": 3, "stride": (2, 2)}, (1, 2, 4, 4))
    (cause,) = explain(graph, LOADED["mac"], loader.load(file)).causes

    assert (cause.kind, cause.count) == ("formula", 3 * 384)
    assert (
        cause.cause == "conv_transpose counted at its output positions by outputs, not at its input positions"
    )


def test_a_formula_of_its_own_states_its_factor(tmp_path) -> None:  # noqa: ANN001
    file = tmp_path / "triple.toml"
    file.write_text('name = "triple"\nunit = "MAC"\ntotal = "layer"\n[rules.layer]\n"linear" = "3 * macs"\n')
    (cause,) = explain(layer("linear", {"out_features": 5}, (1, 4)), LOADED["mac"], loader.load(file)).causes

    assert (cause.cause, cause.count) == (
        "another formula for linear by triple (3 times the multiply-accumulates by triple)", 40
    )  # fmt: skip


def test_a_kernel_inside_a_layer_that_one_tool_does_not_see(tmp_path) -> None:  # noqa: ANN001
    """A layer of two dense ops, 3 -> 4 and 4 -> 4, of which one is priced: 16 of 28 macs are missing."""
    file = tmp_path / "ops.toml"
    file.write_text('name = "low"\nunit = "MAC"\ntotal = "op"\n[rules.op]\n"aten.first" = "macs"\n')
    b = GraphBuilder(builtin())
    x, y, z = b.input("x", (1, 3)), b.tensor((1, 4)), b.tensor((1, 4))
    b.modules.append(Module(0, ("",), "net.Pair"))
    top = b.layer("", "container", "net.Pair", module=0, inputs=[x], outputs=[z])
    for name, before, after in (("aten.first", x, y), ("aten.fused", y, z)):
        b.layer(
            name, "linear", name, level="op", parent=top, inputs=[before], outputs=[after],
            attrs={"out_features": 4},
        )  # fmt: skip
    (cause,) = explain(b.build(Reading("r", "hand", "torch"), [z]), LOADED["mac"], loader.load(file)).causes

    assert (cause.cause, cause.kind, cause.count) == (
        "linear not counted by low: it has no rule for aten.fused", "linear", -16
    )  # fmt: skip


def test_a_figure_of_parameters_is_another_unit(tmp_path) -> None:  # noqa: ANN001
    file = tmp_path / "weights.toml"
    file.write_text('name = "weights"\nunit = "params"\ntotal = "layer"\n[rules.layer]\n"linear" = "20"\n')
    found = explain(layer("linear", {"out_features": 5}, (3, 4)), LOADED["mac"], loader.load(file))

    assert [(c.cause, c.count) for c in found.causes] == [
        ("unit: weights counts parameters, not operations", -60),
        ("the weights of linear, which weights counts", 20),
    ]


def test_parameters_that_are_shared_uncalled_unmapped_or_counted_for_each_call() -> None:
    """conv 4 * 3 * 9 = 108, called twice; a box around it; a dense layer 2x3 that is never called."""
    net = Network((1, 3, 4, 4))
    module = add_conv(net, 3, 3, bias=False, frozen=False, parents=1)
    call_conv(net, module)
    net.module("torch.nn.Linear", {"weight": (2, 3)}, {}, frozen=False, parents=0)
    graph = net.graph()
    thop = explain(graph, LOADED["mac"], LOADED["thop"], what="params")
    summary = explain(graph, LOADED["mac"], LOADED["torchsummary"], what="params")

    assert [(c.cause, c.kind, c.count) for c in thop.causes] == [
        ("weights, once more for each further call or parent: not counted by mac", "reuse", 81),
        ("weights: not counted by thop, the module is never called", "never called", -6),
    ]
    assert [(c.kind, c.count) for c in summary.causes] == [("reuse", 3 * 81), ("never called", -6)]


def test_another_reading_is_a_cause_of_its_own() -> None:
    """The same network read with and without an added layer of 20 macs."""
    short = layer("linear", {"out_features": 5}, (1, 4))
    long = layer("linear", {"out_features": 10}, (1, 4))
    found = explain(short, LOADED["mac"], LOADED["2mac"], graph_b=long)

    assert [(c.kind, c.count) for c in found.causes] == [("unit", 40), ("kernel", 20)]
    assert found.gap == 60


def test_several_counts_are_explained_from_the_first_one() -> None:
    """20 macs, of which 2mac makes 40 operations; the other reading has a layer of 40 macs, 80 operations."""
    short = layer("linear", {"out_features": 5}, (1, 4))
    long = layer("linear", {"out_features": 10}, (1, 4))
    counts = [engine.evaluate(short, LOADED[name]) for name in ("mac", "2mac")]
    found = from_first([*counts, engine.evaluate(long, LOADED["2mac"])])

    assert [[(c.kind, c.count) for c in one.causes] for one in found] == [
        [("unit", 20)],
        [("unit", 40), ("kernel", 20)],
    ]
