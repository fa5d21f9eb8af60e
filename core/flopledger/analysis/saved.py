"""Which tensors a call keeps for its backward, as PyTorch's derivatives do.

Measured on PyTorch 2.13 with saved-tensor hooks, operation by operation. Of a product each operand is kept if
another one wants a gradient, so that a frozen weight frees its input; a convolution keeps both as soon as
either wants. Some functions need their result, some their operand; sums, copies and casts need nothing.
What factorisations of matrices, complex numbers made of parts and paddings by reflection keep is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flopledger.graph.tables import TensorRef

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from flopledger.analysis.derivative import Derivative
    from flopledger.graph.tables import Layer

_RESULT = frozenset(
    ("relu", "sigmoid", "tanh", "softmax", "log_softmax", "exp", "reciprocal", "sqrt", "rsqrt")
)
"""Kinds whose derivative is written with the result."""
_OPERAND = frozenset(
    ("gelu", "silu", "leaky_relu", "relu6", "hard_tanh", "hard_swish", "hard_sigmoid", "elu", "celu", "selu",
     "softplus", "mish", "log", "sin", "cos", "abs", "clip", "square", "avg_pool", "adaptive_avg_pool",
     "softsign", "tanh_shrink", "glu", "gelu_tanh", "erf", "sinc", "logit", "special", "nan_to_num",
     "hard_shrink", "soft_shrink", "threshold", "renorm")
)  # fmt: skip
"""Kinds whose derivative is written with the operand."""
_BOTH = frozenset(("vector_norm", "reduce_max", "reduce_min", "logsumexp", "order_statistic"))
"""Kinds whose derivative is written with both; one that records its result's position needs that alone."""
_EVERYTHING = frozenset(("reduce_prod", "cumprod", "logcumsumexp", "min_max", "cdist", "pdist", "dist"))
"""Kinds whose derivative is written with all operands and results."""
_EACH = frozenset(("maximum", "minimum", "atan2", "logaddexp", "xlogy", "grid_sample", "prelu"))
"""Kinds whose derivative is written with all operands, whichever of them want a gradient."""
_FACTORS = frozenset(("multiply", "matmul", "einsum", "grouped_matmul", "linear", "bilinear"))
"""Kinds of which each operand is needed for the others' gradients."""
_COPIED = frozenset(("multiply", "divide"))
"""Kinds that, where they overwrite an operand, keep a copy of it if another one's gradient needs it."""
_CONVOLUTIONS = frozenset(("conv", "conv_transpose", "conv_tbc", "deform_conv"))
_NORMS = frozenset(("layer_norm", "group_norm", "batch_norm", "instance_norm", "rms_norm"))
"""Kinds that keep their input, their weight and the statistics: mean and deviation, their further results."""
_SCALES = frozenset(("weight", "pos_weight"))
"""The arguments with which a norm or a loss scales elements."""
_POOLS = frozenset(("max_pool", "adaptive_max_pool", "cummax"))
_LOSSES = frozenset(
    ("mse", "smooth_l1", "binary_cross_entropy", "sigmoid_cross_entropy", "soft_margin", "multi_margin",
     "nll")
)  # fmt: skip
"""Kinds that keep predictions and targets, and of classes the sum of their weights, a second result."""
_ORDERS = frozenset(("top_k", "sort"))
"""Kinds that keep the places they took, their second result."""
_INDEXED = {"select": ("bool",), "embedding": ("int64", "int32"), "gather": ("int64", "int32", "bool"),
            "embedding_bag": ("int64", "int32")}  # fmt: skip
"""Kinds that keep the mask or the indices among their arguments, by the types of these."""
_WHOLE = ("int64", "int32")


class View(Protocol):
    """The questions about tensors that :class:`flopledger.analysis.gradients.Gradients` answers."""

    def want(self, tensor: int) -> bool:
        """Return whether a tensor wants a gradient."""

    def wanted(self, layer: Layer, tensor: int) -> bool:
        """Return whether an operand wants a gradient, one that the call overwrites as it was before."""

    def shape(self, tensor: int) -> Sequence[object]:
        """Return the shape of a tensor."""

    def dtype(self, tensor: int) -> str:
        """Return the type of a tensor."""

    def operands(self, layer: Layer) -> list[int]:
        """Return the operands of a product, without addends."""

    def multiplied(self, layer: Layer) -> bool:
        """Return whether a weight that wants a gradient is a factor that no operand shows."""

    def elements(self, tensor: int) -> object:
        """Return the number of elements of a tensor."""

    def derivative(self, layer: Layer) -> Derivative | None:
        """Return what a frontend has found out about a call's derivative."""


def tensors(layer: Layer, view: View) -> Sequence[int]:
    """Return the tensors that a call keeps, one that is reached by the backward."""
    known = view.derivative(layer)
    if known is not None:
        return known.keeps
    for kinds, kept in _KEPT:
        if layer.kind in kinds:
            return kept(layer, view)
    return ()


def own(layer: Layer, view: View) -> int | None:
    """Return the bytes that a call keeps beside its operands and results; None where nobody has looked."""
    known = view.derivative(layer)
    return None if known is None else known.own


def copies(layer: Layer, view: View) -> bool:
    """Return whether a call keeps a copy of its operand, which it overwrites."""
    if view.derivative(layer) is not None:
        return False
    overwrites = bool(layer.inputs) and layer.outputs[:1] == layer.inputs[:1]
    if layer.kind in _COPIED:
        return overwrites and layer.inputs[0] in tensors(layer, view)
    return overwrites and layer.kind in _OPERAND


def _pooled(layer: Layer, view: View) -> Sequence[int]:
    """An average over everything needs nothing but its size; a randomised slope is kept with the operand."""
    if "avg" in layer.kind and view.elements(layer.outputs[0]) == 1:
        return ()
    return (*layer.inputs[:1], *_arguments(layer, ("noise",)))


def _with_result(layer: Layer, view: View) -> Sequence[int]:
    del view
    made = layer.outputs
    return (*layer.inputs[:1], *made[:1]) if len(made) == 1 else made[1:2]


def _varying(layer: Layer, view: View) -> Sequence[int]:
    """Return the operand of a variance; a deviation, its root, is needed too."""
    del view
    return (*layer.inputs[:1], *layer.outputs[:1]) if layer.attrs.get("root") else layer.inputs[:1]


def _raised(layer: Layer, view: View) -> Sequence[int]:
    """Return the base of a power to a number; of one to a tensor all, and the result for the logarithm."""
    del view
    by_number = len(layer.inputs) < 2 and layer.inputs[:1] != tuple(_arguments(layer, ("exponent",)))
    return layer.inputs[:1] if by_number else (*layer.inputs, *layer.outputs[:1])


def _indices(layer: Layer, view: View) -> Sequence[int]:
    """Return the mask or the indices; of a bag also where each is: its further results.

    A lookup of single elements keeps the table too.
    """
    found = [i for i in _refs(layer) if view.dtype(i) in _INDEXED[layer.kind]]
    if layer.kind == "embedding_bag":
        return [*found, *layer.outputs[1:]]
    reads = layer.kind == "gather" and len(layer.inputs) == 2 and "value" not in layer.native
    single = [i for i in found if len(view.shape(i)) > 1 and view.shape(i) == view.shape(layer.outputs[0])]
    return [*found, *layer.inputs[:1]] if reads and single else found


def _accumulated(layer: Layer, view: View) -> Sequence[int]:
    """Return the places where elements are added, and the elements if they are added by whole rows."""
    source = layer.inputs[-1:]
    if not any(map(view.want, source)):
        return ()
    found = [i for i in _refs(layer) if view.dtype(i) in _WHOLE]
    rows = any(len(view.shape(i)) < len(view.shape(source[0])) for i in _arguments(layer, ("index",)))
    return [*found, *source] if rows else found


def _factors(layer: Layer, operands: Sequence[int], view: View) -> list[int]:
    """Return each operand if another one wants a gradient."""
    return [
        tensor
        for place, tensor in enumerate(operands)
        if any(view.wanted(layer, other) for other in (*operands[:place], *operands[place + 1 :]))
    ]


def _of_product(layer: Layer, view: View) -> Sequence[int]:
    """Return the tensors that a product keeps: all operands, where a weight beside them is trained."""
    operands = view.operands(layer)
    return operands if view.multiplied(layer) else _factors(layer, operands, view)


def _divided(layer: Layer, view: View) -> Sequence[int]:
    """Return the tensors that a division keeps: the divisor, and if that wants a gradient the dividend."""
    given = layer.inputs
    if len(given) < 2:
        return ()
    return given if view.want(given[1]) else given[1:]


def _remaining(layer: Layer, view: View) -> Sequence[int]:
    """Return the operands of a division with rest, if the divisor wants a gradient."""
    return layer.inputs if len(layer.inputs) > 1 and view.want(layer.inputs[1]) else ()


def _multiplied_and_added(layer: Layer, view: View) -> Sequence[int]:
    """Return the factors of a sum's second part, or its dividend and divisor."""
    first, second = (*layer.inputs[1:3], *layer.inputs[-1:])[:2]
    if not layer.attrs.get("divides"):
        return _factors(layer, (first, second), view)
    if view.want(second):
        return (first, second)
    return (second,) if view.want(first) else ()


def _between(layer: Layer, view: View) -> Sequence[int]:
    """Return the weight of a mean of two, where it is a tensor, and the two if it wants a gradient."""
    if len(layer.inputs) < 3:
        return ()
    return layer.inputs if view.want(layer.inputs[2]) else layer.inputs[2:]


def _transformed(layer: Layer, view: View) -> Sequence[int]:
    """Return the operand of a Fourier transform of real numbers; one of complex numbers needs nothing."""
    return [i for i in layer.inputs[:1] if not view.dtype(i).startswith("complex")]


def _attended(layer: Layer, view: View) -> Sequence[int]:
    """Return the queries, keys, values, the mask, and the result with the sums of its weights."""
    del view
    return (*layer.inputs[:3], *layer.outputs[:2], *_arguments(layer, ("attn_mask", "attn_bias")))


def _arguments(layer: Layer, names: Collection[str]) -> list[int]:
    """Return the tensors that are a call's native arguments of these names."""
    given = (value for name, value in layer.native.items() if name in names)
    return [value.id for value in given if isinstance(value, TensorRef)]


def _refs(layer: Layer) -> list[int]:
    """Return the tensors among a call's native arguments, lists of them included."""
    found: list[int] = []
    for value in layer.native.values():
        items = value if isinstance(value, tuple) else (value,)
        found += [item.id for item in items if isinstance(item, TensorRef)]
    return list(dict.fromkeys((*found, *layer.inputs)))


_KEPT: tuple[tuple[Collection[str], Callable[[Layer, View], Sequence[int]]], ...] = (
    (_RESULT, lambda layer, _: layer.outputs[:1]),
    (_OPERAND, _pooled),
    (_BOTH, _with_result),
    (_EVERYTHING, lambda layer, _: (*layer.inputs, *layer.outputs)),
    (_EACH, lambda layer, _: layer.inputs),
    (("variance",), _varying),
    (_FACTORS, _of_product),
    (_CONVOLUTIONS, lambda layer, view: view.operands(layer)),
    (_NORMS, lambda layer, _: (*layer.inputs[:1], *layer.outputs[1:3], *_arguments(layer, _SCALES))),
    (_LOSSES, lambda layer, _: (*layer.inputs, *layer.outputs[1:2], *_arguments(layer, _SCALES))),
    (_POOLS, lambda layer, _: (*layer.inputs[:1], *layer.outputs[1:2])),
    (_ORDERS, lambda layer, _: layer.outputs[1:2]),
    (_INDEXED, _indices),
    (("power",), _raised),
    (("divide",), _divided),
    (("cross",), lambda layer, view: _factors(layer, layer.inputs, view)),
    (("hypot",), lambda layer, view: [*filter(view.want, layer.inputs), *layer.outputs]),
    (("modulo",), _remaining),
    (("multiply_add",), _multiplied_and_added),
    (("lerp",), _between),
    (("accumulate",), _accumulated),
    (("fft",), _transformed),
    (("log_sigmoid",), lambda layer, _: (*layer.inputs[:1], *layer.outputs[1:2])),
    (("attention",), _attended),
    (("dropout",), lambda layer, _: layer.outputs[1:2]),
)
"""The tensors that each kind keeps, by the first rule that fits; all other kinds keep nothing."""
