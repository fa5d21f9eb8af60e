"""Rules that tables of operators share: functions element by element, calculated where operands are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend.exported import arrays
from flopledger.frontend.exported.steps import Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.frontend.exported.arrays import Item
    from flopledger.frontend.exported.call import OperatorCall


def folded(call: OperatorCall, function: Callable[..., Item], dtype: str = "") -> Step | None:
    """Return the step of a node whose operands are all known, or None.

    Raises:
        SourceError: It has no operand.
    """
    call.value(0)
    known = call.folded()
    found = None if known is None else arrays.mapped(function, *known)
    if found is None:
        return None
    dtypes = (dtype or call.value(0).dtype,)
    return Step(
        "index_arithmetic", {"shape": found.shape}, None, [found.shape], dtypes=dtypes, arrays=[found]
    )


def one(kind: str, function: Callable[[Item], Item] | None = None) -> Callable[[OperatorCall], Step]:
    """Return the rule of a function of one operand."""

    def rule(call: OperatorCall) -> Step:
        step = folded(call, function) if function is not None else None
        return step or Step(kind, {}, (0,))

    return rule


def several(
    kind: str, function: Callable[..., Item] | None = None, dtype: str = "", *, least: int = 2
) -> Callable[[OperatorCall], Step]:
    """Return the rule of a function of operands that are broadcast, of which there are so many at least."""

    def rule(call: OperatorCall) -> Step:
        for index in range(least):
            call.value(index)
        step = folded(call, function, dtype) if function is not None else None
        return step or Step(kind, {}, dtypes=(dtype,) if dtype else ())

    return rule


def many(kind: str, function: Callable[[Item, Item], Item]) -> Callable[[OperatorCall], Step]:
    """Return the rule of a function of any number of operands, joined two by two."""

    def join(*items: Item) -> Item:
        found = items[0]
        for item in items[1:]:
            found = function(found, item)
        return found

    return several(kind, join, least=1)
