"""Writes tiny.onnx, a small network with an open batch; needs the package onnx."""

from __future__ import annotations

from pathlib import Path

from onnx import ModelProto, TensorProto, helper


def weight(name: str, *shape: int) -> TensorProto:
    """Return a weight of zeros: a count looks at shapes alone."""
    count = 1
    for size in shape:
        count *= size
    return helper.make_tensor(name, TensorProto.FLOAT, shape, [0.0] * count)


def tiny() -> ModelProto:
    """Return the network: a convolution, a ReLU, the mean over the picture, and a dense layer."""
    nodes = [
        helper.make_node(
            "Conv", ["image", "conv.weight", "conv.bias"], ["a"], "/conv/Conv", pads=[1, 1, 1, 1]
        ),
        helper.make_node("Relu", ["a"], ["b"], "/relu/Relu"),
        helper.make_node("GlobalAveragePool", ["b"], ["c"], "/pool/GlobalAveragePool"),
        helper.make_node("Flatten", ["c"], ["d"], "/Flatten"),
        helper.make_node("Gemm", ["d", "fc.weight", "fc.bias"], ["label"], "/fc/Gemm", transB=1),
    ]
    weights = [
        weight("conv.weight", 8, 3, 3, 3),
        weight("conv.bias", 8),
        weight("fc.weight", 10, 8),
        weight("fc.bias", 10),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 32, 32])
    label = helper.make_tensor_value_info("label", TensorProto.FLOAT, ["batch", 10])
    graph = helper.make_graph(nodes, "tiny", [image], [label], weights)
    opset = helper.make_opsetid("", 17)
    return helper.make_model(graph, producer_name="flopledger", opset_imports=[opset], ir_version=8)


if __name__ == "__main__":
    Path(__file__).with_suffix("").with_name("tiny.onnx").write_bytes(tiny().SerializeToString())
