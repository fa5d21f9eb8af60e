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
    assert found["activations"] == {
        "sum": 32,
        "peak": 32,
        "at": "fc",
        "saved": 0,
        "training_peak": 64,
        "unknown_calls": 0,
    }
    assert found["timeline"][-1] == ["fc", 32]
    assert found["total"] == 64 + 24 + 32


def test_weights_that_depend_on_the_input_have_a_symbol(tmp_path: Path, flopledger: Run) -> None:
    (tmp_path / "net.prototxt").write_text(NET.replace("dim: 2 dim: 3", "dim: 1 dim: 3"))
    done = flopledger("memory", "net.prototxt", "-i", "data=1xC", "--step", "train", "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # 4 x C weights and 4 biases of 4 bytes; a gradient for each, and the two moments of Adam's and its steps
    assert (found["weights"], found["gradients"], found["total"]) == ("16 + 16*C", "16 + 16*C", None)
    assert flopledger("memory", "net.prototxt", "-i", "data=1xC").returncode == 0


def test_a_training_step_of_any_frontend_follows_from_the_flow_of_its_tensors(
    tmp_path: Path, flopledger: Run
) -> None:
    (tmp_path / "net.prototxt").write_text(NET)
    done = flopledger(
        "memory", "net.prototxt", "--step", "train", "--optimizer", "momentum", "--format", "json"
    )
    found = json.loads(done.stdout)
    assert (found["gradients"], found["optimizer"]) == (64, 64)
    assert found["activations"]["saved"] == 0  # the network's own input is kept, which is apart
    asked = ("count", "net.prototxt", "--step", "train", "--format", "json")
    total = json.loads(flopledger(*asked).stdout)["ledgers"][0]["total"]
    assert (total["forward"], total["backward"]) == (
        24,
        24,
    )  # the weight's gradient: nobody wants the input's
    total = json.loads(flopledger(*asked, "--grad-inputs", "data").stdout)["ledgers"][0]["total"]
    assert total["backward"] == 48
    total = json.loads(flopledger(*asked, "--freeze", "fc").stdout)["ledgers"][0]["total"]
    assert total["backward"] == 0
