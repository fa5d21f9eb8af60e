"""Small files made to take endless time or memory: each is counted or refused, soon and within a gigabyte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import warm

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_S = 20
"""Seconds of processor time that one may take; the slowest take about two."""
MEMORY = 2**30
NETWORK = """
input: "data" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 8 kernel_size: 3 } }
"""


def count(folder: Path, *args: str) -> tuple[int, str]:
    """Run the command in a process of its own with little memory and time; return its code and stderr."""
    done = warm.run(["count", *args], folder, memory=MEMORY, cpu_s=LONGEST_S)
    assert "Traceback" not in done.stderr
    assert "MemoryError" not in done.stderr
    return done.returncode, done.stderr


def convention(**tables: str) -> str:
    head = 'name = "bomb"\nextend = "mac"\n'
    return head + "".join(f"[{name.replace('__', '.')}]\n{text}\n" for name, text in tables.items())


def chain(first: str, step: str, length: int = 45) -> str:
    """Write definitions that each need the one before, called ``it``, and a rule that needs the last."""
    lines = [f'd0 = "{first}"'] + [f'd{i} = "{step.replace("it", f"d{i - 1}")}"' for i in range(1, length)]
    return convention(define="\n".join(lines), rules__layer=f'Convolution = "d{length - 1}"')


def rule(text: str) -> str:
    return convention(rules__layer=f'Convolution = "{text}"')


ENDLESS = "sum(sum(sum(1 for a in range(99999)) for b in range(99999)) for c in range(99999))"
CONVENTIONS = {
    "a sum that doubles": (chain("2", "it + it"), 0),
    "a number that is squared": (chain("3", "it * it"), 2),
    "a list that doubles": (chain("(1,)", "it + it"), 2),
    "a list of lists": (chain("(1,)", "(it, it)"), 2),
    "what fails, asked twice": (chain("native.nothing", "opt(it, 1 // 0) + opt(it, 1 // 0)"), 2),
    "powers of a fraction": (chain("1 / 3", "it ** 60"), 2),
    "loops in loops": (rule(ENDLESS), 2),
    "a loop in each definition": (chain("1", "it + sum(x for x in range(99999))", 40), 2),
    "lists made in a loop": (rule("sum(len(list(range(99999))) for x in range(99999))"), 2),
    "lists compared in a loop": (rule("sum(1 for x in range(99999) if inputs == range(99999))"), 2),
    "slices in a loop": (rule("sum(len(range(99999)[1:]) for x in range(99999))"), 2),
    "contractions in a loop": (
        rule(
            "sum(einsum_flops('ab,bc,cd,de,ef,fg,gh,hi->ai', list((9, 9) for i in range(8))) "
            "for x in range(999))"
        ),
        2,
    ),
    "lists of lists that are equal": (
        convention(
            define="\n".join(
                ['a0 = "(1,)"', 'b0 = "(1,)"']
                + [f'{x}{i} = "({x}{i - 1}, {x}{i - 1})"' for i in range(1, 45) for x in "ab"]
            ),
            rules__layer='Convolution = "1 if a44 == b44 else 2"',
        ),
        2,
    ),
    "braces": (rule("1").replace("Convolution", '"' + "{a,b}" * 40 + '"'), 2),
    "braces in many keys": (
        convention(rules__layer="\n".join(f'"{"{a,b}" * 13}{i}" = "1"' for i in range(900))),
        2,
    ),
    "a long key": (rule("1").replace("Convolution", '"' + "a|" * 90_000 + '"'), 2),
    "a key of many parts": ("a." * 90_000 + "a = 1", 2),
    "tables in tables": ("a = " + "[" * 90_000, 2),
    "a long chain of definitions": (chain("1", "it + 1", 9_000), 2),
    "many definitions": (convention(define="\n".join(f'd{i} = "macs"' for i in range(9_000))), 0),
    "a number of many digits": (f'name = "bomb"\nunit = {"9" * 9_999}', 2),
    "many minus signs": (rule("-" * 9_999 + "1"), 2),
    "a file without end": ('name = "bomb"\nextend = "/dev/zero"', 2),
    "itself by another name": ('name = "bomb"\nextend = "./x/../bomb.toml"', 2),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_convention_that_would_take_for_ever(name: str, tmp_path: Path) -> None:
    text, code = CONVENTIONS[name]
    (tmp_path / "x").mkdir()
    (tmp_path / "bomb.toml").write_text(text)
    (tmp_path / "net.prototxt").write_text(NETWORK)
    found, errors = count(tmp_path, "net.prototxt", "-c", "./bomb.toml")
    assert found == code, errors
    assert len(errors) < 5_000


PRINTOUTS = {
    "a number that no double holds": (
        'value = "10 ** 60 * 10 ** 60 * 10 ** 60 * 10 ** 60 * 10 ** 60 * 10 ** 60"',
        "digits = 2",
    ),
    "a column that is too wide": ('value = "1"', 'width = "10 ** 9"'),
    "a loop in a cell": (f'value = "{ENDLESS}"', ""),
}


@pytest.mark.parametrize("name", PRINTOUTS)
def test_a_printout_that_would_take_for_ever(name: str, tmp_path: Path) -> None:
    (tmp_path / "bomb.toml").write_text(convention() + "[[print.columns]]\n" + "\n".join(PRINTOUTS[name]))
    (tmp_path / "net.prototxt").write_text(NETWORK)
    code, errors = count(tmp_path, "net.prototxt", "-c", "./bomb.toml", "--format", "tool")
    assert (code, errors[:7]) == (2, "Error: "), errors


def graph(**tables: object) -> str:
    reading = {"source": "x", "frontend": "x", "framework": "x"}
    return json.dumps({"schema": "flopledger.graph/1", "reading": reading, **tables})


def one(kind: str, attrs: object, *shapes: object) -> str:
    tensors = [{"id": i, "shape": shape} for i, shape in enumerate(shapes)]
    ids = list(range(len(shapes)))
    layer = {"id": 0, "path": "x", "kind": kind, "source": "x", "attrs": attrs}
    return graph(tensors=tensors, layers=[{**layer, "inputs": ids[:-1], "outputs": ids[-1:]}])


def nested(modules: int, layers: int) -> str:
    return graph(
        modules=[
            {"id": i, "paths": [str(i)], "type": "x", "children": [i + 1] if i + 1 < modules else []}
            for i in range(modules)
        ],
        layers=[
            {"id": i, "path": str(i), "kind": "container", "source": "x", "parent": i - 1 if i else None}
            for i in range(layers)
        ],
    )


DOUBLED = graph(
    modules=[
        {"id": i, "paths": [str(i)], "type": "x", "children": [i + 1] * 2 if i < 400 else []}
        for i in range(401)
    ],
    layers=[{"id": 0, "path": "x", "kind": "container", "source": "x", "module": 0}],
)
LONG = graph(
    layers=[
        {"id": i, "path": f"{i}" + "x" * (1_000_000 if i == 0 else 1), "kind": "x", "source": "x"}
        for i in range(5_000)
    ]
)
GRAPHS = {
    "many axes": (one("relu", {}, [2**62] * 200_000, [1]), 3),
    "large axes": (one("relu", {}, [2**62] * 64, [2**62] * 64), 3),
    "a power of powers": (one("relu", {}, ["(((N**60)**60)**60)**60"], [1]), 3),
    "a long sum of symbols": (one("relu", {}, ["+".join(f"N{i}" for i in range(3_000))], [1]), 3),
    "a long product of sums": (one("relu", {}, ["*".join(f"(N{i}+1)" for i in range(2_000))], [1]), 3),
    "quotients of symbols": (
        one("relu", {}, ["(" + "+".join(f"1/N{i}" for i in range(1_500)) + ")//M"], [1]),
        3,
    ),
    "divisions in divisions": (one("relu", {}, ["(" * 50 + "N" + "+1)//N" * 50], [1]), 0),
    "a loop in a size": (one("relu", {}, [ENDLESS], [1]), 3),
    "axes to interpolate along": (
        one("resample", {"axes": 2**40, "mode": "linear"}, [1, 1, 8], [1, 1, 8]),
        3,
    ),
    "windows of an unknown size": (
        one("adaptive_avg_pool", {"output_size": [2**40, 1]}, [1, 1, "H", 8], [1, 1, 2**40, 1]),
        3,
    ),
    "a recurrent layer of many layers": (
        one("lstm", {"hidden_size": 2**60, "layers": 2**60, "directions": 2**60}, [9, 9, 9], [9, 9, 2**62]),
        0,
    ),
    "a large kernel": (one("conv", {"kernel": [2**127] * 9, "out_channels": 1}, [1] * 11, [1] * 11), 3),
    "JSON in JSON": ('{"a":' * 100_000, 3),
    "values in values": (one("relu", {"a": json.loads("[" * 900 + "]" * 900)}, [1], [1]), 3),
    "modules in modules": (nested(50_000, 1), 3),
    "calls in calls": (nested(1, 50_000), 3),
    "a number of many digits": (one("relu", {"a": 0}, [1], [1]).replace('"a": 0', '"a": ' + "9" * 9_999), 3),
    "memory that shares itself": (graph(tensors=[{"id": 0, "shape": [1], "alias_of": 0}]), 3),
    "a long path": (LONG, 0),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_that_would_take_for_ever(name: str, tmp_path: Path) -> None:
    text, code = GRAPHS[name]
    (tmp_path / "bomb.json").write_text(text)
    found, errors = count(tmp_path, "bomb.json", "-c", "ops", "--sort", "count")
    assert found == code, errors
    assert len(errors) < 5_000


def test_paths_that_double_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bomb.json").write_text(DOUBLED)
    (tmp_path / "mine.toml").write_text(convention(reduce__layer='times = "paths"'))
    code, errors = count(tmp_path, "bomb.json", "-c", "./mine.toml")
    assert (code, "paths to the module" in errors) == (3, True), errors


def relu(name: str, bottom: str, top: str, more: str = "") -> str:
    return f'layer {{ name: "{name}" type: "ReLU" bottom: "{bottom}" top: "{top}" {more} }}\n'


def doubled(times: int) -> str:
    """Write a network whose height is the sum of two quotients of the height before, again and again."""
    text, below = "", "data"
    for i in range(times):
        for size in (3, 5):
            window = f"kernel_h: {size} stride_h: {size} kernel_w: 1 stride_w: 1"
            text += f'layer {{ name: "p{i}_{size}" type: "Pooling" bottom: "{below}" top: "p{i}_{size}" '
            text += f"pooling_param {{ {window} }} }}\n"
        text += f'layer {{ name: "c{i}" type: "Concat" bottom: "p{i}_3" bottom: "p{i}_5" top: "c{i}" '
        text += "concat_param { axis: 2 } }\n"
        below = f"c{i}"
    return text


INPUT = 'input: "data" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }\n'
MANY = 10_000
TOPS = " ".join(f'top: "t{i}"' for i in range(MANY))
BOTTOMS = " ".join(f'bottom: "t{i}"' for i in range(MANY))
NETWORKS = {
    "one name for all": (INPUT + relu("x", "data", "data") * MANY, 0),
    "one weight for all": (
        INPUT
        + "".join(
            f'layer {{ name: "c{i}" type: "Convolution" bottom: "data" top: "c{i}" param {{ name: "w" }} '
            "convolution_param { num_output: 3 kernel_size: 1 bias_term: false } }\n"
            for i in range(MANY // 4)
        ),
        0,
    ),
    "unknown fields": (INPUT + "".join(f"qq{i}zz: 1\n" for i in range(MANY)) + relu("x", "data", "y"), 0),
    "a blob that is missing among many": (
        INPUT + f'layer {{ name: "s" type: "Split" bottom: "data" {TOPS} }}\n' + relu("x", "t9999999", "y"),
        3,
    ),
    "many tops and bottoms": (
        INPUT
        + f'layer {{ name: "s" type: "Split" bottom: "data" {TOPS} }}\n'
        + f'layer {{ name: "e" type: "Eltwise" {BOTTOMS} top: "e" }}\n'
        + f'layer {{ name: "c" type: "Concat" {BOTTOMS} top: "c" }}\n',
        0,
    ),
    "many axes": (
        'input: "data" input_shape { ' + "dim: 2147483647 " * MANY + "}" + relu("x", "data", "y"),
        3,
    ),
    "messages in messages": (INPUT + "layer { " * 100_000, 3),
    "brackets in brackets": (INPUT + "x: [" * 100_000, 3),
    "comments": (INPUT + "# x\n" * 500_000 + relu("x", "data", "y"), 0),
    "a string without end": (INPUT + 'x: "' + "a" * 2_000_000, 3),
    "strings in a row": (INPUT + "x: " + '"a" ' * 100_000 + relu("x", "data", "y"), 0),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_that_would_take_for_ever(name: str, tmp_path: Path) -> None:
    text, code = NETWORKS[name]
    (tmp_path / "bomb.prototxt").write_text(text)
    found, errors = count(tmp_path, "bomb.prototxt", "-c", "ops")
    assert found == code, errors
    assert len(errors) < 5_000


@pytest.mark.parametrize(("times", "code"), [(5, 0), (60, 3)])
def test_sizes_over_symbols_that_double(times: int, code: int, tmp_path: Path) -> None:
    (tmp_path / "bomb.prototxt").write_text(INPUT + doubled(times))
    found, errors = count(tmp_path, "bomb.prototxt", "-i", "data=Nx3xHxW", "--format", "json")
    assert found == code, errors
    assert code == 0 or "an expression over symbols with more than 50000 parts" in errors
