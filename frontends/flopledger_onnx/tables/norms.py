"""Normalisations, softmax, dropout and losses. Source: onnx.ai/onnx/operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import CONTAINER, Attrs, Part, Row, Step, product, row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend import Shape

    from flopledger_onnx.node import Call

SCALE_AND_SHIFT: Mapping[int, str] = {1: "scale", 2: "shift"}


def batch_norm(call: Call) -> Step:
    """Stored statistics, or those of the batch with ``training_mode``."""
    attrs: Attrs = {"batch_stats": True} if call.flag("training_mode") else {}
    channels = call.shape(1)
    if call.rank() < 2:
        attrs["axis"] = 0
    return Step("batch_norm", attrs, (0,), more=[channels] * 4)


def layer_norm(call: Call) -> Step:
    """Normalised from ``axis`` on; the mean and the reciprocal deviation may follow."""
    shape = call.shape()
    axis = call.axis(call.whole("axis", -1), len(shape))
    attrs: Attrs = {"axis": axis, "scale": call.has(1), "shift": call.has(2)}
    reduced = (*shape[:axis], *(1,) * (len(shape) - axis))
    return Step("layer_norm", attrs, (0,), more=[reduced, reduced])


def rms_norm(call: Call) -> Step:
    """Divided by the root mean square from ``axis`` on."""
    axis = call.axis(call.whole("axis", -1), call.rank())
    return Step("rms_norm", {"axis": axis, "scale": call.has(1)}, (0,))


def instance_norm(_: Call) -> Step:
    """Each channel of each sample on its own."""
    return Step("instance_norm", {}, (0,))


def group_norm(call: Call) -> Step:
    """Groups of channels of each sample."""
    return Step("group_norm", {"groups": call.whole("num_groups")}, (0,))


def lrn(call: Call) -> Step:
    """A window across channels."""
    return Step("lrn", {"size": call.whole("size")}, (0,))


def lp_norm(call: Call) -> Step:
    """Vectors divided by their length; with p = 1 by the sum of magnitudes."""
    shape = call.shape()
    axis = call.axis(call.whole("axis", -1), len(shape))
    if call.whole("p", 2) == 2:
        return Step("l2_norm", {"axis": axis}, (0,))
    lengths = tuple(1 if i == axis else n for i, n in enumerate(shape))
    parts = (
        Part("length", "reduce_asum", {"axes": (axis,), "keep_dims": True}, (shape,)),
        Part("divide", "divide", {}, (shape, lengths)),
    )
    return Step(CONTAINER, parts=parts, shapes=[shape])


def mean_variance(call: Call) -> Step:
    """The mean taken off and divided by the deviation; over other axes than Caffe's, step by step."""
    shape = call.shape()
    axes = call.wholes("axes") or (0, 2, 3)
    picked = tuple(call.axis(axis, len(shape)) for axis in axes)
    reduced: Shape = tuple(1 if i in picked else n for i, n in enumerate(shape))
    reduce: Attrs = {"axes": tuple(sorted(set(picked))), "keep_dims": True}
    parts = (
        Part("mean", "reduce_mean", reduce, (shape,)),
        Part("centre", "subtract", {}, (shape, reduced)),
        Part("deviation", "variance", {**reduce, "root": True}, (shape,)),
        Part("divide", "divide", {}, (shape, reduced)),
    )
    return Step(CONTAINER, parts=parts, shapes=[shape])


def softmax(kind: str) -> Callable[[Call], Step]:
    """Return the rule of a softmax along an axis; before opset 13 over all axes from there on."""

    def rule(call: Call) -> Step:
        shape = call.shape()
        if call.opset >= 13 or not shape:
            axis = call.axis(call.whole("axis", -1), max(len(shape), 1))
            return Step(kind, {"axis": axis}, (0,))
        axis = call.axis(call.whole("axis", 1), len(shape)) if len(shape) > 1 else 0
        if axis == len(shape) - 1:
            return Step(kind, {"axis": axis}, (0,))
        flat = (product(shape[:axis]), product(shape[axis:]))
        return Step(kind, {"axis": 1}, (flat,), [shape])

    return rule


def hardmax(call: Call) -> Step:
    """One for the largest element, zero for the others: as many comparisons as the largest takes."""
    shape = call.shape()
    axis = call.axis(call.whole("axis", -1 if call.opset >= 13 else 1), len(shape))
    return Step("arg_max", {"axes": (axis,), "shape": shape}, (0,))


def dropout(call: Call) -> Step:
    """Free, unless the third input sets training mode."""
    shape = call.shape()
    training = call.has(2) and bool(call.array(2).items[0])
    return Step("dropout", {"training": training}, (0,), more=[shape], dtypes=(call.value(0).dtype, "bool"))


def cross_entropy(call: Call) -> Step:
    """The loss of a softmax and labels; its logarithms may follow."""
    reduction = call.word("reduction", "mean")
    attrs: Attrs = {"mean": reduction == "mean"}
    shape, labels = call.shape(), call.shape(1)
    if reduction == "none":
        attrs["outputs"] = (labels,)
    return Step("softmax_cross_entropy", attrs, (0, 1), more=[shape])


def nll(call: Call) -> Step:
    """The loss of logarithms and labels."""
    reduction = call.word("reduction", "mean")
    attrs: Attrs = {"reduction": reduction}
    if reduction == "none":
        attrs["outputs"] = (call.shape(1),)
    return Step("nll", attrs, (0, 1))


ROWS: Mapping[str, Row[Call]] = {
    "BatchNormalization": row(
        batch_norm, weights={1: "scale", 2: "shift", 3: "running_mean", 4: "running_var"}
    ),
    "LayerNormalization": row(layer_norm, weights=SCALE_AND_SHIFT),
    "RMSNormalization": row(rms_norm, weights={1: "scale"}),
    "SimplifiedLayerNormalization": row(rms_norm, weights={1: "scale"}),
    "InstanceNormalization": row(instance_norm, weights=SCALE_AND_SHIFT),
    "GroupNormalization": row(group_norm, weights=SCALE_AND_SHIFT),
    "LRN": row(lrn),
    "LpNormalization": row(lp_norm),
    "MeanVarianceNormalization": row(mean_variance),
    "Softmax": row(softmax("softmax")),
    "LogSoftmax": row(softmax("log_softmax")),
    "Hardmax": row(hardmax),
    "Dropout": row(dropout, 1, 2),
    "SoftmaxCrossEntropyLoss": row(cross_entropy),
    "NegativeLogLikelihoodLoss": row(nll),
}
