"""Two networks' layers as aligned sequences."""

from __future__ import annotations

import difflib
import itertools
from typing import TYPE_CHECKING

from flopledger.comparing.reasons import dense_as_conv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flopledger.comparing.layers import Item
    from flopledger.comparing.reasons import Couple

MOST_CELLS = 250_000
"""How many pairs of layers are weighed against each other at most in one stretch that differs."""
NEAR_ENOUGH = 5
"""How alike two layers must be to stand for each other; see :func:`likeness`."""


def align(a: Sequence[Item], b: Sequence[Item]) -> list[Couple]:
    """Align two networks' layers so that the pairs are as alike as possible, in order.

    Networks too long to weigh every pair are first cut where their layers are equal.
    """
    if len(a) * len(b) <= MOST_CELLS:
        return _weigh(a, b)
    return _cut(a, b, ([i.traits for i in a], [i.traits for i in b]), _cut_loosely)


def _cut_loosely(a: Sequence[Item], b: Sequence[Item]) -> list[Couple]:
    """Cut where layers are equal but for stride, bias and size."""
    if len(a) * len(b) <= MOST_CELLS:
        return _weigh(a, b)
    keys = [[(i.kind, i.kernel, i.groups, i.channels) for i in side] for side in (a, b)]
    return _cut(a, b, (keys[0], keys[1]), _weigh_in_parts)


def _cut(
    a: Sequence[Item],
    b: Sequence[Item],
    keys: tuple[Sequence[object], Sequence[object]],
    between: Callable[[Sequence[Item], Sequence[Item]], list[Couple]],
) -> list[Couple]:
    matcher = difflib.SequenceMatcher(None, *keys, autojunk=False)
    pairs: list[Couple] = []
    for what, a0, a1, b0, b1 in matcher.get_opcodes():
        if what == "equal":
            pairs += zip(a[a0:a1], b[b0:b1], strict=True)
        else:
            pairs += between(a[a0:a1], b[b0:b1])
    return pairs


def _weigh_in_parts(a: Sequence[Item], b: Sequence[Item]) -> list[Couple]:
    """Weigh a stretch that is too long for its whole in parts of proportional length."""
    parts = 1 + len(a) * len(b) // MOST_CELLS
    cuts = [(len(a) * i // parts, len(b) * i // parts) for i in range(parts + 1)]
    pairs: list[Couple] = []
    for (a0, b0), (a1, b1) in itertools.pairwise(cuts):
        pairs += _weigh(a[a0:a1], b[b0:b1])
    return pairs


def likeness(a: Item, b: Item) -> int:
    """Tell how alike two layers are: 0 for another kind, more for each trait that they share."""
    if a.kind != b.kind and not dense_as_conv(a, b):
        return 0
    shared = 2 + 3 * (a.channels[1] == b.channels[1]) + 2 * (a.channels[0] == b.channels[0])
    return (
        shared
        + 2 * (a.kernel == b.kernel)
        + (a.groups == b.groups)
        + (a.sizes == b.sizes)
        + (a.stride == b.stride)
        + (a.depth == b.depth)
    )


def _weigh(a: Sequence[Item], b: Sequence[Item]) -> list[Couple]:
    """Align two stretches so that the pairs are as alike as possible, in order."""
    start = 0
    while start < min(len(a), len(b)) and a[start].traits == b[start].traits:
        start += 1
    pairs: list[Couple] = list(zip(a[:start], b[:start], strict=True))
    a, b = a[start:], b[start:]
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        here, below = best[i], best[i + 1]
        for j in range(len(b) - 1, -1, -1):
            alike = likeness(a[i], b[j])
            paired = below[j + 1] + alike if alike >= NEAR_ENOUGH else 0
            here[j] = max(paired, below[j], here[j + 1])
    return [*pairs, *_walk(a, b, best)]


def _walk(a: Sequence[Item], b: Sequence[Item], best: Sequence[Sequence[int]]) -> Iterator[Couple]:
    i = j = 0
    while i < len(a) and j < len(b):
        alike = likeness(a[i], b[j])
        if alike >= NEAR_ENOUGH and best[i][j] == best[i + 1][j + 1] + alike:
            yield a[i], b[j]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            yield a[i], None
            i += 1
        else:
            yield None, b[j]
            j += 1
    yield from ((item, None) for item in a[i:])
    yield from ((None, item) for item in b[j:])
