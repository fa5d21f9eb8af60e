"""Names for the sizes of a network that was read with symbols, so that its figures can be read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import is_symbolic, renamed, symbol_names, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.counting.ledger import Ledger, Row, Total
    from flopledger.dims.types import Dim, Shape


def with_names(ledgers: Sequence[Ledger]) -> tuple[Sequence[Ledger], dict[str, str]]:
    """Give each size that is more than a symbol a name such as ``h1``, in its order of appearance.

    Returns:
        The ledgers with names instead of long sizes, and the size that each represents; ledgers without
        symbols as they are.
    """
    names = _names(ledgers)
    if not names:
        return ledgers, {}
    return [_ledger(one, names) for one in ledgers], {name: text(size) for size, name in names.items()}


def _ledger(ledger: Ledger, names: Mapping[Dim, str]) -> Ledger:
    return replace(
        ledger,
        rows=tuple(_row(row, names) for row in ledger.rows),
        total=_total(ledger.total, names),
        adjustments=tuple(replace(a, count=renamed(a.count, names)) for a in ledger.adjustments),
    )


def _names(ledgers: Sequence[Ledger]) -> dict[Dim, str]:
    names: dict[Dim, str] = {}
    used: dict[str, int] = {}
    for row in (row for ledger in ledgers for row in ledger.rows):
        for shape in (*row.inputs, *row.outputs):
            for size in shape or ():
                if not is_symbolic(size) or size in names or text(size) in symbol_names(size):
                    continue
                letter = symbol_names(size)[0].lower()
                used[letter] = used.get(letter, 0) + 1
                names[size] = f"{letter}{used[letter]}"
    return names


def _row(row: Row, names: Mapping[Dim, str]) -> Row:
    return replace(
        row,
        inputs=tuple(_shape(shape, names) for shape in row.inputs),
        outputs=tuple(_shape(shape, names) for shape in row.outputs),
        params=renamed(row.params, names),
        count=renamed(row.count, names),
        macs=renamed(row.macs, names),
    )


def _shape(shape: Shape | None, names: Mapping[Dim, str]) -> Shape | None:
    return None if shape is None else tuple(renamed(size, names) for size in shape)


def _total(total: Total, names: Mapping[Dim, str]) -> Total:
    return replace(
        total,
        count=renamed(total.count, names),
        macs=renamed(total.macs, names),
        params=None if total.params is None else renamed(total.params, names),
        trainable_params=renamed(total.trainable_params, names),
        non_trainable_params=renamed(total.non_trainable_params, names),
        buffers=renamed(total.buffers, names),
        active_params=None if total.active_params is None else renamed(total.active_params, names),
    )
