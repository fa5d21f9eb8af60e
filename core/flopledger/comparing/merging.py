"""Joining layers that the other network has as one: exporters fold layers, or spell one out as several calls.

The pairs of an alignment are one to one. Here a layer that is left over on one side joins a pair, or several
layers become the counterpart of one, so that their figures are compared as one sum and no figure is lost:

- a batch norm that was folded into the convolution before it is joined to that convolution;
- the projections and products of an attention layer, and the layers or steps of a recurrent one, are joined
  into one layer;
- an embedding whose indices are known is a constant, which the export adds;
- the parameters that a module has itself are, in an export, at the calls that read them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import equal, total
from flopledger.dims.bounds import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flopledger.comparing.layers import ComparedLayer, Couple
    from flopledger.dims.types import Number

NORM = "batch_norm"
SCALES = ("multiply", "add", "subtract")
"""The kinds that hold a norm's weights where an exporter spells it out."""
OWN = "parameters"
"""The kind of a module's own parameters, outside of its calls."""
_FOLDING = ("conv", "conv_transpose", "linear")
COVERING = ("multi_head_attention", "attention", "transformer_encoder_layer", "lstm", "gru", "rnn")
"""The kinds that other networks have as several layers: projections and products, or one for each step."""
MOST_PARTS = 2_000
"""The most layers that are tried as the parts of one: a recurrent layer has a few for each of its steps."""


def merge(pairs: Sequence[Couple]) -> list[Couple]:
    """Return the pairs of an alignment with such layers joined; the figures of each side keep their sum."""
    found = list(pairs)
    # Either side may be the export.
    for turned in (False, True):
        found = _turned(found) if turned else found
        for join in (_moved_norms, _spelled, _norms, _parts, _constants, _scales, _own):
            found = join(found)
        found = _turned(found) if turned else found
    return [pair for pair in found if None not in pair or _figures(pair)]


def _figures(pair: Couple) -> bool:
    """Return whether a layer has figures; one whose parameters are another's too may be left over without."""
    return any(each is not None and (each.macs != 0 or each.params != 0) for each in pair)


def _turned(pairs: Iterable[Couple]) -> list[Couple]:
    return [(b, a) for a, b in pairs]


def joined(first: ComparedLayer, others: Sequence[ComparedLayer]) -> ComparedLayer:
    """Return one layer with the work and the parameters of several."""
    every = (first, *others)
    holds = tuple(part for each in every for part in each.holds or (each,))
    return replace(
        first,
        macs=number(total(each.macs for each in every)),
        params=number(total(each.params for each in every)),
        shared=next((each.shared for each in every if each.shared), ""),
        holds=holds if others else first.holds,
        unknown=any(each.unknown for each in every),
    )


def _moved_norms(pairs: list[Couple]) -> list[Couple]:
    """Leave those batch norms of a without a counterpart that were folded, where one behind them has theirs.

    Of two equal norms behind one convolution, as at the start of a DenseNet, the alignment pairs the first
    with the one that an export keeps, which is the second.
    """
    found, reads = list(pairs), _Reads(pairs)
    for place, (norm, other) in enumerate(pairs):
        if norm is not None and other is not None and reads.folded(norm) and not reads.alike(norm, other):
            found = _moved_on(found, place, reads)
    return found


def _moved_on(pairs: list[Couple], place: int, reads: _Reads) -> list[Couple]:
    """Give the norm of b at a place to the next one of a that it fits, that one's to the next, and so on.

    Nothing changes where the last of them would be left without a counterpart: it would be no better.
    """
    norm, moved = pairs[place]
    out = list(pairs)
    out[place] = (norm, None)
    for at in range(place + 1, _reach(pairs, place, 1) + 1):
        layer, other = out[at]
        if layer is None or moved is None or layer.traits != moved.traits or not reads.alike(layer, moved):
            continue
        out[at] = (layer, moved)
        if other is None:
            return out
        moved = other
    return pairs


class _Reads:
    """The layers that batch norms read, and could be folded into: of each of a, its counterparts in b."""

    def __init__(self, pairs: Iterable[Couple]) -> None:
        self.counterparts: dict[str, set[str]] = {}
        self.biased: set[str] = set()
        for a, b in pairs:
            if a is None or b is None or a.kind not in _FOLDING:
                continue
            self.counterparts.setdefault(a.path, set()).add(b.path)
            if b.bias:
                self.biased.add(a.path)
        self.of_b = {path for paths in self.counterparts.values() for path in paths}

    def folded(self, norm: ComparedLayer) -> bool:
        """Return whether a norm of a may be in the bias of the layer before it, which must have one."""
        return norm.kind == NORM and norm.before in self.biased

    def alike(self, norm: ComparedLayer, other: ComparedLayer) -> bool:
        """Return whether norms of a and b read counterparts, or both something else, such as activations."""
        if norm.before in self.counterparts:
            return other.before in self.counterparts[norm.before]
        return other.before not in self.of_b


def _spelled(pairs: list[Couple]) -> list[Couple]:
    """Pair a norm of a, left over, with the calls of b that hold its weights and its statistics.

    TensorFlow's converter spells a norm out whose variables it does not make constants, and a file states no
    statistics as such: they are weights like the others. Only all of them together are a norm.
    """
    left: dict[tuple[str, Number], list[int]] = {}
    for place, (a, b) in enumerate(pairs):
        if a is None and b is not None and b.kind in SCALES and b.macs == 0:
            left.setdefault((b.kind, b.params), []).append(place)
    out: list[Couple] = list(pairs)
    for place, (norm, other) in enumerate(pairs):
        if norm is None or other is not None or norm.kind != NORM or not isinstance(norm.params, int):
            continue
        for weights in (2, 1):
            wanted = {"multiply": weights, "subtract": 1, "add": 1}
            at = {kind: left.get((kind, norm.params // weights), []) for kind in wanted}
            if all(len(at[kind]) >= count for kind, count in wanted.items()):
                taken = [at[kind].pop(0) for kind, count in wanted.items() for _ in range(count)]
                first, *others = [b for b in (out[i][1] for i in taken) if b is not None]
                out[place] = (norm, joined(first, others))
                for i in taken:
                    out[i] = (None, None)
                break
    return [pair for pair in out if pair != (None, None)]


def _norms(pairs: list[Couple]) -> list[Couple]:
    """Join each batch norm of a without a counterpart to the layer before it, which has one.

    torch.onnx.export in eval mode and TensorFlow's converter to TFLite fold it into the convolution. Left
    alone, a ResNet-50 and its export would differ in 53 layers "without a counterpart" and in 53 biases. One
    norm is folded into a layer, and only into the one whose output it reads: a norm in front of a
    convolution, as in DenseNet, is not folded, and neither is one whose scale is still read behind it.
    """
    places = {a.path: place for place, (a, b) in enumerate(pairs) if a is not None and b is not None}
    scaled = {(b.before, b.params) for a, b in pairs if a is None and b is not None and b.kind == SCALES[0]}
    out: list[Couple] = list(pairs)
    dropped = set()
    for place, (norm, other) in enumerate(pairs):
        if norm is None or other is not None or norm.kind != NORM or norm.before not in places:
            continue
        before = places[norm.before]
        layer, counterpart = out[before]
        if layer is None or counterpart is None or layer.kind not in _FOLDING or layer.holds:
            continue
        if not any(equal(2 * params, norm.params) for path, params in scaled if path == counterpart.path):
            out[before] = (joined(layer, [norm]), counterpart)
            dropped.add(place)
    return [pair for place, pair in enumerate(out) if place not in dropped]


def _parts(pairs: list[Couple]) -> list[Couple]:
    """Join the layers of b that together do the work of one of a."""
    place = 0
    while place < len(pairs):
        layer, _ = pairs[place]
        if layer is not None and layer.kind in COVERING and layer.macs != 0:
            parts = _window(pairs, place)
            if parts is not None:
                pairs = _covered(pairs, place, parts)
                place -= sum(part < place for part in parts)
        place += 1
    return pairs


def _window(pairs: Sequence[Couple], place: int) -> list[int] | None:
    """Return the places around a layer of a whose layers of b sum to its work, if any do.

    They are left over, or the layer's own counterpart, and follow each other but for layers without work. A
    stretch with the same parameters is taken, if need be with layers without work in it, then the shortest.
    The sum of the work alone is not enough: the output projection of a transformer's block costs as much as
    each of the other three, so that a stretch moved by one layer has the same sum.
    """
    layer, own = pairs[place]
    if layer is None or (own is not None and own.kind == layer.kind and equal(own.macs, layer.macs)):
        return None
    low, high = _reach(pairs, place, -1), _reach(pairs, place, 1)
    near = [i for i in range(low, high + 1) if i == place or pairs[i][0] is None]
    parts = [(i, b) for i, b in ((i, pairs[i][1]) for i in near) if b is not None]
    working = [each for each in parts if each[1].macs != 0 or each[0] == place]
    stretches = [*_stretches(working, layer.macs), *_stretches(parts, layer.macs)]
    fitting = [each for each in stretches if own is None or place in [i for i, _ in each]]
    same = [each for each in fitting if equal(total(b.params for _, b in each), layer.params)]
    best = min(same or fitting, key=len, default=None)
    return None if best is None else [i for i, _ in best]


def _stretches(
    parts: Sequence[tuple[int, ComparedLayer]], macs: Number
) -> Iterator[Sequence[tuple[int, ComparedLayer]]]:
    """Yield the stretches of layers whose work sums to a figure."""
    for start in range(len(parts)):
        found: Number = 0
        for end in range(start, len(parts)):
            found = number(found + parts[end][1].macs)
            if equal(found, macs):
                yield parts[start : end + 1]
            elif isinstance(found, int) and isinstance(macs, int) and found > macs:
                break


def _reach(pairs: Sequence[Couple], place: int, step: int) -> int:
    """Return the last place in a direction before layers with work that are each other's counterpart."""
    at = place
    while 0 <= at + step < len(pairs) and abs(at - place) < MOST_PARTS:
        a, b = pairs[at + step]
        if a is not None and b is not None and (a.macs != 0 or b.macs != 0):
            break
        at += step
    return at


def _covered(pairs: Sequence[Couple], place: int, parts: Sequence[int]) -> list[Couple]:
    """Join layers of b into the counterpart of a layer of a."""
    layers = [b for _, b in (pairs[i] for i in parts) if b is not None]
    first = max(layers, key=lambda part: part.macs if isinstance(part.macs, int) else 0)
    joint = joined(first, [part for part in layers if part is not first])
    gone = set(parts) - {place}
    return [(pair[0], joint) if i == place else pair for i, pair in enumerate(pairs) if i not in gone]


def _constants(pairs: list[Couple]) -> list[Couple]:
    """Pair an embedding of a, left over, with an addition of b of a constant with as many features.

    The positions of BERT and GPT-2 are an embedding of ``arange(length)``. Its result does not depend on the
    input, so that exporters compute it and keep as many of its rows as the length needs.
    """
    out = list(pairs)
    for place, (table, other) in enumerate(pairs):
        if table is None or other is not None or table.kind != "embedding":
            continue
        for at, (a, constant) in enumerate(out):
            if a is not None or constant is None or constant.kind != "add" or constant.macs != 0:
                continue
            size, row = constant.params, table.channels[1]
            if isinstance(size, int) and isinstance(row, int) and size and size % row == 0:
                out[place], out[at] = (table, constant), (None, None)
                break
    return [pair for pair in out if pair != (None, None)]


def _scales(pairs: list[Couple]) -> list[Couple]:
    """Pair a norm of a, left over, with the multiplication and the addition of b that hold its weights.

    torch.onnx.export below opset 17 and TensorFlow's converter spell a layer norm as means, squares and a
    square root, then a multiplication and an addition of constants; only these two have parameters, and both
    may be far from the norm's place in the order. Some exporters subtract the shift.
    """
    out = list(pairs)
    for place, (norm, other) in enumerate(pairs):
        if norm is None or other is not None or not norm.kind.endswith("norm"):
            continue
        found: dict[str, tuple[int, ComparedLayer]] = {}
        left = norm.params
        for at in (*range(place, len(out)), *range(place)):
            a, scale = out[at]
            if a is not None or scale is None or scale.kind not in SCALES or scale.kind in found:
                continue
            rest = number(left - scale.params)
            if scale.macs == 0 and isinstance(rest, int) and rest >= 0:
                found[scale.kind], left = (at, scale), rest
        if found:
            for at, _ in found.values():
                out[at] = (None, None)
            first, *others = (scale for _, scale in found.values())
            out[place] = (norm, joined(first, others))
    return [pair for pair in out if pair != (None, None)]


def _own(pairs: list[Couple]) -> list[Couple]:
    """Pair the parameters that modules of a have themselves with the calls of b that read as many.

    The class token and the positions of a vision transformer are parameters of modules that have no call of
    their own; an export knows no modules and has them at the concatenation and the addition that read them.
    They are paired only all together, or each of them with one of its size, since a few equal sizes would be
    chance.
    """
    own = [i for i, (a, b) in enumerate(pairs) if b is None and a is not None and a.kind == OWN]
    read = [
        i for i, (a, b) in enumerate(pairs) if a is None and b is not None and b.macs == 0 and b.params != 0
    ]
    sides = [[each for i in places for each in pairs[i] if each is not None] for places in (own, read)]
    if not all(sides):
        return pairs
    if not equal(*(total(each.params for each in side) for side in sides)):
        return _each(pairs, own, read)
    first, second = (joined(side[0], side[1:]) for side in sides)
    return [
        (first, second) if i == own[0] else pair
        for i, pair in enumerate(pairs)
        if i == own[0] or i not in {*own, *read}
    ]


def _each(pairs: list[Couple], own: Sequence[int], read: Sequence[int]) -> list[Couple]:
    """Pair each of such parameters with the first call left that reads as many, if each has one."""
    free: dict[Number, list[int]] = {}
    for place in reversed(read):
        free.setdefault(_params(pairs[place]), []).append(place)
    fitting = [free.get(_params(pairs[place]), []) for place in own]
    found = {place: places.pop() for place, places in zip(own, fitting, strict=True) if places}
    if len(found) < len(own):
        return pairs
    gone = set(found.values())
    return [
        (pair[0], pairs[found[i]][1]) if i in found else pair for i, pair in enumerate(pairs) if i not in gone
    ]


def _params(pair: Couple) -> Number:
    only = pair[0] or pair[1]
    return 0 if only is None else only.params


def described(kinds: Sequence[str]) -> str:
    """Return the parts of a joined layer: ``2 linear, 2 matmul``."""
    return ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(kinds).items()))
