"""What the table of layers says about a type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.dims.types import Shape
    from flopledger.graph.tables import Value

    from flopledger_caffe.text.fields import View


class Blob(NamedTuple):
    """A weight or statistic of a layer: its name there, its role in the graph, and its shape."""

    name: str
    role: str
    shape: Shape


class Operand(NamedTuple):
    """A bottom as the kind sees it: which one, and its shape where that is another view of it."""

    bottom: int
    shape: Shape | None = None


Attrs: TypeAlias = "dict[str, Value]"
Shapes: TypeAlias = "tuple[Shape | None, ...]"
"""Shapes of tops; None stands for that of the first top."""
MANY = 2**31 - 1
"""No limit to the number of bottoms or tops."""


def _no_attrs(_: View) -> Attrs:
    return {}


def _no_blobs(_: View) -> tuple[Blob, ...]:
    return ()


@dataclass(frozen=True)
class Row:
    """One type of layer.

    Attributes:
        kind: The kind, or what tells it from the layer's fields; None where no formula is known.
        params: The field that holds the layer's own fields.
        attrs: The attributes that the kind asks for.
        blobs: The weights and statistics, in Caffe's order.
        tops: The shapes of all tops, where the kind has no rule for them.
        more_tops: The shapes of the optional tops behind those that the kind's rule gives.
        operands: The bottoms as the kind takes them, where it is another order or view.
        bottoms, made: The least and the most bottoms, and tops.
        defaults: Values of fields that conventions read, for where the file is silent.
        words: The words of those among them that are enumerations.
        shares: Whether the top is the bottom's memory under another shape.
        why: Why a type without a kind has no formula.
    """

    kind: str | Callable[[View], str] | None = None
    params: str = ""
    attrs: Callable[[View], Attrs] = _no_attrs
    blobs: Callable[[View], tuple[Blob, ...]] = _no_blobs
    tops: Callable[[View], Shapes] | None = None
    more_tops: Callable[[View], Shapes] | None = None
    operands: Callable[[View], tuple[Operand, ...]] | None = None
    bottoms: tuple[int, int] = (1, 1)
    made: tuple[int, int] = (1, 1)
    defaults: Mapping[str, Value] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    shares: bool = False
    why: str = ""
