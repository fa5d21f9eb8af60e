"""``flopledger check``: ResNet-18 has 1,814,073,344 macs and 11,689,512 parameters; the toy 3888 macs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import flopledger as fl
import pytest
from documents import plain, validated
from flopledger.cli import run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

Run: TypeAlias = "Callable[..., subprocess.CompletedProcess[str]]"

EXAMPLES = Path(__file__).parents[3] / "examples"
RESNET = str(EXAMPLES / "resnet18.prototxt")
LENET = str(EXAMPLES / "lenet.prototxt")

OVER = """\
toy.prototxt: over its limits

         figure           found  limit
over     macs    at least 3,888  3,800
unknown  count   at least 3,888  4,000

source: toy.prototxt (caffe 1.0); inputs: data=1x3x8x8:float32; read in evaluation mode; convention: \
mac (X); graph: X; flopledger V
"""


def test_a_network_within_its_budget_passes(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", RESNET, "--max-macs", "1.9G", "--max-params", "11_689_512"]) == 0
    assert capfd.readouterr().out.startswith(f"{RESNET}: within its limits\n")


def test_one_over_its_budget_does_not(toy: Path, flopledger: Run) -> None:
    done = flopledger("check", toy, "--max-macs", "3.8K", "--max", "count=4000")

    assert (done.returncode, plain(done.stdout)) == (1, OVER)
    assert done.stderr == "Warning: toy.prototxt, mac: 1 call without a formula, not in the total: Python\n"


def test_a_convention_in_place_of_a_figure_is_answered_with_the_options_that_limit_its_count(
    flopledger: Run,
) -> None:
    done = flopledger("check", LENET, "--max", "2mac=4,586,000")
    hint = done.stderr.rpartition("limit its count with ")[2].strip()

    assert (done.returncode, hint) == (2, "-c 2mac --max count=...")
    assert flopledger("check", LENET, *hint.replace("...", "4,586,000").split()).returncode == 0
    assert flopledger("check", LENET, *hint.replace("...", "4,585,999").split()).returncode == 1


@pytest.mark.parametrize(
    ("limit", "code"),
    [("2293000", 0), ("2292999", 1), ("2.293m", 0), ("2,293,000", 0), ("23e5", 0), ("0.0023G", 0)],
)
def test_a_limit_is_exact_and_may_be_reached(limit: str, code: int, tmp_path: Path) -> None:
    assert run(["check", LENET, "--max-macs", limit, "-o", str(tmp_path / "out")]) == code


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("--max-macs", "3888"), 4),
        (("--max", "count=1T"), 4),
        (("--max-flops", "1T"), 4),
        (("--max-macs", "3887"), 1),
        (("--max-macs", "3887", "--max-flops", "1T"), 1),
        (("--max-params", "1G"), 0),
        (("--max-params", "1G", "--strict"), 4),
        (("--max-macs", "1", "--strict"), 1),
    ],
)
def test_a_limit_on_a_lower_bound_is_not_known_to_be_kept(
    args: tuple[str, ...], code: int, toy: Path
) -> None:
    """The toy has at least 3888 MACs, since a call of it is unknown; its parameters are all known."""
    assert run(["check", str(toy), *args, "-o", str(toy.parent / "out")]) == code


def test_every_format_says_that_a_figure_is_a_lower_bound(toy: Path, flopledger: Run) -> None:
    asked = ("check", toy, "--max-macs", "1G", "--max-params", "1G", "--format")
    printed = {form: flopledger(*asked, form) for form in ("table", "json", "github", "junit")}
    (check,) = validated("check", printed["json"].stdout)["checks"]
    sentence = (
        "macs is at least 3,888, the limit is 1,000,000,000: not known to be kept, 1 call without a formula"
    )

    assert {done.returncode for done in printed.values()} == {4}
    assert "toy.prototxt: not known to be within its limits, 1 call without a formula\n" in (
        printed["table"].stdout
    )
    assert (check["passed"], check["complete"], check["unknown_calls"]) == (False, False, 1)
    assert [(one["passed"], one["complete"]) for one in check["findings"]] == [(False, False), (True, True)]
    assert f"::toy.prototxt: {sentence} (convention mac)\n::notice" in printed["github"].stdout
    assert printed["github"].stdout.startswith("::error file=toy.prototxt,")
    assert f'<error message="{sentence} (convention mac)" />' in printed["junit"].stdout
    assert 'failures="0" errors="1"' in printed["junit"].stdout


def test_an_earlier_count_that_left_out_other_calls_is_no_limit_for_a_lower_bound(
    toy: Path, flopledger: Run
) -> None:
    """With the same unknown calls two lower bounds compare like with like; without them they don't."""
    path = earlier(toy, flopledger, 3888)
    assert flopledger("check", toy, "--against", path).returncode == 0

    document = json.loads(path.read_text())
    document["ledgers"][0]["coverage"]["unknown"] = []
    path.write_text(json.dumps(document))
    assert flopledger("check", toy, "--against", path).returncode == 4


def test_a_source_that_can_not_be_read_keeps_no_other_from_being_checked(flopledger: Run) -> None:
    asked = ("check", "none.onnx", LENET, "empty.prototxt", "--max-macs", "1M", "--format")
    printed = {form: flopledger(*asked, form) for form in ("table", "json", "github", "junit")}
    document = validated("check", printed["json"].stdout)

    assert {done.returncode for done in printed.values()} == {3}
    assert "over  macs    2,293,000  1,000,000" in printed["table"].stdout
    assert [line[:17] for line in printed["table"].stderr.splitlines()] == [
        "Error: 'none.onnx",
        "Error: 'empty.pro",
    ]
    assert (document["passed"], len(document["checks"])) == (False, 1)
    assert [one["source"] for one in document["errors"]] == ["none.onnx", "empty.prototxt"]
    assert "::error file=none.onnx,title=flopledger%3A not checked::'none.onnx' is no file" in (
        printed["github"].stdout
    )
    assert printed["junit"].stdout.count('tests="1" failures="0" errors="1"') == 2


def earlier(toy: Path, flopledger: Run, count: int) -> Path:
    """Write a ledger in which the toy's convolution counted so much."""
    document = json.loads(flopledger("count", toy, "--format", "json").stdout)
    (ledger,) = document["ledgers"]
    ledger["total"]["count"] = ledger["rows"][0]["count"] = count
    path = toy.parent / "earlier.json"
    path.write_text(json.dumps(document))
    return path


def test_layers_that_grew_are_named(toy: Path, flopledger: Run) -> None:
    """3888 is 188, or 5.1 %, more than 3700; 1 % more would be 3737."""
    done = flopledger("check", toy, "--against", earlier(toy, flopledger, 3700), "--tolerance", "1%")

    assert done.returncode == 1
    assert "over  count   at least 3,888  3,737   3,700  +188 (5.1%)" in done.stdout
    assert "conv   count    3,700  3,888  +188 (5.1%)" in done.stdout


def test_a_tolerance_lets_a_little_pass(toy: Path, flopledger: Run) -> None:
    before = earlier(toy, flopledger, 3700)

    assert flopledger("check", toy, "--against", before, "--tolerance", "0.06").returncode == 0
    assert flopledger("check", toy, "--against", before, "--tolerance", "5%").returncode == 1


def test_what_shrank_passes(toy: Path, flopledger: Run) -> None:
    assert flopledger("check", toy, "--against", earlier(toy, flopledger, 5000)).returncode == 0


def test_a_saved_graph_is_counted_as_the_network_is(flopledger: Run, tmp_path: Path) -> None:
    flopledger("read", LENET, "-o", "before.json")

    assert flopledger("check", LENET, "--against", "before.json").returncode == 0
    done = flopledger("check", LENET, "-i", "2x1x28x28", "--against", "before.json", "--format", "json")
    (document,) = validated("check", done.stdout)["checks"]
    assert (done.returncode, document["passed"]) == (1, False)
    assert [(f["figure"], f["passed"], f["found"], f["before"]) for f in document["findings"]] == [
        ("count", False, 4_586_000, 2_293_000),
        ("macs", False, 4_586_000, 2_293_000),
        ("params", True, 431_080, 431_080),
    ]
    assert document["grown"][0] == {
        "path": "conv2",
        "figure": "count",
        "before": 1_600_000,
        "after": 3_200_000,
    }
    assert (tmp_path / "before.json").is_file()


def test_a_document_of_one_ledger_is_an_earlier_count_too(tmp_path: Path, flopledger: Run) -> None:
    (tmp_path / "one.json").write_text(fl.count(LENET).to_json())

    assert flopledger("check", LENET, "--against", "one.json").returncode == 0
    assert flopledger("check", LENET, "-i", "2x1x28x28", "--against", "one.json").returncode == 1


def test_several_networks_are_checked_against_the_ledgers_of_theirs(flopledger: Run) -> None:
    """LeNet has 2,293,000 MACs: the file has ResNet's under another convention too, which is not asked."""
    flopledger("count", LENET, RESNET, "-c", "mac", "-c", "2mac", "--format", "json", "-o", "all.json")
    done = flopledger(
        "check", RESNET, LENET, "--against", "all.json", "--max-flops", "1.9G", "--format", "json"
    )
    document = validated("check", done.stdout)

    assert done.returncode == 1
    assert document["schema"] == "flopledger.checks/1"
    assert [check["passed"] for check in document["checks"]] == [False, True]
    assert document["checks"][0]["findings"][0] == {
        "figure": "flops", "passed": False, "complete": True, "found": 3_628_146_688, "limit": 1_900_000_000,
        "before": None,
    }  # fmt: skip
    assert [f["before"] for f in document["checks"][1]["findings"]] == [None, 2_293_000, 2_293_000, 431_080]


def test_a_file_of_other_networks_is_not_an_earlier_count(toy: Path, flopledger: Run) -> None:
    flopledger("count", LENET, RESNET, "--format", "json", "-o", "all.json")
    done = flopledger("check", toy, "--against", "all.json")

    assert done.returncode == 2
    assert f"all.json has no ledgers of toy.prototxt under mac; it has {LENET} under mac" in done.stderr


def test_markdown(toy: Path, flopledger: Run) -> None:
    shown = flopledger("check", toy, "--max-macs", "1", "--format", "markdown").stdout

    assert "| over | macs | at least 3,888 | 1 |" in shown


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "nothing to check: give --max-macs"),
        (("--max-macs", "much"), "'much' is not a limit"),
        (("--max", "size=3"), "no figure 'size'"),
        (("--max", "mcs=3"), "did you mean 'macs'?"),
        (("--max", "macs"), "expected KEY=VALUE"),
        (("--max-macs", "3", "--max", "macs=4"), "--max-macs and --max macs are both given"),
        (("--max-macs", "3", "--tolerance", "1%"), "--tolerance is for --against"),
        (("--against", "x.json", "--tolerance", "200%"), "'200%' is not a tolerance"),
    ],
)
def test_what_can_not_be_checked(
    args: tuple[str, ...], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", LENET, *args]) == 2
    assert message in capfd.readouterr().err


def test_an_earlier_ledger_must_be_one_of_the_same_convention(toy: Path, flopledger: Run) -> None:
    before = earlier(toy, flopledger, 3888)
    done = flopledger("check", toy, "-c", "2mac", "--against", before)

    assert (done.returncode, "was counted under mac, this one under 2mac" in done.stderr) == (2, True)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "flopledger.ledger/1"}', '{"schema": "x"}'])
def test_an_earlier_ledger_must_be_readable(text: str, flopledger: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(text)
    done = flopledger("check", LENET, "--against", "bad.json")

    assert (done.returncode, done.stdout) == (3, "")
    assert "bad.json" in done.stderr


def test_symbols_have_no_limit(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", LENET, "-i", "Nx1x28x28", "--max-macs", "1G"]) == 2
    assert "give its symbols numbers in the inputs, or with --size N=1" in capfd.readouterr().err


def test_a_limit_of_bytes_is_beside_the_convention_that_counts_them(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(["check", LENET, "--max", "peak=1K"]) == 1
    assert "over  peak (B)  57,600  1,000" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("limits", "code", "keys"),
    [
        (("peak=8GiB",), 0, [("peak", 8 * 2**30)]),
        (("peak=1K", "macs=1T"), 1, [("mac", 10**12), ("peak", 1000)]),
        (("torchinfo-size=1",), 2, []),
    ],
)
def test_what_a_convention_counts_has_a_limit_too(
    limits: tuple[str, ...], code: int, keys: list[tuple[str, int]], flopledger: Run
) -> None:
    asked = [word for limit in limits for word in ("--max", limit)]
    done = flopledger("check", LENET, *asked, "--format", "json")
    assert done.returncode == code
    if keys:
        checks = json.loads(done.stdout)["checks"]
        found = [(one["convention"]["name"], one["findings"][0]["limit"]) for one in checks]
        assert found == keys
    else:
        assert "is for networks of torch" in done.stderr
