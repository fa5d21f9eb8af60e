from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.report.tree import grow, root_row, span, walk

if TYPE_CHECKING:
    from flopledger.counting.ledger import Ledger


def with_paths(ledger: Ledger, *paths: str) -> Ledger:
    """Return a ledger of dense layers, each 1440 macs and 1450 parameters, at these paths."""
    rows = tuple(replace(ledger.rows[3], id=i, path=path) for i, path in enumerate(paths))
    return replace(ledger, rows=rows)


def shown(ledger: Ledger, depth: int | None = None, *, fold: bool = True) -> list[tuple[str, int, object]]:
    return [(line.label, line.times, line.counts[0]) for line in walk(grow([ledger]), depth, fold=fold)]


def test_a_node_has_the_sums_of_what_is_below_it(toy: Ledger) -> None:
    root = grow([toy])
    features = root.children["features"]
    assert (features.counts, features.params, features.macs, features.calls) == ((3888,), 112, 3888, 2)
    assert (root.counts, root.params, root.calls, root.unknown) == ((5328,), 1562, 4, 1)


def test_blocks_that_are_alike_are_one_line_with_the_sum_of_all(toy: Ledger) -> None:
    paths = [f"h.{i}.{name}" for i in range(3) for name in ("attn", "mlp")]
    assert shown(with_paths(toy, "embed", *paths, "head")) == [
        ("", 1, 8 * 1440),
        ("embed", 1, 1440),
        ("3 x h.0-2", 3, 6 * 1440),
        ("3 x attn", 3, 3 * 1440),
        ("3 x mlp", 3, 3 * 1440),
        ("head", 1, 1440),
    ]


def test_runs_within_runs_multiply(toy: Ledger) -> None:
    paths = [f"s{i}.b{j}.fc" for i in (1, 2) for j in (0, 1, 2)]
    assert [line[:2] for line in shown(with_paths(toy, *paths))] == [
        ("", 1), ("2 x s1-2", 2), ("6 x b0-2", 6), ("6 x fc", 6),
    ]  # fmt: skip


def test_blocks_of_one_size_with_other_figures_inside_are_not_alike(toy: Ledger) -> None:
    ledger = with_paths(toy, "h.0.a", "h.0.b", "h.1.a", "h.1.b")
    first, second, *others = ledger.rows
    swapped = (replace(first, count=1000), replace(second, count=1880), *others)
    assert [line[0] for line in shown(replace(ledger, rows=swapped), 2)] == ["", "h", "0", "1"]


def test_neighbours_without_numbers_are_not_folded(toy: Ledger) -> None:
    assert [line[0] for line in shown(with_paths(toy, "expand", "shortcut"))] == ["", "expand", "shortcut"]


def test_what_is_silent_is_left_out_where_lines_are_folded(toy: Ledger) -> None:
    assert "relu" not in [label for label, _, _ in shown(toy)]
    assert "relu" in [label for label, _, _ in shown(toy, fold=False)]
    assert "proposal" in [label for label, _, _ in shown(toy)]  # unknown, which is not nothing


def test_the_network_s_own_row_is_the_one_that_all_others_are_in(toy: Ledger) -> None:
    net = replace(toy.rows[3], path="Net", status="container")
    inside = tuple(replace(row, parent=3) for row in toy.rows)
    assert root_row(replace(toy, rows=(net, *inside))) is net
    assert root_row(toy) is None
    assert root_row(replace(toy, rows=())) is None
    assert root_row(replace(toy, rows=(net,))) is None


def test_ledgers_side_by_side_keep_the_order_of_the_calls(toy: Ledger) -> None:
    first = replace(toy, rows=(toy.rows[0], toy.rows[3]))
    second = replace(toy, rows=(toy.rows[1], toy.rows[2]))
    assert [line.path for line in walk(grow([first, second]))][1:] == [
        "features", "features.conv", "features.relu", "proposal", "fc",
    ]  # fmt: skip
    assert grow([first, second]).counts == (5328, 0)


def test_a_path_of_endless_boundaries_has_a_bounded_number_of_levels(toy: Ledger) -> None:
    lines = list(walk(grow([with_paths(toy, "a/" * 20_000 + "b", "c")])))
    # the network, 200 names, the rest of the first path, and c; 200 names take 1 + 199 x 2 = 399 of 40,001
    # characters, and the slash before the rest is not shown
    assert len(lines) == 1 + 200 + 1 + 1
    assert len(lines[201].label) == 39_601
    assert lines[201].path == "a/" * 20_000 + "b"


def test_spans() -> None:
    assert span("0", "11") == "0-11"
    assert span("block0", "block11") == "block0-11"
