"""Arithmetic element by element, on one operand or on several that are broadcast.

Each element of the output costs one operation, the one that the kind is named after. Broadcasting follows
numpy.org/doc/stable/user/basics.broadcasting.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.kinds.axes import broadcast
from flopledger.kinds.kind import Attribute, Call, Kind, Parts, same_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.dims.types import Shape

SCALARS = Attribute("scalars", "how many further operands are plain numbers", default=0)


def broadcast_shapes(call: Call) -> tuple[Shape, ...]:
    """All operands are broadcast against each other."""
    if not call.inputs:
        raise call.impossible(f"{call.kind.name} has no operand")
    return (broadcast(call, call.inputs),)


def _operands(call: Call) -> int:
    return len(call.inputs) + call.whole("scalars")


def pair_shapes(call: Call) -> tuple[Shape, ...]:
    """Two operands are broadcast against each other; one of them may be a number."""
    if _operands(call) != 2:
        raise call.impossible(f"{call.kind.name} takes two operands, found {_operands(call)}")
    return broadcast_shapes(call)


def _repeated(part: str) -> Callable[[Call], Parts]:
    """Return the formula for k operands joined by k - 1 operations on each output element."""

    def parts(call: Call) -> Parts:
        return {part: (_operands(call) - 1) * call.out_elems}

    return parts


def add_parts(call: Call) -> Parts:
    """``y = sum_i c_i x_i``: k - 1 additions, and a product for each coefficient that is not 1.

    Source of the coefficients: Caffe's ``eltwise_layer.cpp``.
    """
    adds = (_operands(call) - 1) * call.out_elems
    coefficients = call.get("coefficients")
    if coefficients is None:
        return {"adds": adds}
    if not isinstance(coefficients, tuple) or len(coefficients) != _operands(call):
        raise call.impossible(f"the coefficients {coefficients!r} are not one for each operand")
    return {"adds": adds, "multiplies": sum(c != 1 for c in coefficients) * call.out_elems}


def multiply_add_parts(call: Call) -> Parts:
    """``y = a + v b c``, or ``a + v b / c``: the factor v costs a product where it is not 1.

    Sources: torch.addcmul, torch.addcdiv.
    """
    n = call.out_elems
    scaled = n if call.flag("scaled") else 0
    if call.flag("divides"):
        return {"adds": n, "multiplies": scaled, "divides": n}
    return {"adds": n, "multiplies": n + scaled}


def lerp_parts(call: Call) -> Parts:
    """``y = a + w (b - a)`` (torch.lerp)."""
    return {"adds": 2 * call.out_elems, "multiplies": call.out_elems}


def average_parts(call: Call) -> Parts:
    """``y = (x_1 + .. + x_k) / k``."""
    return {"adds": (_operands(call) - 1) * call.out_elems, "divides": call.out_elems}


def _per_element(part: str, count: int) -> Callable[[Call], Parts]:
    def parts(call: Call) -> Parts:
        return {part: count * call.in_elems}

    return parts


def power_law_parts(call: Call) -> Parts:
    """``y = (shift + scale x)^power``; trivial steps cost nothing (Caffe's ``power_layer.cpp``).

    A scale of 1, a shift of 0 and a power of 1 are trivial; where power or scale is 0, y is constant.
    """
    power, scale, shift = (call.number(name) for name in ("power", "scale", "shift"))
    if power * scale == 0:
        return {}
    n = call.in_elems
    return {
        "multiplies": n if scale != 1 else 0,
        "adds": n if shift != 0 else 0,
        "powers": n if power != 1 else 0,
    }


def _linear_inside(call: Call) -> Parts:
    n = call.in_elems
    return {
        "multiplies": n if call.number("scale") != 1 else 0,
        "adds": n if call.number("shift") != 0 else 0,
    }


def exp_law_parts(call: Call) -> Parts:
    """``y = base^(shift + scale x)``; a base of -1 means e (Caffe's ``exp_layer.cpp``).

    It is an exponential for e and a power for any other base.
    """
    return {**_linear_inside(call), "exps" if call.number("base") == -1 else "powers": call.in_elems}


def log_law_parts(call: Call) -> Parts:
    """``y = log_base(shift + scale x)``; a base of -1 means e (Caffe's ``log_layer.cpp``).

    Another base costs a product with ``1 / log(base)``.
    """
    n, inside = call.in_elems, _linear_inside(call)
    converted = n if call.number("base") != -1 else 0
    return {**inside, "multiplies": inside["multiplies"] + converted, "logs": n}


def _joined(name: str, doc: str, part: str) -> Kind:
    return Kind(
        name=name,
        doc=doc,
        group="elementwise",
        attributes=(SCALARS,),
        shapes=broadcast_shapes,
        parts=_repeated(part),
    )


def _pair(name: str, doc: str, part: str) -> Kind:
    return Kind(
        name=name,
        doc=doc,
        group="elementwise",
        attributes=(SCALARS,),
        shapes=pair_shapes,
        parts=_repeated(part),
    )


def _unary(name: str, doc: str, part: str, count: int = 1) -> Kind:
    return Kind(name=name, doc=doc, group="elementwise", shapes=same_shape, parts=_per_element(part, count))


def _law(name: str, doc: str, parts: Callable[[Call], Parts], first: Attribute) -> Kind:
    return Kind(
        name=name,
        doc=doc,
        group="elementwise",
        attributes=(
            first,
            Attribute("scale", "the factor of each element", default=1),
            Attribute("shift", "the term that is added then", default=0),
        ),
        shapes=same_shape,
        parts=parts,
    )


_BASE = Attribute("base", "the base; -1 for e", default=-1)

KINDS = (
    Kind(
        name="add",
        doc="the sum of all operands, each with a coefficient",
        group="elementwise",
        attributes=(SCALARS, Attribute("coefficients", "a factor for each operand", default=None)),
        shapes=broadcast_shapes,
        parts=add_parts,
    ),
    _pair("subtract", "a - b", "adds"),
    _joined("multiply", "the product of all operands", "multiplies"),
    _pair("divide", "a / b, rounded or not", "divides"),
    _joined("maximum", "the largest operand", "compares"),
    _joined("minimum", "the smallest operand", "compares"),
    Kind(
        name="average",
        doc="the mean of all operands",
        group="elementwise",
        attributes=(SCALARS,),
        shapes=broadcast_shapes,
        parts=average_parts,
    ),
    Kind(
        name="multiply_add",
        doc="a + v b c, or a + v b / c",
        group="elementwise",
        attributes=(
            SCALARS,
            Attribute("divides", "whether it is b / c", default=False),
            Attribute("scaled", "whether the factor v is not 1", default=False),
        ),
        shapes=broadcast_shapes,
        parts=multiply_add_parts,
    ),
    Kind(
        name="lerp",
        doc="a + w (b - a), a point between two",
        group="elementwise",
        attributes=(SCALARS,),
        shapes=broadcast_shapes,
        parts=lerp_parts,
    ),
    _pair("power", "a to the power of b", "powers"),
    _pair("modulo", "the remainder of a / b", "divides"),
    _pair("compare", "a = b, a < b and the like", "compares"),
    _joined("logical", "and, or, exclusive or of truth values; of one operand, not", "compares"),
    Kind(
        name="select",
        doc="a where a condition holds, else b: a choice, no arithmetic",
        group="elementwise",
        attributes=(SCALARS,),
        shapes=broadcast_shapes,
    ),
    _unary("exp", "exp(x)", "exps"),
    _unary("log", "log(x)", "logs"),
    _unary("sqrt", "sqrt(x)", "sqrts"),
    _unary("rsqrt", "1 / sqrt(x)", "sqrts"),
    _unary("square", "x x", "multiplies"),
    _unary("abs", "x if x > 0 else -x", "compares"),
    Kind(name="negate", doc="-x: a change of sign, no arithmetic", group="elementwise", shapes=same_shape),
    _unary("reciprocal", "1 / x", "divides"),
    _unary("sin", "sin(x)", "trigs"),
    _unary("cos", "cos(x)", "trigs"),
    _unary("erf", "erf(x)", "trigs"),
    _unary("round", "floor(x + 1/2) and the like", "adds"),
    _unary("sign", "1 if x > 0, -1 if x < 0, else 0", "compares", 2),
    _unary("clip", "min(max(x, low), high)", "compares", 2),
    _law(
        "power_law",
        "(shift + scale x)^power",
        power_law_parts,
        Attribute("power", "the exponent", default=1),
    ),
    _law("exp_law", "base^(shift + scale x)", exp_law_parts, _BASE),
    _law("log_law", "log(shift + scale x) to a base", log_law_parts, _BASE),
)
