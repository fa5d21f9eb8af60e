"""What differs between two layers that stand for each other, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from flopledger.dims.arithmetic import equal, product, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flopledger.comparing.layers import Item
    from flopledger.dims.types import Shape

Couple: TypeAlias = "tuple[Item | None, Item | None]"

REACH = 3
"""How many convolutions further on a stride may have moved."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What differs, in words; ``group`` is what reasons of its sort have in common.

    ``macs`` and ``params`` tell whether it changes the multiply-accumulates or the parameters.
    ``alike`` marks another spelling of the same layer; ``pairs`` is over how many pairs it stretches.
    """

    text: str
    group: str
    macs: bool = True
    params: bool = True
    alike: bool = False
    pairs: int = 1


def dense_as_conv(a: Item, b: Item) -> bool:
    """Whether a dense layer and a convolution over all of its input are one and the same."""
    kinds = {a.kind, b.kind}
    return kinds == {"conv", "linear"} and equal(a.macs, b.macs) and a.channels[1] == b.channels[1]


def reasons(pairs: Sequence[Couple]) -> list[tuple[Reason, ...]]:
    """Return what differs in each pair of an alignment."""
    moved = _moved(pairs)
    return [tuple(_of_pair(a, b, moved.get(place))) for place, (a, b) in enumerate(pairs)]


def _of_pair(a: Item | None, b: Item | None, moved: Reason | None) -> Iterator[Reason]:
    if a is None or b is None:
        only = a or b
        kind = only.kind if only is not None else ""
        said = f"{kind} without a counterpart in {'a' if a is None else 'b'}"
        yield Reason(said, said)
        return
    found = [*_of_kinds(a, b), *([moved] if moved else []), *_of_traits(a, b, moved=moved is not None)]
    yield from found
    if not equal(a.params, b.params) and not any(reason.params for reason in found):
        yield _of_weights(a, b)
    if not equal(a.macs, b.macs) and not any(reason.macs for reason in found):
        yield _of_batches(a, b)


def _of_weights(a: Item, b: Item) -> Reason:
    """Say that one layer has more weights than another of the same size."""
    for name, more, less in (("a", a, b), ("b", b, a)):
        if a.kind.endswith("norm") and less.params != 0 and equal(more.params, 2 * less.params):
            said = f"both scale and shift in {name} only"
            return Reason(said, said, macs=False)
    said = f"trainable parameters {text(a.params)} against {text(b.params)}"
    return Reason(said, "trainable parameters", macs=False)


def _of_batches(a: Item, b: Item) -> Reason:
    """Say that one layer works on more than another of the same size."""
    for name, more, less in (("a", a.macs, b.macs), ("b", b.macs, a.macs)):
        if isinstance(more, int) and isinstance(less, int) and less > 0 and more % less == 0:
            said = f"a batch {more // less} times as large in {name}"
            return Reason(said, said, params=False)
    return Reason(f"macs {text(a.macs)} against {text(b.macs)}", "macs", params=False)


def _of_kinds(a: Item, b: Item) -> Iterator[Reason]:
    if dense_as_conv(a, b):
        yield Reason(
            "a dense layer as a convolution",
            "a dense layer as a convolution",
            macs=False,
            params=False,
            alike=True,
        )
    elif a.kind != b.kind:
        said = f"{a.kind} against {b.kind}"
        yield Reason(said, said)


def _of_traits(a: Item, b: Item, *, moved: bool) -> Iterator[Reason]:
    """Yield the traits that differ; what follows from another one is not said again."""
    if a.kind == b.kind:
        yield from _of_windows(a, b, moved=moved)
    if a.kind == b.kind or not dense_as_conv(a, b):
        for what, x, y in zip(("input", "output"), a.channels, b.channels, strict=True):
            if x != y:
                yield Reason(f"{what} channels {text(x)} against {text(y)}", f"{what} channels")
    if a.bias != b.bias:
        said = f"bias in {'a' if a.bias else 'b'} only"
        yield Reason(said, said, macs=False)
    strided = moved or a.stride != b.stride
    if a.kind == b.kind and a.sizes != b.sizes and not strided:
        yield Reason(f"output {_by(a.sizes)} against {_by(b.sizes)}", "output", params=False)


def _of_windows(a: Item, b: Item, *, moved: bool) -> Iterator[Reason]:
    if a.kernel != b.kernel:
        said = f"kernel {_by(a.kernel)} against {_by(b.kernel)}"
        yield Reason(said, said)
    if a.stride != b.stride and not moved:
        said = f"stride {_by(a.stride)} against {_by(b.stride)}"
        yield Reason(said, said, params=False)
    if a.dilation != b.dilation:
        said = f"dilation {_by(a.dilation)} against {_by(b.dilation)}"
        yield Reason(said, said, params=False)
    if a.groups != b.groups:
        said = f"groups {text(a.groups)} against {text(b.groups)}"
        yield Reason(said, "groups")


def _moved(pairs: Sequence[Couple]) -> Mapping[int, Reason]:
    """Find the strides that one network has in one convolution, the other in a neighbour."""
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


def _move(first: tuple[Item, Item], second: tuple[Item, Item]) -> Reason:
    """Name the layer that has the stride in each network."""
    a, b = (
        max(one, other, key=lambda item: _size(item.stride)) for one, other in zip(first, second, strict=True)
    )
    sort = f"stride moved from the {_by(a.kernel)} in a to the {_by(b.kernel)} in b"
    said = f"stride moved: {_by(a.stride)} at {a.path} in a, {_by(b.stride)} at {b.path} in b"
    return Reason(said, sort, params=False, pairs=2)


def _size(shape: Shape) -> int:
    sizes = [size for size in shape if isinstance(size, int)]
    return sum(sizes)


def _by(sizes: Shape) -> str:
    return "x".join(map(text, sizes)) or "none"
