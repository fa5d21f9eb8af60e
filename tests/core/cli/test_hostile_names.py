"""Every command and format with hostile names in every place that a name can come from.

Nothing but letters, signs, blanks and line feeds may reach stdout, stderr, a file or a Python user's screen.
"""

from __future__ import annotations

import csv
import html
import io
import itertools
import json
import re
import tomllib
import unicodedata
from typing import TYPE_CHECKING

import flopledger
import pytest
from flopledger.cli import messages, run
from flopledger.errors import FlopledgerError, SourceError
from flopledger.report import ANSWER_FORMATS, FORMATS, View, render

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "\x1b[31m\x9b2J\x1b]0;t\x07\u202eB\u2066\n=cmd|'/c calc'!A1\r\t\x7f\u200b\u2028\ufeff\u3164"
MARKUP = "|<img src=x onerror=alert(1)>`x`**b**[a](http://e.vil)&#x202e;$x$~~y~~"
NAME = EVIL + MARKUP
FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\uff1d1")


def _hidden(text: str, allowed: str = "\n") -> list[str]:
    """Return what in a text can't be seen, by Unicode's own categories and not by the code under test."""
    ignorable = "\u3164\ufe0f\u115f"
    sorts = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return [c for c in text if c not in allowed and (unicodedata.category(c) in sorts or c in ignorable)]


def _graph() -> dict[str, object]:
    layers = [("relu", f"a{NAME}"), ("unknown", f"b{NAME}"), (f"kind{NAME}", f"c{NAME}")]
    layers += [("relu", formula) for formula in FORMULAS]
    return {
        "schema": "flopledger.graph/1",
        "reading": {
            "source": f"s{NAME}", "frontend": f"f{NAME}", "framework": f"w{NAME}",
            "framework_version": f"v{NAME}", "notes": [f"n{NAME}"], "profile": {f"p{NAME}": f"q{NAME}"},
        },
        "inputs": [{"name": f"i{NAME}", "tensor": 0}],
        "outputs": [1],
        "modules": [
            {"id": 0, "paths": [f"m{NAME}"], "type": f"t{NAME}", "bases": [f"b{NAME}"],
             "parameters": [[f"w{NAME}", 0]], "native": {f"x{NAME}": f"y{NAME}"}},
        ],
        "layers": [
            {"id": i, "path": path, "kind": kind, "source": f"S{NAME}", "inputs": [0], "outputs": [1],
             "module": 0, "problem": f"why{NAME}", "native": {f"x{NAME}": f"y{NAME}"}}
            for i, (kind, path) in enumerate(layers)
        ],
        "tensors": [
            {"id": 0, "shape": [1, 3, 8, 8], "dtype": f"float32{NAME}"}, {"id": 1, "shape": [1, 3, 8, 8]},
        ],
        "parameters": [
            {"id": 0, "names": [f"w{NAME}"], "shape": [4], "dtype": f"d{NAME}", "role": f"r{NAME}"},
        ],
    }  # fmt: skip


def _toml(text: str) -> str:
    escaped = "".join(c if c.isascii() and c.isprintable() else f"\\U{ord(c):08x}" for c in text)
    return '"' + escaped.replace("'", "\\u0027") + '"'


CONVENTION = f"""
name = {_toml("c" + NAME)}
title = {_toml("t" + NAME)}
unit = "MAC"
tool = {_toml("tool" + NAME)}
version = {_toml("1" + NAME)}
source = {_toml("s" + NAME)}
description = {_toml("d " + NAME)}
quirks = [{_toml("q" + NAME)}]
total = "layer"
[rules.layer]
relu = "out_elems"
{_toml("S2" + NAME)} = "1"
[print]
before = [{_toml("h" + EVIL)}, "{{source}} {{count}}"]
after = [{_toml("f" + EVIL)}]
[[print.columns]]
header = {_toml("H" + NAME.replace("{", ""))}
value = "path"
suffix = {_toml("s" + NAME)}
[[print.columns]]
value = "kind"
[switches.{_toml("s" + EVIL)}]
values = [{_toml("a" + NAME)}, "b"]
default = {_toml("a" + NAME)}
doc = {_toml("d" + NAME)}
"""
PROTOTXT = r"""
name: "n\033[31m"
input: "data\033[31m\233" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }
layer { name: "=cmd|calc" type: "Foo\033]0;title\007\342\200\256\nX" bottom: "data\033[31m\233" top: "x" }
layer { name: "a\nb\033[2J" type: "ReLU" bottom: "data\033[31m\233" top: "y" }
"""
FILE = f"g{EVIL.replace('/', '')}.json"
PROTO = f"g{EVIL.replace('/', '')}.prototxt"
MINE = "./m\x1b[31m\u202e.toml"


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / FILE).write_text(json.dumps(_graph()))
    (tmp_path / PROTO).write_text(PROTOTXT)
    (tmp_path / MINE).write_text(CONVENTION)
    (tmp_path / "bad\x1b[31m.toml").write_text(CONVENTION.replace("unit", '"u\\u001bnit"'))
    (tmp_path / "bad\x1b[31m.json").write_text('{"schema": "flopledger.graph/1", "x\\u001b": 1}')
    (tmp_path / "bad\x1b[31m.prototxt").write_text('layer { na\u202eme: "x" }')
    return tmp_path


COUNTS = [
    ["count", source, "-c", convention, "--format", form, *more]
    for source, convention, form in itertools.product((FILE, PROTO), ("mac", MINE), FORMATS)
    for more in ([], ["--top", "2"])
    if form != "tool" or convention == MINE
]
ANSWERS = [
    [*command, "--format", form]
    for form in ANSWER_FORMATS
    for command in (
        ["explain", FILE, "mac", MINE, "--layers"],
        ["explain", FILE, "mac", "ops", "--what", "params"],
        ["explain", PROTO, "--all"],
        ["explain", FILE, "--figure", "192"],
        ["compare", FILE, PROTO, "--layers", "-c", MINE],
        ["check", FILE, "--max-macs", "0", "-c", MINE],
        ["check", FILE, "--max", "count=0", "--against", FILE],
    )
]
OTHERS = [
    ["read", FILE], ["read", PROTO], ["read", PROTO, "--for", MINE], ["conventions", MINE], ["conventions"],
    ["frontends"], ["count", FILE, PROTO, "-c", "mac", "-c", MINE], ["count", FILE, "--strict"],
]  # fmt: skip
WRONG = [
    [*before, NAME]
    for before in (
        [], ["count"], ["count", FILE, "-c"], ["count", FILE, "-i"], ["count", FILE, "--set"],
        ["count", FILE, "--arg"], ["count", FILE, "--frontend"], ["count", FILE, "--mode"],
        ["count", FILE, "--format"], ["count", FILE, "--sort"], ["count", FILE, "--top"],
        ["count", FILE, "--timeout"], ["count", FILE, "--memory-limit"], ["count", FILE, "--inputs"],
        ["count", FILE, "-o", f"none{EVIL}/x", "--phase"], ["conventions"], ["explain", FILE, "mac"],
        ["explain", FILE, "--figure"], ["check", FILE, "--max-macs"], ["check", FILE, "--max"],
        ["check", FILE, "--tolerance"], ["check", FILE, "--against"], ["compare", FILE],
        ["read", FILE, "--for"], ["frontends"],
    )
]  # fmt: skip
WRONG += [
    ["count", f"--{NAME}"], ["count", FILE, "-c", "./bad\x1b[31m.toml"], ["count", "bad\x1b[31m.json"],
    ["count", "bad\x1b[31m.prototxt"], ["count", FILE, "-o", f"none{EVIL}/x"],
    ["count", FILE, "--set", f"bias={NAME}"], ["count", f"{NAME}:{NAME}"], ["count", f"x\x1b.py:{NAME}"],
]  # fmt: skip


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("form", [*FORMATS, "of no format"])
def test_no_command_lets_a_hidden_character_out(form: str, capfd: pytest.CaptureFixture[str]) -> None:
    given = [args for args in (*COUNTS, *ANSWERS) if form in args] or OTHERS
    for args in given:
        assert run(args) in (0, 1, 4), args
        out, err = capfd.readouterr()
        assert out
        assert _hidden(out) == _hidden(err) == [], args
        if "json" in args or args[0] == "read":
            json.loads(out)


@pytest.mark.usefixtures("hostile")
def test_no_error_lets_a_hidden_character_out(capfd: pytest.CaptureFixture[str]) -> None:
    for args in WRONG:
        assert run(args) in (2, 3, 5), args
        out, err = capfd.readouterr()
        assert (out, _hidden(err)) == ("", []), args
        assert "Error: " in err


@pytest.mark.usefixtures("hostile")
def test_a_file_holds_no_hidden_character_either() -> None:
    for form in FORMATS:
        assert run(["count", FILE, "-c", MINE, "--format", form, "-o", "out"]) == 0
        with open("out", encoding="utf-8", newline="") as file:  # noqa: PTH123  (line ends as they are)
            assert _hidden(file.read()) == []


@pytest.mark.usefixtures("hostile")
def test_json_keeps_the_names_themselves(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["read", FILE]) == 0
    assert json.loads(capfd.readouterr().out)["reading"]["source"] == f"s{NAME}"
    assert run(["count", FILE, "--format", "json"]) == 0
    (ledger,) = json.loads(capfd.readouterr().out)["ledgers"]
    assert ledger["rows"][0]["path"] == f"a{NAME}"


@pytest.mark.usefixtures("hostile")
def test_python_users_see_no_hidden_character() -> None:
    ledger = flopledger.count(FILE, convention=MINE)
    graph = flopledger.read(FILE)
    answers = [flopledger.explain(graph, "mac", MINE), flopledger.compare(graph, graph)]
    for thing in (ledger, *answers, graph):
        assert _hidden(repr(thing)) == [c for c in repr(thing) if c == "\u3164"]
    for thing in (ledger, *answers):
        assert _hidden(str(thing)) == []
    page = ledger._repr_html_()
    assert _hidden(page) == []
    assert "<img" not in page
    assert "\u202e" not in html.unescape(page)
    with pytest.raises(FlopledgerError) as caught:
        flopledger.read(NAME)
    assert _hidden(str(caught.value)) == []


@pytest.mark.usefixtures("hostile")
def test_colours_are_the_only_escape_sequences_of_a_table() -> None:
    text = render([flopledger.count(FILE, convention=MINE)] * 2, "table", View(color=True, width=200))
    assert "\x1b[1m" in text
    assert _hidden(re.sub(r"\x1b\[[0-9;]*m", "", text)) == []
    assert "\x1b[31m" not in text


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("form", ["table", "markdown", "csv", "latex"])
def test_several_conventions_side_by_side_pass_the_gate_too(form: str) -> None:
    ledgers = [flopledger.count(FILE, convention=MINE), flopledger.count(FILE)]
    for width in (None, 40, 200):
        assert _hidden(render(ledgers, form, View(width=width))) == []


@pytest.mark.usefixtures("hostile")
def test_csv_cells_are_no_formulas_and_figures_stay_numbers(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["count", FILE, "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    for row in rows:
        for name, cell in row.items():
            assert name in ("params", "count", "macs") or not cell.startswith(tuple("=+-@\t\r\uff1d"))
    paths = [row["path"] for row in rows]
    assert paths[3:10] == ["'=1+1", "'+1", "'-1", "'@SUM(1)", "'\\t=1", "'\\r=1", "'\uff1d1"]
    assert all(re.fullmatch(r"-?[0-9]+|", row["count"]) for row in rows)


@pytest.mark.usefixtures("hostile")
def test_the_stub_is_toml_that_names_the_source_itself(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["count", FILE, "--format", "markdown"]) == 0
    (stub,) = re.findall(r"```toml\n(.*?)```", capfd.readouterr().out, re.DOTALL)
    assert f"S{NAME}" in tomllib.loads(stub)["rules"]["layer"]


def test_messages_are_written_even_where_stderr_is_closed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    messages.warn(f"a{EVIL}")
    messages.say("a\x1b\nb")
    messages.status("a\x1b")
    err = capfd.readouterr().err
    assert err.count("\n") == 3
    assert _hidden(err, "\r\n") == []
    monkeypatch.setattr("sys.stderr", None)
    messages.error("nobody listens")
    messages.status("nobody listens")


def test_an_errors_message_is_gated_and_its_arguments_are_not() -> None:
    error = SourceError(f"a{EVIL}")
    assert _hidden(str(error)) == []
    assert error.args == (f"a{EVIL}",)
