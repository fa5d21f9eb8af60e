"""One call as the tables of kinds see it, and its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from flopledger.frontend import TensorRef, is_dim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.frontend import Dim, Shape, Value

    from flopledger_torch.record import Tensors

_INTEGRAL = frozenset(("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"))


class Meaning(NamedTuple):
    """A kind with its attributes, and the tensors that its rule reads; None means all."""

    kind: str
    attrs: Mapping[str, Value] = {}
    inputs: tuple[int, ...] | None = None


Rule: TypeAlias = "Callable[[TorchCall], Meaning | None]"
"""Returns the meaning of a call, or None where this spelling of it has none."""


class TorchCall:
    """A call's arguments by name, its module's own attributes, and the shapes of its tensors."""

    __slots__ = ("inputs", "module", "native", "outputs", "tensors")

    def __init__(
        self,
        tensors: Tensors,
        native: Mapping[str, Value],
        inputs: list[int],
        outputs: list[int],
        module: Mapping[str, Value] | None = None,
    ) -> None:
        self.tensors, self.native, self.inputs, self.outputs = tensors, native, inputs, outputs
        self.module = module or {}

    def get(self, name: str, default: Value = None) -> Value:
        """Return an argument by name; ops call ``input`` ``self``."""
        native = self.native
        if name in native:
            return native[name]
        if name == "input":
            return native.get("self", default)
        return default

    def own(self, name: str) -> Value:
        """Return an attribute of the module."""
        return self.module.get(name)

    def ref(self, name: str) -> int | None:
        """Return the tensor that an argument is."""
        value = self.get(name)
        return value.id if type(value) is TensorRef else None

    def has(self, name: str) -> bool:
        """Return whether an argument is there."""
        return self.get(name) is not None

    def shape(self, name: str) -> Shape:
        """Return the shape of an argument."""
        number = self.ref(name)
        return () if number is None else self.tensors.shapes[number]

    def refs(self, *names: str) -> tuple[int, ...]:
        """Return the tensors among arguments."""
        return tuple(number for name in names if (number := self.ref(name)) is not None)

    @property
    def first(self) -> tuple[int, ...]:
        """The first tensor that goes in."""
        return tuple(self.inputs[:1])

    @property
    def input_shape(self) -> Shape:
        """The shape of the first tensor that goes in."""
        return self.tensors.shapes[self.inputs[0]] if self.inputs else ()

    @property
    def out(self) -> Shape:
        """The shape of the first tensor that comes out."""
        return self.tensors.shapes[self.outputs[0]] if self.outputs else ()

    def integral(self) -> bool:
        """Return whether only whole numbers and truth values go in and come out."""
        dtypes = self.tensors.dtypes
        return all(dtypes[i] in _INTEGRAL for i in (*self.inputs, *self.outputs))


def sizes(value: Value, axes: int, default: int = 1) -> tuple[Dim, ...]:
    """Return a number or list as one for each axis; an empty or absent one is the default."""
    if is_dim(value):
        return (value,) * axes
    if isinstance(value, tuple) and value:
        found = tuple(v for v in value if is_dim(v))
        return found * axes if len(found) == 1 else found
    return (default,) * axes


def whole(value: Value, default: int = 0) -> int:
    """Return a value that is a whole number, else the default."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def same(kind: str) -> Rule:
    """Return the rule of a kind without attributes that reads the first tensor."""

    def rule(call: TorchCall) -> Meaning:
        return Meaning(kind, {}, call.first)

    return rule
