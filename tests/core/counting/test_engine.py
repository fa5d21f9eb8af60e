from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from flopledger.conventions import loader
from flopledger.counting.engine import count, count_total
from flopledger.dims.arithmetic import substitute, symbol
from flopledger.errors import ConventionError, ProfileMismatch
from graphs import graphs, layer
from handmade import network
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.counting.ledger import Ledger
    from flopledger.graph.graph import Graph


def counted(ledger: Ledger) -> dict[str, object]:
    return {row.path: row.count for row in ledger.rows if row.count != 0}


def test_the_outermost_call_with_a_formula_is_priced_and_covers_what_is_below() -> None:
    ledger = network().count("mac")

    assert counted(ledger) == {"block.fc": 24, "again": 32, "again#2": 32}
    assert [row.path for row in ledger.rows] == ["", "block", "block.fc", "again", "again#2", "odd"]
    assert ledger.total.count == ledger.total.macs == 88


def test_parameters_belong_to_the_first_call_and_buffers_are_apart() -> None:
    ledger = network().count("mac")

    assert {r.path: r.params for r in ledger.rows if r.params != 0} == {"block.fc": 16, "again": 16}
    total = ledger.total
    assert (total.params, total.trainable_params, total.non_trainable_params, total.buffers) == (
        32,
        16,
        16,
        7,
    )


def test_an_unknown_call_is_shown_and_never_a_silent_zero() -> None:
    coverage = network().count("mac").coverage

    assert (coverage.counted, coverage.free, coverage.ignored) == (3, 0, 0)
    (unknown,) = coverage.unknown
    assert (unknown.source, unknown.kind, unknown.calls, unknown.out_elems) == ("mine.Odd", "unknown", 1, 18)
    assert unknown.why == "no formula for 'mine.Odd'"


def test_a_rule_for_its_source_makes_an_unknown_call_known(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extend = "mac"\nname = "mine"\n[rules.layer]\n"mine.Odd" = "in_elems * 9"\n')

    ledger = network().count(str(file))

    assert counted(ledger)["odd"] == 2 * 4 * 9
    assert ledger.coverage.unknown == ()


def test_a_convention_may_say_of_which_calls_nobody_knows_the_tool_s_figure(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    text = """name = "mine"
unit = "MAC"
total = "layer"
[reduce.layer]
where = "uncovered"
unknown = "not ruled or out_elems == 18"
[rules.layer]
"mine.Odd" = "1 // 0"
"*" = "0"
"""
    file.write_text(text)
    ledger = network().count(str(file))

    # the rule of the call that is unknown is not asked, the containers above are none, and `*` is no rule
    assert ledger.total.count == 0
    assert "mine.Odd" in {unknown.source for unknown in ledger.coverage.unknown}
    assert "linear" in {unknown.kind for unknown in ledger.coverage.unknown}
    assert "no rule" in {u.kind: u.why for u in ledger.coverage.unknown}["linear"]
    assert {row.status for row in ledger.rows} == {"container", "unknown"}


def test_a_rule_for_a_containers_source_covers_what_is_below_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extend = "mac"\nname = "mine"\n[rules.layer]\n"mine.Block" = "5"\n')

    ledger = network().count(str(file))

    assert counted(ledger) == {"block": 5, "again": 32, "again#2": 32}
    assert {r.path: r.params for r in ledger.rows if r.params != 0} == {"block": 16, "again": 16}


def _peer(tmp_path: Path, text: str, total: str = "layer + function + op") -> str:
    file = tmp_path / "peer.toml"
    file.write_text(f'name = "peer"\nunit = "MAC"\ntotal = "{total}"\n{text}')
    return str(file)


@pytest.mark.parametrize(
    ("text", "total", "expected"),
    [
        ('[rules.layer]\n"torch.nn.Linear" = "1"', "layer", 3),
        ('[rules.layer]\n"torch.nn.Linear" = "1"\n[reduce.layer]\nwhere = "last"', "layer", 2),
        ('[rules.layer]\n"torch.nn.Linear" = "1"\n[reduce.layer]\nwhere = "first"', "layer", 2),
        ('[rules.layer]\n"torch.nn.Linear" = "ncalls"', "layer", 5),
        ('[rules.layer]\n"torch.nn.Linear" = "index"', "layer", 4),
        ('[rules.layer]\n"torch.nn.Linear" = "own"', "layer", 48),
        ('[rules.layer]\n"*" = "1"\n[reduce.layer]\nwhere = "leaf"', "layer", 4),
        ('[rules.layer]\n"*" = "1"\n[reduce.layer]\nwhere = "root"', "layer", 1),
        ('[rules.layer]\n"mine.Net" = "all"', "layer", 32),
        ('[rules.layer]\n"mine.Net" = "all_trainable"', "layer", 16),
        ('[rules.layer]\n"mine.Net" = "stored"', "layer", 7),
        (
            '[rules.layer]\n"torch.nn.Linear" = "sum(n for name, n in params if name == \'bias\')"',
            "layer",
            4,
        ),
        ('[rules.layer]\n"torch.nn.Linear" = "prod(own_shapes[0])"', "layer", 44),
        ('[rules.function]\n"torch.nn.functional.linear" = "10"', "function", 10),
        ('[rules.op]\n"aten.linear" = "10"', "op", 10),
        ('[rules.op]\n"aten.linear.default" = "10"\n"aten.linear" = "20"', "op", 10),
        ('[rules.op]\n"linear" = "10"\n[reduce.op]\nwhere = "not composite and outermost"', "op", 10),
        ('[rules.layer]\n"torch.nn.Linear" = "3"\n[rules.op]\n"linear" = "10"', "2 * layer + op", 28),
        ('[rules.layer]\n"torch.nn.Linear" = "3"', "trunc(layer / root_batch)", 4),
        ('[rules.layer]\n"torch.nn.Linear" = "3"', "layer / root_batch", Fraction(9, 2)),
    ],
)
def test_a_peers_reduction_is_an_expression(tmp_path: Path, text: str, total: str, expected: object) -> None:
    ledger = network().count(_peer(tmp_path, text, total))

    assert ledger.total.count == expected
    assert sum(r.count for r in ledger.rows) + sum(a.count for a in ledger.adjustments) == expected
    assert ledger.total.macs == 88


def test_division_rounding_and_scaling_are_distinguished(tmp_path: Path) -> None:
    ledger = network().count(
        _peer(tmp_path, '[rules.layer]\n"torch.nn.Linear" = "3"', "trunc(3 * layer / root_batch)")
    )

    assert ledger.total.count == 13
    assert [(a.what, a.count) for a in ledger.adjustments] == [
        ("scaling", 18),
        ("batch division", Fraction(-27, 2)),
        ("rounding", Fraction(-1, 2)),
    ]


def test_a_convention_for_another_framework_is_refused() -> None:
    with pytest.raises(ConventionError, match="'netscope' is for networks of caffe; net was read from torch"):
        network().count("netscope")


def test_a_reading_under_another_profile_is_refused(tmp_path: Path) -> None:
    file = _peer(tmp_path, '[profile]\ngrad = false\n[rules.layer]\n"linear" = "1"')

    with pytest.raises(ProfileMismatch, match="needs a reading with grad = False, this one has grad = True"):
        network().count(file)


def test_a_missing_native_fact_names_the_call(tmp_path: Path) -> None:
    file = _peer(tmp_path, '[rules.layer]\n"torch.nn.Linear" = "native.weight[0]"')

    with pytest.raises(
        ConventionError, match=r"peer: block\.fc: .*peer\.toml:5: there is no 'native\.weight' here"
    ):
        network().count(file)


def test_levels_that_disagree_are_shown() -> None:
    graph = network()
    wrong = replace(graph.layers[2], inputs=(1,), outputs=(2,))  # 4 to 4 where 3 to 4 runs below
    changed = replace(graph, layers=(*graph.layers[:2], wrong, *graph.layers[3:]))

    assert graph.count("mac").disagreements == ()
    (said,) = changed.count("mac").disagreements
    assert "block.fc (torch.nn.Linear): 32 macs by its kind 'linear', 24 by the calls below it" in said


@given(batch=st.integers(1, 50), name=st.sampled_from(("mac", "2mac", "2mac-1", "ops", "seed-001")))
def test_substituting_numbers_is_counting_with_numbers(batch: int, name: str) -> None:
    count = network(symbol("N")).count(name).total.count

    assert substitute(count, {"N": batch}) == network(batch).count(name).total.count  # type: ignore[arg-type]


def test_symbols_pass_a_batch_division(tmp_path: Path) -> None:
    file = _peer(tmp_path, '[rules.layer]\n"linear" = "macs"', "trunc(layer / root_batch)")

    assert network(symbol("N")).count(file).total.count == 44


@given(graphs())
def test_rows_stand_below_rows_and_paths_are_unique(graph: Graph) -> None:
    ledger = graph.count("mac")
    ids = {row.id for row in ledger.rows}

    assert all(row.parent is None or row.parent in ids for row in ledger.rows)
    assert len({row.path for row in ledger.rows}) == len(ledger.rows)
    assert sum(row.macs for row in ledger.rows) == ledger.total.macs


def test_a_ledger_answers_by_kind() -> None:
    assert network().count("mac").by("kind") == {"container": 0, "linear": 88, "unknown": 0}


def test_a_kind_without_a_formula_is_unknown_but_has_a_shape() -> None:
    graph = layer("svd", {}, (5, 5))

    (unknown,) = graph.count("mac").coverage.unknown
    assert unknown.out_elems == 5 * 5 + 5 + 5 * 5
    assert "has no formula" in unknown.why


BOXES = ("roi_pool", {"pooled": (7, 7)}, (1, 8, 20, 20), (5, 5))
SORTED = ("sort", {}, (3, 4))
COMPARED = [
    (BOXES, "mac", {}, 0),
    (BOXES, "mac", {"bias": "add"}, 0),  # nothing is added to a largest element
    (BOXES, "mac", {"pool": "on"}, 1),  # its comparisons are asked for, and depend on the boxes
    (BOXES, "mac", {"elementwise": "on"}, 0),
    (BOXES, "2mac", {}, 0),
    (BOXES, "2mac-1", {"bias": "mac"}, 0),
    (BOXES, "three-times-forward", {}, 0),
    (BOXES, "ops", {}, 1),
    (BOXES, "ops", {"pool": "off"}, 0),
    (BOXES, "torch-flop-counter", {}, 0),  # a closed list of products, which counts nothing else
    (BOXES, "convnet-burden", {}, 1),  # it prices pooling by rules that were not seen for boxes
    (SORTED, "mac", {}, 0),
    (SORTED, "mac", {"elementwise": "on"}, 1),
    (SORTED, "ops", {}, 1),
    (("roi_align", {"pooled": (7, 7)}, (1, 8, 20, 20), (5, 5)), "ops", {}, 1),
    (("svd", {}, (5, 5)), "mac", {}, 1),  # it multiplies and accumulates, how often depends on the data
    (("svd", {}, (5, 5)), "torch-flop-counter", {}, 1),
]


@pytest.mark.parametrize(("made", "convention", "switches", "unknown"), COMPARED)
def test_comparisons_are_no_products_and_unknown_only_where_they_are_asked_for(
    made: tuple[str, dict[str, object], tuple[int, ...]],
    convention: str,
    switches: dict[str, str],
    unknown: int,
) -> None:
    graph, loaded = layer(*made), replace(loader.load(convention, switches), frameworks=())

    ledger = count(graph, loaded)
    assert (ledger.total.count, ledger.coverage.unknown_calls) == (0, unknown)
    assert count_total(graph, loaded) == ledger.total
    assert {row.status for row in ledger.rows} <= {"container", "unknown" if unknown else "ignored"}


def test_a_list_of_calls_that_depends_on_open_operations_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extend = "mac"\nname = "mine"\n[reduce.any]\nwhere = "ops > 0"\n')

    with pytest.raises(ConventionError, match="asked of its operations, which depend on the data"):
        layer(*SORTED).count(str(file))


def test_conventions_share_a_reading_where_they_can() -> None:
    from flopledger.reading.profiles import profiles

    loaded = [loader.load(name) for name in ("mac", "2mac", "netscope")]

    assert [(profile, [c.name for c in group]) for profile, group in profiles(loaded)] == [
        ({}, ["mac", "2mac", "netscope"])
    ]
