"""Formats that no frontend reads, and how to convert each to one that is read.

A format is known by its contents where a few bytes, or the names in an archive, distinguish it from others
of the same ending: ``.pt`` is the ending of four. Nothing is unpickled, and only the beginning is read.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from flopledger import bounded, input_files
from flopledger.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_HEAD = 1 << 14

_CODE = (
    "name the code that makes the model, as in net.py:Model, or export it with torch.export.save (.pt2) or "
    "torch.onnx.export (.onnx)"
)
_TORCHSCRIPT = f"a TorchScript archive runs code when it is loaded and states no shapes: {_CODE}"
_MODULE = f"a pickled PyTorch module runs code when it is loaded: {_CODE}"
_PICKLE = (
    "a pickled Python object runs code when it is loaded: name the code that makes it, as in net.py:Model"
)
WEIGHTS = "it holds weights and no network: name the code that makes the network instead, as in net.py:Model"
_CHECKPOINT = (
    "a TensorFlow checkpoint holds weights and no network: give the Keras model, or a SavedModel "
    "converted with `python -m tf2onnx.convert --saved-model FOLDER --output model.onnx`"
)
_SAVED_MODEL = (
    "a TensorFlow SavedModel is a folder: convert it with `python -m tf2onnx.convert --saved-model FOLDER "
    "--output model.onnx`, and the .onnx file is read; a Keras model saved as .keras is read as it is"
)
_SIZES = rb"(?m)^\s*(?:width|height|channels|inputs)\s*="
_ORIGIN = "give the ONNX file or the framework's model that it was converted from"
_MAGIC_OF_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How files begin that torch wrote before they were archives."""


class Contents:
    """The parts of a file that are examined: its name, its beginning, the names in it if it is an archive."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name.lower()

    @cached_property
    def head(self) -> bytes:
        """The first bytes."""
        return b"" if input_files.is_folder(self.path) else input_files.head(self.path, _HEAD)

    @cached_property
    def members(self) -> list[str]:
        """The names in an archive, without the folder that torch puts them all in."""
        try:
            return bounded.names_in(self.path) if self.head.startswith(b"PK") else []
        except SourceError:
            return []

    def has(self, ending: str) -> bool:
        """Return whether an archive has a member whose name ends so."""
        return any(name.endswith(ending) for name in self.members)

    def says(self, *patterns: bytes) -> bool:
        """Return whether the beginning is text in which each pattern is found."""
        return b"\0" not in self.head and all(re.search(pattern, self.head) for pattern in patterns)

    @property
    def by_torch(self) -> bool:
        """Whether torch.save wrote it."""
        return self.has("/data.pkl") or self.head.startswith(_MAGIC_OF_TORCH)


class Format(NamedTuple):
    """A format: how to get from it to one that is read, and its contents or, without these, its endings."""

    remedy: str
    endings: tuple[str, ...] = ()
    mark: Callable[[Contents], object] | None = None

    def is_of(self, file: Contents) -> bool:
        """Return whether a file is of this format."""
        if self.mark is not None and not self.mark(file):
            return False
        return not self.endings or file.name.endswith(self.endings)


FORMATS = (
    Format(
        _SAVED_MODEL,
        mark=lambda file: (
            file.name == "saved_model.pb" or input_files.kind(file.path / "saved_model.pb") != "nothing"
        ),
    ),
    Format(
        "it is an exported program of PyTorch: give it the ending .pt2, and it is read",
        mark=lambda file: file.has("/archive_format") or file.has("serialized_exported_program.json"),
    ),
    Format(_TORCHSCRIPT, mark=lambda file: file.has("/constants.pkl")),
    Format(_MODULE, mark=lambda file: file.by_torch and b"_modules" in file.head),
    Format(WEIGHTS, mark=lambda file: file.by_torch),
    Format(
        WEIGHTS,
        mark=lambda file: (
            file.head.startswith(b"\x93NUMPY")
            or (file.members and all(name.endswith(".npy") for name in file.members))
        ),
    ),
    Format(
        "it holds the weights of a language model: give the config.json of the model that it was made from",
        mark=lambda file: file.head.startswith(b"GGUF"),
    ),
    Format(
        f"an OpenVINO model (.xml with .bin) is not read: {_ORIGIN}",
        mark=lambda file: file.says(rb"<net\s[^>]*\bname=[^>]*\bversion=", rb"<layers>"),
    ),
    Format(
        "a Darknet network is converted with a darknet2onnx script, and the .onnx file is read",
        mark=lambda file: file.says(
            rb"(?m)^\s*\[net(?:work)?\]", rb"(?m)^\s*(?:width|height|channels|inputs)\s*="
        ),
    ),
    Format(
        f"an ncnn network is not read: {_ORIGIN}",
        mark=lambda file: file.says(rb"\A7767517\s") or file.head.startswith(b"\xdd\x85\x76\x00"),
    ),
    Format(
        "it is ONNX Runtime's own form of a model: give the .onnx file that it was made from",
        mark=lambda file: file.head[4:8] == b"ORTM" or file.name.endswith(".ort"),
    ),
    Format(_CHECKPOINT, mark=lambda file: re.search(r"\.(?:index|data-\d+-of-\d+)\Z", file.name)),
    Format(f"a TorchScript archive or a saved PyTorch object runs code when it is loaded: {_CODE}", (".pt",)),
    Format(_TORCHSCRIPT, (".torchscript", ".ptl", ".ptc")),
    Format(
        WEIGHTS,
        (".pth", ".ckpt", ".bin", ".weights", ".pdparams", ".msgpack", ".flax", ".params", ".caffemodel.h5"),
    ),
    Format(
        "it holds the weights of an ONNX model: give the .onnx file beside it", (".onnx.data", ".onnx_data")
    ),
    Format(_PICKLE, (".pkl", ".pickle", ".joblib")),
    Format(
        "it holds the weights of a saved Paddle program: give the program beside it (.json or .pdmodel)",
        (".pdiparams",),
    ),
    Format(
        "flopledger zoo shows a database of networks, and explain takes one of them with --name NAME",
        (".db",),
    ),
    Format(
        "a frozen TensorFlow graph is converted with `python -m tf2onnx.convert --graphdef FILE "
        "--output model.onnx --inputs NAME:0 --outputs NAME:0`, and the .onnx file is read",
        (".pb",),
    ),
    Format(
        "a Core ML model is not read: give the model that coremltools converted it from, or its export "
        "(torch.onnx.export)",
        (".mlmodel", ".mlpackage", ".mlmodelc"),
    ),
    Format(f"an MNN model is not read: {_ORIGIN}", (".mnn",)),
    Format(
        "a TensorRT engine is made for one device: give the ONNX file that it was built from",
        (".engine", ".plan", ".trt"),
    ),
    Format(f"it is made for one device: {_ORIGIN}", (".rknn", ".hef", ".dlc", ".om")),
)
"""One sentence for each format. Contents come before endings, and the first that fits is taken."""


def remedy(path: Path) -> str:
    """Return how to convert a file or folder to a format that is read, empty for an unknown format."""
    file = Contents(path)
    return next((each.remedy for each in FORMATS if each.is_of(file)), "")
