"""PyTorch's FlopCounterMode around a training step, on operators written down by hand.

Each operator multiplies data and a weight. The tool counts two operations for each multiply-accumulate, of
the forward and of each gradient in the backward, and of what a checkpointed region computes a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading, TensorRef
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from flopledger.dims.types import Shape
    from flopledger.graph.graph import Graph

OPERATORS: dict[str, tuple[str, str, dict[str, Any], Shape, Shape, Shape, int]] = {
    "mm": ("matmul", "self mat2", {}, (2, 3), (3, 4), (2, 4), 2 * 3 * 4),
    "bmm": ("matmul", "self mat2", {}, (5, 2, 3), (5, 3, 4), (5, 2, 4), 5 * 2 * 3 * 4),
    "addmm": ("matmul", "mat1 mat2", {}, (2, 3), (3, 4), (2, 4), 2 * 3 * 4),
    "baddbmm": ("matmul", "batch1 batch2", {}, (5, 2, 3), (5, 3, 4), (5, 2, 4), 5 * 2 * 3 * 4),
    # 2 groups of 2 channels; 6 filters over 4 x 4 places, 2 x 3 x 3 weights each
    "convolution": (
        "conv", "input weight", {"kernel": (3, 3), "out_channels": 6, "groups": 2},
        (1, 4, 6, 6), (6, 2, 3, 3), (1, 6, 4, 4), 6 * 16 * 18,
    ),
}  # fmt: skip
"""The kind, the names of the factors, attributes, the shapes of data, weight and result, and the macs."""

QUERY_KEY_VALUE = {"query": (2, 4, 8, 16), "key": (2, 4, 12, 16), "value": (2, 4, 12, 32)}


def step(operator: str, *, grad_inputs: bool = False, frozen: bool = False, again: bool = False) -> Graph:
    """Return a network of one operator, read for a training step."""
    kind, names, attrs, given, held, made, _ = OPERATORS[operator]
    b = GraphBuilder(builtin())
    x = b.input("x", given)
    b.parameters.append(Parameter(0, ("weight",), held, role="weight", trainable=not frozen))
    weight, out = b.tensor(held, parameter=0), b.tensor(made)
    b.modules.append(Module(0, ("",), "mine.Net", parameters=(("weight", 0),)))
    root = b.layer("", "container", "mine.Net", module=0, inputs=(x,), outputs=(out,))
    if again:
        root = b.layer(
            "checkpoint", "container", "torch.utils.checkpoint.checkpoint", level="function", parent=root,
            inputs=(x,), outputs=(out,), native={"recomputed": "all"},
        )  # fmt: skip
    factors = (TensorRef(x), TensorRef(weight))
    b.layer(
        operator, kind, f"aten.{operator}.default", level="op", parent=root,
        inputs=(x,) if kind == "conv" else (x, weight), outputs=(out,), attrs=attrs,
        native={**dict(zip(names.split(), factors, strict=True)), "args": factors, **attrs},
    )  # fmt: skip
    profile: dict[str, Any] = {"mode": "train", "grad": True, "step": "train"}
    if grad_inputs:
        profile["grad_inputs"] = ("all",)
    return b.build(Reading("net", "hand", "torch", "2.13.0", profile), (out,))


def flops(graph: Graph) -> object:
    return graph.count("torch-flop-counter-train").total.count


@pytest.mark.parametrize("operator", OPERATORS)
def test_each_gradient_of_a_product_counts_as_much_as_the_product(operator: str) -> None:
    macs = OPERATORS[operator][-1]
    # the gradient of a convolution's weight ignores its 2 groups
    weight = 2 if operator == "convolution" else 1
    assert flops(step(operator)) == 2 * macs * (1 + weight)
    assert flops(step(operator, grad_inputs=True)) == 2 * macs * (2 + weight)
    assert flops(step(operator, grad_inputs=True, frozen=True)) == 2 * macs * 2


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_product_of_a_checkpointed_region_counts_once_more(operator: str) -> None:
    macs = OPERATORS[operator][-1]
    assert flops(step(operator, grad_inputs=True, frozen=True, again=True)) == 2 * macs * 3


@pytest.mark.parametrize(("grad_inputs", "expected"), [(False, 73_728), (True, 245_760)])
@pytest.mark.parametrize("kernel", ["flash", "efficient", "cudnn"])
def test_the_backward_of_a_fused_attention_has_five_products(
    kernel: str, *, grad_inputs: bool, expected: int
) -> None:
    """The figures are the tool's own for these kernels (efficient and cudnn, on tensors without data)."""
    b = GraphBuilder(builtin())
    given = [b.input(name, shape) for name, shape in QUERY_KEY_VALUE.items()]
    out = b.tensor((2, 4, 8, 32))
    b.modules.append(Module(0, ("",), "mine.Net"))
    root = b.layer("", "container", "mine.Net", module=0, inputs=given, outputs=(out,))
    native = {name: TensorRef(i) for name, i in zip(QUERY_KEY_VALUE, given, strict=True)}
    source = f"aten._scaled_dot_product_{kernel}_attention.default"
    b.layer(
        "attention", "attention", source, level="op", parent=root,
        inputs=given, outputs=(out,), native=native,
    )  # fmt: skip
    profile: dict[str, Any] = {"mode": "train", "grad": True, "step": "train"}
    if grad_inputs:
        profile["grad_inputs"] = ("all",)
    assert flops(b.build(Reading("net", "hand", "torch", "2.13.0", profile), (out,))) == expected
