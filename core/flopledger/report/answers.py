"""Answers other than a count (explanations, comparisons, checks): blocks for people, JSON for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.errors import UsageError, choices
from flopledger.report import ANSWER_FORMATS, jsonfile, markdown, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flopledger.report.blocks import Block


def render(
    form: str, blocks: Iterable[Block], document: Callable[[], Mapping[str, object]], width: int | None = None
) -> str:
    """Render an answer in a format, as a text that ends with a line break.

    Args:
        form: One of :data:`flopledger.report.ANSWER_FORMATS`.
        blocks: The answer for people.
        document: Makes the answer for machines, if that format is requested.
        width: The columns that a table has room for; None for no limit.

    Raises:
        UsageError: There is no such format.
    """
    if form == "json":
        return jsonfile.written(document()) + "\n"
    if form == "table":
        return plain.write(blocks, width)
    if form == "markdown":
        return markdown.write(blocks)
    raise UsageError(f"no format is called {form!r}{choices(form, ANSWER_FORMATS)}")
