"""Pages with symbols in a real browser: sliders move every figure, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.dims.arithmetic import symbol
from flopledger.graph.tables import Input, Layer, Module, Reading, Tensor
from flopledger.report import view
from partly_known import partly_known

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Opened


@pytest.mark.slow
def test_a_symbol_has_a_slider_and_every_figure_is_exact(opened: Callable[[str], Opened], root: Path) -> None:
    """AlexNet takes 724,406,816 macs for each image; times 999,999,937 that is above 2**53."""
    graph = fl.read(str(root / "examples" / "alexnet.prototxt"), "data=Nx3x227x227")
    page = opened(view.of_network(graph, [graph.count("mac")]))
    assert page.texts("#tiles .tile span")[0] == "mac: 724,406,816 MAC"
    page.page.fill("#symbols input[type=number]", "999999937")
    assert 724_406_816 * 999_999_937 == 724_406_770_362_370_592
    assert page.texts("#tiles .tile span")[0] == "mac: 724,406,770,362,370,592 MAC"
    assert "724,406,770,362,370,592" in page.texts("#tree tbody tr >> nth=0")[0]


def test_the_batch_is_one_at_first_whatever_its_name(opened: Callable[[str], Opened], root: Path) -> None:
    """Each image takes 1,024 places x 216 weights and 80 products: 221,264 macs."""
    graph = fl.read(str(root / "examples" / "tiny.onnx"))
    page = opened(view.of_network(graph, [graph.count("mac")]))
    assert page.page.locator("#symbols input[type=number]").input_value() == "1"
    assert page.texts("#tiles .tile span")[0] == "mac: 221,264 MAC"


SYMBOLIC = {"N": "3", "H": "227", "W": "227"}
"""AlexNet's own input three times: 3 x 724,406,816 = 2,173,220,448 macs."""


def set_symbols(page: Opened) -> None:
    for name, size in SYMBOLIC.items():
        page.page.fill(f"#symbols [aria-label='{name}, as a number']", size)


def test_an_explanation_with_symbols_has_sliders_and_all_its_figures_follow(
    opened: Callable[[str], Opened], root: Path
) -> None:
    """As at one image, three times: netscope counts 3 x 2,385,120 = 7,155,360 more."""
    found = fl.explain(str(root / "examples" / "alexnet.prototxt"), "mac", "netscope", inputs="data=Nx3xHxW")
    text = view.of_explanation(found)
    page = opened(text)
    page.page.click("#causes summary")
    set_symbols(page)
    expected = {"2,173,220,448", "+7,155,360", "2,180,375,808"}
    assert 2_173_220_448 + 7_155_360 == 2_180_375_808
    assert expected <= set(page.texts("#causes svg text"))
    assert page.texts("#causes table tbody tr >> nth=0")[0].startswith("+7,155,360")


def test_the_sizes_of_a_layer_follow_the_sliders(opened: Callable[[str], Opened], root: Path) -> None:
    """A window of 11 by 4 has (227 - 11) / 4 + 1 = 55 places."""
    graph = fl.read(str(root / "examples" / "alexnet.prototxt"), "data=Nx3xHxW")
    page = opened(view.of_network(graph, [graph.count("mac")]))
    set_symbols(page)
    row = next(text.split("\t") for text in page.texts("#tree tbody tr") if text.startswith("conv1"))
    assert row[1:3] == ["conv 11x11 /4", "3x96x55x55"]
    page.page.locator("#tree tbody tr:has-text('conv1')").click()
    assert "3x3x227x227" in page.page.locator("#card").inner_text()


@pytest.mark.parametrize("name", ["constructor", "__proto__", "toString"])
def test_a_symbol_may_have_the_name_of_a_property_of_every_object(
    opened: Callable[[str], Opened], name: str
) -> None:
    """A dense layer of 3 by 5 for each of the 128 rows that a symbol has at first: 1,920 MAC."""
    modules = (Module(0, ("",), name),)
    layers = (
        Layer(0, "", "container", name, module=0, inputs=(0,), outputs=(1,)),
        Layer(1, name, "linear", name, parent=0, inputs=(0,), outputs=(1,),
              attrs={"in_features": 3, "out_features": 5}),
    )  # fmt: skip
    tensors = (Tensor(0, (symbol(name), 3)), Tensor(1, (symbol(name), 5)))
    graph = fl.Graph(Reading(name, name, name), (Input(name, 0),), (1,), modules, layers, tensors, ())
    page = opened(view.of_network(graph, [graph.count("mac")]))
    assert page.texts("#tiles .tile span")[0] == "mac: 1,920 MAC"


def test_a_formula_whose_symbol_has_no_value_is_shown_as_it_is(
    opened: Callable[[str], Opened], root: Path
) -> None:
    found = fl.explain(
        str(root / "examples" / "alexnet.prototxt"), "mac", "netscope", inputs="data=Nx3x227x227"
    )
    text = view.of_explanation(found)
    page = opened(text.replace('"symbols":["N"]', '"symbols":[]'))
    assert {"724406816*N", "+2385120*N", "726791936*N"} <= set(page.texts("#causes svg text"))


def test_a_comparison_with_symbols_has_sliders_and_all_its_figures_follow(
    opened: Callable[[str], Opened], root: Path
) -> None:
    """AlexNet's first convolution takes 55 x 55 x 96 x 11 x 11 x 3 = 105,415,200 macs at 227 x 227."""
    alexnet = str(root / "examples" / "alexnet.prototxt")
    a, b = fl.read(alexnet, "data=Nx3xHxW"), fl.read(alexnet, "data=1x3x227x227")
    page = opened(view.of_comparison(fl.compare(a, b)))
    set_symbols(page)
    total = page.texts("#pairs table >> nth=0 >> tbody tr")
    assert total[0].split("\t")[1:] == ["2,173,220,448", "724,406,816", "-1,448,813,632"]
    assert total[1].split("\t")[1:] == ["60,965,224", "60,965,224", "+0"]
    layers = page.texts("#pairs .list >> nth=1 >> tbody tr")
    assert layers[0].split("\t")[3:] == ["316,245,600", "105,415,200", "output 55x55 against 55x55"]
    assert 3 * 105_415_200 == 316_245_600


def test_layers_that_sliders_make_equal_are_the_same_there(
    opened: Callable[[str], Opened], root: Path
) -> None:
    """AlexNet at 227 x 227 against itself: 6 of its 8 layers have sizes that H and W decide.

    At 224 x 224 its first convolution alone has another output, 54 x 54 instead of 55 x 55.
    """
    alexnet = str(root / "examples" / "alexnet.prototxt")
    a, b = fl.read(alexnet, "data=1x3xHxW"), fl.read(alexnet, "data=1x3x227x227")
    page = opened(view.of_comparison(fl.compare(a, b)))
    fields = page.page.locator("#symbols input[type=number]")
    for field in (0, 1):
        fields.nth(field).fill("227")
    assert page.texts("#pairs section > p") == [
        "Not equal. Layers: 2 the same, 6 changed. At these sizes 6 of the changed are the same."
    ]
    assert page.texts("#pairs .legend") == ["same 8"]
    assert page.page.locator("#pairs svg g:not([data-status=same])").count() == 0
    assert page.texts("#pairs .list >> nth=0 >> tbody tr") == []
    first = page.texts("#pairs .list >> nth=1 >> tbody tr")[0].split("\t")
    assert first == ["same", "conv1", "conv1", "105,415,200", "105,415,200", ""]
    for field in (0, 1):
        fields.nth(field).fill("224")
    assert page.texts("#pairs .list >> nth=0 >> tbody tr") == ["1 \xd7\t+3,798,432\t+0\toutput"]
    assert 105_415_200 - 101_616_768 == 3_798_432
    fields.nth(0).fill("259")
    assert page.texts("#pairs .legend") == ["changed 6\nsame 2"]


def test_a_lower_bound_stays_one_when_a_slider_moves(opened: Callable[[str], Opened]) -> None:
    """7 inputs: 7 x 15 = 105 MAC, or 7 x 25 = 175 FLOP by `ops`; the gap is 70."""
    page = opened(view.of_explanation(fl.explain(partly_known(batch=symbol("N")), "mac", "ops")))
    page.page.fill("#symbols input[type=number]", "7")
    assert {"at least 105", "at least 175"} <= set(page.texts("#causes svg text"))
    assert "The gap is not known; without the unknown calls it is +70: " in page.texts("#causes p")[0]
