"""The inputs of a network: declared sizes, symbols for open ones, and sizes that the user gives instead."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flopledger.frontend import SYMBOL, SourceError, UsageError, is_symbolic, nearest, symbol, symbol_names

from flopledger_onnx.arrays import Array
from flopledger_onnx.control import sizes_of
from flopledger_onnx.values import Value
from flopledger_onnx.wire.tensors import type_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.frontend import Dim, InputSpec, Shape

    from flopledger_onnx.wire.messages import Graph, ValueInfo

_OTHER = re.compile(r"[^A-Za-z0-9_]+")
_PICTURE = ("N", "C", "H", "W")
LARGEST = 2**63


@dataclass(slots=True)
class Inputs:
    """The inputs of a graph, in order, and the notes about them."""

    values: list[tuple[str, Value]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    symbols: dict[str, Dim] = field(default_factory=dict)
    overridden: bool = False


def inputs_of(graph: Graph, specs: Sequence[InputSpec]) -> Inputs:
    """Return the inputs at the sizes that are given, or else declared.

    Raises:
        UsageError: A spec names no input, has another number of axes, or is one too many.
        SourceError: An input has no shape and none is given.
    """
    stored = {tensor.name for tensor in graph.initializer}
    stored |= {sparse.values.name for sparse in graph.sparse_initializer if sparse.values is not None}
    # Until IR version 3 each initializer had to be listed as an input, too; those are no inputs.
    infos = [info for info in graph.input if info.name not in stored]
    given = _assigned(infos, specs)
    found = Inputs(overridden=bool(given))
    taken = {name for spec in specs for size in spec.shape or () for name in symbol_names(size)}
    naming = _Naming(found, taken, _pasts(graph))
    for info in infos:
        found.values.append((info.name, _value(info, given.get(info.name), naming)))
    if naming.said:
        example = next(name for name, value in found.values if _is_open(value))
        found.notes.append(
            f"sizes that the file leaves open are symbols: {', '.join(naming.said)}; give sizes with "
            f"-i {writable(example)}=..."
        )
    return found


_PASTS: Mapping[str, frozenset[int]] = {
    "GroupQueryAttention": frozenset({3, 4}),
    "MultiHeadAttention": frozenset({6, 7}),
    "Attention": frozenset({4, 5}),
}
"""The inputs of attention that hold past keys and values, by their place."""


def _pasts(graph: Graph) -> frozenset[str]:
    """Return the names that attention reads as past keys and values.

    A size of 0 is an open one wherever older exporters write it, since no tensor of a network is empty; a
    past alone may be, and an export of a first step declares it so.
    """
    return frozenset(
        name
        for node in graph.node
        for place, name in enumerate(node.input)
        if place in _PASTS.get(node.op_type, ())
    )


def _is_open(value: Value) -> bool:
    return any(is_symbolic(size) for size in value.shape or ())


def writable(name: str) -> str:
    """Return how an input's name is written in a spec: names of exporters hold colons, slashes and dots."""
    found = _OTHER.sub("_", name).strip("_") or "input"
    return found if not found[0].isdigit() else f"_{found}"


def _assigned(infos: Sequence[ValueInfo], specs: Sequence[InputSpec]) -> dict[str, InputSpec]:
    """Return the spec of each input that has one, those with names first."""
    named = {info.name: info.name for info in infos}
    for info in infos:
        named.setdefault(writable(info.name), info.name)
    found: dict[str, InputSpec] = {}
    for spec in specs:
        if not spec.name:
            continue
        name = named.get(spec.name)
        if name is None:
            raise UsageError(f"there is no input {spec.name!r}{nearest(spec.name, named)}. {_listed(infos)}")
        if name in found:
            raise UsageError(f"the input {spec.name!r} is given twice")
        found[name] = spec
    left = [info.name for info in infos if info.name not in found]
    unnamed = [spec for spec in specs if not spec.name]
    if len(unnamed) > len(left):
        raise UsageError(f"{len(specs)} inputs are given. {_listed(infos)}")
    found.update(zip(left, unnamed, strict=False))
    return found


def _listed(infos: Sequence[ValueInfo]) -> str:
    names = ", ".join(writable(info.name) for info in infos) or "none"
    return f"The inputs of the network are: {names}"


def _value(info: ValueInfo, spec: InputSpec | None, naming: _Naming) -> Value:
    tensor = None if info.type is None else info.type.tensor_type or info.type.sparse_tensor_type
    dtype = type_name(tensor.elem_type) if tensor is not None else "float32"
    if spec is not None and spec.is_literal:
        return _literal(info, spec.literal, dtype)
    sizes = sizes_of(info)
    if spec is not None and spec.shape is not None:
        if sizes is not None and len(sizes) != len(spec.shape):
            raise UsageError(
                f"the input {writable(info.name)!r} is given with {len(spec.shape)} axes, the file declares "
                f"{len(sizes)}: {'x'.join(str(size or '?') for size in sizes) or 'a scalar'}"
            )
        return Value(spec.shape, spec.dtype or dtype)
    if sizes is None:
        if info.type is not None and tensor is None:
            return Value(None, dtype, reason=f"the input {info.name!r} is no tensor")
        raise SourceError(
            f"the file does not state the shape of the input {info.name!r}; give it, with your sizes: "
            f"-i {writable(info.name)}=1x3x224x224"
        )
    if any(isinstance(size, int) and size >= LARGEST for size in sizes):
        raise SourceError(f"the input {info.name!r} has a size of {max(map(str, sizes))}, none is so large")
    if info.name in naming.pasts and tensor is not None and tensor.shape is not None:
        sizes = [0 if d.dim_value == 0 else size for d, size in zip(tensor.shape.dim, sizes, strict=True)]
    return Value(naming.shape(info.name, sizes), dtype)


def _literal(info: ValueInfo, literal: object, dtype: str) -> Value:
    """Return an input whose value is given: a number, or a list of numbers."""
    items = literal if isinstance(literal, (tuple, list)) else (literal,)
    numbers = tuple(item for item in items if isinstance(item, (int, float)))
    if len(numbers) < len(items):
        raise UsageError(
            f"the input {writable(info.name)!r} is given as {literal!r}, expected a number or a list of them"
        )
    declared = sizes_of(info)
    scalar = not isinstance(literal, (tuple, list)) and not declared
    shape = () if scalar else (len(numbers),)
    return Value(shape, dtype, Array(shape, numbers))


class _Naming:
    """Makes a symbol for each size that the file leaves open: one name, one symbol."""

    def __init__(self, found: Inputs, taken: set[str], pasts: frozenset[str]) -> None:
        self.symbols, self.taken, self.pasts = found.symbols, taken, pasts
        self.said: list[str] = []

    def shape(self, name: str, sizes: Sequence[int | str]) -> Shape:
        """Return a shape without open sizes."""
        return tuple(self._size(name, axis, size, len(sizes)) for axis, size in enumerate(sizes))

    def _size(self, input_name: str, axis: int, size: int | str, rank: int) -> Dim:
        if isinstance(size, int):
            return size
        # A name without a letter or digit, such as the ``?`` of older Paddle exporters, names nothing.
        named = any(map(str.isalnum, size))
        if named and size in self.symbols:
            return self.symbols[size]
        short = self._unique(
            _legal(size) or (_PICTURE[axis] if rank == 4 else "N" if axis == 0 else f"D{axis}")
        )
        self.taken.add(short)
        found = symbol(short)
        self.said.append(f"{short} for axis {axis} of {input_name}" + (f" ({size})" if size else ""))
        if named:
            self.symbols[size] = found
        return found

    def _unique(self, name: str) -> str:
        number, found = 1, name
        while found in self.taken:
            number += 1
            found = f"{name}{number}"
        return found


def _legal(name: str) -> str:
    """Return a name as a symbol is written, empty where nothing is left of it: no x, a capital first."""
    found = _OTHER.sub("_", name[:40]).replace("x", "").replace("X", "").strip("_")
    if not found:
        return ""
    found = found[0].upper() + found[1:] if found[0].isalpha() else f"D{found}"
    return found if SYMBOL.match(found) else ""
