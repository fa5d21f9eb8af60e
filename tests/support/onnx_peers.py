"""The common part of the tests of ONNX counters: the records, our figures, new answers of the tools."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flopledger
from flopledger.frontend.request import Request
from flopledger.frontend.specs import InputSpec
from flopledger_onnx.read import read_file

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

FOLDER = Path(__file__).resolve().parents[1] / "differential"


@dataclass(frozen=True)
class Peer:
    """A tool, the version that its convention names, and its probes.

    ``module`` is the variable that names the counter's module, of a tool that is not installed.
    """

    name: str
    version: str
    probes: Mapping[str, bytes]
    figure: str = "macs"
    module: str = ""

    @property
    def record(self) -> Path:
        return FOLDER / "recorded" / f"{self.name}.json"

    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.record.read_text())
        return found

    def answers(self) -> dict[str, Any]:
        found: dict[str, Any] = self.said()["answers"]
        return found

    def ask(self, folder: Path) -> None:
        """Record the tool's own answers to all probes, unless it is not installed."""
        place = os.environ.get(self.module, "")
        if self.module and not place:
            return
        for name, content in self.probes.items():
            (folder / f"{name}.onnx").write_bytes(content)
        files = [str(folder / f"{name}.onnx") for name in self.probes]
        tool = f"{self.name}={place}" if place else self.name
        command = [sys.executable, FOLDER / "run_onnx_peer.py", tool, *files]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        said = json.loads(done.stdout.splitlines()[-1])
        answers = {Path(file).stem: answer for file, answer in said["answers"].items()}
        found = {"peer": self.name, "version": said.get("version", self.version), "answers": answers}
        self.record.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")

    def differences(self, folder: Path) -> tuple[dict[str, Any], set[str]]:
        """Return the probes that we count otherwise, with both figures, and those without an answer."""
        different, without = {}, set()
        for name, answer in self.answers().items():
            if answer.get(self.figure) is None:
                without.add(name)
                continue
            path = folder / "probe.onnx"
            path.write_bytes(self.probes[name])
            total = flopledger.count(str(path), convention=self.name).total
            if (total.count, total.params) != (answer[self.figure], answer["params"]):
                different[name] = (total.count, total.params, answer)
        return different, without

    def published(self, shared: Path, known: Collection[str]) -> dict[str, Any]:
        """Return the published networks, but for known ones, that the tool counts otherwise."""
        golden, different = shared / "golden", {}
        key = f"{self.name}_{self.version}".replace("-", "_").replace(".", "_")
        for entry in json.loads((golden / "onnx.json").read_text())["files"]:
            answer = entry.get("peers", {}).get(key, {})
            if "file" not in entry or self.figure not in answer or entry["name"] in known:
                continue
            specs = [InputSpec(name, tuple(given)) for name, given in entry["inputs"].items()]
            request = Request("x", inputs=tuple(specs))
            total = read_file(golden / entry["file"], request).count(self.name).total
            if (total.count, total.params) != (answer[self.figure], answer["params"]):
                different[entry["name"]] = (total.count, total.params, answer)
        return different
