"""The values of a program as the graph's tensors, and the constants among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flopledger_paddle.modules import dtype_name

if TYPE_CHECKING:
    from flopledger.frontend import GraphBuilder, Shape

    from flopledger_paddle.known import Known


def shape_of(value: Any) -> Shape | None:
    """Return a value's shape; None where a size depends on data, or the value is a list of tensors."""
    if not value.initialized():
        return None
    try:
        sizes = tuple(value.shape)
    except ValueError:
        return None
    return sizes if all(size >= 0 for size in sizes) else None


class Values:
    """Gives each value of a program its tensor."""

    def __init__(self, builder: GraphBuilder, known: Known | None = None) -> None:
        self.builder, self.known = builder, known
        self.constants: dict[str, Any] = {}
        self.lists: dict[str, list[Any]] = {}
        self._tensors: dict[str, int] = {}

    def tensor(self, value: Any) -> int:
        """Return the tensor of a value."""
        found = self._tensors.get(value.id)
        if found is None:
            settled = None if self.known is None else self.known.same.get(value.id)
            if settled is not None:
                found = self.tensor(settled)
            else:
                found = self.builder.tensor(self.real(value), dtype_name(value.dtype))
            self._tensors[value.id] = found
        return found

    def real(self, value: Any) -> Shape | None:
        """Return a value's shape, where it depends on data that of the run, if there was one."""
        shape = None if self.known is None else self.known.shapes.get(value.id)
        return shape_of(value) if shape is None else shape

    def constant(self, value: Any) -> Any:
        """Return the number or numbers that a value is, of a list each; None where they are open."""
        if value.id not in self.lists:
            return self.constants.get(value.id)
        members = [self.constants.get(member.id) for member in self.lists[value.id]]
        return None if None in members else members

    def name(self, value: Any, tensor: int) -> None:
        """Say which tensor a value is."""
        self._tensors[value.id] = tensor

    def same(self, value: Any, other: Any) -> None:
        """Say that one value is another."""
        self._tensors[value.id] = self.tensor(other)

    def shape(self, value: Any) -> Shape | None:
        """Return the shape of a value, where an open size follows from the ops before."""
        known = self._tensors.get(value.id)
        return self.real(value) if known is None else self.builder.tensors[known].shape

    def tensors(self, values: list[Any]) -> list[int]:
        """Return the tensors of values, those of a list one by one."""
        return [self.tensor(v) for value in values for v in self.members(value)]

    def members(self, value: Any) -> list[Any]:
        """Return the tensors in a value that is a list of them, else the value itself."""
        return self.lists.get(value.id, [value]) if value.initialized() else []
