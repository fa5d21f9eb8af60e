"""Decisions that were changed and change no figure: the reader should know, since nothing else shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.counting import engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.conventions.convention import Convention
    from flopledger.graph.graph import Graph


def without_effect(graph: Graph, convention: Convention) -> Iterator[str]:
    """Yield a sentence for each changed decision that leaves the figure as it is, and should not."""
    for name, value in convention.changed.items():
        switch = convention.switches[name]
        if not switch.idle:
            continue
        before = engine.evaluate(graph, convention.set({name: switch.default})).total[0]
        if before == engine.evaluate(graph, convention).total[0]:
            yield f"{graph.reading.source}: {name}={value} changes nothing: {switch.idle}"
