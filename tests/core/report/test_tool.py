from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flopledger.conventions import loader
from flopledger.conventions import names as convention_names
from flopledger.conventions.printspec import read_spec
from flopledger.dims.arithmetic import symbol
from flopledger.errors import ConventionError
from flopledger.report import render

if TYPE_CHECKING:
    from flopledger.counting.ledger import Ledger

SCRIPT = {
    "style": "plain",
    "before": ["{source}"],
    "rows": "count",
    "after": [
        "Layers num: {layers_with_params}",
        "Total number of parameters:  {params}",
        "Total number of FLOPs:  {count}",
    ],
    "columns": [
        {"header": "layer name", "value": "name", "width": "max(8, longest) + 1"},
        {"header": "Filter Shape", "value": "weight", "width": "16"},
        {"header": "Output Size", "value": "output", "width": "16"},
        {"header": "Params", "value": "params", "width": "8"},
        {"header": "Flops", "value": "count", "width": "12"},
        {"header": "Ratio", "value": "100 * share", "width": "0", "digits": 3, "suffix": "%"},
    ],
}
ALEXNET = """\
deploy.prototxt
layer name Filter Shape     Output Size      Params   Flops        Ratio
conv1     (96, 3, 11, 11)  (1, 96, 55, 55)  34848    105415200    14.552%
conv2     (256, 48, 5, 5)  (1, 256, 27, 27) 307200   223948800    30.915%
conv3     (384, 256, 3, 3) (1, 384, 13, 13) 884736   149520384    20.64%
conv4     (384, 192, 3, 3) (1, 384, 13, 13) 663552   112140288    15.48%
conv5     (256, 192, 3, 3) (1, 256, 13, 13) 442368   74760192     10.32%
fc6       (4096, 9216)     (1, 4096)        37748736 37748736     5.211%
fc7       (4096, 4096)     (1, 4096)        16777216 16777216     2.316%
fc8       (1000, 4096)     (1, 1000)        4096000  4096000      0.565%
Layers num: 8
Total number of parameters:  60954656
Total number of FLOPs:  724406816
"""
BOX = {
    "style": "box",
    "shapes": "list",
    "after": ["Total Flops: {count}     Total Params: {params}"],
    "columns": [
        {"header": "Layer Name", "value": "name", "align": "center"},
        {"header": "Input Shape", "value": "input", "align": "center"},
        {"header": "Output Shape", "value": "output", "align": "center"},
        {"header": "Params", "value": "params", "align": "center"},
        {"header": "Flops", "value": "count", "align": "center"},
    ],
}
LENET = """\
+--------------+-----------------+-----------------+--------+--------+
|  Layer Name  |   Input Shape   |   Output Shape  | Params | Flops  |
+--------------+-----------------+-----------------+--------+--------+
|   conv2d_0   |  [1, 1, 28, 28] |  [1, 6, 28, 28] |   60   | 47040  |
| max_pool2d_0 |  [1, 6, 28, 28] |  [1, 6, 14, 14] |   0    |   0    |
|   conv2d_1   |  [1, 6, 14, 14] | [1, 16, 10, 10] |  2416  | 241600 |
|   re_lu_1    | [1, 16, 10, 10] | [1, 16, 10, 10] |   0    |   0    |
|   linear_0   |     [1, 400]    |     [1, 120]    | 48120  | 48000  |
|   linear_2   |     [1, 84]     |     [1, 10]     |  850   |  840   |
+--------------+-----------------+-----------------+--------+--------+
Total Flops: 347560     Total Params: 61610
"""


def printed(ledger: Ledger, spec: dict[str, object]) -> str:
    return render([replace(ledger, print_spec=read_spec(spec))], "tool")


def test_alexnet_as_the_pycaffe_script_prints_it(alexnet: Ledger) -> None:
    assert printed(alexnet, SCRIPT) == ALEXNET


def test_a_long_name_widens_its_column_by_its_length_plus_one(alexnet: Ledger) -> None:
    long = replace(alexnet, rows=(replace(alexnet.rows[0], path="a_long_name_1"),))
    assert printed(long, SCRIPT).split("\n")[1:3] == [
        "layer name     Filter Shape     Output Size      Params   Flops        Ratio",
        "a_long_name_1  (96, 3, 11, 11)  (1, 96, 55, 55)  34848    105415200    14.552%",
    ]


def test_layers_that_count_nothing_but_have_weights_are_layers_all_the_same(alexnet: Ledger) -> None:
    norm = replace(alexnet.rows[1], path="bn1", source="BatchNorm", weights=((96,), (96,), (1,)))
    text = printed(replace(alexnet, rows=(*alexnet.rows, norm)), SCRIPT)
    assert "Layers num: 9\n" in text
    assert "bn1" not in text


def test_lenet_in_a_box(toy: Ledger) -> None:
    layers = (
        ("conv2d_0", (1, 1, 28, 28), (1, 6, 28, 28), 60, 47040),
        ("max_pool2d_0", (1, 6, 28, 28), (1, 6, 14, 14), 0, 0),
        ("conv2d_1", (1, 6, 14, 14), (1, 16, 10, 10), 2416, 241600),
        ("re_lu_1", (1, 16, 10, 10), (1, 16, 10, 10), 0, 0),
        ("linear_0", (1, 400), (1, 120), 48120, 48000),
        ("linear_2", (1, 84), (1, 10), 850, 840),
    )
    rows = tuple(
        replace(toy.rows[0], path=name, inputs=(given,), outputs=(out,), params=params, count=count)
        for name, given, out, params, count in layers
    )
    ledger = replace(toy, rows=rows, total=replace(toy.total, count=347560, params=61610))
    assert printed(ledger, BOX) == LENET


def test_a_network_of_no_rows_has_a_header_and_totals(alexnet: Ledger) -> None:
    empty = replace(alexnet, rows=(), total=replace(alexnet.total, count=0, params=0))
    assert (
        printed(empty, SCRIPT)
        == """\
deploy.prototxt
layer name Filter Shape     Output Size      Params   Flops        Ratio
Layers num: 0
Total number of parameters:  0
Total number of FLOPs:  0
"""
    )


def test_one_axis_is_written_as_python_writes_it(toy: Ledger) -> None:
    ledger = replace(toy, rows=(replace(toy.rows[0], outputs=((7,),)),))
    columns = [{"value": "output"}, {"value": "input[1]"}, {"value": "weight"}, {"value": "params / 3"}]
    assert printed(ledger, {"columns": columns}) == "(7,) 3 (4, 3, 3, 3) 112/3\n"
    assert printed(ledger, {"columns": columns[:1], "shapes": "list"}) == "[7]\n"


def test_symbols_are_written_as_formulas(toy: Ledger) -> None:
    rows = (replace(toy.rows[0], count=3 * symbol("N")),)
    ledger = replace(toy, rows=rows, total=replace(toy.total, count=3 * symbol("N")))
    columns = [{"value": "count", "digits": 2}]
    assert printed(ledger, {"columns": columns, "after": ["{count}"]}) == "3*N\n3*N\n"


def test_a_convention_without_a_printout_says_so(toy: Ledger) -> None:
    with pytest.raises(ConventionError, match=r"'mac' has no \[print\] part.*use --format table"):
        render([toy], "tool")


def test_several_printouts_follow_one_another(alexnet: Ledger) -> None:
    ledger = replace(alexnet, print_spec=read_spec(SCRIPT))
    assert render([ledger, ledger], "tool") == ALEXNET + ALEXNET


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"stile": "box"}, r"mine.toml: \[print\] has no key 'stile'; did you mean 'style'\?"),
        ({"style": "boxes"}, r"mine.toml: \[print\] style is 'boxes', expected one of plain, box.*'box'\?"),
        ({"style": 3}, r"\[print\] style is 3, expected a string"),
        ({"before": "x"}, r"\[print\] before is 'x', expected a list"),
        ({"before": [1]}, r"a line of 'before' is 1, expected a string"),
        ({"before": ["{sorce}"]}, r"mine.toml: .*nothing is called 'sorce'; did you mean 'source'"),
        ({"after": ["{count.real}"]}, r"count.real"),
        ({"after": ["{__import__('os')}"]}, r"__import__"),
        ({"rows": "cnt > 0"}, r"nothing is called 'cnt'; did you mean 'count'"),
        ({"columns": [{"header": "x"}]}, r"a column of \[print\] has no value"),
        ({"columns": ["name"]}, r"a column of \[print\] is 'name', expected a table"),
        ({"columns": [{"value": "name", "digits": True}]}, r"digits is True, expected a whole number"),
        ({"columns": [{"value": "name", "align": "centre"}]}, r"align is 'centre'.*did you mean 'center'"),
        ({"columns": [{"value": "name", "with": "3"}]}, r"no key 'with'; did you mean 'width'"),
        ({"columns": [{"value": "name", "width": "longst"}]}, r"nothing is called 'longst'"),
    ],
)
def test_a_wrong_spec_is_refused_with_the_nearest_name(spec: dict[str, object], message: str) -> None:
    with pytest.raises(ConventionError, match=message):
        read_spec(spec, "mine.toml: ")


@pytest.mark.parametrize("width", ["0 - 1", "10001", "name", "longest / 2", "1 / 0"])
def test_a_width_is_a_whole_number_within_reason(toy: Ledger, width: str) -> None:
    with pytest.raises(ConventionError, match="width"):
        printed(toy, {"columns": [{"value": "name", "width": width}]})


@pytest.mark.parametrize("name", [n for n in convention_names.known() if loader.load(n).print])
def test_the_printout_of_each_convention_is_well_formed(name: str) -> None:
    spec = loader.load(name).print

    assert spec is not None
    assert spec.columns


def test_a_line_for_each_module_has_the_counts_of_all_calls_and_the_last_shapes(toy: Ledger) -> None:
    first, second, third, *_ = toy.rows
    rows = (
        replace(first, module=2, label="b_0", count=3, params=1, inputs=((1, 2),)),
        replace(second, module=1, label="a_0", count=5, params=2, inputs=((1, 4),)),
        replace(third, module=2, label="b_0", count=4, params=0, inputs=((1, 8),)),
        replace(first, module=None, count=100),
    )
    spec = {
        "per": "module",
        "shapes": "list",
        "columns": [{"value": value} for value in ("label", "input", "params", "count")],
    }

    assert (
        render([replace(toy, rows=rows, print_spec=read_spec(spec))], "tool")
        == "a_0 [1, 4] 2 5\nb_0 [1, 8] 1 7\n"
    )


def test_a_row_without_a_label_shows_its_path(toy: Ledger) -> None:
    rows = (replace(toy.rows[0], label="", path="here"), replace(toy.rows[1], label="name_0"))
    spec = {"columns": [{"value": "label", "width": "0"}]}

    assert render([replace(toy, rows=rows, print_spec=read_spec(spec))], "tool") == "here\nname_0\n"


def test_a_fraction_can_be_written_as_a_decimal(toy: Ledger) -> None:
    total = replace(toy.total, count=347560)
    spec = {"after": ["{decimal(count / 1000000000)} {decimal(count)}"]}

    assert render([replace(toy, total=total, print_spec=read_spec(spec))], "tool") == "0.00034756 347560.0\n"


def test_a_formula_is_no_decimal(toy: Ledger) -> None:
    total = replace(toy.total, count=symbol("N"))
    with pytest.raises(ConventionError, match="how N is written as a decimal depends on the symbols"):
        render([replace(toy, total=total, print_spec=read_spec({"after": ["{decimal(count)}"]}))], "tool")
