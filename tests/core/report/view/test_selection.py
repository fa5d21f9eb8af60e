"""Pages in a real browser: a cause, pair or layer that is selected is marked in all views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.report import view

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Opened


def test_a_cause_is_selected_with_its_layers(opened: Callable[[str], Opened], root: Path) -> None:
    """Of AlexNet, netscope counts two layers more than mac: the normalisations across channels."""
    found = fl.explain(str(root / "examples" / "alexnet.prototxt"), "mac", "netscope")
    page = opened(view.of_explanation(found)).page
    marked = page.locator("#causes tr[aria-selected=true]")
    bar = page.locator("#causes svg [aria-current]")
    bar.click()
    assert marked.all_inner_texts() == [CAUSE, *LRN]
    assert bar.get_attribute("aria-current") == "true"
    page.locator("#causes summary").click()
    page.locator("#causes summary").click()
    page.locator("#causes tbody tr").last.click()
    assert marked.count() == 2
    assert LRN[1] in marked.all_inner_texts()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert LRN[0] in marked.all_inner_texts()
    assert bar.get_attribute("aria-current") == "true"


CAUSE = "+2,385,120\tlrn not counted by mac (5 by netscope for each output element)"

LRN = ["+1,452,000\tnorm1", "+933,120\tnorm2"]
"""5 x 96 x 55 x 55 and 5 x 256 x 27 x 27."""


def test_a_cause_is_selected_in_all_views_of_its_network(opened: Callable[[str], Opened], root: Path) -> None:
    graph = fl.read(str(root / "examples" / "alexnet.prototxt"))
    ledgers = [graph.count("mac"), graph.count("netscope")]
    page = opened(view.of_network(graph, ledgers, [fl.explain(graph, "mac", "netscope")])).page
    page.select_option("#convention", "1")
    page.locator("#causes svg [aria-current]").press("Enter")
    names = [
        text.split("\t")[0].strip() for text in page.locator("#tree [aria-selected=true]").all_inner_texts()
    ]
    assert names == ["norm1", "norm2"]
    for drawing in ("icicle", "bars", "flow"):
        assert page.locator(f"#{drawing} [aria-current=true]").count() == 2
    page.locator("#tree tbody tr:has-text('norm2')").click()
    assert page.locator("#causes svg [aria-current=true]").count() == 1
    assert page.locator("#causes tr[aria-selected=true]").count() == 2
    page.locator("#tree tbody tr:has-text('conv1')").click()
    assert page.locator("#causes [aria-current=true], #causes [aria-selected=true]").count() == 0


def test_a_pair_is_selected_with_its_reasons_and_a_reason_with_its_pairs(
    opened: Callable[[str], Opened], root: Path
) -> None:
    """The second convolutions differ in their groups, alone of all pairs, and in three things more."""
    a, b = (fl.read(str(root / "examples" / f"{name}.prototxt")) for name in ("alexnet", "lenet"))
    page = opened(view.of_comparison(fl.compare(a, b))).page
    reasons, pairs = (page.locator(f"#pairs .list >> nth={k} >> tr[aria-selected=true]") for k in (0, 1))
    bars = page.locator("#pairs svg [aria-current=true]")
    page.locator("#pairs tr:has-text('groups') >> nth=0").click()
    assert [text.split("\t")[:3] for text in pairs.all_inner_texts()] == [["changed", "conv2", "conv2"]]
    assert bars.count() == 1
    page.locator("#pairs svg .bar >> nth=2").click(position={"x": 5, "y": 5})
    named = {text.split("\t")[3] for text in reasons.all_inner_texts()}
    assert named == {"groups", "input channels", "output channels", "output"}
    page.locator("#pairs .list >> nth=1 >> tbody tr >> nth=0").click()
    assert [text.split("\t")[3] for text in reasons.all_inner_texts()] == ["conv without a counterpart in b"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert [text.split("\t")[3] for text in reasons.all_inner_texts()] == ["conv without a counterpart in a"]


@pytest.mark.slow
def test_the_card_and_the_layers_of_causes_follow_what_is_chosen(
    opened: Callable[[str], Opened], root: Path
) -> None:
    """The first convolution takes 105,415,200 of AlexNet's 724,406,816 macs an image, 14.6 %."""
    graph = fl.read(str(root / "examples" / "alexnet.prototxt"), "data=Nx3x227x227")
    ledgers = [graph.count("mac"), graph.count("netscope")]
    page = opened(view.of_network(graph, ledgers, [fl.explain(graph, "mac", "netscope")]))
    page.page.click("#causes summary")
    page.page.locator("#tree tbody tr:has-text('conv1')").first.click()
    assert "105,415,200 MAC" in page.page.locator("#card").inner_text()
    page.page.fill("#symbols input[type=number]", "3")
    assert "316,245,600 MAC" in page.page.locator("#card").inner_text()
    assert "14.6 %" in page.page.locator("#card").inner_text()
    assert page.texts("#causes table tbody tr >> nth=0")[0].startswith("+7,155,360")
    page.page.click("#metric button:has-text('parameters')")
    assert "0.1 %" in page.page.locator("#card").inner_text()
    assert 0.0005 < 34_944 / 60_965_224 < 0.0015


def test_a_selection_moves_a_mark_and_rebuilds_nothing(opened: Callable[[str], Opened], resnet: str) -> None:
    page = opened(resnet).page
    page.evaluate("document.querySelectorAll('#tree table, #flow svg').forEach((e) => (e.dataset.old = 1))")
    page.locator("#tree tbody tr:not([aria-expanded])").last.click()
    page.locator("#bars .bar").last.click()
    assert page.locator("[data-old]").count() == 2
    name = page.locator("#card b").inner_text()
    assert page.locator("#tree [aria-selected=true] td").first.inner_text() == name
    assert page.locator("#tree [aria-selected=true]").get_attribute("tabindex") == "0"
    assert page.locator("#tree [tabindex='0']").count() == 1
    assert page.locator("#flow [aria-current=true]").count() == 1
    assert page.locator("#flow [aria-current=true]").get_attribute("aria-label").startswith("fc ")
