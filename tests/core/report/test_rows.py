from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flopledger.errors import UsageError
from flopledger.report import GROUPS, SORT_KEYS, View
from flopledger.report.rows import FITTED, GROUP_OF, KEYS, shown_lines

if TYPE_CHECKING:
    from flopledger.counting.ledger import Ledger


def dense(ledger: Ledger, *paths: str) -> Ledger:
    """Return a ledger of dense layers, each 1440 macs and 1450 parameters, at these paths."""
    rows = tuple(replace(ledger.rows[3], id=i, path=path) for i, path in enumerate(paths))
    return replace(ledger, rows=rows)


def test_rows_are_sorted_and_summed_by_what_the_options_name() -> None:
    assert tuple(KEYS) == SORT_KEYS
    assert tuple(GROUP_OF) == GROUPS


def test_a_network_that_fits_on_a_screen_is_shown_whole(toy: Ledger) -> None:
    shown = shown_lines([toy], View())
    assert [line.path for line in shown.lines] == [
        "", "features", "features.conv", "features.relu", "proposal", "fc",
    ]  # fmt: skip
    assert shown.notes == []


def test_a_large_network_is_shown_as_deep_as_a_screen_allows(toy: Ledger) -> None:
    """12 stages, of which each is unlike the next, have 4 parts each: 12 + 48 lines are too many."""
    paths = [f"s{i}.{name}.{'x' * (i % 2)}fc" for i in range(12) for name in "abcd"]
    shown = shown_lines([dense(toy, *paths)], View())
    assert len(shown.lines) == 1 + 12
    assert shown.notes == ["Shown: 1 level, equal neighbours in one line. More: --depth N, --full."]


def test_a_chain_of_unlike_layers_shows_the_largest_and_sums_the_rest(toy: Ledger) -> None:
    """Layers of 1 to 100 macs: the 39 largest have 62 to 100; the others sum to 61 * 62 / 2 = 1891."""
    ledger = dense(toy, *(f"fc{i}" for i in range(1, 101)))
    rows = tuple(replace(row, count=i, params=0) for i, row in enumerate(ledger.rows, 1))
    shown = shown_lines([replace(ledger, rows=rows)], View())
    assert len(shown.lines) == FITTED
    assert [line.label for line in shown.lines[1:3]] == ["fc62", "fc63"]
    assert shown.notes[0] == "... and 61 more rows with 1,891 MAC"


def test_silent_calls_are_summed_in_one_line(toy: Ledger) -> None:
    relus = tuple(replace(toy.rows[1], id=10 + i, path=f"act{i}") for i in range(60))
    shown = shown_lines([replace(toy, rows=(*toy.rows, *relus))], View())
    assert [line.path for line in shown.lines] == ["", "features", "features.conv", "proposal", "fc"]
    assert shown.notes[0] == "Left out: 61 calls with 0 MAC and no parameters."


@pytest.mark.parametrize(("view", "lines"), [(View(full=True), 101), (View(depth=1), 101), (View(top=7), 8)])
def test_who_asks_for_rows_gets_them(toy: Ledger, view: View, lines: int) -> None:
    assert len(shown_lines([dense(toy, *(f"fc{i}" for i in range(100)))], view).lines) == lines


def test_rows_are_summed_by_kind_source_and_module(toy: Ledger) -> None:
    def sums(**view: object) -> list[tuple[str, object, object]]:
        lines = shown_lines([toy], View(**view)).lines
        return [(line.label, line.counts[0], line.params) for line in lines]

    by_kind = [("", 5328, 1562), ("conv", 3888, 112), ("linear", 1440, 1450)]
    assert sums(by="kind")[:3] == by_kind
    assert sums(by="source")[1] == ("Convolution", 3888, 112)
    assert sums(by="module")[1:3] == [("features", 3888, 112), ("fc", 1440, 1450)]
    assert ("features.conv", 3888, 112) in sums(by="module", depth=2)
    assert sums(by="kind", top=1) == by_kind[:2]


def test_an_unknown_group_names_the_nearest(toy: Ledger) -> None:
    with pytest.raises(UsageError, match="'knd'; did you mean 'kind'"):
        shown_lines([toy], View(by="knd"))
