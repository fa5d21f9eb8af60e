"""The description of a layer in the table: the functions that it calls, one after the other."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from flopledger.frontend import TensorRef, dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.frontend import Value


@dataclass(frozen=True, slots=True)
class Step:
    """A function that a layer calls: its name, kind and attributes, and its further inputs.

    ``weights`` are the shapes of weights, or tensors that the layer was called with, such as a mask.
    ``reads`` are tensors that its kind has no place for: the mask of a sequence, an updated kernel.
    """

    name: str
    kind: str
    attrs: Mapping[str, Value]
    weights: tuple[Any, ...] = ()
    package: str = "keras.ops"
    native: Mapping[str, Value] = field(default_factory=dict)
    reads: tuple[Any, ...] = ()

    def reading(self, tensors: Sequence[int]) -> Step:
        """Return the step as one that reads further tensors of the graph, given as native arguments."""
        if not tensors:
            return self
        before = self.native.get("reads", ())
        refs = (*(before if isinstance(before, tuple) else ()), *map(TensorRef, tensors))
        return replace(self, native={**self.native, "reads": refs})


@dataclass(frozen=True, slots=True)
class Branch:
    """Steps beside those that lead from a layer's input to its result; the first may read weights alone."""

    steps: tuple[Step, ...]
    reads_input: bool


@dataclass(frozen=True, slots=True)
class Description:
    """The work of a layer: one step after the other, and then its activation function."""

    steps: tuple[Step, ...]
    activation: Callable[..., object] | None = None
    beside: tuple[Branch, ...] = ()

    def noted(self, **native: Value) -> Description:
        """Return the same with native facts at each step."""

        def known(steps: tuple[Step, ...]) -> tuple[Step, ...]:
            return tuple(replace(step, native={**step.native, **native}) for step in steps)

        beside = tuple(replace(branch, steps=known(branch.steps)) for branch in self.beside)
        return replace(self, steps=known(self.steps), beside=beside)


def others_read(given: Sequence[int], operands: Sequence[int]) -> dict[str, Value]:
    """Return, as a native argument, the tensors that a call reads and for which its kind has no place.

    The positions of a gather and a kernel that is computed are such: the calls that compute them are needed.
    """
    others = [tensor for tensor in given if tensor not in operands]
    return {"reads": tuple(map(TensorRef, others))} if others else {}
