"""Databases that ``flopledger scan`` makes of examples: LeNet has 2,293,000 macs and AlexNet 724,406,816."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from documents import validated
from flopledger.cli import run

if TYPE_CHECKING:
    import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

LENET, ALEXNET = EXAMPLES / "lenet.prototxt", EXAMPLES / "alexnet.prototxt"

TIMES = ("seconds", "peak_bytes", "counted_at", "id")


def kept(path: str | Path) -> list[dict[str, object]]:
    """Return the contents of a database, without times."""
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
