"""Initial states, and past keys and values: which of the constants among them count as weights.

Exporters write zeros where the source gives no state, so that only one with other elements was trained. Of
those whose elements are not in the file the name decides, and a note says so.
"""

from __future__ import annotations

import math
from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger.frontend import dataclass, listed

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

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


@dataclass(slots=True)
class States:
    """What is known of the constant states so far, by their memory."""

    seen: dict[Hashable, bool | None] = field(default_factory=dict)
    elsewhere: dict[Hashable, Constant] = field(default_factory=dict)

    def row(self, call: Call, source: str, row: Row[Call] | None) -> Row[Call] | None:
        """Return an operator's row in which the states that were trained are data."""
        trained = {i for i in STATES.get(source, ()) if call.has(i) and self._trained(call.value(i))}
        return replace(row, arguments=row.arguments - trained) if row is not None and trained else row

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
        """Yield a sentence on the states whose elements are not in the file, by what was assumed."""
        for named, assumed in (
            (True, "counted as trained, by their names"),
            (False, "not counted, taken for the zeros that exporters write"),
        ):
            found = [each for each in self.elsewhere.values() if each.is_named is named]
            if found:
                said = listed([each.name for each in found], sum(math.prod(each.shape) for each in found))
                yield f"initial states whose elements are not in the file, {assumed}: {said}"
