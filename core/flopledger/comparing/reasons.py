"""The differences between two paired layers, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.comparing.merging import NORM, OWN, SCALES, described
from flopledger.dims.arithmetic import equal, floordiv, magnitude, product
from flopledger.dims.phrases import AGAINST, by, written
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flopledger.comparing.layers import ComparedLayer, Couple
    from flopledger.dims.phrases import Phrase
    from flopledger.dims.types import Shape

REACH = 3
"""The most convolutions by which a stride may have moved.

ResNet-50 has the stride of a stage in the first 1x1 of its bottleneck (version 1, Caffe) or in the 3x3 next
to it (1.5, torchvision). Three allow for the two convolutions of a squeeze and excitation between the two
places.
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """A difference in words; ``sort`` is common to all reasons of one sort.

    ``macs`` and ``params`` state whether it changes the multiply-accumulates or the parameters.
    ``alike`` marks another spelling of the same layer; ``pairs`` is over how many pairs it stretches.
    """

    words: Phrase
    sort: Phrase
    macs: bool = True
    params: bool = True
    alike: bool = False
    pairs: int = 1

    @property
    def text(self) -> str:
        """The difference in words."""
        return written(self.words)

    @property
    def group(self) -> str:
        """Its sort in words."""
        return written(self.sort)


def dense_as_conv(a: ComparedLayer, b: ComparedLayer) -> bool:
    """Return whether one of two layers is dense, the other a convolution over all of its input.

    VGG-16 and AlexNet exist in both forms: their first dense layer is a 7x7 or 6x6 convolution in networks
    that were made fully convolutional. Equal work and equal outputs show it: a 1x1 convolution over several
    positions has more.
    """
    kinds = {a.kind, b.kind}
    return kinds == {"conv", "linear"} and equal(a.macs, b.macs) and a.channels[1] == b.channels[1]


PRODUCTS = frozenset({"einsum", "linear", "matmul"})
"""The spellings of a sum of products; Keras's attention projects by einsum."""


def product_as_dense(a: ComparedLayer, b: ComparedLayer) -> bool:
    """Return whether two layers are one product of the same work, spelled in two ways."""
    return a.kind != b.kind and {a.kind, b.kind} <= PRODUCTS and equal(a.macs, b.macs)


def unrolled(a: ComparedLayer, b: ComparedLayer) -> bool:
    """Return whether one of two convolutions is dilated, the other plain, over the positions that it skips.

    TensorFlow's converter moves every second position, or every third, to the batch, so that a plain
    convolution of the same kernel does the work. Its output is that much smaller and its batch that much
    larger; sizes that are no multiple are padded, and the work grows with them.
    """
    for dilated, plain in ((a, b), (b, a)):
        steps, ones = dilated.dilation, (1,) * len(plain.sizes)
        same = a.kind == b.kind and a.kernel == b.kernel and a.groups == b.groups and a.channels == b.channels
        if not same or steps == ones or not ones == plain.dilation == plain.stride == dilated.stride:
            continue
        sizes = [floordiv(size + step - 1, step) for size, step in zip(dilated.sizes, steps, strict=True)]
        if tuple(sizes) == plain.sizes:
            padded = plain.macs * product(dilated.sizes)
            return equal(padded, dilated.macs * product((*plain.sizes, *steps)))
    return False


def _of_one_rank(pair: Couple) -> Couple:
    """Return a pair of convolutions with as many axes each: a 1-D one as a 2-D one over a first axis of 1."""
    a, b = pair
    if a is None or b is None or a.kind != b.kind or len(a.kernel) == len(b.kernel):
        return pair
    ranks = max(len(a.kernel), len(b.kernel))
    found = (_padded(a, ranks), _padded(b, ranks))
    more = [each for each in pair if each and len(each.kernel) == ranks]
    ones = (1,) * (ranks - min(len(a.kernel), len(b.kernel)))
    return (
        found if all(ones == each.kernel[: len(ones)] == each.sizes[: len(ones)] for each in more) else pair
    )


def _padded(layer: ComparedLayer, ranks: int) -> ComparedLayer:
    ones = (1,) * (ranks - len(layer.kernel))
    return replace(
        layer,
        kernel=ones + layer.kernel,
        stride=ones + layer.stride,
        dilation=ones + layer.dilation,
        sizes=ones + layer.sizes,
    )


def reasons(pairs: Sequence[Couple]) -> list[tuple[Reason, ...]]:
    """Return the differences of each pair of an alignment."""
    pairs = [_of_one_rank(pair) for pair in pairs]
    moved = _moved(pairs)
    return [tuple(_of_pair(a, b, moved.get(place))) for place, (a, b) in enumerate(pairs)]


def _of_pair(a: ComparedLayer | None, b: ComparedLayer | None, moved: Reason | None) -> Iterator[Reason]:
    """Yield why the layers of a pair differ, each part of the difference once.

    A norm that an exporter has merged into a convolution explains a bias, a scale and their parameters, so
    that these give no reasons of their own. Parameters and work that no trait explains come last.
    """
    if a is None or b is None:
        only = a or b
        kind = only.kind if only is not None else ""
        words = f"{kind} without a counterpart in {'a' if a is None else 'b'}"
        if only is not None and kind == "add" and only.macs == 0:
            words = f"a constant that is added, such as a mask, in {'b' if a is None else 'a'} only"
        yield Reason(words, words)
        return
    merged = _of_merged(a, b)
    if a.kind != b.kind and OWN in (a.kind, b.kind):
        found = []  # parameters of a module, and the calls that read them, are the same in other places
    elif merged is not None and (merged.alike or a.kind != b.kind):
        found = [merged]
    else:
        traits = _of_traits(a, b, moved=moved is not None, biases=merged is None)
        found = [*([merged] if merged else []), *_of_kinds(a, b), *([moved] if moved else []), *traits]
    yield from found
    if not equal(a.params, b.params):
        shared = min(a, b, key=lambda layer: magnitude(layer.params)).shared
        if shared:
            words = "parameters stored once"
            yield Reason(f"{words}: shared with {shared}", words, macs=False)
        elif not any(reason.params for reason in found):
            yield _of_weights(a, b)
    if a.unknown != b.unknown:
        words = f"unknown work in {'a' if a.unknown else 'b'}"
        yield Reason(words, words, params=False)
    elif not equal(a.macs, b.macs) and not any(reason.macs for reason in found):
        yield _of_batches(a, b)


def _of_merged(a: ComparedLayer, b: ComparedLayer) -> Reason | None:
    """Return the reason for layers that one network has as one, the other as several or not at all."""
    for one, other in ((a, b), (b, a)):
        if one.holds and one.holds[-1].kind == NORM and not other.holds:
            words = f"{NORM} folded into the {one.kind} before it"
            return Reason(words, words, macs=False)
        if one.kind == "add" and other.kind == "embedding":
            words = "an embedding of known indices as a constant that is added"
            return Reason(words, words, macs=False)
        if one.kind.endswith("norm") and other.kind in SCALES:
            statistics = ", its statistics among them" if len(other.holds) > 2 else ""
            words = f"{one.kind} as the multiplication and addition of constants{statistics}"
            return Reason(words, words, macs=False, params=bool(statistics))
        if one.holds and not other.holds:
            words = f"{other.kind} as the layers that it covers"
            return Reason(f"{words}: {described([each.kind for each in one.holds])}", words, alike=True)
    return None


def _of_weights(a: ComparedLayer, b: ComparedLayer) -> Reason:
    """Return the reason for more weights in one of two layers of the same size."""
    for name, more, less in (("a", a, b), ("b", b, a)):
        if a.kind.endswith("norm") and less.params != 0 and equal(more.params, 2 * less.params):
            words = f"both scale and shift in {name} only"
            return Reason(words, words, macs=False)
    phrase = "trainable parameters ", a.params, AGAINST, b.params
    return Reason(phrase, "trainable parameters", macs=False)


def _of_batches(a: ComparedLayer, b: ComparedLayer) -> Reason:
    """Return the reason for more work in one of two layers of the same size."""
    for name, more, less in (("a", a.macs, b.macs), ("b", b.macs, a.macs)):
        if isinstance(more, int) and isinstance(less, int) and less > 0 and more % less == 0:
            words = f"a batch {more // less} times as large in {name}"
            return Reason(words, words, params=False)
    return Reason(("macs ", a.macs, AGAINST, b.macs), "macs", params=False)


def _of_kinds(a: ComparedLayer, b: ComparedLayer) -> Iterator[Reason]:
    if dense_as_conv(a, b):
        yield Reason(
            "a dense layer as a convolution",
            "a dense layer as a convolution",
            macs=False,
            params=False,
            alike=True,
        )
    elif product_as_dense(a, b):
        words = f"{a.kind} as {b.kind}"
        yield Reason(words, words, macs=False, params=False, alike=True)
    elif a.kind != b.kind:
        words = f"{a.kind} against {b.kind}"
        yield Reason(words, words)


def _of_traits(a: ComparedLayer, b: ComparedLayer, *, moved: bool, biases: bool) -> Iterator[Reason]:
    """Yield the traits that differ; a difference that follows from another one is not repeated."""
    words: Phrase
    if product_as_dense(a, b):
        return
    if a.kind == b.kind:
        yield from _of_windows(a, b, moved=moved)
    if a.kind == b.kind or not dense_as_conv(a, b):
        for what, x, y in zip(("input", "output"), a.channels, b.channels, strict=True):
            if x != y:
                yield Reason((f"{what} channels ", x, AGAINST, y), f"{what} channels")
    if a.added != b.added and a.bias == b.bias:
        kind = "MatMul" if a.kind == "linear" else a.kind
        words = f"{kind} + Add of a constant as a {a.kind} layer with a bias"
        yield Reason(words, words, macs=False, params=False, alike=True)
    if a.bias != b.bias and biases:
        words = f"bias in {'a' if a.bias else 'b'} only"
        yield Reason(words, words, macs=False)
    explained = moved or a.stride != b.stride or unrolled(a, b)
    if a.kind == b.kind and a.sizes != b.sizes and not explained:
        words = "output ", *by(a.sizes), AGAINST, *by(b.sizes)
        yield Reason(words, "output", params=False)


def _of_windows(a: ComparedLayer, b: ComparedLayer, *, moved: bool) -> Iterator[Reason]:
    """Yield the differences between two windows; a stride that has moved within its block is explained there.

    TensorFlow writes a dilated convolution as a plain one between two rearrangements, which does the same
    work.
    """
    words: Phrase
    if a.kernel != b.kernel:
        words = "kernel ", *by(a.kernel), AGAINST, *by(b.kernel)
        yield Reason(words, words)
    if a.stride != b.stride and not moved:
        words = "stride ", *by(a.stride), AGAINST, *by(b.stride)
        yield Reason(words, words, params=False)
    if unrolled(a, b):
        words = "dilated convolution as a plain one between space-to-batch and batch-to-space"
        yield Reason(words, words, params=False, alike=True)
    elif a.dilation != b.dilation:
        words = "dilation ", *by(a.dilation), AGAINST, *by(b.dilation)
        yield Reason(words, words, params=False)
    if a.groups != b.groups:
        yield Reason(("groups ", a.groups, AGAINST, b.groups), "groups")


def _moved(pairs: Sequence[Couple]) -> Mapping[int, Reason]:
    """Return the strides that one network has in one convolution, the other in a later one.

    Without it ResNet-50 v1 against v1.5 would read as layers of other strides and sizes, two for each
    stage, instead of one stride that has moved. The strides of both networks must multiply to the same
    reduction.
    """
    strided = [(place, a, b) for place, (a, b) in enumerate(pairs) if a and b and a.stride and b.stride]
    found: dict[int, Reason] = {}
    for start, (place, a, b) in enumerate(strided):
        if a.stride == b.stride or place in found:
            continue
        for other, x, y in strided[start + 1 : start + 1 + REACH]:
            together = product((*a.stride, *x.stride)), product((*b.stride, *y.stride))
            if other not in found and x.stride != y.stride and equal(*together):
                found[place] = found[other] = _move((a, b), (x, y))
                break
    return found


def _move(first: tuple[ComparedLayer, ComparedLayer], second: tuple[ComparedLayer, ComparedLayer]) -> Reason:
    """Return the reason for a moved stride; it names the layer that has it in each network."""
    a, b = (
        max(one, other, key=lambda item: _size(item.stride)) for one, other in zip(first, second, strict=True)
    )
    sort = "stride moved from the ", *by(a.kernel), " in a to the ", *by(b.kernel), " in b"
    words = "stride moved: ", *by(a.stride), f" at {a.path} in a, ", *by(b.stride), f" at {b.path} in b"
    return Reason(words, sort, params=False, pairs=2)


def _size(shape: Shape) -> int:
    sizes = [size for size in shape if isinstance(size, int)]
    return sum(sizes)
