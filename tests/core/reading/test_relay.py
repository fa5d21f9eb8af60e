from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from flopledger.reading.relay import relayed

if TYPE_CHECKING:
    import pytest


def test_a_copy_of_the_pipe_that_stays_open_keeps_nobody_waiting(capfd: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    with relayed() as descriptor:
        copy = os.dup(descriptor)
        os.write(descriptor, b"first")
        os.write(copy, b" second")
    assert time.monotonic() - started < 30
    assert capfd.readouterr().err == "first second"
    os.close(copy)


def test_everything_that_was_printed_arrives(capfd: pytest.CaptureFixture[str]) -> None:
    with relayed() as descriptor:
        for _ in range(200):
            os.write(descriptor, b"0123456789" * 1000)
    assert len(capfd.readouterr().err) == 2_000_000


def test_a_character_that_arrives_in_two_pieces_is_whole(capfd: pytest.CaptureFixture[str]) -> None:
    with relayed() as descriptor:
        os.write(descriptor, "é".encode()[:1])
        time.sleep(0.1)
        os.write(descriptor, "é".encode()[1:] + b"\x1b]0;t\x07\xff\x1b[31mred\x1b[0m\ra\r\n")
    assert capfd.readouterr().err == "é\\x1b]0;t\\x07\\xffred\na\n"


def test_no_descriptor_is_left_open() -> None:
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208  (names alone)
    with relayed():
        pass
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
