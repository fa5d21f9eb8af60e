"""The ops of Paddle's programs: which kind each is. A name ending in ``_`` works in place and is the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flopledger_paddle.tables import losses, moves, windows
from flopledger_paddle.tables.call import Meaning, Op, Open

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.frontend import Value

    Rule = Callable[[Op], Meaning]

WITHOUT_ROW = frozenset(
    {
        "builtin.combine", "builtin.constant", "builtin.parameter", "builtin.set_parameter",
        "builtin.shadow_output", "builtin.slice", "builtin.split", "cf.yield", "pd_op.data", "pd_op.feed",
        "pd_op.fetch", "pd_op.full", "pd_op.full_int_array", "pd_op.numel", "pd_op.shadow_output",
        "pd_op.shape", "pd_op.shape64", "pd_op.assert",
    }
)  # fmt: skip
"""Ops that hold or pass on values and compute nothing: they are no calls."""

_SAME = (
    "relu relu6 leaky_relu prelu elu celu selu sigmoid tanh silu mish softplus softsign tanh_shrink "
    "exp log sqrt rsqrt square abs reciprocal sin cos erf round sign clip cast roll flip"
)
"""Ops with the name of their kind, on one input of the same shape."""
_RENAMED = {
    "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
    "hardshrink": "hard_shrink",
    "hardtanh": "hard_tanh",
    "softshrink": "soft_shrink",
    "logsigmoid": "log_sigmoid",
    "thresholded_relu": "threshold",
    "rrelu": "leaky_relu",
    "swish": "silu",
    "floor": "round",
    "ceil": "round",
    "trunc": "round",
    "log2": "log",
    "log10": "log",
    "assign": "identity",
    "assign_out": "identity",
    "share_data": "identity",
    "memcpy_d2h": "identity",
    "memcpy_h2d": "identity",
    "contiguous": "identity",
    "logical_not": "logical",
    "bitwise_not": "logical",
    "expm1": "exp",
    "cholesky": "cholesky",
    "inverse": "inverse",
    "conj": "negate",
    **dict.fromkeys(("tan", "acos", "asin", "atan", "sinh", "cosh", "asinh", "acosh", "atanh"), "special"),
    **dict.fromkeys(("erfinv", "lgamma", "gammaln", "digamma", "i0", "i0e", "i1", "i1e"), "special"),
}
"""Ops on one input of the same shape whose kind has another name."""
_BINARY = {
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "divide": "divide",
    "floor_divide": "divide",
    "maximum": "maximum",
    "minimum": "minimum",
    "fmax": "maximum",
    "fmin": "minimum",
    "elementwise_pow": "power",
    "remainder": "modulo",
    "grad_add": "add",
    "atan2": "atan2",
    "heaviside": "heaviside",
    "copysign": "multiply",
    **dict.fromkeys(
        ("equal", "not_equal", "less_than", "less_equal", "greater_than", "greater_equal"), "compare"
    ),
    **{f"{sort}_{word}": "logical" for sort in ("logical", "bitwise") for word in ("and", "or", "xor")},
}
"""Ops on two inputs that are broadcast."""
_REDUCED = {
    "sum": "reduce_sum",
    "mean": "reduce_mean",
    "max": "reduce_max",
    "min": "reduce_min",
    "amax": "reduce_max",
    "amin": "reduce_min",
    "prod": "reduce_prod",
    "any": "reduce_any",
    "all": "reduce_any",
}
"""Ops that remove axes, or leave them with size 1."""


def _without_attrs(kind: str, *inputs: int) -> Rule:
    meaning = Meaning(kind, {}, inputs or (0,))
    return lambda _: meaning


def _scalar(kind: str) -> Rule:
    """Return the rule of a function of a tensor and a number that the op implies."""
    return lambda _: Meaning(kind, {"scalars": 1})


def _axis(kind: str) -> Rule:
    return lambda op: Meaning(kind, {"axis": op.attr("axis")})


def _channels(op: Op) -> int:
    return -1 if op.attr("data_format", "NCHW")[-1] == "C" else 1


def _gelu(op: Op) -> Meaning:
    return Meaning("gelu_tanh" if op.attr("approximate") else "gelu")


def _scale(op: Op) -> Meaning:
    """``s x + b``, each a number."""
    try:
        factor = op.constant(1)
    except Open:
        return Meaning("multiply", {"scalars": 1})
    factor = factor[0] if isinstance(factor, list) else factor
    return Meaning("power_law", {"scale": factor, "shift": op.attr("bias")})


def _reduce(kind: str) -> Rule:
    def meaning(op: Op) -> Meaning:
        axes = op.attr("axis", None) if len(op.operands) == 1 else op.constant(1)
        listed = axes if isinstance(axes, (list, tuple)) else [] if axes is None else [axes]
        whole = op.attr("reduce_all", default=False) or not listed
        attrs: dict[str, Value] = {
            "axes": None if whole else tuple(int(axis) for axis in listed),
            "keep_dims": bool(op.attr("keepdim", default=False)),
        }
        return Meaning(kind, attrs)

    return meaning


def _arg_max(op: Op) -> Meaning:
    axis = None if op.attr("flatten", default=False) else op.constant(1)
    axis = axis[0] if isinstance(axis, list) else axis
    attrs: dict[str, Value] = {
        "axes": None if axis is None else (int(axis),),
        "keep_dims": bool(op.attr("keepdims", default=False)),
    }
    return Meaning("arg_max", attrs)


def _top_k(op: Op) -> Meaning:
    size = op.constant(1)
    return Meaning(
        "top_k",
        {"size": int(size[0] if isinstance(size, list) else size), "axis": op.attr("axis")},
        outputs=2,
    )


def _cumsum(op: Op) -> Meaning:
    axis = op.constant(1)
    return Meaning("cumsum", {"axis": int(axis[0] if isinstance(axis, list) else axis)})


def _matmul(op: Op) -> Meaning:
    attrs: dict[str, Value] = {
        "transpose_a": op.attr("transpose_x", default=False),
        "transpose_b": op.attr("transpose_y", default=False),
    }
    return Meaning("matmul", attrs, (0, 1))


def _addmm(_: Op) -> Meaning:
    return Meaning("matmul", {"bias": True}, (1, 2))


def _einsum(op: Op) -> Meaning:
    return Meaning("einsum", {"equation": op.attr("equation")})


def _bilinear(op: Op) -> Meaning:
    return Meaning("bilinear", {"out_features": op.shape(2)[0], "bias": op.given(3)}, (0, 1))


def _embedding(op: Op) -> Meaning:
    count, size = op.shape(1)
    return Meaning("embedding", {"num_embeddings": count, "embedding_dim": size})


def _batch_norm(op: Op) -> Meaning:
    uses_batch = not (op.attr("is_test") or op.attr("use_global_stats", default=False))
    attrs: dict[str, Value] = {
        "axis": _channels(op),
        "scale": op.given(3),
        "shift": op.given(4),
        "batch_stats": uses_batch,
    }
    return Meaning("batch_norm", attrs)


def _layer_norm(op: Op) -> Meaning:
    attrs: dict[str, Value] = {
        "axis": op.attr("begin_norm_axis") - len(op.shape(0)),
        "scale": op.given(1),
        "shift": op.given(2),
    }
    return Meaning("layer_norm", attrs)


def _group_norm(op: Op) -> Meaning:
    attrs: dict[str, Value] = {
        "groups": op.attr("groups"),
        "axis": _channels(op),
        "scale": op.given(1),
        "shift": op.given(2),
    }
    return Meaning("group_norm", attrs)


def _instance_norm(op: Op) -> Meaning:
    return Meaning("instance_norm", {"scale": op.given(1), "shift": op.given(2)})


def _dropout(op: Op) -> Meaning:
    rate = op.constant(2)
    attrs: dict[str, Value] = {
        "rate": float(rate[0] if isinstance(rate, list) else rate),
        "training": not op.attr("is_test"),
    }
    return Meaning("dropout", attrs)


def _rnn(op: Op) -> Meaning:
    """A fused recurrent layer, which Paddle takes only with two biases in each gate."""
    mode = op.attr("mode")
    attrs: dict[str, Value] = {
        "hidden_size": op.attr("hidden_size"),
        "layers": op.attr("num_layers"),
        "directions": 2 if op.attr("is_bidirec") else 1,
        "biases": 2,
    }
    if mode.startswith("RNN"):
        attrs["nonlinearity"] = mode.rpartition("_")[2].lower()
    return Meaning(mode.partition("_")[0].lower(), attrs)


def _grid_sample(op: Op) -> Meaning:
    mode = "nearest" if op.attr("mode") == "nearest" else "linear"
    return Meaning("grid_sample", {"mode": mode}, (0, 1))


def _dot(op: Op) -> Meaning:
    """A product of two vectors; of matrices, that of each row with its own, which is no matrix product."""
    if len(op.shape(0)) != 1:
        return Meaning("einsum", {"equation": "ij,ij->i"}, (0, 1))
    return Meaning("matmul", {}, (0, 1))


def _p_norm(op: Op) -> Meaning:
    order = op.attr("porder")
    if order == -math.inf:
        raise Open("the smallest magnitude is no norm")
    attrs: dict[str, Value] = {
        "axes": None if op.attr("asvector") else (op.attr("axis"),),
        "keep_dims": op.attr("keepdim"),
        "order": None if order == math.inf else order,
    }
    return Meaning("vector_norm", attrs)


def _frobenius_norm(op: Op) -> Meaning:
    axes = None if op.attr("reduce_all") else tuple(int(axis) for axis in op.constant(1))
    return Meaning("vector_norm", {"axes": axes, "keep_dims": op.attr("keep_dim")})


def _maxout(op: Op) -> Meaning:
    return Meaning("maxout", {"pieces": op.attr("groups"), "axis": op.attr("axis")})


def _spectral_norm(op: Op) -> Meaning:
    return Meaning("spectral_norm", {"dim": op.attr("dim"), "power_iters": op.attr("power_iters")})


def _without_formula(reason: str) -> Rule:
    """Return the rule of an op that has no formula, for a reason that a message gives."""

    def meaning(_: Op) -> Meaning:
        raise Open(reason)

    return meaning


_RANDOM_WINDOWS = _without_formula("the sizes of its windows are drawn at random")

RULES: dict[str, Rule] = {
    **{name: _without_attrs(name) for name in _SAME.split()},
    **{name: _without_attrs(kind) for name, kind in _RENAMED.items()},
    **{name: _without_attrs(kind, 0, 1) for name, kind in _BINARY.items()},
    **{name: _reduce(kind) for name, kind in _REDUCED.items()},
    **moves.RULES,
    **dict.fromkeys(("isnan", "isinf", "isfinite"), _scalar("compare")),
    "add_n": _without_attrs("add"),
    "addmm": _addmm,
    "argmax": _arg_max,
    "argmin": _arg_max,
    "batch_norm": _batch_norm,
    "bce_loss": losses.elements("binary_cross_entropy"),
    "bilinear": _bilinear,
    "bmm": _matmul,
    "conv2d": windows.conv,
    "conv2d_transpose": windows.conv_transpose,
    "conv3d": windows.conv,
    "conv3d_transpose": windows.conv_transpose,
    "cross_entropy_with_softmax": losses.cross_entropy,
    "cumprod": lambda op: Meaning("cumprod", {"axis": op.attr("dim")}),
    "cumsum": _cumsum,
    "depthwise_conv2d": windows.conv,
    "depthwise_conv2d_transpose": windows.conv_transpose,
    "deformable_conv": windows.deform_conv,
    "dot": _dot,
    "dropout": _dropout,
    "einsum": _einsum,
    "embedding": _embedding,
    **dict.fromkeys(("fractional_max_pool2d", "fractional_max_pool3d"), _RANDOM_WINDOWS),
    "frobenius_norm": _frobenius_norm,
    "gelu": _gelu,
    "grid_sample": _grid_sample,
    "group_norm": _group_norm,
    "huber_loss": losses.elements("smooth_l1", 2),
    "instance_norm": _instance_norm,
    "layer_norm": _layer_norm,
    "log1p": lambda _: Meaning("log_law", {"shift": 1}),
    "log_softmax": _axis("log_softmax"),
    "increment": _scalar("add"),
    "logsumexp": _reduce("logsumexp"),
    "lp_pool2d": windows.pool,
    "masked_fill": _without_attrs("select", 0, 1),
    "matmul": _matmul,
    "max_pool2d_with_index": windows.pool,
    "max_pool3d_with_index": windows.pool,
    "maxout": _maxout,
    "mean_all": _without_attrs("reduce_mean"),
    "mv": _matmul,
    "nll_loss": losses.nll,
    "p_norm": _p_norm,
    "pool2d": windows.pool,
    "pool3d": windows.pool,
    "pow": lambda op: Meaning("power_law", {"power": op.attr("y")}),
    "rnn": _rnn,
    "roi_align": _without_formula("how many points are taken in a region depends on its size, which is data"),
    "scale": _scale,
    "sigmoid_cross_entropy_with_logits": losses.elements("sigmoid_cross_entropy"),
    "softmax": _axis("softmax"),
    "spectral_norm": _spectral_norm,
    "sync_batch_norm": _batch_norm,
    "topk": _top_k,
    "unfold": windows.unfold,
    "solve": lambda op: Meaning("solve", {"vector": len(op.shape(1)) == len(op.shape(0)) - 1}, (0, 1)),
    "triangular_solve": _without_attrs("triangular_solve", 0, 1),
    "where": _without_attrs("select", 0, 1, 2),
    **dict.fromkeys(
        ("nearest_interp", "linear_interp", "bilinear_interp", "trilinear_interp", "bicubic_interp"),
        windows.interpolate,
    ),
}
"""The rule of each op, by its name without ``pd_op.``."""


def rule_of(name: str) -> Rule | None:
    """Return the rule for an op's full name; none where it is not known."""
    plain = name.removeprefix("pd_op.")
    return RULES.get(plain) or RULES.get(plain.rstrip("_"))
