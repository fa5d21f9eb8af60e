"""Replaces, for the length of a reading, the methods that Keras infers shapes with."""

from __future__ import annotations

import contextlib
import functools
import threading
from typing import TYPE_CHECKING, Any, TypeAlias

import keras
from keras.src.backend.common import keras_tensor
from keras.src.backend.common.variables import Variable
from keras.src.ops.numpy import GetItem
from keras.src.ops.operation import Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Evaluate: TypeAlias = "Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]"
KerasCall: TypeAlias = "Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]"

_OPERATORS = {
    "__add__": ("add", False),
    "__radd__": ("add", True),
    "__sub__": ("subtract", False),
    "__rsub__": ("subtract", True),
    "__mul__": ("multiply", False),
    "__rmul__": ("multiply", True),
    "__pow__": ("power", False),
    "__truediv__": ("divide", False),
    "__rtruediv__": ("divide", True),
    "__matmul__": ("matmul", False),
    "__rmatmul__": ("matmul", True),
}
"""The operators of a variable: the function of ``keras.ops``, and whether the operands are turned round."""
_ALONE: dict[str, Callable[..., Any]] = {
    "__neg__": lambda variable: keras.ops.negative(variable),  # noqa: PLW0108  (Keras loads it late)
    "__getitem__": lambda variable, key: GetItem().symbolic_call(variable, key),
}
"""The operators of a variable with itself alone, on shapes."""
_lock = threading.RLock()


@contextlib.contextmanager
def hooked(evaluate: Evaluate, weights: Callable[[], bool]) -> Iterator[None]:
    """Let every layer and operation that is called on shapes in this thread come to a function.

    Other threads go on as ever, and all is put back on leaving.

    Args:
        evaluate: Gets the layer or operation and its arguments, and returns its result.
        weights: Whether weights count as shapes now, so that operations on them alone come too.
    """
    places = (Operation, keras.layers.Layer)
    thread = threading.get_ident()

    def active() -> bool:
        return threading.get_ident() == thread and weights()

    with _lock:
        originals = [place.__dict__["symbolic_call"] for place in places]
        spelled = {name: Variable.__dict__[name] for name in (*_OPERATORS, *_ALONE)}
        tensor_class = keras_tensor.KerasTensor
        try:
            for place, original in zip(places, originals, strict=True):
                place.symbolic_call = _instead(original, evaluate, thread)
            for name, operator in spelled.items():
                setattr(Variable, name, _on_shapes(name, operator, active))
            keras_tensor.KerasTensor = _symbolic(tensor_class, active)
            yield
        finally:
            keras_tensor.KerasTensor = tensor_class
            for name, operator in spelled.items():
                setattr(Variable, name, operator)
            for place, original in zip(places, originals, strict=True):
                place.symbolic_call = original


def _symbolic(tensor_class: type, active: Callable[[], bool]) -> type:
    """Return the answer to ``any_symbolic_tensors``: a tensor of shapes, or a weight where they count too.

    That function looks the class up in its own module, so that replacing it there reaches all of
    ``keras.ops`` at once (Keras 3.15, backend/common/keras_tensor.py).
    """

    class Meta(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, tensor_class) or (isinstance(instance, Variable) and active())

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            return tensor_class(*args, **kwargs)

    return Meta(tensor_class.__name__, (), {})


def _instead(original: Any, evaluate: Evaluate, thread: int) -> Any:
    def symbolic_call(op: Any, *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != thread:
            return original(op, *args, **kwargs)
        return evaluate(op, args, kwargs)

    return symbolic_call


def _on_shapes(name: str, operator: Any, active: Callable[[], bool]) -> Any:
    """Return a variable's operator that knows shapes too; Keras's own would compute with them."""
    if name in _ALONE:
        return lambda self, *args: _ALONE[name](self, *args) if active() else operator(self, *args)
    function, turned = _OPERATORS[name]

    def apply(self: Any, other: Any) -> Any:
        if not isinstance(other, keras.KerasTensor) and not active():
            return operator(self, other)
        called = getattr(keras.ops, function)
        return called(other, self) if turned else called(self, other)

    return apply


@contextlib.contextmanager
def watched(call: KerasCall) -> Iterator[None]:
    """Let every layer that is called in this thread, on whatever tensors, come to a function.

    It is given the layer's own way of calling it, the layer, and the arguments.
    """
    layer_class = keras.layers.Layer
    with _lock:
        original, thread = layer_class.__dict__["__call__"], threading.get_ident()

        def __call__(layer: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807  (it takes its place)
            if threading.get_ident() != thread:
                return original(layer, *args, **kwargs)
            return call(functools.partial(original, layer), layer, args, kwargs)

        try:
            layer_class.__call__ = __call__
            yield
        finally:
            layer_class.__call__ = original
