"""Sizes that are symbols: a network is read at example sizes, and its shapes follow from the kinds' rules.

Paddle infers shapes with numbers only. So a network is read three times, at sizes that differ in each
symbol. An attribute that is one number in the first reading and another in the next is a multiple of a
symbol, or a symbol and a constant; the shapes of all tensors then follow by the shape rules, and the
third reading must agree with the formulas at its sizes, or the network is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from flopledger.frontend import (
    ShapeError,
    SourceError,
    is_dim,
    kinds,
    reshape,
    substitute,
    symbol,
    symbol_names,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from flopledger.frontend import Dim, Graph, InputSpec, Layer, Request, Shape, Tensor, Value

Sizes: TypeAlias = Mapping[str, int]

_BATCHES = ((2, 3, 5), (7, 11, 13), (17, 19, 23))
"""Sizes of a batch in the three readings, for a first, second and third symbol: primes, so that a size that
follows from one symbol is no product of others by chance."""
_SEQUENCES = ((16, 24, 40), (48, 56, 88), (96, 104, 136))
"""Lengths of sequences: multiples of 8, by which heads and patches divide them."""
_IMAGES = ((224, 256, 320), (288, 352, 384), (416, 448, 480))
"""Sides of images: multiples of 32, by which ResNet, HRNet and others reduce them."""
_LARGE = 4
"""Inputs with so many axes are images, whose sides networks halve several times."""


def symbols_of(shapes: Iterable[Shape]) -> tuple[str, ...]:
    """Return the names of the symbols in shapes."""
    return tuple(sorted({name for shape in shapes for size in shape for name in symbol_names(size)}))


def examples(shapes: Iterable[Shape]) -> tuple[Sizes, Sizes, Sizes]:
    """Return three numbers for each symbol: small for a batch, others for sequences and images."""
    numbers: dict[str, tuple[int, ...]] = {}
    used = {_BATCHES: 0, _SEQUENCES: 0, _IMAGES: 0}
    for shape in shapes:
        for axis, size in enumerate(shape):
            table = _BATCHES if axis == 0 else _IMAGES if len(shape) >= _LARGE and axis > 1 else _SEQUENCES
            for name in symbol_names(size):
                if name not in numbers:
                    numbers[name] = table[used[table] % len(table)]
                    used[table] += 1
    first, second, third = ({name: triple[i] for name, triple in numbers.items()} for i in range(3))
    return first, second, third


def at(spec: InputSpec, sizes: Sizes) -> InputSpec:
    """Return an input spec with numbers in place of symbols."""
    return replace(spec, shape=tuple(substitute(size, sizes) for size in spec.shape or ()))


def with_symbols(request: Request, shapes: tuple[Shape, ...], read: Callable[[Sizes], Graph]) -> Graph:
    """Return the graph of a network whose inputs have symbols.

    Args:
        request: What is read.
        shapes: The shape of each input tensor, in order, with symbols.
        read: Reads the network with a number for each symbol.

    Raises:
        SourceError: How the network depends on a symbol can't be determined.
    """
    sizes = examples(shapes)
    first, second, third = (read(numbers) for numbers in sizes)
    try:
        fitted = _fitted(first, second, sizes)
        inputs = {given.tensor: shape for given, shape in zip(first.inputs, shapes, strict=True)}
        graph = reshape(fitted, _source_shapes(first, second, sizes) | inputs, kinds())
        _check(graph, third, sizes[2])
    except ShapeError as error:
        names = ", ".join(sizes[0])
        raise SourceError(
            f"{request.source}: how it depends on {names} can't be determined: {error}. Give a number instead"
        ) from None
    return graph


def _fitted(first: Graph, second: Graph, sizes: tuple[Sizes, Sizes, Sizes]) -> Graph:
    """Return the first reading with symbols in the attributes that differ in the second."""
    _check_calls(first, second)
    layers = tuple(
        replace(a, attrs={name: _fit(value, b.attrs[name], sizes) for name, value in a.attrs.items()})
        if a.attrs != b.attrs
        else a
        for a, b in zip(first.layers, second.layers, strict=True)
    )
    return replace(first, layers=layers)


def _source_shapes(first: Graph, second: Graph, sizes: tuple[Sizes, Sizes, Sizes]) -> dict[int, Shape]:
    """Return the shapes that follow from no rule: of constants, and of the states of a recurrent layer."""
    made = {tensor for layer in first.layers if layer.level == "op" for tensor in layer.outputs}
    pairs = zip(first.tensors, second.tensors, strict=True)
    return {
        a.id: tuple(_line(x, y, sizes) for x, y in _numbers(a, b))
        for a, b in pairs
        if a.id not in made and a.shape != b.shape
    }


def _numbers(a: Tensor, b: Tensor) -> Iterator[tuple[int, int]]:
    """Yield the sizes of a tensor in both readings."""
    if a.shape is None or b.shape is None or len(a.shape) != len(b.shape):
        raise ShapeError(f"a tensor is {a.shape} or {b.shape}, as the sizes are")
    for x, y in zip(a.shape, b.shape, strict=True):
        if isinstance(x, int) and isinstance(y, int):
            yield x, y


def _check_calls(first: Graph, other: Graph) -> None:
    def compared(layer: Layer) -> tuple[object, ...]:
        return (layer.source, layer.kind, layer.inputs, layer.outputs, sorted(layer.attrs), layer.problem)

    if len(first.layers) != len(other.layers):
        raise ShapeError(f"there are {len(first.layers)} or {len(other.layers)} calls, as the sizes are")
    for a, b in zip(first.layers, other.layers, strict=True):
        if compared(a) != compared(b):
            raise ShapeError(f"{a.path}: the calls depend on the sizes")


def _fit(a: Value, b: Value, sizes: tuple[Sizes, Sizes, Sizes]) -> Value:
    if a == b:
        return a
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        return tuple(_fit(x, y, sizes) for x, y in zip(a, b, strict=True))
    if isinstance(a, int) and isinstance(b, int) and not isinstance(a, bool):
        return _line(a, b, sizes)
    raise ShapeError(f"an argument is {a!r} or {b!r}, as the sizes are")


def _line(a: int, b: int, sizes: tuple[Sizes, Sizes, Sizes]) -> Dim:
    """Return ``factor symbol + constant`` through two points; one without a constant where there is one."""
    if a == b:
        return a
    found: list[Dim] = []
    for name, x in sizes[0].items():
        step = sizes[1][name] - x
        factor, rest = divmod(b - a, step)
        constant = a - factor * x
        if rest == 0 and constant == 0:
            return symbol(name) * factor
        if rest == 0:
            found.append(symbol(name) * factor + constant)
    if len(found) != 1:
        raise ShapeError(f"an argument is {a} or {b}, as the sizes are")
    return found[0]


def _check(graph: Graph, third: Graph, sizes: Sizes) -> None:
    """Check that the formulas give the shapes that were read at other sizes."""
    _check_calls(graph, third)
    for mine, read in zip(graph.tensors, third.tensors, strict=True):
        expected = None if mine.shape is None else tuple(substitute(size, sizes) for size in mine.shape)
        if expected != read.shape:
            raise ShapeError(f"a tensor would be {expected}, and is {read.shape}")
    for a, b in zip(graph.layers, third.layers, strict=True):
        if any(_settled(value, sizes) != b.attrs[name] for name, value in a.attrs.items()):
            raise ShapeError(f"{a.path}: its arguments differ from the formulas' values")


def _settled(value: Value, sizes: Sizes) -> Value:
    if isinstance(value, tuple):
        return tuple(_settled(item, sizes) for item in value)
    return substitute(value, sizes) if is_dim(value) else value
