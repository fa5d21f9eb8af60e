from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from flopledger.report.blocks import Small
from flopledger.report.html import MOST, render

if TYPE_CHECKING:
    from flopledger.counting.ledger import Ledger

VOID = ("br",)


class Outline(HTMLParser):
    """Collects the texts of a page, and checks that its elements are closed in their order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, _: object) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_totals_come_first_and_the_root_has_all(toy: Ledger) -> None:
    outline = Outline(toy._repr_html_())
    texts = outline.texts
    assert texts[:2] == ["toy.prototxt: multiply-accumulates (mac)", "MAC"]
    assert texts[2] == " at least 5,328 MAC (1 call unknown) = 5.328 kMAC (mac)"
    root = texts.index("(network)")
    assert texts[root : root + 4] == ["(network)", "1,562", "≥ 5,328", "100.0%"]
    assert texts.index("Unknown, so not in the total (no formula for them):") < root


def test_it_opens_without_a_script_or_a_style_sheet(toy: Ledger) -> None:
    tags = Outline(toy._repr_html_()).tags
    assert {"details", "summary"} < tags
    assert tags.isdisjoint({"script", "style", "link", "img", "iframe"})


def test_a_large_tree_is_cut_with_a_line_that_says_so(toy: Ledger) -> None:
    rows = tuple(replace(toy.rows[3], id=i, path=f"b{i // 10}.fc{i}") for i in range(2 * MOST))
    outline = Outline(replace(toy, rows=rows)._repr_html_())
    assert "The first 3,000 of 6,000 calls; print(...) shows the sums of the rest." in outline.texts


def test_each_line_in_small_print_is_a_line() -> None:
    assert render([Small(("a", "b"))]) == "<div><small>a</small></div><div><small>b</small></div>"
