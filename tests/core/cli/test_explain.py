"""``flopledger explain``: the toy has 3888 macs and 4 * 6 * 6 = 144 bias additions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest
from documents import plain, validated
from flopledger.cli import run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

Run: TypeAlias = "Callable[..., subprocess.CompletedProcess[str]]"

ALEXNET = str(Path(__file__).parents[3] / "examples" / "alexnet.prototxt")

STORY = """\
toy.prototxt: operations, from mac to 2mac bias=add

change               figure  why
         at least 3,888 MAC  mac
+3,888       at least 7,776  unit: a multiply-accumulate is one MAC, or two FLOP [1 call]
  +144       at least 7,920  bias of conv counted by 2mac only [1 call]
        at least 7,920 FLOP  2mac bias=add

The gap is not known; without the unknown calls it is +4,032: the 2 causes sum to it, to the unit.

Unknown, so not in the figures:
    Python: 1 call, 1x4x6x6 -> 1x2 at proposal (no formula for 'Python')

source: toy.prototxt (caffe 1.0); inputs: data=1x3x8x8:float32; read in evaluation mode; conventions: \
mac (X) and 2mac bias=add (X); graph: X; flopledger V
"""

MARKDOWN = r"""### toy.prototxt: operations, from mac to 2mac bias=add

| change | figure | why |
| ---: | ---: | --- |
|  | at least 3,888 MAC | mac |
| +3,888 | at least 7,776 | unit: a multiply-accumulate is one MAC, or two FLOP \[1 call\] |
| +144 | at least 7,920 | bias of conv counted by 2mac only \[1 call\] |
|  | at least 7,920 FLOP | 2mac bias=add |

The gap is not known; without the unknown calls it is +4,032: the 2 causes sum to it, to the unit.

Unknown, so not in the figures:

- Python: 1 call, 1x4x6x6 -\> 1x2 at proposal (no formula for 'Python')

<sub>source: """

ALL = """\
convention               count  unit  in short     params  difference from mac, by cause
mac             at least 3,888  MAC   3.888 kMAC        0
2mac            at least 7,776  FLOP  7.776 kFLOP       0  +3,888 unit: a multiply-accumulate is one MAC, \
or two FLOP
2mac-1          at least 7,632  FLOP  7.632 kFLOP       0  +3,888 unit: a multiply-accumulate is one MAC, \
or two FLOP
                                                           -144 a dot product of n terms of conv is 2n - 1 \
operations by 2mac-1, not 2n
convnet-burden  at least 4,032  MAC   4.032 kMAC        0  +144 bias of conv counted by convnet-burden only
netscope        at least 3,888  MAC   3.888 kMAC        0
"""

FIGURE = """\
toy.prototxt: 4.0K is the figure of these conventions:

convention              figure  unit  off by
convnet-burden  at least 4,032  MAC       32  0.8%
mac bias=add    at least 4,032  MAC       32  0.8%

Tried: every convention"""


def test_the_table_leads_from_one_figure_down_to_the_other(toy: Path, flopledger: Run) -> None:
    done = flopledger("explain", toy, "mac", "2mac", "--set", "b.bias=add")

    assert (done.returncode, done.stderr, plain(done.stdout)) == (0, "", STORY)


def test_markdown_can_be_pasted_into_an_issue(toy: Path, flopledger: Run) -> None:
    done = flopledger("explain", toy, "mac", "2mac", "--set", "b.bias=add", "--format", "markdown")

    assert done.stdout.startswith(MARKDOWN)


def test_layers_are_named_on_demand(toy: Path, flopledger: Run) -> None:
    lines = flopledger("explain", toy, "mac", "2mac", "--layers").stdout.splitlines()

    assert lines[5] == "+3,888                         conv"


def test_json_is_the_contract(toy: Path, flopledger: Run) -> None:
    done = flopledger("explain", toy, "mac", "2mac", "--set", "bias=add", "--format", "json", "--layers")
    document = validated("explain", done.stdout)

    assert list(document) == ["schema", "what", "a", "b", "gap", "causes"]
    assert (document["a"]["figure"], document["a"]["convention"]["set"]) == (4032, {"bias": "add"})
    assert (document["b"]["figure"], document["b"]["unit"]) == (7920, "FLOP")
    assert document["gap"] == 3888
    assert document["causes"] == [
        {
            "cause": "unit: a multiply-accumulate is one MAC, or two FLOP", "kind": "unit", "count": 3888,
            "calls": 1, "layers": [{"path": "conv", "count": 3888}],
        },
    ]  # fmt: skip


def test_bytes_are_explained_as_bytes(toy: Path, flopledger: Run) -> None:
    done = flopledger("explain", str(toy), "peak", "bytes")
    assert done.stdout.startswith("toy.prototxt: bytes, from peak to bytes\n")


def test_parameters_are_explained_too(capfd: pytest.CaptureFixture[str]) -> None:
    """AlexNet has 96 + 256 + 384 + 384 + 256 + 4096 + 4096 + 1000 = 10,568 biases."""
    assert run(["explain", ALEXNET, "mac", "caffe-script", "--what", "params", "--format", "json"]) == 0
    document = validated("explain", capfd.readouterr().out)

    assert (document["a"]["figure"], document["b"]["figure"]) == (60_965_224, 60_954_656)
    assert [(c["cause"], c["kind"], c["count"], c["calls"]) for c in document["causes"]] == [
        ("biases: not counted by caffe-script", "parameters", -10_568, 8)
    ]


def test_parameters_are_those_of_modules(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", ALEXNET, "mac", "caffe-script", "--what", "params"]) == 0
    assert (
        "-10,568         60,954,656  biases: not counted by caffe-script [8 modules]"
        in capfd.readouterr().out
    )


def test_all_conventions_stand_in_one_table(toy: Path, flopledger: Run) -> None:
    done = flopledger("explain", toy, "--all")

    assert done.returncode == 0
    assert ALL in done.stdout
    assert "\ncaffe-script gives no figure here: " in done.stdout
    assert "ptflops" not in done.stdout


def test_all_conventions_of_a_training_step(flopledger: Run) -> None:
    lenet = str(Path(ALEXNET).with_name("lenet.prototxt"))
    done = flopledger("explain", lenet, "--all", "--step", "train")

    # conv1 (288,000) has no gradient of the picture; an estimate has three forwards of 2,293,000
    assert re.search(r"^mac +6,591,000  MAC", done.stdout, re.MULTILINE)
    assert re.search(r"^three-times-forward +13,758,000  FLOP", done.stdout, re.MULTILINE)
    assert "+576,000 the gradient of the input of conv, which nothing before it needs" in done.stdout
    assert "no figure here" not in done.stdout
    assert "caffe-script" not in done.stdout


def test_all_conventions_in_json(toy: Path, flopledger: Run) -> None:
    document = validated("explain-all", flopledger("explain", toy, "--all", "--format", "json").stdout)
    found = {entry["convention"]: entry for entry in document["conventions"]}

    assert document["base"]["name"] == "mac"
    assert (found["2mac-1"]["figure"], found["2mac-1"]["gap"]) == (7632, 3744)
    assert [cause["count"] for cause in found["2mac-1"]["causes"]] == [3888, -144]
    assert [left["convention"] for left in document["left_out"]] == ["caffe-script"]


def test_all_conventions_in_markdown(toy: Path, flopledger: Run) -> None:
    shown = flopledger("explain", toy, "--all", "--format", "markdown").stdout

    assert "two FLOP<br>-144 a dot product" in shown
    assert "\\u" not in shown


def test_a_figure_leads_to_its_convention(toy: Path, flopledger: Run) -> None:
    """4.0K stands for 3950 to 4050."""
    done = flopledger("explain", toy, "--figure", "4.0K")

    assert done.stdout.startswith(FIGURE)


def test_a_figure_that_none_prints_gets_the_nearest(toy: Path, flopledger: Run) -> None:
    done = flopledger("explain", toy, "--figure", "3888", "--figure", "5K", "--format", "json")
    exact, none = validated("figures", done.stdout)["figures"]

    assert (exact["fits"], exact["matches"][0]["convention"], exact["matches"][0]["off_by"]) == (
        True,
        "mac",
        0,
    )
    assert (none["fits"], none["low"], none["high"]) == (False, 4500, 5500)
    assert [match["figure"] for match in none["matches"]] == [4032, 4032, 3888]
    assert "no convention prints 5K" in flopledger("explain", toy, "--figure", "5K").stdout


BLOCK = """name: "n" input: "data" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }
layer { name: "a" type: "Convolution" bottom: "data" top: "a"
  convolution_param { num_output: 50 kernel_size: 1 bias_term: false } }
layer { name: "b" type: "Convolution" bottom: "a" top: "b"
  convolution_param { num_output: 10 kernel_size: 3 pad: 1 stride: 2 bias_term: false } }
layer { name: "fc" type: "InnerProduct" bottom: "b" top: "fc" inner_product_param { num_output: 5 } }
"""


def test_two_figures_are_explained_by_what_is_most_simply_between_them(
    flopledger: Run, tmp_path: Path
) -> None:
    """150 * 64 + 4500 * 16 + 800 is 82,400; the 1x1 takes 150 * 16 with the stride, and 2 FLOP make a MAC.

    Without the classifier it is 81,600.
    """
    (tmp_path / "net.prototxt").write_text(BLOCK)
    done = flopledger("explain", "net.prototxt", "82.4K", "150.4K", "--format", "json")
    document = validated("figures", done.stdout)

    assert [figure["fits"] for figure in document["figures"]] == [True, True]
    gap = document["gap"]
    assert (gap["a"]["convention"], gap["a"]["figure"]) == ("mac", 82_400)
    assert (gap["b"]["convention"], gap["b"]["figure"]) == ("2mac", 150_400)
    moved = "the stride of 1 block moved from the 3x3 to the 1x1"
    assert gap["b"]["changes"] == [moved]
    assert {cause["cause"]: cause["count"] for cause in gap["causes"]} == {
        "unit: a multiply-accumulate is one MAC, or two FLOP": 75_200,
        moved: -7_200,
    }
    headless = validated(
        "figures", flopledger("explain", "net.prototxt", "81,600", "--format", "json").stdout
    )
    assert headless["figures"][0]["matches"][0]["changes"] == ["without the classifier"]
    assert headless["gap"] is None


def test_two_figures_of_parameters_are_explained(flopledger: Run, tmp_path: Path) -> None:
    """The weights are 3 * 50, 50 * 10 * 9 and 160 * 5 + 5, which are 5,455, the last 805 of a classifier.

    Without its bias, the only one of the network, there are 5,450.
    """
    (tmp_path / "net.prototxt").write_text(BLOCK)
    done = flopledger("explain", "net.prototxt", "5455", "4650", "--format", "json")
    document = validated("figures", done.stdout)
    whole, backbone = (figure["matches"][0] for figure in document["figures"])

    assert (whole["what"], whole["figure"], whole["changes"]) == ("params", 5455, [])
    assert (backbone["what"], backbone["figure"]) == ("params", 4650)
    assert backbone["changes"] == ["without the classifier"]
    assert [(cause["cause"], cause["count"]) for cause in document["gap"]["causes"]] == [
        ("without the classifier", -805)
    ]
    back = validated(
        "figures", flopledger("explain", "net.prototxt", "4650", "5455", "--format", "json").stdout
    )
    assert [(cause["cause"], cause["count"]) for cause in back["gap"]["causes"]] == [
        ("undone: without the classifier", 805)
    ]


def test_sizes_and_batches_are_tried_for_what_nothing_else_fits(flopledger: Run, tmp_path: Path) -> None:
    """A convolution of 1x1 from 3 to 50 channels has 150 MACs a pixel: 9,600 at 8x8, 7,526,400 at 224x224."""
    (tmp_path / "net.prototxt").write_text(BLOCK.partition('layer { name: "b"')[0])
    done = flopledger("explain", "net.prototxt", "7,526,400", "76,800", "--format", "json")
    sized, batches = (figure["matches"] for figure in validated("figures", done.stdout)["figures"])

    assert (sized[0]["fits"], sized[0]["figure"], sized[0]["changes"]) == (
        True,
        7_526_400,
        ["input size 224"],
    )
    assert [(one["convention"], one["changes"]) for one in batches if one["fits"]][:2] == [
        ("2mac", ["a batch of 4"]), ("mac", ["a batch of 8"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "give two conventions, or --all, or figures such as 4.1G"),
        (("mac",), "two conventions are explained, from one to the other; found mac"),
        (("mac", "2mac", "--all"), "only one of these"),
        (("--all", "--layers"), "--layers and --what are for two conventions"),
        (("mac", "2mac", "--set", "c.bias=add"), "no switch 'c.bias'"),
        (("mac", "2mac", "--set", "a.bis=add"), "no switch 'bis'"),
        (("mac", "thop"), "is for networks of torch"),
        (("mac", "nothing"), "nothing"),
        (("--figure", "much"), "'much' is not a figure"),
    ],
)
def test_what_can_not_be_explained(
    args: tuple[str, ...], message: str, toy: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", str(toy), *args]) == 2
    out, err = capfd.readouterr()
    assert (out, message in err) == ("", True)


def test_the_result_can_go_to_a_file(toy: Path, flopledger: Run) -> None:
    assert flopledger("explain", toy, "mac", "2mac", "-o", "why.txt").stdout == ""
    assert (toy.parent / "why.txt").read_text() == flopledger("explain", toy, "mac", "2mac").stdout


@pytest.mark.parametrize(("option", "instead"), [("--inputs", "-i"), ("--inputs-b", "-j")])
def test_a_shape_in_place_of_a_function_names_the_option_for_shapes(
    flopledger: Run, option: str, instead: str
) -> None:
    result = flopledger("compare", ALEXNET, ALEXNET, option, "1x3x32x32")

    assert result.returncode == 2
    assert f"a shape is given with {instead} 1x3x32x32" in result.stderr


def test_every_answer_for_a_figure_can_be_seen(flopledger: Run) -> None:
    short = flopledger("explain", ALEXNET, "1.45GFLOPs").stdout
    full = flopledger("explain", ALEXNET, "1.45GFLOPs", "--full").stdout
    found = json.loads(flopledger("explain", ALEXNET, "1.45GFLOPs", "--format", "json").stdout)["figures"][0]

    assert "more, which take more for granted (--full shows them)" in short
    assert "more for granted" not in full
    assert len(found["matches"]) == found["count"] > short.count(" FLOP ")
    assert full.count(" FLOP ") == found["count"]


def test_what_a_document_alone_defines_is_behind_the_others_that_fit_as_well(flopledger: Run) -> None:
    lines = flopledger("explain", ALEXNET, "1.45GFLOPs").stdout.splitlines()
    plain_names = [line.split()[0] for line in lines[3:] if line[20:].strip()[:1].isdigit()]

    assert plain_names.index("seed-001") > plain_names.index("ops")


def test_a_prefix_that_people_give_to_a_library_is_answered_with_its_name(flopledger: Run) -> None:
    result = flopledger("count", "hf:BertModel")

    assert "did you mean transformers:BertModel?" in result.stderr
