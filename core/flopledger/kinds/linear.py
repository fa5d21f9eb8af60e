"""Dense layers, bilinear layers, matrix products, embeddings and bags of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import product
from flopledger.kinds.axes import axis_of, broadcast, differ
from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts, dot_parts

if TYPE_CHECKING:
    from flopledger.dims.types import Dim, Shape

_BIAS = Attribute("bias", "whether a bias is added to each output element", default=False)


def linear_shapes(call: Call) -> tuple[Shape, ...]:
    """The axes from ``axis`` on become one of ``out_features``."""
    return ((*call.input[: axis_of(call, call.input)], call.dim("out_features")),)


def linear_facts(call: Call) -> Facts:
    """``y = W x + b``: each output element is one dot product of ``in_features`` terms.

    Sources: torch.nn.Linear; Caffe's ``inner_product_layer.cpp``, which flattens from ``axis`` on.
    """
    in_features = product(call.input[axis_of(call, call.input) :])
    return {"macs": call.out_elems * in_features, "dots": call.out_elems, "in_features": in_features}


def linear_parts(call: Call) -> Parts:
    """A dot product for each output element, plus one addition where there is a bias."""
    facts = linear_facts(call)
    return dot_parts(facts["macs"], facts["dots"], _bias_adds(call))


def _bias_adds(call: Call) -> Dim:
    return call.out_elems if call.flag("bias") else 0


def _pair(call: Call) -> tuple[Shape, Shape]:
    if len(call.inputs) != 2 or not all(call.inputs):
        raise call.impossible(f"{call.kind.name} needs two inputs with one axis or more")
    return call.inputs[0], call.inputs[1]


def bilinear_shapes(call: Call) -> tuple[Shape, ...]:
    """The last axis becomes ``out_features``; all others are equal."""
    a, b = _pair(call)
    if len(a) != len(b) or any(differ(x, y) for x, y in zip(a[:-1], b[:-1], strict=True)):
        raise call.impossible("the inputs differ before their last axis")
    return ((*a[:-1], call.dim("out_features")),)


def bilinear_facts(call: Call) -> Facts:
    """``y_o = x1^T A_o x2``: I2 dot products of I1 terms, then one of I2 terms.

    ``macs = rows O (I1 I2 + I2)``. Source: torch.nn.Bilinear.
    """
    a, b = _pair(call)
    return {"macs": call.out_elems * (a[-1] * b[-1] + b[-1]), "dots": call.out_elems * (b[-1] + 1)}


def bilinear_parts(call: Call) -> Parts:
    """The dot products, plus one addition for each output element where there is a bias."""
    facts = bilinear_facts(call)
    return dot_parts(facts["macs"], facts["dots"], _bias_adds(call))


def _operands(call: Call) -> tuple[Shape, Shape]:
    """Return both operands as stacks of matrices, (..., M, K) and (..., K, N)."""
    a, b = _pair(call)
    a = (1, *a) if len(a) == 1 else _turned(a, turn=call.flag("transpose_a"))
    b = (*b, 1) if len(b) == 1 else _turned(b, turn=call.flag("transpose_b"))
    if differ(a[-1], b[-2]):
        raise call.impossible(f"rows of {a[-1]} can't meet columns of {b[-2]}")
    return a, b


def _turned(shape: Shape, *, turn: bool) -> Shape:
    return (*shape[:-2], shape[-1], shape[-2]) if turn else shape


def matmul_shapes(call: Call) -> tuple[Shape, ...]:
    """(..., M, K) times (..., K, N) is (..., M, N), the leading axes broadcast.

    A vector on the left is a row, on the right a column, and its axis of 1 is dropped again.
    Source: numpy.matmul.
    """
    a, b = _operands(call)
    left = () if len(call.inputs[0]) == 1 else (a[-2],)
    right = () if len(call.inputs[1]) == 1 else (b[-1],)
    return ((*broadcast(call, (a[:-2], b[:-2])), *left, *right),)


def matmul_facts(call: Call) -> Facts:
    """``c_mn = sum_k a_mk b_kn``: each output element is one dot product of K terms."""
    a, _ = _operands(call)
    return {"macs": call.out_elems * a[-1], "dots": call.out_elems}


def matmul_parts(call: Call) -> Parts:
    """A dot product for each output element, plus one addition where there is an addend."""
    facts = matmul_facts(call)
    return dot_parts(facts["macs"], facts["dots"], _bias_adds(call))


def embedding_shapes(call: Call) -> tuple[Shape, ...]:
    """Each index becomes a vector."""
    return ((*call.input, call.dim("embedding_dim")),)


def embedding_parts(call: Call) -> Parts:
    """A vector is looked up, which is not arithmetic; a bias is added (Caffe's ``embed_layer.cpp``)."""
    return {"bias_adds": call.out_elems} if call.flag("bias") else {}


def _bags(call: Call) -> Shape:
    """Return the shape of the bags: the rows of indices, or the groups that start at the second input."""
    if len(call.input) > 1:
        return call.input[:-1]
    if len(call.inputs) < 2 or len(call.inputs[1]) != 1:
        raise call.impossible("one list of indices needs a list of where its bags start")
    return (call.inputs[1][0] - (1 if call.flag("last_end") else 0),)


def embedding_bag_shapes(call: Call) -> tuple[Shape, ...]:
    """Each bag of indices becomes a vector."""
    return ((*_bags(call), call.dim("embedding_dim")),)


def embedding_bag_facts(call: Call) -> Facts:
    """With weights each element of a vector is a dot product of as many terms as its bag has indices.

    Without them nothing is multiplied. No bag is taken to be empty.
    """
    if not call.flag("weighted"):
        return {"macs": 0, "dots": 0}
    return {"macs": call.in_elems * call.dim("embedding_dim"), "dots": call.out_elems}


def embedding_bag_parts(call: Call) -> Parts:
    """``y = sum_i w_i E[x_i]``, or the mean or the largest of the vectors of a bag.

    Joining L vectors of D elements into B bags takes ``(L - B) D`` additions or comparisons; a mean is a
    division for each element of the result. Source: torch.nn.EmbeddingBag.
    """
    mode, macs = call.word("mode"), call.in_elems * call.dim("embedding_dim")
    if mode not in ("sum", "mean", "max"):
        raise call.impossible(f"the mode {mode!r} is none of sum, mean and max")
    found: Parts = {"compares" if mode == "max" else "adds": macs - call.out_elems}
    if call.flag("weighted"):
        found["multiplies"] = macs
    return {**found, "divides": call.out_elems} if mode == "mean" else found


KINDS = (
    Kind(
        name="linear",
        doc="dense layer (fully connected, inner product)",
        group="linear",
        attributes=(
            Attribute("out_features", "size of the output vector"),
            Attribute("axis", "first of the input axes that make up the input vector", default=-1),
            _BIAS,
        ),
        shapes=linear_shapes,
        parts=linear_parts,
        facts=linear_facts,
    ),
    Kind(
        name="bilinear",
        doc="bilinear form of two input vectors",
        group="linear",
        attributes=(Attribute("out_features", "size of the output vector"), _BIAS),
        shapes=bilinear_shapes,
        parts=bilinear_parts,
        facts=bilinear_facts,
    ),
    Kind(
        name="matmul",
        doc="product of two matrices, vectors or stacks of matrices",
        group="linear",
        attributes=(
            Attribute("transpose_a", "whether the first operand's last two axes are swapped", default=False),
            Attribute("transpose_b", "whether the second operand's last two axes are swapped", default=False),
            Attribute("bias", "whether an addend is added to each output element", default=False),
        ),
        shapes=matmul_shapes,
        parts=matmul_parts,
        facts=matmul_facts,
    ),
    Kind(
        name="embedding",
        doc="vectors looked up by index",
        group="move",
        attributes=(
            Attribute("num_embeddings", "number of vectors in the table"),
            Attribute("embedding_dim", "size of each vector"),
            Attribute("bias", "whether a bias is added to each vector", default=False),
        ),
        shapes=embedding_shapes,
        parts=embedding_parts,
    ),
    Kind(
        name="embedding_bag",
        doc="vectors looked up by index, those of each bag joined",
        group="linear",
        attributes=(
            Attribute("num_embeddings", "number of vectors in the table"),
            Attribute("embedding_dim", "size of each vector"),
            Attribute("mode", "how they are joined: sum, mean or max", default="sum"),
            Attribute("weighted", "whether each vector is multiplied by a weight", default=False),
            Attribute("last_end", "whether the starts of bags end with the end of the last", default=False),
        ),
        shapes=embedding_bag_shapes,
        parts=embedding_bag_parts,
        facts=embedding_bag_facts,
    ),
)
