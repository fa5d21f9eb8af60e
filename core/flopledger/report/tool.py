"""The printout of a convention's own tool, rendered from the ``[print]`` part of its file."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger import printable
from flopledger.dims.arithmetic import is_symbolic, text, total
from flopledger.errors import ConventionError, ExpressionError
from flopledger.meter import metered
from flopledger.report.numbers import share_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.conventions.printspec import PrintColumn, PrintSpec
    from flopledger.counting.ledger import Ledger, Row
    from flopledger.expressions.compiler import Expression
    from flopledger.report import View

GAP = " "
LONGEST = 10_000
"""The widest column that a file may request."""
MOST_CHARACTERS = 100_000_000
"""The largest table that is printed."""


def render(ledgers: Sequence[Ledger], _: View) -> str:
    """Render the printouts one after another.

    Raises:
        ConventionError: A convention does not say how its tool prints, or an expression has no value.
    """
    try:
        with metered(sum(len(ledger.rows) for ledger in ledgers)):
            lines = (line for ledger in ledgers for line in _printout(ledger))
            return "".join(f"{printable.line(line)}\n" for line in lines)
    except (ExpressionError, OverflowError) as error:
        raise ConventionError(str(error)) from None


def _printout(ledger: Ledger) -> Iterator[str]:
    spec = ledger.print_spec
    if spec is None:
        message = (
            f"the convention {ledger.convention.name!r} has no [print] part, so there is no printout of its "
            "tool to imitate; use --format table"
        )
        raise ConventionError(message)
    totals = _totals(ledger)
    yield from (_line(pieces, totals, spec) for pieces in spec.before)
    if spec.columns:
        yield from _table(ledger, spec)
    yield from (_line(pieces, totals, spec) for pieces in spec.after)


def _totals(ledger: Ledger) -> dict[str, object]:
    figures = ledger.total
    return {
        "source": ledger.graph.reading.source,
        "count": figures.count,
        "params": figures.params,
        "macs": figures.macs,
        "trainable_params": figures.trainable_params,
        "non_trainable_params": figures.non_trainable_params,
        "buffers": figures.buffers,
        "calls": len(ledger.rows),
        "layers_with_params": sum(bool(row.weights) for row in ledger.rows),
    }


def _fields(row: Row, ledger: Ledger) -> dict[str, object]:
    whole = ledger.total.count
    return {
        "name": row.path,
        "label": row.label or row.path,
        "path": row.path,
        "call": row.call,
        "kind": row.kind,
        "source": row.source,
        "level": row.level,
        "status": row.status,
        "input": _first(row.inputs),
        "output": _first(row.outputs),
        "weight": _first(row.weights),
        "params": row.params,
        "count": row.count,
        "macs": row.macs,
        "total": whole,
        "share": share_of(row.count, whole) or 0,
    }


def _first(shapes: Sequence[object]) -> object:
    return shapes[0] if shapes and shapes[0] is not None else ()


def _line(pieces: Sequence[str | Expression], names: dict[str, object], spec: PrintSpec) -> str:
    return "".join(
        piece if isinstance(piece, str) else _written(piece(names.__getitem__), spec) for piece in pieces
    )


def _table(ledger: Ledger, spec: PrintSpec) -> Iterator[str]:
    every = (_fields(row, ledger) for row in _rows(ledger, spec))
    rows = [
        [_cell(column, fields, spec) for column in spec.columns]
        for fields in every
        if spec.rows(fields.__getitem__)
    ]
    widths = [_width(column, [row[i] for row in rows]) for i, column in enumerate(spec.columns)]
    if sum(widths) * len(rows) > MOST_CHARACTERS:
        raise ConventionError(f"the printout has more than {MOST_CHARACTERS} characters: make it narrower")
    headers = [column.header for column in spec.columns]
    head = [_joined(headers, widths, spec)] if any(headers) else []
    body = [_joined(cells, widths, spec) for cells in rows]
    if spec.style == "plain":
        yield from (*head, *body)
        return
    shelf = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    yield from (shelf, *head, *([shelf] if head else []), *body, shelf)


def _rows(ledger: Ledger, spec: PrintSpec) -> Sequence[Row]:
    """Return the rows, or one for each module: its last with the counts of all, in order of registration."""
    if spec.per == "call":
        return ledger.rows
    calls: dict[int, list[Row]] = {}
    for row in ledger.rows:
        if row.module is not None:
            calls.setdefault(row.module, []).append(row)
    return [
        replace(rows[-1], count=total(r.count for r in rows), params=total(r.params for r in rows))
        for _, rows in sorted(calls.items())
    ]


def _cell(column: PrintColumn, fields: dict[str, object], spec: PrintSpec) -> str:
    value = column.value(fields.__getitem__)
    if column.digits is not None and isinstance(value, (int, Fraction)):
        value = str(round(float(value), column.digits))
    return _written(value, spec) + column.suffix


def _width(column: PrintColumn, cells: Sequence[str]) -> int:
    sizes = {"longest": max(map(len, cells), default=0), "header": len(column.header)}
    width = column.width(sizes.__getitem__)
    if isinstance(width, int) and not isinstance(width, bool) and 0 <= width <= LONGEST:
        return width
    raise ConventionError(f"[print] width {column.width.text!r} is {width}, expected 0 to {LONGEST}")


def _joined(cells: Sequence[str], widths: Sequence[int], spec: PrintSpec) -> str:
    """Put the cells of one line together: side by side, or in the cells of a grid."""
    aligned = [column.align for column in spec.columns]
    if spec.style == "plain":
        return GAP.join(map(_aligned, cells, widths, aligned))
    return "|" + "|".join(map(_boxed, cells, widths, aligned)) + "|"


def _aligned(cell: str, width: int, align: str) -> str:
    if align == "center":
        return cell.center(width)
    return cell.ljust(width) if align == "left" else cell.rjust(width)


def _boxed(cell: str, width: int, align: str) -> str:
    return cell.center(width + 2) if align == "center" else f" {_aligned(cell, width, align)} "


def _written(value: object, spec: PrintSpec) -> str:
    """Write a value as Python's ``str`` does; shapes as the spec says."""
    if isinstance(value, tuple):
        inner = ", ".join(_written(member, spec) for member in value)
        if spec.shapes == "list":
            return f"[{inner}]"
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if value is None:
        return ""
    return text(value) if is_symbolic(value) else printable.line(str(value))  # before it is measured
