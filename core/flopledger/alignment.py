"""Two networks' layers as aligned sequences, and what differs between two layers, in words."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, TypeAlias

from flopledger.dims import product, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.dims import Shape
    from flopledger.items import Item

Match: TypeAlias = "tuple[Item | None, Item | None, str]"

MOST_CELLS = 250_000
"""How many pairs of layers are weighed against each other at most in one stretch that differs."""
NEAR_ENOUGH = 5
"""How alike two layers must be to stand for each other; see :func:`likeness`."""
REACH = 4
"""How many layers further on a stride may have moved."""


def align(a: Sequence[Item], b: Sequence[Item]) -> list[Match]:
    """Align two networks' layers: what is equal first, then what is most alike in between."""
    matcher = difflib.SequenceMatcher(None, [i.traits for i in a], [i.traits for i in b], autojunk=False)
    pairs: list[tuple[Item | None, Item | None]] = []
    for what, a0, a1, b0, b1 in matcher.get_opcodes():
        if what == "equal":
            pairs += zip(a[a0:a1], b[b0:b1], strict=True)
        else:
            pairs += _weigh(a[a0:a1], b[b0:b1])
    return _with_reasons(pairs)


def likeness(a: Item, b: Item) -> int:
    """Tell how alike two layers are: 0 for another kind, more for each trait that they share."""
    if a.kind != b.kind and not _dense_as_conv(a, b):
        return 0
    shared = 2 + 3 * (a.channels[1] == b.channels[1]) + 2 * (a.channels[0] == b.channels[0])
    return (
        shared
        + 2 * (a.kernel == b.kernel)
        + (a.groups == b.groups)
        + (a.sizes == b.sizes)
        + (a.depth == b.depth)
    )


def _dense_as_conv(a: Item, b: Item) -> bool:
    """Whether a dense layer and a convolution over all of its input are one and the same."""
    kinds = {a.kind, b.kind}
    return kinds == {"conv", "linear"} and a.macs == b.macs and a.channels[1] == b.channels[1]


def _weigh(a: Sequence[Item], b: Sequence[Item]) -> list[tuple[Item | None, Item | None]]:
    """Align two stretches so that the pairs are as alike as possible, in order."""
    if len(a) * len(b) > MOST_CELLS:
        return [(item, None) for item in a] + [(None, item) for item in b]
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            alike = likeness(a[i], b[j])
            paired = best[i + 1][j + 1] + alike if alike >= NEAR_ENOUGH else 0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    return list(_walk(a, b, best))


def _walk(
    a: Sequence[Item], b: Sequence[Item], best: Sequence[Sequence[int]]
) -> Iterator[tuple[Item | None, Item | None]]:
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


def _with_reasons(pairs: Sequence[tuple[Item | None, Item | None]]) -> list[Match]:
    return [
        (
            a,
            b,
            "; ".join(
                reasons(a, b, pairs[place + 1 : place + 1 + REACH], pairs[max(0, place - REACH) : place])
            ),
        )
        for place, (a, b) in enumerate(pairs)
    ]


def reasons(
    a: Item | None,
    b: Item | None,
    after: Sequence[tuple[Item | None, Item | None]] = (),
    before: Sequence[tuple[Item | None, Item | None]] = (),
) -> Iterator[str]:
    """Yield what differs between two layers; ``after`` and ``before`` are the pairs around them."""
    if a is None or b is None:
        yield f"no counterpart in {'a' if a is None else 'b'}"
        return
    if a.kind != b.kind:
        yield "a dense layer as a convolution" if _dense_as_conv(a, b) else f"{a.kind} against {b.kind}"
        return
    if a.kernel != b.kernel:
        yield f"kernel {_by(a.kernel)} against {_by(b.kernel)}"
    if a.stride != b.stride:
        yield _stride(a, b, after, before)
    if a.dilation != b.dilation:
        yield f"dilation {_by(a.dilation)} against {_by(b.dilation)}"
    if a.groups != b.groups:
        yield f"{text(a.groups)} groups against {text(b.groups)}"
    for what, x, y in zip(("input", "output"), a.channels, b.channels, strict=True):
        if x != y:
            yield f"{text(x)} {what} channels against {text(y)}"
    if a.bias != b.bias:
        yield f"bias in {'a' if a.bias else 'b'} only"
    if a.sizes != b.sizes:
        yield f"output {_by(a.sizes)} against {_by(b.sizes)}"
    if a.traits == b.traits and (a.macs, a.params) != (b.macs, b.params):
        yield "another batch or other weights"


def _stride(
    a: Item,
    b: Item,
    after: Sequence[tuple[Item | None, Item | None]],
    before: Sequence[tuple[Item | None, Item | None]],
) -> str:
    """Say that a stride differs, and where it has moved to or come from."""
    said = f"stride {_by(a.stride)} against {_by(b.stride)}"
    for x, y in (*after, *reversed(before)):
        if (
            x is not None
            and y is not None
            and (x.stride, y.stride) != (a.stride, b.stride)
            and x.stride != y.stride
        ) and product(x.stride) * product(a.stride) == product(y.stride) * product(b.stride):
            return f"{said}: moved between this layer and {x.path or x.kind}"
    return said


def _by(sizes: Shape) -> str:
    return "x".join(map(text, sizes)) or "none"
