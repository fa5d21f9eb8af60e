"""Follows layers that the table does not describe, by their own ``call``: on shapes, else on symbols."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import UNKNOWN, ShapeError, UsageError
from keras.src.backend import get_keras_mask, set_keras_mask

from flopledger_keras.introspect import cant, dtype_of, graph_of, infer, is_array, set_training
from flopledger_keras.listen import watched

if TYPE_CHECKING:
    from flopledger_keras.calls import Calls


def run_own(tracer: Calls, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, training: bool) -> Any:
    """Let a layer run its own ``call`` on shapes; where that fails, with the backend's symbolic tensors.

    A call on shapes fails where the user's code calls the backend itself (``tf.reshape(x, ...)``), or decides
    by a value. With TensorFlow the nodes of the call's function graph are read then. Other backends show no
    nodes: the layers that the call reaches are recorded, and computations beside them are unknown.
    """
    given = {name: value for name, value in kwargs.items() if name != "training"}
    if getattr(op, "_call_has_training_arg", False):
        given["training"] = training
    args, given = keras.tree.map_structure(lambda value: _cast(tracer, op, value), (args, given))
    state = tracer.mark()
    set_training(training=training)
    try:
        with tracer.own_call_on(shapes=True), warnings.catch_warnings():
            # Keras warns of layers that can't be built on shapes, and these are followed all the same.
            warnings.simplefilter("ignore")
            return _call_of(op)(*args, **given)
    except (ShapeError, UsageError):
        raise
    except Exception as error:  # noqa: BLE001  (the user's code may raise anything on shapes)
        tracer.rewind(state)
        problem = cant(error)
    if keras.config.backend() == "tensorflow":
        from flopledger_keras.function_graph import FunctionGraph  # noqa: PLC0415  (it imports TensorFlow)

        try:
            with tracer.own_call_on(shapes=False):
                return FunctionGraph(tracer).run(op, _call_of(op), args, given, training=training)
        except Exception as error:  # noqa: BLE001  (as above)
            tracer.rewind(state)
            problem = cant(error)
    return _Watch(tracer).follow(op, args, kwargs, problem)


def _cast(tracer: Calls, op: Any, value: Any) -> Any:
    """Return an input in the type that a layer computes in, as ``Layer.__call__`` casts it (step 1)."""
    if not isinstance(value, keras.KerasTensor) or not op._convert_input_args:  # noqa: SLF001  (has no public name)
        return value
    dtype = op.input_dtype if op.autocast and keras.backend.is_float_dtype(value.dtype) else value.dtype
    if dtype == value.dtype:
        return value
    made = keras.KerasTensor(value.shape, dtype=dtype)
    tracer.name(made, tracer.tensors([value])[0])
    if (mask := get_keras_mask(value)) is not None:
        set_keras_mask(made, mask)
    return made


def _call_of(op: Any) -> Any:
    """Return the method that a layer runs when it is called: another one where it is quantised.

    ``model.quantize("int8")`` of Keras 3 leaves ``call`` as it was, so that following it would count the
    float layer.
    """
    return op.call if getattr(op, "quantization_mode", None) is None else op.quantized_call


class _Watch:
    """Records the layers that are called while the backend infers the outputs of another."""

    def __init__(self, tracer: Calls) -> None:
        self.tracer = tracer

    def follow(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], problem: str) -> Any:
        """Let the backend infer the outputs of a layer."""
        tracer = self.tracer
        number = tracer.frame.id
        count = len(tracer.builder.layers)
        with tracer.own_call_on(shapes=False), watched(self._on_tensors):
            outputs = infer(op, args, kwargs)
        if len(tracer.builder.layers) == count and number is not None:
            tracer.close(number, kind=UNKNOWN, problem=problem)
        else:
            backend = keras.config.backend()
            why = f"computations with {backend}'s own functions, beside its layers, are not seen"
            given, made = tracer.tensors((args, kwargs)), tracer.tensors(outputs)
            tracer.call(backend, f"{backend}.functions", UNKNOWN, given, made, problem=why)
        return outputs

    def _on_tensors(self, original: Any, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Write down a layer that is called on the backend's tensors."""
        result = original(*args, **kwargs)
        known = self.tracer.describes(layer) or graph_of(layer) is not None
        if not known or any(isinstance(x, keras.KerasTensor) for x in keras.tree.flatten(args)):
            return result
        made = self.tracer.evaluate(layer, keras.tree.map_structure(self._on_shapes, args), {})
        for tensor, shape in zip(keras.tree.flatten(result), keras.tree.flatten(made), strict=True):
            self.tracer.name(tensor, self.tracer.tensors([shape])[0])
        return result

    def _on_shapes(self, value: Any) -> Any:
        if not is_array(value):
            return value
        shape = keras.KerasTensor(tuple(value.shape), dtype=dtype_of(value))
        self.tracer.name(shape, self.tracer.tensors([value])[0])
        return shape
