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
        "network: alexnet\n    n: 1\n    count: at least 724,406,816 MAC\n        left\n"
        "network: b\n    count: 2\n"
    )
    assert plain.write([grid], 39) == (
        "network n                         count\n"
        "alexnet 1 at least 724,406,816 MAC left\n"
        "b                                     2\n"
    )


def test_a_record_that_goes_on_has_no_name_and_one_of_a_figure_begins_with_the_next_cell() -> None:
    """3 + 6 + 13 and two gaps of one are 24 columns."""
    rows = [("mac", "+1", ("multiplication", "twice")), ("", "-22222", "y")]
    words = Grid(("by", "change", "cause"), rows, frozenset({1}))
    assert plain.write([words], 23) == (
        "by: mac\n    change: +1\n    cause:\n        multiplication\n        twice\n"
        "    change: -22222\n    cause: y\n"
    )
    figures = Grid(("change", "figure", "why"), [("", "333,333", "multiplied")], frozenset({0, 1}))
    assert plain.write([figures], 24) == "figure: 333,333\n    why: multiplied\n"


def test_words_without_figures_between_keep_two_blanks() -> None:
    """9 + 7 and a gap are 18 columns; the second column is wrapped, since nothing but blanks separates it."""
    grid = Grid(("a", "b"), [("long_name", "two words")])
    assert plain.write([grid], 20) == "a          b\nlong_name  two words\n"
    grid = Grid(("a", "b"), [("a_longer_name", "words two")])
    assert plain.write([grid], 20) == "a: a_longer_name\n    b: words two\n"


def test_a_word_longer_than_the_line_goes_on_after_a_separator() -> None:
    """Of 20 columns; a word without separators is broken where the terminal would."""
    long = Line("see /some/folder/file-of-a-name.toml")
    assert plain.write([long], 20) == "see /some/folder/\nfile-of-a-name.toml\n"
    assert plain.write([Line("ab " + "x" * 25)], 20) == f"ab\n{'x' * 20}\n{'x' * 5}\n"
    assert plain.write([Listing("t", ["\u5c64" * 12])], 20).split() == ["t", "\u5c64" * 8, "\u5c64" * 4]


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


def test_one_endless_cell_does_not_widen_every_line() -> None:
    """The widest column is filled up to 2,000; ten short lines are 2 blanks and 1 figure longer than that."""
    rows = [("x" * 100_000, "1"), *(("y", "2") for _ in range(10))]
    first, *others = plain.write([Grid(("name", "n"), rows, frozenset({1}))]).splitlines()[1:]
    assert first == "x" * 100_000 + "  1"
    assert [len(line) for line in others] == [2_003] * 10
