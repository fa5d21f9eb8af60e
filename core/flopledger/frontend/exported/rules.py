"""Rules that tables of operators share, whatever exporter has written the file.

Functions element by element are calculated where all operands are known, since sizes are computed with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend.exported import arrays
from flopledger.frontend.exported.steps import Step
from flopledger.graph.tables import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.dims.types import Shape
    from flopledger.frontend.exported.arrays import Array, Item
    from flopledger.frontend.exported.call import OperatorCall
    from flopledger.frontend.exported.steps import Attrs


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


def divide(call: OperatorCall) -> Step:
    """``a / b``: whole numbers towards zero, real ones as they are, though sizes cast to them stay exact."""
    real = "float" in call.value(0).dtype
    return several("divide", arrays.DIV_REAL if real else arrays.DIV)(call)


def moved(kind: str, attrs: Attrs, shape: Shape, array: Array | None, *, alias: bool = False) -> Step:
    """Return the step of a movement of the first input."""
    return Step(kind, attrs, (0,), [shape], arrays=[array], alias=alias, constant=True)


def same(kind: str) -> Callable[[OperatorCall], Step]:
    """Return the rule of a movement that keeps the shape."""
    return lambda call: Step(kind, {}, (0,), [call.shape()])


def written(call: OperatorCall) -> Step:
    """The first input with another written into it."""
    return Step("view", {"shape": call.shape()}, None, [call.shape()])


def dependent(call: OperatorCall) -> Step:
    """Return the step of an operator whose work, or the size of whose result, depends on data."""
    return Step(UNKNOWN, shapes=[None] * max(call.outputs, 1), problem=f"{call.type} depends on data")
