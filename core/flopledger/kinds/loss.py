"""Losses and metrics: one number for a batch.

``n`` is the number of elements of the first input, ``r`` of its vectors along ``axis``, one for each
label. Every loss ends in a mean, a sum and one division, unless its attributes take that off. Sources:
Caffe's loss layers of the names given; torch.nn's loss pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims import Shape, is_dim
from flopledger.kinds.activation import softmax_parts
from flopledger.kinds.axes import rows
from flopledger.kinds.kind import Attribute, Call, Kind, Parts

if TYPE_CHECKING:
    from collections.abc import Callable

_OUTPUTS = Attribute("outputs", "shapes of the outputs; None for one scalar", default=None)
_AXIS = Attribute("axis", "axis of the classes", default=1)


def loss_shapes(call: Call) -> tuple[Shape, ...]:
    """One scalar, unless the shapes are given."""
    given = call.get("outputs")
    if given is None:
        return ((),)
    if not isinstance(given, tuple):
        raise call.impossible(f"the attribute 'outputs' is {given!r}, expected a list of shapes")
    shapes: list[Shape] = []
    for shape in given:
        if not isinstance(shape, tuple) or not all(is_dim(size) for size in shape):
            raise call.impossible(f"{shape!r} is not a shape")
        shapes.append(shape)
    return tuple(shapes)


def softmax_cross_entropy_parts(call: Call) -> Parts:
    """``L = -1/r sum_i log softmax(x_i)[label_i]``: a softmax, then one logarithm for each label.

    Without ``mean`` the r losses stay apart. Source: ``softmax_loss_layer.cpp``.
    """
    softmax, r = softmax_parts(call), rows(call)
    if not call.flag("mean"):
        return {**softmax, "logs": r}
    return {**softmax, "adds": softmax["adds"] + r - 1, "divides": softmax["divides"] + 1, "logs": r}


def infogain_parts(call: Call) -> Parts:
    """``L = -1/r sum_i sum_k H[label_i, k] log softmax(x_i)[k]``: a softmax, then n terms.

    Source: ``infogain_loss_layer.cpp``.
    """
    softmax, n = softmax_parts(call), call.in_elems
    return {
        **softmax,
        "adds": softmax["adds"] + n - 1,
        "divides": softmax["divides"] + 1,
        "logs": n,
        "multiplies": n,
    }


def sigmoid_cross_entropy_parts(call: Call) -> Parts:
    """``L = mean(max(x, 0) - x z + log(1 + exp(-|x|)))``.

    For each element a comparison, a product, three additions, an exponential and a logarithm.
    Source: ``sigmoid_cross_entropy_loss_layer.cpp``.
    """
    n = call.in_elems
    return {"compares": n, "multiplies": n, "adds": 4 * n - 1, "exps": n, "logs": n, "divides": 1}


def mse_parts(call: Call) -> Parts:
    """``L = mean((a - b)^2)`` (``euclidean_loss_layer.cpp`` divides by 2N instead)."""
    n = call.in_elems
    return {"adds": 2 * n - 1, "multiplies": n, "divides": 1}


def smooth_l1_parts(call: Call) -> Parts:
    """``L = mean(0.5 d^2 if |d| < 1 else |d| - 0.5)`` with ``d = a - b``, both branches counted.

    For each element two additions, two comparisons (one of them the magnitude) and two products.
    Source: Girshick, *Fast R-CNN*, 2015 (arXiv:1504.08083), equation 3.
    """
    n = call.in_elems
    return {"adds": 3 * n - 1, "compares": 2 * n, "multiplies": 2 * n, "divides": 1}


def hinge_parts(call: Call) -> Parts:
    """``L = 1/r sum max(0, 1 - d x)``, d being 1 for the label and -1 for all others.

    For each element an addition and a comparison. Source: ``hinge_loss_layer.cpp``, the L1 norm.
    """
    n = call.in_elems
    return {"adds": 2 * n - 1, "compares": n, "divides": 1}


def contrastive_parts(call: Call) -> Parts:
    """``L = 1/(2N) sum_i (y d^2 + (1 - y) max(margin - d, 0)^2)`` with ``d = |a_i - b_i|``.

    For each pair of m elements: m differences, m squares and their sum; then a root, three additions,
    a comparison and three products. The r pairs take ``n + (n - r) + 3 r + (r - 1)`` additions.
    Source: Hadsell, Chopra and LeCun, 2006, equation 4; ``contrastive_loss_layer.cpp``.
    """
    n, r = call.in_elems, call.input[0]
    return {
        "adds": 2 * n + 3 * r - 1,
        "multiplies": n + 3 * r,
        "sqrts": r,
        "compares": r,
        "divides": 1,
    }


def nll_parts(call: Call) -> Parts:
    """``L = -1/r sum_i x_i[label_i]``; with ``log`` of probabilities, whose logarithms are taken.

    Sources: torch.nn.NLLLoss; with ``log`` ``multinomial_logistic_loss_layer.cpp``.
    """
    r = rows(call)
    return {"adds": r - 1, "divides": 1, "logs": r if call.flag("log") else 0}


def accuracy_parts(call: Call) -> Parts:
    """The share of the vectors whose label is among the ``top`` largest.

    The label's element is compared with all others, and the number of larger ones with ``top``.
    Source: ``accuracy_layer.cpp``.
    """
    return {"compares": call.in_elems, "adds": rows(call) - 1, "divides": 1}


def _loss(name: str, doc: str, parts: Callable[[Call], Parts], *attributes: Attribute) -> Kind:
    return Kind(
        name=name,
        doc=doc,
        group="loss",
        attributes=(*attributes, _OUTPUTS),
        shapes=loss_shapes,
        parts=parts,
    )


KINDS = (
    _loss(
        "softmax_cross_entropy",
        "cross-entropy of a softmax and labels",
        softmax_cross_entropy_parts,
        _AXIS,
        Attribute("mean", "whether the losses of the labels are averaged", default=True),
    ),
    _loss("sigmoid_cross_entropy", "cross-entropy of sigmoids and targets", sigmoid_cross_entropy_parts),
    _loss("mse", "mean squared error, or half the squared distance", mse_parts),
    _loss("smooth_l1", "squared error near zero, magnitude elsewhere", smooth_l1_parts),
    _loss("hinge", "one-against-all hinge loss", hinge_parts),
    _loss("contrastive", "distance of pairs that belong together or apart", contrastive_parts),
    _loss("infogain", "cross-entropy weighted by a matrix", infogain_parts, _AXIS),
    _loss(
        "nll",
        "negative log-likelihood of labels",
        nll_parts,
        _AXIS,
        Attribute("log", "whether the logarithms are still to be taken", default=False),
    ),
    _loss(
        "accuracy",
        "share of labels that are met",
        accuracy_parts,
        _AXIS,
        Attribute("top", "how many of the largest may meet the label", default=1),
    ),
)
