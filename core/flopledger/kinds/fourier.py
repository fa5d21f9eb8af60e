"""Discrete Fourier transforms.

A transform of n points is done prime by prime of ``n = p_1 .. p_k``, which takes ``n (p_i - 1)``
complex products and as many complex additions for each prime. For ``p_i = 2`` the two sums of a
butterfly share their product, ``n / 2`` of them, so that a power of two takes ``5 n log_2(n)`` real
operations. A complex product is four real ones and two additions. A transform to or from real numbers
takes half of all. Libraries whose transforms of primes above 2 are better take fewer. Source: Cooley and
Tukey, *An Algorithm for the Machine Calculation of Complex Fourier Series*, 1965.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import product
from flopledger.kinds.axes import nth_axis, without
from flopledger.kinds.kind import Attribute, Call, Kind, Parts, merged
from flopledger.meter import spend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.dims.types import Dim, Shape

MOST_POINTS = 2**32
"""The most points of one transform, whose number is divided into primes."""

_REAL = ("neither", "input", "output")


def _primes(n: int) -> Iterator[int]:
    """Yield the prime divisors of a number, each as often as it divides."""
    divisor = 2
    while divisor * divisor <= n:
        while n % divisor == 0:
            yield divisor
            n //= divisor
        divisor += 1
    spend(divisor)
    if n > 1:
        yield n


def _transform(n: int) -> tuple[int, int]:
    """Return the real products and additions of one transform of n complex points."""
    products = additions = 0
    for prime in _primes(n):
        products += n // 2 if prime == 2 else n * (prime - 1)
        additions += n * (prime - 1)
    return 4 * products, 2 * products + 2 * additions


def _axes(call: Call) -> tuple[int, ...]:
    """Return the axes that are transformed, in order."""
    rank = len(call.input)
    axes = tuple(nth_axis(call, axis, rank) for axis in call.dims("axes"))
    if not axes or len(set(axes)) != len(axes):
        raise call.impossible(f"the axes {call.dims('axes')} are not one or more, each once")
    return axes


def _real(call: Call) -> str:
    real = call.word("real")
    if real not in _REAL:
        raise call.impossible(f"{real!r} is none of {', '.join(_REAL)}")
    return real


def _lengths(call: Call) -> tuple[int, ...]:
    """Return the points of the transform along each axis, which have to be numbers."""
    axes, lengths = _axes(call), [call.input[axis] for axis in _axes(call)]
    if _real(call) == "output":
        lengths[-1] = call.dim("size")
    found = tuple(n for n in lengths if isinstance(n, int) and 1 <= n <= MOST_POINTS)
    if len(found) < len(axes):
        raise call.impossible(f"the transform needs numbers from 1 to {MOST_POINTS} in place of {lengths}")
    return found


def fft_shapes(call: Call) -> tuple[Shape, ...]:
    """The shape stays, but n real numbers along the last axis are ``floor(n / 2) + 1`` complex ones.

    The others are their conjugates; unless ``onesided`` they are there too.
    """
    last, lengths, real = _axes(call)[-1], _lengths(call), _real(call)
    if real == "output":
        return (without(call.input, (last,), lengths[-1]),)
    if real == "input" and call.flag("onesided"):
        return (without(call.input, (last,), lengths[-1] // 2 + 1),)
    return (call.input,)


def fft_parts(call: Call) -> Parts:
    """A transform of each vector along each axis, and a factor for each number where it is scaled.

    The last axis is that of the real numbers; the others have half as many complex ones.
    """
    axes, lengths, real = _axes(call), _lengths(call), _real(call)
    halves = call.input
    if real == "input":
        halves = without(call.input, (axes[-1],), lengths[-1] // 2 + 1)
    found = []
    for axis, n in zip(axes, lengths, strict=True):
        half = real != "neither" and axis == axes[-1]
        vectors = product(without(halves, (axis,)))
        multiplies, adds = (count // 2 if half else count for count in _transform(n))
        found.append({"multiplies": vectors * multiplies, "adds": vectors * adds})
    return merged(*found, {"multiplies": _factors(call, halves, real)})


def _factors(call: Call, halves: Shape, real: str) -> Dim:
    """Return the products that scale the result: one for a real number, two for a complex one."""
    if not call.flag("scaled"):
        return 0
    return call.out_elems if real == "output" else 2 * product(halves)


KINDS = (
    Kind(
        name="fft",
        doc="discrete Fourier transform along axes, or its inverse",
        group="transform",
        attributes=(
            Attribute("axes", "axes that are transformed; the last is that of real numbers"),
            Attribute("real", "which side is real: neither, input or output", default="neither"),
            Attribute("size", "numbers along the last axis of a real output", default=None),
            Attribute("onesided", "whether conjugates of a real input's numbers are left out", default=True),
            Attribute("scaled", "whether the result is multiplied by a factor", default=False),
        ),
        shapes=fft_shapes,
        parts=fft_parts,
    ),
)
