"""How long the whole command takes on ResNet-152, against a Python that only imports the same packages.

Both are processes of their own, started in turn, so that a busy machine slows both alike. The ratio
of the medians is what is kept: seconds belong to a machine, the ratio to the program. A second pair says what
a small ONNX file takes beside a small prototxt: the imports of its frontend, for the most part.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NEVER = ("sympy", "numpy", "torch", "keras", "tensorflow", "paddle", "importlib.metadata", "email", "zipfile")
"""Modules that counting a prototxt with plain sizes must not import."""
EXAMPLES = Path(__file__).parents[1] / "examples"

MACS = 11_282_415_616
PARAMS = 60_192_808
"""ResNet-152 at 224 x 224, the stride in the first 1x1 convolution of a stage; no running statistics."""

STAGES = ((64, 3), (128, 8), (256, 36), (512, 3))
"""Each stage's width and number of blocks."""

MAX_POOL = "pooling_param { pool: MAX kernel_size: 3 stride: 2 }"

LOADED = """
import json, runpy, sys
sys.argv = ["flopledger", "count", sys.argv[1], "--format", "json", "-o", sys.argv[2]]
try:
    runpy.run_module("flopledger", run_name="__main__")
except SystemExit as end:
    if end.code:
        raise
print(json.dumps({name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}))
"""


def layer(kind: str, name: str, bottoms: list[str], top: str, fields: str = "") -> str:
    """Write one layer."""
    sources = " ".join(f'bottom: "{bottom}"' for bottom in bottoms)
    return f'layer {{ name: "{name}" type: "{kind}" {sources} top: "{top}" {fields} }}\n'


def convolution(name: str, bottom: str, fields: str, *, relu: bool) -> str:
    """Write a convolution without bias, its normalisation and scale, and a ReLU where asked."""
    text = layer("Convolution", name, [bottom], name, f"convolution_param {{ {fields} bias_term: false }}")
    text += layer("BatchNorm", f"{name}_bn", [name], name, "batch_norm_param { use_global_stats: true }")
    text += layer("Scale", f"{name}_scale", [name], name, "scale_param { bias_term: true }")
    return text + (layer("ReLU", f"{name}_relu", [name], name) if relu else "")


def block(name: str, bottom: str, width: int, stride: int, *, project: bool) -> str:
    """Write a bottleneck block; its result is called ``name``."""
    first = f"num_output: {width} kernel_size: 1 stride: {stride}"
    text = convolution(f"{name}_a", bottom, first, relu=True)
    text += convolution(f"{name}_b", f"{name}_a", f"num_output: {width} kernel_size: 3 pad: 1", relu=True)
    text += convolution(f"{name}_c", f"{name}_b", f"num_output: {4 * width} kernel_size: 1", relu=False)
    if project:
        shortcut = f"num_output: {4 * width} kernel_size: 1 stride: {stride}"
        text += convolution(f"{name}_p", bottom, shortcut, relu=False)
    text += layer("Eltwise", name, [f"{name}_p" if project else bottom, f"{name}_c"], name)
    return text + layer("ReLU", f"{name}_relu", [name], name)


def resnet152() -> str:
    """Write ResNet-152 as a prototxt (He, Zhang, Ren and Sun, arXiv:1512.03385, table 1)."""
    text = 'name: "ResNet-152"\ninput: "data"\ninput_shape { dim: 1 dim: 3 dim: 224 dim: 224 }\n'
    text += convolution("conv1", "data", "num_output: 64 kernel_size: 7 stride: 2 pad: 3", relu=True)
    text += layer("Pooling", "pool1", ["conv1"], "pool1", MAX_POOL)
    bottom = "pool1"
    for stage, (width, blocks) in enumerate(STAGES, start=2):
        for number in range(blocks):
            stride = 2 if stage > 2 and number == 0 else 1
            text += block(f"res{stage}_{number}", bottom, width, stride, project=number == 0)
            bottom = f"res{stage}_{number}"
    text += layer("Pooling", "pool5", [bottom], "pool5", "pooling_param { pool: AVE global_pooling: true }")
    return text + layer("InnerProduct", "fc", ["pool5"], "fc", "inner_product_param { num_output: 1000 }")


def third_party(files: dict[str, str]) -> list[str]:
    """Return the modules that come neither with Python nor with flopledger, in order of import."""
    return [
        name
        for name, file in files.items()
        if "site-packages" in Path(file).parts and not name.startswith("flopledger")
    ]


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which Python keeps what it compiled, as in an installation."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder)}


def imported(network: Path, result: Path, env: dict[str, str]) -> list[str]:
    """Run the command once, check its figures, and return the third-party modules that it imported."""
    command = [sys.executable, "-c", LOADED, str(network), str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    total = json.loads(result.read_text(encoding="utf-8"))["ledgers"][0]["total"]
    found = (total["macs"], total["params"])
    if found != (MACS, PARAMS):
        sys.exit(f"ResNet-152 was counted as {found}, expected {(MACS, PARAMS)}")
    modules: dict[str, str] = json.loads(done.stdout)
    if heavy := [name for name in NEVER if name in modules]:
        sys.exit(f"the command imported {', '.join(heavy)}, and needs none of {', '.join(NEVER)}")
    return third_party(modules)


def seconds(command: list[str], env: dict[str, str]) -> float:
    """Run a process and return how long it took."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=env)
    return time.perf_counter() - start


def medians(commands: list[list[str]], runs: int, env: dict[str, str]) -> list[float]:
    """Run the commands in turn, again and again, and return each one's median; a first run warms up."""
    for command in commands:
        seconds(command, env)
    times = [[seconds(command, env) for command in commands] for _ in range(runs)]
    return [statistics.median(taken) for taken in zip(*times, strict=True)]


def main() -> None:
    """Measure both processes in turn and print their medians and the ratio."""
    parser = argparse.ArgumentParser(description="Time counting ResNet-152 against a bare Python.")
    parser.add_argument("--runs", type=int, default=21)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        network, bare = Path(folder, "ResNet-152.prototxt"), Path(folder, "bare.py")
        network.write_text(resnet152(), encoding="utf-8")
        env = environment(Path(folder, "compiled"))
        modules = imported(network, Path(folder, "count.json"), env)
        bare.write_text("".join(f"import {name}\n" for name in modules), encoding="utf-8")
        script = str(Path(sys.executable).with_name("flopledger"))
        count = [script, "count", str(network), "--format", "json"]
        ours, theirs = medians([count, [sys.executable, str(bare)]], runs, env)
        sized = [script, "count", str(EXAMPLES / "tiny.onnx"), "-i", "1x3x32x32"]  # no symbol, so no sympy
        onnx, caffe = medians([sized, [script, "count", str(EXAMPLES / "lenet.prototxt")]], runs, env)
    print(f"{ours * 1000:8.1f} ms  flopledger count ResNet-152.prototxt --format json")
    print(f"{theirs * 1000:8.1f} ms  Python that imports the same {len(modules)} third-party modules")
    print(f"{ours / theirs:8.2f}     ratio of the medians of {runs} runs each, in turn")
    print(f"{onnx * 1000:8.1f} ms  flopledger count tiny.onnx -i 1x3x32x32")
    print(f"{caffe * 1000:8.1f} ms  flopledger count lenet.prototxt")
    print(f"{onnx / caffe:8.2f}     ratio of these two")
    print(f"not imported: {', '.join(NEVER)}")


if __name__ == "__main__":
    main()
