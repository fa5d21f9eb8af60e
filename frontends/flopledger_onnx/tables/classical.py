"""The linear models and scalers of ``ai.onnx.ml``, which scikit-learn's exporter writes.

Source: onnx.ai/onnx/operators (ai.onnx.ml). Their weights are attributes. Trees and support vectors have no
formula: which nodes are visited depends on data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import (
    CONTAINER,
    WEIGHT_AND_BIAS,
    Array,
    Attrs,
    Operand,
    Part,
    Step,
    Unshaped,
    row,
)

from flopledger_onnx.values import known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.frontend import Dim, Row, Shape

    from flopledger_onnx.node import Call
    from flopledger_onnx.wire.messages import Attribute

_WEIGHTS: Mapping[str, tuple[str, ...]] = {
    "LinearClassifier": ("coefficients", "intercepts"),
    "LinearRegressor": ("coefficients", "intercepts"),
    "Scaler": ("offset", "scale"),
}
_LABELS = ("classlabels_ints", "classlabels_strings")
_TRANSFORMED = {"NONE": "", "SOFTMAX": "softmax", "SOFTMAX_ZERO": "softmax", "LOGISTIC": "sigmoid"}
"""The kind of each ``post_transform`` that has one."""


def stored(op_type: str, attributes: Mapping[str, Attribute], path: str) -> list[Operand | None]:
    """Return the weights that an operator of this domain has as attributes, as inputs behind its own."""
    found: list[Operand | None] = []
    for name in _WEIGHTS.get(op_type, ()):
        attribute = attributes.get(name)
        numbers = tuple(attribute.floats) if attribute is not None else ()
        array = Array((len(numbers),), numbers)
        found.append(known(array, "float32", f"{path}.{name}", attribute) if attribute and numbers else None)
    return found


def _rows(call: Call) -> tuple[Dim, Dim]:
    """Return how many samples and features the input has; a vector is one sample."""
    shape = call.shape()
    if len(shape) not in (1, 2):
        raise call.impossible(f"has an input of {len(shape)} axes, expected samples and features")
    return (1 if len(shape) == 1 else shape[0]), shape[-1]


def _scores(call: Call, targets: int) -> list[Part]:
    """Return the products with the coefficients, and the operations on them."""
    samples, features = _rows(call)
    count = call.shape(1)[0] if call.has(1) else 0
    if isinstance(features, int) and count != targets * features:
        raise call.impossible(f"has {count} coefficients for {targets} targets and {features} features")
    transform = call.word("post_transform", "NONE")
    if transform not in _TRANSFORMED:
        raise Unshaped(f"no formula for {transform} behind a linear model")
    scores: Shape = (samples, targets)
    attrs: Attrs = {"out_features": targets, "bias": call.has(2)}
    parts = [Part("scores", "linear", attrs, ((samples, features),))]
    kind = _TRANSFORMED[transform]
    if kind:
        parts.append(Part("transform", kind, {"axis": 1} if kind == "softmax" else {}, (scores,)))
    return parts


def regressor(call: Call) -> Step:
    """LinearRegressor: a dense layer."""
    targets = call.whole("targets", 1)
    shape = (_rows(call)[0], targets)
    return Step(CONTAINER, {}, (0,), [shape], parts=_scores(call, targets), dtypes=("float32",))


def classifier(call: Call) -> Step:
    """LinearClassifier: a dense layer with a row of coefficients for each class, and the best class."""
    labels, texts = (call.attributes.get(name) for name in _LABELS)
    classes = max(len(labels.ints) if labels else 0, len(texts.strings) if texts else 0)
    samples, features = _rows(call)
    count = call.shape(1)[0] if call.has(1) else 0
    # Two classes may share one row: the score of the second is the opposite of the first's.
    targets = 1 if classes == 2 and count == features else classes
    parts = _scores(call, targets)
    best: Attrs = {"axes": (1,), "shape": (samples,)}
    if targets > 1:
        parts.append(Part("class", "arg_max", best, ((samples, targets),)))
    dtypes = ("string" if texts and texts.strings else "int64", "float32")
    return Step(CONTAINER, {}, (0,), [(samples,), (samples, classes)], parts=parts, dtypes=dtypes)


def scaler(call: Call) -> Step:
    """Scaler: an offset taken off, and a scale multiplied."""
    shape = call.shape()
    parts = [
        Part(name, kind, {}, (shape, call.shape(place)))
        for place, name, kind in ((1, "offset", "subtract"), (2, "scale", "multiply"))
        if call.has(place)
    ]
    return Step(CONTAINER, {}, (0,), [shape], parts=parts, dtypes=("float32",))


_NORMS = {"MAX": "reduce_max", "L1": "reduce_asum"}


def normalizer(call: Call) -> Step:
    """Normalizer: each sample divided by its norm."""
    norm, shape = call.word("norm", "MAX"), call.shape()
    axis = len(shape) - 1
    if norm == "L2":
        return Step("l2_norm", {"axis": axis}, (0,), dtypes=("float32",))
    if norm not in _NORMS:
        raise call.impossible(f"has the norm {norm!r}, expected MAX, L1 or L2")
    lengths = (*shape[:-1], 1)
    parts = (
        Part("length", _NORMS[norm], {"axes": (axis,), "keep_dims": True}, (shape,)),
        Part("divide", "divide", {}, (shape, lengths)),
    )
    return Step(CONTAINER, {}, (0,), [shape], parts=parts, dtypes=("float32",))


def binarizer(call: Call) -> Step:
    """Binarizer: whether each element is above a threshold."""
    return Step("compare", {}, (0, (1,)), [call.shape()])


ROWS: Mapping[str, Row[Call]] = {
    "ai.onnx.ml.LinearClassifier": row(classifier, weights=WEIGHT_AND_BIAS),
    "ai.onnx.ml.LinearRegressor": row(regressor, weights=WEIGHT_AND_BIAS),
    "ai.onnx.ml.Scaler": row(scaler),
    "ai.onnx.ml.Normalizer": row(normalizer),
    "ai.onnx.ml.Binarizer": row(binarizer),
}
