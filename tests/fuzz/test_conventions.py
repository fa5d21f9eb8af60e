"""Convention files: drawn from the grammar, and shipped ones with something changed."""

from __future__ import annotations

import tomllib
from pathlib import Path

from flopledger.conventions.facts import FACTS, PARAMETER_FACTS, STRUCTURAL
from flopledger.expressions.functions import FUNCTIONS
from fuzzing import NUMBERS, ends, folder, mutated
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [path.read_text() for path in sorted((ROOT / "core/flopledger/conventions").glob("*.toml"))]
NETWORK = """
input: "data" input_shape { dim: 2 dim: 4 dim: 8 dim: 8 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 8 kernel_size: 3 group: 2 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "odd" type: "Odd" bottom: "pool" top: "odd" }
"""

NAMES = st.sampled_from(
    sorted({*STRUCTURAL, *FACTS, "kernel", "adds", "native.num_output", "switch.bias", "d0", "d1", "nothing"})
)
ATOMS = NAMES | NUMBERS | st.sampled_from(["'conv'", "True", "None", "()", "range(9)", "inputs", "native"])


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "==", "<", "in", "and", "or", "is"])
    calls = st.sampled_from([*FUNCTIONS, "opt", "eval"])
    return st.one_of(
        st.tuples(inner, operators, inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(calls, st.lists(inner, max_size=3)).map(lambda t: f"{t[0]}({', '.join(t[1])})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        st.tuples(calls, inner, inner).map(lambda t: f"{t[0]}({t[1]} for x in {t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"{t[0]}[{t[1]}]"),
    )


EXPRESSIONS = st.recursive(ATOMS, _combined, max_leaves=6)
KEYS = st.sampled_from(
    ["*", "conv", "Convolution", "{ReLU,Pooling}", "a|b", "{a,b}{c,d}{e,f}", "{", "}{", "", "Odd", "{{a},b}"]
)
VALUES = EXPRESSIONS.map(repr) | st.sampled_from(
    ["1", "-1", "1.5", "true", "[]", "{}", "[[1]]", "nan", "1979-05-27", "inf", "''", "9" * 4400]
)


@st.composite
def files(draw: st.DrawFn) -> str:
    lines = ['name = "mine"']
    if draw(st.booleans()):
        lines.append(
            f"extend = {draw(st.sampled_from(['mac', 'netscope', './mine.toml', '/dev/zero', '.']))!r}"
        )
    else:
        lines += [
            f"unit = {draw(st.sampled_from(['MAC', 'FLOP', 'params', 'mac']))!r}",
            f"total = {draw(VALUES)}",
        ]
    for table in draw(st.lists(st.sampled_from(TABLES), unique=True, max_size=5)):
        lines.append(f"[{table}]")
        keys = KEYS if table.startswith("rules") else st.sampled_from(PLAIN)
        lines += [f"{key!r} = {draw(VALUES)}" for key in draw(st.lists(keys, unique=True, max_size=3))]
    return "\n".join(lines)


TABLES = [
    "rules.any", "rules.layer", "rules.op", "reduce.any", "reduce.layer", "define", "switches.bias", "params",
    "profile", "print", "rules", "unheard", "[print.columns]",
]  # fmt: skip
PLAIN = [
    "where", "times", "match", "through", "over", "count", "values", "default", "doc", "mode", "grad", "d0",
    "d1", "before", "rows", "header", "value", "width", "digits", "style", "buffers",
]  # fmt: skip


@given(files(), st.sampled_from(["json", "table", "tool"]))
def test_a_drawn_convention_counts_or_is_refused(text: str, form: str) -> None:
    with folder(mine__toml=text, net__prototxt=NETWORK):
        ends("count", "net.prototxt", "-c", "./mine.toml", "--format", form, codes=frozenset({0, 2}))


@given(mutated(SHIPPED, st.sampled_from([*STRUCTURAL, *PARAMETER_FACTS, "rules", "define", "x"])))
def test_a_convention_with_something_changed_counts_or_is_refused(text: str) -> None:
    with folder(mine__toml=text, net__prototxt=NETWORK):
        ends("count", "net.prototxt", "-c", "./mine.toml", codes=frozenset({0, 2}))


@given(mutated(SHIPPED, st.sampled_from(["rules", "define", "x"])))
def test_a_convention_with_something_changed_is_described_or_refused(text: str) -> None:
    with folder(mine__toml=text):
        ends("conventions", "./mine.toml", codes=frozenset({0, 2}))


@given(EXPRESSIONS)
def test_a_rule_counts_or_is_refused(rule: str) -> None:
    text = f'name = "mine"\nextend = "mac"\n[rules.layer]\nConvolution = """{rule}"""\n'
    assert tomllib.loads(text)
    with folder(mine__toml=text, net__prototxt=NETWORK):
        ends("count", "net.prototxt", "-c", "./mine.toml", codes=frozenset({0, 2}))
