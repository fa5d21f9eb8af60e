"""Each operator alone: its kind, the shape of its result, and its cost, worked out by hand."""

# ruff: noqa: E501  (a table is read row by row)
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flopledger_onnx.tables.layers import CONTROL, TABLE
from flopledger_onnx.tables.movement import DEPENDENT as ALWAYS
from onnx_files import FLOAT, INT32, INT64, UINT8, one, tensor
from onnx_operators import MS, cost, ints, lacking, scalar, shapes, w

if TYPE_CHECKING:
    from conftest import Read

OTHERS: list[tuple[str, bytes, str, tuple[int, ...], str, int]] = [
    ("max_pool", one("MaxPool", [1, 2, 7, 7], kernel_shape=[3, 3], strides=[2, 2]), "max_pool", (1, 2, 3, 3),
     "compares", 8 * 18),
    ("max_pool_ceil", one("MaxPool", [1, 2, 6], kernel_shape=[3], strides=[2], ceil_mode=1), "max_pool", (1, 2, 3),
     "compares", 2 * 6),
    # without clipping the last of five windows would begin beyond the end
    ("avg_pool_clip", one("AveragePool", [1, 1, 8], kernel_shape=[1], strides=[2], ceil_mode=1, opset=19),
     "avg_pool", (1, 1, 4), "divides", 4),
    ("lp_pool", one("LpPool", [1, 2, 6], kernel_shape=[2], strides=[2], p=2), "lp_pool", (1, 2, 3), "sqrts", 6),
    ("global_avg", one("GlobalAveragePool", [1, 2, 3, 4]), "avg_pool", (1, 2, 1, 1), "adds", 22),
    ("global_max", one("GlobalMaxPool", [1, 2, 3, 4]), "max_pool", (1, 2, 1, 1), "compares", 22),
    ("max_unpool", one("MaxUnpool", [1, 1, 2, 2], [1, 1, 2, 2], kernel_shape=[2, 2], strides=[2, 2]), "view",
     (1, 1, 4, 4), "adds", 0),
    ("batch_norm", one("BatchNormalization", [2, 3, 4], constants=[w(n, 3) for n in "sbmv"]), "batch_norm",
     (2, 3, 4), "multiplies", 48),
    ("layer_norm", one("LayerNormalization", [2, 3, 4], constants=[w("s", 4), w("b", 4)], outputs=3),
     "layer_norm", (2, 3, 4), "sqrts", 6),
    ("rms_norm", one("RMSNormalization", [2, 3, 4], constants=[w("s", 4)], opset=23), "rms_norm", (2, 3, 4),
     "sqrts", 6),
    ("instance_norm", one("InstanceNormalization", [2, 3, 4], constants=[w("s", 3), w("b", 3)]), "instance_norm",
     (2, 3, 4), "sqrts", 6),
    ("group_norm", one("GroupNormalization", [2, 4, 5], constants=[w("s", 4), w("b", 4)], opset=21, num_groups=2),
     "group_norm", (2, 4, 5), "sqrts", 4),
    ("lrn", one("LRN", [1, 4, 2], size=3), "lrn", (1, 4, 2), "powers", 8),
    ("lp_norm", one("LpNormalization", [2, 3], axis=1), "l2_norm", (2, 3), "sqrts", 2),
    ("lp_norm_1", one("LpNormalization", [2, 3], axis=1, p=1), "container", (2, 3), "divides", 6),
    ("mean_variance", one("MeanVarianceNormalization", [2, 3, 4, 5]), "container", (2, 3, 4, 5), "sqrts", 3),
    # before opset 13 all axes from the first on are one: 2 vectors of 12
    ("softmax_old", one("Softmax", [2, 3, 4], opset=11), "softmax", (2, 3, 4), "compares", 22),
    ("softmax", one("Softmax", [2, 3, 4]), "softmax", (2, 3, 4), "compares", 18),
    ("hardmax", one("Hardmax", [2, 3]), "arg_max", (2, 3), "compares", 4),
    ("dropout", one("Dropout", [2, 3], outputs=2), "dropout", (2, 3), "multiplies", 0),
    ("clip", one("Clip", [2, 3], constants=[scalar("a", 0.0, FLOAT), scalar("b", 6.0, FLOAT)]), "hard_tanh",
     (2, 3), "compares", 12),
    ("gelu_tanh", one("Gelu", [2, 3], opset=20, approximate="tanh"), "gelu_tanh", (2, 3), "multiplies", 36),
    ("swish", one("Swish", [2, 3], opset=24), "silu", (2, 3), "exps", 6),
    ("swiglu", one("SwiGLU", [2, 3], [2, 3], opset=28), "container", (2, 3), "exps", 6),
    ("square", one("Pow", [2, 3], constants=[scalar("e", 2.0, FLOAT)]), "square", (2, 3), "multiplies", 6),
    ("cube", one("Pow", [2, 3], constants=[scalar("e", 3.0, FLOAT)]), "power", (2, 3), "powers", 6),
    ("add", one("Add", [2, 3], [3]), "add", (2, 3), "adds", 6),
    ("sum", one("Sum", [2, 3], [2, 3], [2, 3]), "add", (2, 3), "adds", 12),
    ("mean", one("Mean", [2, 3], [2, 3]), "average", (2, 3), "divides", 6),
    ("max", one("Max", [2, 3], [3]), "maximum", (2, 3), "compares", 6),
    ("rotary", one("RotaryEmbedding", [1, 2, 3, 4], [3, 2], [3, 2], opset=23), "multiply_add", (1, 2, 3, 4),
     "multiplies", 48),
    ("rotary_part", one("RotaryEmbedding", [1, 2, 3, 8], [3, 2], [3, 2], opset=23, rotary_embedding_dim=4),
     "container", (1, 2, 3, 8), "multiplies", 48),
    ("reduce_attribute", one("ReduceMean", [2, 3, 4], axes=[1]), "reduce_mean", (2, 1, 4), "divides", 8),
    ("reduce_input", one("ReduceSum", [2, 3, 4], constants=[ints("a", -1)], keepdims=0), "reduce_sum", (2, 3),
     "adds", 18),
    ("reduce_all", one("ReduceL2", [2, 3]), "vector_norm", (1, 1), "sqrts", 1),
    ("reduce_noop", one("ReduceSum", [2, 3], noop_with_empty_axes=1), "identity", (2, 3), "adds", 0),
    ("log_sum", one("ReduceLogSum", [2, 3], axes=[1]), "container", (2, 1), "logs", 2),
    ("log_sum_exp", one("ReduceLogSumExp", [2, 3], axes=[1]), "logsumexp", (2, 1), "logs", 2),
    ("arg_max", one("ArgMax", [2, 3], axis=1, keepdims=0), "arg_max", (2,), "compares", 4),
    ("top_k", one("TopK", [2, 5], constants=[ints("k", 1)], outputs=2), "top_k", (2, 1), "compares", 8),
    ("cumsum", one("CumSum", [2, 3], constants=[scalar("a", 1)]), "cumsum", (2, 3), "adds", 4),
    # 8 points take 3 rounds of 8 complex additions and 4 products, half of it for real input
    ("dft", one("DFT", [1, 8, 1], opset=17, axis=1, onesided=1), "fft", (1, 5, 2), "multiplies", 24),
    ("dft_inverse", one("DFT", [1, 5, 2], opset=17, axis=1, onesided=1, inverse=1), "fft", (1, 8, 1), "multiplies", 24 + 8),
    ("stft", one("STFT", [1, 16, 1], constants=[scalar("s", 4), w("w", 8), scalar("l", 8)]), "container",
     (1, 3, 5, 2), "multiplies", 3 * (24 + 8)),
    ("hann", one("HannWindow", constants=[scalar("n", 8)]), "container", (8,), "trigs", 8),
    ("blackman", one("BlackmanWindow", constants=[scalar("n", 8)]), "container", (8,), "trigs", 16),
    ("det", one("Det", [2, 3, 3]), "det", (2,), "adds", 0),
    ("resize_sizes", one("Resize", [1, 2, 3, 4], constants=[None, None, ints("s", 1, 2, 6, 8)], mode="linear"),
     "resample", (1, 2, 6, 8), "multiplies", 2 * 3 * 96),
    ("resize_scales", one("Resize", [1, 2, 3, 4], constants=[None, tensor("s", [4], [1, 1, 2 / 3, 0.5])]),
     "resample", (1, 2, 2, 2), "multiplies", 0),
    ("resize_last", one("Resize", [1, 3, 4, 2], constants=[None, None, ints("s", 1, 6, 8, 2)], mode="linear"),
     "resample", (1, 6, 8, 2), "multiplies", 2 * 3 * 96),
    ("resize_axes", one("Resize", [1, 2, 3, 4], constants=[None, None, ints("s", 6, 8)], mode="nearest", opset=18,
                        axes=[2, 3]), "resample", (1, 2, 6, 8), "multiplies", 0),
    ("upsample", one("Upsample", [1, 2, 3, 4], opset=7, scales=[1.0, 1.0, 2.0, 2.0], mode="nearest"), "resample",
     (1, 2, 6, 8), "multiplies", 0),
    ("grid_sample", one("GridSample", [1, 2, 5, 5], [1, 3, 3, 2], mode="nearest"), "grid_sample", (1, 2, 3, 3),
     "multiplies", 0),
    ("roi_align", one("RoiAlign", [1, 2, 5, 5], [3, 4], constants=[tensor("b", [3], [0, 0, 0], INT64)],
                      output_height=2, output_width=2, sampling_ratio=2), "container", (3, 2, 2, 2), "divides", 24),
    ("col2im", one("Col2Im", [1, 8, 9], constants=[ints("i", 4, 4), ints("b", 2, 2)], opset=18), "accumulate",
     (1, 2, 4, 4), "adds", 72),
    ("scatter_add", one("ScatterElements", [3, 4], constants=[tensor("i", [2, 4], [0] * 8, INT64), w("u", 2, 4)],
                        reduction="add"), "accumulate", (3, 4), "adds", 8),
    ("quantize", one("QuantizeLinear", [2, 3], constants=[scalar("s", 0.1, FLOAT), scalar("z", 3, UINT8)]),
     "quantize", (2, 3), "divides", 6),
    ("dequantize", one("DequantizeLinear", [2, 3], constants=[scalar("s", 0.1, FLOAT)], dtype=UINT8),
     "dequantize", (2, 3), "multiplies", 6),
    ("dynamic_quantize", one("DynamicQuantizeLinear", [2, 3], outputs=3), "container", (2, 3), "divides", 6),
    ("skip_layer_norm", one("SkipLayerNormalization", [1, 2, 4], [1, 2, 4], constants=[w("s", 4)], domain=MS),
     "container", (1, 2, 4), "sqrts", 2),
    ("skip_rms_norm", one("SkipSimplifiedLayerNormalization", [1, 2, 4], [1, 2, 4], constants=[w("s", 4)],
                          domain=MS), "container", (1, 2, 4), "sqrts", 2),
    ("embed_layer_norm", one("EmbedLayerNormalization", [1, 3], constants=[None, w("w", 9, 4), w("p", 5, 4)],
                             domain=MS, dtype=INT32, outputs=2), "container", (1, 3, 4), "adds", 12 + 4 * 12 - 3),
    ("bias_gelu", one("BiasGelu", [2, 4], constants=[w("b", 4)], domain=MS), "container", (2, 4), "trigs", 8),
    ("ms_rotary", one("RotaryEmbedding", [1, 3, 8], constants=[ints("p", 0), w("c", 9, 2), w("s", 9, 2)], domain=MS),
     "multiply_add", (1, 3, 8), "multiplies", 48),
    ("q_add", one("QLinearAdd", [2, 3], constants=[scalar("a", 0.1, FLOAT), None, w("c", 3, dtype=UINT8)],
                  domain=MS, dtype=UINT8), "add", (2, 3), "adds", 6),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "kind", "shape", "part", "count"), [c[1:] for c in OTHERS], ids=[c[0] for c in OTHERS]
)
def test_an_operator_has_its_shape_and_its_operations(  # noqa: PLR0913, PLR0917
    read: Read, content: bytes, kind: str, shape: tuple[int, ...], part: str, count: int
) -> None:
    graph = read(content)
    assert graph.layers[1].kind == kind
    assert shapes(graph)[0] == shape
    if kind != "det":
        assert cost(graph, part) == count


DEPENDENT = (
    "NonMaxSuppression",
    "NonZero",
    "Unique",
    "Compress",
    "StringNormalizer",
    "Optional",
)


@pytest.mark.parametrize("op", DEPENDENT)
def test_what_depends_on_data_is_unknown_and_says_so(read: Read, op: str) -> None:
    graph = read(one(op, [2, 3], [2]))
    assert graph.layers[1].kind == "unknown"
    assert graph.layers[1].problem == f"{op} depends on data"
    assert shapes(graph) == [None]


def test_an_operator_that_nobody_knows_is_unknown_by_its_full_name(read: Read) -> None:
    graph = read(one("Magic", [2, 3], domain="acme.ops"))
    layer = graph.layers[1]
    assert (layer.kind, layer.source, layer.problem) == (
        "unknown",
        "acme.ops.Magic",
        "no formula for acme.ops.Magic",
    )


@pytest.mark.parametrize("content", [c[1] for c in OTHERS], ids=[c[0] for c in OTHERS])
def test_an_operator_has_every_attribute_that_its_kind_needs(read: Read, content: bytes) -> None:
    assert lacking(read(content)) == []


def test_the_table_has_every_operator_of_the_standard() -> None:
    defs: Any = pytest.importorskip("onnx.defs", reason="the list of operators is the package onnx's")
    names = {schema.name for schema in defs.get_all_schemas_with_history() if not schema.domain}
    experimental = {
        "ATen", "Affine", "ConstantFill", "Crop", "DynamicSlice", "GRUUnit", "GivenTensorFill", "ImageScaler",
        "ParametricSoftplus", "Scale", "ScaledTanh",
    }  # fmt: skip
    assert names - set(TABLE) - CONTROL - experimental == set()


def test_only_lists_optional_values_texts_and_what_depends_on_data_are_always_unknown() -> None:
    defs: Any = pytest.importorskip("onnx.defs", reason="the types of operators are the package onnx's")
    marks = ("seq(", "optional(", "tensor(string)")
    of_values = set()
    for name in ALWAYS:
        schema = defs.get_schema(name)
        places = [place.types for place in (*schema.inputs, *schema.outputs)]
        optional = any(kind.startswith("optional(") for types in places for kind in types)
        if not optional and not any(all(kind.startswith(marks) for kind in types) for types in places):
            of_values.add(name)
    texts = {"TfIdfVectorizer"}  # it takes numbers in place of words too
    assert of_values - texts == {"NonMaxSuppression", "Unique", "ImageDecoder"}
    assert {name for name, each in TABLE.items() if each.rule is TABLE["Unique"].rule} == set(ALWAYS)


def test_the_documentation_names_every_operator_that_is_always_unknown() -> None:
    page = Path(__file__).parents[4] / "docs" / "how-to" / "count-an-exported-model.md"
    listed = page.read_text(encoding="utf-8").partition("Shown as unknown are:")[2].partition("## ")[0]
    assert [name for name in (*ALWAYS, *DEPENDENT, "Multinomial") if f"`{name}`" not in listed] == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (one("Conv", [1, 3, 5, 5], constants=[w("w", 4, 2, 3, 3)]), "input of 3 channels and a weight for 2"),
        (one("MatMul", [2, 3], constants=[w("w", 4, 5)]), "has vectors of 3 and a weight for 4"),
        (one("Concat", [2, 3], [3, 4], axis=1), "the inputs don't agree outside axis 1"),
        (one("Add", [2, 3], [4]), "the sizes 3 and 4 can't be broadcast"),
        (one("Reshape", [2, 3], constants=[ints("s", 4, 2)]), "6 elements don't fit the shape (4, 2)"),
        (one("Transpose", [2, 3], perm=[0, 0]), "does not name each of 2 axes once"),
        (one("Softmax", [2, 3], axis=5), "names the axis 5 of 2"),
        (one("MaxPool", [1, 1, 5]), "lacks the attribute 'kernel_shape'"),
        (one("LSTM", [3, 2, 5], constants=[w("w", 1, 24, 4), w("r", 1, 24, 6)]), "has steps of 5 features"),
        (one("Gather", [2, 3], [1], axis=4), "names the axis 4 of 2"),
        (
            one("Conv", [1, 4, 9, 9], constants=[w("w", 4, 4, 3, 3)], kernel_shape=[5, 5]),
            "has the kernel_shape (5, 5) and a weight whose kernel is (3, 3)",
        ),
        (
            one("ConvTranspose", [1, 4, 9, 9], constants=[w("w", 4, 4, 3, 3)], kernel_shape=[3, 2]),
            "has the kernel_shape (3, 2) and a weight whose kernel is (3, 3)",
        ),
        (
            one("Conv", [1, 4, 9, 9], constants=[w("w", 4, 4, 3, 3)], strides="2"),
            "has the attribute 'strides' as a text, expected whole numbers",
        ),
        (
            one("Softmax", [2, 3], axis=[1]),
            "has the attribute 'axis' as whole numbers, expected a whole number",
        ),
        (one("LRN", [1, 4, 9, 9], size=5.0), "has the attribute 'size' as a number, expected a whole number"),
        (
            one("AveragePool", [1, 4, 9, 9], kernel_shape=[3, 3], auto_pad=1),
            "as a whole number, expected a text",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_node_that_it_does_not_fit(
    read: Read, content: bytes, reason: str
) -> None:
    from flopledger.errors import SourceError

    with pytest.raises(SourceError) as caught:
        read(content)
    assert reason in str(caught.value)
    assert "the node 'n'" in str(caught.value)


MAKERS = {"RandomNormal", "RandomUniform", "SequenceConstruct", "SequenceEmpty", *ALWAYS, *DEPENDENT}
"""Operators that need no input, and those of which nothing is read."""


@pytest.mark.parametrize("source", sorted(TABLE.keys() - MAKERS))
def test_an_operator_without_its_inputs_is_refused_with_its_node(read: Read, source: str) -> None:
    from flopledger.errors import SourceError

    domain, _, op = source.rpartition(".")
    with pytest.raises(SourceError, match="the node 'n'"):
        read(one(op, domain=domain))


@pytest.mark.parametrize(
    "op", ["Add", "Sub", "Mul", "Div", "Pow", "Mod", "Equal", "And", "BitShift", "PRelu"]
)
def test_an_operator_of_two_operands_needs_both(read: Read, op: str) -> None:
    from flopledger.errors import SourceError

    with pytest.raises(SourceError, match=f"the node 'n' \\({op}\\) lacks its input 1"):
        read(one(op, [2, 3]))
