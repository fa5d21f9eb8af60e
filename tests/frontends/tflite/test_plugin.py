"""The plugin: the sources that it claims, and that it is light."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError, UsageError
from flopledger.frontend.request import Request
from flopledger.testing import check_frontend
from flopledger_tflite import plugin
from tflite_files import Tensor, one

if TYPE_CHECKING:
    from pathlib import Path

RELU = 19


def relu() -> bytes:
    return one(RELU, [Tensor("x", (1, 3))], [(1, 3)])


@pytest.mark.parametrize(
    ("name", "content", "claimed"),
    [
        ("a.tflite", b"", True),
        ("A.TFLITE", b"", True),
        ("a.bin", b"\x1c\0\0\0TFL3", True),
        ("a.tflite.txt", b"", False),
        ("tflite", b"TFL3", False),
    ],
)
def test_files_are_claimed_by_name_or_by_their_mark(
    tmp_path: Path,
    name: str,
    content: bytes,
    claimed: bool,  # noqa: FBT001
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert plugin.recognises_file(path) is claimed


def test_no_object_is_claimed() -> None:
    assert plugin.recognises_object(object()) is False
    with pytest.raises(SourceError, match="a TFLite model is a file, found int"):
        plugin.read(3, Request("3"))


def test_values_and_training_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(relu())
    with pytest.raises(UsageError, match="takes shapes of inputs"):
        plugin.read(path, Request("a", values=(1,)))
    with pytest.raises(UsageError, match="is read as it infers"):
        plugin.read(path, Request("a", profile={"mode": "train"}))


def test_a_file_keeps_the_contract_of_every_frontend(examples: Path) -> None:
    check_frontend("tflite", str(examples / "tiny.tflite"))


def test_reading_loads_no_framework_no_symbols_and_no_flatbuffers(tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(relu())
    code = (
        "import sys, pathlib; from flopledger_tflite import plugin; plugin.frontend(); "
        "assert 'flopledger_tflite.read' not in sys.modules; "
        "from flopledger.frontend.request import Request; "
        "plugin.read(pathlib.Path(sys.argv[1]), Request('a')); "
        "print(sorted({'numpy', 'sympy', 'flatbuffers', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_file_that_is_empty_missing_or_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    with pytest.raises(SourceError, match="it can't be read"):
        plugin.read(path, Request("a"))
    path.touch()
    with pytest.raises(SourceError, match="it is empty, expected a TFLite model"):
        plugin.read(path, Request("a"))
    path.write_bytes(b"<html>no model</html>")
    with pytest.raises(SourceError, match="its bytes 5 to 8 are not TFL3"):
        plugin.read(path, Request("a"))
    path.write_bytes(b"\x08\0\0\0TFL3")
    with pytest.raises(SourceError, match="at byte 8: the file ends at byte 8"):
        plugin.read(path, Request("a"))
