"""Layers around other layers, whose own ``call`` needs real tensors: which layers run inside, how often."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Protocol

import keras

from flopledger_keras.tables.activations import activation_step
from flopledger_keras.tables.steps import Step
from flopledger_keras.tables.windows import channels_last, conv_layer_attrs, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.frontend import Shape, Value

    from flopledger_keras.calls import Calls


class Caller(Protocol):
    """The part of the tracer that a wrapper needs."""

    def evaluate(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Write down a call inside."""

    def step(self, step: Step, inputs: list[int], outputs: list[int] | None = None) -> list[int]:
        """Write down a function inside."""

    def tensors(self, values: object) -> list[int]:
        """Return the tensors of the graph that values are."""

    def shapes(self, tensors: Sequence[int]) -> tuple[Shape, ...]:
        """Return the shapes of tensors."""

    def name(self, tensor: object, number: int) -> None:
        """Say which tensor of the graph an object is."""


def _bidirectional(tracer: Caller, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Both layers on the whole sequence, then merged."""
    states = kwargs.get("initial_state")
    half = len(states or ()) // 2
    given = {"mask": kwargs["mask"]} if kwargs.get("mask") is not None else {}
    forward, backward = dict(given), dict(given)
    if states:
        forward["initial_state"], backward["initial_state"] = states[:half], states[half:]
    y = tracer.evaluate(op.forward_layer, args, forward)
    z = tracer.evaluate(op.backward_layer, args, backward)
    more: tuple[Any, ...] = ()
    if op.return_state:
        more, y, z = (*y[1:], *z[1:]), y[0], z[0]
    merged = _merged(op, y, z)
    if op.return_state:
        return (*merged, *more) if isinstance(merged, tuple) else (merged, *more)
    return merged


def _merged(op: Any, y: Any, z: Any) -> Any:
    if op.return_sequences:
        z = keras.ops.flip(z, axis=1)
    if op.merge_mode is None:
        return (y, z)
    if op.merge_mode == "concat":
        return keras.ops.concatenate([y, z], axis=-1)
    if op.merge_mode == "mul":
        return y * z
    return y + z if op.merge_mode == "sum" else (y + z) / 2


def _spectral_normalization(tracer: Calls, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The layer; in training its kernel is divided by an estimate of its norm before.

    A kernel of zeros alone would be left as it is, which depends on its values: it is taken to have others.
    """
    if tracer.frame.training:
        with tracer.own_call_on(shapes=True):
            keras.ops.all(keras.ops.equal(op.kernel, 0))
            op.normalized_weights()
    given = {key: value for key, value in kwargs.items() if key != "training"}
    return tracer.evaluate(op.layer, args, given)


def _time_distributed(tracer: Caller, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The layer once, on all steps of all sequences at once: each step has the same shapes."""
    (given,) = args[:1]
    batch, steps, *rest = given.shape
    inside = keras.KerasTensor((batch * steps, *rest), dtype=given.dtype)
    _reshape(tracer, given, inside, (-1, *rest))
    masks: dict[str, Any] = {}
    mask = kwargs.get("mask")
    if mask is not None and "mask" in inspect.signature(op.layer.call).parameters:
        masks["mask"] = keras.KerasTensor((batch * steps, *mask.shape[2:]), dtype=mask.dtype)
        _reshape(tracer, mask, masks["mask"], (-1, *mask.shape[2:]))
    made = tracer.evaluate(op.layer, (inside,), masks)
    result = keras.KerasTensor((batch, steps, *made.shape[1:]), dtype=made.dtype)
    _reshape(tracer, made, result, (-1, steps, *made.shape[1:]))
    return result


def _reshape(tracer: Caller, before: Any, after: Any, shape: tuple[int, ...]) -> None:
    step = Step("reshape", "reshape", {"shape": shape})
    (tensor,) = tracer.step(step, tracer.tensors([before]))
    tracer.name(after, tensor)


def _conv_lstm(tracer: Caller, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The input's convolution for all steps at once, the state's, and the gates of each step.

    ``i, f, o = s(x + h)``, ``c' = f c + i t(x + h)``, ``h' = o t(c')`` (Shi et al., 2015, arXiv:1506.04214,
    without peepholes, as Keras has it).
    """
    (given,) = args[:1]
    cell, axis = op.cell, -1 if channels_last(op.cell) else 1
    steps, *rest = given.shape[1:]
    (inside,) = tracer.step(Step("reshape", "reshape", {"shape": (-1, *rest)}), tracer.tensors([given]))
    x = do(tracer, "conv", "conv", [inside], {**conv_layer_attrs(cell), "out_channels": 4 * cell.filters})
    state = do(tracer, "slice", "slice", [x], {"axis": axis, "start": 0, "stop": cell.filters, "step": 1})
    same: dict[str, Value] = {
        "kernel": spread(cell.kernel_size, cell.rank),
        "padding": "same",
        "channels_last": channels_last(cell),
    }
    h = do(tracer, "conv", "conv", [state], {**same, "out_channels": 4 * cell.filters})
    mask = tracer.tensors(kwargs.get("mask"))
    if mask:  # picks the states of the step before, where it says so
        state = do(tracer, "where", "gather", [state, *mask], {"shape": tracer.shapes([state])[0]})
    gates = do(tracer, "add", "add", [x, h], {})
    parts = tracer.step(Step("split", "split", {"axis": axis, "sizes": (cell.filters,) * 4}), [gates])
    i, f, o = (_act(tracer, cell.recurrent_activation, parts[place]) for place in (0, 1, 3))
    kept = do(tracer, "multiply", "multiply", [f, state], {})
    new = do(tracer, "multiply", "multiply", [i, _act(tracer, cell.activation, parts[2])], {})
    carry = do(tracer, "add", "add", [kept, new], {})
    out = do(tracer, "multiply", "multiply", [o, _act(tracer, cell.activation, carry)], {})
    return _sequence(tracer, op, out, steps)


def do(tracer: Caller, name: str, kind: str, inputs: list[int], attrs: Mapping[str, Value]) -> int:
    """Record a function of one result, and return that."""
    return tracer.step(Step(name, kind, attrs), inputs)[0]


def _act(tracer: Caller, activation: Any, tensor: int) -> int:
    step = activation_step(activation)
    return tensor if step is None else tracer.step(step, [tensor])[0]


def _sequence(tracer: Caller, op: Any, out: int, steps: int) -> Any:
    """Return the output of each step, or of the last one, and the states where they are asked for."""
    shape = tracer.shapes([out])[0][1:]
    whole = do(tracer, "reshape", "reshape", [out], {"shape": (-1, steps, *shape)})
    last = do(tracer, "slice", "slice", [whole], {"axis": 1, "start": steps - 1, "stop": steps, "step": 1})
    last = do(tracer, "squeeze", "squeeze", [last], {"axes": (1,)})
    found = []
    for tensor in (whole if op.return_sequences else last, *((last, last) if op.return_state else ())):
        found.append(keras.KerasTensor(tracer.shapes([tensor])[0], dtype=op.compute_dtype))
        tracer.name(found[-1], tensor)
    return tuple(found) if op.return_state else found[0]


WRAPPERS: dict[str, Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]] = {
    "Bidirectional": _bidirectional,
    "SpectralNormalization": _spectral_normalization,
    "TimeDistributed": _time_distributed,
    **dict.fromkeys(("ConvLSTM", *(f"ConvLSTM{n}D" for n in (1, 2, 3))), _conv_lstm),
}
"""Wrapper classes by name."""
