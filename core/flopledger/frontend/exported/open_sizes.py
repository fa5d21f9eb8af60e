"""The inputs of an exported network: sizes that the file leaves open, and those that the user gives."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import is_symbolic, symbol, symbol_names, text
from flopledger.dims.types import SYMBOL
from flopledger.errors import UsageError, nearest
from flopledger.frontend.exported.arrays import Array
from flopledger.frontend.exported.calculated import calculated
from flopledger.frontend.exported.operands import Operand

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flopledger.dims.types import Dim, Shape
    from flopledger.frontend.specs import InputSpec

_OTHER = re.compile(r"[^A-Za-z0-9_]+")
_NAME = re.compile(r"[A-Za-z_]\w*\Z")
NOTHING = "None"
"""The text that exporters in Python write for a size without a name."""


def writable(name: str) -> str:
    """Return how an input's name is written in a spec: names of exporters hold colons, slashes and dots."""
    found = _OTHER.sub("_", name).strip("_") or "input"
    return found if not found[0].isdigit() else f"_{found}"


def assigned(names: Sequence[str], specs: Sequence[InputSpec]) -> dict[str, InputSpec]:
    """Return the spec of each input that has one, those with names first.

    Raises:
        UsageError: A spec names no input, or there are too many.
    """
    named = {name: name for name in names}
    for name in names:
        named.setdefault(writable(name), name)
    found: dict[str, InputSpec] = {}
    for spec in specs:
        if not spec.name:
            continue
        full = named.get(spec.name)
        if full is None:
            near = nearest(spec.name, named) or "."
            raise UsageError(f"there is no input {spec.name!r}{near} {_listed(names)}")
        if full in found:
            raise UsageError(f"the input {spec.name!r} is given twice")
        found[full] = spec
    left = [name for name in names if name not in found]
    unnamed = [spec for spec in specs if not spec.name]
    if len(unnamed) > len(left):
        raise UsageError(f"{len(specs)} inputs are given. {_listed(names)}")
    found.update(zip(left, unnamed, strict=False))
    return found


def _listed(names: Iterable[str]) -> str:
    written = ", ".join(map(writable, names)) or "none"
    return f"The inputs of the network are: {written}"


def given(name: str, spec: InputSpec, declared: Sequence[Dim | str] | None, dtype: str) -> Operand | None:
    """Return an input at the sizes or of the value that the user gives, None where it is neither.

    Args:
        name: Its name.
        spec: What the user gives.
        declared: The sizes that the file declares, an open one as its name or as an empty one.
        dtype: The type that the file declares.

    Raises:
        UsageError: The number of axes is another one, or the value is no number.
    """
    if spec.is_literal:
        return _literal(name, spec.literal, dtype, scalar=not declared)
    if spec.shape is None:
        return None
    if declared is not None and len(declared) != len(spec.shape):
        raise UsageError(
            f"the input {writable(name)!r} is given with {len(spec.shape)} axes, the file declares "
            f"{len(declared)}: {'x'.join(str(size or '?') for size in declared) or 'a scalar'}"
        )
    return Operand(spec.shape, spec.dtype or dtype)


def _literal(name: str, literal: object, dtype: str, *, scalar: bool) -> Operand:
    """Return an input whose value is given: a number, or a list of numbers."""
    items = literal if isinstance(literal, (tuple, list)) else (literal,)
    numbers = tuple(item for item in items if isinstance(item, (int, float)))
    if len(numbers) < len(items):
        raise UsageError(
            f"the input {writable(name)!r} is given as {literal!r}, expected a number or a list of them"
        )
    shape = () if scalar and not isinstance(literal, (tuple, list)) else (len(numbers),)
    return Operand(shape, dtype, Array(shape, numbers))


class OpenSizes:
    """Makes a symbol for each size that a file leaves open: one name, one symbol.

    Args:
        specs: The inputs that the user gives; the symbols in them are taken.
        picture: The names of the axes of a picture where the file gives none: ``NCHW`` or ``NHWC``.
        names: The names of the file's open sizes; some are calculated from others.
    """

    def __init__(self, specs: Sequence[InputSpec], picture: str, names: Iterable[str] = ()) -> None:
        self.taken = {name for spec in specs for size in spec.shape or () for name in symbol_names(size)}
        self.picture, self.names = picture, frozenset(names)
        self.symbols: dict[str, Dim] = {}
        self.named: list[str] = []

    def shape(self, name: str, sizes: Sequence[Dim | str]) -> Shape:
        """Return the shape of an input without open sizes; those are texts, empty ones without a name."""
        return tuple(
            self._size(name, axis, size, len(sizes)) if isinstance(size, str) else size
            for axis, size in enumerate(sizes)
        )

    def note(self, inputs: Iterable[tuple[str, Operand]]) -> str:
        """Return a sentence about the symbols that were made, empty where there are none."""
        if not self.named:
            return ""
        example = next(name for name, value in inputs if any(map(is_symbolic, value.shape or ())))
        return (
            f"sizes that the file leaves open are symbols: {', '.join(self.named)}; give sizes with "
            f"-i {writable(example)}=..."
        )

    def _size(self, input_name: str, axis: int, size: str, rank: int) -> Dim:
        if size in self.symbols:
            return self.symbols[size]
        usual = self.picture[axis] if rank == 4 else "N" if axis == 0 else f"D{axis}"
        found = calculated(size, self.names, lambda name: self._symbol(name, usual))
        if found is None:
            found = self._symbol(size, usual)
        # A name without a letter or digit, such as the ``?`` of older Paddle exporters, names nothing.
        if any(map(str.isalnum, size)) and size != NOTHING:
            self.symbols[size] = found
        self.named.append(f"{text(found)} for axis {axis} of {input_name}" + (f" ({size})" if size else ""))
        return found

    def _symbol(self, name: str, usual: str) -> Dim:
        """Return the symbol of a name, a new one where it has none."""
        if name in self.symbols:
            return self.symbols[name]
        short = self._unique(_legal(name) or usual)
        self.taken.add(short)
        found = symbol(short)
        if _NAME.match(name) and name != NOTHING:
            self.symbols[name] = found
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
    return found if SYMBOL.match(found) and not iskeyword(found) else ""
