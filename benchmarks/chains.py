"""Whether reading and counting stay linear: chains of 1,000, 10,000 and 100,000 layers.

Each chain is read and counted in processes of its own, which first do a short chain, so that imports
and the loading of the convention are not measured.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTHS = (1_000, 10_000, 100_000)
WARM_UP = 20
HEAD = 'name: "chain"\ninput: "blob"\ninput_shape { dim: 1 dim: 8 dim: 16 dim: 16 }\n'
CONVOLUTION = "convolution_param { num_output: 8 kernel_size: 3 pad: 1 }"
MACS_PER_CONVOLUTION = 8 * 8 * 3 * 3 * 16 * 16
"""Output channels x input channels x kernel x output positions."""


def chain(layers: int) -> Iterator[str]:
    """Write a chain in which every other layer is a convolution, and the next a ReLU in place."""
    yield HEAD
    top = "blob"
    for number in range(layers):
        bottom, top = top, top if number % 2 else f"conv{number}"
        ends = f'bottom: "{bottom}" top: "{top}"'
        if number % 2:
            yield f'layer {{ name: "relu{number}" type: "ReLU" {ends} }}\n'
        else:
            yield f'layer {{ name: "conv{number}" type: "Convolution" {ends} {CONVOLUTION} }}\n'


def write(folder: Path, layers: int) -> None:
    """Write a chain line by line: a process's peak starts at what its parent held when it was made."""
    with (folder / f"{layers}.prototxt").open("w", encoding="utf-8") as file:
        file.writelines(chain(layers))


def measure(folder: Path, layers: int) -> dict[str, float]:
    """Read and count one chain in this process, and return seconds, and peak memory in bytes."""
    import flopledger  # noqa: PLC0415  (only the measured process imports it)

    short, path = folder / f"{WARM_UP}.prototxt", folder / f"{layers}.prototxt"
    flopledger.read(str(short)).count("mac")
    before = time.perf_counter()
    graph = flopledger.read(str(path))
    between = time.perf_counter()
    ledger = graph.count("mac")
    after = time.perf_counter()
    expected = (layers + 1) // 2 * MACS_PER_CONVOLUTION
    if ledger.total.count != expected:
        sys.exit(f"a chain of {layers} was counted as {ledger.total.count}, expected {expected}")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"read": between - before, "count": after - between, "peak": peak}


def run(folder: Path, layers: int) -> dict[str, float]:
    """Measure one chain in a fresh process."""
    command = [sys.executable, __file__, "--measure", str(layers), "--folder", str(folder)]
    result: dict[str, float] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return result


def medians(folder: Path, lengths: tuple[int, ...], runs: int) -> dict[int, dict[str, float]]:
    """Measure every chain, in turn, and return the median of each figure."""
    results: dict[int, list[dict[str, float]]] = {layers: [] for layers in lengths}
    for _ in range(runs):
        for layers in lengths:
            results[layers].append(run(folder, layers))
    return {
        layers: {key: statistics.median(one[key] for one in found) for key in found[0]}
        for layers, found in results.items()
    }


def show(found: dict[int, dict[str, float]]) -> None:
    """Print a line for each chain, and by how much the figures of one layer vary."""
    print(f"{'layers':>8} {'read':>12} {'count':>12} {'both':>12} {'peak':>12} {'memory':>12}")
    flat: dict[str, list[float]] = {"read": [], "count": [], "both": [], "memory": []}
    before = (0, 0.0)
    for layers, one in found.items():
        times = (one["read"] / layers, one["count"] / layers)
        memory = (one["peak"] - before[1]) / (layers - before[0])
        shown = "".join(f" {value * 1e6:9.2f} us" for value in (*times, sum(times)))
        grown = f" {memory:10.0f} B" if before[0] else ""
        print(f"{layers:8,}{shown} {one['peak'] / 2**20:8.1f} MiB{grown}")
        for name, value in zip(flat, (*times, sum(times), memory), strict=True):
            flat[name].append(value)
        before = (layers, one["peak"])
    del flat["memory"][0]
    print("times are per layer; memory is what each layer takes that the chain above it does not have")
    for name, values in flat.items():
        print(f"{max(values) / min(values):8.2f}     {name}: largest over smallest, per layer")


def main() -> None:
    """Write the chains, measure each in fresh processes, and print the table."""
    parser = argparse.ArgumentParser(description="Time chains of growing length.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.folder, options.measure)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for layers in (WARM_UP, *LENGTHS):
            write(folder, layers)
        show(medians(folder, LENGTHS, options.runs))


if __name__ == "__main__":
    main()
