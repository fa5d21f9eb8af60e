from __future__ import annotations

import pytest
from flopledger.report import plain
from flopledger.report.blocks import Code, Grid, Heading, Line, Listing, Pairs, Small

EVIL = "a\x1b[2J\nb"
SHOWN = r"a\x1b[2J\nb"


def test_an_empty_line_separates_blocks_and_empty_blocks_leave_none() -> None:
    blocks = [Heading("h"), Listing("none", []), Heading("for markdown", ()), Line("l"), Small(("s", "t"))]
    assert plain.write(blocks) == "h\n\nl\n\ns\nt\n"


def test_a_heading_may_have_other_lines_in_plain_text() -> None:
    assert plain.write([Heading("a against b", ("a  x", "b  y"))]) == "a  x\nb  y\n"


def test_a_grid_aligns_cells_and_breaks_those_of_several_lines() -> None:
    rows = [("1", ("first", "second")), ("100", "x")]
    grid = Grid(("n", "why"), rows, frozenset({0}), title="Rows:", more="and 3 more")
    assert plain.write([grid]) == "Rows:\n  n  why\n  1  first\n     second\n100  x\nand 3 more\n"


def test_a_grid_of_figures_that_has_no_room_lists_them_under_their_names() -> None:
    """7 + 1 + 29 and two gaps of one are 39 columns."""
    rows = [("alexnet", "1", "at least 724,406,816 MAC left"), ("b", "", "2")]
    grid = Grid(("network", "n", "count"), rows, frozenset({1, 2}))
    assert plain.write([grid], 38) == (
        "alexnet\n    n: 1\n    count: at least 724,406,816 MAC\n    left\nb\n    count: 2\n"
    )
    assert plain.write([grid], 39) == (
        "network n                         count\n"
        "alexnet 1 at least 724,406,816 MAC left\n"
        "b                                     2\n"
    )


def test_titles_stand_above_indented_lines() -> None:
    titles = {"plain": "save:", "markdown": "`save`:"}
    blocks = [Listing("why", ["x", "y"]), Code(titles, ["[a]", "", "b = 1"], "toml"), Pairs([("MAC", "3")])]
    assert plain.write(blocks) == "why\n    x\n    y\n\nsave:\n    [a]\n\n    b = 1\n\nMAC         3\n"


@pytest.mark.parametrize(
    "block",
    [
        Heading(EVIL), Heading("", (EVIL,)), Line(EVIL), Small((EVIL,)), Pairs([(EVIL, "x")]),
        Pairs([("x", EVIL)]), Listing(EVIL, ["x"]), Listing("x", [EVIL]), Grid((EVIL,), [("x",)]),
        Grid(("x",), [(EVIL,)]), Grid(("x",), [((EVIL, "y"),)]), Grid(("x",), [], title=EVIL, more=EVIL),
        Code({"plain": EVIL}, ["x"], "toml"), Code({"plain": "x"}, [EVIL], "toml"),
    ],
)  # fmt: skip
def test_every_text_of_every_block_passes_the_gate(block: plain.Block) -> None:
    written = plain.write([block])
    assert SHOWN in written
    assert written.replace("\n", "").isprintable()


def test_only_styles_are_escape_sequences() -> None:
    written = plain.write_styled([Heading(EVIL), Small(("s",))], 80)
    assert written == f"\x1b[1m{SHOWN}\x1b[0m\n\n\x1b[2ms\x1b[0m\n"
