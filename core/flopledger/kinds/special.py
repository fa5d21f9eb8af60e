"""Special functions, and functions of two operands, element by element.

Each is counted as its formula is written, for each element of the output; a special function is one
operation, as erf is. Sources: the pages of scipy.special and of NumPy's functions of the same names.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger.kinds.activation import times
from flopledger.kinds.elementwise import SCALARS, pair_shapes
from flopledger.kinds.kind import Attribute, Call, Kind, Parts, same_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNARY: tuple[tuple[str, str, dict[str, int]], ...] = (
    ("special", "a gamma, Bessel or other special function", {"trigs": 1}),
    (
        "sinc",
        "sin(pi x) / (pi x), and 1 where x = 0",
        {"compares": 1, "multiplies": 1, "trigs": 1, "divides": 1},
    ),
    ("nan_to_num", "numbers that replace NaN and both infinities", {"compares": 3}),
    ("quantize", "min(max(round(x / s) + z, low), high)", {"divides": 1, "adds": 2, "compares": 2}),
    ("dequantize", "(x - z) s", {"adds": 1, "multiplies": 1}),
    (
        "fake_quantize",
        "(min(max(round(x / s) + z, low), high) - z) s (arXiv:1712.05877)",
        {"divides": 1, "adds": 3, "compares": 2, "multiplies": 1},
    ),
    (
        "quantize",
        "min(max(round(x / s) + z, low), high), a whole number (arXiv:1712.05877)",
        {"divides": 1, "adds": 2, "compares": 2},
    ),
    ("dequantize", "(x - z) s of a whole number x (arXiv:1712.05877)", {"adds": 1, "multiplies": 1}),
)
_BINARY: tuple[tuple[str, str, dict[str, int]], ...] = (
    ("atan2", "the angle of the point (b, a)", {"trigs": 1}),
    ("xlogy", "a log(b)", {"multiplies": 1, "logs": 1}),
    ("logaddexp", "max(a, b) + log(1 + exp(-|a - b|))", {"compares": 1, "adds": 3, "exps": 1, "logs": 1}),
    ("hypot", "sqrt(a^2 + b^2)", {"multiplies": 2, "adds": 1, "sqrts": 1}),
    ("copysign", "a with the sign of b: no arithmetic", {}),
    ("heaviside", "0 if a < 0, 1 if a > 0, else b", {"compares": 2}),
    ("ldexp", "a 2^b", {"multiplies": 1, "powers": 1}),
    ("polar", "a cos(b) and a sin(b), a complex number", {"multiplies": 2, "trigs": 2}),
    ("cross", "the cross product of vectors of three", {"multiplies": 2, "adds": 1}),
)

PER_ELEMENT: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {name: ops for name, _, ops in (*_UNARY, *_BINARY)}
)
"""The operations on one element of the output, by function."""


def function_parts(call: Call) -> Parts:
    """The operations on one element, for each element of the output."""
    return times(PER_ELEMENT[call.kind.name], call.out_elems)


def logit_parts(call: Call) -> Parts:
    """``log(x / (1 - x))``, and two comparisons where x is clipped beforehand."""
    clipped = {"compares": 2} if call.flag("clipped") else {}
    return times({"adds": 1, "divides": 1, "logs": 1, **clipped}, call.in_elems)


KINDS = (
    *(
        Kind(name=name, doc=doc, group="elementwise", shapes=same_shape, parts=function_parts)
        for name, doc, _ in _UNARY
    ),
    *(
        Kind(
            name=name,
            doc=doc,
            group="elementwise",
            attributes=(SCALARS,),
            shapes=pair_shapes,
            parts=function_parts,
        )
        for name, doc, _ in _BINARY
    ),
    Kind(
        name="logit",
        doc="log(x / (1 - x))",
        group="elementwise",
        attributes=(Attribute("clipped", "whether x is kept off 0 and 1", default=False),),
        shapes=same_shape,
        parts=logit_parts,
    ),
)
