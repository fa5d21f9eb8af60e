"""``flopledger memory``: the table and the document, of a network that no training step can be read of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import CompletedProcess

    Run = Callable[..., CompletedProcess[str]]

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc" inner_product_param { num_output: 4 } }
"""


def test_a_prototxt_has_weights_inputs_and_activations(tmp_path: Path, flopledger: Run) -> None:
    (tmp_path / "net.prototxt").write_text(NET)
    done = flopledger("memory", "net.prototxt", "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["schema"] == "flopledger.memory/1"
    assert (found["weights"], found["inputs"], found["gradients"]) == (4 * (12 + 4), 24, 0)
    assert found["activations"] == {"sum": 32, "peak": 32, "at": "fc", "saved": None, "training_peak": None}
    assert found["timeline"][-1] == ["fc", 32]
    assert found["total"] == 64 + 24 + 32


def test_a_training_step_that_cannot_be_read_is_an_error(tmp_path: Path, flopledger: Run) -> None:
    (tmp_path / "net.prototxt").write_text(NET)
    done = flopledger("memory", "net.prototxt", "--step", "train")
    assert done.returncode == 2
    assert "does not read training steps" in done.stderr
