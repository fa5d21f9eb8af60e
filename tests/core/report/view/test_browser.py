"""Pages in a real browser: they are drawn, operated, searched and saved, and no name in them runs."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.counting.roofline import on_device
from flopledger.devices.device import Device
from flopledger.report import view
from partly_known import partly_known

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Opened


def test_a_network_is_drawn_in_all_views(opened: Callable[[str], Opened], resnet: str) -> None:
    page = opened(resnet)
    assert page.texts("#tiles .tile b")[0] == "1.814GMAC"
    root = page.texts("#tree tbody tr >> nth=0")[0].split("\t")
    assert [cell.strip() for cell in root[3:]] == ["11,689,512", "1,814,073,344", "100.0 %"]
    for drawing in ("#icicle", "#bars", "#flow", "#causes"):
        assert page.page.locator(f"{drawing} svg rect").count() > 10
    assert "the axis starts at 0" in page.texts("#causes svg text")
    assert page.page.locator("#unknown").is_hidden()


@pytest.mark.slow
def test_a_block_opens_and_a_cell_zooms(opened: Callable[[str], Opened], resnet: str) -> None:
    page = opened(resnet)
    page.page.click("#shut")
    boxes = page.page.locator("#flow [data-i]")
    closed = boxes.count()
    page.page.locator("#flow [aria-expanded=false]").first.press("Enter")
    assert boxes.count() > closed
    cells = page.page.locator("#icicle .cell")
    page.page.locator("#icicle [aria-label^='stage4 ']").first.click()
    assert cells.first.get_attribute("aria-label").startswith("stage4 ")
    assert page.texts("#crumb button") == ["(network)", "stage4"]


@pytest.mark.slow
def test_the_table_is_a_tree_for_the_keyboard(opened: Callable[[str], Opened], resnet: str) -> None:
    page = opened(resnet)
    rows = page.page.locator("#tree tbody tr")
    focused = page.page.locator("#tree tr:focus")
    rows.first.focus()
    page.page.keyboard.press("ArrowLeft")
    assert rows.count() == 1
    page.page.keyboard.press("ArrowRight")
    assert focused.get_attribute("aria-expanded") == "true"
    before = rows.count()
    assert before > 5
    page.page.keyboard.press("End")
    page.page.keyboard.press("Enter")
    assert focused.get_attribute("aria-selected") == "true"
    assert page.page.locator("#card b").inner_text() == "prob"
    page.page.keyboard.press("ArrowLeft")
    assert focused.get_attribute("aria-level") == "1"
    assert rows.count() == before


@pytest.mark.slow
def test_a_search_lists_what_matches(opened: Callable[[str], Opened], resnet: str) -> None:
    page = opened(resnet)
    page.page.fill("#find", "STAGE4/block1")
    names = [text.split("\t")[0] for text in page.texts("#tree tbody tr")]
    assert names
    assert all("stage4/block1" in name for name in names)
    assert page.texts("#found") == [f"{len(names)} found"]


@pytest.mark.slow
def test_conventions_and_figures_switch(opened: Callable[[str], Opened], resnet: str) -> None:
    """Every operation of ResNet-18 once is 3,640,303,878 FLOP by `ops`."""
    page = opened(resnet)
    page.page.select_option("#convention", "1")
    assert page.texts("#tiles .tile span")[0] == "ops: 3,640,303,878 FLOP"
    page.page.click("#metric button:has-text('parameters')")
    assert (
        page.page.locator("#icicle .cell")
        .first.get_attribute("aria-label")
        .endswith("11.69 M params, 100.0 %")
    )
    page.page.check("#without")
    assert "cut" in page.page.locator("#bars-hint").inner_text()


@pytest.mark.slow
def test_the_time_on_a_device_is_drawn_like_a_count(opened: Callable[[str], Opened], root: Path) -> None:
    """As in test_network.py: 1,882,776,000 ps in all, of which ip1 takes 1,607,200,000, 85.4 %."""
    device = Device("toy", "Toy", "by hand", Fraction(10**9), {"float32": Fraction(10**12)})
    graph = fl.read(str(root / "examples" / "lenet.prototxt"))
    page = opened(view.of_network(graph, [on_device(graph.count("mac"), graph, device)]))
    assert page.texts("#tiles .tile b") == ["2.293MMAC", "431.1k", "at least 1.883ms"]
    page.page.select_option("#convention", "1")
    assert page.texts("#tiles .tile b") == ["at least 1.883ms"]
    assert page.page.locator("#icicle [aria-label*=', ip1, 1.607 ms']").count() == 1
    row = next(text.split("\t") for text in page.texts("#tree tbody tr") if text.startswith("ip1"))
    assert [cell.strip() for cell in row[-2:]] == ["1,607,200,000", "85.4 %"]


def saved(page: Opened, what: str, form: str) -> bytes:
    with page.page.expect_download() as waiting:
        page.page.click(f"[aria-label='save {what} as {form}']")
    return Path(waiting.value.path()).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_drawing_is_saved_as_svg_that_any_program_reads(
    opened: Callable[[str], Opened], resnet: str, scheme: str
) -> None:
    """Its colours are those of the light page on its white card, as #rrggbb, whatever is selected."""
    page = opened(resnet, scheme)
    page.page.locator("#tree tbody tr").last.click()
    for what in ("map", "bars", "flow", "mac-to-ops"):
        text = saved(page, what, "SVG").decode()
        found = ET.fromstring(text)  # noqa: S314  (the browser has just written it)
        assert found.tag == "{http://www.w3.org/2000/svg}svg"
        inside = text.split(">", 1)[1]
        assert not re.search(r"var\(|rgb|color|class=|style=|data-|aria-|tabindex|#0b5bc0", inside)
        colors = {each.get(name) for each in found.iter() for name in ("fill", "stroke")}
        assert all(color is None or re.fullmatch("none|#[0-9a-f]{6}", color) for color in colors)
        x, y, width, height = map(float, found.attrib["viewBox"].split())
        assert (found.get("width"), found.get("height")) == (f"{width:.15g}", f"{height:.15g}")
        card = found[0]
        assert card.get("fill") == "#ffffff"
        assert [float(card.attrib[name]) for name in ("x", "y", "width", "height")] == [x, y, width, height]
        assert "#1d1f23" in {each.get("fill") for each in found.iter() if each.tag.endswith("}text")}


@pytest.mark.slow
def test_a_drawing_is_saved_as_png(opened: Callable[[str], Opened], resnet: str) -> None:
    page = opened(resnet)
    for what in ("map", "flow"):
        picture = saved(page, what, "PNG")
        assert picture.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", picture[16:24])
        assert min(width, height) > 50


def test_buttons_stand_in_one_line_beside_the_name_of_their_drawing(
    opened: Callable[[str], Opened], resnet: str
) -> None:
    page = opened(resnet)
    for width in (1600, 1280, 1000, 480):
        page.page.set_viewport_size({"width": width, "height": 900})
        assert page.page.locator("#flow-section h2").bounding_box()["height"] < 40, width


def test_what_can_be_operated_is_not_inside_a_mere_picture(
    opened: Callable[[str], Opened], resnet: str
) -> None:
    page = opened(resnet)
    assert page.page.locator("svg [role=button]").count() > 20
    assert page.page.locator("[role=img] [tabindex]").count() == 0


def test_what_is_unknown_is_stated_wherever_a_figure_lacks_it(opened: Callable[[str], Opened]) -> None:
    """The dense layer takes 15 MAC, or 25 FLOP by `ops`; the call before it is unknown."""
    line = "Odd: 1 call, 1x3 -> 1x3 at odd"
    graph = partly_known()
    page = opened(view.of_explanation(fl.explain(graph, "mac", "ops")))
    assert {"at least 15", "at least 25"} <= set(page.texts("#causes svg text"))
    assert "The gap is not known" in page.texts("#causes p")[0]
    assert line in page.page.locator("#unknown").inner_text()

    page = opened(view.of_comparison(fl.compare(graph, partly_known(known=True))))
    rows = [row.split("\t") for row in page.texts("#pairs tbody tr")]
    assert ["MAC (mac)", "at least 15", "15", "at most +0"] in rows
    assert ["unknown", "-1"] in [row[1:3] for row in rows]
    assert ["only in a", "odd", "", "unknown", ""] in [row[:5] for row in rows]
    assert "?" in page.texts("#pairs svg text")
    assert f"a: {line}" in page.page.locator("#unknown").inner_text()


def test_a_size_that_is_too_small_shows_words_and_no_figure(
    opened: Callable[[str], Opened], root: Path
) -> None:
    """AlexNet's last pooling, 3 by 2 and rounded up, needs 2 rows: 4 before the second, 8 before the first.

    So the first convolution, 11 by 4, has 8 rows of (H - 11) // 4 + 1 from H = 39 on.
    """
    graph = fl.read(str(root / "examples" / "alexnet.prototxt"), "data=1x3xHx227")
    page = opened(view.of_network(graph, [graph.count("mac")]))
    fields = page.page.locator("#symbols input")
    assert [fields.nth(k).get_attribute("min") for k in (0, 1)] == ["39", "39"]
    small = {wrong: f"H = {wrong} is too small for this network" for wrong in ("38", "0", "-3")}
    for wrong, said in {**small, "": "H needs a whole number"}.items():
        fields.nth(1).fill(wrong)
        assert page.texts("#small") == [f"No figures: {said}."]
        assert page.page.locator("#tiles, main").first.is_hidden()
        assert page.page.locator("main").is_hidden()
        assert "MAC" not in page.page.locator("body").inner_text()
    fields.nth(1).fill("39")
    assert page.texts("#small") == [""]
    assert page.page.locator("#tiles").is_visible()
    assert "-" not in page.texts("#tree tbody tr >> nth=0")[0]


def test_the_table_has_the_parameters_of_the_chosen_convention(
    opened: Callable[[str], Opened], root: Path
) -> None:
    """LeNet has 431,080, of which caffe-script leaves out 580 biases, 20 of the first convolution."""
    graph = fl.read(str(root / "examples" / "lenet.prototxt"))
    page = opened(view.of_network(graph, [graph.count("mac"), graph.count("caffe-script")]))
    for number, whole, conv in (("0", "431,080", "520"), ("1", "430,500", "500")):
        page.page.select_option("#convention", number)
        assert page.texts("#tiles .tile span")[1] == f"parameters: {whole}"
        rows = {name.strip(): params for name, _, _, params, *_ in (
            row.split("\t") for row in page.texts("#tree tbody tr")
        )}  # fmt: skip
        assert rows["▾(network)"] == whole
        assert rows["conv1"] == conv


def test_a_tool_without_parameters_has_no_column_of_zeros(
    opened: Callable[[str], Opened], root: Path
) -> None:
    graph = fl.read(str(root / "examples" / "lenet.prototxt"))
    ledger = graph.count("mac")
    silent = replace(ledger, total=replace(ledger.total, params=None))
    page = opened(view.of_network(graph, [silent]))
    assert page.page.locator("#metric").is_hidden()
    assert {row.split("\t")[3] for row in page.texts("#tree tbody tr")} == {""}
    page = opened(view.of_network(graph, [silent, graph.count("caffe-script")]))
    assert page.page.locator("#metric").is_visible()
    assert page.texts("#tree tbody tr")[0].split("\t")[3] == "430,500"


def test_what_can_be_operated_is_named_by_what_one_sees_on_it(opened: Callable[[str], Opened]) -> None:
    """WCAG's "label in name": who speaks to a computer says what is written. An unknown call is no 0."""
    graph = partly_known()
    ledgers = [graph.count("mac"), graph.count("ops")]
    page = opened(view.of_network(graph, ledgers, [fl.explain(graph, "mac", "ops")])).page
    names = page.evaluate("[...document.querySelectorAll('[role=button]')].map((e) => e.ariaLabel)")
    assert "odd, unknown, 0.0 %" in names
    assert "fc 15 · 100.0 %, fc, 15 MAC, 100.0 %" in names
    assert "fc 15 linear 100.0 %, fc, linear, MAC" in names
    assert any(name.startswith("+15 unit: a multiply-accumulate is one MAC") for name in names)


def test_a_free_call_with_parameters_is_a_box_of_the_data_flow(
    opened: Callable[[str], Opened], tmp_path: Path
) -> None:
    """An embedding of 10 words has 40 parameters, 8 fewer than the dense layer behind it, and no work."""
    path = tmp_path / "words.prototxt"
    path.write_text(
        """
        layer { name: "i" type: "Input" top: "i" input_param { shape { dim: 1 dim: 3 } } }
        layer { name: "e" type: "Embed" bottom: "i" top: "e"
          embed_param { num_output: 4 input_dim: 10 bias_term: false } }
        layer { name: "flat" type: "Flatten" bottom: "e" top: "flat" }
        layer { name: "fc" type: "InnerProduct" bottom: "flat" top: "fc"
          inner_product_param { num_output: 4 bias_term: false } }
        """
    )
    graph = fl.read(str(path))
    page = opened(view.of_network(graph, [graph.count("mac")]))
    page.page.click("#metric button >> nth=1")
    boxes = page.texts("#flow svg text.strong")
    assert {"e", "fc"} <= set(boxes)
    assert "flat" not in boxes
    assert "45.5 %" in page.texts("#flow svg text")


def test_a_file_of_weights_alone_is_drawn_by_its_parameters(
    opened: Callable[[str], Opened], root: Path
) -> None:
    """A convolution of 3 by 3 from 3 to 8 channels has 216 weights; none of the operations is known."""
    path = root / "examples" / "tiny.safetensors"
    page = opened(view.of_network(graph := fl.read(str(path)), [graph.count("mac")]))
    assert page.texts("#metric [aria-pressed=true]") == ["parameters"]
    assert "weight   216 · 68.8 %" in page.texts("#icicle svg text")
    assert "none" in page.texts("#bars svg text")
    assert page.texts("#tiles .tile >> nth=0")[0].split("\n") == ["at least 0MAC", "mac: ≥ 0 MAC"]
    page.page.click("#metric button >> nth=0")
    whole, unknown = (page.page.locator(f"#icicle [data-i] >> nth={k}").bounding_box() for k in (0, 1))
    assert whole["width"] == pytest.approx(unknown["width"], abs=1)


def test_a_focused_box_is_brought_into_view(opened: Callable[[str], Opened], resnet: str) -> None:
    page = opened(resnet).page
    page.locator("#flow [data-i]").first.focus()
    inside = """() => {
      const focused = document.activeElement;
      const inner = focused.firstChild.getBoundingClientRect();
      const outer = focused.closest("#flow").getBoundingClientRect();
      return inner.top >= outer.top && inner.top + 20 <= outer.bottom && inner.left >= outer.left;
    }"""
    walked = page.locator("#flow [data-i]").count()
    assert walked > 20
    for _ in range(walked - 1):
        page.keyboard.press("Tab")
        assert page.evaluate(inside)


def test_print_keeps_the_patches_of_colour(opened: Callable[[str], Opened], resnet: str) -> None:
    page = opened(resnet).page
    page.emulate_media(media="print")
    for patch in ("#legend i", "#tree .dot"):
        style = page.locator(patch).first.evaluate("(e) => getComputedStyle(e).printColorAdjust")
        assert style == "exact"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_placeholder_has_the_colour_whose_contrast_is_tested(
    opened: Callable[[str], Opened], resnet: str, scheme: str
) -> None:
    """A browser's own is at 3.46 on our dark card."""
    page = opened(resnet, scheme).page
    colors = page.locator("#find").evaluate(
        "(e) => [getComputedStyle(e, '::placeholder'), getComputedStyle(e)].map((s) => [s.color, s.opacity])"
    )
    quiet = page.locator("footer").evaluate("(e) => getComputedStyle(e).color")
    assert colors[0] == [quiet, "1"]


def test_two_networks_are_mirrored(opened: Callable[[str], Opened], root: Path) -> None:
    a, b = (fl.read(str(root / "examples" / f"{name}.prototxt")) for name in ("alexnet", "lenet"))
    page = opened(view.of_comparison(fl.compare(a, b)), "dark")
    assert page.page.locator("#pairs svg [data-status=changed] rect:not(.hit)").count() == 6
    assert "Not equal. Layers: 3 changed, 5 in a only, 1 in b only." in page.texts("#pairs p")[0]


def test_an_explanation_is_a_waterfall_whose_cut_axis_says_so(
    opened: Callable[[str], Opened], root: Path
) -> None:
    """2,385,120 beside 724,406,816: the axis can't start at 0."""
    found = fl.explain(str(root / "examples" / "alexnet.prototxt"), "mac", "netscope")
    page = opened(view.of_explanation(found))
    texts = page.texts("#causes svg text")
    assert {"724,406,816", "+2,385,120", "726,791,936", "//"} <= set(texts)
    assert any(text.startswith("the axis is cut: it starts at 72") for text in texts)


@pytest.mark.slow
def test_the_pictures_of_the_documentation_are_what_a_page_shows(
    opened: Callable[[str], Opened], root: Path, monkeypatch: pytest.MonkeyPatch, *, overwrite: bool
) -> None:
    """``--overwrite`` renews them; fonts differ between machines, so that only the sizes are compared."""
    monkeypatch.chdir(root)
    a, b, graph = (fl.read(f"examples/{name}.prototxt") for name in ("alexnet", "lenet", "resnet18"))
    network = view.of_network(graph, [graph.count("mac"), graph.count("ops")])
    pages = {"network": network, "comparison": view.of_comparison(fl.compare(a, b))}
    for name, text in pages.items():
        page = opened(text).page
        page.set_viewport_size({"width": 1200, "height": 1150 if name == "network" else 640})
        page.wait_for_timeout(300)  # it is drawn again for the new width
        picture = page.screenshot()
        stored = root / "docs" / "how-to" / "pictures" / f"{name}.png"
        if overwrite:
            stored.write_bytes(picture)
        assert stored.read_bytes()[16:24] == picture[16:24]


def test_the_columns_of_a_notebook_end_at_one_line(opened: Callable[[str], Opened], root: Path) -> None:
    """Rows that open have a mark before them; whose width browsers choose, so that 3 points are no fault."""
    written = fl.read(str(root / "examples" / "resnet18.prototxt")).count("mac")._repr_html_()
    page = opened(f"<!doctype html><html data-drawn><meta charset=utf-8>{written}").page
    ends = page.evaluate(
        """() => [...document.querySelectorAll("span > span:last-child")]
          .map((cell) => cell.getBoundingClientRect().right).filter((right) => right)"""
    )
    assert len(ends) > 8
    assert max(ends) - min(ends) < 3
