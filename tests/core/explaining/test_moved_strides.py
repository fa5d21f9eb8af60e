"""Strides that move between the two convolutions of a block, in a network that is written here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.explaining.moved_strides import with_moved_strides
from flopledger.plugins.discovery import kinds

if TYPE_CHECKING:
    from pathlib import Path

INPUT = 'name: "n" input: "data" input_shape { dim: 1 dim: 4 dim: 8 dim: 8 }\n'


def conv(name: str, bottom: str, outputs: int, kernel: int, stride: int = 1) -> str:
    return (
        f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" convolution_param {{ '
        f"num_output: {outputs} kernel_size: {kernel} pad: {kernel // 2} stride: {stride} "
        "bias_term: false } }\n"
    )


def relu(bottom: str) -> str:
    return f'layer {{ name: "{bottom}/relu" type: "ReLU" bottom: "{bottom}" top: "{bottom}" }}\n'


def read(tmp_path: Path, *layers: str) -> fl.Graph:
    path = tmp_path / "net.prototxt"
    path.write_text(INPUT + "".join(layers))
    return fl.read(str(path))


def macs(graph: fl.Graph) -> object:
    return graph.count("mac").total.count


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1)])
def test_a_stride_moves_to_the_other_convolution_and_back(first: int, second: int, tmp_path: Path) -> None:
    """4 to 2 channels by 1x1, then 2 to 2 by 3x3: 8 for each place between, 36 for each of 16 at the end."""
    graph = read(tmp_path, conv("a", "data", 2, 1, first), relu("a"), conv("b", "a", 2, 3, second))
    places, others = (16, 64) if first == 2 else (64, 16)
    assert macs(graph) == 8 * places + 36 * 16

    moved = with_moved_strides(graph, kinds())
    assert moved is not None
    assert macs(moved[0]) == 8 * others + 36 * 16
    start, end = ("1x1", "3x3") if first == 2 else ("3x3", "1x1")
    assert moved[1] == f"the stride of 1 block moved from the {start} to the {end}"

    back = with_moved_strides(moved[0], kinds())
    assert back is not None
    assert back[0].layers == graph.layers
    assert back[0].tensors == graph.tensors


def test_what_is_no_block_keeps_its_strides(tmp_path: Path) -> None:
    last = 'layer { name: "sum" type: "Eltwise" bottom: "b" bottom: "c" top: "sum" }\n'
    no_stride = (conv("a", "data", 2, 1), conv("b", "a", 2, 3))
    both = (conv("a", "data", 2, 1, 2), conv("b", "a", 2, 3, 2))
    no_pointwise = (conv("a", "data", 2, 3), conv("b", "a", 2, 3, 2))
    read_twice = (conv("a", "data", 2, 1), conv("b", "a", 2, 3, 2), conv("c", "a", 2, 3, 2), last)

    for layers in (no_stride, both, no_pointwise, read_twice):
        assert with_moved_strides(read(tmp_path, *layers), kinds()) is None
