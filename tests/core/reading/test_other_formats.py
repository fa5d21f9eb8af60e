"""A source that nothing reads gets one sentence on how to get to one that is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.cli import run
from flopledger.reading.other_formats import BY_SUFFIX, remedy

if TYPE_CHECKING:
    from pathlib import Path

WANTED = {
    "net.pt": "name the code that makes the model, as in net.py:Model, or export it",
    "net.PTH": "it holds weights and no network: name the code that makes the network instead",
    "pytorch_model.bin": "it holds weights and no network: name the code that makes the network instead",
    "net.pdiparams": "give the program beside it (.json or .pdmodel)",
    "yolo.cfg": "a Darknet network is converted with",
    "net.xml": "an OpenVINO model (.xml with .bin) is not read: give the ONNX file",
    "net.mlmodel": "a Core ML model is not read: give the model that coremltools converted it from",
    "frozen.pb": "a frozen TensorFlow graph is converted with",
}


@pytest.mark.parametrize(("name", "sentence"), WANTED.items())
def test_a_file_of_a_known_format_says_how_to_get_to_one_that_is_read(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x80\x02x")
    assert run(["count", str(path)]) == 3
    said = " ".join(capfd.readouterr().err.split())
    assert said.startswith(f"Error: no frontend reads {path}: ")
    assert sentence in said
    assert "The frontends here" not in said


def test_a_saved_model_and_a_core_ml_package_are_folders(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    saved, package = tmp_path / "saved", tmp_path / "net.mlpackage"
    for folder in (saved, package):
        folder.mkdir()
    (saved / "saved_model.pb").touch()
    assert run(["count", str(saved)]) == 3
    assert "a TensorFlow SavedModel is a folder: convert it with" in " ".join(capfd.readouterr().err.split())
    assert run(["count", str(package)]) == 3
    assert "a Core ML model is not read" in " ".join(capfd.readouterr().err.split())


def test_other_files_and_folders_get_no_sentence(tmp_path: Path) -> None:
    assert remedy(tmp_path) == ""
    assert remedy(tmp_path / "a.toy") == ""


def test_each_sentence_is_one() -> None:
    assert [s for s in BY_SUFFIX.values() if s.endswith(".") or s[0].isupper()] == []
