"""``flopledger scan``: LeNet has 2,293,000 macs and 431,080 parameters, AlexNet 724,406,816 macs."""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from documents import validated
from flopledger.cli import run
from scans import ALEXNET, LENET, kept, table

BAD = {
    "crash": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
    "leaves": "import os\nos._exit(3)\n",
    "raises": "raise ValueError('no such thing')\n",
    "hangs": "import time\ntime.sleep(1000)\n",
    "grows": "held = bytearray(2**36)\n",
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_folder_is_counted_under_each_convention(capfd: pytest.CaptureFixture[str]) -> None:
    Path("nets").mkdir()
    Path("nets/a.prototxt").write_text(LENET.read_text())
    Path("nets/deep").mkdir()
    Path("nets/deep/b.prototxt").write_text(ALEXNET.read_text())
    Path("nets/notes.txt").write_text("no network")

    assert run(["scan", "nets", "-o", "zoo.db", "-c", "2mac", "--format", "json"]) == 0
    summary = validated("scan", capfd.readouterr().out)
    a, b = table(capfd, "zoo.db")

    assert (summary["networks"], summary["counted"], summary["statuses"]) == (2, 2, {"ok": 2})
    assert (a["name"], a["macs"], a["flops"], a["params"], a["input_size"]) == (
        "a.prototxt", 2_293_000, 4_586_000, 431_080, 28,
    )  # fmt: skip
    assert (b["name"], b["figures"]) == ("deep/b.prototxt", {"2mac": 1_448_813_632})


def test_a_scan_counts_only_what_is_missing(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", str(LENET), "-o", "zoo.db"]) == 0
    before = kept("zoo.db")
    assert run(["scan", str(LENET), str(ALEXNET), "-o", "zoo.db"]) == 0
    assert "1 of 2 networks counted, 1 were there" in capfd.readouterr().out
    assert [one for one in kept("zoo.db") if one["source"] == str(LENET)] == before

    assert run(["scan", str(LENET), "-o", "zoo.db", "-c", "2mac", "-c", "mac"]) == 0
    assert "1 of 1 networks counted" in capfd.readouterr().out
    assert table(capfd, "zoo.db", "--where", "name like '%lenet%'")[0]["figures"] == {
        "mac": 2_293_000, "2mac": 4_586_000,
    }  # fmt: skip


def test_a_network_at_another_step_is_another_row(capfd: pytest.CaptureFixture[str]) -> None:
    for options in ([], ["--step", "train"], ["--step", "train", "--freeze", "ip2"], ["--step", "forward"]):
        assert run(["scan", str(LENET), "-o", "zoo.db", "-c", "mac", *options]) == 0
    out = capfd.readouterr().out
    assert out.count("1 of 1 networks counted") == 3  # a forward pass is the first of them
    rows = {(row["options"].get("freeze", row["options"].get("step"))): row for row in table(capfd, "zoo.db")}

    # the backward takes each product twice, but no gradient of the picture, for conv1 (20 x 25 x 24^2);
    # a frozen ip2 (10 x 500) is spared the gradient of its weights
    assert {name: row["figures"]["mac"] for name, row in rows.items()} == {
        None: 2_293_000, "train": 3 * 2_293_000 - 288_000, "ip2": 3 * 2_293_000 - 288_000 - 5_000,
    }  # fmt: skip
    assert {row["macs"] for row in rows.values()} == {2_293_000}


def test_a_file_that_has_changed_is_another_network(capfd: pytest.CaptureFixture[str]) -> None:
    net = Path("net.prototxt")
    for text in (LENET.read_text(), ALEXNET.read_text()):
        net.write_text(text)
        assert run(["scan", "net.prototxt", "-o", "zoo.db"]) == 0

    assert [row["macs"] for row in table(capfd, "zoo.db", "--sort", "macs")] == [724_406_816, 2_293_000]


def test_what_a_member_does_ends_that_member_alone(capfd: pytest.CaptureFixture[str]) -> None:
    sources = [*BAD, "missing"]
    for name, code in BAD.items():
        Path(f"{name}.py").write_text(code)
    lines = [{"source": f"{name}.py:Net", "name": name} for name in sources]
    lines.append({"source": str(LENET), "name": "lenet", "inputs": ["2x1x28x28"]})
    Path("list.jsonl").write_text("\n".join(map(json.dumps, lines)))

    code = run(["scan", "list.jsonl", "-o", "zoo.db", "--timeout", "8", "--memory-limit", "4G", "--strict"])
    rows = {row["name"]: row for row in table(capfd, "zoo.db")}

    assert code == 1
    assert {name: row["status"] for name, row in rows.items()} == {
        "crash": "failed", "leaves": "failed", "raises": "failed", "hangs": "timeout", "grows": "memory",
        "missing": "failed", "lenet": "ok",
    }  # fmt: skip
    assert "SIGSEGV" in str(rows["crash"]["reason"])
    assert "raises.py, line 1" in str(rows["raises"]["reason"])
    assert "8 seconds" in str(rows["hangs"]["reason"])
    assert rows["lenet"]["macs"] == 2 * 2_293_000


def test_what_failed_is_tried_again_when_asked(capfd: pytest.CaptureFixture[str]) -> None:
    Path("net.prototxt").write_text("layer {")
    assert run(["scan", "net.prototxt", "-o", "zoo.db"]) == 0
    assert run(["scan", "net.prototxt", "-o", "zoo.db"]) == 0
    assert "0 of 1 networks counted, 1 were there" in capfd.readouterr().out
    assert run(["scan", "net.prototxt", "-o", "zoo.db", "--retry", "failed"]) == 0
    assert "1 of 1 networks counted" in capfd.readouterr().out


def test_a_call_without_a_formula_is_a_status_and_an_exit_code(
    capfd: pytest.CaptureFixture[str],
) -> None:
    layer = 'layer { name: "p" type: "Mystery" bottom: "data" top: "p" }'
    Path("net.prototxt").write_text(f'input: "data"\ninput_shape {{ dim: 1 dim: 3 dim: 8 dim: 8 }}\n{layer}')

    assert run(["scan", "net.prototxt", "-o", "zoo.db", "--strict"]) == 4
    (row,) = table(capfd, "zoo.db")

    assert (row["status"], row["unknown_calls"]) == ("unknown", 1)
    assert "Mystery" in str(row["reason"])


def test_a_scan_that_is_killed_goes_on_where_it_stopped() -> None:
    Path("nets").mkdir()
    for i in range(1, 17):
        Path(f"nets/{i:02}.prototxt").write_text(
            LENET.read_text().replace("num_output: 500", f"num_output: {i}")
        )
    args = [sys.executable, "-m", "flopledger", "scan", "nets", "-c", "2mac", "--jobs", "2", "-o"]
    subprocess.run([*args, "whole.db"], check=True, stdout=subprocess.DEVNULL)

    for pause in (0.0, 0.4, 0.8):
        with subprocess.Popen([*args, "killed.db"], stdout=subprocess.DEVNULL) as scan:
            while not Path("killed.db").exists():
                time.sleep(0.01)
            time.sleep(pause)
            scan.send_signal(signal.SIGKILL)
    first, second = (subprocess.Popen([*args, "killed.db"], stdout=subprocess.DEVNULL) for _ in range(2))
    assert (first.wait(), second.wait()) == (0, 0)  # two scans into one file

    assert len(kept("killed.db")) == 16
    assert kept("killed.db") == kept("whole.db")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("list.toml", "[[network]]\nsorce = 'x'\n", "did you mean 'source'"),
        ("list.toml", "[[network]]\nname = 'x'\n", "network 1: it has no source"),
        ("list.jsonl", '{"source": "a.prototxt"}\n{"source": 3}\n', "line 2: it has no source"),
        ("list.jsonl", '{"source": "a.prototxt", "inputs": [3]}\n', "inputs are a list of texts"),
        ("list.toml", "[[network]]\nsource = 'x'\nseq = 1.5\n", "network 1: seq is 1.5, expected a number"),
        ("list.toml", "[[network]]\nsource = 'x'\nstep = 'back'\n", "expected forward or train"),
        ("list.toml", "[[network]]\nsource = 'x'\nsize = { n = 2 }\n", "is no symbol"),
        ("list.toml", "[[network]]\nsource = 'x'\ndevice = 'h10'\n", "no device is called 'h10'"),
        ("list.toml", "", "it lists no network"),
        ("list.toml", "network = 3", "it lists no network"),
        ("list.toml", "[[network", "it can't be read as a list"),
    ],
)
def test_a_malformed_list_is_named(
    name: str, text: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path(name).write_text(text)

    assert run(["scan", name, "-o", "zoo.db"]) == 2
    assert message in capfd.readouterr().err
    assert not Path("zoo.db").exists()


@pytest.mark.parametrize("what", ["nowhere", "tim", "no/*.prototxt", "N" * 300])
def test_what_is_not_there_is_named_and_no_database_is_made(
    what: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", what, "-o", "zoo.db"]) == 3
    assert capfd.readouterr().err.startswith("Error: ")
    assert not Path("zoo.db").exists()


def test_a_name_that_no_text_can_hold_is_kept_as_its_escape(capfd: pytest.CaptureFixture[str]) -> None:
    Path("a\udcff.prototxt").write_text(LENET.read_text())  # a byte that is no UTF-8
    graph = Path("graph.json")
    assert run(["read", str(LENET), "-o", str(graph)]) == 0
    written = json.loads(graph.read_text())
    written["reading"]["framework_version"] = "v\ud800"  # half a character
    graph.write_text(json.dumps(written))
    capfd.readouterr()
    assert run(["scan", ".", "-o", "all.db"]) == 0
    rows = kept("all.db")
    assert [(row["name"], row["macs"]) for row in rows] == [
        ("a\\udcff.prototxt", 2_293_000),
        ("graph.json", 2_293_000),
    ]
    assert rows[1]["framework_version"] == "v\\ud800"


def test_a_list_may_name_what_no_file_can_be_called(capfd: pytest.CaptureFixture[str]) -> None:
    Path("list.jsonl").write_text(json.dumps({"name": "long", "source": "N" * 300}))
    assert run(["scan", "list.jsonl", "-o", "zoo.db"]) == 0
    assert [row["status"] for row in table(capfd, "zoo.db")] == ["failed"]


def test_a_glob_follows_no_links_to_folders_and_finds_nothing_hidden(
    capfd: pytest.CaptureFixture[str],
) -> None:
    Path("nets/deep").mkdir(parents=True)
    Path("nets/.hidden").mkdir()
    for name in ("deep/a", "b", ".hidden/c", ".d"):
        Path(f"nets/{name}.prototxt").write_text(LENET.read_text())
    for link in ("one", "two"):  # 2**40 folders for whom follows them
        Path(f"nets/{link}").symlink_to(".")
    for pattern in ("nets/**/*.prototxt", "nets/**", f"{Path.cwd()}/nets/**/*.prototxt"):
        Path("zoo.db").unlink(missing_ok=True)
        assert run(["scan", pattern, "-o", "zoo.db"]) == 0
        names = [str(row["name"]).rpartition("nets/")[2] for row in table(capfd, "zoo.db")]
        assert names == ["b.prototxt", "deep/a.prototxt"]


@pytest.mark.parametrize("room", [0, 4096, 20_000, 40_000, 100_000])
def test_a_disk_that_is_full_leaves_nothing_behind(room: int) -> None:
    """No file may grow beyond a size, as where a disk has no room for more."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    line = [sys.executable, "-m", "flopledger", "scan", str(LENET), "-o", "zoo.db"]
    done = subprocess.run(line, preexec_fn=limit, capture_output=True, text=True, check=False)
    if done.returncode == 0:  # there was room for this one
        assert len(kept("zoo.db")) == 1
        return
    assert done.returncode == 5
    assert re.search(r"^Error: zoo\.db: (it can't be written|the database can't be made): ", done.stderr)
    assert not any(Path().iterdir())


def test_a_disk_that_gets_full_keeps_what_was_counted() -> None:
    assert run(["scan", str(LENET), "-o", "zoo.db"]) == 0
    before, size = kept("zoo.db"), Path("zoo.db").stat().st_size

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1, size - 1))

    line = [sys.executable, "-m", "flopledger", "scan", str(ALEXNET), "-o", "zoo.db"]
    done = subprocess.run(line, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (5, "")
    assert "Error: zoo.db: it can't be written: " in done.stderr
    assert kept("zoo.db") == before
