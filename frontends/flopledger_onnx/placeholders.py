"""Constants that exporters write where the source gives none: states of zeros, and norms' ones and zeros.

A state of other elements was trained. Of one whose elements are not in the file the name decides, and a note
says so. A scale of ones and a shift of zeros hold the place of weights in the spelling of a group norm and of
a norm without weights, unless they have a name that a module's weight has.
"""

from __future__ import annotations

import math
from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger.frontend import dataclass, listed

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from flopledger.frontend import Constant, Operand, Row

    from flopledger_onnx.node import Call

STATES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "LSTM": (5, 6),
        "GRU": (5,),
        "RNN": (5,),
        "Attention": (4, 5),
        "LinearAttention": (3,),
        "CausalConvWithState": (3,),
        "com.microsoft.DynamicQuantizeLSTM": (5, 6),
        "com.microsoft.Attention": (4,),
        "com.microsoft.QAttention": (8,),
        "com.microsoft.MultiHeadAttention": (6, 7),
        "com.microsoft.GroupQueryAttention": (3, 4),
    }
)
"""The inputs that hold the states or the past of a sequence."""

NEUTRAL: Mapping[str, Mapping[int, int]] = MappingProxyType({"InstanceNormalization": {1: 1, 2: 0}})
"""The inputs that are there without weights too, and the element that they then repeat."""


@dataclass(slots=True)
class Placeholders:
    """The facts of such constants so far, by their memory."""

    neutral: dict[Hashable, Constant] = field(default_factory=dict)
    seen: dict[Hashable, bool | None] = field(default_factory=dict)
    elsewhere: dict[Hashable, Constant] = field(default_factory=dict)

    def row(self, call: Call, source: str, row: Row[Call] | None) -> Row[Call] | None:
        """Return an operator's row in which trained states are data, and placeholders are not."""
        trained = {i for i in STATES.get(source, ()) if call.has(i) and self._trained(call.value(i))}
        others = NEUTRAL.get(source, {})
        neutral = {i for i, item in others.items() if call.has(i) and self._neutral(call.value(i), item)}
        if row is None or not (trained or neutral):
            return row
        return replace(row, arguments=(row.arguments - trained) | neutral)

    def _neutral(self, value: Operand, item: int) -> bool:
        array = value.known() if value.constants else None
        if array is None or any(each != item for each in array.items):
            return False
        if any(constant.is_named for constant in value.constants):
            return False
        self.neutral.update((each.storage, each) for each in value.constants if each.is_data)
        return True

    def _trained(self, value: Operand) -> bool:
        array = value.known() if value.constants else None
        if array is not None and None not in array.items:
            return any(item != 0 for item in array.items)
        found = {constant: self._nonzero(constant) for constant in value.constants if constant.is_data}
        unknown = [constant for constant, filled in found.items() if filled is None]
        self.elsewhere.update((constant.storage, constant) for constant in unknown)
        return any(found.values()) or any(constant.is_named for constant in unknown)

    def _nonzero(self, constant: Constant) -> bool | None:
        if constant.storage not in self.seen:
            self.seen[constant.storage] = constant.nonzero() if constant.nonzero is not None else None
        return self.seen[constant.storage]

    def notes(self) -> Iterator[str]:
        """Yield a sentence on the constants that were left out, and on those that were assumed."""
        for named, assumed in (
            (True, "counted as trained, by their names"),
            (False, "not counted, taken for the zeros that exporters write"),
        ):
            found = [each for each in self.elsewhere.values() if each.is_named is named]
            if found:
                yield f"initial states whose elements are not in the file, {assumed}: {_listed(found)}"
        if self.neutral:
            why = "the ones and zeros that exporters write for a norm without weights"
            yield f"not counted, as {why}: {_listed(list(self.neutral.values()))}"


def _listed(found: Sequence[Constant]) -> str:
    return listed([each.name for each in found], sum(math.prod(each.shape) for each in found))
