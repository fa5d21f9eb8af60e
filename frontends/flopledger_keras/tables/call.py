"""The question to a row of the tables, and its answer."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeAlias

from flopledger.frontend import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend import Shape, Value


@dataclass(frozen=True, slots=True)
class KerasCall:
    """A call of a layer or operation: shapes, how many plain numbers, and all arguments."""

    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    scalars: int = 0
    training: bool = False
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def argument(self, place: int, name: str) -> Any:
        """Return an argument by its place or its name."""
        return self.arguments[place] if len(self.arguments) > place else self.keywords.get(name)


Meaning: TypeAlias = "tuple[str, dict[str, Value]] | None"
"""A kind and its attributes, or None where no kind fits."""
Rule: TypeAlias = "Callable[[Any, KerasCall], Meaning]"


def axes(value: object) -> Value:
    """Return axes as a tuple; None, for all, as it is."""
    if value is None:
        return None
    return tuple(int(v) for v in value) if isinstance(value, (tuple, list)) else (int(str(value)),)


def one_or_all(value: object) -> Value:
    """Return an axis as a number, several as a tuple."""
    along = axes(value)
    return along[0] if isinstance(along, tuple) and len(along) == 1 else along


def last_axes(value: object, rank: int) -> int | None:
    """Return the first of axes, all where there is None, if they are the last ones."""
    given = value if isinstance(value, (tuple, list)) else range(rank) if value is None else (value,)
    along = sorted(int(str(axis)) % rank for axis in given)
    return along[0] if along == list(range(along[0], rank)) else None
