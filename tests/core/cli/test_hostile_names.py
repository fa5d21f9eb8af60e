"""Every command and format with hostile names in every place that a name can come from.

Nothing but letters, signs, blanks and line feeds may reach stdout, stderr, a file or a Python user's screen.
"""

from __future__ import annotations

import contextlib
import csv
import html
import io
import itertools
import json
import re
import shutil
import sqlite3
import tomllib
import unicodedata
from pathlib import Path

import flopledger
import pytest
from flopledger.cli import messages, run
from flopledger.errors import FlopledgerError, SourceError
from flopledger.report import ANSWER_FORMATS, FORMATS, View, render
from hostile_files import (
    EVIL,
    FILE,
    MINE,
    NAME,
    PROTO,
    write_all,
)


def _hidden(text: str, allowed: str = "\n") -> list[str]:
    """Return the invisible characters of a text, by Unicode's categories and not by the code under test."""
    ignorable = "\u3164\ufe0f\u115f"
    sorts = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return [c for c in text if c not in allowed and (unicodedata.category(c) in sorts or c in ignorable)]


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_all(tmp_path)
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
        ["memory", PROTO],
        ["memory", "n.tflite"],
        ["memory", "n.onnx"],
    )
]

PAGES = [
    ["view", FILE, "-c", "mac", "-c", MINE],
    ["view", "n.onnx"],
    ["view", "n.tflite"],
    ["view", "n.safetensors"],
    ["explain", FILE, "mac", MINE, "--layers", "--format", "html"],
    ["compare", FILE, PROTO, "--format", "html"],
    ["compare", FILE, "n.onnx", "--format", "html"],
]

OTHERS = [
    ["read", FILE], ["read", PROTO], ["read", PROTO, "--for", MINE], ["conventions", MINE], ["conventions"],
    ["check", FILE, PROTO, "--max-macs", "0", "-c", MINE, "--format", "github"],
    ["check", FILE, PROTO, "--max-macs", "0", "-c", MINE, "--format", "junit"],
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
        ["read", FILE, "--for"], ["frontends"], ["compare", FILE, PROTO, "--inputs-b"],
        ["compare", FILE, PROTO, "--frontend-b"], ["count", FILE, "--columns"], ["count", FILE, "--by"],
        ["count", FILE, "--units"], ["count", FILE, "--step"], ["count", FILE, "--seq"],
        ["count", FILE, "--freeze"], ["count", FILE, "--grad-inputs"], ["count", FILE, "--level"],
        ["view"], ["view", "-o", "page.html"], ["view", FILE, "-o", "page.html", "-c"],
        ["view", FILE, "-o", "page.html", "--set"], ["view", FILE, "-o", f"none{EVIL}/x", "-i"],
        ["memory"], ["memory", PROTO, "--dtype"], ["memory", PROTO, "--optimizer"],
        ["memory", PROTO, "--format"],
        ["llm", "--prompt", "4", "--new", "2"], ["llm", FILE, "--prompt"], ["llm", FILE, "--dtype"],
        ["scan", "-o", "zoo.db"], ["scan", FILE, "-o", "zoo.db", "-c"], ["scan", FILE, "-o", f"none{EVIL}/x"],
        ["scan", FILE, "-o", "zoo.db", "--jobs"], ["scan", FILE, "-o", "zoo.db", "--retry"],
        ["zoo"], ["zoo", FILE], ["explain", FILE, "mac", "ops", "--name"],
    )
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


FORGED = "x\nError: nothing is wrong"


@pytest.mark.parametrize(
    "args",
    [
        ["count", FORGED], ["count", f"{FORGED}.prototxt"], ["count", f"{FORGED}.json"],
        ["read", f"{FORGED}.onnx"],
        ["count", f"{FORGED}.py:Net"], ["count", FILE, "-o", f"none/{FORGED}"], ["zoo", f"{FORGED}.db"],
        ["count", FILE, "-c", f"./{FORGED}.toml"], ["check", FILE, "--against", f"{FORGED}.json"],
        ["scan", f"{FORGED}?", "-o", "zoo.db"], ["count", FILE, "--inputs", f"{FORGED}.py:make"],
        ["count", FILE, "--device", f"./{FORGED}.toml"], ["compare", FILE, f"{FORGED}.prototxt"],
    ],
)  # fmt: skip
@pytest.mark.usefixtures("hostile")
def test_a_line_feed_of_a_name_makes_no_line_of_an_error(
    args: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    for there in (False, True):
        if there:  # what the file says is wrong too, and its place is named
            for suffix in (".prototxt", ".json", ".onnx", ".db", ".toml"):
                Path(f"{FORGED}{suffix}").write_text("{", encoding="utf-8")
            Path(f"{FORGED}.py").write_text("def (\n", encoding="utf-8")
        assert run(args) in (2, 3, 5), args
        lines = capfd.readouterr().err.splitlines()
        assert [line for line in lines if line.startswith("Error: nothing")] == []
        assert sum(line.startswith("Error: ") for line in lines) == 1
        assert any(r"x\nError: nothing is wrong" in line for line in lines)


def test_the_lines_of_an_error_are_its_arguments() -> None:
    error = SourceError("a\nb\x1b", "c\r")
    assert str(error) == "a\\nb\\x1b\nc\\r"


@pytest.mark.usefixtures("hostile")
def test_a_file_holds_no_hidden_character_either() -> None:
    for form in FORMATS:
        assert run(["count", FILE, "-c", MINE, "--format", form, "-o", "out"]) == 0
        with open("out", encoding="utf-8", newline="") as file:  # noqa: PTH123  (line ends as they are)
            assert _hidden(file.read()) == []


@pytest.mark.usefixtures("hostile")
def test_a_page_holds_no_hidden_character_of_a_name(capfd: pytest.CaptureFixture[str]) -> None:
    for args in PAGES:
        assert run([*args, "-o", "page.html"]) in (0, 1, 4), args
        out, err = capfd.readouterr()
        assert _hidden(out) == _hidden(err) == [], args
        with open("page.html", encoding="utf-8", newline="") as file:  # noqa: PTH123
            page = file.read()
        scripts = re.compile(r"<script>.*?</script>", re.DOTALL)  # our own, whose hashes the page states
        assert _hidden(scripts.sub("", page)) == [], args
        assert "<img" not in scripts.sub("", page)


SETTERS = ("name", "source", "reason", "frontend", "framework", "framework_version", "registry", "input_size")


@pytest.mark.usefixtures("hostile")
def test_no_text_of_a_database_lets_a_hidden_character_out(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", FILE, PROTO, "n.onnx", "no.json:x", "-c", "mac", "-c", MINE, "-o", "zoo.db"]) == 0
    out, err = capfd.readouterr()
    assert _hidden(out) == _hidden(err) == []
    shutil.copy("zoo.db", "old.db")
    with contextlib.closing(sqlite3.connect("zoo.db", isolation_level=None)) as connection:
        for column in SETTERS:
            connection.execute(f"UPDATE networks SET {column} = {column} || ?", (NAME,))  # noqa: S608
        connection.execute(
            "UPDATE figures SET convention = ? || convention, unit = unit || ?", (f"={NAME}", NAME)
        )
        connection.execute("UPDATE networks SET published = ?", (json.dumps({NAME: "1G", "params": "7"}),))
    commands = [["zoo", "zoo.db", "--format", form] for form in ("table", "json", "csv", "markdown", "latex")]
    for form in ("table", "json", "markdown"):
        commands += [["zoo", "zoo.db", "--against", "old.db", "--format", form]]
        commands += [["zoo", "zoo.db", "--published", "--format", form]]
    for args in commands:
        assert run(args) == 0, args
        out, err = capfd.readouterr()
        assert out
        assert _hidden(out) == _hidden(err) == [], args
        if "csv" in args:
            heads, *rows = csv.reader(io.StringIO(out))
            assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in (*heads, *(row[0] for row in rows)))
    for args in (["--where", NAME], ["--sort", NAME], ["--columns", NAME], ["--format", NAME]):
        assert run(["zoo", "zoo.db", *args]) == 2, args
        out, err = capfd.readouterr()
        assert (out, _hidden(err)) == ("", []), args
    assert run(["zoo", "zoo.db", "--format", "html", "-o", "zoo.html"]) == 0
    page = re.sub(r"<script>.*?</script>", "", Path("zoo.html").read_text(), flags=re.DOTALL)
    assert _hidden(page) == []
    assert "<img" not in page


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
