"""A kind of layer: its attributes, its shape rule, its parts and its facts."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeAlias

from flopledger.dims.arithmetic import is_dim, product, text, total
from flopledger.errors import GraphError, ShapeError, nearest
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.dims.types import Dim, Shape
    from flopledger.graph.tables import Value

PARTS = (
    "multiplies",
    "adds",
    "bias_adds",
    "divides",
    "compares",
    "exps",
    "logs",
    "powers",
    "sqrts",
    "trigs",
)
"""The arithmetic operations that a formula distinguishes.

``adds`` includes subtractions; ``bias_adds`` are the additions of a bias vector; ``sqrts`` includes
reciprocal roots; ``trigs`` are sin, cos, tanh, erf and other special functions. Changes of sign, copies
and index arithmetic are not arithmetic on the data and are not counted.
"""

FACTS = {
    "macs": "multiply-accumulates: the terms of all dot products",
    "dots": "the dot products that the macs belong to",
    "kernel_volume": "the product of the kernel's sizes",
    "in_channels": "the channels of the input",
    "in_features": "the length of the vectors that a dense layer reads",
    "gates": "the gates of a recurrent cell: 1, 3 or 4",
    "steps": "the steps of a recurrent layer",
    "queries": "the queries of an attention",
    "keys": "the keys that they meet",
    "batch": "the sequences that a recurrent layer reads at once",
}
"""The facts that kinds give besides parts, so that conventions may name them."""

Parts: TypeAlias = "dict[str, Dim]"
Facts: TypeAlias = "dict[str, Dim]"

REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that calls of a kind carry; without a default it must be given."""

    name: str
    doc: str
    default: object = REQUIRED


class Call:
    """The data that a formula may use: the neutral attributes and the shapes of one call."""

    __slots__ = ("attrs", "inputs", "kind", "outputs", "where")

    def __init__(
        self,
        kind: Kind,
        attrs: Mapping[str, Value],
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...] = (),
        where: str = "",
    ) -> None:
        self.kind, self.attrs, self.inputs, self.outputs = kind, attrs, inputs, outputs
        self.where = where

    @property
    def input(self) -> Shape:
        """The shape of the first input."""
        if not self.inputs:
            message = f"{self.where or self.kind.name}: it has no input, {self.kind.name} needs one"
            raise ShapeError(message)
        return self.inputs[0]

    @property
    def output(self) -> Shape:
        """The shape of the first output."""
        if not self.outputs:
            message = f"{self.where or self.kind.name}: it has no output, {self.kind.name} has one"
            raise ShapeError(message)
        return self.outputs[0]

    @property
    def in_elems(self) -> Dim:
        """The number of elements of the first input."""
        return product(self.input)

    @property
    def out_elems(self) -> Dim:
        """The number of elements of the first output."""
        return product(self.output)

    def get(self, name: str) -> object:
        """Return an attribute, or the default that its kind states."""
        if name in self.attrs:
            return self.attrs[name]
        default = self.kind.defaults.get(name, REQUIRED)
        if default is REQUIRED:
            message = (
                f"{self.where or self.kind.name}: the kind {self.kind.name!r} needs the attribute "
                f"{name!r}, found {', '.join(sorted(self.attrs)) or 'none'}"
            )
            raise GraphError(message)
        return default

    def dim(self, name: str) -> Dim:
        """Return an attribute that is a whole number or an expression."""
        value = self.get(name)
        if is_dim(value):
            return value
        raise self._wrong(name, value, "a whole number")

    def whole(self, name: str) -> int:
        """Return an attribute that is a whole number."""
        value = self.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise self._wrong(name, value, "a whole number")

    def dims(self, name: str) -> Shape:
        """Return an attribute that is a list of sizes, one for each spatial axis or the like."""
        value = self.get(name)
        if isinstance(value, tuple) and all(is_dim(v) for v in value):
            return value
        raise self._wrong(name, value, "a list of whole numbers")

    def flag(self, name: str) -> bool:
        """Return an attribute that is true or false."""
        value = self.get(name)
        if isinstance(value, bool):
            return value
        raise self._wrong(name, value, "true or false")

    def word(self, name: str) -> str:
        """Return an attribute that is a word."""
        value = self.get(name)
        if isinstance(value, str):
            return value
        raise self._wrong(name, value, "a word")

    def number(self, name: str) -> float:
        """Return an attribute that is a number, whole or not."""
        value = self.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value
        raise self._wrong(name, value, "a number")

    def _wrong(self, name: str, value: object, expected: str) -> GraphError:
        return GraphError(
            f"{self.where or self.kind.name}: the attribute {name!r} is {value!r}, expected {expected}"
        )

    def impossible(self, reason: str) -> ShapeError:
        """Return the error for inputs that the shape rule has no output for."""
        shapes = ", ".join("x".join(map(text, shape)) or "a scalar" for shape in self.inputs)
        return ShapeError(f"{self.where or self.kind.name}: {reason} (input {shapes})")


def _nothing(_: Call) -> Parts:
    return {}


def no_products(_: Call) -> Facts:
    """No multiply-accumulate, no bias: what is certain where the operations depend on the data."""
    return {"macs": 0, "dots": 0, "bias_adds": 0}


@dataclass(frozen=True)
class Kind:
    """One kind of layer.

    ``shapes`` gives the output shapes from attributes and input shapes; ``parts`` the arithmetic
    operations by name (see :data:`PARTS`; none for a free kind) and is None where no formula is
    known; ``facts`` the further values that conventions may name: ``macs`` (multiply-accumulates), ``dots``
    (the dot products they belong to). A kind without parts may still state facts (:func:`no_products`):
    a convention that asks for these alone is complete. ``group`` is the switch of our own conventions that
    turns the kind on and off; ``fact_names`` are facts of the kind's own, beside those of :data:`FACTS`.
    """

    name: str
    doc: str
    group: str
    shapes: Callable[[Call], tuple[Shape, ...]]
    attributes: tuple[Attribute, ...] = ()
    parts: Callable[[Call], Parts] | None = _nothing
    facts: Callable[[Call], Facts] = _nothing
    fact_names: tuple[str, ...] = ()

    @property
    def free(self) -> bool:
        """Whether the kind only moves data."""
        return self.parts is _nothing

    @property
    def facts_stated(self) -> bool:
        """Whether the kind gives facts."""
        return self.facts is not _nothing

    @functools.cached_property
    def defaults(self) -> Mapping[str, object]:
        """The attributes and their defaults; :data:`REQUIRED` where there is none."""
        return {a.name: a.default for a in self.attributes}

    def check(self, attrs: Mapping[str, Value], where: str) -> None:
        """Refuse attributes that the kind does not have, and miss none that it must have."""
        for name in attrs:
            if name not in self.defaults:
                message = f"{where}: the kind {self.name!r} has no attribute {name!r}"
                raise GraphError(message + nearest(name, self.defaults))
        for name, default in self.defaults.items():
            if default is REQUIRED and name not in attrs:
                message = f"{where}: the kind {self.name!r} needs the attribute {name!r}"
                raise GraphError(message)


def dot_parts(macs: Dim, dots: Dim, bias_adds: Dim = 0) -> Parts:
    """Return the parts of ``dots`` dot products that take ``macs`` multiply-accumulates in all.

    A dot product of n terms is n multiplications and n - 1 additions.
    """
    return {"multiplies": macs, "adds": macs - dots, "bias_adds": bias_adds}


def merged(*parts: Parts) -> Parts:
    """Add parts by name."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: total(part[name] for part in parts if name in part) for name in names}


def same_shape(call: Call) -> tuple[Shape, ...]:
    """Return the shape rule of everything that works element by element on one input."""
    return (call.input,)
