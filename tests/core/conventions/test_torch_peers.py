"""The conventions of PyTorch's counters, on networks written down by hand.

The figures are those that the tools themselves printed for these layers (PyTorch 2.13.0, CPU).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from flopledger.counting.ledger import Adjustment
from flopledger.graph.tables import TensorRef
from torch_sketch import Sketch, Tensor, agree, figures, params

if TYPE_CHECKING:
    from flopledger.graph.graph import Graph

Peers = dict[str, int]


def one_layer(source: str, given: tuple[int, ...], gives: tuple[int, ...], **told: Any) -> Graph:
    """A network of one layer; ``functions`` are the calls of its forward, as (source, names, values)."""
    functions = told.pop("functions", ())
    call = told.pop("call", {})
    net = Sketch(given)
    layer = net.call(net.register(source, **told), 0, gives, **call)
    for name, names, values in functions:
        net.inner("function", name, names, values, gives, parent=layer)
    return net.graph()


CONV = {"kernel_size": (3, 5), "in_channels": 6, "out_channels": 10, "groups": 1}


def conv_function(name: str, given: Any, weight: Any, stride: int) -> tuple[Any, ...]:
    bias = Tensor(10)
    return (f"torch.nn.functional.{name}", "input weight bias stride", (given, weight, bias, stride))


def test_convolution() -> None:
    function = conv_function("conv2d", Tensor(1, 6, 11, 14), Tensor(10, 6, 3, 5), 1)
    weights = {"weight": (10, 6, 3, 5), "bias": (10,)}
    graph = one_layer(
        "torch.nn.Conv2d", (1, 6, 11, 14), (1, 10, 9, 10),
        weights=weights, native=CONV, functions=[function],
    )  # fmt: skip
    agree(
        graph, ptflops=81900, thop=81000, torchinfo=81900, torchstat_flops=81900, torchstat_madd=162000,
        calflops_flops=162900, calflops_macs=81000, torchsummary=910,
    )  # fmt: skip
    assert set(params(graph, "ptflops", "thop", "fvcore", "torchinfo", "torchstat-flops").values()) == {910}


def test_batch_of_two_is_divided_in_one_tool_and_in_no_other() -> None:
    function = conv_function("conv2d", Tensor(2, 6, 11, 14), Tensor(10, 6, 3, 5), 1)
    weights = {"weight": (10, 6, 3, 5), "bias": (10,)}
    graph = one_layer(
        "torch.nn.Conv2d", (2, 6, 11, 14), (2, 10, 9, 10),
        weights=weights, native=CONV, functions=[function],
    )  # fmt: skip
    agree(graph, ptflops=81900, thop=162000, torchinfo=163800, calflops_flops=325800, calflops_macs=162000)
    assert graph.count("ptflops").adjustments == (Adjustment("batch division", -81900),)


def test_transposed_convolution() -> None:
    function = conv_function("conv_transpose2d", Tensor(1, 6, 7, 9), Tensor(6, 10, 3, 5), 2)
    graph = one_layer(
        "torch.nn.ConvTranspose2d", (1, 6, 7, 9), (1, 10, 15, 21),
        weights={"weight": (6, 10, 3, 5), "bias": (10,)}, native=CONV, functions=[function],
    )  # fmt: skip
    agree(
        graph, ptflops=59850, thop=283500, torchinfo=286650, torchstat_flops=0, torchstat_madd=113400,
        calflops_flops=113490, calflops_macs=56700,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mask", "bias", "expected"),
    [(False, True, 114_300), (False, False, 113_400), (True, True, 115_650), (True, False, 114_750)],
)
def test_deformable_convolution(*, mask: bool, bias: bool, expected: int) -> None:
    net = Sketch((1, 6, 11, 14))
    weights = {"weight": (10, 6, 3, 5), **({"bias": (10,)} if bias else {})}
    layer = net.register("torchvision.ops.deform_conv.DeformConv2d", weights, native=CONV)
    given = (net.given[0], net.builder.tensor((1, 30, 9, 10)), net.builder.tensor((1, 15, 9, 10)))
    net.call(layer, 0, (1, 10, 9, 10), args=tuple(map(TensorRef, given if mask else given[:2])))
    agree(net.graph(), ptflops=expected)


@pytest.mark.parametrize("kernel", ["flash", "efficient", "cudnn"])
def test_the_fused_kernels_of_attention(kernel: str) -> None:
    net = Sketch((2, 4, 8, 16))
    given = (Tensor(2, 4, 8, 16), Tensor(2, 4, 12, 16), Tensor(2, 4, 12, 32))
    net.inner("op", f"aten._scaled_dot_product_{kernel}_attention", "query key value", given, (2, 4, 8, 32))
    agree(net.graph(), torch_flop_counter=73_728)


PLAIN = ((2, 8, 4, 4), (2, 4, 6, 6), (8, 4, 3, 3))  # the result's gradient, the input, the weight
GROUPED = ((2, 8, 4, 4), (2, 4, 6, 6), (8, 2, 3, 3))
TRANSPOSED = ((2, 6, 8, 8), (2, 4, 6, 6), (4, 6, 3, 3))


@pytest.mark.parametrize(
    ("shapes", "mask", "expected"),
    [
        (PLAIN, (True, True, False), 36_864),
        (PLAIN, (True, False, True), 18_432),
        (PLAIN, (False, True, False), 18_432),
        (GROUPED, (True, True, False), 27_648),  # the gradient of the weight ignores the 2 groups
        (GROUPED, (True, False, True), 9_216),
        (GROUPED, (False, True, False), 18_432),
        (TRANSPOSED, (True, True, False), 62_208),
        (TRANSPOSED, (True, False, True), 31_104),
        (TRANSPOSED, (False, True, False), 31_104),
    ],
)
def test_the_backward_of_a_convolution_in_a_forward(
    shapes: tuple[tuple[int, ...], ...], mask: tuple[bool, ...], expected: int
) -> None:
    net = Sketch(shapes[1])
    given = (*(Tensor(*shape) for shape in shapes), shapes is TRANSPOSED, mask)
    names = "grad_output input weight transposed output_mask"
    net.inner("op", "aten.convolution_backward", names, given, shapes[1])
    agree(net.graph(), torch_flop_counter=expected)


@pytest.mark.parametrize(
    ("function", "names", "given", "gives", "forward"),
    [
        (
            "conv_transpose2d", "input weight bias",
            (Tensor(2, 4, 5, 7), Tensor(4, 6, 3, 2), Tensor(6)), (2, 6, 11, 14), 22_008,
        ),
        ("conv_transpose2d", "input weight", (Tensor(2, 4, 5, 7), Tensor(4, 6, 3, 2)), (2, 6, 7, 8), 20_160),
        ("conv_transpose1d", "input weight", (Tensor(2, 4, 5), Tensor(4, 6, 3)), (2, 6, 7), 1_440),
        ("interpolate", "input size", (Tensor(2, 4, 5, 7), (10, 13)), (2, 4, 10, 13), 130),
        ("interpolate", "input size", (Tensor(2, 4, 5, 7), 9), (2, 4, 9, 9), 9),
        ("interpolate", "input size scale_factor", (Tensor(2, 4, 5, 7), None, 2.5), (2, 4, 12, 17), 1_750),
        ("interpolate", "input size scale_factor", (Tensor(2, 4, 5, 7), None, 1.3), (2, 4, 6, 9), 473),
        (
            "interpolate", "input size scale_factor",
            (Tensor(2, 4, 5, 7), None, (2.0, 3.0)), (2, 4, 10, 21), 1_680,
        ),
        (
            "scaled_dot_product_attention", "query key value",
            (Tensor(2, 3, 5, 8), Tensor(2, 3, 7, 8), Tensor(2, 3, 7, 6)), (2, 3, 5, 6), 5_880,
        ),
    ],
)  # fmt: skip
def test_a_step_of_deepspeed_is_three_of_its_forwards(
    function: str, names: str, given: tuple[Any, ...], gives: tuple[int, ...], forward: int
) -> None:
    """The forwards are what the profiler of DeepSpeed 0.19.8 printed for these calls."""
    net = Sketch((2, 4, 5, 7))
    net.inner("function", f"torch.nn.functional.{function}", names, given, gives)
    agree(net.graph(step="train"), deepspeed_train=3 * forward)


def test_dense_layer_on_three_axes() -> None:
    weights = {"weight": (11, 7), "bias": (11,)}
    native = {"in_features": 7, "out_features": 11}
    function = ("torch.nn.functional.linear", "input weight", (Tensor(2, 5, 7), Tensor(11, 7)))
    graph = one_layer(
        "torch.nn.Linear", (2, 5, 7), (2, 5, 11), weights=weights, native=native, functions=[function]
    )
    agree(graph, ptflops=440, thop=770, torchinfo=176, calflops_flops=1540, calflops_macs=770)


def test_the_total_is_truncated_once_and_says_so() -> None:
    weights = {"weight": (11, 7), "bias": (11,)}
    graph = one_layer("torch.nn.Linear", (7,), (11,), weights=weights)
    ledger = graph.count("ptflops")
    assert ledger.total.count == 12  # 88 / 7 = 12.57...
    assert [(a.what, str(a.count)) for a in ledger.adjustments] == [
        ("batch division", "-528/7"),  # 88 / 7 - 88
        ("rounding", "-4/7"),  # 12 - 88 / 7
    ]


@pytest.mark.parametrize(
    ("source", "native", "expected"),
    [
        ("BatchNorm2d", {"affine": True}, {"ptflops": 630, "thop": 1260, "torchinfo": 14}),
        ("LayerNorm", {"elementwise_affine": True}, {"ptflops": 315, "thop": 1260, "torchinfo": 14}),
        ("LayerNorm", {"elementwise_affine": False}, {"ptflops": 315, "thop": 630}),
        ("GroupNorm", {"affine": True}, {"ptflops": 630, "thop": 0, "torchinfo": 14}),
        ("RMSNorm", {}, {"ptflops": 0, "thop": 0}),
    ],
)
def test_norms(source: str, native: dict[str, Any], expected: Peers) -> None:
    weights = {"weight": (7,), "bias": (7,), "running_mean": (7,)}
    graph = one_layer(f"torch.nn.{source}", (1, 7, 5, 9), (1, 7, 5, 9), weights=weights, native=native)
    assert figures(graph, *expected) == expected
    assert params(graph, "ptflops", "fvcore", "torchinfo") == {"ptflops": 14, "fvcore": 14, "torchinfo": 14}


def test_batch_norm_by_function_and_by_leaf() -> None:
    x, c = Tensor(1, 7, 5, 9), Tensor(7)
    names = "input running_mean running_var weight bias training"
    function = ("torch.nn.functional.batch_norm", names, (x, c, c, c, c, False))
    graph = one_layer(
        "torch.nn.BatchNorm2d", (1, 7, 5, 9), (1, 7, 5, 9),
        weights={"weight": (7,), "bias": (7,)}, native={"affine": True}, functions=[function],
    )  # fmt: skip
    agree(graph, calflops_flops=630, calflops_macs=0, torchstat_flops=630, torchstat_madd=1260)


def test_an_activation_counts_as_a_module_and_again_as_a_function() -> None:
    function = ("torch.nn.functional.relu", "input", (Tensor(2, 6, 5, 9),))
    graph = one_layer("torch.nn.ReLU", (2, 6, 5, 9), (2, 6, 5, 9), functions=[function])
    agree(graph, ptflops=810, thop=0, calflops_flops=540)  # 540 / 2 + 540


@pytest.mark.parametrize(
    ("source", "function", "kernel", "gives", "expected"),
    [
        ("MaxPool2d", "max_pool2d", 3, (1, 6, 6, 7), {"thop": 0, "torchstat-madd": 2016}),
        ("AvgPool2d", "avg_pool2d", (2, 3), (1, 6, 5, 6), {"thop": 180, "torchstat-madd": 1080}),
        # In double precision 11 / 3 * 14 / 4 + 1, times 72, is just below 996.
        ("AdaptiveAvgPool2d", "adaptive_avg_pool2d", None, (1, 6, 3, 4), {"thop": 995}),
    ],
)
def test_pools(source: str, function: str, kernel: Any, gives: tuple[int, ...], expected: Peers) -> None:
    inner = (f"torch.nn.functional.{function}", "input", (Tensor(1, 6, 11, 14),))
    graph = one_layer(
        f"torch.nn.{source}", (1, 6, 11, 14), gives,
        native={"kernel_size": kernel}, functions=[inner],
    )  # fmt: skip
    assert figures(graph, *expected) == expected
    agree(graph, ptflops=1848, calflops_flops=924)


def test_upsampling() -> None:
    names = "input size scale_factor mode"
    function = ("torch.nn.functional.interpolate", names, (Tensor(1, 6, 5, 7), None, 2.0, "bilinear"))
    graph = one_layer(
        "torch.nn.Upsample", (1, 6, 5, 7), (1, 6, 10, 14),
        native={"mode": "bilinear", "scale_factor": 2.0}, functions=[function],
    )  # fmt: skip
    agree(graph, ptflops=1680, thop=9240, torchstat_flops=140, torchstat_madd=0, calflops_flops=210)


def test_a_tuple_of_scales_is_truncated() -> None:
    net = Sketch((1, 6, 5, 7))
    net.inner(
        "function", "torch.nn.functional.interpolate", "input size scale_factor",
        (Tensor(1, 6, 5, 7), None, (1.5, 2)), (1, 6, 7, 14),
    )  # fmt: skip
    agree(net.graph(), ptflops=420)  # 210 * 1 * 2


def lstm(gates: int, layers: int = 1, ways: int = 1) -> dict[str, Any]:
    """A recurrent layer with 5 features and 7 hidden units."""
    weights: dict[str, tuple[int, ...]] = {}
    pairs = []
    for layer in range(layers):
        width = 5 if layer == 0 else 7 * ways
        pairs.append(((7 * gates, width), (7 * gates, 7)))
        for way in ("", "_reverse")[:ways]:
            shapes = {"weight_ih": pairs[-1][0], "weight_hh": pairs[-1][1], "bias_ih": (7 * gates,)}
            shapes["bias_hh"] = (7 * gates,)
            weights |= {f"{name}_l{layer}{way}": shape for name, shape in shapes.items()}
    native = {
        "input_size": 5, "hidden_size": 7, "num_layers": layers, "bidirectional": ways == 2,
        "batch_first": True, "bias": True, "weights": tuple(pairs),
    }  # fmt: skip
    return {"weights": weights, "native": native}


@pytest.mark.parametrize(
    ("source", "told", "gives", "expected"),
    [
        ("LSTM", lstm(4), (1, 4, 7), (1848, 1792, 1568, 2968)),
        ("GRU", lstm(3, ways=2), (1, 4, 14), (2744, 2744, 2352, 4424)),
        ("LSTM", lstm(4, layers=2, ways=2), (1, 4, 14), (9408, 9184, 8288, 15904)),
    ],
)
def test_recurrent_layers(
    source: str, told: dict[str, Any], gives: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    graph = one_layer(f"torch.nn.{source}", (1, 4, 5), gives, **told)
    names = ("ptflops", "thop", "torchinfo", "calflops-flops")
    assert figures(graph, *names) == dict(zip(names, expected, strict=True))
    assert graph.count("calflops-macs").total.count == 0
    assert graph.count("deepspeed-train").total.count == 3 * expected[-1]  # the hook that calflops took over
    assert graph.count("torchsummary").total.params == 0


def test_recurrent_cell() -> None:
    weights = {"weight_ih": (21, 5), "weight_hh": (21, 7), "bias_ih": (21,), "bias_hh": (21,)}
    native = {"input_size": 5, "hidden_size": 7, "bias": True}
    graph = one_layer("torch.nn.GRUCell", (2, 5), (2, 7), weights=weights, native=native)
    agree(graph, ptflops=343, thop=686, torchinfo=4116, calflops_flops=1106)


def test_attention() -> None:
    net = Sketch((1, 5, 8))
    native = {"batch_first": True, "num_heads": 2, "in_proj_bias": (24,)}
    weights = {"in_proj_weight": (24, 8), "in_proj_bias": (24,)}
    attention = net.register("torch.nn.MultiheadAttention", weights, native=native)
    linear = "torch.nn.modules.linear.NonDynamicallyQuantizableLinear"
    net.register(linear, {"weight": (8, 8), "bias": (8,)}, parents=[attention])
    query = TensorRef(net.given[0])
    net.call(attention, 0, (1, 5, 8), args=(query, query, query))
    graph = net.graph()
    agree(graph, ptflops=1930, thop=0, torchinfo=0)
    assert params(graph, "ptflops", "thop", "torchinfo") == {"ptflops": 288, "thop": 0, "torchinfo": 288}
