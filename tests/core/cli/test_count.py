from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING, TypeAlias

import pytest
from flopledger.cli import run
from flopledger.cli.options import load_conventions
from flopledger.cli.sources import SourceOptions
from flopledger.cli.values import literals
from flopledger.conventions import names as convention_names
from flopledger.errors import ConventionError
from flopledger.frontend.request import Request
from flopledger.frontend.specs import parse_spec
from flopledger.reading.read import Readings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flopledger.graph.graph import Graph

Run: TypeAlias = "Callable[..., subprocess.CompletedProcess[str]]"


def test_several_sources_and_conventions_come_in_the_order_given(toy: Path, flopledger: Run) -> None:
    done = flopledger("count", toy, toy, "-c", "2mac", "-c", "mac", "--format", "json")
    document = json.loads(done.stdout)
    assert document["schema"] == "flopledger.ledgers/1"
    counted = [(ledger["convention"]["name"], ledger["total"]["count"]) for ledger in document["ledgers"]]
    assert counted == [("2mac", 7776), ("mac", 3888), ("2mac", 7776), ("mac", 3888)]


def test_a_switch_changes_one_decision_and_is_stated(toy: Path, flopledger: Run) -> None:
    """3888 products and an addition for each of 4 * 6 * 6 = 144 outputs."""
    done = flopledger("count", toy, "--set", "bias=add", "--format", "json")
    (ledger,) = json.loads(done.stdout)["ledgers"]
    assert ledger["total"]["count"] == 4032
    assert ledger["convention"]["set"] == {"bias": "add"}


def test_a_switch_goes_to_the_conventions_that_have_it() -> None:
    own, script = load_conventions(["mac", "caffe-script"], {"bias": "add"})
    assert own.chosen["bias"] == "add"
    assert "bias" not in script.chosen
    with pytest.raises(ConventionError, match="'caffe-script' has no switch 'bias'"):
        load_conventions(["caffe-script"], {"bias": "add"})


def test_the_stub_prices_an_unknown_layer_once_it_is_pasted(toy: Path, flopledger: Run) -> None:
    """The layer puts out 1x2; at 5 for each output the total is 3888 + 10."""
    shown = flopledger("count", toy).stdout
    stub = shown.partition("and use -c ./mine.toml:\n")[2].partition("\n\nsource: ")[0]
    assert '"Python" = "out_elems"  # 1x4x6x6 -> 1x2' in stub
    (toy.parent / "mine.toml").write_text(stub.replace('"out_elems"', '"5 * out_elems"'))
    done = flopledger("count", toy, "-c", "./mine.toml", "--strict", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    (ledger,) = json.loads(done.stdout)["ledgers"]
    assert ledger["total"]["count"] == 3898
    assert ledger["convention"]["name"] == "mine"


def test_markdown_csv_and_a_cut_table(toy: Path, flopledger: Run) -> None:
    assert flopledger("count", toy, "--format", "markdown").stdout.startswith("### toy.prototxt: ")
    assert flopledger("count", toy, "--format", "csv").stdout.startswith("record,graph,convention,")
    cut = flopledger("count", toy, "--top", "1").stdout
    assert "... and 1 more row with 0 MAC" in cut
    by_path = flopledger("count", toy, "--sort", "path").stdout
    assert re.findall(r"^(conv|proposal) ", by_path, re.MULTILINE) == ["conv", "proposal"]


def test_rows_are_summed_and_columns_chosen(toy: Path, flopledger: Run) -> None:
    """The convolution has 3888 macs; this file has no parameters."""
    by_kind = flopledger("count", toy, "--by", "kind").stdout
    assert "\nconv            0  3,888  100.0%" in by_kind
    chosen = flopledger("count", toy, "--columns", "kernel, trainable, macs", "--units", "auto").stdout
    assert "\nconv       3x3             0  3.888 k\n" in chosen
    refused = flopledger("count", toy, "--columns", "kernl")
    assert refused.returncode == 2
    assert "no column is called 'kernl'; did you mean 'kernel'" in refused.stderr


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("table", r"\nconv +768 +576\n"),
        ("markdown", r"\| conv \| 768 \| 576 \|"),
        ("latex", r"conv & 768 & 576 "),
        ("csv", r"\nrow,toy.prototxt,mac,conv,.*,3888,768,576\n"),
        ("json", r'"reads": 768, "writes": 576'),
    ],
)
def test_bytes_read_and_written_are_columns_or_fields(
    form: str, expected: str, toy: Path, flopledger: Run
) -> None:
    """The convolution reads 3 x 8 x 8 numbers and writes 4 x 6 x 6, of 4 bytes; this file has no weights."""
    done = flopledger("count", toy, "--columns", "reads,writes", "--format", form)
    assert re.search(expected, done.stdout)
    if form in ("table", "markdown", "latex"):  # the last call is unknown, and so has at least its own
        assert "reads (B)" in done.stdout
        assert re.search(r"proposal.* (≥|\$\\geq\$) 576", done.stdout)
    else:
        assert re.search('"reads": null, "writes": null|MAC,0,,\n', done.stdout)


def test_what_a_format_can_not_show_is_refused(toy: Path, flopledger: Run) -> None:
    refused = flopledger("count", toy, "--by", "kind", "--format", "csv")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--by is for the formats table, markdown, latex, not for csv" in refused.stderr
    assert flopledger("count", toy, "--by", "kind", "--sort", "path").returncode == 2


def test_columns_limits_the_width_and_o_does_not(toy: Path, flopledger: Run) -> None:
    narrow = flopledger("count", toy, env={"COLUMNS": "30"}).stdout
    assert "\n\nlayer      params      MAC\n" in narrow
    assert "\nNo room for kind, output,\nshare: choose with --columns,\nor write to a file.\n" in narrow
    flopledger("count", toy, "-o", "out.txt", env={"COLUMNS": "30"})
    assert (toy.parent / "out.txt").read_text() == flopledger("count", toy).stdout


def terminal(args: list[str], env: dict[str, str]) -> str:
    """Run the command on a terminal of 100 columns and return its output."""
    main, side = pty.openpty()
    environ = {
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
        **env,
    }
    with subprocess.Popen([sys.executable, "-m", "flopledger", *args], stdout=side, stderr=side, env=environ):
        os.close(side)
        shown = b""
        try:
            while chunk := os.read(main, 65536):
                shown += chunk
        except OSError:
            os.close(main)
    return shown.decode()


def test_a_terminal_gets_styles_unless_no_color_or_a_dumb_one(toy: Path) -> None:
    assert "\x1b[1;33mproposal" in terminal(["count", str(toy)], {})
    assert "\x1b" not in terminal(["count", str(toy)], {"NO_COLOR": "1"})
    assert "\x1b" not in terminal(["count", str(toy)], {"TERM": "dumb"})


def test_an_encoding_without_bars_gets_question_marks(toy: Path, flopledger: Run) -> None:
    done = flopledger("count", toy, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "100.0%  ??????????" in done.stdout


def last_of_stderr(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stderr.splitlines()[-1]


UNNEEDED = (
    "rich", "sympy", "numpy", "torch", "jsonschema",
    "importlib.metadata", "email", "zipfile", "csv", "shutil", "socket", "difflib",
    "flopledger.report.columns", "flopledger.report.rows", "flopledger.analysis.masks",
)  # fmt: skip
"""Modules that a count as JSON does without: each takes time that every start of the command would pay."""


@pytest.mark.parametrize("example", ["saved graph", "lenet.prototxt"])
def test_a_count_as_json_imports_what_it_needs(toy: Path, root: Path, example: str) -> None:
    source = toy if example == "saved graph" else root / "examples" / example
    script = (
        "import sys; from flopledger.cli import run\n"
        f"code = run(['count', {str(source)!r}, '--format', 'json'])\n"
        f"print(code, sorted(set({UNNEEDED!r}) & set(sys.modules)), file=sys.stderr)"
    )
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"}  # its width is for tables
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60, env=env
    )
    assert done.stderr.splitlines()[-1] == "0 []"


def test_plain_tables_import_no_rich_and_help_no_frontend(toy: Path) -> None:
    script = (
        "import sys; from flopledger.cli import run\n"
        f"run({['count', str(toy)]!r}); run(['count', '--help'])\n"
        "print(sorted({'rich', 'sympy'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_arguments_are_python_literals_else_texts() -> None:
    given = ("depth=50", "name=resnet", "sizes=(1, 2)", "flag=True", "empty=", "expr=1+1", "eq=a=b")
    assert literals("--arg", given) == {
        "depth": 50, "name": "resnet", "sizes": (1, 2), "flag": True, "empty": "", "expr": "1+1",
        "eq": "a=b",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("1000", 1000),
        ("2K", 2048),
        ("512M", 536870912),
        ("1.5g", 1610612736),
        ("4GiB", 4294967296),
        ("1TB", 2**40),
    ],
)
def test_sizes(written: str, size: int, toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[SourceOptions] = []
    monkeypatch.setattr(SourceOptions, "readings", lambda options, *_, **__: seen.append(options) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(["count", str(toy), "--memory-limit", written])
    assert seen[0].memory_limit == size


def test_all_source_options_reach_the_reading(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def readings(*given: object) -> None:
        asked.extend(given)
        raise KeyboardInterrupt

    monkeypatch.setattr("flopledger.reading.read.Readings", readings)
    args = [
        "-i", "a=1x2", "-i", "b=3", "--arg", "n=4", "--frontend", "caffe", "--mode", "train",
        "--phase", "TRAIN", "--stage", "s", "--stage", "t", "--level", "0", "--execute", "--timeout", "2.5",
        "--memory-limit", "1K",
    ]  # fmt: skip
    assert run(["read", str(toy), *args]) == 130
    assert asked == [
        str(toy),
        Request(
            source=str(toy),
            inputs=(parse_spec("a=1x2"), parse_spec("b=3")),
            arguments={"n": 4},
            profile={"mode": "train"},
            options={"phase": "train", "stage": ("s", "t"), "level": 0},
            execute=True,
            frontend="caffe",
            timeout=2.5,
            memory_limit=1024,
            weights_suffice=True,
        ),
        None,  # nothing is shared with other sources
    ]


def test_a_network_is_read_once_for_all_conventions_that_one_reading_serves(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    profiles: list[object] = []
    genuine = Readings.read

    def read(readings: Readings, profile: object) -> Graph:
        profiles.append(profile)
        return genuine(readings, {})

    monkeypatch.setattr(Readings, "read", read)
    for name, mode in (("trained", "train"), ("evaluated", "eval")):
        text = f'name = "{name}"\nextend = "mac"\n[profile]\nmode = "{mode}"\n'
        (toy.parent / f"{name}.toml").write_text(text)
    used = ["-c", "mac", "-c", str(toy.parent / "evaluated.toml"), "-c", "2mac"]
    assert run(["count", str(toy), *used]) == 0
    assert profiles == [{"mode": "eval"}]
    assert run(["count", str(toy), "-c", str(toy.parent / "trained.toml"), *used]) == 2
    assert "mode = train" in capfd.readouterr().err


def test_read_refuses_conventions_that_no_reading_serves(toy: Path, flopledger: Run) -> None:
    for mode in ("train", "eval"):
        text = f'name = "{mode}"\nextend = "mac"\n[profile]\nmode = "{mode}"\n'
        (toy.parent / f"{mode}.toml").write_text(text)
    done = flopledger("read", toy, "--for", "./train.toml", "--for", "./eval.toml")
    assert done.returncode == 2
    assert done.stderr == (
        "Error: no reading serves all of these conventions; read once for each of train and eval\n"
    )


def test_a_graph_that_was_read_and_saved_counts_the_same(toy: Path, flopledger: Run) -> None:
    done = flopledger("read", toy)
    assert done.returncode == 0
    (toy.parent / "again.json").write_text(done.stdout)
    again = flopledger("count", "again.json", "--format", "json").stdout
    assert again == flopledger("count", toy, "--format", "json").stdout


def test_conventions_lists_all_with_their_units(flopledger: Run) -> None:
    lines = flopledger("conventions").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(convention_names.known())
    assert ["mac", "MAC", "multiply-accumulates"] in [line.split() for line in lines]


@pytest.mark.parametrize("name", convention_names.known())
def test_each_convention_has_a_page(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["conventions", name]) == 0
    page = capfd.readouterr().out
    assert page.startswith(f"{name}: ")
    assert "\nWhat it counts\n" in page
    assert ("\nWhere it differs from mac\n" in page) == (name != "mac")


def test_a_page_says_where_a_convention_differs_and_what_may_be_switched(flopledger: Run) -> None:
    page = flopledger("conventions", "2mac").stdout
    assert "  unit: FLOP (mac: MAC)\n" in page
    both = "trained + bias_term + others"
    assert f"  everything else: 2 * {both} (mac: {both})\n" in page
    assert "  bias = none | add | mac (default none): " in page
    assert "  macs: multiply-accumulates: the terms of all dot products\n" in page


def test_a_page_has_quirks_and_profile(toy: Path, flopledger: Run) -> None:
    (toy.parent / "mine.toml").write_text(
        'name = "mine"\nextend = "mac"\ntool = "a tool"\nversion = "2"\nsource = "there"\nquirks = ["odd"]\n'
        '[profile]\nmode = "train"\ngrad = false\n[rules.layer]\n"{Conv1d,Conv2d}" = "7"\n'
    )
    page = flopledger("conventions", "./mine.toml").stdout
    for line in (
        "tool      a tool", "version   2", "source    there", "    Conv1d, Conv2d: 7", "  - odd",
        "  layers: Conv1d, Conv2d: 7 (mac: trained + bias_term + others)",
        "  reading: mode = train, grad = false (mac: any)",
        "It needs a reading with mode = train, grad = false.",
    ):  # fmt: skip
        assert f"\n{line}\n" in page


def test_a_page_distinguishes_levels_that_are_counted_differently(toy: Path, flopledger: Run) -> None:
    (toy.parent / "mine.toml").write_text(
        'name = "mine"\nunit = "MAC"\ntotal = "layer + function"\n'
        '[rules.layer]\n"Conv2d" = "7"\n"*" = "1"\n[rules.function]\n"conv2d" = "8"\n'
    )
    page = flopledger("conventions", "./mine.toml").stdout
    assert "  layers: Conv2d: 7 (mac: trained + bias_term + others)\n" in page
    assert "  layers: everything else: 1 (mac: trained + bias_term + others)\n" in page
    assert "  functions: conv2d: 8 (mac: trained + bias_term + others)\n" in page
    assert "  everything else: nothing" not in page
    assert "  params: nothing (mac: numel, summed over parameters where not buffer and not again)\n" in page


def test_frontends_are_listed(flopledger: Run) -> None:
    done = flopledger("frontends")
    assert done.returncode == 0
    assert re.search(r"^caffe: .*\[flopledger\]$", done.stdout, re.MULTILINE)


def test_the_shell_can_ask_for_completion(flopledger: Run) -> None:
    done = flopledger(env={"_FLOPLEDGER_COMPLETE": "bash_source"})
    assert "complete -o nosort -F _flopledger_completion flopledger" in done.stdout
    words = {"_FLOPLEDGER_COMPLETE": "bash_complete", "COMP_WORDS": "flopledger con", "COMP_CWORD": "1"}
    assert flopledger(env=words).stdout == "plain,conventions\n"


def test_a_device_bounds_the_time_of_each_row_in_every_format(tmp_path: Path, flopledger: Run) -> None:
    (tmp_path / "toy.toml").write_text('title = "Toy"\nbandwidth = 1e3\n[flops]\nfloat32 = 1e6\n')
    (tmp_path / "fc.prototxt").write_text(
        'layer { name: "d" type: "Input" top: "d" input_param { shape { dim: 2 dim: 3 } } }\n'
        'layer { name: "fc" type: "InnerProduct" bottom: "d" top: "fc" '
        "inner_product_param { num_output: 4 } }"
    )
    asked = ("count", "fc.prototxt", "--device", "./toy.toml")
    table = flopledger(*asked).stdout
    # 24 MACs are 48 FLOP; 24 B of data, 64 of weights and 32 of results take 120 / 1000 of a second
    assert re.search(r"fc +linear +2x4 +16 +24 +100.0% +0.4 +memory +120 ms", table)
    assert "at least 120 ms on Toy, call by call (120 ms bound by memory; 120 B moved)" in table
    total = json.loads(flopledger(*asked, "--format", "json").stdout)["ledgers"][0]["total"]
    assert total["roofline"] == {
        "flop": 48, "bytes": 120, "intensity": 0.4, "bound": "memory", "seconds_at_least": 0.12,
    }  # fmt: skip
    assert flopledger(*asked, "--format", "csv").stdout.splitlines()[-1].endswith("24,48,120,memory,0.12")
    assert "120 ms" in flopledger(*asked, "--format", "latex").stdout


def test_columns_of_a_device_need_one(toy: Path, flopledger: Run) -> None:
    done = flopledger("count", toy, "--columns", "time")
    assert done.returncode == 2
    assert "need a device: --device NAME" in done.stderr
