"""onnx-opcounter, against the tool itself: its answers are recorded, and asked for anew with --peers.

ONNX_OPCOUNTER names ``onnx_opcounter/onnx_opcounter.py`` out of the unpacked archive of 0.0.4.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flopledger
import pytest
from onnx_files import one
from onnx_probes import probes, w

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
OTHERWISE = {"tv_resnet50.ts11", "tv_mobilenet_v2.ts13.dyn0N", "tv_resnet18.dyn0N_2H_3W"}
"""Files with an Identity of constants, and with open sizes (see the quirks of the convention)."""
RECORD = HERE / "recorded" / "onnx-opcounter.json"


def _windows() -> Iterator[tuple[str, bytes]]:
    """Convolutions that state their kernel: without it the tool ends with an error."""
    for op, first, second in (("Conv", (10, 6), (10, 3)), ("ConvTranspose", (6, 10), (6, 5))):
        bias = w("b", 10)
        for name, sizes in (("1d", (31,)), ("2d", (17, 23)), ("3d", (7, 9, 11))):
            kernel = [3, 5, 2][: len(sizes)]
            weight = w("w", *first, *kernel)
            yield f"{op}_{name}", one(op, (2, 6, *sizes), constants=[weight, bias], kernel_shape=kernel)
        more = {"kernel_shape": [3, 5], "strides": [2, 2], "pads": [1, 2, 1, 2]}
        grouped = w("w", *second, 3, 5)
        yield f"{op}_groups", one(op, (1, 6, 17, 23), constants=[grouped, bias], group=2, **more)
    yield "upsample", one("Upsample", (1, 6, 9, 11), constants=[w("s", 4)], opset=9)


PROBES = probes() | dict(_windows())
WHOLE = ("conv_integer", "matmul_integer", "qlinear_conv", "qlinear_conv_bias", "qlinear_matmul")
"""The probes whose input is of bytes, of which the tool makes none: it ends with an error."""


def ask(folder: Path) -> dict[str, Any]:
    """Ask the tool itself about all probes, in one process of its own."""
    for name, content in PROBES.items():
        (folder / f"{name}.onnx").write_bytes(content)
    files = [str(folder / f"{name}.onnx") for name in PROBES]
    command = [sys.executable, HERE / "run_onnx_opcounter.py", os.environ["ONNX_OPCOUNTER"], *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {Path(file).stem: answer for file, answer in said.items()}


@pytest.fixture(scope="module", autouse=True)
def record(tmp_path_factory: pytest.TempPathFactory, *, ask_peers: bool) -> None:
    if ask_peers and "ONNX_OPCOUNTER" in os.environ:
        answers = ask(tmp_path_factory.mktemp("probes"))
        said = {"peer": "onnx-opcounter", "version": "0.0.4", "answers": answers}
        RECORD.write_text(json.dumps(said, indent=1, sort_keys=True) + "\n")


def recorded() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads(RECORD.read_text())["answers"]
    return answers


def test_every_probe_that_the_tool_counts_is_counted_as_it_does(tmp_path: Path) -> None:
    different, without = {}, set()
    for name, answer in recorded().items():
        if answer.get("macs") is None:
            without.add(name)
            continue
        path = tmp_path / "probe.onnx"
        path.write_bytes(PROBES[name])
        total = flopledger.count(str(path), convention="onnx-opcounter").total
        if (total.count, total.params) != (answer["macs"], answer["params"]):
            different[name] = (total.count, total.params, answer)
    assert different == {"weight_of_two_names": (338, 169, {"macs": 338 + 169, "params": 169})}  # an Identity
    ended = {name for name in without if "kernel_shape" not in recorded()[name]["error"]}
    assert ended == {"resize_cubic", *WHOLE}


def test_the_record_has_every_probe() -> None:
    assert recorded().keys() == PROBES.keys()


def test_published_networks_are_counted_as_the_tool_counts_them(shared: Path) -> None:
    golden = shared / "golden"
    different = {}
    for entry in json.loads((golden / "onnx.json").read_text())["files"]:
        answer = entry.get("peers", {}).get("onnx_opcounter_0_0_4", {})
        if "file" not in entry or "macs" not in answer or entry["name"] in OTHERWISE:
            continue
        total = flopledger.count(str(golden / entry["file"]), convention="onnx-opcounter").total
        if (total.count, total.params) != (answer["macs"], answer["params"]):
            different[entry["name"]] = (total.count, total.params, answer)
    assert different == {}
