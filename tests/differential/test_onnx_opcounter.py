"""onnx-opcounter, against the tool itself: its answers are recorded, and asked for again with --peers.

ONNX_OPCOUNTER names ``onnx_opcounter/onnx_opcounter.py`` out of the unpacked archive of 0.0.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger
import pytest
from onnx_files import graph, model, node, one, value
from onnx_peers import Peer
from onnx_probes import ints, probes, w

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHERWISE = {"tv_resnet50.ts11", "tv_mobilenet_v2.ts13.dyn0N", "tv_resnet18.dyn0N_2H_3W"}
"""Files with an Identity of constants, and with open sizes (see the quirks of the convention)."""


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
    padded = [
        node("Add", ["widths", "widths"], ["twice"], name="a"),
        node("Pad", ["x", "twice"], ["h"], name="p"),
        node("Relu", ["h"], ["y"], name="e"),
    ]
    widths = ints("widths", 0, 0, 1, 2, 0, 0, 1, 2)
    yield "lost_shape", model(graph(padded, [value("x", [1, 6, 9, 11])], ["y"], [widths]))
    yield "upsample", one("Upsample", (1, 6, 9, 11), constants=[w("s", 4)], opset=9)


TOOL = Peer("onnx-opcounter", "0.0.4", probes() | dict(_windows()), module="ONNX_OPCOUNTER")
WHOLE = ("conv_integer", "matmul_integer", "qlinear_conv", "qlinear_conv_bias", "qlinear_matmul")
"""The probes whose input is of bytes, of which the tool makes none: it ends with an error."""


@pytest.fixture(scope="module", autouse=True)
def record(tmp_path_factory: pytest.TempPathFactory, *, ask_peers: bool) -> None:
    if ask_peers:
        TOOL.ask(tmp_path_factory.mktemp("probes"))


def test_every_probe_that_the_tool_counts_is_counted_as_it_does(tmp_path: Path) -> None:
    """But for an Identity, and twice for the 6 * 13 * 19 elements of a shape that onnx does not infer."""
    different, without = TOOL.differences(tmp_path)
    assert different == {
        "weight_of_two_names": (338, 169, {"macs": 338 + 169, "params": 169}),
        "lost_shape": (2 * 1482 + 8, 8, {"macs": 8, "params": 8}),
    }
    ended = {name for name in without if "kernel_shape" not in TOOL.answers()[name]["error"]}
    assert ended == {"resize_cubic", *WHOLE}


def test_the_record_has_every_probe() -> None:
    assert TOOL.answers().keys() == TOOL.probes.keys()


def test_published_networks_are_counted_as_the_tool_counts_them(shared: Path) -> None:
    assert TOOL.published(shared, OTHERWISE) == {}


def test_a_product_of_two_vectors_is_unknown_as_the_tool_ends_with_an_error(tmp_path: Path) -> None:
    path = tmp_path / "dot.onnx"
    path.write_bytes(one("MatMul", [7], constants=[w("w", 7)]))
    total = flopledger.count(str(path), convention="onnx-opcounter").total
    assert (total.count, total.unknown_calls) == (0, 1)
