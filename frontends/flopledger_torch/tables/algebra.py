"""Fourier transforms, systems of equations, factorisations and distances."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flopledger.frontend import is_symbolic

from flopledger_torch.tables.call import Meaning, Row, Said

if TYPE_CHECKING:
    from flopledger.frontend import Value


def fft(real: str) -> Row:
    """Return the row of aten._fft_c2c and its like, by which side is real.

    Where torch puts numbers in the place of symbols, the call is not taken for one of those numbers.
    """

    def row(said: Said) -> Meaning | None:
        if any(map(is_symbolic, said.given)) and not any(map(is_symbolic, said.out)):
            return None
        attrs: dict[str, Value] = {"axes": said.get("dim"), "real": real}
        if said.get("normalization") != 0:
            attrs["scaled"] = True
        if real == "output":
            attrs["size"] = said.get("last_dim_size")
        if real == "input":
            attrs["onesided"] = said.get("onesided") is not False
        return Meaning("fft", attrs, said.first)

    return row


def lu(said: Said) -> Meaning:
    """aten.linalg_lu_factor_ex."""
    return Meaning("lu", {"pivot": said.get("pivot") is not False}, said.first)


def lu_factors(said: Said) -> Meaning:
    """aten.linalg_lu."""
    return Meaning("lu", {"pivot": said.get("pivot") is not False, "factors": True}, said.first)


def solve(said: Said) -> Meaning:
    """aten._linalg_solve_ex; as torch says, b is a vector where its shape is that of a's rows."""
    a, b = said.shape("A"), said.shape("B")
    attrs: dict[str, Value] = {
        "vector": len(b) == 1 or b == a[:-1],
        "left": said.get("left") is not False,
    }
    return Meaning("solve", attrs, said.refs("A", "B"))


def triangular_solve(matrix: str, sides: str) -> Row:
    """Return the row of aten.linalg_solve_triangular and its like."""

    def row(said: Said) -> Meaning:
        attrs: dict[str, Value] = {
            "unit": 1 if said.get("unitriangular") is True else 0,
            "left": said.get("left") is not False,
        }
        return Meaning("triangular_solve", attrs, said.refs(matrix, sides))

    return row


def factors_solve(matrix: str, sides: str, *, unit: int) -> Row:
    """Return the row of what solves by two triangles, ``unit`` of them with ones on the diagonal."""

    def row(said: Said) -> Meaning:
        attrs: dict[str, Value] = {"triangles": 2, "unit": unit, "left": said.get("left") is not False}
        return Meaning("triangular_solve", attrs, said.refs(matrix, sides))

    return row


def svd(said: Said) -> Meaning | None:
    """aten._linalg_svd, which without vectors has empty outputs in their place."""
    if said.get("compute_uv") is False:
        return None
    return Meaning("svd", {"full": said.get("full_matrices") is True}, said.first)


def eig(said: Said) -> Meaning:
    """aten._linalg_eigh and aten.linalg_eig."""
    return Meaning("eig", {"vectors": said.get("compute_v") is not False}, said.first)


def trace(said: Said) -> Meaning:
    """torch.trace."""
    return Meaning("einsum", {"equation": "aa->"}, said.first)


def order_of(value: Value) -> int | float | None:
    """Return p of a norm: None for the largest or smallest magnitude; the Frobenius norm's is 2."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return None if math.isinf(value) else value
    if value in (None, "fro"):
        return 2
    message = f"{value!r} is no norm of vectors"
    raise ValueError(message)


def distance(kind: str, *operands: str) -> Row:
    """Return the row of torch.cdist and its like."""

    def row(said: Said) -> Meaning:
        return Meaning(kind, {"order": order_of(said.get("p"))}, said.refs(*operands))

    return row
