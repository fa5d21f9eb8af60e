"""A real network against a figure that was worked out apart from this code.

The package basic_pitch 0.4.0 has one network in both formats; the multiply-accumulates of the ONNX file are
those of every node that ONNX Runtime executed. It is read where ONNX_PACKAGES names a folder that the package
was unpacked into.
"""

from __future__ import annotations

import os
from pathlib import Path

import flopledger
import pytest

MODELS = Path(os.environ.get("ONNX_PACKAGES", "/nowhere"), "basic_pitch", "saved_models", "icassp_2022")

pytestmark = pytest.mark.skipif(
    not MODELS.is_dir(), reason="pip download --no-deps basic_pitch==0.4.0, and set ONNX_PACKAGES"
)


def test_one_network_in_two_formats_has_one_figure() -> None:
    tflite = flopledger.count(str(MODELS / "nmp.tflite"), "1x43844x1")
    onnx = flopledger.count(str(MODELS / "nmp.onnx"), "1x43844x1")
    assert (tflite.total.count, onnx.total.count) == (524079648, 524079648)
    assert tflite.coverage.unknown == ()
