"""The command line: specs, options and arguments of every sort, in every order."""

from __future__ import annotations

from flopledger.cli import COMMANDS
from fuzzing import NUMBERS, ends, folder
from hypothesis import given
from hypothesis import strategies as st

NETWORK = """
input: "data" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 8 kernel_size: 3 } }
"""
FILES = {"net__prototxt": NETWORK, "broken__json": '{"schema": "flopledger.graph/1"', "empty__prototxt": ""}

PIECES = st.sampled_from(
    [
        "data",
        "=",
        "x",
        "1",
        "3",
        "224",
        "N",
        "H",
        ":",
        "int64",
        "!",
        "False",
        "[0]",
        ".",
        "scalar",
        "0",
        "-1",
        "\x00",
        " ",
    ]
)
SPECS = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=20)
WORDS = st.sampled_from(
    [
        "net.prototxt", "broken.json", "empty.prototxt", "missing.prototxt", ".", "", "-", "--", "mac", "ops",
        "mca", "caffe", "json", "table", "tool", "bias=add", "bias=x", "=", "a=b", "count", "eval", "test",
        "\x00", "no_such_module_here:x", "x:y:z", "é",
    ]
)  # fmt: skip
OPTIONS = st.sampled_from(
    [
        "-i", "-c", "--set", "--format", "--depth", "--top", "--sort", "--strict", "--frontend", "--mode",
        "--phase", "--stage", "--arg", "--memory-limit", "--for", "--help", "--version", "--unheard", "-z",
        "--max-macs",
        "--what", "--layers", "--all", "--figure", "--tolerance", "--against",
    ]
)  # fmt: skip
ARGUMENTS = st.lists(WORDS | OPTIONS | NUMBERS.filter(lambda text: len(text) < 99) | SPECS, max_size=7)


@given(st.lists(SPECS, min_size=1, max_size=2))
def test_any_spec_is_taken_or_refused(specs: list[str]) -> None:
    with folder(**FILES):
        given = [argument for spec in specs for argument in ("-i", spec)]
        ends("count", "net.prototxt", *given, codes=frozenset({0, 2, 3}))


@given(st.sampled_from([*COMMANDS, "", "cuont"]), ARGUMENTS)
def test_any_arguments_end_within_the_contract(command: str, arguments: list[str]) -> None:
    with folder(**FILES):
        ends(command, *arguments)
