"""TurnkeyML's counter, against the tool itself: its answers are recorded, and asked for anew with --peers.

TURNKEYML names ``turnkeyml/common/analyze_model.py`` out of an unpacked wheel of turnkeyml 6.2.5.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import flopledger
import pytest
from onnx_files import UINT8, one, tensor
from onnx_probes import probes

HERE = Path(__file__).parent
RECORD = HERE / "recorded" / "turnkeyml.json"
PROBES = probes()


def ask(folder: Path) -> dict[str, Any]:
    """Ask the tool itself about all probes, in one process of its own."""
    for name, content in PROBES.items():
        (folder / f"{name}.onnx").write_bytes(content)
    files = [str(folder / f"{name}.onnx") for name in PROBES]
    command = [sys.executable, HERE / "run_turnkeyml.py", os.environ["TURNKEYML"], *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {Path(file).stem: answer for file, answer in said.items()}


@pytest.fixture(scope="module", autouse=True)
def record(tmp_path_factory: pytest.TempPathFactory, *, ask_peers: bool) -> None:
    if ask_peers and "TURNKEYML" in os.environ:
        answers = ask(tmp_path_factory.mktemp("probes"))
        said = {"peer": "turnkeyml", "version": "6.2.5", "answers": answers}
        RECORD.write_text(json.dumps(said, indent=1, sort_keys=True) + "\n")


def recorded() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads(RECORD.read_text())["answers"]
    return answers


def test_every_probe_that_the_tool_counts_is_counted_as_it_does(tmp_path: Path) -> None:
    different, without = {}, set()
    for name, answer in recorded().items():
        if answer.get("flops") is None:
            without.add(name)
            continue
        path = tmp_path / "probe.onnx"
        path.write_bytes(PROBES[name])
        total = flopledger.count(str(path), convention="turnkeyml").total
        if (total.count, total.params) != (answer["flops"], answer["params"]):
            different[name] = (total.count, total.params, answer)
    assert different == {}
    assert without == {"einsum", "gemm_plain", "gru"}


def test_the_record_has_every_probe() -> None:
    assert recorded().keys() == PROBES.keys()


def test_a_quantised_gemm_adds_its_zero_point_as_the_tool_does(tmp_path: Path) -> None:
    """2 * 5 * 13 * 7, and 1 for the third input, which the tool takes for the bias; the tool's own answer."""
    scales = [tensor(f"{name}_scale", [], [0.5]) for name in "xw"]
    zeros = [tensor(f"{name}_zero", [], [0], UINT8) for name in "xw"]
    constants = [scales[0], zeros[0], tensor("w", [7, 13], [1] * 91, UINT8), scales[1], zeros[1]]
    path = tmp_path / "gemm.onnx"
    path.write_bytes(
        one("QGemm", [5, 13], constants=constants, dtype=UINT8, domain="com.microsoft", transB=1)
    )

    total = flopledger.count(str(path), convention="turnkeyml").total

    assert (total.count, total.params) == (911, 95)
