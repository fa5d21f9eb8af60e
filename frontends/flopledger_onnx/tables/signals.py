"""Fourier transforms, window functions, filter banks. Source: onnx.ai/onnx/operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import CONTAINER, Attrs, Part, Row, Step, floordiv, row

from flopledger_onnx.wire.tensors import type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger_onnx.node import Call


def dft(call: Call) -> Step:
    """A discrete Fourier transform; the last axis is the real and imaginary part, or the real one alone."""
    shape = call.shape()
    rank = len(shape)
    axis = call.axis(
        call.whole("axis", 1) if call.opset < 20 else call.dims(2)[0] if call.has(2) else -2, rank
    )
    onesided, real, inverse = call.flag("onesided"), shape[-1] == 1, call.flag("inverse")
    points = 2 * (shape[axis] - 1) if inverse and onesided else shape[axis]
    if call.has(1) and call.value(1).shape != (0,):
        points = call.dims(1)[0]
    signal = tuple(points if i == axis else n for i, n in enumerate(shape[:-1]))
    half = tuple(floordiv(points, 2) + 1 if i == axis else n for i, n in enumerate(signal))
    if inverse and onesided:
        attrs: Attrs = {"axes": (axis,), "real": "output", "size": points, "scaled": True}
        return Step("fft", attrs, (half,), [(*signal, 1)])
    attrs = {"axes": (axis,), "real": "input" if real else "neither", "scaled": inverse}
    if real:
        attrs["onesided"] = onesided
    return Step("fft", attrs, (signal,), [(*(half if onesided else signal), 2)])


def stft(call: Call) -> Step:
    """Windows of a signal, each multiplied by the window function and transformed."""
    shape, step = call.shape(), call.dims(1)[0]
    length = call.dims(3)[0] if call.has(3) else call.shape(2)[0]
    if len(shape) < 2:
        raise call.impossible("needs a batch of signals")
    frames = floordiv(shape[1] - length, step) + 1
    onesided = call.flag("onesided", default=True)
    real = len(shape) == 2 or shape[2] == 1
    windows = (shape[0], frames, length)
    attrs: Attrs = {"axes": (2,), "real": "input" if real else "neither"}
    if real:
        attrs["onesided"] = onesided
    parts = [Part("transform", "fft", attrs, (windows,))]
    if call.has(2):
        parts.insert(0, Part("window", "multiply", {}, (windows, (length,))))
    bins = floordiv(length, 2) + 1 if onesided else length
    return Step(CONTAINER, parts=parts, shapes=[(shape[0], frames, bins, 2)])


def window(terms: int) -> Callable[[Call], Step]:
    """Return the rule of a window function: a sum of cosines, as many as there are terms."""

    def rule(call: Call) -> Step:
        size = call.dims(0)[0]
        dtype = type_name(call.whole("output_datatype", 1))
        part = Part("cosines", "cos", {}, ((terms, size),))
        return Step(CONTAINER, parts=(part,), shapes=[(size,)], dtypes=(dtype,))

    return rule


def mel_weights(call: Call) -> Step:
    """The table of a mel filter bank, worked out from five numbers: no data."""
    bands, points = call.dims(0)[0], call.dims(1)[0]
    shape = (floordiv(points, 2) + 1, bands)
    return Step("fill", {"shape": shape}, (), [shape], dtypes=(type_name(call.whole("output_datatype", 1)),))


ROWS: Mapping[str, Row[Call]] = {
    "DFT": row(dft, 1, 2),
    "STFT": row(stft, 1, 3),
    "HannWindow": row(window(1), 0),
    "HammingWindow": row(window(1), 0),
    "BlackmanWindow": row(window(2), 0),
    "MelWeightMatrix": row(mel_weights, 0, 1, 2, 3, 4),
}
