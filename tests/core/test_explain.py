from __future__ import annotations

from fractions import Fraction

import pytest
from flopledger import convention
from flopledger.dims import is_symbolic
from flopledger.errors import ConventionError, UsageError
from flopledger.explain import explain, merged
from flopledger.lookup import find, parse_figure, variants
from flopledger.workcauses import Difference
from graphs import graphs, layer
from handmade import network
from hypothesis import given
from hypothesis import strategies as st

TORCH = [n for n in convention.names() if convention.load(n).frameworks in ((), ("torch",))]
EASY = [n for n in TORCH if convention.load(n).frameworks == ()]
LOADED = {name: convention.load(name) for name in TORCH}


@given(graphs(), st.sampled_from(EASY), st.sampled_from(EASY))
def test_the_causes_sum_to_the_gap_for_any_pair(graph, a: str, b: str) -> None:  # noqa: ANN001
    for what in ("count", "params"):
        found = explain(graph, LOADED[a], LOADED[b], what=what)

        assert sum(cause.count for cause in found.causes) == found.gap
        assert found.gap == found.b.figure - found.a.figure
        assert not any(cause.kind == "other" or "other" in cause.cause.split() for cause in found.causes)


@given(graphs(symbols=True), st.sampled_from(EASY), st.sampled_from(EASY))
def test_causes_sum_in_symbols_too(graph, a: str, b: str) -> None:  # noqa: ANN001
    found = explain(graph, LOADED[a], LOADED[b])
    rest = found.gap - sum(cause.count for cause in found.causes)

    assert rest == 0 or (is_symbolic(rest) and rest.expand() == 0)


def test_a_convention_and_itself_have_no_causes() -> None:
    found = explain(network(), LOADED["mac"], LOADED["mac"])

    assert (found.gap, found.causes) == (0, ())


def _causes(
    kind: str, attrs: dict[str, object], shape: tuple[int, ...], a: str, b: str, **switches: str
) -> dict[str, int]:
    graph = layer(kind, attrs, shape)
    found = explain(graph, LOADED[a], LOADED[b].set(switches))
    return {cause.kind: cause.count for cause in found.causes}


def test_the_unit_the_bias_and_the_missing_addition_are_told_apart() -> None:
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

    found = explain(graph, LOADED["mac"], convention.load(twice))
    assert {(c.kind, c.count) for c in found.causes} == {("counted twice", 24)}
    assert "layer and function" in found.causes[0].cause

    found = explain(graph, LOADED["mac"], convention.load(hiding))
    assert {(c.kind, c.count) for c in found.causes} == {("hidden", -24)}
    assert found.causes[0].layers == (("block.fc", -24),)


def test_reuse_is_a_cause(tmp_path) -> None:  # noqa: ANN001
    file = tmp_path / "last.toml"
    file.write_text(
        'name = "last"\nunit = "MAC"\ntotal = "layer"\n[reduce.layer]\nwhere = "last"\n'
        '[rules.layer]\n"torch.nn.Linear" = "macs"\n'
    )

    (cause,) = explain(network(), LOADED["mac"], convention.load(file)).causes
    assert (cause.kind, cause.count, cause.calls) == ("reuse", -32, 1)


def test_parameters_have_causes_of_their_own(tmp_path) -> None:  # noqa: ANN001
    file = tmp_path / "all.toml"
    file.write_text(
        'name = "all"\nunit = "MAC"\ntotal = "layer"\n[rules.layer]\n[params]\nover = "parameters"\n'
        'count = "numel if trainable or buffer else 0"\n'
    )

    found = explain(network(), LOADED["mac"], convention.load(file), what="params")

    assert {(c.kind, c.count) for c in found.causes} == {("frozen", -16), ("buffers", 7)}
    assert found.gap == -9


def test_what_is_explained_must_be_known_and_told() -> None:
    with pytest.raises(UsageError, match="one of count, params, found 'memory'"):
        explain(network(), LOADED["mac"], LOADED["mac"], what="memory")
    with pytest.raises(ConventionError, match="is for networks of caffe"):
        explain(network(), LOADED["mac"], convention.load("netscope"))


def test_merged_causes_are_largest_first_and_none_is_zero() -> None:
    given_ones = [
        Difference("unit", "u", 3, "a"),
        Difference("bias", "b", -9, "a"),
        Difference("bias", "b", -1, "b"),
        Difference("norm", "n", 4, "a"),
        Difference("norm", "n", -4, "a"),
    ]

    assert [(c.cause, c.count, c.calls) for c in merged(given_ones)] == [("b", -10, 2), ("u", 3, 1)]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("4.09G", 4_085_000_000, 4_095_000_000),
        ("4.1 GMac", 4_050_000_000, 4_150_000_000),
        ("25.6M params", 25_550_000, 25_650_000),
        ("4,089,184,256", 4_089_184_256, 4_089_184_256),
        ("4e9", 3_500_000_000, 4_500_000_000),
        ("7 B", 6_500_000_000, 7_500_000_000),
        ("0.5", Fraction(45, 100), Fraction(55, 100)),
    ],
)
def test_a_figure_stands_for_what_rounds_to_it(text: str, low: Fraction, high: Fraction) -> None:
    figure = parse_figure(text)

    assert (figure.low, figure.high) == (low, high)


@pytest.mark.parametrize("text", ["", "G", "4.09X", "-3", "4..1G", "1e999", "nan", "4.09G extra"])
def test_what_is_no_figure_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a figure"):
        parse_figure(text)


def test_a_figure_leads_to_the_convention_that_prints_it() -> None:
    graph = layer("linear", {"out_features": 1, "bias": True}, (1, 256))
    loaded = [LOADED[name] for name in ("mac", "2mac", "2mac-1", "ops")]

    def best(text: str) -> tuple[str, dict[str, str], bool]:
        match = find([(graph, loaded)], parse_figure(text))[0]
        return match.convention, dict(match.switches), match.fits

    assert best("511") == ("2mac-1", {}, True)
    assert best("514") == ("2mac", {"bias": "mac"}, True)
    assert best("0.26K") == ("mac", {}, True)
    assert best("9999") == ("2mac", {"bias": "mac"}, False)


def test_parameters_are_found_by_their_figure_too() -> None:
    matches = find([(network(), [LOADED["mac"]])], parse_figure("32"))

    assert ("params", 32) in {(m.what, m.count) for m in matches if m.fits}


def test_variants_change_at_most_two_decisions() -> None:
    assert {len(v.changed) for v in variants(LOADED["mac"])} == {0, 1, 2}
