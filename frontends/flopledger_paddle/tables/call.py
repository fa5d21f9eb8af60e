"""One op of a program, as the tables look at it, and its meaning."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from flopledger.frontend import dataclass, is_symbolic

if TYPE_CHECKING:
    from flopledger.frontend import Shape, Value

    from flopledger_paddle.values import Values

_NONE = object()


class Open(Exception):  # noqa: N818  (internal; never reaches a user)
    """A size or an attribute depends on data."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """An op's kind, the kind's attributes, which operands are its inputs, and how many outputs it has."""

    kind: str
    attrs: dict[str, Value] = field(default_factory=dict)
    inputs: tuple[int, ...] = (0,)
    outputs: int = 1


class Op:
    """An op: its attributes, and the shapes and constants among its operands."""

    def __init__(self, op: Any, values: Values) -> None:
        self.name: str = op.name()
        self.operands: list[Any] = op.operands_source()
        self.results: list[Any] = op.results()
        self._op, self._values = op, values
        self._attrs: dict[str, Any] | None = None

    @property
    def attrs(self) -> dict[str, Any]:
        """The op's own attributes."""
        if self._attrs is None:
            self._attrs = self._op.attrs()
        return self._attrs

    def attr(self, name: str, default: Any = _NONE) -> Any:
        """Return an attribute."""
        value = self.attrs.get(name, default)
        if value is _NONE:
            raise Open(f"{self.name} has no attribute {name!r}")
        return value

    def given(self, index: int) -> bool:
        """Return whether an operand is there."""
        return index < len(self.operands) and bool(self.operands[index].initialized())

    def shape(self, index: int) -> Shape:
        """Return the shape of an operand."""
        shape = self._values.shape(self.operands[index]) if self.given(index) else None
        if shape is None:
            raise Open(f"a size of an input of {self.name} depends on data")
        return shape

    def result(self, index: int) -> Shape:
        """Return the shape of a result."""
        shape = self._values.real(self.results[index])
        if shape is None:
            raise Open(f"a size of the output of {self.name} depends on data")
        return shape

    def constant(self, index: int) -> Any:
        """Return the value of an operand that is a constant, or of a list of them."""
        value = self._values.constant(self.operands[index]) if self.given(index) else None
        if value is None:
            raise Open(f"an argument of {self.name} depends on data")
        return value

    def many_results(self, index: int) -> list[Any]:
        """Return the tensors of a result that is a list of them."""
        return self._values.members(self.results[index])


def whole(value: Any) -> Any:
    """Return a size as a whole number, or the expression that it is."""
    return value if is_symbolic(value) else int(value)
