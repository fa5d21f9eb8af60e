"""Aligning two networks' layers: which layer of one corresponds to which of the other.

Names don't help: PyTorch's ``layer1.0.conv1`` is Keras's ``conv2_block1_1_conv`` and Caffe's
``res2a_branch2a``. The order of the data flow does, so that two sequences are aligned so that the paired
layers are as similar as possible.
"""

from __future__ import annotations

import difflib
import itertools
from typing import TYPE_CHECKING

from flopledger.comparing.merging import COVERING
from flopledger.comparing.reasons import dense_as_conv, product_as_dense
from flopledger.dims.arithmetic import equal
from flopledger.dims.bounds import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flopledger.comparing.layers import ComparedLayer, Couple
    from flopledger.dims.types import Number

MOST_CELLS = 250_000
"""The most pairs of layers that are scored in one stretch: 500 against 500.

ResNet-152 against itself, norms included, stays below it. Longer networks are first cut where their layers
are equal, since time and memory grow with the product of the lengths.
"""
LEAST_SCORE = 5
"""The least score of two layers that are paired; see :func:`score`.

Five is the same kind with one more trait of weight, such as equal output channels. Below that a convolution
would be paired with any other, and a block that was inserted would be shown as changes of all layers behind
it.
"""


def align(a: Sequence[ComparedLayer], b: Sequence[ComparedLayer]) -> list[Couple]:
    """Align two networks' layers so that the pairs are as similar as possible, in order.

    Networks too long to score every pair are first cut where their layers are equal. The one with more layers
    that the other has in parts is put first, since :func:`_walk` looks for the parts in the second.
    """
    whole = [sum(layer.kind in COVERING for layer in side) for side in (a, b)]
    if whole[1] > whole[0]:
        return [(of_a, of_b) for of_b, of_a in align(b, a)]
    if len(a) * len(b) <= MOST_CELLS:
        return _best_pairs(a, b)
    return _cut(a, b, ([i.traits for i in a], [i.traits for i in b]), _cut_loosely)


def _cut_loosely(a: Sequence[ComparedLayer], b: Sequence[ComparedLayer]) -> list[Couple]:
    """Cut where layers are equal but for stride, bias and size.

    A moved stride changes the sizes of all layers behind it, so that two versions of one deep network would
    have no equal layers to be cut at.
    """
    if len(a) * len(b) <= MOST_CELLS:
        return _best_pairs(a, b)
    keys = [[(i.kind, i.kernel, i.groups, i.channels) for i in side] for side in (a, b)]
    return _cut(a, b, (keys[0], keys[1]), _score_in_parts)


def _cut(
    a: Sequence[ComparedLayer],
    b: Sequence[ComparedLayer],
    keys: tuple[Sequence[object], Sequence[object]],
    between: Callable[[Sequence[ComparedLayer], Sequence[ComparedLayer]], list[Couple]],
) -> list[Couple]:
    matcher = difflib.SequenceMatcher(None, *keys, autojunk=False)
    pairs: list[Couple] = []
    for what, a0, a1, b0, b1 in matcher.get_opcodes():
        if what == "equal":
            pairs += zip(a[a0:a1], b[b0:b1], strict=True)
        else:
            pairs += between(a[a0:a1], b[b0:b1])
    return pairs


def _score_in_parts(a: Sequence[ComparedLayer], b: Sequence[ComparedLayer]) -> list[Couple]:
    """Align a stretch that is too long for its whole in parts of proportional length.

    The result may then not be the best one. It is reached by two networks of more than 500 layers without a
    layer in common, whose comparison says little in any case, and must end all the same.
    """
    parts = 1 + len(a) * len(b) // MOST_CELLS
    cuts = [(len(a) * i // parts, len(b) * i // parts) for i in range(parts + 1)]
    pairs: list[Couple] = []
    for (a0, b0), (a1, b1) in itertools.pairwise(cuts):
        pairs += _best_pairs(a[a0:a1], b[b0:b1])
    return pairs


def score(a: ComparedLayer, b: ComparedLayer) -> int:
    """Return how similar two layers are: 0 for another kind, more for each trait that they share.

    Output channels weigh most: layers of one role have them in common, whatever their stride. Sizes, stride
    and depth weigh least, since one moved stride changes the sizes of every layer behind it.
    """
    if product_as_dense(a, b):
        return LEAST_SCORE + 3 * equal(a.params, b.params) + (a.depth == b.depth)
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


def _best_pairs(a: Sequence[ComparedLayer], b: Sequence[ComparedLayer]) -> list[Couple]:
    """Align two stretches so that the pairs are as similar as possible, in order."""
    start = 0
    while start < min(len(a), len(b)) and a[start].traits == b[start].traits:
        start += 1
    pairs: list[Couple] = list(zip(a[:start], b[:start], strict=True))
    a, b = a[start:], b[start:]
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        here, below = best[i], best[i + 1]
        for j in range(len(b) - 1, -1, -1):
            alike = score(a[i], b[j])
            paired = below[j + 1] + alike if alike >= LEAST_SCORE else 0
            here[j] = max(paired, below[j], here[j + 1])
    return [*pairs, *_walk(a, b, best)]


def _walk(
    a: Sequence[ComparedLayer], b: Sequence[ComparedLayer], best: Sequence[Sequence[int]]
) -> Iterator[Couple]:
    """Yield the pairs of the best score; of two that are as good, those that keep a layer's parts together.

    A dense layer of as many features behind an attention layer is like the last projection in it. Paired with
    that one, which comes first, it would leave the attention layer without one of its parts.
    """
    i = j = 0
    covered: Number = 0
    while i < len(a) and j < len(b):
        alike = score(a[i], b[j])
        if best[i][j] == best[i][j + 1] and _is_part(b[j], covered):
            covered = number(covered - b[j].macs)
            yield None, b[j]
            j += 1
        elif alike >= LEAST_SCORE and best[i][j] == best[i + 1][j + 1] + alike:
            covered = covered if equal(a[i].macs, 0) else 0
            yield a[i], b[j]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            covered = a[i].macs if a[i].kind in COVERING else covered
            yield a[i], None
            i += 1
        else:
            yield None, b[j]
            j += 1
    yield from ((item, None) for item in a[i:])
    yield from ((None, item) for item in b[j:])


def _is_part(layer: ComparedLayer, covered: Number) -> bool:
    """Return whether a layer may do some of the work of another that is not covered yet."""
    if equal(layer.macs, 0) or equal(covered, 0):
        return False
    rest = number(covered - layer.macs)
    return not isinstance(rest, int) or rest >= 0
