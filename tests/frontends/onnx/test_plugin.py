"""The plugin: the sources that it claims, and that it is light."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError, UsageError
from flopledger.frontend.request import Request
from flopledger_onnx import plugin
from onnx_files import block, graph, node, number, one

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "claimed"),
    [("a.onnx", True), ("A.ONNX", True), ("a.onnx.txt", False), ("a.pb", False), ("onnx", False)],
)
def test_files_are_claimed_by_name(tmp_path: Path, name: str, claimed: bool) -> None:  # noqa: FBT001
    assert plugin.recognises_file(tmp_path / name) is claimed


def headed(*fields: bytes) -> bytes:
    """A model whose graph follows these fields."""
    return b"".join((number(1, 8), *fields, block(7, graph([node("Relu", ["x"], ["y"])]))))


@pytest.mark.parametrize(
    ("content", "claimed"),
    [
        (one("Relu", [1, 3]), True),
        (headed(), True),
        (headed(block(2, "pytorch"), block(3, "2.13"), block(4, "d"), number(5, 1), block(6, "doc")), True),
        (headed(block(8, block(1, "") + number(2, 17))), True),
        (headed(block(2, "pytorch"))[:12], False),
        (block(7, graph([node("Relu", ["x"], ["y"])])), False),
        (number(1, 4) + block(2, block(1, "features")) + block(500, b"net"), False),  # Core ML
        (block(1, block(1, "x") + block(2, "Placeholder")), False),  # a frozen graph of TensorFlow
        (number(1, 8) + block(7, b"\xff\xff"), False),
        (number(1, 8) + block(2, "pytorch") * 100, False),
        (b"\x08" + b"\xff" * 5000, False),
        (b"PK\x03\x04", False),
        (b"", False),
    ],
)
@pytest.mark.parametrize("name", ["model.bin", "model"])
def test_a_model_under_another_name_is_claimed_by_its_beginning(
    tmp_path: Path, content: bytes, name: str, claimed: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    (tmp_path / name).write_bytes(content)
    assert plugin.recognises_file(tmp_path / name) is claimed


def test_no_object_is_claimed() -> None:
    assert plugin.recognises_object(object()) is False
    with pytest.raises(SourceError, match="an ONNX model is a file, found int"):
        plugin.read(3, Request("3"))


def test_values_and_training_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(one("Relu", [1, 3]))
    with pytest.raises(UsageError, match="takes shapes of inputs"):
        plugin.read(path, Request("a", values=(1,)))
    with pytest.raises(UsageError, match="is read as it infers"):
        plugin.read(path, Request("a", profile={"mode": "train"}))


def test_reading_loads_no_framework_no_symbols_and_no_protobuf(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(one("Relu", [1, 3]))
    code = (
        "import sys, pathlib; from flopledger_onnx import plugin; plugin.frontend(); "
        "assert 'flopledger_onnx.read' not in sys.modules; "
        "from flopledger.frontend.request import Request; "
        "plugin.read(pathlib.Path(sys.argv[1]), Request('a')); "
        "print(sorted({'numpy', 'sympy', 'google.protobuf', 'onnx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_file_that_is_empty_missing_or_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    with pytest.raises(SourceError, match="it can't be read"):
        plugin.read(path, Request("a"))
    path.touch()
    with pytest.raises(SourceError, match="it is empty, expected an ONNX model"):
        plugin.read(path, Request("a"))
    path.write_bytes(b"<html>no model</html>")
    with pytest.raises(SourceError, match="it is no ONNX model"):
        plugin.read(path, Request("a"))
    path.write_bytes(b"\x08\x08")
    with pytest.raises(SourceError, match="it holds no graph"):
        plugin.read(path, Request("a"))
