"""The rest of ``keras.ops``: linear algebra, statistics, rare functions, and moves of elements.

``numpy`` and ``scipy`` have most of them under the same names, and Keras takes their meaning from there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras

from flopledger_keras.tables.call import axes, last_axes, one_or_all

if TYPE_CHECKING:
    from flopledger.frontend import Value

    from flopledger_keras.tables.call import KerasCall, Meaning, Rule


def _as(kind: str, **attrs: Value) -> Rule:
    return lambda _op, _call: (kind, dict(attrs))


def _pair(kind: str) -> Rule:
    """Return the rule of a function of two operands, the second one perhaps a number."""
    return lambda _op, call: (kind, {"scalars": 1} if len(call.inputs) == 1 else {})


def _over(kind: str, **attrs: Value) -> Rule:
    """Return the rule of operations that remove axes, or leave them with size 1."""
    return lambda op, _call: (
        kind,
        {"axes": axes(op.axis), "keep_dims": bool(getattr(op, "keepdims", False)), **attrs},
    )


def _along(kind: str) -> Rule:
    """Return the rule of operations that run along an axis; of all elements in a row where it is None."""
    return lambda op, call: (
        (kind, {"axis": op.axis}) if op.axis is not None or len(call.inputs[0]) == 1 else None
    )


def _moved(_op: Any, call: KerasCall) -> Meaning:
    return ("gather", {"shape": call.outputs[0]}) if len(call.outputs) == 1 else None


def _made(_op: Any, call: KerasCall) -> Meaning:
    return ("fill", {"shape": call.outputs[0]}) if len(call.outputs) == 1 else None


def _norm(op: Any, call: KerasCall) -> Meaning:
    """The norm of vectors, or of a matrix as of one; its other norms need singular values."""
    along = axes(op.axis)
    vectors = isinstance(along, tuple) and len(along) == 1
    if not vectors and op.ord not in (None, "fro"):
        return None
    order = op.ord
    if order in (None, "fro"):
        order = 2
    elif isinstance(order, str) or not isinstance(order, (int, float)):
        return None
    elif math.isinf(order):
        order = None
    del call
    return "vector_norm", {"axes": along, "keep_dims": bool(op.keepdims), "order": order}


def _solve(_op: Any, call: KerasCall) -> Meaning:
    a, b = call.inputs
    return "solve", {"vector": len(b) == len(a) - 1}


def _triangular_solve(_op: Any, call: KerasCall) -> Meaning:
    a, b = call.inputs
    return "triangular_solve", {"vector": len(b) == len(a) - 1}


def _batch_norm(op: Any, call: KerasCall) -> Meaning:
    shift, scale = (call.argument(place, name) for place, name in ((3, "offset"), (4, "scale")))
    return "batch_norm", {"axis": op.axis, "shift": shift is not None, "scale": scale is not None}


def _normalize(op: Any, call: KerasCall) -> Meaning:
    return normalized(op.axis, len(call.inputs[0])) if op.order == 2 else None


def normalized(axis: object, rank: int) -> Meaning:
    """Return the division by the root of a sum of squares along one axis, or over all from one axis on."""
    one = one_or_all(axis)
    if isinstance(one, int):
        return "l2_norm", {"axis": one}
    along = last_axes(axis, rank)
    return None if along is None else ("l2_norm", {"axis": along, "across_spatial": True})


RESAMPLING = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}
"""The interpolations that have a formula, and their names here; Lanczos has none."""


def limited(tensor: Any, mode: str) -> tuple[str, ...]:
    """Return the kinds of what follows a resampling: integers are computed as float, rounded and clipped."""
    if mode == "nearest" or tensor is None or not keras.backend.is_int_dtype(tensor.dtype):
        return ()
    return "round", "hard_tanh"


def _resize(op: Any, call: KerasCall) -> Meaning:
    mode = RESAMPLING.get(op.interpolation)
    if mode is None or op.antialias or op.crop_to_aspect_ratio or op.pad_to_aspect_ratio:
        return None
    last = op.data_format != "channels_first"
    if len(call.inputs[0]) != 4:
        return None
    return "resample", {"mode": mode, "size": axes(op.size), "channels_last": last}


_MOVES = """
    Append CropImages DepthToSpace Diag Diagflat Dstack ExtractSequences Hstack Imag MultiHot PadImages Real
    Rearrange Rot90 ScatterUpdate Select SliceUpdate SpaceToDepth Tril Triu ViewAsComplex ViewAsReal Vstack
"""
"""Operations of which only the shape of the result matters."""

NUMERICS: dict[str, Rule] = {
    # of one operand
    "Log1p": _as("log"),
    "Expm1": _as("exp"),
    "Cbrt": _as("power", scalars=1),
    "Sinc": _as("sinc"),
    "I0": _as("special"),
    "Angle": _as("cos"),
    "SparseSigmoid": _as("clip"),
    "SaturateCast": _as("hard_tanh"),  # between the limits of its type
    **dict.fromkeys(("Conj", "Conjugate"), _as("negate")),
    **dict.fromkeys(("BitwiseInvert", "BitwiseNot"), _as("logical")),
    **dict.fromkeys(("Deg2rad", "Rad2deg"), _as("multiply", scalars=1)),
    **dict.fromkeys(
        ("Isfinite", "Isinf", "Isnan", "Isneginf", "Isposinf", "Isreal", "Signbit"), _as("compare", scalars=1)
    ),
    # of two
    "Heaviside": _pair("heaviside"),
    "Ldexp": _pair("ldexp"),
    "Logaddexp2": _pair("logaddexp"),
    "Isclose": _pair("compare"),
    "Cross": _pair("cross"),
    "Polar": _pair("polar"),
    **dict.fromkeys(("Gcd", "Lcm"), _pair("modulo")),
    **dict.fromkeys(("BitwiseAnd", "BitwiseOr", "BitwiseXor"), _pair("logical")),
    **dict.fromkeys(
        ("BitwiseLeftShift", "LeftShift", "BitwiseRightShift", "RightShift"), _pair("multiply")
    ),
    # over axes
    "Std": _over("variance", root=True),
    "CountNonzero": _over("vector_norm", order=0),
    "Nansum": _over("reduce_sum"),
    "Nanmax": _over("reduce_max"),
    "Nanmin": _over("reduce_min"),
    "Nanprod": _over("reduce_prod"),
    **dict.fromkeys(("Nanargmax", "Nanargmin"), _over("arg_max")),
    "Norm": _norm,
    "Normalize": _normalize,
    "BatchNorm": _batch_norm,
    "Cumprod": _along("cumprod"),
    "Nancumsum": _along("cumsum"),
    "Nancumprod": _along("cumprod"),
    # linear algebra; decompositions whose steps depend on the data have no formula
    "Cholesky": _as("cholesky"),
    "Inv": _as("inverse"),
    "Det": _as("det"),
    "Solve": _solve,
    "SolveTriangular": _triangular_solve,
    "CDist": _as("cdist"),
    # pictures
    "Resize": _resize,
    "Unfold": _moved,
    # moves
    **dict.fromkeys(_MOVES.split(), _moved),
    **dict.fromkeys(("EmptyLike", "Geomspace", "Linspace", "Logspace"), _made),
}  # fmt: skip
"""Operation classes by name."""
