from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest
from caffe_nets import resnet50
from documents import validated
from flopledger.cli import run
from flopledger.cli.compare import fitting, together
from flopledger.dims.arithmetic import symbol
from flopledger.errors import SourceError
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Reading
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.dims.types import Shape
    from flopledger.graph.graph import Graph

Run: TypeAlias = "Callable[..., subprocess.CompletedProcess[str]]"

EXAMPLES = Path(__file__).parents[3] / "examples"
N = symbol("N")

RESNETS = """\
a  v1.prototxt
b  v1.5.prototxt

Not equal. Layers: 54 the same, 53 changed.

                              a              b         b - a
MAC (mac)         3,857,973,248  4,089,184,256  +231,211,008
FLOP (2mac)       7,715,946,496  8,178,368,512  +462,422,016
trainable params     25,583,592     25,557,032       -26,560

Differences by reason, with the change b - a that each causes:
times           MAC   params  reason
  3 x  +231,211,008       +0  stride moved from the 1x1 in a to the 3x3 in b:
                              2x2 at 3a/1x1 in a, 2x2 at 3a/3x3 in b
                              2x2 at 4a/1x1 in a, 2x2 at 4a/3x3 in b
                              2x2 at 5a/1x1 in a, 2x2 at 5a/3x3 in b
 53 x            +0  -26,560  bias in a only: conv1, 2a/1x1, 2a/short, and 50 more

Layers, in their order:"""


@pytest.fixture
def resnets(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "v1.prototxt").write_text(resnet50(version=1, bias=True))
    (tmp_path / "v1.5.prototxt").write_text(resnet50(version=1.5))
    return "v1.prototxt", "v1.5.prototxt"


def test_two_resnets_side_by_side(resnets: tuple[str, str], flopledger: Run) -> None:
    """With biases v1 has 26,560 parameters more; v1.5 works on larger maps in three blocks."""
    done = flopledger("compare", *resnets, "-c", "mac", "-c", "2mac")
    head, _, pairs = done.stdout.partition("\nstatus ")

    assert (done.returncode, done.stderr) == (1, "")
    assert head == RESNETS
    (line,) = [line.split(maxsplit=5) for line in pairs.splitlines() if line.startswith("changed  3a/1x1 ")]
    why = "stride moved: 2x2 at 3a/1x1 in a, 2x2 at 3a/3x3 in b; bias in a only"
    assert line == ["changed", "3a/1x1", "3a/1x1", "+77,070,336", "-128", why]
    assert "same" not in pairs


def test_a_network_and_itself_are_equal(flopledger: Run) -> None:
    net = EXAMPLES / "lenet.prototxt"
    done = flopledger("compare", net, net, "--layers")

    assert done.returncode == 0
    assert "Equal: every layer has a counterpart" in done.stdout
    assert [line.split()[:3] for line in done.stdout.splitlines() if line.startswith("same")] == [
        ["same", name, name] for name in ("conv1", "conv2", "ip1", "ip2")
    ]


def test_json_is_the_contract(resnets: tuple[str, str], flopledger: Run) -> None:
    document = validated("compare", flopledger("compare", *resnets, "--format", "json").stdout)

    assert (document["schema"], document["equal"], len(document["rows"])) == (
        "flopledger.compare/1",
        False,
        107,
    )
    assert document["rows"][0] == {
        "status": "changed",
        "a": {
            "path": "conv1",
            "kind": "conv",
            "source": "Convolution",
            "macs": 118_013_952,
            "unknown": False,
            "params": 9472,
        },
        "b": {
            "path": "conv1",
            "kind": "conv",
            "source": "Convolution",
            "macs": 118_013_952,
            "unknown": False,
            "params": 9408,
        },
        "why": "bias in a only",
    }
    assert document["a"]["totals"][0]["total"]["macs"] == 3_857_973_248
    assert sum(group["macs"] for group in document["summary"]) == 231_211_008


def test_what_has_no_formula_is_no_silent_part_of_it(toy: Path, flopledger: Run) -> None:
    done = flopledger("compare", toy, toy)

    assert (done.returncode, done.stderr.count("1 call without a formula, not in the total: Python")) == (
        0,
        2,
    )


def test_markdown(resnets: tuple[str, str], flopledger: Run) -> None:
    shown = flopledger("compare", *resnets, "--format", "markdown").stdout

    assert shown.startswith("### v1.prototxt against v1.5.prototxt\n\nNot equal. ")
    assert "| 53 x | +0 | -26,560 | bias in a only: conv1, 2a/1x1, 2a/short, and 50 more |" in shown


def test_j_is_for_b_and_i_for_a(capfd: pytest.CaptureFixture[str]) -> None:
    net = str(EXAMPLES / "lenet.prototxt")
    assert run(["compare", net, net, "-i", "2x1x28x28", "-j", "6x1x28x28", "--format", "json"]) == 1
    document = json.loads(capfd.readouterr().out)

    shapes = [document[side]["graph"]["inputs"][0]["shape"] for side in "ab"]
    assert shapes == [[2, 1, 28, 28], [6, 1, 28, 28]]
    assert {row["why"] for row in document["rows"]} == {"a batch 3 times as large in b"}


@pytest.mark.parametrize("option", ["-i", "-j"])
def test_inputs_given_for_one_are_for_the_other_too_where_they_fit(
    capfd: pytest.CaptureFixture[str], option: str
) -> None:
    """The file has an open batch, Batchx3x32x32."""
    net = str(EXAMPLES / "tiny.onnx")
    assert run(["compare", net, net, option, "2x3x32x32", "--format", "json"]) == 0
    out, err = capfd.readouterr()
    shapes = [json.loads(out)[side]["graph"]["inputs"][0]["shape"] for side in "ab"]
    assert (shapes, err) == ([[2, 3, 32, 32], [2, 3, 32, 32]], "")


@pytest.mark.parametrize("option", ["-i", "-j"])
def test_sizes_that_one_source_leaves_open_are_asked_for(
    capfd: pytest.CaptureFixture[str], option: str
) -> None:
    """The channels are last in TFLite, so that inputs for ONNX don't fit: Nx32x32x3."""
    nets = [str(EXAMPLES / name) for name in ("tiny.tflite", "tiny.onnx")]
    sources = nets if option == "-i" else nets[::-1]
    other = "-j" if option == "-i" else "-i"
    assert run(["compare", *sources, other, "1x3x32x32"]) == 1
    wanted = f"Warning: {nets[0]} leaves N open: give the sizes of its inputs with {option}\n"
    assert capfd.readouterr().err.endswith(wanted)
    run(["compare", *nets])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("declared", "given", "found"),
    [
        pytest.param({"x": (N, 3)}, {"y": (2, 3)}, [(2, 3)], id="by order"),
        pytest.param({"x": (N, 3), "y": (N, 3)}, {"y": (4, 3), "x": (2, 3)}, [(2, 3), (4, 3)], id="by name"),
        pytest.param({"x": (N, 3)}, {"x": (2, 4)}, [], id="another size"),
        pytest.param({"x": (N, 3)}, {"x": (2, 3, 1)}, [], id="another rank"),
        pytest.param({"x": (N, 3)}, {"x": (2, 3), "y": (2, 3)}, [], id="more inputs"),
        pytest.param({"x": (2, 3)}, {"x": (2, 3)}, [], id="nothing open"),
    ],
)
def test_which_inputs_of_one_network_fit_the_other(
    declared: dict[str, Shape], given: dict[str, Shape], found: list[Shape]
) -> None:
    assert [spec.shape for spec in fitting(network(declared), network(given))] == found


def network(inputs: dict[str, Shape]) -> Graph:
    builder = GraphBuilder(builtin())
    made = [builder.input(name, shape) for name, shape in inputs.items()]
    return builder.build(Reading("by hand", "hand", "hand"), made)


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("absent.prototxt",), 3, "'absent.prototxt' is no file"),
        ((str(EXAMPLES / "lenet.prototxt"), "-c", "thop"), 2, "is for networks of torch"),
        ((str(EXAMPLES / "lenet.prototxt"), "-c", "nothing"), 2, "nothing"),
        ((str(EXAMPLES / "lenet.prototxt"), "-c", "mac", "--set", "bis=add"), 2, "no switch 'bis'"),
        ((str(EXAMPLES / "lenet.prototxt"), "-j", "1x1x28x28", "--inputs-b", "x.py:make"), 2, "both given"),
        ((), 2, "Missing argument"),
    ],
)
def test_what_can_not_be_compared(
    args: tuple[str, ...], code: int, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", str(EXAMPLES / "alexnet.prototxt"), *args]) == code
    out, err = capfd.readouterr()
    assert (out, message in err) == ("", True)


def test_what_goes_wrong_in_either_reading_is_raised() -> None:
    def fails() -> None:
        raise SourceError("gone")

    with pytest.raises(SourceError, match="gone"):
        together(fails, lambda: None)
    with pytest.raises(SourceError, match="gone"):
        together(lambda: None, fails)


def test_ctrl_c_ends_both_readings(start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> None:
    """Each source writes its process's number, then sleeps: afterwards neither process is there."""
    code = "import os, pathlib, time\npathlib.Path(f'{os.getpid()}.pid').touch()\ntime.sleep(60)\n"
    (tmp_path / "a.py").write_text(code)
    (tmp_path / "b.py").write_text(code)
    process = start("compare", "a.py:Net", "b.py:Net", stderr=subprocess.DEVNULL)
    while len(found := list(tmp_path.glob("*.pid"))) < 2:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)

    assert process.wait(30) == 130
    assert not any(alive(int(file.stem)) for file in found)


def alive(number: int) -> bool:
    """Whether a process runs still, some time after it was told to end."""
    for _ in range(100):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True
