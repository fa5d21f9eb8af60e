"""Norms, activations, arithmetic element by element and movement: functions and ops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger_torch.tables.algebra import order_of
from flopledger_torch.tables.call import Meaning, Rule, TorchCall, whole

if TYPE_CHECKING:
    from flopledger.frontend import Value


def batch_norm(call: TorchCall) -> Meaning:
    """torch.batch_norm and the ops below it; without running statistics those of the batch are taken."""
    trained = call.get("training", call.get("train")) is True or call.get("use_input_stats") is True
    attrs: dict[str, Value] = {
        "scale": call.has("weight"),
        "shift": call.has("bias"),
        "batch_stats": trained or not call.has("running_mean"),
    }
    return Meaning("batch_norm", attrs, call.first)


def instance_norm(call: TorchCall) -> Meaning:
    """torch.nn.functional.instance_norm."""
    return Meaning("instance_norm", {"scale": call.has("weight"), "shift": call.has("bias")}, call.first)


def layer_norm(call: TorchCall) -> Meaning:
    """torch.nn.functional.layer_norm and the ops below it."""
    shape = call.get("normalized_shape")
    axes = len(shape) if isinstance(shape, tuple) else 1
    attrs: dict[str, Value] = {"axis": -axes, "scale": call.has("weight"), "shift": call.has("bias")}
    return Meaning("layer_norm", attrs, call.first)


def rms_norm(call: TorchCall) -> Meaning:
    """torch.nn.functional.rms_norm and the ops below it."""
    shape = call.get("normalized_shape")
    axes = len(shape) if isinstance(shape, tuple) else 1
    return Meaning("rms_norm", {"axis": -axes, "scale": call.has("weight")}, call.first)


def group_norm(call: TorchCall) -> Meaning:
    """torch.nn.functional.group_norm and the op below it."""
    groups = call.get("num_groups", call.get("group"))
    attrs: dict[str, Value] = {"groups": groups, "scale": call.has("weight"), "shift": call.has("bias")}
    return Meaning("group_norm", attrs, call.first)


def batch_norm_module(call: TorchCall) -> Meaning:
    """torch.nn.BatchNorm2dand its variants."""
    attrs: dict[str, Value] = {
        "scale": call.own("weight") is not None,
        "shift": call.own("bias") is not None,
        "batch_stats": call.own("training") is True or call.own("track_running_stats") is not True,
    }
    return Meaning("batch_norm", attrs, call.first)


def instance_norm_module(axes: int) -> Rule:
    """Return the rule of torch.nn.InstanceNorm2dand its variants; one sample may come without batch."""

    def rule(call: TorchCall) -> Meaning:
        attrs: dict[str, Value] = {
            "axis": len(call.input_shape) - axes - 1,
            "scale": call.own("weight") is not None,
            "shift": call.own("bias") is not None,
        }
        return Meaning("instance_norm", attrs, call.first)

    return rule


def layer_norm_module(kind: str) -> Rule:
    """Return the rule of torch.nn.LayerNorm and torch.nn.RMSNorm."""

    def rule(call: TorchCall) -> Meaning:
        shape = call.own("normalized_shape")
        attrs: dict[str, Value] = {
            "axis": -len(shape) if isinstance(shape, tuple) else -1,
            "scale": call.own("weight") is not None,
        }
        if kind == "layer_norm":
            attrs["shift"] = call.own("bias") is not None
        return Meaning(kind, attrs, call.first)

    return rule


def group_norm_module(call: TorchCall) -> Meaning:
    """torch.nn.GroupNorm."""
    attrs: dict[str, Value] = {
        "groups": call.own("num_groups"),
        "scale": call.own("weight") is not None,
        "shift": call.own("bias") is not None,
    }
    return Meaning("group_norm", attrs, call.first)


def weight_norm(call: TorchCall) -> Meaning:
    """aten._weight_norm_interface: each slice of a weight scaled to a learned length."""
    attrs: dict[str, Value] = {"axis": whole(call.get("dim"), 0), "slices": True, "scale": True}
    return Meaning("l2_norm", attrs, call.first)


def local_response_norm(call: TorchCall) -> Meaning:
    """torch.nn.LocalResponseNorm, and the function."""
    size = whole(call.own("size"), whole(call.get("size"), 5))
    return Meaning("lrn", {"size": size}, call.first)


def gelu(call: TorchCall) -> Meaning:
    """GELU, exact or with tanh."""
    tanh = "tanh" in (call.get("approximate"), call.own("approximate"))
    return Meaning("gelu_tanh" if tanh else "gelu", {}, call.first)


def softmax(kind: str) -> Rule:
    """Return the rule of softmax; without an axis torch chooses one by the number of axes."""

    def rule(call: TorchCall) -> Meaning:
        axis = call.own("dim") if call.module else call.get("dim")
        if not isinstance(axis, int) or isinstance(axis, bool):
            axis = 0 if len(call.input_shape) in (0, 1, 3) else 1
        if not call.input_shape:
            return Meaning("identity", {}, call.first)
        return Meaning(kind, {"axis": axis}, call.first)

    return rule


def softmax2d(call: TorchCall) -> Meaning:
    """torch.nn.Softmax2d, over the channels."""
    return Meaning("softmax", {"axis": -3}, call.first)


def glu(call: TorchCall) -> Meaning:
    """torch.nn.GLU, and the function."""
    axis = call.own("dim") if call.module else call.get("dim", -1)
    return Meaning("glu", {"axis": axis}, call.first)


def dropout(call: TorchCall) -> Meaning:
    """Dropout of every sort: in eval mode it does nothing."""
    training = call.own("training") if call.module else call.get("training", call.get("train"))
    rate = call.own("p") if call.module else call.get("p", 0.5)
    attrs: dict[str, Value] = {
        "rate": rate if isinstance(rate, (int, float)) else 0.5,
        "training": training is True,
    }
    return Meaning("dropout", attrs, call.first)


def pair(kind: str) -> Rule:
    """Return the rule of an operation on two operands, one of which may be a plain number."""

    def rule(call: TorchCall) -> Meaning | None:
        if len(call.inputs) == 1:
            return Meaning(kind, {"scalars": 1}, call.first)
        return Meaning(kind, {}, tuple(call.inputs[:2])) if call.inputs else None

    return rule


def addition(kind: str) -> Rule:
    """Return the rule of a sum or difference; torch can scale its second operand by ``alpha``."""

    def rule(call: TorchCall) -> Meaning | None:
        if not call.inputs:
            return None
        numbers = 2 - len(call.inputs[:2])
        attrs: dict[str, Value] = {"scalars": numbers} if numbers else {}
        alpha = call.get("alpha", 1)
        if alpha != 1 and kind == "add" and not numbers:
            attrs["coefficients"] = (1, alpha if isinstance(alpha, (int, float)) else 2)
        return Meaning(kind, attrs, tuple(call.inputs[:2]))

    return rule


def joined(kind: str) -> Rule:
    """Return the rule of an operation on all tensors that go in."""
    return lambda call: Meaning(kind, {}, tuple(call.inputs))


def select(call: TorchCall) -> Meaning | None:
    """torch.where: selects between two operands; with the condition alone it lists places."""
    args = call.native.get("args")
    if isinstance(args, tuple) and len(args) == 1 and len(call.inputs) == 1:
        return None
    return Meaning("select", {"scalars": 3 - len(call.inputs)}, tuple(call.inputs))


def masked_fill(call: TorchCall) -> Meaning:
    """Elements replaced by a number where a mask is true."""
    return Meaning("select", {"scalars": 1}, tuple(call.inputs[:2]))


def special(call: TorchCall) -> Meaning:
    """Special functions, some of two operands; the operand that is broadcast adds no elements."""
    whole_ones = [number for number in call.inputs[:2] if call.tensors.shapes[number] == call.out]
    return Meaning("special", {}, tuple(whole_ones[:1]) or call.first)


def entropy(call: TorchCall) -> Meaning:
    """torch.special.entr, ``-x log(x)``."""
    return Meaning("xlogy", {}, call.first * 2)


def logit(call: TorchCall) -> Meaning:
    """torch.logit, which may keep its input off 0 and 1."""
    return Meaning("logit", {"clipped": call.has("eps")}, call.first)


def renorm(call: TorchCall) -> Meaning:
    """torch.renorm."""
    return Meaning("renorm", {"axis": call.get("dim"), "order": order_of(call.get("p"))}, call.first)


def clip(call: TorchCall) -> Meaning:
    """torch.clamp: bounded on one side it is a minimum or maximum."""
    low, high = call.get("min"), call.get("max")
    if low is not None and high is not None and len(call.inputs) == 1:
        return Meaning("clip", {}, call.first)
    if len(call.inputs) > 1:
        return Meaning("maximum" if high is None else "minimum", {}, tuple(call.inputs))
    return Meaning("maximum" if high is None else "minimum", {"scalars": 1}, call.first)


def multiply_add(*, divides: bool) -> Rule:
    """Return the rule of torch.addcmul and torch.addcdiv."""

    def rule(call: TorchCall) -> Meaning:
        attrs: dict[str, Value] = {"divides": divides, "scaled": call.get("value", 1) != 1}
        return Meaning("multiply_add", attrs, tuple(call.inputs))

    return rule


def lerp(call: TorchCall) -> Meaning:
    """torch.lerp, whose weight may be a number."""
    return Meaning("lerp", {"scalars": 3 - len(call.inputs)}, tuple(call.inputs))


def cast(call: TorchCall) -> Meaning:
    """Another type or place for the same values."""
    return Meaning("cast", {}, call.first)


def copied(call: TorchCall) -> Meaning:
    """Values written over others, which may stretch."""
    return Meaning("view", {"shape": call.out}, tuple(call.inputs[1:2]))


def concat(call: TorchCall) -> Meaning:
    """torch.cat; tensors without elements of one axis are passed over, as torch does."""
    axis = whole(call.get("dim"), 0)
    shapes = call.tensors.shapes
    solid = tuple(i for i in call.inputs if shapes[i] != (0,)) or call.first
    return Meaning("concat", {"axis": axis}, solid)


def stack(call: TorchCall) -> Meaning:
    """torch.stack."""
    return Meaning("stack", {"axis": whole(call.get("dim"), 0)}, tuple(call.inputs))


def transpose(call: TorchCall) -> Meaning:
    """torch.transpose, permute and t."""
    rank = len(call.input_shape)
    order = list(range(rank))
    if isinstance(dims := call.get("dims"), tuple):
        order = [whole(axis) % rank for axis in dims] if rank else []
    elif rank >= 2:
        a, b = whole(call.get("dim0"), 0) % rank, whole(call.get("dim1"), 1) % rank
        order[a], order[b] = order[b], order[a]
    return Meaning("transpose", {"order": tuple(order)}, call.first)


def split(call: TorchCall) -> Meaning:
    """torch.split and chunk, whose parts have the sizes that came out."""
    axis = whole(call.get("dim"), 0)
    shapes = [call.tensors.shapes[i] for i in call.outputs]
    return Meaning("split", {"axis": axis, "sizes": tuple(shape[axis] for shape in shapes)}, call.first)


def pad(call: TorchCall) -> Meaning | None:
    """torch.nn.functional.pad and its ops, which name the last axis first."""
    pairs = call.get("pad", call.get("padding"))
    rank = len(call.input_shape)
    if not isinstance(pairs, tuple) or len(pairs) > 2 * rank:
        return None
    listed = tuple((pairs[i], pairs[i + 1]) for i in range(0, len(pairs), 2))[::-1]
    return Meaning("pad", {"padding": ((0, 0),) * (rank - len(listed)) + listed}, call.first)


def unstacked(call: TorchCall) -> Meaning:
    """torch.unbind."""
    return Meaning("unstack", {"axis": whole(call.get("dim"), 0)}, call.first)


def reshape(call: TorchCall) -> Meaning:
    """The same elements in the shape that came out."""
    return Meaning("reshape", {"shape": call.out}, call.first)


def moved(call: TorchCall) -> Meaning:
    """Any movement of data: the shape is the one that came out."""
    return Meaning("view", {"shape": call.out}, tuple(call.inputs))


def picked(call: TorchCall) -> Meaning:
    """Elements picked by index."""
    return Meaning("gather", {"shape": call.out}, tuple(call.inputs))


def filled(call: TorchCall) -> Meaning:
    """A new tensor, random ones too."""
    return Meaning("fill", {"shape": call.out}, ())


def pixel_shuffle(call: TorchCall) -> Meaning:
    """torch.nn.PixelShuffle, and the function."""
    factor = call.own("upscale_factor") if call.module else call.get("upscale_factor")
    return Meaning("pixel_shuffle", {"factor": factor}, call.first)
