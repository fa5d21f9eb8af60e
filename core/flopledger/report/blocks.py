"""The blocks that make up a report; any writer can turn a list of them into its own format.

A block describes the content of a part of the report, never its appearance. Its texts are as the ledger, the
graph and the user gave them: each writer passes every one of them through :mod:`flopledger.printable`, and
escapes what its own format would read as markup. A line feed in a text is a character of a name, not a new
line: a cell of several lines is a tuple.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.counting.ledger import Ledger
    from flopledger.report import View

Cell: TypeAlias = "str | tuple[str, ...]"


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a report or of a part of one.

    ``lines`` replaces it in plain text, which has no headings: None for the heading itself, () for
    nothing. ``caption`` stands under a heading, in what people take out of it for a document.
    """

    text: str
    lines: tuple[str, ...] | None = None
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; the columns ``right`` are flush right, ``title`` is above it and ``more`` below."""

    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    right: frozenset[int] = frozenset()
    title: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of ledgers of one network: a tree where there is room for one, else a list.

    The sizes of the rows have names already; see :mod:`flopledger.report.symbol_names`.
    """

    ledgers: Sequence[Ledger]
    view: View


@dataclass(frozen=True, slots=True)
class Pairs:
    """Labelled texts, such as totals."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines under a title; nothing where there are none. ``alarm``: the reader should not miss them."""

    title: str
    lines: Sequence[str]
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to copy into a file, under a title for each writer: plain text has no marks for code."""

    titles: Mapping[str, str]
    lines: Sequence[str]
    language: str


@dataclass(frozen=True, slots=True)
class Small:
    """Small print: where the figures come from."""

    lines: tuple[str, ...]


Block: TypeAlias = "Heading | Line | Grid | Rows | Pairs | Listing | Code | Small"
