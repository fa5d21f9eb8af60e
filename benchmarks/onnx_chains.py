"""Whether reading and counting ONNX models stay linear: chains of 1,000, 10,000 and 100,000 nodes.

Each chain is read and counted in a process of its own, which first does a short one, as in chains.py. The
second table is a file with one weight of 3 GB, which takes no room on the disk and must take none in memory.
"""

from __future__ import annotations

import argparse
import json
import resource
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
MACS_PER_CONVOLUTION = 8 * 8 * 3 * 3 * 16 * 16
"""Output channels x input channels x kernel x output positions."""
LARGE = 3 * 2**30
"""The bytes of the large weight."""


def varint(value: int) -> bytes:
    """Write a number seven bits a byte."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def block(field: int, content: bytes) -> bytes:
    """Write a field of bytes."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def node(operator: str, inputs: list[str], output: str) -> bytes:
    """Write a node; a convolution has a border of 1."""
    names = b"".join(block(1, name.encode()) for name in inputs) + block(2, output.encode())
    pads = block(5, block(1, b"pads") + block(8, b"\1\1\1\1") + b"\xa0\1\7") if operator == "Conv" else b""
    return block(1, names + block(3, output.encode()) + block(4, operator.encode()) + pads)


def tensor(name: str, dims: list[int]) -> bytes:
    """Write a weight whose values lie in another file, which is not there."""
    sizes = b"".join(b"\x08" + varint(size) for size in dims)
    return sizes + b"\x10\1" + block(8, name.encode()) + b"\x70\1"


def value(name: str, dims: list[int]) -> bytes:
    """Write a value's name and shape."""
    shape = block(2, b"".join(block(1, b"\x08" + varint(size)) for size in dims))
    return block(1, name.encode()) + block(2, block(1, b"\x08\1" + shape))


def model(graph: bytes) -> bytes:
    """Write a model of opset 17."""
    return b"\x08\x08" + block(8, b"\x10\x11") + block(7, graph)


def chain(layers: int) -> Iterator[bytes]:
    """Write the graph of a chain in which every other node is a convolution, and the next a ReLU."""
    top = "x"
    for number in range(layers):
        bottom, top = top, f"v{number}"
        yield node("Relu", [bottom], top) if number % 2 else node("Conv", [bottom, "w"], top)
    yield block(5, tensor("w", [8, 8, 3, 3])) + block(11, value("x", [1, 8, 16, 16]))
    yield block(12, block(1, top.encode()))


def write(path: Path, layers: int) -> None:
    """Write a chain."""
    path.write_bytes(model(b"".join(chain(layers))))


def write_large(path: Path) -> None:
    """Write a model of one product whose weight of 3 GB is a hole in the file."""
    rows = LARGE // 4 // 1024
    before = b"\x08" + varint(rows) + b"\x08" + varint(1024) + b"\x10\1" + block(8, b"w")
    raw = varint(9 << 3 | 2) + varint(LARGE)
    size = len(before) + len(raw) + LARGE
    weight = varint(5 << 3 | 2) + varint(size) + before + raw
    rest = node("MatMul", ["x", "w"], "y") + block(11, value("x", [1, rows])) + block(12, block(1, b"y"))
    with path.open("wb") as file:
        file.write(b"\x08\x08" + block(8, b"\x10\x11"))
        file.write(varint(7 << 3 | 2) + varint(len(rest) + len(weight) + LARGE) + rest + weight)
        file.truncate(file.tell() + LARGE)


def measure(path: Path, expected: int) -> dict[str, float]:
    """Read and count a model in this process, and return seconds, and peak memory in bytes."""
    import flopledger  # noqa: PLC0415  (only the measured process imports it)

    flopledger.read(str(path.with_name(f"{WARM_UP}.onnx"))).count("mac")
    before = time.process_time()
    graph = flopledger.read(str(path))
    between = time.process_time()
    found = graph.count("mac").total.count
    after = time.process_time()
    if found != expected:
        sys.exit(f"{path.name} was counted as {found}, expected {expected}")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"read": between - before, "count": after - between, "peak": peak}


def run(path: Path, expected: int) -> dict[str, float]:
    """Measure one model in a fresh process."""
    command = [sys.executable, __file__, "--measure", str(path), "--expected", str(expected)]
    result: dict[str, float] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return result


def main() -> None:
    """Write the models, measure each in a fresh process, and print the table."""
    parser = argparse.ArgumentParser(description="Time ONNX chains of growing length, and a file of 3 GB.")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--expected", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.expected)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for layers in (WARM_UP, *LENGTHS):
            write(folder / f"{layers}.onnx", layers)
        print(f"{'nodes':>8} {'read':>12} {'count':>12} {'peak':>12}")
        for layers in LENGTHS:
            found = run(folder / f"{layers}.onnx", (layers + 1) // 2 * MACS_PER_CONVOLUTION)
            times = "".join(f" {found[key] / layers * 1e6:9.1f} us" for key in ("read", "count"))
            print(f"{layers:8,}{times} {found['peak'] / 2**20:8.1f} MiB")
        write_large(folder / "large.onnx")
        found = run(folder / "large.onnx", LARGE // 4)
        print(f"a weight of 3 GB: {found['read'] * 1e3:.1f} ms, peak {found['peak'] / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
