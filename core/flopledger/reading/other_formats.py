"""Formats that no frontend reads, and how to convert each to one that is read."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WEIGHTS = "it holds weights and no network: name the code that makes the network instead, as in net.py:Model"

_CORE_ML = (
    "a Core ML model is not read: give the model that coremltools converted it from, or its export "
    "(torch.onnx.export)"
)
_ENGINE = "a TensorRT engine is made for one device: give the ONNX file that it was built from"

BY_SUFFIX: Mapping[str, str] = MappingProxyType(
    {
        ".pt": (
            "a TorchScript archive or a saved PyTorch object runs code when it is loaded and states no "
            "shapes: name the code that makes the model, as in net.py:Model, or export it with "
            "torch.export.save (.pt2) or torch.onnx.export (.onnx)"
        ),
        ".pth": WEIGHTS,
        ".ckpt": WEIGHTS,
        ".bin": WEIGHTS,
        ".gguf": WEIGHTS,
        ".weights": WEIGHTS,
        ".npz": WEIGHTS,
        ".pdparams": WEIGHTS,
        ".pdiparams": (
            "it holds the weights of a saved Paddle program: give the program beside it (.json or .pdmodel)"
        ),
        ".ort": "it is ONNX Runtime's own form of a model: give the .onnx file that it was made from",
        ".db": "flopledger zoo shows a database of networks, and explain takes one of them with --name NAME",
        ".pb": (
            "a frozen TensorFlow graph is converted with `python -m tf2onnx.convert --graphdef FILE "
            "--output model.onnx --inputs NAME:0 --outputs NAME:0`, and the .onnx file is read"
        ),
        ".cfg": "a Darknet network is converted with a darknet2onnx script, and the .onnx file is read",
        ".xml": (
            "an OpenVINO model (.xml with .bin) is not read: give the ONNX file or the framework's model "
            "that it was converted from"
        ),
        ".mlmodel": _CORE_ML,
        ".mlpackage": _CORE_ML,
        ".engine": _ENGINE,
        ".plan": _ENGINE,
        ".trt": _ENGINE,
    }
)
"""One sentence for each format, by the ending of its files or folders."""

SAVED_MODEL = (
    "a TensorFlow SavedModel is a folder: convert it with `python -m tf2onnx.convert --saved-model FOLDER "
    "--output model.onnx`, and the .onnx file is read; a Keras model saved as .keras is read as it is"
)


def remedy(path: Path) -> str:
    """Return how to convert a file or folder to a format that is read, empty for an unknown format."""
    if (path / "saved_model.pb").exists() or path.name == "saved_model.pb":
        return SAVED_MODEL
    return BY_SUFFIX.get(path.suffix.lower(), "")
