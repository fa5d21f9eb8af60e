"""Norms, activations, arithmetic element by element and movement: functions and ops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger_torch.tables.algebra import order_of
from flopledger_torch.tables.call import Meaning, Row, Said, whole

if TYPE_CHECKING:
    from flopledger.frontend import Value


def batch_norm(said: Said) -> Meaning:
    """torch.batch_norm and the ops below it; without running statistics those of the batch are taken."""
    trained = said.get("training", said.get("train")) is True or said.get("use_input_stats") is True
    attrs: dict[str, Value] = {
        "scale": said.has("weight"),
        "shift": said.has("bias"),
        "batch_stats": trained or not said.has("running_mean"),
    }
    return Meaning("batch_norm", attrs, said.first)


def instance_norm(said: Said) -> Meaning:
    """torch.nn.functional.instance_norm."""
    return Meaning("instance_norm", {"scale": said.has("weight"), "shift": said.has("bias")}, said.first)


def layer_norm(said: Said) -> Meaning:
    """torch.nn.functional.layer_norm and the ops below it."""
    shape = said.get("normalized_shape")
    axes = len(shape) if isinstance(shape, tuple) else 1
    attrs: dict[str, Value] = {"axis": -axes, "scale": said.has("weight"), "shift": said.has("bias")}
    return Meaning("layer_norm", attrs, said.first)


def rms_norm(said: Said) -> Meaning:
    """torch.nn.functional.rms_norm and the ops below it."""
    shape = said.get("normalized_shape")
    axes = len(shape) if isinstance(shape, tuple) else 1
    return Meaning("rms_norm", {"axis": -axes, "scale": said.has("weight")}, said.first)


def group_norm(said: Said) -> Meaning:
    """torch.nn.functional.group_norm and the op below it."""
    groups = said.get("num_groups", said.get("group"))
    attrs: dict[str, Value] = {"groups": groups, "scale": said.has("weight"), "shift": said.has("bias")}
    return Meaning("group_norm", attrs, said.first)


def batch_norm_module(said: Said) -> Meaning:
    """torch.nn.BatchNorm2d and its like."""
    attrs: dict[str, Value] = {
        "scale": said.own("weight") is not None,
        "shift": said.own("bias") is not None,
        "batch_stats": said.own("training") is True or said.own("track_running_stats") is not True,
    }
    return Meaning("batch_norm", attrs, said.first)


def instance_norm_module(axes: int) -> Row:
    """Return the row of torch.nn.InstanceNorm2d and its like; one sample may come without batch."""

    def row(said: Said) -> Meaning:
        attrs: dict[str, Value] = {
            "axis": len(said.given) - axes - 1,
            "scale": said.own("weight") is not None,
            "shift": said.own("bias") is not None,
        }
        return Meaning("instance_norm", attrs, said.first)

    return row


def layer_norm_module(kind: str) -> Row:
    """Return the row of torch.nn.LayerNorm and torch.nn.RMSNorm."""

    def row(said: Said) -> Meaning:
        shape = said.own("normalized_shape")
        attrs: dict[str, Value] = {
            "axis": -len(shape) if isinstance(shape, tuple) else -1,
            "scale": said.own("weight") is not None,
        }
        if kind == "layer_norm":
            attrs["shift"] = said.own("bias") is not None
        return Meaning(kind, attrs, said.first)

    return row


def group_norm_module(said: Said) -> Meaning:
    """torch.nn.GroupNorm."""
    attrs: dict[str, Value] = {
        "groups": said.own("num_groups"),
        "scale": said.own("weight") is not None,
        "shift": said.own("bias") is not None,
    }
    return Meaning("group_norm", attrs, said.first)


def weight_norm(said: Said) -> Meaning:
    """aten._weight_norm_interface: each slice of a weight made as long as a learned number says."""
    attrs: dict[str, Value] = {"axis": whole(said.get("dim"), 0), "slices": True, "scale": True}
    return Meaning("l2_norm", attrs, said.first)


def local_response_norm(said: Said) -> Meaning:
    """torch.nn.LocalResponseNorm, and the function."""
    size = whole(said.own("size"), whole(said.get("size"), 5))
    return Meaning("lrn", {"size": size}, said.first)


def gelu(said: Said) -> Meaning:
    """GELU, exact or with tanh."""
    tanh = "tanh" in (said.get("approximate"), said.own("approximate"))
    return Meaning("gelu_tanh" if tanh else "gelu", {}, said.first)


def softmax(kind: str) -> Row:
    """Return the row of softmax; without an axis torch chooses one by the number of axes."""

    def row(said: Said) -> Meaning:
        axis = said.own("dim") if said.module else said.get("dim")
        if not isinstance(axis, int) or isinstance(axis, bool):
            axis = 0 if len(said.given) in (0, 1, 3) else 1
        if not said.given:
            return Meaning("identity", {}, said.first)
        return Meaning(kind, {"axis": axis}, said.first)

    return row


def softmax2d(said: Said) -> Meaning:
    """torch.nn.Softmax2d, over the channels."""
    return Meaning("softmax", {"axis": -3}, said.first)


def glu(said: Said) -> Meaning:
    """torch.nn.GLU, and the function."""
    axis = said.own("dim") if said.module else said.get("dim", -1)
    return Meaning("glu", {"axis": axis}, said.first)


def dropout(said: Said) -> Meaning:
    """Dropout of every sort: in eval mode it does nothing."""
    training = said.own("training") if said.module else said.get("training", said.get("train"))
    rate = said.own("p") if said.module else said.get("p", 0.5)
    attrs: dict[str, Value] = {
        "rate": rate if isinstance(rate, (int, float)) else 0.5,
        "training": training is True,
    }
    return Meaning("dropout", attrs, said.first)


def pair(kind: str) -> Row:
    """Return the row of an operation on two operands, one of which may be a plain number."""

    def row(said: Said) -> Meaning | None:
        if len(said.inputs) == 1:
            return Meaning(kind, {"scalars": 1}, said.first)
        return Meaning(kind, {}, tuple(said.inputs[:2])) if said.inputs else None

    return row


def addition(kind: str) -> Row:
    """Return the row of a sum or difference; torch can scale its second operand by ``alpha``."""

    def row(said: Said) -> Meaning | None:
        if not said.inputs:
            return None
        numbers = 2 - len(said.inputs[:2])
        attrs: dict[str, Value] = {"scalars": numbers} if numbers else {}
        alpha = said.get("alpha", 1)
        if alpha != 1 and kind == "add" and not numbers:
            attrs["coefficients"] = (1, alpha if isinstance(alpha, (int, float)) else 2)
        return Meaning(kind, attrs, tuple(said.inputs[:2]))

    return row


def joined(kind: str) -> Row:
    """Return the row of an operation on all tensors that go in."""
    return lambda said: Meaning(kind, {}, tuple(said.inputs))


def select(said: Said) -> Meaning | None:
    """torch.where: a choice between two operands; with the condition alone it lists places."""
    args = said.native.get("args")
    if isinstance(args, tuple) and len(args) == 1 and len(said.inputs) == 1:
        return None
    return Meaning("select", {"scalars": 3 - len(said.inputs)}, tuple(said.inputs))


def masked_fill(said: Said) -> Meaning:
    """Elements replaced by a number where a mask says so."""
    return Meaning("select", {"scalars": 1}, tuple(said.inputs[:2]))


def entropy(said: Said) -> Meaning:
    """torch.special.entr, ``-x log(x)``."""
    return Meaning("xlogy", {}, said.first * 2)


def logit(said: Said) -> Meaning:
    """torch.logit, which may keep its input off 0 and 1."""
    return Meaning("logit", {"clipped": said.has("eps")}, said.first)


def renorm(said: Said) -> Meaning:
    """torch.renorm."""
    return Meaning("renorm", {"axis": said.get("dim"), "order": order_of(said.get("p"))}, said.first)


def clip(said: Said) -> Meaning:
    """torch.clamp: bounded on one side it is a minimum or maximum."""
    low, high = said.get("min"), said.get("max")
    if low is not None and high is not None and len(said.inputs) == 1:
        return Meaning("clip", {}, said.first)
    if len(said.inputs) > 1:
        return Meaning("maximum" if high is None else "minimum", {}, tuple(said.inputs))
    return Meaning("maximum" if high is None else "minimum", {"scalars": 1}, said.first)


def multiply_add(*, divides: bool) -> Row:
    """Return the row of torch.addcmul and torch.addcdiv."""

    def row(said: Said) -> Meaning:
        attrs: dict[str, Value] = {"divides": divides, "scaled": said.get("value", 1) != 1}
        return Meaning("multiply_add", attrs, tuple(said.inputs))

    return row


def lerp(said: Said) -> Meaning:
    """torch.lerp, whose weight may be a number."""
    return Meaning("lerp", {"scalars": 3 - len(said.inputs)}, tuple(said.inputs))


def cast(said: Said) -> Meaning:
    """Another type or place for the same values."""
    return Meaning("cast", {}, said.first)


def copied(said: Said) -> Meaning:
    """Values written over others, which may stretch."""
    return Meaning("view", {"shape": said.out}, tuple(said.inputs[1:2]))


def concat(said: Said) -> Meaning:
    """torch.cat; tensors without elements of one axis are passed over, as torch does."""
    axis = whole(said.get("dim"), 0)
    shapes = said.tensors.shapes
    solid = tuple(i for i in said.inputs if shapes[i] != (0,)) or said.first
    return Meaning("concat", {"axis": axis}, solid)


def stack(said: Said) -> Meaning:
    """torch.stack."""
    return Meaning("stack", {"axis": whole(said.get("dim"), 0)}, tuple(said.inputs))


def transpose(said: Said) -> Meaning:
    """torch.transpose, permute and t."""
    rank = len(said.given)
    order = list(range(rank))
    if isinstance(dims := said.get("dims"), tuple):
        order = [whole(axis) % rank for axis in dims] if rank else []
    elif rank >= 2:
        a, b = whole(said.get("dim0"), 0) % rank, whole(said.get("dim1"), 1) % rank
        order[a], order[b] = order[b], order[a]
    return Meaning("transpose", {"order": tuple(order)}, said.first)


def split(said: Said) -> Meaning:
    """torch.split and chunk, whose parts have the sizes that came out."""
    axis = whole(said.get("dim"), 0)
    shapes = [said.tensors.shapes[i] for i in said.outputs]
    return Meaning("split", {"axis": axis, "sizes": tuple(shape[axis] for shape in shapes)}, said.first)


def pad(said: Said) -> Meaning | None:
    """torch.nn.functional.pad and its ops, which name the last axis first."""
    pairs = said.get("pad", said.get("padding"))
    rank = len(said.given)
    if not isinstance(pairs, tuple) or len(pairs) > 2 * rank:
        return None
    listed = tuple((pairs[i], pairs[i + 1]) for i in range(0, len(pairs), 2))[::-1]
    return Meaning("pad", {"padding": ((0, 0),) * (rank - len(listed)) + listed}, said.first)


def unstacked(said: Said) -> Meaning:
    """torch.unbind."""
    return Meaning("unstack", {"axis": whole(said.get("dim"), 0)}, said.first)


def reshape(said: Said) -> Meaning:
    """The same elements in the shape that came out."""
    return Meaning("reshape", {"shape": said.out}, said.first)


def moved(said: Said) -> Meaning:
    """Any movement of data: the shape is the one that came out."""
    return Meaning("view", {"shape": said.out}, tuple(said.inputs))


def picked(said: Said) -> Meaning:
    """Elements picked by index."""
    return Meaning("gather", {"shape": said.out}, tuple(said.inputs))


def filled(said: Said) -> Meaning:
    """A new tensor, random ones too."""
    return Meaning("fill", {"shape": said.out}, ())


def pixel_shuffle(said: Said) -> Meaning:
    """torch.nn.PixelShuffle, and the function."""
    factor = said.own("upscale_factor") if said.module else said.get("upscale_factor")
    return Meaning("pixel_shuffle", {"factor": factor}, said.first)
