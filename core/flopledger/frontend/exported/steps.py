"""The computation of one node, and the entry of a table of operators that gives it."""

from __future__ import annotations

from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.dims.types import Shape
    from flopledger.frontend.exported.arrays import Array
    from flopledger.frontend.exported.operands import Operand
    from flopledger.graph.tables import Value

C = TypeVar("C")
"""How a frontend presents one node to its table."""
Attrs: TypeAlias = "dict[str, Value]"


class Unshaped(Exception):  # noqa: N818  (it names the unknown value)
    """The outputs or the work of a call depend on data or on a value whose shape is not known."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of several computations that an operator does: its name, its kind, its inputs and its outputs."""

    name: str
    kind: str
    attrs: Attrs
    inputs: Sequence[Shape]
    outputs: Sequence[Shape] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """The computation of a node.

    Attributes:
        kind: Its kind; CONTAINER where ``parts`` do the work, UNKNOWN where no formula is known.
        attrs: The attributes that the kind requires.
        operands: Which inputs the kind reads, by number, or under another shape; None for all.
        shapes: The shapes of the outputs where the kind's rule does not give them; None for the rule.
        more: The shapes of outputs behind those that the kind's rule gives.
        dtypes: The types of the outputs; one that is missing is that of the first input.
        arrays: The elements of the outputs, where they are known.
        alias: Whether the first output is the first input's memory under another shape.
        parts: The computations of an operator that does several.
        constant: Whether the outputs are the constants of the inputs, moved or cast.
        listed: Whether the outputs are the members of a list, which is what the node makes.
        problem: Why a call has no formula.
    """

    kind: str
    attrs: Attrs = field(default_factory=dict)
    operands: Sequence[int | Shape] | None = None
    shapes: Sequence[Shape | None] | None = None
    more: Sequence[Shape | None] = ()
    dtypes: Sequence[str] = ()
    arrays: Sequence[Array | None] = ()
    alias: bool = False
    parts: Sequence[Part] = ()
    constant: bool = False
    listed: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """A node that gives its inputs as they are, or constants: no call."""

    values: Sequence[Operand]


@dataclass(frozen=True, slots=True)
class Row(Generic[C]):
    """One operator.

    Attributes:
        rule: Returns the computation of a node.
        weights: The roles of the inputs that are weights of any type, by number.
        arguments: The inputs that are settings, not data: shapes, axes, scales, states; never weights.
    """

    rule: Callable[[C], Step | Passed]
    weights: Mapping[int, str]
    arguments: frozenset[int]


def row(
    rule: Callable[[C], Step | Passed], *arguments: int, weights: Mapping[int, str] | None = None
) -> Row[C]:
    """Return a row; the numbers are the inputs that are arguments."""
    return Row(rule, MappingProxyType(weights or {}), frozenset(arguments))


WEIGHT: Mapping[int, str] = MappingProxyType({1: "weight"})
WEIGHT_AND_BIAS: Mapping[int, str] = MappingProxyType({1: "weight", 2: "bias"})
