"""The ``[print]`` part of a convention: how its tool's own printout looks, as data.

In TOML, with the default first where a word is one of several:

[print]
style = "plain"      # cells side by side, joined by one blank; or "box": a grid of +---+
shapes = "tuple"     # (1, 3, 8, 8) as Python writes a tuple; or "list": [1, 3, 8, 8]
before = ["{source}"]                        # lines above; {...} is an expression over the totals
after = ["Total FLOPs: {count}"]             # lines below
rows = "count > 0"                           # which rows: an expression over the row's fields
per = "call"         # a line for each row; or "module": one for each module, in order of registration
                     # (the counts of its calls are added up, the shapes are those of the last)

[[print.columns]]
header = "layer name"
value = "name"                               # an expression over the row's fields
width = "max(8, longest) + 1"                # over longest, the longest cell, and header, its length
align = "left"                               # or right, or center
digits = 3                                   # rounded as Python rounds a float
suffix = "%"
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from flopledger.errors import ConventionError, ExpressionError, nearest
from flopledger.expressions.compiler import Expression, compile_expression
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TOTAL_NAMES = (
    "source", "count", "params", "macs", "trainable_params", "non_trainable_params", "buffers", "calls",
    "layers_with_params",
)  # fmt: skip
"""Names for the lines above and below. ``layers_with_params`` are the rows with weights of their own."""
ROW_NAMES = (
    "name", "label", "path", "call", "kind", "source", "level", "status", "input", "output", "weight",
    "params", "count", "macs", "total", "share",
)  # fmt: skip
"""Names for a cell. ``label``: the framework's own name of the layer. ``input``, ``output``, ``weight``:
the first of each, () where there is none."""
WIDTH_NAMES = ("longest", "header")

STYLES = ("plain", "box")
SHAPES = ("tuple", "list")
PER = ("call", "module")
ALIGNMENTS = ("left", "right", "center")
BRACES = re.compile(r"\{([^{}]*)\}")
KEYS = ("style", "shapes", "before", "after", "rows", "per", "columns")
COLUMN_KEYS = ("header", "value", "width", "align", "digits", "suffix")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PrintColumn:
    """One column of the printout."""

    header: str
    value: Expression
    width: Expression
    align: str
    digits: int | None
    suffix: str


@dataclass(frozen=True, slots=True)
class PrintSpec:
    """A printout. Lines are pieces: texts as they are, and expressions to be written in their place."""

    style: str
    shapes: str
    before: tuple[tuple[str | Expression, ...], ...]
    after: tuple[tuple[str | Expression, ...], ...]
    rows: Expression
    per: str
    columns: tuple[PrintColumn, ...]


def read_spec(spec: Mapping[str, object], where: str = "") -> PrintSpec:
    """Read a ``[print]`` table.

    Raises:
        ConventionError: A key or value is wrong, or an expression; the message starts with ``where``.
    """
    reader = _Reader(where)
    try:
        return reader.spec(spec)
    except ExpressionError as error:
        raise ConventionError(str(error)) from None


class _Reader:
    """Reads the tables of one file, whose name precedes every message."""

    def __init__(self, where: str) -> None:
        self.where = where

    def spec(self, spec: Mapping[str, object]) -> PrintSpec:
        self.check_keys(spec, KEYS, "[print]")
        columns = self.get(spec, "columns", list, [])
        tables = [self.typed(column, dict, "a column of [print]") for column in columns]
        return PrintSpec(
            style=self.word(spec, "style", STYLES),
            shapes=self.word(spec, "shapes", SHAPES),
            before=self.lines(spec, "before"),
            after=self.lines(spec, "after"),
            rows=self.compiled(self.get(spec, "rows", str, "True"), ROW_NAMES, "rows"),
            per=self.word(spec, "per", PER),
            columns=tuple(map(self.column, tables)),
        )

    def column(self, column: Mapping[str, object]) -> PrintColumn:
        self.check_keys(column, COLUMN_KEYS, "[[print.columns]]")
        if "value" not in column:
            raise ConventionError(f"{self.where}a column of [print] has no value")
        return PrintColumn(
            header=self.get(column, "header", str, ""),
            value=self.compiled(self.get(column, "value", str, ""), ROW_NAMES, "value"),
            width=self.compiled(self.get(column, "width", str, "max(longest, header)"), WIDTH_NAMES, "width"),
            align=self.word(column, "align", ALIGNMENTS),
            digits=self.get(column, "digits", int, 0) if "digits" in column else None,
            suffix=self.get(column, "suffix", str, ""),
        )

    def lines(self, spec: Mapping[str, object], key: str) -> tuple[tuple[str | Expression, ...], ...]:
        lines = self.get(spec, key, list, [])
        return tuple(self.line(self.typed(line, str, f"a line of {key!r}"), key) for line in lines)

    def line(self, line: str, key: str) -> tuple[str | Expression, ...]:
        pieces = BRACES.split(line)
        return tuple(
            self.compiled(piece, TOTAL_NAMES, key) if number % 2 else piece
            for number, piece in enumerate(pieces)
        )

    def compiled(self, text: str, names: Iterable[str], key: str) -> Expression:
        return compile_expression(text, names, f"{self.where}[print] {key}: ")

    def word(self, table: Mapping[str, object], key: str, allowed: tuple[str, ...]) -> str:
        word = self.get(table, key, str, allowed[0])
        if word not in allowed:
            message = f"{self.where}[print] {key} is {word!r}, expected one of {', '.join(allowed)}"
            raise ConventionError(message + nearest(word, allowed))
        return word

    def get(self, table: Mapping[str, object], key: str, expected: type[T], default: T) -> T:
        return self.typed(table.get(key, default), expected, f"[print] {key}")

    def typed(self, value: object, expected: type[T], what: str) -> T:
        if isinstance(value, expected) and not isinstance(value, bool):
            return value
        raise ConventionError(f"{self.where}{what} is {value!r}, expected {_TYPES[expected]}")

    def check_keys(self, table: Mapping[str, object], known: tuple[str, ...], name: str) -> None:
        for key in table:
            if key not in known:
                raise ConventionError(f"{self.where}{name} has no key {key!r}{nearest(key, known)}")


_TYPES: Mapping[type, str] = {str: "a string", int: "a whole number", list: "a list", dict: "a table"}
