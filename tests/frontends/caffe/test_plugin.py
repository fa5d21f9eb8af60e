"""The plugin: the sources that it claims, and that it is light."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError, UsageError
from flopledger.frontend.request import Request
from flopledger_caffe import plugin

if TYPE_CHECKING:
    from pathlib import Path

NET = "# a net\nname: 'n'\nlayer { name: 'r' type: 'ReLU' bottom: 'x' top: 'y' }"


@pytest.mark.parametrize(
    ("name", "content", "claimed"),
    [
        ("a.prototxt", "", True),
        ("A.PROTOTXT", "", True),
        ("deploy.prototxt.template", "", True),
        ("a.caffemodel", "", True),
        ("a.txt", NET, True),
        ("a.pbtxt", NET.replace("layer", "layers"), True),
        ("noending", NET, True),
        ("train.pt", NET, True),
        ("train.pt", "layer\n{\n}", True),
        ("weights.pt", "PK\0\0 layer {", False),
        ("a.txt", "the layer is thick", False),
        ("a.pbtxt", "node { name: 'x' }", False),
        ("a.py", NET, False),
        ("a.json", NET, False),
    ],
)
def test_files_are_claimed_by_name_or_content(tmp_path: Path, name: str, content: str, claimed: bool) -> None:  # noqa: FBT001
    path = tmp_path / name
    path.write_text(content)
    assert plugin.recognises_file(path) is claimed


def test_a_file_that_is_not_there_is_not_claimed_by_content(tmp_path: Path) -> None:
    assert plugin.recognises_file(tmp_path / "a.txt") is False
    assert plugin.recognises_file(tmp_path) is False


def test_no_object_is_claimed() -> None:
    assert plugin.recognises_object(object()) is False
    with pytest.raises(SourceError, match="a Caffe network is a file, found int"):
        plugin.read(3, Request("3"))


def test_weights_are_refused_with_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds weights; give the network's definition"):
        plugin.read(tmp_path / "a.caffemodel", Request("a.caffemodel"))


def test_values_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.prototxt"
    path.write_text(NET)
    with pytest.raises(UsageError, match="takes shapes of inputs"):
        plugin.read(path, Request("a", values=(1,)))


def test_neither_a_framework_nor_the_table_is_loaded_before_a_file_is_read() -> None:
    code = (
        "import sys, flopledger_caffe.plugin as p; p.frontend(); "
        "heavy = {'caffe', 'numpy', 'sympy', 'torch', 'google.protobuf', 'flopledger_caffe.read'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_reading_loads_no_symbols_and_no_protobuf(tmp_path: Path) -> None:
    path = tmp_path / "a.prototxt"
    path.write_text("input: 'x' input_dim: [1, 3, 8, 8]\n" + NET)
    code = (
        "import sys, pathlib; from flopledger.frontend.request import Request; "
        "from flopledger_caffe import plugin; "
        "plugin.read(pathlib.Path(sys.argv[1]), Request('a')); "
        "print(sorted({'numpy', 'sympy', 'google.protobuf'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
