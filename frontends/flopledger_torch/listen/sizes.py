"""Products of sizes, which PyTorch's tracer records as operators of the network.

Under the tracer ``x.shape[0]`` is a tensor without axes, and ``x.shape[0] * heads`` an operator that
tools count. Where a reading records them, sizes are whole numbers that remember the products they
were made from, and each product is an op ``size.mul`` with its data flow: an op that is given a size
depends on the products in it. Sizes that are symbols are torch's own objects, which remember the same.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import TensorRef, is_a

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flopledger_torch.record import Recorder

PRODUCT = "size.mul"
"""The source of a product of sizes."""

_OPERATIONS = """
    __add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __floordiv__ __rfloordiv__ __truediv__ __rtruediv__
    __mod__ __pow__ __neg__
"""
_COMPARISONS = "__rmod__ __rpow__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__"
"""Operations of symbols that take plain numbers, not sizes."""
_CONSUMERS = """
    __getitem__ arange as_strided broadcast_to chunk empty expand eye flatten full linspace narrow new_empty
    new_full new_ones new_zeros ones pad permute rand randn repeat repeat_interleave reshape roll select split
    tensor tensor_split tile tril triu unflatten unfold view zeros
"""
"""Functions that take sizes, besides those that are recorded."""

_RECORDER: list[Recorder] = []


class Size(int):
    """A size, and the products that it was made from, by tensor."""

    products: tuple[int, ...] = ()


class Quotient(float):
    """A quotient of sizes."""

    products: tuple[int, ...] = ()


_TRACKED: dict[type, Any] = {int: Size, float: Quotient}
_SYMBOLS = (torch.SymInt, torch.SymFloat)


def _operation(base: type, name: str) -> Callable[..., Any]:
    plain = getattr(base, name)

    def run(self: Any, *others: Any) -> Any:
        result = plain(self, *others)
        if result is NotImplemented and others and isinstance(others[0], float):
            result = getattr(float, name)(float(self), *others)
        if result is NotImplemented or not _RECORDER or not _RECORDER[0].is_recording():
            return result
        made = _TRACKED.get(type(result))
        if made is None:
            return result
        found = made(result)
        found.products = tuple(products_in((self, *others)))
        if "mul" in name:
            found.products = (_record(_RECORDER[0], found.products),)
        return found

    return run


for _base in (int, float):
    for _name in _OPERATIONS.split():
        if hasattr(_base, _name):
            setattr(Size if _base is int else Quotient, _name, _operation(_base, _name))


def _symbolic(recorder: Recorder, name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operation of torch's symbols whose result remembers its products."""

    @functools.wraps(plain)
    def run(self: Any, *others: Any) -> Any:
        result: Any = plain(self, *map(_bare, others))
        if result is NotImplemented or not recorder.is_recording():
            return result
        products = tuple(products_in((self, *others)))
        if "mul" in name:
            products = (_record(recorder, products),)
        if products and isinstance(result, (int, float)) and type(result) in _TRACKED:
            result = _TRACKED[type(result)](result)  # of symbols that cancel out, a number is left
        if products and type(result) in (Size, Quotient, *_SYMBOLS):
            result.products = products
        return result

    return run


def _bare(value: Any) -> Any:
    """Return a size as the plain number that torch's symbols take."""
    return int(value) if type(value) is Size else float(value) if type(value) is Quotient else value


def _record(recorder: Recorder, products: tuple[int, ...]) -> int:
    """Record a product, and return its tensor."""
    event = recorder.open("op", PRODUCT, "mul")
    event.inputs = list(products)
    event.native = {"args": tuple(map(TensorRef, products))}
    event.outputs = [recorder.tensors.scalar()]
    recorder.current = event.parent
    return event.outputs[0]


def products_in(value: Any) -> Iterator[int]:
    """Yield the products in an argument, however it is nested."""
    if is_a(value, Size, Quotient, *_SYMBOLS):
        yield from getattr(value, "products", ())
    elif is_a(value, tuple, list):
        for item in value:
            yield from products_in(item)
    elif type(value) is slice:
        yield from products_in((value.start, value.stop, value.step))
    elif is_a(value, dict):
        yield from products_in(tuple(dict.values(value)))


def _sizes(shape: Any) -> Any:
    return torch.Size([Size(size) if type(size) is int else size for size in shape])


def _replacements(recorder: Recorder) -> Iterator[tuple[Any, str, Any]]:
    """Yield each replacement: an object, the attribute, and its new value."""
    base: Any = torch._C.TensorBase
    shape, size, numel = base.shape.__get__, base.size, base.numel

    def size_of(self: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        found = size(self, *args, **kwargs)
        if not recorder.is_recording():
            return found
        return Size(found) if type(found) is int else _sizes(found) if isinstance(found, tuple) else found

    def shape_of(self: torch.Tensor) -> Any:
        return _sizes(shape(self)) if recorder.is_recording() else shape(self)

    def numel_of(self: torch.Tensor) -> Any:
        found = numel(self)
        return Size(found) if type(found) is int and recorder.is_recording() else found

    yield torch.Tensor, "shape", property(shape_of)
    yield torch.Tensor, "size", size_of
    yield torch.Tensor, "numel", numel_of
    for symbols in _SYMBOLS:
        for name in (*_OPERATIONS.split(), *_COMPARISONS.split()):
            if hasattr(symbols, name):
                yield symbols, name, _symbolic(recorder, name, getattr(symbols, name))
    for name in _CONSUMERS.split():
        for owner in (torch, torch.Tensor):
            if callable(getattr(owner, name, None)):
                yield owner, name, _consuming(recorder, getattr(owner, name))


def _consuming(recorder: Recorder, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def consuming(*args: Any, **kwargs: Any) -> Any:
        if recorder.is_recording():
            recorder.products += products_in((args, kwargs))
        return function(*args, **kwargs)

    return consuming


@contextlib.contextmanager
def recording_sizes(recorder: Recorder) -> Iterator[None]:
    """Let sizes remember the products that they are made from, during a reading."""
    saved: list[tuple[Any, str, Any, bool]] = []
    try:
        for owner, name, replacement in list(_replacements(recorder)):
            saved.append((owner, name, vars(owner).get(name), name in vars(owner)))
            setattr(owner, name, replacement)
        _RECORDER.append(recorder)
        recorder.records_sizes = True
        yield
    finally:
        _RECORDER.clear()
        for owner, name, before, own in reversed(saved):
            if own:
                setattr(owner, name, before)
            else:  # it was inherited
                delattr(owner, name)
