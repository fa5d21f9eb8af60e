"""Layers with weights of their own beside the convolutions: dense, normalising, recurrent; losses.

Sources: Caffe's ``inner_product_layer.cpp``, ``embed_layer.cpp``, ``batch_norm_layer.cpp``,
``scale_layer.cpp``, ``bias_layer.cpp``, ``prelu_layer.cpp``, ``recurrent_layer.cpp``, ``lstm_layer.cpp``,
``rnn_layer.cpp``, ``accuracy_layer.cpp``; SSD's ``normalize_layer.cpp``; SENet's ``axpy_layer.cpp``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import differ

from flopledger_caffe.tables.movement import parameter_shape
from flopledger_caffe.tables.row import Attrs, Blob, Operand
from flopledger_caffe.text.fields import POSITIVE, count
from flopledger_caffe.text.net import TEST, TRAIN

if TYPE_CHECKING:
    from flopledger.frontend import Dim, Shape

    from flopledger_caffe.tables.row import Shapes
    from flopledger_caffe.text.fields import View

REGIONS = {"ACROSS_CHANNELS": 0, "WITHIN_CHANNEL": 1}
OPERATIONS = {"PROD": 0, "SUM": 1, "MAX": 2}
_ELTWISE = {"PROD": "multiply", "SUM": "add", "MAX": "maximum"}


def linear_attrs(view: View) -> Attrs:
    """Return outputs and axis; all from the axis on is one vector."""
    return {
        "out_features": view.required("num_output"),
        "axis": view.axis(1),
        "bias": view.flag("bias_term", default=True),
    }


def linear_blobs(view: View) -> tuple[Blob, ...]:
    """Weight (N, K), or (K, N) if ``transpose``, and bias (N,)."""
    out, features = view.required("num_output"), count(view.shape(), view.axis(1))
    shape = (features, out) if view.flag("transpose", default=False) else (out, features)
    return Blob("weight", "weight", shape), *_bias(view, (out,), default=True)


def _bias(view: View, shape: Shape, *, default: bool) -> tuple[Blob, ...]:
    return (Blob("bias", "bias", shape),) if view.flag("bias_term", default=default) else ()


def embed_attrs(view: View) -> Attrs:
    """Return the table's sizes."""
    return {
        "num_embeddings": view.required("input_dim"),
        "embedding_dim": view.required("num_output"),
        "bias": view.flag("bias_term", default=True),
    }


def embed_blobs(view: View) -> tuple[Blob, ...]:
    """Weight (input_dim, num_output) and bias (num_output,)."""
    out = view.required("num_output")
    return Blob("weight", "weight", (view.required("input_dim"), out)), *_bias(view, (out,), default=True)


def batch_norm_attrs(view: View) -> Attrs:
    """Caffe's own has no scale and shift; it uses the batch's statistics in training only."""
    learned = view.flag("scale_bias", default=False)
    stored = view.flag("use_global_stats", default=view.phase == TEST)
    axis = 1 if len(view.shape()) > 1 else 0
    return {"axis": axis, "scale": learned, "shift": learned, "batch_stats": not stored}


def batch_norm_blobs(view: View) -> tuple[Blob, ...]:
    """Mean (C,), variance (C,) and the sum of their weights (1,); NVCaffe's may add scale and shift."""
    channels = (view.size(1),)
    blobs = (*_statistics(channels), Blob("counter", "counter", (1,)))
    return (*blobs, *_affine(channels)) if view.flag("scale_bias", default=False) else blobs


def _statistics(shape: Shape) -> tuple[Blob, ...]:
    return Blob("running_mean", "running_mean", shape), Blob("running_var", "running_var", shape)


def _affine(shape: Shape) -> tuple[Blob, ...]:
    return Blob("scale", "scale", shape), Blob("shift", "shift", shape)


def bn_attrs(view: View) -> Attrs:
    """Return the operations of the forks' BN: normalise, scale and shift."""
    return {"axis": 1, "batch_stats": view.phase == TRAIN and not view.flag("frozen", default=False)}


def bn_blobs(view: View) -> tuple[Blob, ...]:
    """Scale and shift (1, C, 1, 1), and two of statistics; SegNet's, recognised by its fields, has none."""
    shape = (1, view.size(1), 1, 1)
    if any(key in view.params for key in ("bn_mode", "scale_filler", "shift_filler")):
        return _affine(shape)
    return *_affine(shape), *_statistics(shape)


def _vector(view: View) -> Shape:
    """Return the sizes from ``axis`` on that a learned scale or bias covers."""
    axis, length = view.axis(1), view.params.number("num_axes", 1, (-1, 32))
    shape = view.shape()
    if length == -1:
        return shape[axis:]
    if axis + length > len(shape):
        raise view.error(f"covers {length} axes from axis {axis} on, its input has {len(shape)}")
    return shape[axis : axis + length]


def scale_attrs(view: View) -> Attrs:
    """Return the first axis of the scale, and whether a bias follows."""
    return {"axis": view.axis(1), "bias": view.flag("bias_term", default=False)}


def scale_blobs(view: View) -> tuple[Blob, ...]:
    """A scale, unless it is the second bottom, and a shift if ``bias_term``."""
    learned = len(view.shapes) == 1
    shape = _vector(view) if learned else view.shape(1)
    scale = (Blob("scale", "scale", shape),) if learned else ()
    return (*scale, Blob("shift", "shift", shape)) if view.flag("bias_term", default=False) else scale


def bias_attrs(view: View) -> Attrs:
    """Return the first axis of the bias."""
    return {"axis": view.axis(1)}


def bias_blobs(view: View) -> tuple[Blob, ...]:
    """A bias, unless it is the second bottom."""
    return (Blob("bias", "bias", _vector(view)),) if len(view.shapes) == 1 else ()


def prelu_blobs(view: View) -> tuple[Blob, ...]:
    """One slope for each channel, or one for all."""
    shared = view.flag("channel_shared", default=False)
    return (Blob("slope", "weight", () if shared else (view.size(1),)),)


def normalize_attrs(view: View) -> Attrs:
    """Return the axes of one vector: the channels at a position, or all of a sample."""
    return {"axis": 1, "across_spatial": view.flag("across_spatial", default=True), "scale": True}


def normalize_blobs(view: View) -> tuple[Blob, ...]:
    """One scale for all, or one for each channel."""
    shared = view.flag("channel_shared", default=True)
    return (Blob("scale", "scale", () if shared else (view.size(1),)),)


def lrn_attrs(view: View) -> Attrs:
    """Return the window, which is odd, and the axes that it spans."""
    size = view.params.number("local_size", 5, POSITIVE)
    if size % 2 == 0:
        raise view.error(f"has the local_size {size}, expected an odd one")
    across = view.params.word("norm_region", REGIONS, "ACROSS_CHANNELS") == "ACROSS_CHANNELS"
    return {"size": size, "across": "channels" if across else "spatial"}


def mvn_attrs(view: View) -> Attrs:
    """Return the axes that are normalised."""
    return {
        "variance": view.flag("normalize_variance", default=True),
        "across_channels": view.flag("across_channels", default=False),
    }


def dropout_attrs(view: View) -> Attrs:
    """Return the share, and whether anything is dropped."""
    return {"rate": view.params.real("dropout_ratio", 0.5), "training": view.phase == TRAIN}


def relu_kind(view: View) -> str:
    """Distinguish a plain ReLU from one with a slope below zero."""
    return "leaky_relu" if view.params.real("negative_slope", 0) != 0 else "relu"


def power_attrs(view: View) -> Attrs:
    """Return exponent, scale and shift."""
    return {"power": view.params.real("power", 1), **_linear(view)}


def base_attrs(view: View) -> Attrs:
    """Return base, scale and shift."""
    return {"base": view.params.real("base", -1), **_linear(view)}


def _linear(view: View) -> Attrs:
    return {"scale": view.params.real("scale", 1), "shift": view.params.real("shift", 0)}


def eltwise_kind(view: View) -> str:
    """Return the kind that the field ``operation`` names."""
    return _ELTWISE[view.params.word("operation", OPERATIONS, "SUM")]


def eltwise_attrs(view: View) -> Attrs:
    """Return the coefficients, one for each bottom; the bottoms have one shape."""
    shapes = view.all_shapes()
    for i, shape in enumerate(shapes[1:], start=1):
        if len(shape) != len(shapes[0]) or any(map(differ, shapes[0], shape)):
            first, other = (view.entry.bottoms[j] for j in (0, i))
            raise view.error(
                f"joins {first!r} of shape {_text(shapes[0])} and {other!r} of shape {_text(shape)}"
            )
    given = view.params.reals("coeff")
    if given and (len(given) != len(shapes) or eltwise_kind(view) != "add"):
        raise view.error(
            f"has {len(given)} coeff; SUM takes one for each of the {len(shapes)} bottoms, PROD and MAX none"
        )
    return {"coefficients": given} if given else {}


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape)) or "scalar"


def axpy_attrs(_: View) -> Attrs:
    """``y = a x + y``: a scale for each channel of each sample, and an addition."""
    return {"axis": 0, "bias": True}


def axpy_operands(view: View) -> tuple[Operand, ...]:
    """x, then a without its axes of size 1, then y."""
    return Operand(1), Operand(0, view.shape()[:2]), Operand(2)


def parameter_blobs(view: View) -> tuple[Blob, ...]:
    """The blob is the top."""
    return (Blob("weight", "weight", parameter_shape(view)),)


def recurrent_attrs(view: View) -> Attrs:
    """Return the state's size; a static input follows the sequence and its marks."""
    return {"hidden_size": view.required("num_output"), "biases": 1, "static_size": _static(view)}


def rnn_attrs(view: View) -> Attrs:
    """Return the same; Caffe's RNN has a dense layer with tanh behind each step."""
    return {**recurrent_attrs(view), "output_size": view.required("num_output")}


def _static(view: View) -> Dim:
    hidden = _states(view) if view.flag("expose_hidden", default=False) else 0
    return count(view.shape(2), 1) if len(view.shapes) - hidden > 2 else 0


def _states(view: View) -> int:
    return 2 if view.entry.type == "LSTM" else 1


def sequence_operands(view: View) -> tuple[Operand, ...]:
    """The sequence as steps, batch and features; then the others as they are."""
    shape = view.shape()
    first = Operand(0) if len(shape) == 3 else Operand(0, (*shape[:2], count(shape, 2)))
    return first, *(Operand(i) for i in range(1, len(view.shapes)))


def hidden_tops(view: View) -> Shapes:
    """The last states (1, N, H), if they are shown."""
    if not view.flag("expose_hidden", default=False):
        return ()
    return ((1, view.size(1), view.required("num_output")),) * _states(view)


def lstm_blobs(view: View) -> tuple[Blob, ...]:
    """Input (4H, I) with bias (4H,), the static input (4H, S), then the state (4H, H)."""
    hidden = view.required("num_output")
    return _recurrent_blobs(view, 4 * hidden, hidden)


def rnn_blobs(view: View) -> tuple[Blob, ...]:
    """Input (H, I) with bias, the static input (H, S), the state (H, H), the output (H, H) with bias."""
    hidden = view.required("num_output")
    return (
        *_recurrent_blobs(view, hidden, hidden),
        Blob("weight_output", "weight", (hidden, hidden)),
        Blob("bias_output", "bias", (hidden,)),
    )


def _recurrent_blobs(view: View, gates: int, hidden: int) -> tuple[Blob, ...]:
    static = _static(view)
    return (
        Blob("weight_input", "weight", (gates, count(view.shape(), 2))),
        Blob("bias", "bias", (gates,)),
        *((Blob("weight_static", "weight", (gates, static)),) if static != 0 else ()),
        Blob("weight_hidden", "weight", (gates, hidden)),
    )


def softmax_attrs(view: View) -> Attrs:
    """Return the axis of the classes."""
    return {"axis": view.axis(1)}


def loss_attrs(view: View) -> Attrs:
    """Return the shapes of all tops where there is a second: the probabilities."""
    made = loss_tops(view)
    return {"outputs": made} if len(made) > 1 else {}


def loss_tops(view: View) -> Shapes:
    """The loss, the probabilities, and the loss of each label (R-FCN's ``softmax_loss_layer.cpp``)."""
    shapes: list[Shape] = [(), view.shape()]
    if len(view.shapes) > 1:
        shapes.append(view.shape(1))
    return tuple(shapes[: max(view.tops, 1)])


def classes_attrs(view: View) -> Attrs:
    """Return the same, and the axis of the classes."""
    return {"axis": view.axis(1), **loss_attrs(view)}


def nll_attrs(view: View) -> Attrs:
    """The bottom holds probabilities, whose logarithms are still to be taken."""
    return {"axis": 1 if len(view.shape()) > 1 else 0, "log": True}


def contrastive_attrs(view: View) -> Attrs:
    """The first axis counts the pairs."""
    if not view.shape():
        raise view.error("compares scalars, expected one vector for each item of a batch")
    return {}


def accuracy_attrs(view: View) -> Attrs:
    """Return axis and top_k; a second top holds the accuracy of each class."""
    axis = view.axis(1)
    attrs: Attrs = {"axis": axis, "top": view.params.number("top_k", 1, POSITIVE)}
    return {**attrs, "outputs": ((), (view.size(axis),))} if view.tops > 1 else attrs
