"""Losses and metrics: one number for a batch.

``n`` is the number of elements of the first input, ``r`` of its vectors along ``axis``, one for each
label. Every loss ends in a mean, a sum and one division, unless its attributes take that off; with
``reduction`` sum there is no division, and without a reduction neither a sum nor a division. Sources: Caffe's
loss layers of the names given; torch.nn's loss pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import is_dim
from flopledger.kinds.activation import softmax_parts
from flopledger.kinds.axes import rows
from flopledger.kinds.kind import Attribute, Call, Kind, Parts, merged

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.dims.types import Dim, Shape

_OUTPUTS = Attribute("outputs", "shapes of the outputs; None for one scalar", default=None)
_AXIS = Attribute("axis", "axis of the classes", default=1)
_REDUCTION = Attribute("reduction", "how the losses are combined: mean, sum or none", default="mean")
_WEIGHTED = Attribute("weighted", "whether each loss is multiplied by a weight", default=False)


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


def _reduced(call: Call, losses: Dim) -> Parts:
    """Return the operations of the mean or the sum of the losses."""
    reduction = call.word("reduction")
    if reduction == "none":
        return {}
    if reduction not in ("mean", "sum"):
        raise call.impossible(f"the reduction {reduction!r} is none of mean, sum and none")
    return {"adds": losses - 1, "divides": 1} if reduction == "mean" else {"adds": losses - 1}


def _weights(call: Call) -> Parts:
    return {"multiplies": call.in_elems} if call.flag("weighted") else {}


def softmax_cross_entropy_parts(call: Call) -> Parts:
    """``L = -1/r sum_i log softmax(x_i)[label_i]``: a softmax, then one logarithm for each label.

    Without ``mean`` the r losses are not combined. Source: ``softmax_loss_layer.cpp``.
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

    For each element a comparison, a product, three additions, an exponential and a logarithm. A weight
    p of the positive targets, as a factor ``1 + (p - 1) z`` of the logarithm, takes two products and two
    additions more. Sources: ``sigmoid_cross_entropy_loss_layer.cpp``; torch.nn.BCEWithLogitsLoss.
    """
    n = call.in_elems
    terms: Parts = {"compares": n, "multiplies": n, "adds": 3 * n, "exps": n, "logs": n}
    positive: Parts = {"multiplies": 2 * n, "adds": 2 * n} if call.flag("positive_weight") else {}
    return merged(terms, positive, _weights(call), _reduced(call, n))


def binary_cross_entropy_parts(call: Call) -> Parts:
    """``L = -mean(z log(p) + (1 - z) log(1 - p))``: three additions, two products and logarithms each."""
    n = call.in_elems
    terms: Parts = {"logs": 2 * n, "multiplies": 2 * n, "adds": 3 * n}
    return merged(terms, _weights(call), _reduced(call, n))


def soft_margin_parts(call: Call) -> Parts:
    """``L = mean(log(1 + exp(-y x)))``."""
    n = call.in_elems
    return merged({"multiplies": n, "exps": n, "adds": n, "logs": n}, _reduced(call, n))


def multi_margin_parts(call: Call) -> Parts:
    """``L = mean_i(1/C sum_j max(0, margin - x_i[label_i] + x_i[j])^p)`` over all j but the label.

    For each of the n - r terms two additions and a comparison, for p = 2 a product; their sum, and a
    quotient for each label. Source: torch.nn.MultiMarginLoss.
    """
    r = rows(call)
    terms = call.in_elems - r
    squares: Parts = {"multiplies": terms} if call.number("p") == 2 else {}
    found: Parts = {"adds": 3 * terms - r, "compares": terms, "divides": r}
    return merged(found, squares, _reduced(call, r))


def mse_parts(call: Call) -> Parts:
    """``L = mean((a - b)^2)`` (``euclidean_loss_layer.cpp`` divides by 2N instead)."""
    n = call.in_elems
    return merged({"adds": n, "multiplies": n}, _reduced(call, n))


def smooth_l1_parts(call: Call) -> Parts:
    """``L = mean(0.5 d^2 if |d| < 1 else |d| - 0.5)`` with ``d = a - b``, both branches counted.

    For each element two additions, two comparisons (one of them the magnitude) and two products.
    Source: Girshick, *Fast R-CNN*, 2015 (arXiv:1504.08083), equation 3.
    """
    n = call.in_elems
    return merged({"adds": 2 * n, "compares": 2 * n, "multiplies": 2 * n}, _reduced(call, n))


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
    return merged({"logs": r if call.flag("log") else 0}, _reduced(call, r))


def accuracy_parts(call: Call) -> Parts:
    """The share of the vectors whose label is among the ``top`` largest.

    The label's element is compared with all others, and the number of larger ones with ``top``.
    Source: ``accuracy_layer.cpp``.
    """
    return {"compares": call.in_elems, "adds": rows(call) - 1, "divides": 1}


def _loss(name: str, doc: str, parts: Callable[[Call], Parts] | None, *attributes: Attribute) -> Kind:
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
    _loss(
        "sigmoid_cross_entropy",
        "cross-entropy of sigmoids and targets",
        sigmoid_cross_entropy_parts,
        _REDUCTION,
        _WEIGHTED,
        Attribute("positive_weight", "whether positive targets have a weight of their own", default=False),
    ),
    _loss(
        "binary_cross_entropy",
        "cross-entropy of probabilities and targets",
        binary_cross_entropy_parts,
        _REDUCTION,
        _WEIGHTED,
    ),
    _loss("soft_margin", "logistic loss of targets 1 and -1", soft_margin_parts, _REDUCTION),
    _loss(
        "multi_margin",
        "hinge loss of each class against the label",
        multi_margin_parts,
        _AXIS,
        _REDUCTION,
        Attribute("p", "the exponent, 1 or 2", default=1),
    ),
    _loss(
        "multi_label_margin", "hinge loss of each class against as many labels as there are", None, _REDUCTION
    ),
    _loss(
        "ctc",
        "negative logarithm of all alignments of sequences; their number depends on the data",
        None,
        _REDUCTION,
    ),
    _loss("mse", "mean squared error, or half the squared distance", mse_parts, _REDUCTION),
    _loss("smooth_l1", "squared error near zero, magnitude elsewhere", smooth_l1_parts, _REDUCTION),
    _loss("hinge", "one-against-all hinge loss", hinge_parts),
    _loss("contrastive", "distance of pairs that belong together or apart", contrastive_parts),
    _loss("infogain", "cross-entropy weighted by a matrix", infogain_parts, _AXIS),
    _loss(
        "nll",
        "negative log-likelihood of labels",
        nll_parts,
        _AXIS,
        _REDUCTION,
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
