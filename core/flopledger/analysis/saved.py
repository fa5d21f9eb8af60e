"""Which tensors a call keeps for its backward, as PyTorch's derivatives do.

Measured on PyTorch 2.13 with saved-tensor hooks, operation by operation. Of a product each operand is kept if
another one wants a gradient, so that a frozen weight frees its input; a convolution keeps both as soon as
either wants. Some functions need their result, some their operand; sums, copies and casts need nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flopledger.graph.tables import TensorRef

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from flopledger.graph.tables import Layer

_RESULT = frozenset(
    ("relu", "sigmoid", "tanh", "softmax", "log_softmax", "exp", "reciprocal", "sqrt", "rsqrt")
)
"""Kinds whose derivative is written with the result."""
_OPERAND = frozenset(
    ("gelu", "silu", "leaky_relu", "relu6", "hard_tanh", "hard_swish", "hard_sigmoid", "elu", "celu", "selu",
     "softplus", "mish", "log", "sin", "cos", "abs", "clip", "variance", "square", "avg_pool",
     "adaptive_avg_pool", "log_sigmoid", "softsign", "tanh_shrink", "glu")
)  # fmt: skip
"""Kinds whose derivative is written with the operand."""
_BOTH = frozenset(("vector_norm", "reduce_max", "reduce_min", "logsumexp"))
"""Kinds whose derivative is written with both; one that records its result's position needs that alone."""
_FACTORS = frozenset(("multiply", "matmul", "einsum", "grouped_matmul", "linear", "bilinear"))
"""Kinds of which each operand is needed for the others' gradients."""
_COPIED = frozenset(("multiply", "divide"))
"""Kinds that, where they overwrite an operand, keep a copy of it if another one's gradient needs it."""
_CONVOLUTIONS = frozenset(("conv", "conv_transpose", "conv_tbc", "deform_conv"))
_NORMS = frozenset(("layer_norm", "group_norm", "batch_norm", "instance_norm", "rms_norm"))
"""Kinds that keep their input and its statistics: mean and deviation, their further results."""
_POOLS = frozenset(("max_pool", "adaptive_max_pool"))
_LOSSES = frozenset(
    ("mse", "smooth_l1", "binary_cross_entropy", "sigmoid_cross_entropy", "soft_margin", "nll")
)
"""Kinds that keep predictions and targets, and of classes the sum of their weights, a second result."""
_ORDERS = frozenset(("top_k", "sort"))
"""Kinds that keep the places they took, their second result."""
_INDEXED = {"select": ("bool",), "embedding": ("int64", "int32"), "gather": ("int64", "int32"),
            "embedding_bag": ("int64", "int32")}  # fmt: skip
"""Kinds that keep the mask or the indices among their arguments, by the types of these."""


class View(Protocol):
    """What is asked about tensors; :class:`flopledger.analysis.gradients.Gradients` answers."""

    def want(self, tensor: int) -> bool:
        """Return whether a tensor wants a gradient."""

    def dtype(self, tensor: int) -> str:
        """Return the type of a tensor."""

    def operands(self, layer: Layer) -> list[int]:
        """Return the operands of a product, without addends."""

    def multiplied(self, layer: Layer) -> bool:
        """Return whether a weight that wants a gradient is a factor that no operand shows."""

    def elements(self, tensor: int) -> object:
        """Return the number of elements of a tensor."""


def tensors(layer: Layer, view: View) -> Sequence[int]:
    """Return the tensors that a call keeps, one that is reached by the backward."""
    for kinds, kept in _KEPT:
        if layer.kind in kinds:
            return kept(layer, view)
    return ()


def copies(layer: Layer, view: View) -> bool:
    """Return whether a call keeps a copy of its operand, which it overwrites."""
    overwrites = bool(layer.inputs) and layer.outputs[:1] == layer.inputs[:1]
    if layer.kind in _COPIED:
        return overwrites and layer.inputs[0] in tensors(layer, view)
    return overwrites and layer.kind in _OPERAND


def _pooled(layer: Layer, view: View) -> Sequence[int]:
    """An average over everything needs nothing but its size."""
    everything = "avg" in layer.kind and view.elements(layer.outputs[0]) == 1
    return () if everything else layer.inputs[:1]


def _with_result(layer: Layer, view: View) -> Sequence[int]:
    del view
    made = layer.outputs
    return (*layer.inputs[:1], *made[:1]) if len(made) == 1 else made[1:2]


def _raised(layer: Layer, view: View) -> Sequence[int]:
    del view
    by_number = len(layer.inputs) < 2
    return layer.inputs[:1] if by_number else (*layer.inputs, *layer.outputs[:1])


def _indices(layer: Layer, view: View) -> Sequence[int]:
    """Return the mask or the indices; of a bag also where each is: its further results."""
    found = [i for i in _refs(layer) if view.dtype(i) in _INDEXED[layer.kind]]
    return [*found, *layer.outputs[1:]] if layer.kind == "embedding_bag" else found


def _factors(operands: Sequence[int], view: View) -> list[int]:
    """Return each operand if another one wants a gradient."""
    return [
        tensor
        for place, tensor in enumerate(operands)
        if any(view.want(other) for other in (*operands[:place], *operands[place + 1 :]))
    ]


def _of_product(layer: Layer, view: View) -> Sequence[int]:
    """Return what a product keeps: all operands, where a weight that none of them shows wants a gradient."""
    operands = view.operands(layer)
    return operands if view.multiplied(layer) else _factors(operands, view)


def _divided(layer: Layer, view: View) -> Sequence[int]:
    """Return the tensors that a division keeps: the divisor, and if that wants a gradient the dividend."""
    given = layer.inputs
    if len(given) < 2:
        return ()
    return given if view.want(given[1]) else given[1:]


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
    (_FACTORS, _of_product),
    (_CONVOLUTIONS, lambda layer, view: view.operands(layer)),
    (_NORMS, lambda layer, _: (*layer.inputs[:1], *layer.outputs[1:3])),
    (_LOSSES, lambda layer, _: (*layer.inputs, *layer.outputs[1:2])),
    (_POOLS, lambda layer, _: (*layer.inputs[:1], *layer.outputs[1:2])),
    (_ORDERS, lambda layer, _: layer.outputs[1:2]),
    (_INDEXED, _indices),
    (("power",), _raised),
    (("divide",), _divided),
    (("attention",), lambda layer, _: (*layer.inputs[:3], *layer.outputs[:2])),
    (("dropout",), lambda layer, _: layer.outputs[1:2]),
    (("prelu",), lambda layer, _: layer.inputs),
)
"""What each kind keeps, the first that fits; all others keep nothing."""
