"""Convolutions, matrix products, attention and recurrent layers alone: shapes and multiply-accumulates by hand."""

# ruff: noqa: E501  (a table is read row by row)
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError
from onnx_files import INT8, UINT8, one
from onnx_operators import MS, cost, ints, lacking, shapes, w

if TYPE_CHECKING:
    from conftest import Read

PRODUCTS: list[tuple[str, bytes, str, tuple[int, ...], int]] = [
    # 2 x 2 x 3 weights for each of 4 x 5 positions and 6 channels
    ("conv", one("Conv", [1, 4, 6, 7], constants=[w("w", 6, 2, 2, 3)], group=2, pads=[0, 1, 0, 1], strides=[2, 1]),
     "conv", (1, 6, 3, 7), 2 * 2 * 3 * 6 * 3 * 7),
    ("conv_same", one("Conv", [1, 1, 9], constants=[w("w", 2, 1, 4)], auto_pad="SAME_UPPER", strides=[2]),
     "conv", (1, 2, 5), 4 * 2 * 5),
    ("conv_valid", one("Conv", [1, 1, 9], constants=[w("w", 2, 1, 4)], auto_pad="VALID", pads=[1, 1]),
     "conv", (1, 2, 6), 4 * 2 * 6),
    ("conv_3d", one("Conv", [1, 2, 4, 4, 4], constants=[w("w", 3, 2, 3, 3, 3)], dilations=[1, 1, 1]),
     "conv", (1, 3, 2, 2, 2), 54 * 3 * 8),
    # counted at the input: 3 x 3 x 5 weights for each of 4 x 4 positions and 2 channels
    ("conv_transpose", one("ConvTranspose", [1, 2, 4, 4], constants=[w("w", 2, 5, 3, 3)], strides=[2, 2],
                           output_padding=[1, 1], pads=[1, 1, 1, 1]),
     "conv_transpose", (1, 5, 8, 8), 9 * 5 * 2 * 16),
    ("conv_transpose_same", one("ConvTranspose", [1, 2, 4], constants=[w("w", 2, 5, 3)], strides=[3],
                                auto_pad="SAME_LOWER"),
     "conv_transpose", (1, 5, 12), 3 * 5 * 2 * 4),
    ("conv_transpose_given", one("ConvTranspose", [1, 2, 4], constants=[w("w", 2, 5, 3)], strides=[2],
                                 output_shape=[10]),
     "conv_transpose", (1, 5, 10), 3 * 5 * 2 * 4),
    ("conv_integer", one("ConvInteger", [1, 3, 5, 5], constants=[w("w", 4, 3, 3, 3, dtype=UINT8)], dtype=UINT8),
     "conv", (1, 4, 3, 3), 27 * 4 * 9),
    ("gemm", one("Gemm", [2, 3], constants=[w("w", 5, 3), w("b", 5)], transB=1), "linear", (2, 5), 30),
    ("gemm_trans_a", one("Gemm", [3, 2], constants=[w("w", 3, 5)], transA=1), "matmul", (2, 5), 30),
    ("gemm_two", one("Gemm", [2, 3], [3, 5]), "matmul", (2, 5), 30),
    ("matmul_weight", one("MatMul", [2, 4, 3], constants=[w("w", 3, 5)]), "linear", (2, 4, 5), 120),
    ("matmul_stack", one("MatMul", [2, 4, 3], constants=[w("w", 2, 3, 5)]), "matmul", (2, 4, 5), 120),
    ("matmul_two", one("MatMul", [2, 4, 3], [2, 3, 5]), "matmul", (2, 4, 5), 120),
    ("matmul_vectors", one("MatMul", [3], [3]), "matmul", (), 3),
    ("matmul_integer", one("MatMulInteger", [4, 3], constants=[w("w", 3, 5, dtype=UINT8)], dtype=UINT8),
     "linear", (4, 5), 60),
    ("einsum", one("Einsum", [2, 4, 3], [2, 3, 5], equation="b i k, b k j -> b i j"), "einsum", (2, 4, 5), 120),
    ("einsum_dots", one("Einsum", [2, 4, 3], [3, 5], equation="...ik,kj->...ij"), "einsum", (2, 4, 5), 120),
    ("einsum_implicit", one("Einsum", [4, 3], [3, 5], equation="ik,kj"), "einsum", (4, 5), 60),
    # two heads of 3: 2 x 4 x 5 scores of 3 terms, and as many of the values
    ("attention_4d", one("Attention", [1, 2, 4, 3], [1, 2, 5, 3], [1, 2, 5, 3], opset=23), "attention",
     (1, 2, 4, 3), 2 * 4 * 5 * 6),
    ("attention_3d", one("Attention", [1, 4, 6], [1, 5, 6], [1, 5, 6], opset=23, q_num_heads=2, kv_num_heads=2),
     "container", (1, 4, 6), 2 * 4 * 5 * 6),
    ("attention_grouped", one("Attention", [1, 4, 12], [1, 5, 6], [1, 5, 6], opset=23, q_num_heads=4,
                              kv_num_heads=2), "container", (1, 4, 12), 4 * 4 * 5 * 6),
    # 4 gates of 6 units read 5 features and 6 states in each of 3 steps and 2 samples, both ways
    ("lstm", one("LSTM", [3, 2, 5], constants=[w("w", 2, 24, 5), w("r", 2, 24, 6)], outputs=3, hidden_size=6,
                 direction="bidirectional"), "lstm", (3, 2, 2, 6), 2 * 3 * 2 * 24 * 11),
    ("gru", one("GRU", [3, 2, 5], constants=[w("w", 1, 18, 5), w("r", 1, 18, 6)], outputs=2, hidden_size=6),
     "gru", (3, 1, 2, 6), 3 * 2 * 18 * 11),
    ("rnn_batch_first", one("RNN", [2, 3, 5], constants=[w("w", 1, 6, 5), w("r", 1, 6, 6)], hidden_size=6,
                            layout=1), "rnn", (2, 3, 1, 6), 3 * 2 * 6 * 11),
    # a state of 3 x 4 numbers is written and read in each of 5 steps and 2 heads
    ("linear_attention", one("LinearAttention", [1, 5, 6], [1, 5, 6], [1, 5, 8], opset=27, q_num_heads=2,
                             kv_num_heads=2, outputs=2), "container", (1, 5, 8), 2 * 2 * 5 * 12),
    ("delta_attention", one("LinearAttention", [1, 5, 6], [1, 5, 6], [1, 5, 8], opset=27, q_num_heads=2,
                            kv_num_heads=2, update_rule="delta"), "container", (1, 5, 8), 3 * 2 * 5 * 12),
    ("causal_conv", one("CausalConvWithState", [1, 3, 7], constants=[w("w", 3, 1, 4)], opset=27, outputs=2,
                        activation="silu"), "container", (1, 3, 7), 4 * 3 * 7),
    ("deform_conv", one("DeformConv", [1, 2, 5, 5], constants=[w("w", 3, 2, 3, 3), w("o", 1, 18, 3, 3)], opset=19),
     "deform_conv", (1, 3, 3, 3), 18 * 3 * 9),
    ("affine_grid", one("AffineGrid", [2, 2, 3], constants=[ints("s", 2, 1, 4, 5)], opset=20), "affine_grid",
     (2, 4, 5, 2), 2 * 20 * 2 * 3),
    ("fused_matmul", one("FusedMatMul", [2, 3, 4], [2, 3, 5], domain=MS, transA=1), "matmul", (2, 4, 5), 120),
    ("matmul_nbits", one("MatMulNBits", [2, 32], constants=[w("w", 8, 1, 16, dtype=UINT8), w("s", 8)], domain=MS,
                         K=32, N=8, bits=4, block_size=32), "linear", (2, 8), 512),
    ("ms_attention", one("Attention", [1, 4, 6], constants=[w("w", 6, 18), w("b", 18)], domain=MS, num_heads=2),
     "container", (1, 4, 6), 4 * 6 * 18 + 2 * 4 * 4 * 6),
    ("multi_head", one("MultiHeadAttention", [1, 4, 6], [1, 5, 6], [1, 5, 6], domain=MS, num_heads=2),
     "container", (1, 4, 6), 2 * 4 * 5 * 6),
    ("multi_head_packed", one("MultiHeadAttention", [1, 4, 2, 3, 3], domain=MS, num_heads=2), "container",
     (1, 4, 6), 2 * 4 * 4 * 6),
    ("grouped_packed", one("GroupQueryAttention", [1, 4, 24], domain=MS, num_heads=4, kv_num_heads=2),
     "container", (1, 4, 12), 4 * 4 * 4 * 6),
    # 3 rows go to 2 of 4 experts each: 6 rows through 5 x 7 and back
    ("moe", one("MoE", [3, 5], [3, 4], constants=[w("a", 4, 7, 5), None, w("b", 4, 5, 7)], domain=MS, k=2),
     "container", (3, 5), 2 * 6 * 35),
    ("qattention", one("QAttention", [1, 4, 6], constants=[w("w", 6, 18, dtype=INT8), w("b", 18)], domain=MS,
                       num_heads=2, dtype=UINT8), "container", (1, 4, 6), 4 * 6 * 18 + 2 * 4 * 4 * 6),
    ("fused_conv", one("FusedConv", [1, 2, 5, 5], constants=[w("w", 3, 2, 3, 3)], domain=MS, activation="Relu"),
     "container", (1, 3, 3, 3), 18 * 3 * 9),
    ("fused_gemm", one("FusedGemm", [2, 3], constants=[w("w", 3, 5)], domain=MS, activation="Relu"),
     "container", (2, 5), 30),
    ("dynamic_matmul", one("DynamicQuantizeMatMul", [4, 3], constants=[w("w", 3, 5, dtype=INT8)], domain=MS),
     "linear", (4, 5), 60),
    ("dynamic_lstm", one("DynamicQuantizeLSTM", [3, 2, 5],
                         constants=[w("w", 1, 5, 24, dtype=INT8), w("r", 1, 6, 24, dtype=INT8)], domain=MS,
                         hidden_size=6), "lstm", (3, 1, 2, 6), 3 * 2 * 24 * 11),
    ("nhwc_conv", one("NhwcFusedConv", [1, 5, 5, 2], constants=[w("w", 3, 2, 3, 3)], domain=MS), "conv",
     (1, 3, 3, 3), 18 * 3 * 9),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "kind", "shape", "macs"), [c[1:] for c in PRODUCTS], ids=[c[0] for c in PRODUCTS]
)
def test_a_product_has_its_shape_and_its_multiply_accumulates(
    read: Read, content: bytes, kind: str, shape: tuple[int, ...], macs: int
) -> None:
    graph = read(content)
    assert graph.layers[1].kind == kind
    assert shapes(graph)[0] == shape
    assert cost(graph) == macs
    assert graph.count("mac").total.count == macs


@pytest.mark.parametrize(
    ("a", "b", "flags", "shape", "macs"),
    [
        # The shapes are those that ONNX Runtime 1.32.0 gives; the size of the sums is 8.
        ([5, 2, 8], [8, 2, 3], {"transBatchA": 1, "transBatchB": 1}, (2, 5, 3), 2 * 5 * 3 * 8),
        ([5, 2, 8], [2, 8, 3], {"transBatchA": 1}, (2, 5, 3), 2 * 5 * 3 * 8),
        ([2, 5, 8], [8, 2, 3], {"transBatchB": 1}, (2, 5, 3), 2 * 5 * 3 * 8),
        ([8, 2, 4, 5], [2, 4, 8, 3], {"transBatchA": 1, "transA": 1}, (2, 4, 5, 3), 8 * 5 * 3 * 8),
        ([2, 4, 5, 8], [3, 2, 4, 8], {"transBatchB": 1, "transB": 1}, (2, 4, 5, 3), 8 * 5 * 3 * 8),
    ],
)
def test_a_fused_product_may_have_the_batch_behind_the_first_axis(  # noqa: PLR0913, PLR0917
    read: Read, a: list[int], b: list[int], flags: dict[str, int], shape: tuple[int, ...], macs: int
) -> None:
    graph = read(one("FusedMatMul", a, b, domain=MS, **flags))
    assert shapes(graph) == [shape]
    assert (cost(graph), graph.count("mac").total.count) == (macs, macs)


def test_a_fused_product_that_moves_the_first_axis_needs_three(read: Read) -> None:
    with pytest.raises(ShapeError, match="three at least"):
        read(one("FusedMatMul", [5, 8], [8, 3], domain=MS, transBatchA=1))


@pytest.mark.parametrize("content", [c[1] for c in PRODUCTS], ids=[c[0] for c in PRODUCTS])
def test_a_product_has_every_attribute_that_its_kind_needs(read: Read, content: bytes) -> None:
    assert lacking(read(content)) == []
