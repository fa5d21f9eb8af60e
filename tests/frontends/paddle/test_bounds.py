"""Untrusted saved programs: bounded before Paddle reads them, and nothing beside them is opened."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError
from flopledger.frontend.request import Request
from flopledger_paddle import bounds, internals
from flopledger_paddle.files import read_program
from flopledger_paddle.framework import paddle

if TYPE_CHECKING:
    from pathlib import Path


def test_the_parameters_beside_a_program_are_not_opened(tmp_path: Path) -> None:
    spec = paddle.static.InputSpec([2, 3], "float32", "x")
    paddle.jit.save(paddle.nn.Linear(3, 4), str(tmp_path / "net"), input_spec=[spec])
    path = tmp_path / "net.json"
    before = read_program(path, Request("net.json"))
    for beside in tmp_path.iterdir():
        if beside != path:
            beside.unlink()
            os.mkfifo(beside)  # whoever opens it waits for ever
    assert read_program(path, Request("net.json")).digest == before.digest
    assert before.count("mac").total.params == 3 * 4 + 4


def test_paddle_reads_what_was_checked_though_another_file_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = paddle.static.InputSpec([2, 3], "float32", "x")
    paddle.jit.save(paddle.nn.Linear(3, 4), str(tmp_path / "net"), input_spec=[spec])
    path = tmp_path / "net.json"
    checked = bounds.json_text

    def then_replaced(which: Path) -> str:
        text = checked(which)
        which.unlink()
        os.mkfifo(which)
        return text

    monkeypatch.setattr(internals, "json_text", then_replaced)
    assert read_program(path, Request("net.json")).count("mac").total.params == 3 * 4 + 4


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(SourceError) as error:
        read_program(path, Request(path.name))
    return str(error.value)


def test_a_json_that_grows_is_refused_before_it_does(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    assert "values" in refused(path, b'{"base_code":1,"program":[' + b"{}," * (1 << 22) + b"0]}")
    assert "nested" in refused(path, b'{"program":' + b"[" * 900 + b"]" * 900 + b"}")
    assert "JSON" in refused(path, b'{"base_code":{"magic":"pir"},"program":')


def field(number: int, content: bytes) -> bytes:
    size, written = len(content), b""
    while size >= 0x80:
        written += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + written + bytes([size]) + content


def test_messages_that_grow_are_refused_before_they_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MOST_VALUES", 1000)
    path = tmp_path / "net.pdmodel"
    ops = field(1, b"\x08\x00\x10\x00" + field(4, b"") * 2000)
    assert "more than 1000 messages" in refused(path, ops)
    assert "more than 1000 messages" in refused(path, field(1, field(4, field(4, b"") * 2000)))
    assert "more than 1000 messages" in refused(path, field(1, b"") * 2000)
    reader = field(1, field(3, field(1, b"name") + field(2, field(5, field(1, b"") * 2000))))
    assert "more than 1000 messages" in refused(path, reader)
    assert "more than 1000 messages" in refused(path, field(5, field(1, b"") * 2000))


@pytest.mark.parametrize("name", [b"conv2d_0.w_0", b"\xff" * 20, b"x", b""])
def test_a_name_is_no_message(tmp_path: Path, name: bytes) -> None:
    variable = field(1, name) + field(2, b"\x08\x07")
    op = field(1, field(1, name) + field(2, name)) + field(3, name) + field(4, field(1, name))
    content = field(1, b"\x08\x00\x10\x00" + field(3, variable) + field(4, op))
    path = tmp_path / "net.pdmodel"
    path.write_bytes(content)
    assert bounds.message(path) == content


@pytest.mark.parametrize(
    "content",
    [b"\x0a\x7f", b"\x0a" + b"\xff" * 20, b"\x0f", b"\x0b\x0c", field(1, b"\x22\x7f"), field(1, b"\xff")],
)
def test_messages_that_don_t_fit_are_refused(tmp_path: Path, content: bytes) -> None:
    assert "don't fit into each other" in refused(tmp_path / "net.pdmodel", content)


def test_too_many_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_BYTES", 100)
    assert "larger than 100 bytes" in refused(tmp_path / "net.pdmodel", b"\x0a" * 200)
