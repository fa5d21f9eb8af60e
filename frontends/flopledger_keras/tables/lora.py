"""Low-rank updates of a layer's weight (Hu et al., 2021, arXiv:2106.09685), as Keras's layers compute them.

A layer in floating point forms ``W + (alpha / r) A B`` in each call and then uses it; a quantised one,
whose weight can't be added to, adds ``(alpha / r) (x A) B`` to its result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flopledger_keras.tables.steps import Branch, Step

if TYPE_CHECKING:
    from flopledger.frontend import Shape

    from flopledger_keras.tables.call import KerasCall


def _sizes(variable: Any) -> Shape:
    return tuple(int(d) for d in variable.shape)


def low_rank(layer: Any, call: KerasCall, *, first: Step | None = None) -> tuple[Branch, ...]:
    """Return the operations of a layer's update, beside its own product; nothing where it has none.

    Args:
        layer: The layer.
        call: What it is called with.
        first: The product of the input with A where it is no matrix product.
    """
    if not getattr(layer, "lora_enabled", False):
        return ()
    name = "kernel" if hasattr(layer, "lora_kernel_a") else "embeddings"
    a, b = (_sizes(getattr(layer, f"lora_{name}_{side}")) for side in "ab")
    scaled = Step("multiply", "multiply", {"scalars": 1})
    if getattr(layer, "quantization_mode", None) is None:
        whole = (*a[:-1], b[-1])
        product = Step("matmul", "matmul", {}, (a, b))
        return (Branch((product, scaled, Step("add", "add", {}, (whole,))), reads_input=False),)
    into = first or Step("matmul", "matmul", {}, (a,))
    added = Step("add", "add", {}, (call.outputs[0],))
    return (Branch((into, Step("matmul", "matmul", {}, (b,)), scaled, added), reads_input=True),)


def of_einsum(layer: Any, call: KerasCall, equation: str) -> tuple[Branch, ...]:
    """Return the update of an EinsumDense: its equation with A in place of the kernel."""
    if not getattr(layer, "lora_enabled", False):
        return ()
    first = Step("einsum", "einsum", {"equation": equation}, (_sizes(layer.lora_kernel_a),))
    return low_rank(layer, call, first=first)


def of_embedding(layer: Any, call: KerasCall) -> tuple[Branch, ...]:
    """Return the update of an Embedding: the rows of A that the ids pick, where it is quantised."""
    if not getattr(layer, "lora_enabled", False):
        return ()
    count, width = _sizes(layer.lora_embeddings_a)
    rows = Step("take", "embedding", {"num_embeddings": count, "embedding_dim": width})
    return low_rank(layer, call, first=rows)
