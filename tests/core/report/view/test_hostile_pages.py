"""Names of strangers' files on a page: none runs, is hidden, or stops the browser."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import flopledger as fl
from flopledger.graph.tables import Input, Layer, Module, Reading, Tensor
from flopledger.report import view

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Opened

NAME = "</script><img src=x onerror=alert(1)><svg onload=alert(2)>&#x202e;\"'`${alert(3)}\u202e\u2028"


def hostile(name: str = NAME, wide: int = 5) -> fl.Graph:
    """A network whose every text is one: markup that would run, or one that is long."""
    modules = (Module(0, ("",), name, children=(1,)), Module(1, (name,), name))
    layers = (
        Layer(0, name, "container", name, module=0, inputs=(0,), outputs=(2,)),
        Layer(1, f"{name}.{name}", "unknown", name, parent=0, module=1, inputs=(0,), outputs=(1,),
              problem=name),
        Layer(2, f"{name}#2", "linear", name, parent=0, inputs=(1,), outputs=(2,),
              attrs={"in_features": 3, "out_features": wide}),
    )  # fmt: skip
    tensors = (Tensor(0, (1, 3), name), Tensor(1, (1, 3)), Tensor(2, (1, wide)))
    reading = Reading(name, name, name, name, {name: name}, (name,))
    return fl.Graph(reading, (Input(name, 0),), (2,), modules, layers, tensors, ())


def test_no_name_runs_or_sends_anything(opened: Callable[[str], Opened]) -> None:
    graph = hostile()
    ledgers = [graph.count("mac"), graph.count("ops")]
    explanation = fl.explain(graph, "mac", "ops")
    for text in (
        view.of_network(graph, ledgers, [explanation]),
        view.of_explanation(explanation),
        view.of_comparison(fl.compare(graph, graph)),
    ):
        page = opened(text)
        assert page.page.locator("img, script[src], link, iframe, object").count() == 0
    page = opened(view.of_network(graph, ledgers, [explanation]))
    assert "onerror=alert(1)" in page.page.locator("#unknown").inner_text()
    assert page.texts("#tiles .tile b")[0].startswith("at least")
    page.page.fill("#find", "onerror")
    page.page.locator("#tree tbody tr").first.click()
    assert "onerror" in page.page.locator("#card").inner_text()


def test_a_name_of_a_million_letters_is_cut_wherever_it_is_laid_out(opened: Callable[[str], Opened]) -> None:
    """Laid out in full it takes the browser half a minute; 3,000 letters are the longest text."""
    name = "n" * 1_000_000
    graph = hostile(name)
    explanation = fl.explain(graph, "mac", "ops")
    pages = (
        view.of_network(graph, [graph.count("mac"), graph.count("ops")], [explanation]),
        view.of_comparison(fl.compare(graph, hostile(name, wide=6))),
    )
    for text in pages:
        page = opened(text).page
        for row in page.locator("tbody tr").all():
            row.evaluate("(row) => row.click()")
        assert re.search(r"n… \([0-9]+,000,[0-9]{3} characters\)", page.locator("body").inner_text())
        assert page.evaluate(LONGEST) < 3_100
        assert (
            page.evaluate("Math.max(...[...document.querySelectorAll('svg')].map((e) => e.scrollWidth))")
            < 3_000
        )


LONGEST = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let longest = 0;
  while (texts.nextNode()) {
    const { parentNode, length } = texts.currentNode;
    if (!/^(SCRIPT|TITLE)$/.test(parentNode.tagName)) longest = Math.max(longest, length);
  }
  const named = [...document.querySelectorAll("[title], [aria-label]")];
  return Math.max(longest, ...named.flatMap((e) => [e.title?.length ?? 0, e.ariaLabel?.length ?? 0]));
}"""
"""The longest text that is laid out, or that a hint or a screen reader has."""


def test_invisible_characters_are_escapes_on_the_page(opened: Callable[[str], Opened], root: Path) -> None:
    """A mark of direction would turn the figures beside the name round."""
    graph = fl.read(str(root / "examples" / "lenet.prototxt"))
    name = "a\u202eb\u2066c\nd\x1be"
    layers = tuple(replace(each, path=name) if each.path == "ip2" else each for each in graph.layers)
    graph = replace(graph, layers=layers, reading=replace(graph.reading, notes=(name,)))
    page = opened(view.of_network(graph, [graph.count("mac")], [fl.explain(graph, "mac", "ops")]))
    page.page.fill("#find", "u2066")
    page.page.locator("#tree tbody tr").first.click()
    shown = r"a\u202eb\u2066c\nd\x1be"
    assert page.texts("#tree tbody tr")[0].startswith(shown)
    assert page.texts("#card b") == [shown]
    assert page.texts("#said") == [shown]
    assert not set(page.page.evaluate("document.documentElement.outerHTML")) & set("\u202e\u2066\x1b")
