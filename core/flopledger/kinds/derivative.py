"""Derivatives that a network takes itself, as the operators that frameworks lower them to.

The first input is the gradient of the result. Products of matrices have no kind here: their derivatives are
products of matrices. Source: PyTorch's ``derivatives.yaml``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import product
from flopledger.kinds.activation import times
from flopledger.kinds.axes import rows
from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts, dot_parts, merged, same_shape

if TYPE_CHECKING:
    from flopledger.dims.types import Shape

_FUNCTIONS: dict[str, tuple[str, dict[str, int]]] = {
    "tanh_derivative": ("g (1 - y^2) for y = tanh(x)", {"multiplies": 2, "adds": 1}),
    "sigmoid_derivative": ("g y (1 - y) for y = sigmoid(x)", {"multiplies": 2, "adds": 1}),
    "relu_derivative": ("g if x > 0, or another threshold, else 0", {"compares": 1}),
    "silu_derivative": (
        "g s (1 + x (1 - s)) for s = sigmoid(x)",
        {"exps": 1, "divides": 1, "adds": 3, "multiplies": 3},
    ),
}
"""Name, formula, and the operations on one element."""


def function_parts(call: Call) -> Parts:
    """The operations on one element, for each element of the gradient."""
    return times(_FUNCTIONS[call.kind.name][1], call.in_elems)


def softmax_parts(call: Call) -> Parts:
    """``y (g - sum(g y))`` along the axis: two products and a difference for each element, and the sum."""
    n = call.in_elems
    return {"multiplies": 2 * n, "adds": 2 * n - rows(call)}


def log_softmax_parts(call: Call) -> Parts:
    """``g - exp(y) sum(g)`` along the axis: an exponential, a product, a difference, and the sum."""
    n = call.in_elems
    return {"exps": n, "multiplies": n, "adds": 2 * n - rows(call)}


def _wanted(call: Call) -> tuple[bool, bool, bool]:
    return call.flag("of_input"), call.flag("of_weight"), call.flag("of_bias")


def conv_shapes(call: Call) -> tuple[Shape, ...]:
    """The gradients asked for have the shapes of the input, of the weight, and of its channels."""
    if len(call.inputs) < 3 or len(call.input) < 2:
        raise call.impossible("it has the gradient of the result, the input and the weight")
    result, given, weight = call.inputs[:3]
    shapes = (given, weight, (result[1],))
    return tuple(shape for shape, wanted in zip(shapes, _wanted(call), strict=True) if wanted)


def conv_facts(call: Call) -> Facts:
    """As many products as the convolution has, for each of the gradients of input and weight.

    ``macs = N C_out S (C_in / g) K`` of a result with S places; a transposed convolution has them for each
    place of its input.
    """
    result, given, weight = call.inputs[:3]
    once = product(given if call.flag("transposed") else result) * product(weight[1:])
    of_input, of_weight, _ = _wanted(call)
    dots = (product(given) if of_input else 0) + (product(weight) if of_weight else 0)
    return {"macs": once * (of_input + of_weight), "dots": dots}


def conv_parts(call: Call) -> Parts:
    """The dot products, and a sum over all places of each channel for the bias."""
    facts, result = conv_facts(call), call.input
    bias = {"adds": product(result) - result[1]} if call.flag("of_bias") else {}
    return merged(dot_parts(facts["macs"], facts["dots"]), bias)


KINDS = (
    *(
        Kind(name, f"derivative of an activation: {doc}", "activation", same_shape, parts=function_parts)
        for name, (doc, _) in _FUNCTIONS.items()
    ),
    Kind(
        name="softmax_derivative",
        doc="derivative of a softmax",
        group="softmax",
        attributes=(Attribute("axis", "axis of the softmax"),),
        shapes=same_shape,
        parts=softmax_parts,
    ),
    Kind(
        name="log_softmax_derivative",
        doc="derivative of the logarithm of a softmax",
        group="softmax",
        attributes=(Attribute("axis", "axis of the softmax"),),
        shapes=same_shape,
        parts=log_softmax_parts,
    ),
    Kind(
        name="conv_derivative",
        doc="derivatives of a convolution by its input, weight and bias",
        group="conv",
        attributes=(
            Attribute("transposed", "whether the convolution is a transposed one", default=False),
            Attribute("of_input", "whether the derivative by the input is made", default=True),
            Attribute("of_weight", "whether that by the weight is", default=True),
            Attribute("of_bias", "whether that by the bias is", default=False),
        ),
        shapes=conv_shapes,
        parts=conv_parts,
        facts=conv_facts,
    ),
)
