"""The table for people: a tree of the network, totals by name, and their notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.report import plain, sections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.counting.ledger import Ledger
    from flopledger.report import View


def render(ledgers: Sequence[Ledger], view: View) -> str:
    """Render a table for each ledger, and a summary under several."""
    blocks = sections.of_ledgers(ledgers, view)
    return plain.write_styled(blocks, view.width) if view.color else plain.write(blocks, view.width)
