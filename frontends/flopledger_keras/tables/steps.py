"""The description of a layer in the table: the functions that it calls, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend import Value


@dataclass(frozen=True, slots=True)
class Step:
    """A function that a layer calls: its name, kind and attributes, and its further inputs.

    ``weights`` are the shapes of weights, or tensors that the layer was called with, such as a mask.
    """

    name: str
    kind: str
    attrs: Mapping[str, Value]
    weights: tuple[Any, ...] = ()
    package: str = "keras.ops"
    native: Mapping[str, Value] = field(default_factory=dict)


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
