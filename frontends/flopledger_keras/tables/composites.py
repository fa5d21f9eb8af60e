"""Operations of ``keras.ops`` that are others, one after the other: which, on shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from flopledger_keras.tables.call import KerasCall
from flopledger_keras.tables.loops import LOOPS, NotFollowedError
from flopledger_keras.tables.numerics import limited
from flopledger_keras.tables.ops import OPERATIONS
from flopledger_keras.tables.wrappers import do

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.frontend import Value

    from flopledger_keras.calls import Calls
    from flopledger_keras.tables.wrappers import Caller

    Composite = Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]


def _attention(tracer: Caller, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``softmax(q k^T / sqrt(d)) v`` for each head (Vaswani et al., 2017, arXiv:1706.03762, equation 1).

    The tensors are batch, steps, heads, features; a mask picks the elements that are added or left out.
    """
    del op
    named = dict(zip(("query", "key", "value", "bias", "mask"), args, strict=False)) | kwargs
    query, key, value = (tracer.tensors([named[name]])[0] for name in ("query", "key", "value"))
    scores = do(tracer, "einsum", "einsum", [query, key], {"equation": "bqhd,bkhd->bhqk"})
    scores = do(tracer, "multiply", "multiply", [scores], {"scalars": 1})
    if named.get("bias") is not None:
        scores = do(tracer, "add", "add", [scores, *tracer.tensors([named["bias"]])], {})
    if named.get("mask") is not None:
        scores = do(tracer, "where", "select", [scores, *tracer.tensors([named["mask"]])], {"scalars": 1})
    scores = do(tracer, "softmax", "softmax", [scores], {})
    out = do(tracer, "einsum", "einsum", [scores, value], {"equation": "bhqk,bkhd->bqhd"})
    made = keras.KerasTensor(tracer.shapes([out])[0], dtype=named["query"].dtype)
    tracer.name(made, out)
    return made


def _resize(tracer: Caller, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Pictures of integers, which are computed as floating point numbers, rounded and clipped."""
    images = next(iter((*args, *kwargs.values())))
    call = KerasCall((tuple(images.shape),), ())
    meaning = OPERATIONS["Resize"](op, call)
    after = limited(images, op.interpolation)
    if meaning is None or not after:
        raise NotFollowedError("")  # one call
    out = do(tracer, "resize", meaning[0], tracer.tensors([images]), meaning[1])
    for kind in after:
        out = do(tracer, kind, kind, [out], {})
    made = keras.KerasTensor(tracer.shapes([out])[0], dtype=images.dtype)
    tracer.name(made, out)
    return made


def _separable(tracer: Caller, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Each channel by itself, then all channels at each place."""
    del tracer
    names = ("inputs", "depthwise_kernel", "pointwise_kernel")
    named = dict(zip(names, args, strict=False)) | kwargs
    x = keras.ops.depthwise_conv(
        named["inputs"], named["depthwise_kernel"], strides=op.strides, padding=op.padding,
        data_format=op.data_format, dilation_rate=op.dilation_rate,
    )  # fmt: skip
    return keras.ops.conv(x, named["pointwise_kernel"], data_format=op.data_format)


def _parts(tracer: Caller, values: Any) -> tuple[int, Any]:
    """Return the complex tensor that a real and an imaginary one are, and the real one."""
    real, imaginary = values
    shape = {"shape": tuple(real.shape)}
    return do(tracer, "complex", "gather", tracer.tensors([real, imaginary]), shape), real


def _split(tracer: Caller, tensor: int, like: Any) -> Any:
    """Return a complex tensor as a real and an imaginary one."""
    found = []
    for name in ("real", "imag"):
        (shape,) = tracer.shapes([tensor])
        part = do(tracer, name, "gather", [tensor], {"shape": shape})
        found.append(keras.KerasTensor(shape, dtype=like.dtype))
        tracer.name(found[-1], part)
    return tuple(found)


def _transform(name: str, axes: tuple[int, ...], *, scaled: bool = False) -> Composite:
    """Return the composite of a transform of complex numbers, which Keras keeps in two tensors."""

    def composite(tracer: Caller, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        del op
        given, real = _parts(tracer, next(iter((*args, *kwargs.values()))))
        attrs: dict[str, Value] = {"axes": axes, "scaled": scaled}
        return _split(tracer, do(tracer, name, "fft", [given], attrs), real)

    return composite


def _rfft(tracer: Caller, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Of real numbers along the last axis, which is cut or filled up to the length asked for."""
    x = next(iter((*args, *kwargs.values())))
    (given,) = tracer.tensors([x])
    return _split(tracer, _of_real(tracer, given, op.fft_length), x)


def _of_real(tracer: Caller, tensor: int, length: int | None) -> int:
    shape = tracer.shapes([tensor])[0]
    if length not in (None, shape[-1]):
        borders = (*((0, 0),) * (len(shape) - 1), (0, int(str(length)) - int(str(shape[-1]))))
        tensor = do(tracer, "pad", "pad", [tensor], {"padding": borders})
    return do(tracer, "rfft", "fft", [tensor], {"axes": (-1,), "real": "input"})


def _irfft(tracer: Caller, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Back to real numbers: by default to an even number of them."""
    given, real = _parts(tracer, next(iter((*args, *kwargs.values()))))
    bins = int(real.shape[-1])
    length = 2 * (bins - 1) if op.fft_length is None else int(op.fft_length)
    if length // 2 + 1 != bins:
        borders = (*((0, 0),) * (len(real.shape) - 1), (0, length // 2 + 1 - bins))
        given = do(tracer, "pad", "pad", [given], {"padding": borders})
    attrs: dict[str, Value] = {"axes": (-1,), "real": "output", "size": length, "scaled": True}
    out = do(tracer, "irfft", "fft", [given], attrs)
    made = keras.KerasTensor(tracer.shapes([out])[0], dtype=real.dtype)
    tracer.name(made, out)
    return made


def _stft(tracer: Caller, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The transform of each frame, multiplied by a window."""
    x = next(iter((*args, *kwargs.values())))
    length = int(x.shape[-1]) + (2 * (int(op.fft_length) // 2) if op.center else 0)
    frames = 1 + (length - int(op.fft_length)) // int(op.sequence_stride)
    shape = (*x.shape[:-1], frames, int(op.fft_length))
    (given,) = tracer.tensors([x])
    framed = do(tracer, "frames", "gather", [given], {"shape": shape})
    if op.window is not None:
        framed = do(tracer, "multiply", "multiply", [framed], {"scalars": 1})
    return _split(tracer, _of_real(tracer, framed, None), x)


def _moves(tracer: Calls, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Several results, each of them picked from the arguments."""
    with tracer.unrecorded():
        outputs = op.compute_output_spec(*args, **kwargs)
    given = tracer.tensors((args, kwargs))
    for tensor in keras.tree.flatten(outputs):
        tracer.name(tensor, do(tracer, "pick", "gather", given, {"shape": tuple(tensor.shape)}))
    return outputs


def _outer(_tracer: Caller, _op: Any, args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Any:
    return keras.ops.einsum("a,b->ab", *(keras.ops.reshape(x, (-1,)) for x in args))


def _vdot(_tracer: Caller, _op: Any, args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Any:
    return keras.ops.einsum("a,a->", *(keras.ops.reshape(x, (-1,)) for x in args))


def _diff(_tracer: Caller, op: Any, args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Any:
    """The differences of neighbours, n times."""
    x, axis = args[0], op.axis % len(args[0].shape)
    lead = (slice(None),) * axis
    for _ in range(op.n):
        x = keras.ops.subtract(x[(*lead, slice(1, None))], x[(*lead, slice(None, -1))])
    return x


def _trace(_tracer: Caller, op: Any, args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Any:
    diagonal = keras.ops.diagonal(args[0], offset=op.offset, axis1=op.axis1, axis2=op.axis2)
    return keras.ops.sum(diagonal, axis=-1)


def _ptp(_tracer: Caller, op: Any, args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Any:
    """Peak to peak: the largest less the smallest."""
    over = {"axis": op.axis, "keepdims": op.keepdims}
    return keras.ops.subtract(keras.ops.max(args[0], **over), keras.ops.min(args[0], **over))


def _average(_tracer: Caller, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The mean, or that of the elements times their weights."""
    x, weights = args[0], args[1] if len(args) > 1 else kwargs.get("weights")
    if weights is None:
        return keras.ops.mean(x, axis=op.axis)
    if len(weights.shape) != len(x.shape) and op.axis is not None:
        sizes = [1] * len(x.shape)
        sizes[op.axis] = weights.shape[0]
        weights = keras.ops.reshape(weights, sizes)
    total = keras.ops.sum(keras.ops.multiply(x, weights), axis=op.axis)
    return keras.ops.divide(total, keras.ops.sum(weights, axis=op.axis))


def _moments(_tracer: Caller, op: Any, args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Any:
    over = {"axis": op.axes, "keepdims": op.keepdims}
    return keras.ops.mean(args[0], **over), keras.ops.var(args[0], **over)


COMPOSITES: dict[str, Composite] = {
    "DotProductAttention": _attention,
    "SeparableConv": _separable,
    "FFT": _transform("fft", (-1,)),
    "FFT2": _transform("fft2", (-2, -1)),
    "IFFT2": _transform("ifft2", (-2, -1), scaled=True),
    "RFFT": _rfft,
    "IRFFT": _irfft,
    "STFT": _stft,
    "Outer": _outer,
    "Resize": _resize,
    "Vdot": _vdot,
    "Diff": _diff,
    "Ptp": _ptp,
    "Average": _average,
    "Trace": _trace,
    "Moments": _moments,
    **dict.fromkeys(("ArraySplit", "Dsplit", "Hsplit", "Meshgrid", "Vsplit"), _moves),
    **LOOPS,
}
"""Operations that are others, by class name."""
