"""What a page's data say more than once is in lists, and is referred to by its number in them.

A network repeats itself: blocks have the same layers, layers the same texts, shapes and figures.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from flopledger.counting.ledger import figure
from flopledger.dims.phrases import alternating
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.counting.ledger import Figure
    from flopledger.dims.phrases import Phrase
    from flopledger.dims.types import Number


@dataclass(slots=True)
class Strings:
    """Texts, each once, by number; 0 is the empty one."""

    found: dict[str | tuple[str, ...], int] = field(default_factory=lambda: {"": 0})

    def number(self, phrase: Phrase) -> int:
        """Return the number of a text; one with formulas has them at its odd places."""
        parts = alternating(phrase)
        return self.found.setdefault(parts if isinstance(parts, str) else tuple(parts), len(self.found))


@dataclass(slots=True)
class Figures:
    """Figures, each once, by number; 0 is 0."""

    found: dict[Figure, int] = field(default_factory=lambda: {0: 0})

    def number(self, value: Number) -> int:
        """Return the number of a figure; a fraction or a formula is written as a text."""
        return self.found.setdefault(figure(value), len(self.found))


@dataclass(slots=True)
class Cells:
    """Lists that repeat, each once, by number: what rows have beside their name, or the layers of a cause."""

    found: dict[tuple[object, ...], int] = field(default_factory=dict)

    def number(self, cells: Sequence[object]) -> int:
        """Return the number of a list."""
        return self.found.setdefault(tuple(cells), len(self.found))
