"""How PyTorch's counters treat sharing, reuse, functions and operators, on networks written down by hand.

The figures are those that the tools themselves printed for these networks (PyTorch 2.13.0, CPU).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flopledger.errors import ConventionError, ProfileMismatch
from flopledger.graph.tables import TensorRef
from torch_sketch import Sketch, Tensor, agree, figures, params

Peers = dict[str, int]


CONV = {"kernel_size": (3, 5), "in_channels": 6, "out_channels": 10, "groups": 1}


DENSE = {"weight": (7, 7), "bias": (7,)}
SIZES = {"in_features": 7, "out_features": 7}
EVERY = ("ptflops", "thop", "torchinfo", "torchstat-flops", "torchstat-madd", "torchsummary")


def dense(net: Any, call: int) -> None:
    """The function that a dense layer of 7 by 7 calls."""
    names = "input weight bias"
    given = (Tensor(1, 7), Tensor(7, 7), Tensor(7))
    net.inner("function", "torch.nn.functional.linear", names, given, (1, 7), parent=call)


def test_a_module_called_twice() -> None:
    net = Sketch((1, 7))
    linear = net.register("torch.nn.Linear", DENSE, native=SIZES)
    dense(net, net.call(linear, 0, (1, 7)))
    dense(net, net.call(linear, (1, 7), (1, 7)))
    graph = net.graph()
    agree(
        graph, ptflops=112, thop=98, torchinfo=112, torchstat_flops=49, torchstat_madd=91,
        torchsummary=112, calflops_flops=196, calflops_macs=98,
    )  # fmt: skip
    assert params(graph, *EVERY) == dict.fromkeys(EVERY[:-1], 56) | {"torchsummary": 112}


def test_a_module_under_two_parents() -> None:
    net = Sketch((1, 7))
    boxes = [net.register("torch.nn.Sequential"), net.register("torch.nn.Sequential")]
    linear = net.register("torch.nn.Linear", DENSE, native=SIZES, parents=boxes)
    for box, given in zip(boxes, (0, (1, 7)), strict=True):
        call = net.call(box, given, (1, 7))
        dense(net, net.call(linear, (1, 7), (1, 7), parent=call))
    graph = net.graph()
    # Two calls of 49 products: twice for k parents in one tool, k * k times in another.
    agree(
        graph, ptflops=224, thop=392, torchinfo=112, torchstat_flops=49, torchstat_madd=91,
        torchsummary=224, calflops_flops=392, calflops_macs=196,
    )  # fmt: skip
    expected = {"ptflops": 56, "thop": 112, "torchstat-flops": 56, "torchsummary": 224, "fvcore": 56}
    assert params(graph, *expected) == expected


def test_what_lies_below_a_mapped_module_is_hidden() -> None:
    net = Sketch((1, 5, 8))
    native = {"head_dim": 4, "num_heads": 2}
    attention = net.register("timm.layers.attention.Attention", native=native)
    sizes = {"in_features": 8, "out_features": 24}
    qkv = net.register(
        "torch.nn.Linear", {"weight": (24, 8), "bias": (24,)}, parents=[attention], native=sizes
    )
    call = net.call(attention, 0, (1, 5, 8))
    net.call(qkv, (1, 5, 8), (1, 5, 24), parent=call)
    agree(net.graph(), ptflops=490, thop=960)  # 5 * 8 + 2 * (2 * 25 * 4 + 25); 5 * 8 * 24


def test_parameters_of_a_module_that_is_never_called() -> None:
    net = Sketch((1, 7))
    used = net.register("torch.nn.Linear", {"weight": (11, 7), "bias": (11,)}, native=SIZES)
    net.register("torch.nn.Linear", {"weight": (5, 7), "bias": (5,)}, native=SIZES)
    net.call(used, 0, (1, 11))
    expected = {"ptflops": 128, "thop": 88, "fvcore": 128, "torchinfo": 128, "torchstat-flops": 88}
    assert params(net.graph(), *expected) == expected


def test_tied_parameters_are_distinguished_by_object_not_by_memory() -> None:
    net = Sketch((1, 7))
    first = net.register("torch.nn.Linear", DENSE, native=SIZES)
    second = net.register("torch.nn.Linear", {"bias": (7,)}, native=SIZES, shared={"weight": 0})
    net.call(first, 0, (1, 7))
    net.call(second, (1, 7), (1, 7))
    expected = {"ptflops": 63, "thop": 112, "fvcore": 63, "torchinfo": 112, "torchstat-flops": 112}
    assert params(net.graph(), *expected) == expected
    weight, bias, other = net.builder.parameters
    net.builder.parameters.append(replace(weight, id=3, object=3))  # another object on the same memory
    graph = net.graph()
    assert params(graph, "ptflops", "mac") == {"ptflops": 112, "mac": 63}
    assert (bias.numel, other.numel) == (7, 7)


def test_frozen_weights_and_parameters_of_containers() -> None:
    net = Sketch((1, 3, 7))
    net.builder.modules.clear()
    net.register("net.Net", {"pos": (3, 7)})
    linear = net.register(
        "torch.nn.Linear", {"weight": (11, 7), "bias": (11,)}, frozen=["weight"], native=SIZES
    )
    net.call(linear, 0, (1, 3, 11))
    expected = {"ptflops": 32, "calflops-macs": 32, "fvcore": 109, "thop": 88, "torchinfo": 109}
    assert params(net.graph(), *expected) == expected  # 21 + 11; 21 + 77 + 11; 88


def test_subclasses() -> None:
    net = Sketch((1, 6, 11, 14))
    weights = {"weight": (10, 6, 3, 5), "bias": (10,)}
    bases = ("torch.nn.Conv2d", "torch.nn.Module")
    net.call(net.register("net.MyConv", weights, bases=bases, native=CONV), 0, (1, 10, 9, 10))
    graph = net.graph()
    agree(graph, ptflops=0, thop=0, torchinfo=81900, torchstat_flops=81900, torchstat_madd=162000)
    assert params(graph, "thop", "torchstat-flops") == {"thop": 0, "torchstat-flops": 910}


def test_pruned_weights() -> None:
    net = Sketch((1, 6, 11, 14))
    weights = {"weight": (10, 6, 3, 3), "bias": (10,)}
    native = {**CONV, "kept": {"weight": 270}}
    net.call(net.register("torch.nn.Conv2d", weights, native=native), 0, (1, 10, 9, 12))
    graph = net.graph()
    agree(graph, torchinfo=30240)  # (270 + 10) * 108
    assert params(graph, "torchinfo", "fvcore") == {"torchinfo": 280, "fvcore": 550}


def test_a_network_that_is_a_registered_layer_has_no_parameters_in_one_tool() -> None:
    net = Sketch((2, 7), root="torch.nn.Linear")
    net.builder.modules.clear()
    net.register("torch.nn.Linear", {"weight": (11, 7), "bias": (11,)}, native={"in_features": 7})
    net.builder.layers[0] = replace(net.builder.layers[0], outputs=(net.builder.tensor((2, 11)),))
    graph = net.graph()
    agree(graph, thop=154, ptflops=88)
    assert params(graph, "thop", "ptflops") == {"thop": 0, "ptflops": 88}


def test_inputs_by_keyword_are_no_batch() -> None:
    net = Sketch((2, 7), positional=False)
    net.call(net.register("torch.nn.Linear", DENSE), 0, (2, 7))
    agree(net.graph(), ptflops=112)  # 2 * (49 + 7), not divided


@pytest.mark.parametrize(
    ("source", "given", "expected"),
    [
        (
            "torch.matmul",
            ((2, 4, 5), (2, 5, 6)),
            {"ptflops": 240, "calflops-flops": 480, "deepspeed-train": 3 * 480},
        ),
        ("torch.matmul", ((4, 5), (5,)), {"ptflops": 100, "calflops-macs": 100}),
        (
            "torch.Tensor.__matmul__",
            ((2, 4, 5), (2, 5, 6)),
            {"ptflops": 0, "calflops-flops": 0, "deepspeed-train": 3 * 480},
        ),
        ("torch.mm", ((4, 5), (5, 6)), {"ptflops": 120, "calflops-flops": 0, "deepspeed-train": 3 * 240}),
        (
            "torch.add",
            ((1, 6, 5, 9), (9,)),
            {"ptflops": 2430, "calflops-flops": 2430, "deepspeed-train": 3 * 270},
        ),
        (
            "torch.add",
            ((1, 6, 5, 9), 1.5),
            {"ptflops": 270, "calflops-flops": 270, "deepspeed-train": 3 * 270},
        ),
        ("torch.Tensor.__add__", ((1, 6, 5, 9), (9,)), {"ptflops": 0, "calflops-flops": 0}),
        (
            "torch.addmm",
            ((6,), (4, 5), (5, 6)),
            {"ptflops": 126, "calflops-flops": 246, "deepspeed-train": 3 * 246},
        ),
        (
            "torch.baddbmm",
            ((2, 4, 6), (2, 4, 5), (2, 5, 6)),
            {"ptflops": 288, "calflops-flops": 528, "deepspeed-train": 3 * 528},
        ),
    ],
)
def test_functions_of_tensors(source: str, given: tuple[Any, ...], expected: Peers) -> None:
    net = Sketch((2, 7))
    values = [Tensor(*v) if isinstance(v, tuple) else v for v in given]
    net.inner("function", source, "input", values, given[0])  # the shape of sums; no other rule reads it
    assert figures(net.graph(), *expected) == expected


@pytest.mark.parametrize(
    ("equation", "shapes", "expected"),
    [
        ("bik,bkj->bij", ((2, 4, 5), (2, 5, 6)), {"fvcore": 240, "torchprofile": 240, "calflops-flops": 481}),
        (
            "bhid,bhjd->bhij",  # 12597 products: 2 * 12597 + 1 is printed as 2.520e+04
            ((1, 3, 13, 17), (1, 3, 19, 17)),
            {"fvcore": 12600, "torchprofile": 12597, "calflops-flops": 25200},
        ),
        ("nct,ncp->ntp", ((2, 4, 5), (2, 4, 6)), {"fvcore": 240, "torchprofile": 240}),
    ],
)
def test_einsum(equation: str, shapes: tuple[Any, ...], expected: Peers) -> None:
    net = Sketch((2, 7))
    net.inner("function", "torch.einsum", "equation", [equation, *(Tensor(*s) for s in shapes)], (1,))
    tensors = tuple(TensorRef(net.builder.tensor(s)) for s in shapes)
    net.inner("op", "aten.einsum.default", "equation tensors", [equation, tensors], (1,), composite=True)
    assert figures(net.graph(), *expected) == expected


def test_lowered_and_traced_operators() -> None:
    net = Sketch((2, 7))
    x, w, b = Tensor(2, 7), Tensor(11, 7), Tensor(11)
    linear = net.inner("op", "aten.linear.default", "input weight bias", (x, w, b), (2, 11), composite=True)
    given = (b, x, Tensor(7, 11))
    net.inner("op", "aten.addmm.default", "self mat1 mat2", given, (2, 11), parent=linear)
    agree(net.graph(), ptflops_aten=176, fvcore=154, torchprofile=154, torch_flop_counter=308)


@pytest.mark.parametrize(
    ("overload", "expected"), [("default", {"fvcore": 81000}), ("padding", {"fvcore": 0, "torchprofile": 0})]
)
def test_a_convolution_with_a_text_for_its_padding_is_not_traced_as_one(
    overload: str, expected: Peers
) -> None:
    net = Sketch((1, 7))
    x, w, b = Tensor(1, 6, 11, 14), Tensor(10, 6, 3, 5), Tensor(10)
    source = f"aten.conv2d.{overload}"
    outer = net.inner("op", source, "input weight bias", (x, w, b), (1, 10, 9, 10), composite=True)
    names = "input weight bias stride padding dilation transposed"
    given = (x, w, b, (1, 1), (0, 0), (1, 1), False)
    net.inner("op", "aten.convolution.default", names, given, (1, 10, 9, 10), parent=outer)
    expected |= {"ptflops-aten": 81900, "torch-flop-counter": 162000}
    assert figures(net.graph(), *expected) == expected


def test_a_transposed_convolution_that_is_traced() -> None:
    net = Sketch((1, 7))
    names = "input weight bias stride padding dilation transposed"
    given = (Tensor(1, 6, 7, 9), Tensor(6, 10, 3, 5), None, (2, 2), (0, 0), (1, 1), True)
    net.inner("op", "aten.convolution.default", names, given, (1, 10, 15, 21))
    agree(net.graph(), fvcore=56700, torchprofile=283500, ptflops_aten=56700, torch_flop_counter=113400)


def test_fused_attention() -> None:
    net = Sketch((1, 7))
    given = (Tensor(1, 3, 4, 5), Tensor(1, 3, 7, 5), Tensor(1, 3, 7, 6))
    source = "aten.scaled_dot_product_attention.default"
    net.inner("op", source, "query key value", given, (1, 3, 4, 6), composite=True)
    agree(net.graph(), torchprofile=924, fvcore=0, torch_flop_counter=0)


def test_the_reading_must_fit() -> None:
    net = Sketch((1, 7))
    with pytest.raises(ProfileMismatch, match="grad = False"):
        net.graph().count("torch-flop-counter-no-grad")
    with pytest.raises(ProfileMismatch, match="mode = eval"):
        net.graph(mode="train").count("thop")
    assert net.graph(mode="train").count("fvcore").total.count == 0


def test_they_are_for_networks_of_torch() -> None:
    graph = Sketch((1, 7)).graph()
    with pytest.raises(ConventionError, match="networks of torch"):
        replace(graph, reading=replace(graph.reading, framework="keras")).count("ptflops")


def test_operators_that_lead_to_no_output_are_dropped_by_the_tracer() -> None:
    net = Sketch((2, 7))
    used, spare = Tensor(2, 7), Tensor(2, 7)
    for given, gives in ((used, (2, 11)), (spare, (2, 5))):
        names = "input weight"
        net.inner("op", "aten.linear.default", names, (given, Tensor(gives[1], 7)), gives, composite=True)
    graph = net.graph()
    kept = replace(graph, outputs=graph.layers[1].outputs)
    assert figures(kept, "fvcore", "torchprofile") == {"fvcore": 154, "torchprofile": 154}  # 2 * 7 * 11


def test_a_weight_that_is_computed_is_needed() -> None:
    net = Sketch((2, 7))
    net.inner("op", "aten.mul.Tensor", "self other", (Tensor(11, 7), Tensor(11, 7)), (11, 7))
    weight = TensorRef(net.builder.layers[1].outputs[0])
    net.inner("op", "aten.linear.default", "input weight", (Tensor(2, 7), weight), (2, 11), composite=True)
    graph = net.graph()
    kept = replace(graph, outputs=graph.layers[2].outputs)
    assert figures(kept, "fvcore", "torchprofile") == {"fvcore": 154, "torchprofile": 231}  # 154 + 77
