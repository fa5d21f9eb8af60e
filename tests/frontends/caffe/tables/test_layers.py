"""Each type of layer: its kind, the shapes of its tops, and its blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from caffe_layers import blobs, one, shapes
from flopledger.errors import SourceError
from flopledger.kinds import builtin
from flopledger_caffe.tables.layers import TABLE

if TYPE_CHECKING:
    from conftest import Read
    from flopledger.dims.types import Shape

CONV = "convolution_param {{ num_output: {} {} }}"


@pytest.mark.parametrize(
    ("layer", "inputs", "kind", "top"),
    [
        ("ReLU", "2x3x4x4", "relu", (2, 3, 4, 4)),
        ("ReLU relu_param { negative_slope: 0.1 }", "2x3", "leaky_relu", (2, 3)),
        ("ReLU relu_param { negative_slope: 0 }", "2x3", "relu", (2, 3)),
        ("ReLU6", "2x3", "relu6", (2, 3)),
        ("ELU", "2x3", "elu", (2, 3)),
        ("SELU", "2x3", "selu", (2, 3)),
        ("Sigmoid", "2x3", "sigmoid", (2, 3)),
        ("TanH", "2x3", "tanh", (2, 3)),
        ("Swish swish_param { beta: 2 }", "2x3", "swish", (2, 3)),
        ("Mish", "2x3", "mish", (2, 3)),
        ("HardSigmoid", "2x3", "hard_sigmoid", (2, 3)),
        ("HSwish", "2x3", "hard_swish", (2, 3)),
        ("BNLL", "2x3", "bnll", (2, 3)),
        ("AbsVal", "2x3", "abs", (2, 3)),
        ("Clip clip_param { min: 0 max: 6 }", "2x3", "hard_tanh", (2, 3)),
        ("Threshold", "2x3", "threshold", (2, 3)),
        ("Power power_param { power: 2 scale: 0.5 shift: 1 }", "2x3", "power_law", (2, 3)),
        ("Exp exp_param { base: 2 }", "2x3", "exp_law", (2, 3)),
        ("Log", "2x3", "log_law", (2, 3)),
        ("Softmax", "2x3", "softmax", (2, 3)),
        ("Dropout", "2x3", "dropout", (2, 3)),
        ("LRN lrn_param { local_size: 3 }", "2x3x4x4", "lrn", (2, 3, 4, 4)),
        ("MVN", "2x3x4x4", "mvn", (2, 3, 4, 4)),
    ],
)
def test_a_layer_without_weights(read: Read, layer: str, inputs: str, kind: str, top: Shape) -> None:
    graph, found = one(read, layer, inputs)
    assert (found.kind, shapes(graph, found), blobs(graph, found)) == (kind, [top], {})


@pytest.mark.parametrize(
    ("fields", "top", "weight"),
    [
        ("", (2, 10), (10, 60)),
        ("transpose: true", (2, 10), (60, 10)),
        ("axis: 2", (2, 3, 10), (10, 20)),
        ("axis: -1", (2, 3, 4, 10), (10, 5)),
        ("axis: 0", (10,), (10, 120)),
    ],
)
def test_inner_product(read: Read, fields: str, top: Shape, weight: Shape) -> None:
    graph, found = one(read, f"InnerProduct inner_product_param {{ num_output: 10 {fields} }}", "2x3x4x5")
    assert (found.kind, shapes(graph, found)) == ("linear", [top])
    assert blobs(graph, found) == {"weight": weight, "bias": (10,)}


@pytest.mark.parametrize(
    ("layer", "inputs", "kind", "top", "expected"),
    [
        (
            "Embed embed_param { num_output: 8 input_dim: 100 }",
            "5x2",
            "embedding",
            (5, 2, 8),
            {"weight": (100, 8), "bias": (8,)},
        ),
        (
            "BatchNorm",
            "2x3x4x4",
            "batch_norm",
            (2, 3, 4, 4),
            {"running_mean": (3,), "running_var": (3,), "counter": (1,)},
        ),
        ("BatchNorm", "7", "batch_norm", (7,), {"running_mean": (1,), "running_var": (1,), "counter": (1,)}),
        (
            "BN bn_param { bn_mode: INFERENCE }",
            "2x3x4x4",
            "batch_norm",
            (2, 3, 4, 4),
            {"scale": (1, 3, 1, 1), "shift": (1, 3, 1, 1)},
        ),
        ("Scale", "2x3x4x4", "scale", (2, 3, 4, 4), {"scale": (3,)}),
        (
            "Scale scale_param { bias_term: true }",
            "2x3x4",
            "scale",
            (2, 3, 4),
            {"scale": (3,), "shift": (3,)},
        ),
        ("Scale scale_param { axis: 0 num_axes: 2 }", "2x3x4", "scale", (2, 3, 4), {"scale": (2, 3)}),
        ("Scale scale_param { num_axes: -1 }", "2x3x4", "scale", (2, 3, 4), {"scale": (3, 4)}),
        ("Scale scale_param { num_axes: 0 }", "2x3x4", "scale", (2, 3, 4), {"scale": ()}),
        ("Bias", "2x3x4", "bias", (2, 3, 4), {"bias": (3,)}),
        ("PReLU", "2x3x4x4", "prelu", (2, 3, 4, 4), {"slope": (3,)}),
        ("PReLU prelu_param { channel_shared: true }", "2x3", "prelu", (2, 3), {"slope": ()}),
        (
            "Normalize norm_param { channel_shared: false }",
            "2x3x4x4",
            "l2_norm",
            (2, 3, 4, 4),
            {"scale": (3,)},
        ),
        ("Normalize", "2x3x4x4", "l2_norm", (2, 3, 4, 4), {"scale": ()}),
    ],
)
def test_a_layer_with_weights(  # noqa: PLR0913, PLR0917  (the columns of the table)
    read: Read, layer: str, inputs: str, kind: str, top: Shape, expected: dict[str, Shape]
) -> None:
    graph, found = one(read, layer, inputs)
    assert (found.kind, shapes(graph, found), blobs(graph, found)) == (kind, [top], expected)


def test_a_parameter_is_its_top(read: Read) -> None:
    graph, found = one(read, "Parameter parameter_param { shape { dim: 3 dim: 4 } }")
    assert (found.kind, shapes(graph, found), blobs(graph, found)) == ("fill", [(3, 4)], {"weight": (3, 4)})


@pytest.mark.parametrize(
    ("layer", "inputs", "kind", "tops"),
    [
        ("Eltwise", ["2x3", "2x3"], "add", [(2, 3)]),
        ("Eltwise eltwise_param { operation: PROD }", ["2x3", "2x3", "2x3"], "multiply", [(2, 3)]),
        ("Eltwise eltwise_param { operation: 2 }", ["2x3", "2x3"], "maximum", [(2, 3)]),
        ("Scale", ["2x3x4x4", "3x4"], "scale", [(2, 3, 4, 4)]),
        ("Bias bias_param { axis: 0 }", ["2x3x4", "2x3"], "bias", [(2, 3, 4)]),
        ("Axpy", ["2x3x1x1", "2x3x4x4", "2x3x4x4"], "scale", [(2, 3, 4, 4)]),
        ("SoftmaxWithLoss", ["2x9", "2"], "softmax_cross_entropy", [()]),
        ('SoftmaxWithLoss top: "y" top: "p"', ["2x9", "2"], "softmax_cross_entropy", [(), (2, 9)]),
        ("InfogainLoss", ["2x9", "2", "1x1x9x9"], "infogain", [()]),
        ("SigmoidCrossEntropyLoss", ["2x9", "2x9"], "sigmoid_cross_entropy", [()]),
        ("MultinomialLogisticLoss", ["2x9", "2"], "nll", [()]),
        ("EuclideanLoss", ["2x9", "2x9"], "mse", [()]),
        ("HingeLoss", ["2x9", "2"], "hinge", [()]),
        ("ContrastiveLoss", ["2x9", "2x9", "2"], "contrastive", [()]),
        ("SmoothL1Loss", ["2x9", "2x9"], "smooth_l1", [()]),
        ("Accuracy accuracy_param { top_k: 5 }", ["2x9", "2"], "accuracy", [()]),
        ('Accuracy top: "y" top: "each"', ["2x9", "2"], "accuracy", [(), (9,)]),
        ("MultiBoxLoss", ["2x9", "2x9"], "unknown", [()]),
        ('LSTMUnit top: "cell" top: "h"', ["1x2x5", "1x2x20", "1x2"], "lstm_unit", [(1, 2, 5), (1, 2, 5)]),
        # R-FCN's: the loss, the probabilities, and a loss for each label
        (
            'SoftmaxWithLossOHEM top: "y" top: "p" top: "each"',
            ["8x21x1x1", "8x1x1x1"],
            "softmax_cross_entropy",
            [(), (8, 21, 1, 1), (8, 1, 1, 1)],
        ),
        (
            'SmoothL1LossOHEM top: "y" top: "each"',
            ["8x4x1x1", "8x4x1x1", "8x4x1x1"],
            "smooth_l1",
            [(), (8, 1, 1, 1)],
        ),
        (
            'SoftmaxWithLoss top: "y" top: "p" top: "each"',
            ["8x21", "8"],
            "softmax_cross_entropy",
            [(), (8, 21), (8,)],
        ),
        ('EuclideanLoss top: "y" top: "each"', ["8x21", "8x21"], "mse", [(), None]),
    ],
)
def test_a_layer_with_several_bottoms_or_tops(
    read: Read, layer: str, inputs: list[str], kind: str, tops: list[Shape]
) -> None:
    graph, found = one(read, layer, *inputs)
    assert (found.kind, shapes(graph, found), blobs(graph, found)) == (kind, tops, {})
    assert bool(found.problem) == (kind == "unknown")


def test_lstm_blobs_and_shapes(read: Read) -> None:
    graph, found = one(read, "LSTM recurrent_param { num_output: 8 }", "5x2x3", "5x2")
    assert (found.kind, shapes(graph, found)) == ("lstm", [(5, 2, 8)])
    assert blobs(graph, found) == {"weight_input": (32, 3), "bias": (32,), "weight_hidden": (32, 8)}


def test_lstm_with_a_static_input_and_its_states(read: Read) -> None:
    fields = 'top: "y" top: "h" top: "cell" recurrent_param { num_output: 8 expose_hidden: true }'
    inputs = ("5x2x3x2", "5x2", "2x7", "1x2x8", "1x2x8")
    graph, found = one(read, f"LSTM {fields}", *inputs)
    assert shapes(graph, found) == [(5, 2, 8), (1, 2, 8), (1, 2, 8)]
    assert found.attrs["static_size"] == 7
    assert blobs(graph, found) == {
        "weight_input": (32, 6),
        "bias": (32,),
        "weight_static": (32, 7),
        "weight_hidden": (32, 8),
    }


def test_rnn_blobs_and_shapes(read: Read) -> None:
    graph, found = one(read, "RNN recurrent_param { num_output: 8 }", "5x2x3", "5x2")
    assert (found.kind, shapes(graph, found)) == ("rnn", [(5, 2, 8)])
    assert blobs(graph, found) == {
        "weight_input": (8, 3),
        "bias": (8,),
        "weight_hidden": (8, 8),
        "weight_output": (8, 8),
        "bias_output": (8,),
    }


def test_coefficients_reach_the_formula(read: Read) -> None:
    _, found = one(read, "Eltwise eltwise_param { coeff: 1 coeff: -0.5 }", "2x3", "2x3")
    assert found.attrs["coefficients"] == (1, -0.5)


def test_fields_are_native_facts_as_spelled(read: Read) -> None:
    _, found = one(read, "Power power_param { power: 2 }", "2x3")
    assert found.native == {"power": 2, "scale": 1, "shift": 0}
    _, found = one(read, "LRN", "2x3x4x4")
    assert found.native == {}
    _, found = one(read, "LRN lrn_param { local_size: 3 alpha: 0.5 norm_region: WITHIN_CHANNEL }", "2x3x4x4")
    assert found.native == {"local_size": 3, "alpha": 0.5, "norm_region": "WITHIN_CHANNEL"}
    assert found.attrs == {"size": 3, "across": "spatial"}
    _, found = one(read, "Convolution " + CONV.format(6, "kernel_size: 3 kernel_size: 1"), "1x4x8x9")
    assert found.native == {"num_output": 6, "kernel_size": (3, 1), "bias_term": True}
    _, found = one(read, "Eltwise eltwise_param { operation: 0 }", "2x3", "2x3")
    assert found.native == {"operation": "PROD"}


def test_training_shows_in_dropout_and_batch_norm(read: Read) -> None:
    _, found = one(read, "Dropout dropout_param { dropout_ratio: 0.3 }", "2x3", phase="train")
    assert found.attrs == {"rate": 0.3, "training": True}
    _, found = one(read, "BatchNorm", "2x3", phase="train")
    assert found.attrs["batch_stats"] is True
    _, found = one(read, "BatchNorm batch_norm_param { use_global_stats: true }", "2x3", phase="train")
    assert found.attrs["batch_stats"] is False


@pytest.mark.parametrize(
    ("layer", "inputs", "message"),
    [
        ("InnerProduct inner_product_param { num_output: -5 }", ["1x4"], "num_output is -5"),
        ("LRN lrn_param { local_size: 4 }", ["1x4x8x8"], "has the local_size 4, expected an odd one"),
        ("Scale scale_param { num_axes: 4 }", ["1x4x8"], "covers 4 axes from axis 1 on, its input has 3"),
        ("Scale", ["2x3x4", "5"], "the second input has not the sizes of the first"),
        ("Eltwise", ["2x3", "2x1"], "joins 'a' of shape 2x3 and 'b' of shape 2x1"),
        ("Eltwise eltwise_param { coeff: 1 }", ["2x3", "2x3"], "has 1 coeff"),
    ],
)
def test_an_impossible_layer_is_an_error_that_names_it(
    read: Read, layer: str, inputs: list[str], message: str
) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        one(read, layer, *inputs)
    assert f"net.prototxt:{len(inputs) + 1}:" in str(caught.value)


def test_a_field_without_meaning_is_noted(read: Read) -> None:
    graph, _ = one(
        read, "Convolution " + CONV.format(6, "kernel_size: 3 sparsity: 2 weight_filler { }"), "1x4x8x8"
    )
    assert graph.reading.notes == ("l: the field sparsity of convolution_param was left out",)


def test_a_loss_is_counted_without_its_label(read: Read) -> None:
    text = (
        'input: "x" input_shape { dim: 2 dim: 9 } '
        'layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "label" top: "loss" }'
        'layer { name: "m" type: "EuclideanLoss" bottom: "x" top: "loss2" }'
    )
    graph = read(text)
    assert [layer.kind for layer in graph.layers[1:]] == ["softmax_cross_entropy", "mse"]
    note = "l: its label 'label' was left out, no layer makes it; real Caffe would refuse that"
    assert graph.reading.notes == (note,)
    assert not graph.count("ops").coverage.unknown


def test_each_row_of_the_table_has_a_kind_that_exists_or_says_why_not() -> None:
    for name, row in TABLE.items():
        assert callable(row.kind) or row.kind in builtin() or (row.kind is None and row.why and row.tops), (
            name
        )
