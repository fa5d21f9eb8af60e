from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flopledger.dims.arithmetic import floordiv, symbol
from flopledger.errors import UsageError
from flopledger.report import View, render
from flopledger.report.notes import version

if TYPE_CHECKING:
    from flopledger.counting.ledger import Ledger

TOY = """\
toy.prototxt: multiply-accumulates (mac)

layer      kind    output   params      MAC   share
(network)                    1,562  ≥ 5,328  100.0%
features                       112    3,888   73.0%  ███████▎
  conv     conv    1x4x6x6     112    3,888   73.0%  ███████▎
  relu     relu    1x4x6x6       0        0    0.0%
proposal   Python  1x2           0  unknown    0.0%
fc         linear  1x10      1,450    1,440   27.0%  ██▊

MAC         at least 5,328 MAC (1 call unknown) = 5.328 kMAC (mac)
own FLOP    at least 10,656 FLOP (1 call unknown) = 10.66 kFLOP (our own count, 2 for each \
multiply-accumulate)
params      1,562 = 1.562 k (mac)
trainable   1,562 = 1.562 k; frozen 0; buffers 0

Unknown, so not in the total (no formula for them):
    Python: 1 call, 1x4x6x6 -> 1x2 at proposal (no formula for 'Python')

To price them, save this as mine.toml with the operations of one call, and use -c ./mine.toml:
    name = "mine"
    extend = "mac"

    [rules.layer]
    "Python" = "out_elems"  # 1x4x6x6 -> 1x2

source: toy.prototxt (caffe 1.0); inputs: data=1x3x8x8:float32; read in evaluation mode; \
convention: mac (c0ffee); graph: 9a4b; flopledger VERSION
"""


def table(ledger: Ledger, **view: object) -> list[str]:
    """Return the lines between the heading and the totals."""
    lines = render([ledger], "table", View(**view)).split("\n")
    start = lines.index("") + 1
    return lines[start : lines.index("", start)]


def test_a_table_shows_tree_totals_unknown_calls_a_stub_and_where_it_comes_from(toy: Ledger) -> None:
    assert render([toy]) == TOY.replace("VERSION", version())


def test_str_of_a_ledger_is_its_table(toy: Ledger) -> None:
    assert f"{toy}\n" == render([toy])


def test_a_sum_with_an_unknown_call_in_it_is_a_lower_bound(toy: Ledger) -> None:
    conv, _, unknown, fc = toy.rows
    inside = replace(unknown, path="features.proposal", kind="conv")
    ledger = replace(toy, rows=(conv, inside, fc))
    assert [line.split()[:4] for line in table(ledger, columns=("count", "macs"))][1:3] == [
        ["(network)", "≥", "5,328", "≥"],
        ["features", "≥", "3,888", "≥"],
    ]
    assert table(ledger, by="kind", columns=("count", "macs")) == [
        "kind           MAC  own MAC",
        "(network)  ≥ 5,328  ≥ 5,328",
        "conv       ≥ 3,888  ≥ 3,888",
        "linear       1,440    1,440",
    ]


@pytest.mark.parametrize(("by", "name"), [("kind", "unknown"), ("source", "Python"), ("module", "proposal")])
def test_a_sum_of_unknown_calls_alone_is_unknown(toy: Ledger, by: str, name: str) -> None:
    assert [name, "unknown", "unknown"] in [
        line.split() for line in table(toy, by=by, columns=("count", "macs"))
    ]


def test_depth_cuts_the_tree_and_keeps_the_sums(toy: Ledger) -> None:
    assert table(toy, depth=1) == [
        "layer      kind    output  params      MAC   share",
        "(network)                   1,562  ≥ 5,328  100.0%",
        "features                      112    3,888   73.0%  ███████▎",
        "proposal   Python  1x2          0  unknown    0.0%",
        "fc         linear  1x10     1,450    1,440   27.0%  ██▊",
    ]


def test_top_shows_the_largest_rows_and_says_what_is_left_out(toy: Ledger) -> None:
    assert table(toy, top=1) == [
        "layer          kind  output   params      MAC   share",
        "(network)                      1,562  ≥ 5,328  100.0%",
        "features.conv  conv  1x4x6x6     112    3,888   73.0%  ███████▎",
        "... and 3 more rows with at least 1,440 MAC and 1,450 parameters",
    ]


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("count", "features.conv"),
        ("params", "fc"),
        ("path", "fc"),
        ("kind", "features.conv"),
        ("macs", "features.conv"),
    ],
)
def test_rows_are_sorted_by_a_key(toy: Ledger, key: str, first: str) -> None:
    assert table(toy, sort=key)[2].split()[0] == first


def test_an_unknown_sort_key_names_the_nearest(toy: Ledger) -> None:
    with pytest.raises(UsageError, match="'parms'; did you mean 'params'"):
        render([toy], "table", View(sort="parms"))


def test_an_unknown_format_names_the_nearest(toy: Ledger) -> None:
    with pytest.raises(UsageError, match="'jason'; did you mean 'json'"):
        render([toy], "jason")


def test_adjustments_and_disagreements_are_shown_and_shares_are_of_the_rows(halved: Ledger) -> None:
    text = render([halved])
    assert "\nMAC         at least 2,664 MAC (1 call unknown) = 2.664 kMAC (mac)\n" in text
    assert "\nown MAC     at least 5,328 MAC (1 call unknown) = 5.328 kMAC" in text
    assert "In the total beside the rows:\n    -2,664 MAC: batch division\n" in text
    assert "Levels disagree:\n    fc: 1440 as a layer, 1441 as a function\n" in text
    assert "\nparams " not in text
    assert "73.0%" in text


def of_another_network(ledger: Ledger, source: str) -> Ledger:
    return replace(ledger, graph=replace(ledger.graph, reading=replace(ledger.graph.reading, source=source)))


def test_several_networks_end_with_a_summary_of_a_row_each(toy: Ledger) -> None:
    double = replace(
        toy, convention=replace(toy.convention, name="2mac"), total=replace(toy.total, unit="FLOP")
    )
    other = of_another_network(replace(toy, total=replace(toy.total, count=12, params=None)), "b.prototxt")
    assert render([toy, double, other]).endswith("""
network        params                  mac                  2mac
toy.prototxt  1.562 k  at least 5.328 kMAC  at least 5.328 kFLOP
b.prototxt                 at least 12 MAC
""")


def test_several_conventions_are_columns_of_one_table(toy: Ledger, halved: Ledger) -> None:
    """The second one counts half of each row, 1944 and 720, and prints no parameters."""
    half = replace(
        halved,
        adjustments=(),
        rows=tuple(replace(row, count=row.count // 2) for row in halved.rows),
        convention=replace(halved.convention, name="half"),
    )
    text = render([toy, half])
    assert text.startswith("""toy.prototxt: mac and half

layer      kind    output   params (mac)  mac (MAC)  half (MAC)
(network)                          1,562    ≥ 5,328     ≥ 2,664
features                             112      3,888       1,944
  conv     conv    1x4x6x6           112      3,888       1,944
  relu     relu    1x4x6x6             0          0           0
proposal   Python  1x2                 0    unknown     unknown
fc         linear  1x10            1,450      1,440         720

convention               count    in short  params         own MAC
mac         at least 5,328 MAC  5.328 kMAC   1,562  at least 5,328
half        at least 2,664 MAC  2.664 kMAC          at least 5,328

Levels disagree:
    half: fc: 1440 as a layer, 1441 as a function

Unknown, so not in the total (no formula for them):
    mac: Python: 1 call, 1x4x6x6 -> 1x2 at proposal (no formula for 'Python')
""")


def test_alexnet_totals_are_in_mac_and_in_flop(alexnet: Ledger) -> None:
    text = render([alexnet])
    assert "724,406,816 MAC = 724.4 MMAC" in text
    assert "1,448,813,632 FLOP = 1.449 GFLOP (our own count, 2 for each multiply-accumulate)" in text
    assert "60,954,656 = 60.95 M" in text


def test_a_symbolic_total_stands_as_a_formula(toy: Ledger) -> None:
    batch = symbol("N")
    rows = tuple(replace(row, count=row.count * batch) for row in toy.rows)
    ledger = replace(toy, rows=rows, total=replace(toy.total, count=5328 * batch, macs=5328 * batch))
    text = render([ledger])
    assert "MAC         at least 5328*N MAC (1 call unknown) (mac)" in text
    assert "own FLOP    at least 10656*N FLOP (1 call unknown)" in text
    first = table(ledger, sort="count")[2]
    assert first == "features.conv  conv    1x4x6x6     112    3888*N   73.0%  ███████▎"


def test_sizes_get_names_that_are_explained_below(toy: Ledger) -> None:
    """Two convolutions: 108 macs for each of h1 * h1 outputs, 36 for each of h2 * h2."""
    batch, side = symbol("N"), symbol("H")
    first, second = floordiv(side + 1, 2), floordiv(side + 3, 4)
    counts = (108 * batch * first * first, 36 * batch * second * second)
    rows = (
        replace(toy.rows[0], path="a", inputs=((batch, 3, side, side),), outputs=((batch, 4, first, first),)),
        replace(toy.rows[0], path="b", outputs=((batch, 1, second, 4 * second),)),
    )
    rows = tuple(replace(row, count=c, macs=c) for row, c in zip(rows, counts, strict=True))
    whole = counts[0] + counts[1]
    ledger = replace(toy, rows=rows, total=replace(toy.total, count=whole, macs=whole, params=224))
    assert table(ledger) == [
        "layer      kind  output     params                         MAC   share",
        "(network)                      224  ≥ 36*N*h2**2 + 108*N*h1**2  100.0%",
        "a          conv  Nx4xh1xh1     112                 108*N*h1**2",
        "b          conv  Nx1xh2xh3     112                  36*N*h2**2",
    ]
    text = render([ledger])
    assert "MAC         at least N*(36*h2**2 + 108*h1**2) MAC (1 call unknown) (mac)\n" in text
    assert "\nwhere\n    h1 = ((1 + H)//2)\n    h2 = ((3 + H)//4)\n    h3 = 4*((3 + H)//4)\n" in text
    assert "- h1 = ((1 + H)//2)" in render([ledger], "markdown").replace("\\", "")


def test_a_narrow_terminal_loses_columns_before_figures(toy: Ledger) -> None:
    assert table(toy, width=40) == [
        "layer      output   params      MAC",
        "(network)            1,562  ≥ 5,328",
        "features               112    3,888",
        "  conv     1x4x6x6     112    3,888",
        "  relu     1x4x6x6       0        0",
        "proposal   1x2           0  unknown",
        "fc         1x10      1,450    1,440",
        "No room for kind, share: choose with",
        "--columns, or write to a file.",
    ]


def test_a_long_name_has_a_line_of_its_own_where_nothing_else_helps(toy: Ledger) -> None:
    rows = (replace(toy.rows[3], path="a_very_long_name_of_a_layer"),)
    ledger = replace(toy, rows=rows, total=replace(toy.total, params=1450))
    assert table(ledger, width=33)[:4] == [
        "layer             params      MAC",
        "(network)          1,450  ≥ 1,440",
        "a_very_long_name_of_a_layer",
        "                   1,450    1,440",
    ]


def test_a_table_without_room_for_anything_still_has_names_and_figures(toy: Ledger) -> None:
    assert table(toy, width=1)[:10] == [
        "layer: (network)", "    params: 1,562", "    MAC: ≥ 5,328", "    share: 100.0%",
        "layer: features", "    params: 112", "    MAC: 3,888", "    share: 73.0%",
        "  layer: conv", "      kind: conv",
    ]  # fmt: skip


def test_colors_change_nothing_but_styles(toy: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    styled = render([toy], "table", View(color=True, width=100))
    assert "\x1b[1;33mproposal" in styled
    bare = re.sub(r"\x1b\[[0-9;]*m", "", styled)
    assert [line.rstrip() for line in bare.split("\n")] == render([toy], view=View(width=100)).split("\n")


def test_control_characters_in_names_do_not_reach_the_terminal(toy: Ledger) -> None:
    ledger = replace(toy, rows=(replace(toy.rows[3], path="fc\x1b[31m"),))
    assert "\x1b" not in render([ledger])
    assert "fc\\x1b[31m" in render([ledger])


def test_a_name_with_ideographs_keeps_the_columns_aligned(toy: Ledger) -> None:
    ledger = replace(toy, rows=(replace(toy.rows[3], path="層"), replace(toy.rows[0], path="ab")))
    assert table(ledger)[2:] == [
        "層         linear  1x10      1,450    1,440   27.0%  ██▊",
        "ab         conv    1x4x6x6     112    3,888   73.0%  ███████▎",
    ]


def test_a_dot_and_a_slash_make_two_lines(toy: Ledger) -> None:
    ledger = replace(toy, rows=(replace(toy.rows[3], path="a.b"), replace(toy.rows[0], path="a/b")))
    assert [line.split()[:2] for line in table(ledger)[2:]] == [
        ["a", "1,562"],
        ["b", "linear"],
        ["b", "conv"],
    ]


def test_one_path_of_10000_parts_is_shown_line_by_line(toy: Ledger) -> None:
    ledger = replace(toy, rows=(replace(toy.rows[3], path=".".join(["m"] * 10_000)),))
    assert len(table(ledger, full=True)) == 10_002
    assert len(table(ledger)) < 50


def test_10000_rows_are_shown_line_by_line(toy: Ledger) -> None:
    rows = tuple(replace(toy.rows[3], id=i, path=f"block{i // 100}.fc{i}") for i in range(10_000))
    assert len(table(replace(toy, rows=rows), full=True)) == 2 + 100 + 10_000


def test_a_stub_gives_a_number_where_the_output_is_not_known(toy: Ledger) -> None:
    (unknown,) = toy.coverage.unknown
    unknown = replace(unknown, source='My"Op', out_elems=None, outputs=(None,), level="function")
    ledger = replace(toy, coverage=replace(toy.coverage, unknown=(unknown,)))
    assert '    [rules.function]\n    "My\\"Op" = "0"  # 1x4x6x6 -> ?\n' in render([ledger])


def test_a_stub_extends_mac_where_the_convention_is_a_file_of_ones_own(toy: Ledger) -> None:
    ledger = replace(toy, convention=replace(toy.convention, name="mine"))
    assert '    name = "mine"\n    extend = "mac"\n' in render([ledger])


def test_the_call_of_the_network_itself_is_no_line_of_the_tree(toy: Ledger) -> None:
    whole = replace(toy.rows[3], path="Net", kind="container", status="container", count=0, params=0)
    inside = (replace(row, parent=3) for row in toy.rows)
    shown = table(replace(toy, rows=(whole, *inside)))
    assert shown[1] == "(network)          1x10      1,562  ≥ 5,328  100.0%"
    assert shown[2:] == table(toy)[2:]


def test_a_leaf_that_is_the_network_itself_is_the_only_line(toy: Ledger) -> None:
    assert [line.split()[:2] for line in table(replace(toy, rows=(replace(toy.rows[3], path=""),)))[1:]] == [
        ["(network)", "linear"]
    ]


def test_a_frontend_of_another_name_than_its_framework_is_named(toy: Ledger) -> None:
    graph = replace(toy.graph, reading=replace(toy.graph.reading, frontend="other", framework_version=""))
    assert "source: toy.prototxt (caffe through the frontend other); " in render([replace(toy, graph=graph)])
