"""Fourier transforms, systems of equations, factorisations and distances."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flopledger.frontend import is_symbolic

from flopledger_torch.tables.call import Meaning, Rule, TorchCall

if TYPE_CHECKING:
    from flopledger.frontend import Value


def fft(real: str) -> Rule:
    """Return the rule of aten._fft_c2cand its variants, by which side is real.

    Where torch puts numbers in place of symbols, the call is not taken for one of those numbers.
    """

    def rule(call: TorchCall) -> Meaning | None:
        if any(map(is_symbolic, call.input_shape)) and not any(map(is_symbolic, call.out)):
            return None
        attrs: dict[str, Value] = {"axes": call.get("dim"), "real": real}
        if call.get("normalization") != 0:
            attrs["scaled"] = True
        if real == "output":
            attrs["size"] = call.get("last_dim_size")
        if real == "input":
            attrs["onesided"] = call.get("onesided") is not False
        return Meaning("fft", attrs, call.first)

    return rule


def lu(call: TorchCall) -> Meaning:
    """aten.linalg_lu_factor_ex."""
    return Meaning("lu", {"pivot": call.get("pivot") is not False}, call.first)


def lu_factors(call: TorchCall) -> Meaning:
    """aten.linalg_lu."""
    return Meaning("lu", {"pivot": call.get("pivot") is not False, "factors": True}, call.first)


def solve(call: TorchCall) -> Meaning:
    """aten._linalg_solve_ex; as torch documents, b is a vector where its shape is that of a's rows."""
    a, b = call.shape("A"), call.shape("B")
    attrs: dict[str, Value] = {
        "vector": len(b) == 1 or b == a[:-1],
        "left": call.get("left") is not False,
    }
    return Meaning("solve", attrs, call.refs("A", "B"))


def triangular_solve(matrix: str, sides: str) -> Rule:
    """Return the rule of aten.linalg_solve_triangularand its variants."""

    def rule(call: TorchCall) -> Meaning:
        attrs: dict[str, Value] = {
            "unit": 1 if call.get("unitriangular") is True else 0,
            "left": call.get("left") is not False,
        }
        return Meaning("triangular_solve", attrs, call.refs(matrix, sides))

    return rule


def factors_solve(matrix: str, sides: str, *, unit: int) -> Rule:
    """Return the rule of a solver by two triangles, ``unit`` of them with ones on the diagonal."""

    def rule(call: TorchCall) -> Meaning:
        attrs: dict[str, Value] = {"triangles": 2, "unit": unit, "left": call.get("left") is not False}
        return Meaning("triangular_solve", attrs, call.refs(matrix, sides))

    return rule


def svd(call: TorchCall) -> Meaning | None:
    """aten._linalg_svd, which without vectors has empty outputs in their place."""
    if call.get("compute_uv") is False:
        return None
    return Meaning("svd", {"full": call.get("full_matrices") is True}, call.first)


def eig(call: TorchCall) -> Meaning:
    """aten._linalg_eigh and aten.linalg_eig."""
    return Meaning("eig", {"vectors": call.get("compute_v") is not False}, call.first)


def trace(call: TorchCall) -> Meaning:
    """torch.trace."""
    return Meaning("einsum", {"equation": "aa->"}, call.first)


def order_of(value: Value) -> int | float | None:
    """Return p of a norm: None for the largest or smallest magnitude; the Frobenius norm's is 2."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return None if math.isinf(value) else value
    if value in (None, "fro"):
        return 2
    message = f"{value!r} is no norm of vectors"
    raise ValueError(message)


def distance(kind: str, *operands: str) -> Rule:
    """Return the rule of torch.cdistand its variants."""

    def rule(call: TorchCall) -> Meaning:
        return Meaning(kind, {"order": order_of(call.get("p"))}, call.refs(*operands))

    return rule
