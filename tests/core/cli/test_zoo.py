"""``flopledger zoo``: the table of a database, its changes, and damaged or hostile databases."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from documents import validated
from flopledger.cli import run
from scans import ALEXNET, EXAMPLES, LENET, table

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


ENDLESS = (
    "DROP TABLE figures; CREATE VIEW figures AS "
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS network FROM n"
)


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
def test_a_database_of_somebody_else_ends_in_an_error(change: str, capfd: pytest.CaptureFixture[str]) -> None:
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
