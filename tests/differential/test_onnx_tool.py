"""onnx-tool, against the tool itself: its answers are recorded, and asked for anew with --peers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import flopledger
import pytest
from flopledger.frontend.request import Request
from flopledger.frontend.specs import InputSpec
from flopledger_onnx.read import read_file
from onnx_probes import probes

HERE = Path(__file__).parent
RECORD = HERE / "recorded" / "onnx-tool.json"
PROBES = probes()
NODES_OF_ONE_NAME = {"silero_vad-6.2.3__silero_vad_openvino_16k"}
"""Files whose nodes have one name: the tool keeps one of them (see the quirks of the convention)."""


def ask(folder: Path) -> dict[str, Any]:
    """Ask the tool itself about all probes, in one process of its own."""
    for name, content in PROBES.items():
        (folder / f"{name}.onnx").write_bytes(content)
    files = [str(folder / f"{name}.onnx") for name in PROBES]
    script = HERE / "run_onnx_tool.py"
    done = subprocess.run([sys.executable, script, *files], capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    answers = {Path(file).stem: answer for file, answer in said["answers"].items()}
    return {"peer": "onnx-tool", "version": said["version"], "answers": answers}


@pytest.fixture(scope="module", autouse=True)
def record(tmp_path_factory: pytest.TempPathFactory, *, ask_peers: bool) -> None:
    if ask_peers:
        said = ask(tmp_path_factory.mktemp("probes"))
        RECORD.write_text(json.dumps(said, indent=1, sort_keys=True) + "\n")


def recorded() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads(RECORD.read_text())["answers"]
    return answers


@pytest.mark.parametrize("name", PROBES)
def test_every_probe_is_counted_as_the_tool_does(tmp_path: Path, name: str) -> None:
    answer = recorded()[name]
    assert "error" not in answer
    path = tmp_path / "probe.onnx"
    path.write_bytes(PROBES[name])
    total = flopledger.count(str(path), convention="onnx-tool").total
    assert (total.count, total.params) == (answer["macs"], answer["params"])


def test_the_record_is_of_the_version_that_the_convention_names() -> None:
    assert json.loads(RECORD.read_text())["version"] == "1.0.1"
    assert recorded().keys() == PROBES.keys()


def test_published_networks_are_counted_as_the_tool_counts_them(shared: Path) -> None:
    golden = shared / "golden"
    different = {}
    for entry in json.loads((golden / "onnx.json").read_text())["files"]:
        answer = entry.get("peers", {}).get("onnx_tool_1_0_1", {})
        if "file" not in entry or "macs" not in answer or entry["name"] in NODES_OF_ONE_NAME:
            continue
        specs = tuple(InputSpec(name, tuple(given)) for name, given in entry["inputs"].items())
        total = read_file(golden / entry["file"], Request("x", inputs=specs)).count("onnx-tool").total
        if (total.count, total.params) != (answer["macs"], answer["params"]):
            different[entry["name"]] = (total.count, total.params, answer)
    assert different == {}
