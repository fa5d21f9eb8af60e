r"""LaTeX tables with booktabs: the layers of one network, or several networks with a row each.

The caption names the networks, their inputs, the conventions and the units, so that a figure in a paper is
never a bare number. The first line is a comment with the packages that are needed: booktabs, longtable
for a table that is longer than a page, array where cells are broken since a line has no room for them,
pdflscape for a table that is turned since it is wider than a page. One that is wider even then is parted.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import starmap
from typing import TYPE_CHECKING

from flopledger import printable
from flopledger.records import dataclass
from flopledger.report import notes, sections
from flopledger.report.columns import NETWORK, of_view
from flopledger.report.numbers import in_words
from flopledger.report.rows import shown_lines
from flopledger.report.symbol_names import with_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flopledger.counting.ledger import Ledger
    from flopledger.report import View

_SPECIAL = re.compile(r"[\\{}$&#^_%~<>|\"'`*\[≥-]")
_BREAKS = re.compile(r"(?<=[ *./_(+])(?![ *./_(+]|$)")
LINE, PAGE, LETTERS, GAP = 345, 500, 72, 12
"""The class article: the points of a line, of a page less what is around a table, the letters of a line of
a caption, and the points between two columns."""
TURNED_LINE, TURNED_PAGE = 550, 300
"""The same of a page that is turned; letters are as many as the line is longer."""
TURNED_SIZES = (("\\footnotesize", 4.34, 9.5), ("\\scriptsize", 4.1, 8))
SIZES = (("", 5.1, 12), ("\\small", 4.72, 11), ("\\footnotesize", 4.34, 9.5))
"""Sizes of letters, each with the width of a letter and the distance of lines, in points."""
MOST_CAPTION = 1500
"""The longest sentence of a caption: LaTeX sets it as one line first, of 16,384 points at most."""
_LETTERS, _AFTER_LATIN, _OGONEK = frozenset("ÆæØøßŁłŒœ\xd7\xb5≥"), "\u017f", "\u0328"
_WORDS = {
    "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\texttt{\char34}", "'": "{'}", "`": "{`}",
    "-": "-{}", "*": "{*}", "[": "{[}", "≥": r"$\geq$",
}  # fmt: skip
"""Characters that are commands, or that LaTeX would draw as others: two hyphens become one dash, a ``[``
at the start of a row is taken for an option of the row before. What stands for them is in every encoding of
fonts and asks for no package: the commands for straight quotes are missing in OT1, or were before 2020."""


def render(ledgers: Sequence[Ledger], view: View) -> str:
    """Render one table: of the layers of one network, or of the totals of several."""
    found = sections.networks(ledgers)
    lines = _layers(found[0], view) if len(found) == 1 else _networks(found)
    return "\n".join(lines) + "\n"


def _layers(given: Sequence[Ledger], view: View) -> Iterator[str]:
    """Yield the table of one network, with a column for each convention."""
    ledgers, names = with_names(given)
    shown = shown_lines(ledgers, view)
    first, *columns = of_view(ledgers, view, bars=False)
    whole, *parts = shown.lines
    body = [[line.path, *(column.value(line) for column in columns)] for line in parts]
    total = [NETWORK, *(column.value(whole) for column in columns)]
    where = [f"{name} = {size}" for name, size in names.items()]
    totals = [f"{notes.titled(one.convention)}: {_total(one)}" for one in ledgers]
    caption = [
        f"{notes.at_input(ledgers[0])}. {'; '.join(totals)}.",
        *(f"{note.rstrip('.')}." for note in (shown.notes if shown.facts is None else shown.facts)),
    ]
    if where:
        caption.append(f"Where {', '.join(where)}.")
    sides = ["l", *("r" if column.right else "l" for column in columns)]
    headers = [first.header, *(column.header for column in columns)]
    yield from table(sides, headers, [*body, total], caption)


def _networks(networks: Sequence[Sequence[Ledger]]) -> Iterator[str]:
    """Yield the table of several networks, with a row each."""
    header, *rows = notes.summary(networks)
    caption = notes.caption(networks)
    yield from table(["l", *"r" * (len(header) - 1)], header, rows, caption)


def _total(ledger: Ledger) -> str:
    return notes.bounded(in_words(ledger.total.count, ledger.total.unit), ledger.total)


def table(
    sides: Sequence[str], headers: Sequence[str], rows: Iterable[Sequence[str]], caption: Iterable[str]
) -> Iterator[str]:
    """Yield the lines of a table, all of its texts escaped; ``sides`` is ``l`` or ``r`` for each column.

    Sentences that are too long for a caption, those that list many networks, are below the table.
    """
    body = list(rows)
    sentences = list(map(escaped, caption))
    parts = _parts([headers, *body])
    for number, (columns, fit) in enumerate(parts, start=1):
        part = [f"Part {number} of {len(parts)}."] if len(parts) > 1 else []
        yield from _part(
            fit,
            [sides[i] for i in columns],
            [[row[i] for i in columns] for row in (headers, *body)],
            sentences + part,
        )


def _parts(rows: Sequence[Sequence[str]]) -> list[tuple[Sequence[int], Fit]]:
    """Fit a table, upright or turned; where neither does, part its columns, each part with the first one."""
    columns = range(len(rows[0]))
    fit = fitted(rows)
    if fit.too_wide:
        fit = fitted(rows, turned=True)
    if not fit.too_wide:
        return [(columns, fit)]
    parts: list[tuple[Sequence[int], Fit]] = []
    left = list(columns[1:])
    while left:
        for taken in range(len(left), 0, -1):
            chosen = [0, *left[:taken]]
            fit = fitted([[row[i] for i in chosen] for row in rows], turned=True)
            if not fit.too_wide or taken == 1:
                break
        parts.append((chosen, fit))
        left = left[taken:]
    return parts or [(columns, fit)]


def _part(
    fit: Fit, sides: Sequence[str], rows: Sequence[Sequence[str]], sentences: Sequence[str]
) -> Iterator[str]:
    """Yield the lines of one table, its texts but for the cells escaped already."""
    headers, *body = rows
    below = [sentence for sentence in sentences if len(sentence) > MOST_CAPTION]
    words = " ".join(sentence for sentence in sentences if sentence not in below)
    page, letters = (TURNED_PAGE, LETTERS * TURNED_LINE / LINE) if fit.turned else (PAGE, LETTERS)
    long = fit.height + len(words) / letters * 12 > page
    packages = f"{'array,' * fit.broken}booktabs{',longtable' * long}{',pdflscape' * fit.turned}"
    yield f"% needs \\usepackage{{{packages}}}"
    if long:
        yield "% longer than a page: a longtable, which LaTeX sets in one column only"
    if fit.too_wide:
        yield "% wider than a page, although it is turned"
    columns = "".join(_column(side, width) for side, width in zip(sides, fit.widths, strict=True))
    head = ["    \\toprule", f"    {_row(headers, fit.widths)}", "    \\midrule"]
    lines = (f"    {_row(row, fit.widths)}" for row in body)
    note = f"\\parbox{{\\linewidth}}{{\\footnotesize {' '.join(below)}}}" if below else ""
    if fit.turned:
        yield "\\begin{landscape}"
    if long:
        yield f"\\begingroup{fit.size}\\setlength{{\\LTcapwidth}}{{\\linewidth}}"
        yield from (f"  \\begin{{longtable}}{{{columns}}}", f"    \\caption{{{words}}}\\\\")
        yield from (*head, "    \\endfirsthead", *head, "    \\endhead", "    \\bottomrule", "    \\endfoot")
        yield from (*lines, "  \\end{longtable}", *([f"  \\noindent{note}"] if note else []), "\\endgroup")
    else:
        yield from ("\\begin{table}", f"  \\centering{fit.size}", f"  \\caption{{{words}}}")
        yield from (f"  \\begin{{tabular}}{{{columns}}}", *head, *lines, "    \\bottomrule")
        yield from ("  \\end{tabular}", *(["", f"  \\smallskip{note}"] if note else []), "\\end{table}")
    if fit.turned:
        yield "\\end{landscape}"


@dataclass(frozen=True, slots=True)
class Fit:
    """How a table fits on a page of the class article, whose text is the narrowest of the usual ones.

    ``widths`` has a part of the line for each column whose cells are broken, None for the others.
    """

    size: str
    widths: tuple[float | None, ...]
    height: float
    too_wide: bool = False
    turned: bool = False

    @property
    def broken(self) -> bool:
        """Whether the cells of some column are broken."""
        return any(self.widths)


def fitted(rows: Sequence[Sequence[str]], *, turned: bool = False) -> Fit:
    """Fit a table: in smaller letters where that is enough, else with broken cells in the widest columns.

    A cell is broken behind a blank or a sign of a formula or path, and never within a figure.
    """
    columns = list(zip(*rows, strict=True))
    natural = [max(map(len, cells)) for cells in columns]
    least = [max(len(piece) for cell in cells for piece in _pieces(cell)) for cells in columns]
    full, sizes = (TURNED_LINE, TURNED_SIZES) if turned else (LINE, SIZES)
    rooms = [(*each, int((full - GAP * len(columns)) / each[1])) for each in sizes]
    size, letter, line, room = next((each for each in rooms if sum(natural) <= each[-1]), rooms[-1])
    given = natural if sum(natural) <= room else _shared(natural, least, room)
    lines = sum(max(-(-len(cell) // width) for cell, width in zip(row, given, strict=True)) for row in rows)
    parts = [
        None if width == most else round(width * letter / full, 3)
        for width, most in zip(given, natural, strict=True)
    ]
    return Fit(size, tuple(parts), lines * line, sum(given) > room, turned)


def _shared(natural: Sequence[int], least: Sequence[int], room: int) -> Sequence[int]:
    """Give the columns equal shares of a line, less to those that need less; what they have if that fails."""
    given = natural
    for level in range(1, max(natural) + 1):
        wanted = [min(most, max(level, few)) for most, few in zip(natural, least, strict=True)]
        if sum(wanted) > room:
            break
        given = wanted
    return given


def _pieces(cell: str) -> list[str]:
    return _BREAKS.split(cell)


def _column(side: str, width: float | None) -> str:
    if width is None:
        return side
    return f">{{\\ragged{'left' if side == 'r' else 'right'}\\arraybackslash}}p{{{width}\\linewidth}}"


def _row(cells: Iterable[str], widths: Iterable[float | None]) -> str:
    return " & ".join(starmap(_cell, zip(cells, widths, strict=True))) + r" \\"


def _cell(text: str, width: float | None) -> str:
    if width is None:
        return escaped(text)
    return r"\allowbreak{}".join(map(escaped, _pieces(text))).replace(r" \allowbreak{}", " ")


def escaped(text: str) -> str:
    """Escape invisible characters, those that LaTeX has no letter for, and those that are commands in it."""
    shown = "".join(map(_shown, unicodedata.normalize("NFC", printable.line(text))))
    return _SPECIAL.sub(lambda found: _WORDS.get(found[0], f"\\{found[0]}"), shown)


def _shown(character: str) -> str:
    """Return a letter that LaTeX's own fonts have, in OT1 as in T1; any other one would stop pdflatex."""
    if character.isascii() or character in _LETTERS:
        return character
    letter, *accents = list(unicodedata.normalize("NFD", character))
    accented = character < _AFTER_LATIN and letter.isascii() and len(accents) == 1 and accents[0] != _OGONEK
    return character if accented else character.encode("unicode_escape").decode()
