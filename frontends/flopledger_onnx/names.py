"""The values of the names of a graph or function, within the enclosing ones."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeAlias

from flopledger.frontend import dataclass

if TYPE_CHECKING:
    from collections.abc import Generator, Hashable, Mapping, Sequence

    from flopledger.frontend import Operand

    from flopledger_onnx.wire.messages import Attribute, Opset

Job: TypeAlias = "Generator[Job, Any, Any]"
"""The reading of one graph: a generator that hands over the job that it waits for."""


@dataclass(slots=True)
class Scope:
    """The names of one graph or function, within those around it.

    Attributes:
        key: Its identity: the same node called in two scopes is two modules.
        prefix: The prefix of its nodes' paths in messages.
        attributes: The attributes that a function is called with.
        parent: The record that contains its calls.
    """

    key: Hashable
    opsets: Mapping[str, int]
    outer: Scope | None = None
    names: dict[str, Operand] = field(default_factory=dict)
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    parent: int | None = None
    prefix: str = ""
    declared: Mapping[str, Sequence[int | str]] = field(default_factory=dict)

    def find(self, name: str) -> Operand | None:
        """Return the value of a name here or in an enclosing graph."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None


def opsets_of(imports: Sequence[Opset]) -> dict[str, int]:
    """Return the version of each domain; ONNX's own has two names."""
    return {"" if each.domain == "ai.onnx" else each.domain: each.version for each in imports}
