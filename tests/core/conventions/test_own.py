"""Our own conventions on networks of one layer, with figures worked out by hand."""

from __future__ import annotations

import pytest
from flopledger.conventions import loader
from flopledger.conventions import names as convention_names
from graphs import layer

OWN = ("mac", "2mac", "2mac-1", "ops")


def figures(
    kind: str, attrs: dict[str, object], *shapes: tuple[int, ...], **switches: object
) -> tuple[object, ...]:
    graph = layer(kind, attrs, *shapes)
    return tuple(graph.count(name, **switches).total.count for name in OWN)


def test_a_dense_layer() -> None:
    # 2 rows, 3 to 5: 30 products, 10 dot products, 10 biases; ops: 30 + 20 + 10
    assert figures("linear", {"out_features": 5, "bias": True}, (2, 3)) == (30, 60, 50, 60)
    assert figures("linear", {"out_features": 5}, (2, 3)) == (30, 60, 50, 50)


@pytest.mark.parametrize(
    ("bias", "expected"),
    [("none", (30, 60, 50, 50)), ("add", (40, 70, 60, 60)), ("mac", (40, 80, 70, 70))],
)
def test_the_three_ways_to_count_a_bias(bias: str, expected: tuple[int, ...]) -> None:
    assert figures("linear", {"out_features": 5, "bias": True}, (2, 3), bias=bias) == expected


def test_a_causal_mask_may_leave_its_part_alone() -> None:
    attrs, shapes = {"causal": True}, ((2, 3, 4), (2, 3, 4), (2, 3, 5))
    # 2 heads of 3 * 3 pairs, 4 + 5 terms; 9 scores and 15 results are dot products. Besides, the scores are
    # scaled and made to sum to 1: 18 products, 12 comparisons, 18 + 12 additions, 18 exponentials and
    # 18 divisions
    assert figures("attention", attrs, *shapes) == (162, 324, 276, 276 + 96)
    # the mask leaves 1 + 2 + 3 of 9 pairs: 2 * 6 * 9 terms in 2 * (6 + 15) dot products
    assert figures("attention", attrs, *shapes, causal="exact") == (108, 216, 174, 174 + 96)
    assert figures("attention", {}, *shapes, causal="exact") == (162, 324, 276, 276 + 96)
    # half of all pairs: 9 terms in each of 2 heads for 4 1/2 of 9 pairs, and 2 * 4 1/2 scores fewer
    assert figures("attention", attrs, *shapes, causal="half") == (81, 162, 162 - 39, 162 - 39 + 96)


def test_true_means_add() -> None:
    graph = layer("linear", {"out_features": 5, "bias": True}, (2, 3))

    assert graph.count("2mac", bias=True).total.count == 70
    assert graph.count("2mac", bias="true").convention.switches == {"bias": "add"}


@pytest.mark.parametrize(
    ("switch", "kind", "attrs", "count"),
    [
        # per element: subtract the mean, times the root, times gamma, plus beta; per channel: epsilon, root
        ("norm", "batch_norm", {}, 4 * 24 + 2 * 3),
        ("activation", "relu", {}, 24),
        # 2 x 2 windows, 6 of them: 3 comparisons each
        ("pool", "max_pool", {"kernel": (2, 2), "stride": (2, 2)}, 3 * 6),
        # 6 rows of 4: 3 comparisons, 4 + 3 additions, 4 exponentials, 4 divisions each
        ("softmax", "softmax", {"axis": -1}, 6 * 18),
        ("elementwise", "exp", {}, 24),
    ],
)
def test_a_switch_turns_a_group_on_and_off(
    switch: str, kind: str, attrs: dict[str, object], count: int
) -> None:
    graph = layer(kind, attrs, (1, 3, 2, 4))

    for name in ("mac", "2mac", "2mac-1"):
        assert graph.count(name).total.count == 0
        assert graph.count(name, **{switch: "on"}).total.count == count
    assert graph.count("ops").total.count == count
    assert graph.count("ops", **{switch: "off"}).total.count == 0


def test_one_sample_of_a_batch() -> None:
    ledger = layer("linear", {"out_features": 5}, (4, 3)).count("mac", batch="one")

    assert ledger.total.count == 15
    assert ledger.total.macs == 60
    assert [(a.what, a.count) for a in ledger.adjustments] == [("batch division", -45)]


def test_the_set_of_own_conventions_and_peers_is_as_promised() -> None:
    assert {*OWN, "seed-001", "caffe-script", "netscope", "convnet-burden"} <= set(convention_names.known())


@pytest.mark.parametrize("name", convention_names.known())
def test_every_shipped_convention_loads_and_explains_itself(name: str) -> None:
    loaded = loader.load(name)

    assert loaded.name == name
    assert loaded.title
    assert loaded.description.strip()
    assert all(switch.doc for switch in loaded.switches.values())
    if loaded.tool:
        assert loaded.version or loaded.source or name.startswith("seed")
