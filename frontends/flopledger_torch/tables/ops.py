"""The table of torch's functions and ops: the kind of each, by its name. A new one is a row here.

``torch.nn.functional.relu``, ``torch.relu``, ``torch.Tensor.relu_`` and ``aten.relu.default`` are one row.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from flopledger_torch.tables import algebra, elements, losses, products, reductions, windows
from flopledger_torch.tables.call import Rule, same
from flopledger_torch.tables.derivatives import DERIVATIVES

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNARY = {
    "abs": "abs",
    "acos acosh angle asin asinh atan atanh cos cosh": "cos",
    "ceil floor round trunc frac": "round",
    "celu": "celu",
    "elu": "elu",
    "erf erfc erfinv special_erf": "erf",
    "fake_quantize_per_tensor_affine_cachemask fake_quantize_per_channel_affine_cachemask": "fake_quantize",
    "exp exp2 expm1": "exp",
    "hardshrink": "hard_shrink",
    "hardsigmoid": "hard_sigmoid",
    "hardswish": "hard_swish",
    "hardtanh": "hard_tanh",
    "leaky_relu rrelu rrelu_with_noise": "leaky_relu",
    "log log10 log1p log2": "log",
    "log_sigmoid log_sigmoid_forward logsigmoid": "log_sigmoid",
    "logical_not bitwise_not": "logical",
    "mish": "mish",
    "nan_to_num": "nan_to_num",
    "neg positive conj_physical _conj_physical": "negate",
    "prelu _prelu_kernel": "prelu",
    "reciprocal": "reciprocal",
    "relu": "relu",
    "relu6": "relu6",
    "rsqrt": "rsqrt",
    "selu": "selu",
    "sigmoid": "sigmoid",
    "sgn sign": "sign",
    "silu": "silu",
    "sin sinh tan": "sin",
    "sinc": "sinc",
    "softplus": "softplus",
    "softshrink": "soft_shrink",
    "softsign": "softsign",
    "sqrt": "sqrt",
    "square": "square",
    "tanh": "tanh",
    "tanhshrink": "tanh_shrink",
    "threshold": "threshold",
}
_SPECIAL = """
    lgamma digamma polygamma i0 special_airy_ai special_bessel_j0 special_bessel_j1 special_bessel_y0
    special_bessel_y1 special_erfcx special_i0e special_i1 special_i1e special_log_ndtr
    special_modified_bessel_i0 special_modified_bessel_i1 special_modified_bessel_k0
    special_modified_bessel_k1 special_ndtri special_scaled_modified_bessel_k0
    special_scaled_modified_bessel_k1 special_spherical_bessel_j0 igamma igammac special_zeta
    special_chebyshev_polynomial_t special_chebyshev_polynomial_u special_chebyshev_polynomial_v
    special_chebyshev_polynomial_w special_hermite_polynomial_h special_hermite_polynomial_he
    special_laguerre_polynomial_l special_legendre_polynomial_p special_shifted_chebyshev_polynomial_t
    special_shifted_chebyshev_polynomial_u special_shifted_chebyshev_polynomial_v
    special_shifted_chebyshev_polynomial_w
"""
_PAIRS = {
    "add radd iadd": "add",
    "sub rsub isub subtract": "subtract",
    "mul rmul imul multiply deg2rad rad2deg": "multiply",
    "div truediv rtruediv itruediv true_divide divide floor_divide floordiv": "divide",
    "pow rpow float_power": "power",
    "atan2": "atan2",
    "copysign": "copysign",
    "heaviside": "heaviside",
    "hypot": "hypot",
    "ldexp": "ldexp",
    "linalg_cross cross": "cross",
    "logaddexp logaddexp2": "logaddexp",
    "polar": "polar",
    "xlogy special_xlog1py": "xlogy",
    "remainder fmod mod gcd lcm": "modulo",
    "maximum fmax clamp_min": "maximum",
    "minimum fmin clamp_max": "minimum",
    "eq ne lt le gt ge isclose isnan isinf isfinite isposinf isneginf": "compare",
    "logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor": "logical",
    "bitwise_left_shift bitwise_right_shift lshift rshift ilshift irshift": "multiply",
}
_REDUCTIONS = {
    "sum nansum": "reduce_sum",
    "mean": "reduce_mean",
    "max amax": "reduce_max",
    "min amin": "reduce_min",
    "prod": "reduce_prod",
    "any all _is_all_true _is_any_true": "reduce_any",
    "var var_mean": "variance",
    "aminmax": "min_max",
}
_FILLS = """
    arange empty empty_like empty_permuted empty_strided eye fill full full_like linspace new_empty
    new_empty_strided new_full new_ones new_zeros normal ones ones_like rand rand_like randint randn
    randn_like randperm scalar_tensor uniform zero zeros zeros_like bernoulli exponential tril_indices
    triu_indices logspace bartlett_window binomial blackman_window cauchy geometric hamming_window hann_window
    _efficientzerotensor kaiser_window log_normal poisson randint_like random range _standard_gamma
"""
_MOVES = """
    alias as_strided broadcast_to channel_shuffle clone col2im_copy contiguous detach diag diag_embed diagonal
    expand expand_as fft_fftshift flip im2col lift_fresh lift_fresh_copy masked_select movedim narrow
    native_channel_shuffle new_tensor one_hot pixel_unshuffle real imag repeat repeat_interleave resolve_conj
    resolve_neg roll rot90 select select_scatter slice slice_scatter squeeze swapaxes tile tril triu unfold
    unsqueeze view_as_complex view_as_real diagonal_scatter as_strided_scatter lift
    reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d
    constant_pad_nd block_diag complex resize resize_as alias_copy as_strided_copy detach_copy diagonal_copy
    expand_copy permute_copy select_copy slice_copy squeeze_copy t_copy transpose_copy unfold_copy
    unsqueeze_copy view_as_complex_copy view_as_real_copy view_copy
"""
_GATHERS = """
    signbit gather index index_select take take_along_dim index_copy index_fill _unsafe_index lu_unpack
    masked_scatter getitem
"""

CALLS: dict[str, Rule] = {
    **{name: same(kind) for names, kind in _UNARY.items() for name in names.split()},
    **{name: elements.addition(kind) for names, kind in _PAIRS.items() for name in names.split()},
    **{name: reductions.reduction(kind) for names, kind in _REDUCTIONS.items() for name in names.split()},
    **dict.fromkeys(_FILLS.split(), elements.filled),
    **dict.fromkeys(_MOVES.split(), elements.moved),
    **dict.fromkeys(_GATHERS.split(), elements.picked),
    **dict.fromkeys(_SPECIAL.split(), elements.special),
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), windows.conv_call),
    **{f"conv_transpose{n}d": windows.conv_transpose_call for n in (1, 2, 3)},
    **{f"max_pool{n}d": windows.pool_call("max_pool", n) for n in (1, 2, 3)},
    **{f"max_pool{n}d_with_indices": windows.pool_call("max_pool", n) for n in (1, 2, 3)},
    **{f"avg_pool{n}d": windows.pool_call("avg_pool", n) for n in (1, 2, 3)},
    **{f"lp_pool{n}d": windows.pool_call("lp_pool", n) for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": windows.adaptive_call("adaptive_max_pool", n) for n in (1, 2, 3)},
    **{
        f"adaptive_max_pool{n}d_with_indices": windows.adaptive_call("adaptive_max_pool", n)
        for n in (1, 2, 3)
    },
    **{f"adaptive_avg_pool{n}d": windows.adaptive_call("adaptive_avg_pool", n) for n in (1, 2, 3)},
    **{f"fractional_max_pool{n}d": windows.fractional_call(n) for n in (2, 3)},
    **{f"fractional_max_pool{n}d_with_indices": windows.fractional_call(n) for n in (2, 3)},
    **dict.fromkeys(("view", "reshape", "flatten", "unflatten", "view_as", "reshape_as"), elements.reshape),
    **dict.fromkeys(("transpose", "permute", "t"), elements.transpose),
    **dict.fromkeys(("split", "split_with_sizes", "chunk", "unsafe_split", "unsafe_chunk"), elements.split),
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "dot", "vdot"), products.matmul),
    **dict.fromkeys(("masked_fill", "where_scalar"), elements.masked_fill),
    **dict.fromkeys(("interpolate", "upsample"), windows.interpolate),
    **dict.fromkeys(("vecdot", "linalg_vecdot"), products.vecdot),
    "conv_tbc": products.conv_tbc,
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "dropout3d"), elements.dropout),
    **dict.fromkeys(("feature_dropout", "alpha_dropout", "feature_alpha_dropout"), elements.dropout),
    **dict.fromkeys(("argmax", "argmin"), reductions.places),
    **dict.fromkeys(("clamp", "clip"), elements.clip),
    **dict.fromkeys(("cat", "concat", "concatenate"), elements.concat),
    **dict.fromkeys(("scatter_add", "index_add", "fold", "col2im"), reductions.accumulated),
    **dict.fromkeys(("max_unpool2d", "max_unpool3d"), elements.picked),
    "addcmul": elements.multiply_add(divides=False),
    "addcdiv": elements.multiply_add(divides=True),
    "lerp": elements.lerp,
    "logsumexp": reductions.reduction("logsumexp"),
    **dict.fromkeys(("std", "std_mean"), reductions.deviation),
    **dict.fromkeys(("norm", "linalg_vector_norm"), reductions.norm),
    **dict.fromkeys(("cummax", "cummin"), reductions.scan("cummax")),
    **dict.fromkeys(("median", "nanmedian", "kthvalue", "mode"), reductions.order_statistic),
    **dict.fromkeys(("searchsorted", "bucketize", "isin"), reductions.located("search")),
    **dict.fromkeys(("scatter", "scatter_reduce", "index_reduce"), reductions.scattered),
    **dict.fromkeys(("index_put", "put", "_unsafe_index_put"), reductions.put),
    **{kind: reductions.scan(kind) for kind in ("cumsum", "cumprod", "logcumsumexp")},
    "count_nonzero": reductions.nonzeros,
    "multinomial": reductions.located("draw"),
    "logit": elements.logit,
    "special_entr": elements.entropy,
    "renorm": elements.renorm,
    "trace": algebra.trace,
    "cdist": algebra.distance("cdist", "x1", "x2"),
    "pdist": algebra.distance("pdist", "input"),
    "dist": algebra.distance("dist", "input", "other"),
    "rmatmul": products.matmul_turned,
    "addmm": products.added("mat1", "mat2"),
    "addmv": products.added("mat", "vec"),
    "baddbmm": products.added("batch1", "batch2"),
    "addbmm": products.added_stack,
    "addr": products.added_outer,
    "linear": products.linear_call,
    "bilinear": products.bilinear,
    "einsum": products.einsum,
    "embedding": products.embedding_call,
    "embedding_bag": products.embedding_bag_call,
    "scaled_dot_product_attention": products.attention,
    **dict.fromkeys(("sdpa_mask", "eager_mask"), products.attention_mask),
    "batch_norm": elements.batch_norm,
    "instance_norm": elements.instance_norm,
    "layer_norm": elements.layer_norm,
    "rms_norm": elements.rms_norm,
    "group_norm": elements.group_norm,
    "local_response_norm": elements.local_response_norm,
    "gelu": elements.gelu,
    "glu": elements.glu,
    "softmax": elements.softmax("softmax"),
    "log_softmax": elements.softmax("log_softmax"),
    "where": elements.select,
    "topk": reductions.top_k,
    "sort": reductions.sort,
    "stack": elements.stack,
    "pad": elements.pad,
    "pixel_shuffle": elements.pixel_shuffle,
    "grid_sample": windows.grid_sample,
    "affine_grid": windows.affine_grid,
    "lstm_cell": products.cell_call("lstm_cell"),
    "gru_cell": products.cell_call("gru_cell"),
    "rnn_tanh_cell": products.cell_call("rnn_cell"),
    "rnn_relu_cell": products.cell_call("rnn_cell", "relu"),
    "lstm": products.recurrent_call("lstm"),
    "gru": products.recurrent_call("gru"),
    "rnn_tanh": products.recurrent_call("rnn"),
    "rnn_relu": products.recurrent_call("rnn", "relu"),
}
"""Functions and ops by name."""

_KERNELS = (
    "flash_attention flash_attention_for_cpu efficient_attention cudnn_attention fused_attention_overrideable"
)

_PACKED_PRODUCTS = """
    _weight_int8pack_mm _weight_int4pack_mm _weight_int4pack_mm_for_cpu
    _weight_int4pack_mm_with_scales_and_zeros _dyn_quant_matmul_4bit _mixed_dtypes_linear mkldnn_linear
    _sparse_semi_structured_linear fbgemm_linear_int8_weight fbgemm_linear_int8_weight_fp32_activation
    fbgemm_linear_fp16_weight fbgemm_linear_fp16_weight_fp32_activation
"""
"""Products with a weight of another layout; each row of the first tensor meets each column of the result."""
_QUANTIZED_LINEAR = """
    linear linear_relu linear_leaky_relu linear_tanh linear_dynamic linear_relu_dynamic linear_dynamic_fp16
    linear_relu_dynamic_fp16 linear_with_input_q_dq_qweight_dq_output_fp32
"""
_QUANTIZED_ACTIVATIONS = "relu6 hardswish elu celu leaky_relu prelu sigmoid threshold"

OPS: dict[str, Rule] = {
    **DERIVATIVES,
    **dict.fromkeys(
        (
            "convolution",
            "_convolution",
            "_convolution_mode",
            "mkldnn_convolution",
            "convolution_overrideable",
        ),
        windows.conv_call,
    ),
    **dict.fromkeys(
        (
            "native_batch_norm",
            "_batch_norm_impl_index",
            "_native_batch_norm_legit",
            "cudnn_batch_norm",
            "_batch_norm_with_update",
            "_native_batch_norm_legit_no_training",
        ),
        elements.batch_norm,
    ),
    **{f"_scaled_dot_product_{name}": products.attention for name in _KERNELS.split()},
    **{f"upsample_nearest{n}d": windows.upsample_op("nearest") for n in (1, 2, 3)},
    **{f"_upsample_nearest_exact{n}d": windows.upsample_op("nearest") for n in (1, 2, 3)},
    **{f"grid_sampler_{n}d": windows.grid_sample for n in (2, 3)},
    **{f"_adaptive_avg_pool{n}d": windows.adaptive_call("adaptive_avg_pool", n) for n in (2, 3)},
    **dict.fromkeys(("_to_copy", "to", "type_as", "_conj", "conj", "_cast_Float"), elements.cast),
    **dict.fromkeys(("_unsafe_view", "_reshape_alias", "_reshape_copy"), elements.reshape),
    **dict.fromkeys(("copy", "set"), elements.copied),
    "_softmax": elements.softmax("softmax"),
    "_log_softmax": elements.softmax("log_softmax"),
    "_safe_softmax": elements.softmax("softmax"),
    "native_layer_norm": elements.layer_norm,
    "_fused_rms_norm": elements.rms_norm,
    "native_group_norm": elements.group_norm,
    "native_dropout": elements.dropout,
    **dict.fromkeys(("_grouped_mm", "_scaled_grouped_mm", "_scaled_grouped_mm_v2"), products.grouped_mm),
    **dict.fromkeys(("_int_mm", "_scaled_mm", "_scaled_mm_v2"), products.matmul),
    **dict.fromkeys(_PACKED_PRODUCTS.split(), products.packed_linear),
    **{f"quantized.{name}": products.packed_linear for name in _QUANTIZED_LINEAR.split()},
    **{
        f"quantized.{name}": elements.addition("add")
        for name in ("add", "add_relu", "add_out", "add_scalar", "add_scalar_relu")
    },
    **{
        f"quantized.{name}": elements.addition("multiply")
        for name in ("mul", "mul_relu", "mul_out", "mul_scalar", "mul_scalar_relu")
    },
    **{f"quantized.{name}": CALLS[name] for name in _QUANTIZED_ACTIVATIONS.split()},
    **dict.fromkeys(("quantized.cat", "quantized.cat_relu"), elements.moved),
    **{f"quantized.embedding_bag_{kind}": products.packed_bag for kind in ("byte", "4bit", "2bit")},
    "_addmm_activation": products.added("mat1", "mat2"),
    **dict.fromkeys(
        ("quantize_per_tensor", "quantize_per_channel", "quantize_per_tensor_dynamic"), same("quantize")
    ),
    "dequantize": same("dequantize"),
    "int_repr": elements.cast,
    **{f"_upsample_{mode}2d_aa": windows.antialiased_op(mode) for mode in ("bilinear", "bicubic")},
    **dict.fromkeys(("split_copy", "split_with_sizes_copy", "unsafe_split_with_sizes"), elements.split),
    **dict.fromkeys(("narrow_copy", "slice_inverse"), elements.moved),
    "_native_multi_head_attention": products.multi_head_op,
    "_transformer_encoder_layer_fwd": products.encoder_layer_op,
    "mkldnn_rnn_layer": products.mkldnn_rnn,
    "grid_sampler": windows.grid_sample,
    "upsample_linear1d": windows.upsample_op("linear"),
    "upsample_bilinear2d": windows.upsample_op("bilinear"),
    "upsample_trilinear3d": windows.upsample_op("trilinear"),
    "upsample_bicubic2d": windows.upsample_op("bicubic"),
    **dict.fromkeys(("unbind", "unbind_copy"), elements.unstacked),
    **dict.fromkeys(("nll_loss_forward", "nll_loss2d_forward"), losses.class_loss("nll")),
    "multi_margin_loss": losses.class_loss("multi_margin"),
    "multilabel_margin_loss_forward": losses.loss("multi_label_margin"),
    "_ctc_loss": losses.ctc,
    "mse_loss": losses.loss("mse"),
    **dict.fromkeys(("huber_loss", "smooth_l1_loss"), losses.loss("smooth_l1")),
    "soft_margin_loss": losses.loss("soft_margin"),
    "binary_cross_entropy": losses.weighted_loss("binary_cross_entropy"),
    "binary_cross_entropy_with_logits": losses.weighted_loss("sigmoid_cross_entropy"),
    **dict.fromkeys(("nonzero", "bincount"), elements.picked),
    **dict.fromkeys(
        ("_unique", "_unique2", "unique_dim", "unique_consecutive"), reductions.located("search")
    ),
    **{f"_convert_indices_from_{way}": elements.picked for way in ("coo_to_csr", "csr_to_coo")},
    **dict.fromkeys(("histc", "histogram"), reductions.histogram),
    **dict.fromkeys(("_embedding_bag", "_embedding_bag_forward_only"), products.embedding_bag_call),
    "affine_grid_generator": windows.affine_grid,
    **dict.fromkeys(("_cdist_forward", "_euclidean_dist"), algebra.distance("cdist", "x1", "x2")),
    "_pdist_forward": algebra.distance("pdist", "input"),
    "_fft_c2c": algebra.fft("neither"),
    "_fft_r2c": algebra.fft("input"),
    "_fft_c2r": algebra.fft("output"),
    "linalg_lu_factor_ex": algebra.lu,
    "linalg_lu": algebra.lu_factors,
    **dict.fromkeys(("linalg_cholesky_ex", "cholesky"), same("cholesky")),
    "_linalg_solve_ex": algebra.solve,
    "linalg_solve_triangular": algebra.triangular_solve("input", "B"),
    "triangular_solve": algebra.triangular_solve("A", "input"),
    "linalg_lu_solve": algebra.factors_solve("LU", "B", unit=1),
    "cholesky_solve": algebra.factors_solve("input2", "input", unit=0),
    "linalg_inv_ex": same("inverse"),
    "_linalg_det": same("det"),
    "_linalg_slogdet": same("log_det"),
    "_linalg_svd": algebra.svd,
    **dict.fromkeys(("_linalg_eigh", "linalg_eig"), algebra.eig),
    "linalg_matrix_exp": same("matrix_exp"),
    "_nested_tensor_from_mask": elements.moved,
    "to_padded_tensor": elements.moved,
    "_pack_padded_sequence": elements.picked,
    "_pad_packed_sequence": elements.picked,
    "_weight_norm_interface": elements.weight_norm,
    "transformers.grouped_mm_fallback": products.grouped_mm,
    "torchvision.deform_conv2d": windows.deform_conv,
    "torchvision.nms": reductions.located("search"),
    "torchvision.roi_align": windows.boxes("roi_align"),
    "torchvision.roi_pool": windows.boxes("roi_pool"),
}
"""Names that ops alone have; those of another library than torch's own have its name before them."""


@functools.cache
def function_rule(source: str) -> Rule | None:
    """Return the rule of a function by its source, operators and in-place methods included."""
    return _in_table(CALLS, source.rpartition(".")[2])


@functools.cache
def op_rule(source: str) -> Rule | None:
    """Return the rule of an op by its source, ``aten.add_.Tensor``."""
    library, name, *_ = source.split(".")
    if library == "prims":  # the operators of torch's own decompositions
        return CALLS.get(name)
    if library != "aten":
        return OPS.get(f"{library}.{name}")
    return _in_table(OPS, name) or _in_table(CALLS, name)


def _in_table(table: Mapping[str, Rule], name: str) -> Rule | None:
    if name.startswith("__"):  # an operator of Python, torch.Tensor.__add__ or aten.__lshift__.Scalar
        return table.get(name.strip("_"))
    return table.get(name) or table.get(name.removesuffix("_"))
