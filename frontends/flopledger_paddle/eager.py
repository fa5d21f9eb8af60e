"""Eager ops and known values while a program is built: names of Paddle that are not public.

As :mod:`flopledger_paddle.internals`, seen on Paddle 3.3.1.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import types
from typing import TYPE_CHECKING, Any

from flopledger_paddle.framework import paddle
from flopledger_paddle.internals import replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


class Eager:
    """Runs eager ops while a program is built, with the tracer of dynamic mode that static mode lacks.

    It is made in dynamic mode.
    """

    def __init__(self) -> None:
        from paddle.base import core, framework  # noqa: PLC0415

        self._core: Any = core  # a compiled module, whose types name only a part of it
        self._tracer = framework._dygraph_tracer()  # noqa: SLF001
        self.place = core.Place()
        self.place.set_place(core.CPUPlace())

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Be in dynamic mode for a while; without its tracer an eager op ends the process."""
        from paddle.base import framework  # noqa: PLC0415

        tracer = framework.global_var._dygraph_tracer_
        grad = self._tracer._has_grad  # noqa: SLF001
        framework.global_var._dygraph_tracer_ = self._tracer
        self._core._switch_tracer(self._tracer)  # noqa: SLF001
        self._tracer._has_grad = False  # noqa: SLF001
        try:
            yield
        finally:
            self._tracer._has_grad = grad  # noqa: SLF001
            framework.global_var._dygraph_tracer_ = tracer
            self._core._switch_tracer(tracer)  # noqa: SLF001

    def call(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run the eager op of a name.

        Raises:
            AttributeError: There is none.
        """
        op = getattr(self._core.eager.ops, name)
        with self():
            return op(*args, **kwargs)


@contextlib.contextmanager
def ops_replaced(wrapped: Callable[[str, Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
    """Put something before each op that Paddle's functions put into a program, for a while.

    Most functions look the op up in ``paddle._C_ops``. Since Paddle 3.3 some are that op
    (``paddle.greater_than``), bound in the modules that import it and in the closures of
    the operators of ``Value``.
    """
    from paddle import _C_ops  # noqa: PLC0415

    ops = {name: value for name, value in vars(_C_ops).items() if callable(value) and name[0] != "_"}
    ops.pop("core", None)
    places = list(_bound(ops))
    try:
        for name, own in ops.items():
            setattr(_C_ops, name, wrapped(name, own))
        for put, name in places:
            put(wrapped(name, ops[name]))
        yield
    finally:
        for name, own in ops.items():
            setattr(_C_ops, name, own)
        for put, name in places:
            put(ops[name])


def _bound(ops: Mapping[str, Any]) -> Iterator[tuple[Callable[[Any], None], str]]:
    """Yield how to put another op wherever one is bound outside of ``_C_ops``, and its name."""
    names = {id(op): name for name, op in ops.items()}
    for path, module in list(sys.modules.items()):
        if not path.startswith("paddle.") and path != "paddle":
            continue
        if path == "paddle._C_ops" or not isinstance(module, types.ModuleType):
            continue
        for key, value in list(vars(module).items()):
            if id(value) in names and ops[names[id(value)]] is value:
                yield functools.partial(setattr, module, key), names[id(value)]
    for method in list(vars(paddle.pir.Value).values()):
        for cell in getattr(method, "__closure__", None) or ():
            if id(cell.cell_contents) in names:
                yield functools.partial(setattr, cell, "cell_contents"), names[id(cell.cell_contents)]


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "__int__": lambda array: int(array.item()),
    "__index__": lambda array: int(array.item()),
    "__float__": lambda array: float(array.item()),
    "__bool__": lambda array: bool(array.item()),
    "numpy": lambda array: array,
    "tolist": lambda array: array.tolist(),
    "item": lambda array: array.item(),
}


@contextlib.contextmanager
def conversions_replaced(array_of: Callable[[Any], Any]) -> Iterator[None]:
    """Let ``int(value)`` and similar calls work on the values of a program for which there is an array."""
    kind = paddle.pir.Value
    before = {name: getattr(kind, name, None) for name in _CONVERSIONS}

    def method(name: str) -> Callable[..., Any]:
        def convert(self: Any, *args: Any) -> Any:
            array = array_of(self)
            if array is not None and not args:
                return _CONVERSIONS[name](array)
            own = before[name]
            if own is None:
                raise TypeError("the size depends on data, and is no number in a program")
            return own(self, *args)

        return convert

    try:
        for name in _CONVERSIONS:
            setattr(kind, name, method(name))
        yield
    finally:
        for name, own in before.items():
            if own is None:
                delattr(kind, name)
            else:
                setattr(kind, name, own)


@contextlib.contextmanager
def in_place_seen(note: Callable[[Any, Any], None], latest: Callable[[Any], Any]) -> Iterator[None]:
    """Let functions in place be seen: in a program Paddle makes a new value and leaves the old one as it was.

    Args:
        note: Gets the value that is written, and the one that holds its new contents.
        latest: Returns the newest contents of a value, whose shape that value then shows.
    """
    value = paddle.pir.Value
    own_shape = value.shape

    def seen(own: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(own)
        def function(*args: Any, **kwargs: Any) -> Any:
            result = own(*args, **kwargs)
            written = next(iter((*args, *kwargs.values())), None)
            if isinstance(written, value) and isinstance(result, value):
                note(written, result)
            return result

        return function

    with contextlib.ExitStack() as stack:
        for owner in (value, paddle, paddle.nn.functional):
            for name, own in list(vars(owner).items()):
                if callable(own) and name[-1] == "_" and name[0] != "_":
                    stack.enter_context(replaced(owner, name, seen(own)))
        stack.enter_context(replaced(value, "shape", property(lambda self: own_shape.fget(latest(self)))))
        yield


@contextlib.contextmanager
def floor_division_as_eager() -> Iterator[None]:
    """Give ``tensor // 2`` the shape that it has eagerly: of a tensor without axes, one of one axis.

    Of the operators with a number only this one takes the number as a tensor of one axis; PaddleSeg's ISANet
    joins such quotients by ``concat``, which refuses tensors without axes. A program takes it without.
    """
    kind = paddle.pir.Value

    def divide(own: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def operator(self: Any, other: Any) -> Any:
            number = isinstance(other, (int, float)) and not isinstance(other, bool)
            return own(self.reshape([1]) if number and list(self.shape) == [] else self, other)

        return operator

    with contextlib.ExitStack() as stack:
        for name in ("__floordiv__", "__rfloordiv__"):
            stack.enter_context(replaced(kind, name, divide(getattr(kind, name))))
        yield


def constants(numbers: Sequence[int], dtype: Any) -> Any:
    """Return a value of the program that holds whole numbers."""
    return paddle._pir_ops.full_int_array(list(numbers), dtype, paddle.base.core.Place())  # noqa: SLF001


def constant(shape: Sequence[int], number: Any, dtype: Any) -> Any:
    """Return a value of the program that holds one number."""
    return paddle._pir_ops.full(list(shape), number, dtype, paddle.base.core.Place())  # noqa: SLF001


def fractions(shape: Sequence[int], numbers: Sequence[float], dtype: Any) -> Any:
    """Return a value of the program that holds several numbers, as ``to_tensor`` makes it."""
    return paddle._pir_ops.assign_value(list(shape), dtype, list(numbers), paddle.base.core.Place())  # noqa: SLF001
