"""Normalisations, and the scale that belongs to them.

Every formula is counted as it is written, without folding constants: an element less its mean, times
a reciprocal root, times a scale, plus a shift. ``n`` is the number of elements, ``r`` of groups that
share their statistics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import product
from flopledger.kinds.axes import axis_of, differ, rows, without
from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts, merged, same_shape
from flopledger.kinds.reduce import norm_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.dims.types import Dim, Shape

_SCALE = Attribute("scale", "whether each element is multiplied by a learned scale", default=True)
_SHIFT = Attribute("shift", "whether a learned shift is added to each element", default=True)
_CHANNEL_AXIS = Attribute("axis", "axis of the channels", default=1)


def _affine(call: Call, n: Dim) -> Parts:
    """``y = x gamma + beta``, as far as the call has them."""
    scaled: Parts = {"multiplies": n} if call.flag("scale") else {}
    return merged(scaled, {"adds": n} if call.flag("shift") else {})


def _mean(n: Dim, r: Dim) -> Parts:
    """``mean = sum(x) / m`` in each of r groups."""
    return {"adds": n - r, "divides": r}


def _variance(n: Dim, r: Dim) -> Parts:
    """``var = sum((x - mean)^2) / m`` in each of r groups, the differences already there."""
    return {"multiplies": n, **_mean(n, r)}


def _normalised(n: Dim, r: Dim) -> Parts:
    """``(x - mean) / sqrt(var + eps)``: a difference and a product for each element."""
    return {"adds": n + r, "sqrts": r, "multiplies": n}


def batch_norm_parts(call: Call) -> Parts:
    """``y = (x - mean) / sqrt(var + eps) * gamma + beta``, one mean and variance for each channel.

    With ``batch_stats`` both are computed from the batch, else they are stored. Source: Ioffe and
    Szegedy, *Batch Normalization*, 2015 (arXiv:1502.03167), algorithms 1 and 2.
    """
    n, channels = call.in_elems, call.input[axis_of(call, call.input)]
    applied = merged(_normalised(n, channels), _affine(call, n))
    if not call.flag("batch_stats"):
        return applied
    return merged(_mean(n, channels), _variance(n, channels), applied)


def _own_statistics(call: Call, r: Dim) -> Parts:
    n = call.in_elems
    return merged(_mean(n, r), _variance(n, r), _normalised(n, r), _affine(call, n))


def layer_norm_parts(call: Call) -> Parts:
    """The statistics are those of all elements from ``axis`` on.

    Source: Ba, Kiros and Hinton, *Layer Normalization*, 2016 (arXiv:1607.06450).
    """
    return _own_statistics(call, product(call.input[: axis_of(call, call.input)]))


def group_norm_shapes(call: Call) -> tuple[Shape, ...]:
    """The shape stays; the groups divide the channels."""
    channels, groups = call.input[axis_of(call, call.input)], call.dim("groups")
    if isinstance(groups, int) and isinstance(channels, int) and (groups < 1 or channels % groups):
        raise call.impossible(f"{groups} groups don't divide the {channels} channels")
    return (call.input,)


def group_norm_parts(call: Call) -> Parts:
    """The statistics are those of a group of channels of one sample.

    Source: Wu and He, *Group Normalization*, 2018 (arXiv:1803.08494).
    """
    return _own_statistics(call, _samples(call) * call.dim("groups"))


def instance_norm_parts(call: Call) -> Parts:
    """The statistics are those of one channel of one sample.

    Source: Ulyanov, Vedaldi and Lempitsky, *Instance Normalization*, 2016 (arXiv:1607.08022).
    """
    return _own_statistics(call, _samples(call) * call.input[axis_of(call, call.input)])


def _samples(call: Call) -> Dim:
    """Return the batch size: the first axis, unless the channels are the first."""
    return 1 if axis_of(call, call.input) == 0 else call.input[0]


def rms_norm_parts(call: Call) -> Parts:
    """``y = x / sqrt(mean(x^2) + eps) * gamma`` over all elements from ``axis`` on.

    Source: Zhang and Sennrich, *Root Mean Square Layer Normalization*, 2019 (arXiv:1910.07467).
    """
    n, r = call.in_elems, product(call.input[: axis_of(call, call.input)])
    scaled: Parts = {"multiplies": n} if call.flag("scale") else {}
    return merged(_variance(n, r), {"adds": r, "sqrts": r, "multiplies": n}, scaled)


def lrn_parts(call: Call) -> Parts:
    """``y = x / (k + alpha / s * sum(x^2))^beta`` over a window of s elements.

    The window spans ``size`` channels, or ``size`` positions along each spatial axis; at the border
    it is counted with its nominal size. Sources: Krizhevsky, Sutskever and Hinton, *ImageNet
    Classification*, 2012, section 3.3; Caffe's ``lrn_layer.cpp``.
    """
    n, window = call.in_elems, call.whole("size")
    across = call.word("across")
    if across not in ("channels", "spatial"):
        raise call.impossible(f"the attribute 'across' is {across!r}, expected 'channels' or 'spatial'")
    if across == "spatial":
        window = window ** max(len(call.input) - 2, 0)
    return {"multiplies": 2 * n, "adds": window * n, "powers": n, "divides": n}


def l2_norm_parts(call: Call) -> Parts:
    """``y = x / sqrt(sum(x^2) + eps) * gamma`` over the channels, over all of a sample, or over each slice.

    Source: Liu, Rabinovich and Berg, *ParseNet*, 2015 (arXiv:1506.04579), section 3.3.
    """
    n = call.in_elems
    axis = axis_of(call, call.input)
    r = product(call.input[:axis]) if call.flag("across_spatial") else rows(call)
    r = call.input[axis] if call.flag("slices") else r
    squares: Parts = {"multiplies": n, "adds": n, "sqrts": r, "divides": n}
    return merged(squares, {"multiplies": n} if call.flag("scale") else {})


def renorm_shapes(call: Call) -> tuple[Shape, ...]:
    """The shape stays; it has the axis."""
    axis_of(call, call.input)
    return (call.input,)


def renorm_parts(call: Call) -> Parts:
    """``y = x min(1, max / (|x| + eps))`` for each slice across ``axis``.

    Its norm, an addition, a quotient and a comparison, and a product for each element. Source:
    torch.renorm.
    """
    r = call.input[axis_of(call, call.input)]
    factors: Parts = {"adds": r, "divides": r, "compares": r, "multiplies": call.in_elems}
    return merged(norm_parts(call, call.in_elems, r), factors)


def mvn_parts(call: Call) -> Parts:
    """``y = (x - mean) / (sqrt(var) + eps)`` over a channel of a sample, or over all of a sample.

    Without ``variance`` only the mean is taken off. Source: Caffe's ``mvn_layer.cpp``.
    """
    shape, n = call.input, call.in_elems
    r = product(shape[: 1 if call.flag("across_channels") else 2])
    centred = merged(_mean(n, r), {"adds": n})
    if not call.flag("variance"):
        return centred
    return merged(centred, _variance(n, r), {"sqrts": r, "adds": r, "divides": n})


def _matrix(call: Call) -> tuple[Dim, Dim]:
    """Return the rows and columns of a weight as a matrix, ``dim`` its rows."""
    dim = axis_of(call, call.input, "dim")
    return call.input[dim], product(without(call.input, (dim,)))


def spectral_norm_shapes(call: Call) -> tuple[Shape, ...]:
    """The shape stays; it has the axis, and the number of iterations is none below 0."""
    axis_of(call, call.input, "dim")
    if call.whole("power_iters") < 0:
        raise call.impossible(f"{call.whole('power_iters')} iterations are below 0")
    return (call.input,)


def spectral_norm_facts(call: Call) -> Facts:
    """``macs`` of the products of the matrix, h x w, with vectors, and of u with the last of them.

    ``W^T u`` and ``W v`` in each iteration take h w each, ``u^T (W v)`` at the end h w and h.
    """
    (h, w), times = _matrix(call), call.whole("power_iters")
    return {"macs": (2 * times + 1) * h * w + h, "dots": times * (h + w) + h + 1}


def spectral_norm_parts(call: Call) -> Parts:
    """``y = W / (u^T W v)`` with ``v = W^T u / |W^T u|`` and ``u = W v / |W v|`` in each iteration.

    A length is a square and an addition for each element, less one, and a root; then each element is
    divided by it. Source: Miyato et al., *Spectral Normalization*, 2018 (arXiv:1802.05957), algorithm 1.
    """
    (h, w), times, facts = _matrix(call), call.whole("power_iters"), spectral_norm_facts(call)
    both = times * (h + w)
    products: Parts = {"multiplies": facts["macs"], "adds": facts["macs"] - facts["dots"]}
    lengths: Parts = {"multiplies": both, "adds": both - 2 * times, "sqrts": 2 * times, "divides": both}
    return merged(products, lengths, {"divides": call.in_elems})


def vector_shapes(call: Call) -> tuple[Shape, ...]:
    """The shape stays; a second input, the vector, has the sizes from ``axis`` on."""
    shape = call.input
    if len(call.inputs) < 2:
        return (shape,)
    vector = call.inputs[1]
    axis = axis_of(call, shape)
    meets = shape[axis : axis + len(vector)]
    if len(meets) != len(vector) or any(differ(a, b) for a, b in zip(meets, vector, strict=True)):
        raise call.impossible(f"the second input has not the sizes of the first from axis {axis} on")
    return (shape,)


def scale_parts(call: Call) -> Parts:
    """``y = x gamma + beta`` (Caffe's ``scale_layer.cpp``), the scale learned or the second input."""
    n = call.in_elems
    return {"multiplies": n, "bias_adds": n if call.flag("bias") else 0}


def bias_parts(call: Call) -> Parts:
    """``y = x + beta`` (Caffe's ``bias_layer.cpp``), the bias learned or the second input."""
    return {"bias_adds": call.in_elems}


def _norm(name: str, doc: str, parts: Callable[[Call], Parts], *attributes: Attribute) -> Kind:
    return Kind(name=name, doc=doc, group="norm", shapes=same_shape, parts=parts, attributes=attributes)


KINDS = (
    _norm(
        "batch_norm",
        "each channel normalised over the batch",
        batch_norm_parts,
        _CHANNEL_AXIS,
        _SCALE,
        _SHIFT,
        Attribute("batch_stats", "whether mean and variance come from the batch", default=False),
    ),
    _norm(
        "layer_norm",
        "each sample normalised over its last axes",
        layer_norm_parts,
        Attribute("axis", "first axis that is normalised over", default=-1),
        _SCALE,
        _SHIFT,
    ),
    Kind(
        name="group_norm",
        doc="each sample normalised over groups of channels",
        group="norm",
        attributes=(
            Attribute("groups", "groups that the channels are split into"),
            _CHANNEL_AXIS,
            _SCALE,
            _SHIFT,
        ),
        shapes=group_norm_shapes,
        parts=group_norm_parts,
    ),
    _norm(
        "instance_norm",
        "each channel of each sample normalised",
        instance_norm_parts,
        _CHANNEL_AXIS,
        _SCALE,
        _SHIFT,
    ),
    _norm(
        "rms_norm",
        "each sample divided by its root mean square",
        rms_norm_parts,
        Attribute("axis", "first axis that is normalised over", default=-1),
        _SCALE,
    ),
    _norm(
        "lrn",
        "local response normalisation",
        lrn_parts,
        Attribute("size", "size of the window", default=5),
        Attribute("across", "the axes that the window spans: channels or spatial", default="channels"),
    ),
    _norm(
        "l2_norm",
        "vectors divided by their length",
        l2_norm_parts,
        Attribute("axis", "axis of the vectors", default=1),
        Attribute("across_spatial", "whether all from the axis on is one vector", default=False),
        Attribute("slices", "whether each slice across the axis is one vector", default=False),
        Attribute("scale", "whether each element is multiplied by a learned scale", default=False),
    ),
    Kind(
        name="renorm",
        doc="slices made no longer than a given length",
        group="norm",
        attributes=(
            Attribute("axis", "axis across which the slices are taken"),
            Attribute("order", "p of the norm; None for the largest magnitude", default=2),
        ),
        shapes=renorm_shapes,
        parts=renorm_parts,
    ),
    _norm(
        "mvn",
        "mean taken off and divided by the deviation",
        mvn_parts,
        Attribute("variance", "whether it is divided by the deviation", default=True),
        Attribute("across_channels", "whether the channels share their statistics", default=False),
    ),
    Kind(
        name="spectral_norm",
        doc="a weight divided by its largest singular value, found by power iteration",
        group="linear",
        attributes=(
            Attribute("dim", "axis that is the rows of the weight as a matrix", default=0),
            Attribute("power_iters", "how often the power iteration runs", default=1),
        ),
        shapes=spectral_norm_shapes,
        parts=spectral_norm_parts,
        facts=spectral_norm_facts,
    ),
    Kind(
        name="scale",
        doc="elements times a vector that is learned or the second input",
        group="norm",
        attributes=(
            Attribute("axis", "first axis that the vector lies along", default=1),
            Attribute("bias", "whether a bias is added to each element", default=False),
        ),
        shapes=vector_shapes,
        parts=scale_parts,
    ),
    Kind(
        name="bias",
        doc="elements plus a vector that is learned or the second input",
        group="elementwise",
        attributes=(Attribute("axis", "first axis that the vector lies along", default=1),),
        shapes=vector_shapes,
        parts=bias_parts,
    ),
)
