"""The constants that are parameters, and their roles.

A file stores weights, masks, anchors, positions, scales and shapes alike, and only their use distinguishes
them: a constant that is used as a weight is a weight, of any type.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, TypeVar

from flopledger.dims.arithmetic import total
from flopledger.frontend.exported.operands import STORED
from flopledger.graph.tables import BUFFER_ROLES, Parameter
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Sequence

    from flopledger.dims.types import Number
    from flopledger.frontend.exported.operands import Constant, Operand
    from flopledger.frontend.exported.steps import Row

C = TypeVar("C")
_REAL = ("float", "bfloat", "double")
MOST_NAMED = 5


@dataclass(slots=True)
class Weights:
    """The parameters so far, by their memory.

    ``places`` are the operators whose constant operands are weights: projections and tables.
    """

    places: Collection[str] = ()
    table: list[Parameter] = field(default_factory=list)
    known: dict[Hashable, int] = field(default_factory=dict)
    unsure: dict[int, None] = field(default_factory=dict)
    sure: set[int] = field(default_factory=set)

    def used(
        self, source: str, inputs: Sequence[Operand | None], row: Row[C] | None
    ) -> tuple[tuple[str, int], ...]:
        """Return the name and the id of each parameter that a node reads, new ones added."""
        found: dict[int, str] = {}
        for index, constant, role in _candidates(inputs, row):
            number = self._number(constant, role)
            found.setdefault(number, constant.name)
            sure = index in (row.weights if row else ()) or source in self.places or constant.is_named
            if sure:
                self.unsure.pop(number, None)
                self.sure.add(number)
            elif number not in self.sure:
                self.unsure.setdefault(number, None)
        return tuple((name, number) for number, name in found.items())

    def _number(self, constant: Constant, role: str) -> int:
        number = self.known.get(constant.storage)
        if number is not None:
            stored = self.table[number]
            if constant.name not in stored.names:
                self.table[number] = _renamed(stored, (*stored.names, constant.name))
            return number
        number = self.known[constant.storage] = len(self.table)
        self.table.append(
            Parameter(
                number, (constant.name,), constant.shape, constant.dtype, role,
                trainable=role not in BUFFER_ROLES, object=number, storage=number,
            )
        )  # fmt: skip
        return number

    @property
    def note(self) -> str:
        """A sentence that names the constants that may be no weights, empty where there are none."""
        if not self.unsure:
            return ""
        found = [self.table[number] for number in self.unsure]
        names = listed([each.names[0] for each in found], total(each.numel for each in found))
        return f"counted as weights, though they may be masks or positions: {names}"


def listed(names: Sequence[str], elements: Number) -> str:
    """Return the first of the names of constants, and their size together."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more} ({elements:,} elements)"


def _candidates(inputs: Sequence[Operand | None], row: Row[C] | None) -> Iterator[tuple[int, Constant, str]]:
    """Yield the constants that a node reads as data, with the role that their place gives them."""
    for index, value in enumerate(inputs):
        if value is None or not value.constants or (row is not None and index in row.arguments):
            continue
        role = row.weights.get(index) if row is not None else None
        if role is not None:
            yield from ((index, constant, role) for constant in value.constants)
        elif value.dtype.startswith(_REAL) or STORED.match(value.dtype):
            yield from ((index, constant, "weight") for constant in value.constants if constant.is_data)


def _renamed(parameter: Parameter, names: tuple[str, ...]) -> Parameter:
    return Parameter(
        parameter.id, names, parameter.shape, parameter.dtype, parameter.role,
        parameter.trainable, parameter.object, parameter.storage,
    )  # fmt: skip
