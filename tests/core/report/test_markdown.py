from __future__ import annotations

import pytest
from flopledger.report import markdown
from flopledger.report.blocks import Block, Code, Grid, Heading, Line, Listing, Pairs, Small

EVIL = "a\x1b[2J\nb|<i>`c`"
SHOWN = r"a\\x1b\[2J\\nb\|\<i\>\`c\`"


def test_each_block_has_its_form() -> None:
    blocks = [
        Heading("h"), Heading("m", ()), Line("l"), Pairs([("MAC", "3")]), Listing("none", []),
        Listing("why", ["x", "y"]), Grid(("n", "w"), [("1", ("a", "b"))], frozenset({0}), more="and 2 more"),
        Code({"markdown": "`save`:"}, ["[a]", "b = 1"], "toml"), Small(("s", "t")),
    ]  # fmt: skip
    assert markdown.write(blocks) == (
        "### h\n\n### m\n\nl\n\n- **MAC** 3\n\nwhy\n\n- x\n- y\n\n"
        "| n | w |\n| ---: | --- |\n| 1 | a<br>b |\n\nand 2 more\n\n"
        "`save`:\n\n```toml\n[a]\nb = 1\n```\n\n<sub>s</sub>\n<sub>t</sub>\n"
    )


@pytest.mark.parametrize(
    "block",
    [
        Heading(EVIL), Line(EVIL), Small((EVIL,)), Pairs([(EVIL, "x")]), Pairs([("x", EVIL)]),
        Listing(EVIL, ["x"]), Listing("x", [EVIL]), Grid((EVIL,), []), Grid(("x",), [(EVIL,)]),
        Grid(("x",), [((EVIL, "y"),)]), Grid(("x",), [], title=EVIL), Grid(("x",), [], more=EVIL),
    ],
)  # fmt: skip
def test_every_text_of_every_block_is_text(block: Block) -> None:
    assert SHOWN in markdown.write([block])


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("# a", r"\# a"), ("- a", r"\- a"), ("+ a", r"\+ a"), ("1. a", r"1\. a"), ("12) a", r"12\) a"),
        ("===", r"\==="), ("  # a", r"\# a"), ("a # b", "a # b"), ("1.5 G", "1.5 G"), ("+5", "+5"),
        ("-", r"\-"), ("&lt;", r"\&lt;"), ("<b>", r"\<b\>"), ("a\nb", r"a\\nb"), ("~~~", r"\~\~\~"),
    ],
)  # fmt: skip
def test_a_line_starts_no_markup(text: str, written: str) -> None:
    assert markdown.line(text) == written
