"""Activation functions, gated linear units and softmax.

Each function is counted as its formula is written, for each element: a branch is one comparison, a
sigmoid an exponential, an addition and a division; tanh and erf are one operation. Constants such as
``1 / sqrt(2)`` are there beforehand, and a change of sign is free.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import floordiv, product
from flopledger.kinds.axes import axes_of, axis_of, rows, without
from flopledger.kinds.kind import Attribute, Call, Kind, Parts, same_shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.dims.types import Dim, Shape

_SIGMOID = {"exps": 1, "adds": 1, "divides": 1}
_SOFTPLUS = {"exps": 1, "adds": 1, "logs": 1}

_FUNCTIONS: tuple[tuple[str, str, dict[str, int]], ...] = (
    ("relu", "max(x, 0)", {"compares": 1}),
    ("relu6", "min(max(x, 0), 6)", {"compares": 2}),
    ("leaky_relu", "x if x > 0 else a x", {"compares": 1, "multiplies": 1}),
    ("prelu", "x if x > 0 else a x, a learned (arXiv:1502.01852)", {"compares": 1, "multiplies": 1}),
    (
        "selu",
        "s x if x > 0 else s a (exp(x) - 1) (arXiv:1706.02515)",
        {"compares": 1, "multiplies": 2, "exps": 1, "adds": 1},
    ),
    (
        "elu",
        "x if x > 0 else a (exp(x) - 1) (arXiv:1511.07289)",
        {"compares": 1, "multiplies": 1, "exps": 1, "adds": 1},
    ),
    (
        "celu",
        "x if x > 0 else a (exp(x / a) - 1) (arXiv:1704.07483)",
        {"compares": 1, "divides": 1, "multiplies": 1, "exps": 1, "adds": 1},
    ),
    (
        "gelu",
        "0.5 x (1 + erf(x / sqrt(2))) (arXiv:1606.08415)",
        {"multiplies": 3, "adds": 1, "trigs": 1},
    ),
    (
        "gelu_tanh",
        "0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) (arXiv:1606.08415)",
        {"multiplies": 6, "adds": 2, "trigs": 1},
    ),
    ("quick_gelu", "x sigmoid(1.702 x) (arXiv:1606.08415)", {**_SIGMOID, "multiplies": 2}),
    ("sigmoid", "1 / (1 + exp(-x))", _SIGMOID),
    ("tanh", "tanh(x)", {"trigs": 1}),
    ("silu", "x sigmoid(x) (arXiv:1702.03118)", {**_SIGMOID, "multiplies": 1}),
    ("swish", "x sigmoid(b x) (arXiv:1710.05941)", {**_SIGMOID, "multiplies": 2}),
    ("mish", "x tanh(log(1 + exp(x))) (arXiv:1908.08681)", {**_SOFTPLUS, "trigs": 1, "multiplies": 1}),
    ("softplus", "log(1 + exp(x))", _SOFTPLUS),
    (
        "squareplus",
        "(x + sqrt(x^2 + b)) / 2 (arXiv:2112.11687)",
        {"multiplies": 1, "adds": 2, "sqrts": 1, "divides": 1},
    ),
    (
        "sparse_plus",
        "0 if x <= -1, (x + 1)^2 / 4 if x < 1, else x (keras.activations.sparse_plus)",
        {"compares": 2, "adds": 1, "multiplies": 1, "divides": 1},
    ),
    ("softsign", "x / (1 + |x|), |x| one comparison", {"compares": 1, "adds": 1, "divides": 1}),
    ("hard_sigmoid", "min(max(x + 3, 0), 6) / 6", {"adds": 1, "compares": 2, "divides": 1}),
    (
        "hard_swish",
        "x min(max(x + 3, 0), 6) / 6 (arXiv:1905.02244)",
        {"adds": 1, "compares": 2, "multiplies": 1, "divides": 1},
    ),
    ("hard_tanh", "min(max(x, low), high)", {"compares": 2}),
    ("threshold", "x if x > t else a constant", {"compares": 1}),
    ("log_sigmoid", "-log(1 + exp(-x))", _SOFTPLUS),
    (
        "bnll",
        "max(x, 0) + log(1 + exp(-|x|)) (Caffe's bnll_layer.cpp)",
        {"compares": 1, "exps": 1, "adds": 2, "logs": 1},
    ),
    ("tanh_shrink", "x - tanh(x)", {"adds": 1, "trigs": 1}),
    ("soft_shrink", "x - t if x > t, x + t if x < -t, else 0", {"compares": 2, "adds": 1}),
    ("hard_shrink", "x if x > t or x < -t, else 0", {"compares": 2}),
)
"""Name, formula with its paper, and the operations on one element.

Formulas without a paper are those of the framework pages, such as torch.nn.Hardsigmoid.
"""

PER_ELEMENT: Mapping[str, Mapping[str, int]] = MappingProxyType({name: ops for name, _, ops in _FUNCTIONS})
"""The operations on one element, by function."""


def times(ops: Mapping[str, int], n: Dim) -> Parts:
    """Return the operations on n elements."""
    return {name: count * n for name, count in ops.items()}


def function_parts(call: Call) -> Parts:
    """The operations on one element, for each element of the input."""
    return times(PER_ELEMENT[call.kind.name], call.in_elems)


def glu_shapes(call: Call) -> tuple[Shape, ...]:
    """The axis is halved."""
    axis = axis_of(call, call.input)
    size = call.input[axis]
    if isinstance(size, int) and size % 2:
        raise call.impossible(f"axis {axis} has the size {size}, which can't be halved")
    return (without(call.input, (axis,), floordiv(size, 2)),)


def glu_parts(call: Call) -> Parts:
    """``y = a sigmoid(b)`` for the halves a and b.

    Source: Dauphin et al., *Language Modeling with Gated Convolutional Networks*, 2016
    (arXiv:1612.08083).
    """
    return times({**_SIGMOID, "multiplies": 1}, call.out_elems)


def maxout_shapes(call: Call) -> tuple[Shape, ...]:
    """The axis is divided by the number of pieces."""
    axis, pieces = axis_of(call, call.input), call.whole("pieces")
    size = call.input[axis]
    if pieces < 1 or (isinstance(size, int) and size % pieces):
        raise call.impossible(f"axis {axis} has the size {size}, which has no groups of {pieces} pieces")
    return (without(call.input, (axis,), floordiv(size, pieces)),)


def maxout_parts(call: Call) -> Parts:
    """``y_i = max_j x_ij`` over k pieces: k - 1 comparisons for each element of the output.

    Source: Goodfellow et al., *Maxout Networks*, 2013 (arXiv:1302.4389), section 3.
    """
    return {"compares": (call.whole("pieces") - 1) * call.out_elems}


def softmax_shapes(call: Call) -> tuple[Shape, ...]:
    """The shape stays; it has the axis, or the axes."""
    _vectors(call)
    return (call.input,)


def _vectors(call: Call) -> Dim:
    """Return how many vectors are normalised: the elements along the other axes."""
    several = isinstance(call.get("axis"), tuple)
    return product(without(call.input, axes_of(call, call.input, "axis"))) if several else rows(call)


def softmax_parts(call: Call) -> Parts:
    """``y_i = exp(x_i - max) / sum_j exp(x_j - max)`` along the axis.

    For each vector of m: m - 1 comparisons, m differences, m exponentials, a sum of m, m divisions.
    Source: Goodfellow, Bengio and Courville, *Deep Learning*, 2016, section 4.1.
    """
    n, r = call.in_elems, _vectors(call)
    return {"compares": n - r, "adds": 2 * n - r, "exps": n, "divides": n}


def log_softmax_parts(call: Call) -> Parts:
    """``y_i = (x_i - max) - log(sum_j exp(x_j - max))`` along the axis.

    For each vector of m: m - 1 comparisons, two differences for each element, m exponentials, a sum
    of m, one logarithm. Source: torch.nn.LogSoftmax.
    """
    n, r = call.in_elems, _vectors(call)
    return {"compares": n - r, "adds": 3 * n - r, "exps": n, "logs": r}


def rectifier_parts(call: Call) -> Parts:
    """``y = m if x >= m, x if x > t, else a (x - t)``: a largest value, a threshold, a slope.

    A comparison with t and one with m; below t a product with the slope, and a difference where t is not 0.
    Source: keras.layers.ReLU.
    """
    n = call.in_elems
    slope, largest = call.flag("slope"), call.flag("largest")
    return {
        "compares": n * (2 if largest else 1),
        "multiplies": n if slope else 0,
        "adds": n if slope and call.flag("threshold") else 0,
    }


_AXIS = (Attribute("axis", "axis, or axes, along which the elements sum to 1", default=-1),)

KINDS = (
    *(
        Kind(name=name, doc=formula, group="activation", shapes=same_shape, parts=function_parts)
        for name, formula, _ in _FUNCTIONS
    ),
    Kind(
        name="rectifier",
        doc="m if x >= m, x if x > t, else a (x - t), with two or three of m, t and a given",
        group="activation",
        attributes=(
            Attribute("slope", "whether values below the threshold are multiplied by a slope", default=False),
            Attribute("largest", "whether there is a largest value", default=False),
            Attribute("threshold", "whether the threshold is another than 0", default=False),
        ),
        shapes=same_shape,
        parts=rectifier_parts,
    ),
    Kind(
        name="glu",
        doc="one half of an axis gated by the other",
        group="activation",
        attributes=(Attribute("axis", "axis that is halved", default=-1),),
        shapes=glu_shapes,
        parts=glu_parts,
    ),
    Kind(
        name="maxout",
        doc="the largest of each group along an axis",
        group="activation",
        attributes=(
            Attribute("pieces", "elements that each maximum is taken of"),
            Attribute("axis", "axis that is divided", default=1),
        ),
        shapes=maxout_shapes,
        parts=maxout_parts,
    ),
    Kind(
        name="softmax",
        doc="exponentials that sum to 1",
        group="softmax",
        attributes=_AXIS,
        shapes=softmax_shapes,
        parts=softmax_parts,
    ),
    Kind(
        name="log_softmax",
        doc="the logarithm of softmax",
        group="softmax",
        attributes=_AXIS,
        shapes=softmax_shapes,
        parts=log_softmax_parts,
    ),
)
