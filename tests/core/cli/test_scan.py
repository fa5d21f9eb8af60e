"""``flopledger scan`` and ``zoo``: LeNet has 2,293,000 macs and 431,080 parameters, AlexNet 724,406,816."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from documents import validated
from flopledger.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = Path(__file__).parents[3] / "examples"
LENET, ALEXNET = EXAMPLES / "lenet.prototxt", EXAMPLES / "alexnet.prototxt"
TIMES = ("seconds", "peak_bytes", "counted_at", "id")
ENDLESS = (
    "DROP TABLE figures; CREATE VIEW figures AS "
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS network FROM n"
)
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


def kept(path: str | Path) -> list[dict[str, object]]:
    """Return what a database holds, but for times."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    networks = [dict(row) for row in connection.execute("SELECT * FROM networks ORDER BY name")]
    for one in networks:
        figures = connection.execute("SELECT * FROM figures WHERE network = ?", (one["id"],))
        one["figures"] = [{**dict(row), "network": ""} for row in figures]
        for name in TIMES:
            del one[name]
    connection.close()
    return networks


def table(capfd: pytest.CaptureFixture[str], *args: str) -> list[dict[str, object]]:
    capfd.readouterr()
    assert run(["zoo", *args, "--format", "json"]) == 0
    rows: list[dict[str, object]] = validated("zoo", capfd.readouterr().out)["rows"]
    return rows


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


def test_options_in_which_rows_differ_are_columns(capfd: pytest.CaptureFixture[str]) -> None:
    lines = [
        {"source": str(LENET), "name": "lenet"},
        {"source": str(LENET), "name": "lenet", "step": "train", "freeze": "conv1"},
        {"source": str(LENET), "name": "lenet", "seq": 8},
    ]
    Path("list.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert run(["scan", "list.jsonl", "-o", "zoo.db", "--mode", "eval", "--keep-graphs"]) == 0
    capfd.readouterr()
    assert run(["zoo", "zoo.db", "--format", "csv"]) == 0
    # conv1 (288,000) is not trained, so that conv2 (50 x 500 x 8^2) makes no gradient of its input either
    assert capfd.readouterr().out == (
        "name,step,seq,freeze,status,input_size,params,macs,mac\n"
        f"lenet,train,,conv1,ok,28,431080,2293000,{3 * 2_293_000 - 2 * 288_000 - 1_600_000}\n"
        "lenet,,8,,failed,,,,\n"
        "lenet,,,,ok,28,431080,2293000,2293000\n"
    )
    assert run(["zoo", "zoo.db", "--where", "step = 'train'"]) == 0
    assert "each read with mode=eval, step=train, freeze=conv1" in capfd.readouterr().out
    failed = next(row for row in table(capfd, "zoo.db") if row["status"] == "failed")
    assert "makes no inputs for language models: leave --seq out" in str(failed["reason"])
    assert run(["explain", "zoo.db", "--name", "lenet", "mac", "2mac"]) == 2
    assert "lenet[mode=eval, step=train, freeze=conv1]" in capfd.readouterr().err
    assert run(["explain", "zoo.db", "--name", "lenet[mode=eval]", "mac", "2mac"]) == 0


def test_the_time_on_a_device_is_bounded_for_each_network(capfd: pytest.CaptureFixture[str]) -> None:
    Path("slow.toml").write_text("bandwidth = 1e29\n[flops]\nfloat32 = 2293000\n")
    assert run(["scan", str(LENET), "-o", "zoo.db", "--device", "./slow.toml"]) == 0
    (row,) = table(capfd, "zoo.db")

    assert (row["seconds_at_least"], row["options"]) == (2, {"device": "./slow.toml"})  # 2 FLOP for each
    Path("slow.toml").write_text("bandwidth = 1e29\n[flops]\nfloat32 = 4586000\n")
    assert run(["scan", str(LENET), "-o", "zoo.db", "--device", "./slow.toml"]) == 0
    assert sorted(row["seconds_at_least"] for row in table(capfd, "zoo.db")) == [1, 2]


def test_a_database_of_the_first_version_is_shown_and_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", str(LENET), "-o", "zoo.db"]) == 0
    connection = sqlite3.connect("zoo.db")
    connection.execute("ALTER TABLE networks DROP COLUMN seconds_at_least")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()

    assert [row["macs"] for row in table(capfd, "zoo.db")] == [2_293_000]
    assert run(["scan", str(LENET), str(ALEXNET), "-o", "zoo.db", "--device", "h100-sxm"]) == 0
    assert run(["scan", str(LENET), "-o", "zoo.db"]) == 0
    assert "0 of 1 networks counted, 1 were there" in capfd.readouterr().out
    assert [row["seconds_at_least"] is None for row in table(capfd, "zoo.db")].count(True) == 1
    with contextlib.closing(sqlite3.connect("zoo.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)


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


def test_rows_are_chosen_and_sorted(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", str(EXAMPLES / "*.prototxt"), "-o", "zoo.db", "-c", "2mac"]) == 0
    capfd.readouterr()

    assert (
        run(["zoo", "zoo.db", "--where", '"2mac" > 1e9', "--sort", "params", "--columns", "params,macs"]) == 0
    )
    assert capfd.readouterr().out.startswith(
        "zoo.db: 2 networks\n\n"
        "    params           macs\n60,965,224    724,406,816\n11,689,512  1,814,073,344\n"
    )


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--where", "macs >", "can't be used"),
        ("--where", "load_extension('x')", "not authorized"),
        ("--sort", "mac", "did you mean 'macs'"),
        ("--columns", "params,size", "no column is called 'size'"),
        ("--against", "none.db", "there is no file"),
    ],
)
def test_what_can_not_be_asked_is_named(
    option: str, value: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", str(LENET), "-o", "zoo.db", "-c", "2mac"]) == 0
    assert run(["zoo", "zoo.db", option, value]) in (2, 3)
    assert message in capfd.readouterr().err


def test_two_databases_show_what_changed_and_why(capfd: pytest.CaptureFixture[str]) -> None:
    net = Path("net.prototxt")
    for name, outputs in (("old.db", "500"), ("new.db", "400")):
        net.write_text(LENET.read_text().replace("num_output: 500", f"num_output: {outputs}"))
        assert run(["scan", "net.prototxt", "-o", name, "--keep-graphs"]) == 0
    capfd.readouterr()

    assert run(["zoo", "new.db", "--against", "old.db", "--format", "json"]) == 0
    rows = {row["what"]: row for row in validated("zoo-changes", capfd.readouterr().out)["rows"]}

    # 100 outputs less: 100 * 800 macs in one layer and 100 * 10 in the next
    assert (rows["macs"]["before"], rows["macs"]["after"]) == (2_293_000, 2_293_000 - 81_000)
    assert any("ip1" in cause for cause in rows["macs"]["causes"])


def test_a_database_of_something_else_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    connection = sqlite3.connect("other.db")
    connection.execute("CREATE TABLE friends (name)")
    connection.close()
    before = Path("other.db").read_bytes()

    for args in (["scan", str(LENET), "-o", "other.db"], ["zoo", "other.db"]):
        assert run(args) == 3
        assert "a database of something else" in capfd.readouterr().err
    assert Path("other.db").read_bytes() == before
    assert run(["zoo", str(LENET)]) == 3
    assert run(["scan", str(LENET), "-o", os.devnull]) == 5


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


def test_a_database_is_shown_from_a_folder_that_stays_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", str(LENET), "-o", "zoo.db", "--keep-graphs"]) == 0
    assert len(table(capfd, "zoo.db")) == 1
    assert run(["explain", "zoo.db", "--name", str(LENET), "mac", "ops"]) == 0
    assert [one.name for one in Path().iterdir()] == ["zoo.db"]


def test_a_kept_graph_is_explained_without_the_source(capfd: pytest.CaptureFixture[str]) -> None:
    Path("net.prototxt").write_text(LENET.read_text())
    assert run(["scan", "net.prototxt", str(ALEXNET), "-o", "zoo.db", "--keep-graphs"]) == 0
    Path("net.prototxt").unlink()
    capfd.readouterr()

    assert run(["explain", "zoo.db", "--name", "net.prototxt", "mac", "2mac", "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out)["gap"] == 2_293_000


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--name", "net.prototxt"], "its graph was not kept; scan with --keep-graphs"),
        (["--name", "met.prototxt"], "did you mean 'net.prototxt'"),
        (["--name", "net.prototxt", "-i", "data=1x1x28x28"], "leave the options of reading out"),
        ([], "flopledger zoo"),
    ],
)
def test_what_can_not_be_explained_is_named(
    args: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("net.prototxt").write_text(LENET.read_text())
    assert run(["scan", "net.prototxt", "-o", "zoo.db"]) == 0

    assert run(["explain", "zoo.db", *args, "mac", "2mac"]) in (2, 3)
    assert message in capfd.readouterr().err


def test_a_table_is_written_for_papers_and_spreadsheets(capfd: pytest.CaptureFixture[str]) -> None:
    Path("=1+2.prototxt").write_text(LENET.read_text())
    assert run(["scan", "=1+2.prototxt", "-o", "zoo.db", "-c", "2mac"]) == 0
    capfd.readouterr()

    columns = ["--columns", "name,macs,2mac"]
    assert run(["zoo", "zoo.db", *columns, "--format", "latex"]) == 0
    assert "    =1+2.prototxt & 2,293,000 & 4,586,000 \\\\\n" in capfd.readouterr().out
    assert run(["zoo", "zoo.db", *columns, "--format", "csv"]) == 0
    assert capfd.readouterr().out == "name,macs,2mac\n'=1+2.prototxt,2293000,4586000\n"
    assert run(["zoo", "zoo.db", *columns, "--format", "markdown"]) == 0
    assert "| =1+2.prototxt | 2,293,000 | 4,586,000 |" in capfd.readouterr().out


@pytest.mark.parametrize(
    "change",
    [
        'UPDATE networks SET published = \'{"macs": "1e999999999"}\'',
        "UPDATE networks SET published = '[1]'",
        "UPDATE networks SET params = x'00'",
        "UPDATE networks SET macs = '" + "9" * 5000 + "'",
        "UPDATE figures SET switches = 'none'",
        "UPDATE figures SET switches = '{\"bias\": [[1]]}'",
        "UPDATE figures SET unit = x'00'",
        "UPDATE figures SET count = 1e300",
        "UPDATE networks SET seconds = 9e999",
        "UPDATE networks SET name = x'ff'",
        "PRAGMA foreign_keys = OFF; UPDATE networks SET id = 77",
        "CREATE TRIGGER each AFTER INSERT ON networks BEGIN DELETE FROM figures; END",
        "ALTER TABLE networks ADD COLUMN more AS (hex(zeroblob(100000000)))",
        "DROP TABLE figures; CREATE VIRTUAL TABLE figures USING fts5(network)",
        ENDLESS,
    ],
)
def test_a_database_of_a_stranger_ends_in_an_error(change: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", str(LENET), "-o", "zoo.db", "-c", "2mac"]) == 0
    connection = sqlite3.connect("zoo.db")
    connection.executescript(change)
    connection.close()

    assert run(["zoo", "zoo.db", "--published"]) == 3
    assert capfd.readouterr().err.startswith("Error: zoo.db: ")


def test_a_database_whose_rows_share_their_bytes_is_not_read_on(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["scan", str(LENET), "-o", "zoo.db"]) == 0
    connection = sqlite3.connect("zoo.db", isolation_level=None)
    columns = [name for (_, name, *_) in connection.execute("PRAGMA table_info(networks)")]
    others = {"id": "NULL", "key": "hex(randomblob(8))", "reason": "hex(zeroblob(500))"}
    values = ", ".join(others.get(name, name) for name in columns)
    for _ in range(30):
        connection.execute(f"INSERT INTO networks SELECT {values} FROM networks WHERE id = 1")  # noqa: S608
    connection.execute("UPDATE networks SET reason = hex(zeroblob(200000)) WHERE id = 1")
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'networks'").fetchone()
    connection.close()
    content = bytearray(Path("zoo.db").read_bytes())
    page = (root - 1) * int.from_bytes(content[16:18])
    cells = int.from_bytes(content[page + 3 : page + 5])
    at = [page + int.from_bytes(content[i : i + 2]) for i in range(page + 12, page + 12 + 2 * cells, 2)]
    assert (content[page], cells > 5) == (5, True)  # a page of the tree that has only pages below it
    for child in (*at, page + 8):
        content[child : child + 4] = content[at[0] : at[0] + 4]  # each of them is the first
    Path("zoo.db").write_bytes(content)

    assert run(["zoo", "zoo.db"]) == 3
    assert "its rows are larger than the file" in capfd.readouterr().err


def test_figures_beyond_every_double_and_names_of_digits_are_shown_as_they_are(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(["scan", str(LENET), "-o", "zoo.db", "-c", "2mac"]) == 0
    Path("old.db").write_bytes(Path("zoo.db").read_bytes())
    connection = sqlite3.connect("zoo.db")
    connection.execute("UPDATE networks SET name = '0100', macs = ?", ("9" * 400,))
    connection.execute("UPDATE figures SET convention = '=1+1'")
    connection.commit()
    connection.close()

    assert (
        run(["zoo", "zoo.db", "--where", "macs > 5", "--columns", "name,macs,=1+1", "--format", "csv"]) == 0
    )
    assert capfd.readouterr().out.splitlines()[-2:] == ["name,macs,'=1+1", f"0100,{'9' * 400},4586000"]
    assert run(["zoo", "zoo.db", "--against", "old.db"]) == 0
    assert run(["zoo", "zoo.db", "--sort", "macs"]) == 0
    assert "0100" in capfd.readouterr().out


@pytest.mark.parametrize(
    "command", [["scan", str(LENET), "-o", "zoo.db"], ["explain", "zoo.db", "--name", "a", "mac", "ops"]]
)
@pytest.mark.parametrize(
    "damage",
    [
        lambda old: old[:4096] + b"\xff" * (len(old) - 4096),
        lambda old: old.replace(b"CREATE TABLE networks", b"CREATE TABLE \xffetworks"),
    ],
)
def test_a_damaged_database_is_named(
    command: list[str], damage: Callable[[bytes], bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["scan", str(LENET), "-o", "zoo.db"]) == 0
    Path("zoo.db").write_bytes(damage(Path("zoo.db").read_bytes()))
    capfd.readouterr()

    assert run(command) == 3
    assert capfd.readouterr().err.startswith("Error: zoo.db: ")


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
