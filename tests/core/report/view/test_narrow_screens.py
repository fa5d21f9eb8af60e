"""Pages on a screen of 480 points: what matters is on it, and no word is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
from flopledger.report import view

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Opened

LINES = """(cell) => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  return range.getClientRects().length;
}"""


def test_the_layers_of_a_comparison_fit_a_narrow_screen(opened: Callable[[str], Opened], root: Path) -> None:
    a, b = (fl.read(str(root / "examples" / f"{name}.prototxt")) for name in ("alexnet", "lenet"))
    page = opened(view.of_comparison(fl.compare(a, b))).page
    page.set_viewport_size({"width": 480, "height": 900})
    wide = "[...document.querySelectorAll('.list')].map((e) => e.scrollWidth - e.clientWidth)"
    assert page.evaluate(wide) == [0, 0]
    status = page.locator("#pairs .list").last.locator("tbody tr td:first-child").all()
    assert {"changed", "only in a"} <= {cell.inner_text() for cell in status}
    assert {cell.evaluate(LINES) for cell in status} == {1}  # no word is broken


def test_the_share_of_a_layer_is_seen_on_a_narrow_screen(
    opened: Callable[[str], Opened], resnet: str
) -> None:
    page = opened(resnet).page
    page.set_viewport_size({"width": 480, "height": 900})
    assert page.locator("#tree").evaluate("(e) => e.scrollWidth - e.clientWidth") == 0
    assert page.locator("#tree tbody tr").first.locator("td").last.inner_text() == "100.0 %"
