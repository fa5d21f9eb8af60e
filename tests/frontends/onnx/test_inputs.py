from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError, UsageError
from onnx_files import FLOAT, INT64, block, graph, model, node, one, tensor, value

if TYPE_CHECKING:
    from conftest import Read
    from flopledger.graph.graph import Graph
    from onnx_files import Dims


def relu(dims: Dims | None, name: str = "x") -> bytes:
    return model(graph([node("Relu", [name], ["y"], name="n")], [value(name, dims)], ["y"]))


def given(network: Graph) -> dict[str, str]:
    return {
        item.name: "x".join(map(str, network.tensors[item.tensor].shape or ())) for item in network.inputs
    }


@pytest.mark.parametrize(
    ("dims", "shape"),
    [
        ([1, 3, 8, 8], "1x3x8x8"),
        (["batch", 3, 8], "Batchx3x8"),
        ([None, 3, None, None], "Nx3xHxW"),
        ([-1, 3, 0, 0], "Nx3xHxW"),
        (["?", 3, "?", "?"], "Nx3xHxW"),
        ([None, 7], "Nx7"),
        ([5, None], "5xD1"),
        (["p2o.DynamicDimension.0", 3], "P2o_DynamicDimension_0x3"),
        (["unk__749", 3], "Unk__749x3"),
        (["image_width", "image_width"], "Image_widthxImage_width"),
        (["x", 3], "Nx3"),
        (["x", "x"], "NxN"),
        (["2batch", 3], "D2batchx3"),
        (["a-b", "a.b"], "A_bxA_b2"),
        (["N", None], "NxD1"),
        ([None, "N"], "NxN2"),
    ],
)
def test_open_sizes_become_legal_symbols_one_for_each_name(read: Read, dims: Dims, shape: str) -> None:
    network = read(relu(dims))
    assert given(network) == {"x": shape}
    noted = any("symbols" in note for note in network.reading.notes)
    assert noted is not all(isinstance(size, int) and size > 0 for size in dims)


def test_one_name_is_one_symbol_in_all_inputs(read: Read) -> None:
    inputs = [value("a", ["batch", 3]), value("b", ["batch", 1])]
    network = read(model(graph([node("Add", ["a", "b"], ["y"])], inputs, ["y"])))
    assert [str(size) for size in network.tensors[network.outputs[0]].shape or ()] == ["Batch", "3"]


def test_a_spec_goes_before_what_is_declared_even_where_that_is_fixed(read: Read) -> None:
    assert given(read(relu([1, 3, 8, 8]), "x=2x3x16x16")) == {"x": "2x3x16x16"}
    assert given(read(relu([1, 3, 8, 8]), "Kx3x16x16")) == {"x": "Kx3x16x16"}


def test_names_that_no_spec_can_write_are_written_with_underscores(read: Read) -> None:
    content = relu([None, 4], "serving_default:0/in.1")
    assert given(read(content, "serving_default_0_in_1=2x4")) == {"serving_default:0/in.1": "2x4"}
    (note,) = read(content).reading.notes
    assert note.endswith("give sizes with -i serving_default_0_in_1=...")


def test_sizes_that_contradict_a_node_are_refused_with_it(read: Read) -> None:
    nodes = [node("Reshape", ["x", "s"], ["y"], name="flat")]
    content = model(graph(nodes, [value("x", [2, 3])], ["y"], [tensor("s", [1], [6], INT64)]))
    assert read(content, "x=3x2").outputs
    with pytest.raises(UsageError) as caught:
        read(content, "x=2x4")
    assert "the inputs that are given don't fit the network" in str(caught.value)
    assert "the node 'flat' (Reshape)" in str(caught.value)


@pytest.mark.parametrize(
    ("specs", "reason"),
    [
        (("z=1x3",), "there is no input 'z'. The inputs of the network are: x"),
        (("x=1x3", "x=2x3"), "the input 'x' is given twice"),
        (("1x3", "2x3"), "2 inputs are given. The inputs of the network are: x"),
        (("x=1x3x4",), "is given with 3 axes, the file declares 2: 1x3"),
        (("x=!'text'",), "is given as 'text', expected a number or a list of them"),
    ],
)
def test_a_spec_that_fits_no_input_is_refused(read: Read, specs: tuple[str, ...], reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(relu([1, 3]), *specs)
    assert reason in str(caught.value)


def test_an_input_without_a_shape_needs_one(read: Read) -> None:
    with pytest.raises(SourceError, match=r"give it, with your sizes: -i x=1x3x224x224"):
        read(relu(None))
    assert given(read(relu(None), "x=2x3")) == {"x": "2x3"}


def test_initializers_that_are_listed_as_inputs_are_none(read: Read) -> None:
    content = graph(
        [node("MatMul", ["x", "w"], ["y"])], [value("x", [2, 3]), value("w", [3, 5])], ["y"],
        [tensor("w", [3, 5], None)],
    )  # fmt: skip
    assert given(read(model(content))) == {"x": "2x3"}


def test_a_literal_is_what_shapes_may_be_calculated_from(read: Read) -> None:
    nodes = [node("Expand", ["x", "s"], ["y"])]
    content = model(graph(nodes, [value("x", [1]), value("s", [2], INT64)], ["y"]))
    network = read(content, "s=!(3, 4)")
    assert network.tensors[network.outputs[0]].shape == (3, 4)
    assert read(content).layers[1].problem == "what its input 1, 's', holds depends on data"


def test_an_empty_past_stays_empty(read: Read) -> None:
    content = one(
        "GroupQueryAttention", [1, 6, 32], [1, 6, 16], [1, 6, 16], [1, 2, 0, 8], [1, 2, 0, 8],
        domain="com.microsoft", num_heads=4, kv_num_heads=2, outputs=3,
    )  # fmt: skip
    network = read(content)
    assert network.count("mac").total.count == 4 * 6 * 6 * 16
    assert network.tensors[network.outputs[1]].shape == (1, 2, 6, 8)


def test_a_size_that_no_tensor_has_is_refused(read: Read) -> None:
    huge = block(1, "x") + block(
        2, block(1, b"\x08\x01" + block(2, block(1, b"\x08" + b"\xff" * 8 + b"\x7f")))
    )
    assert FLOAT == 1
    network = read(model(graph([node("Relu", ["x"], ["y"])], [huge], ["y"])))
    assert network.tensors[network.outputs[0]].shape == (2**63 - 1,)


def test_a_size_that_is_calculated_from_others_is_an_expression_of_their_symbols(read: Read) -> None:
    sizes = ["past + 1", "past", "2*past*new + past", "new", "floor(past/2)", "a-b", "2 - past", "3*4"]
    network = read(relu(sizes))
    assert given(network) == {"x": "Past + 1xPastx2*New*Past + PastxNewxFloorDiv(Past, 2)xA_bxD2_pastxD3_4"}
    assert network.reading.notes[0].startswith(
        "sizes that the file leaves open are symbols: 1 + Past for axis 0 of x (past + 1), "
        "Past + 2*New*Past for axis 2 of x (2*past*new + past), (Past//2) for axis 4 of x"
    )


def test_a_size_that_has_no_name_in_python_is_one_of_its_own(read: Read) -> None:
    assert given(read(relu(["None", "None", "True"]))) == {"x": "NxD1xD2"}
