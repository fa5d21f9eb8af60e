"""A source that no frontend reads gets one sentence on how to get to one that is read, by its contents."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest
from flopledger.cli import run
from flopledger.reading.other_formats import FORMATS, remedy

if TYPE_CHECKING:
    from pathlib import Path

OLD = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\x00.\x80\x02"
TABLE = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01(X\x08\x00\x00\x000.weightq\x02"
MODULE = (
    b"\x80\x02ctorch.nn.modules.container\nSequential\nq\x00)\x81q\x01}q\x02(X\x08\x00\x00\x00_modulesq\x03"
)
OPENVINO = b'<?xml version="1.0"?>\n<net name="net" version="11">\n\t<layers>\n\t\t<layer id="0"/>'
DARKNET = b"[net]\n# Testing\nbatch=1\nwidth=416\nheight=416\n\n[convolutional]\nfilters=32\n"


def archive(members: dict[str, bytes]) -> bytes:
    """An archive, as torch and NumPy write it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return out.getvalue()


SCRIPT = archive({"net/data.pkl": MODULE, "net/code/net.py": b"", "net/constants.pkl": b""})
WEIGHTS = "it holds weights and no network: name the code that makes the network instead"
TORCHSCRIPT = "a TorchScript archive runs code when it is loaded and states no shapes: name the code"
PICKLED = "a pickled PyTorch module runs code when it is loaded: name the code"
CASES = [
    ("net.pt", SCRIPT, TORCHSCRIPT),
    ("net.torchscript", SCRIPT, TORCHSCRIPT),
    ("net.torchscript", b"?", TORCHSCRIPT),
    ("net.ptl", b"?", TORCHSCRIPT),
    ("net.pth", archive({"net/data.pkl": TABLE}), WEIGHTS),
    ("net.pt", archive({"net/data.pkl": TABLE}), WEIGHTS),
    ("net.pth", archive({"net/data.pkl": MODULE}), PICKLED),
    (
        "best.pt",
        archive({"best/data.pkl": b"\x80\x02}q\x00(X\x05\x00\x00\x00modelq\x01" + MODULE[2:]}),
        PICKLED,
    ),
    ("net.pth.tar", OLD + TABLE[2:], WEIGHTS),
    ("net.pth.tar", OLD + MODULE[2:], PICKLED),
    ("net.pt", archive({"net/archive_format": b"pt2"}), "give it the ending .pt2, and it is read"),
    ("net.pt", b"?", "a TorchScript archive or a saved PyTorch object runs code when it is loaded: name"),
    ("net.PTH", b"?", WEIGHTS),
    ("pytorch_model.bin", b"?", WEIGHTS),
    ("flax_model.msgpack", b"\x82", WEIGHTS),
    ("net.ckpt", b"?", WEIGHTS),
    ("weights.npz", archive({"w.npy": b"\x93NUMPY"}), WEIGHTS),
    ("weights", b"\x93NUMPY\x01\x00", WEIGHTS),
    ("model.pkl", b"\x80\x04\x95", "a pickled Python object runs code when it is loaded: name the code"),
    ("llm.gguf", b"GGUF\x03\x00\x00\x00", "give the config.json of the model that it was made from"),
    ("net.onnx.data", b"?", "it holds the weights of an ONNX model: give the .onnx file beside it"),
    ("net.pdiparams", b"?", "give the program beside it (.json or .pdmodel)"),
    ("model.ckpt.index", b"?", "a TensorFlow checkpoint holds weights and no network"),
    ("model.ckpt.data-00000-of-00002", b"?", "a TensorFlow checkpoint holds weights and no network"),
    ("saved_model.pb", b"?", "a TensorFlow SavedModel is a folder: convert it with"),
    ("frozen.pb", b"?", "a frozen TensorFlow graph is converted with"),
    ("yolo.cfg", DARKNET, "a Darknet network is converted with"),
    ("net.xml", OPENVINO, "an OpenVINO model (.xml with .bin) is not read: give the ONNX file"),
    ("net.param", b"7767517\n3 3\nInput data 0 1 data\n", "an ncnn network is not read: give the ONNX file"),
    ("net.param.bin", b"\xdd\x85\x76\x00\x03", "an ncnn network is not read: give the ONNX file"),
    ("net.mnn", b"?", "an MNN model is not read: give the ONNX file"),
    ("net.mlmodel", b"\x08\x04", "a Core ML model is not read: give the model that coremltools converted"),
    ("net.ort", b"\x18\x00\x00\x00ORTM", "it is ONNX Runtime's own form of a model: give the .onnx file"),
    ("net.engine", b"ftrt", "a TensorRT engine is made for one device: give the ONNX file"),
    ("net.trt", b"ftrt", "a TensorRT engine is made for one device: give the ONNX file"),
    ("net.rknn", b"RKNN", "it is made for one device: give the ONNX file"),
    ("zoo.db", b"SQLite format 3\x00", "flopledger zoo shows a database of networks"),
]


@pytest.mark.parametrize(("name", "content", "sentence"), CASES, ids=range(len(CASES)))
def test_a_file_of_a_known_format_says_how_to_get_to_one_that_is_read(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert sentence in remedy(path)


def test_the_command_says_it_in_place_of_the_list_of_frontends(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.torchscript"
    path.write_bytes(SCRIPT)
    assert run(["count", str(path)]) == 3
    said = " ".join(capfd.readouterr().err.split())
    assert said.startswith(f"Error: no frontend reads {path}: {TORCHSCRIPT}")
    assert "The frontends here" not in said


def test_a_saved_model_and_a_core_ml_package_are_folders(tmp_path: Path) -> None:
    saved, package = tmp_path / "saved", tmp_path / "net.mlpackage"
    for folder in (saved, package):
        folder.mkdir()
    (saved / "saved_model.pb").touch()
    assert remedy(saved).startswith("a TensorFlow SavedModel is a folder: convert it with")
    assert remedy(package).startswith("a Core ML model is not read")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pom.xml", b'<?xml version="1.0"?>\n<project name="net" version="1"></project>'),
        ("setup.cfg", b"[metadata]\nname = net\nwidth = 3\n"),
        ("tool.cfg", b"[net]\nproxy = none\n"),
        ("build.param", b"7767518\n"),
        ("table.zip", archive({"readme.txt": b""})),
        ("a.toy", b""),
    ],
)
def test_other_files_of_the_same_endings_get_no_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert remedy(tmp_path / name) == ""
    assert remedy(tmp_path) == ""


def test_each_sentence_is_one() -> None:
    assert [each for each in FORMATS if each.remedy.endswith(".") or each.remedy[0].isupper()] == []
