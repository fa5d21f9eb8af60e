"""Sizes that depend on data: each is a symbol of its own, named after where it arises.

How many places a mask selects, or how many boxes a suppression keeps, is known once a network runs. torch
gives such a size no number and refuses every question about it. Here it is shown to the model as a number, as
the symbols of inputs are, and each answer that goes by this number becomes a condition of the formulas.

A number that is read from a tensor (``.item()``) is more than a size: a branch or a loop may go by it. So it
gets no answer but those that are the same for all numbers, and it is never taken for the one it is shown as.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Protocol

import sympy
from flopledger.frontend import UsageError, dataclass
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
_PRIMES = (61, 59, 53, 47, 43, 41, 37, 31, 29, 23, 19, 17, 13, 11, 7)
_SHOWN = (*_PRIMES, *(n for n in range(62, 4, -1) if n not in _PRIMES), *range(63, 1000))
"""The numbers that stand for sizes, one after the other: they differ, so that no two sizes are taken for one.

They are below the usual limits of how many boxes are kept (100, 300, 1000), so that a limit leaves the size a
symbol, and fall, since a later selection is mostly one from an earlier selection.
"""
_ALIKE = 31
"""The number that stands for all sizes where a model needs some of them to be equal."""
_SAMPLES = (2, 3, 5, 7, 16, 61, 100, 101, 1000, 1 << 20)
"""Numbers at which a question about a number read from a tensor must have one answer."""
_VALUES = frozenset(("_local_scalar_dense", "item"))
_WORDS = {
    **dict.fromkeys(_VALUES, "Value"),
    **dict.fromkeys(("index", "masked_select"), "Selected"),
    **dict.fromkeys(("_unique2", "_unique", "unique_dim", "unique_consecutive"), "Unique"),
    "nonzero": "Nonzero",
    "nonzero_numpy": "Nonzero",
    "repeat_interleave": "Repeated",
    "nms": "Kept",
    "bincount": "Bins",
    "slice": "Sliced",
}
"""The names of the sizes that these operators give; those of others have the operator's name."""


@dataclass(slots=True)
class Place:
    """Where a size arises: the registered path of the module, the operator, and the line of the model."""

    module: str
    operator: str
    line: str = ""


class Run(Protocol):
    """The running forward."""

    def place(self) -> Place:
        """Return where a size arises."""

    def stop(self, error: BaseException) -> None:
        """Remember in which call a question was refused."""


@dataclass(slots=True)
class DataSize:
    """A size that depends on data."""

    name: str
    place: Place
    is_value: bool
    given: int | None
    node: Any
    most: int | None = None

    def limit(self, most: int) -> None:
        """Note how large the size can be at most.

        Raises:
            UsageError: The number that was given to it is more.
        """
        self.most = most
        if self.given is not None and self.given > most:
            raise UsageError(f"--size {self.name}={self.given}: it can be at most {most} ({self.place.line})")

    def origin(self) -> str:
        """Return where the size arises, and in which line."""
        operator = _operator(self.place)
        where = f"{operator} in {self.place.module}" if self.place.module else operator
        return f"{where} ({self.place.line})" if self.place.line else where


def described(sizes: Iterable[DataSize]) -> Iterator[str]:
    """Yield notes on the meaning of sizes and on their largest values; one for all that arise in one line."""
    by_place: dict[str, list[DataSize]] = {}
    for size in sizes:
        by_place.setdefault(size.origin(), []).append(size)
    for origin, group in by_place.items():
        names = [size.name if size.most is None else f"{size.name} <= {size.most}" for size in group]
        yield f"the data decides {', '.join(names)}: {origin}; --size {group[0].name}=N gives it a number"


def name_of(place: Place, taken: Mapping[str, object]) -> str:
    """Return a symbol for a size that arises somewhere: ``RoiHeadsKept``, and ``RoiHeadsKept2`` later.

    An x, which stands between the sizes of a spec, is written ks.
    """
    last = [part for part in place.module.split(".") if not part.isdigit()][-1:]
    operator = _operator(place)
    word = _WORDS.get(operator) or _words(operator)
    plain = _words("_".join(last)) + word
    name = plain.translate({ord("x"): "ks", ord("X"): "Ks"})
    number = next(n for n in itertools.count(1) if (name if n == 1 else f"{name}{n}") not in taken)
    return name if number == 1 else f"{name}{number}"


def _operator(place: Place) -> str:
    """Return the operator's plain name: ``nonzero`` of ``aten.nonzero.default``."""
    parts = place.operator.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def _words(text: str) -> str:
    """Return ``roi_heads`` as ``RoiHeads``, in letters and digits that a symbol may have."""
    parts = "".join(c if c.isascii() and c.isalnum() else " " for c in text).split()
    found = "".join(part[0].upper() + part[1:] for part in parts)
    return found if not found[:1].isdigit() else f"N{found}"


class FromData:
    """The sizes of one reading that depend on data.

    Args:
        given: Numbers that the user gives to some of them, by name.
        alike: Whether all others are shown as one number.
    """

    def __init__(self, given: Mapping[str, int], *, alike: bool = False) -> None:
        self.given, self.alike = given, alike
        self.sizes: dict[Any, DataSize] = {}
        self.run: Run | None = None
        self._numbers: Iterator[int] = itertools.repeat(_ALIKE) if alike else iter(_SHOWN)

    def new(self, line: str) -> tuple[DataSize, int]:
        """Return a new size, and the number that it is shown as."""
        place = self.run.place() if self.run is not None else Place("", "size")
        place.line = line
        name = name_of(place, {size.name: None for size in self.sizes.values()})
        given = self.given.get(name)
        shown = next(self._numbers) if given is None else given
        return DataSize(name, place, _operator(place) in _VALUES, given, None), shown

    def below(self, most: int) -> int:
        """Return a number for a size that can't be as large as it was to be shown."""
        taken = set() if self.alike else {size.node._hint for size in self.sizes.values()}
        return next((n for n in range(most, 1, -1) if n not in taken), most)

    def unsettled(self) -> dict[Any, DataSize]:
        """Return the sizes that no number was given to."""
        return {symbol: size for symbol, size in self.sizes.items() if size.given is None}

    def numbers(self) -> dict[Any, Any]:
        """Return the symbols of the sizes that a number was given to, with the numbers."""
        return {symbol: sympy.Integer(s.given) for symbol, s in self.sizes.items() if s.given is not None}

    def check(self, question: Any) -> Any:
        """Return the answer of a question that must not go by the number that a size is shown as.

        Returns:
            The answer, or None where the question may go by it.

        Raises:
            GuardOnDataDependentSymNode: The answer depends on data.
        """
        found = (self.sizes.get(symbol) for symbol in question.free_symbols)
        asked = [size for size in found if size is not None and size.given is None]
        if not asked:
            return None
        if isinstance(question, sympy.Expr):
            raise self._refused(question, asked)
        if any(size.is_value for size in asked):
            return self._same_for_all(question, asked)
        return None

    def _same_for_all(self, question: Any, asked: list[DataSize]) -> Any:
        """Return the answer that a question has for all numbers."""
        symbols = list(question.free_symbols)
        answers = {
            question.xreplace(dict(zip(symbols, point, strict=True))) for point in _points(len(symbols))
        }
        if len(answers) == 1 and (answer := answers.pop()) in (sympy.true, sympy.false):
            return answer
        raise self._refused(question, asked)

    def _refused(self, question: Any, asked: list[DataSize]) -> GuardOnDataDependentSymNode:
        """Return the exception that torch raises where an answer depends on data."""
        names = " and ".join(size.name for size in asked)
        error = GuardOnDataDependentSymNode(question, f"it goes by {names}, which the data decides")
        if self.run is not None:
            self.run.stop(error)
        return error


def _points(count: int) -> Iterator[tuple[Any, ...]]:
    """Yield numbers for some symbols, equal ones and different ones."""
    for first, step in itertools.product(range(len(_SAMPLES)), repeat=2):
        yield tuple(sympy.Integer(_SAMPLES[(first + step * place) % len(_SAMPLES)]) for place in range(count))
