"""A layer's own fields, as the formulas of its shapes need them.

Sources: Caffe's ``base_conv_layer.cpp``, ``pooling_layer.cpp`` and ``blob.hpp``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import product

if TYPE_CHECKING:
    from flopledger.frontend import Dim, Shape, SourceError

    from flopledger_caffe.text.message import Message
    from flopledger_caffe.text.net import Entry

from flopledger_caffe.text.message import INT32

POSITIVE = (1, 2**32 - 1)
LARGEST_DIM = 2**31 - 1
"""Caffe holds no more in a blob."""


class Unshaped(Exception):  # noqa: N818  (it is caught where a layer is read; no user sees it)
    """A bottom's shape is needed but not known, since a layer above is unknown."""


class View:
    """One layer: its own parameter message, the shapes of its bottoms, and the phase.

    ``clips_ones`` rounds a pooling with a kernel of 1 as Intel's Caffe does.
    """

    __slots__ = ("clips_ones", "entry", "params", "phase", "shapes")

    def __init__(
        self,
        entry: Entry,
        params: str,
        shapes: tuple[Shape | None, ...],
        phase: str,
        *,
        clips_ones: bool = False,
    ) -> None:
        self.entry, self.shapes, self.phase, self.clips_ones = entry, shapes, phase, clips_ones
        self.params: Message = entry.message.message(params)
        self.params.asked = set()

    @property
    def tops(self) -> int:
        """How many tops it has."""
        return len(self.entry.tops)

    def error(self, reason: str) -> SourceError:
        """Return an error about this layer."""
        return self.entry.error(reason)

    def shape(self, bottom: int = 0) -> Shape:
        """Return the shape of a bottom."""
        shape = self.shapes[bottom]
        if shape is None:
            raise Unshaped
        return shape

    def all_shapes(self) -> tuple[Shape, ...]:
        """Return the shapes of all bottoms."""
        return tuple(self.shape(i) for i in range(len(self.shapes)))

    def axis(self, default: int, key: str = "axis", bottom: int = 0) -> int:
        """Return an axis of a bottom, a negative one counted from the end."""
        axis, rank = self.params.number(key, default, INT32), len(self.shape(bottom))
        if not -rank <= axis < rank:
            raise self.error(f"has the {key} {axis}, its input {rank} axes")
        return axis % rank

    def size(self, axis: int, bottom: int = 0) -> Dim:
        """Return one size of a bottom, 1 for an axis that is not there."""
        shape = self.shape(bottom)
        return shape[axis] if axis < len(shape) else 1

    def required(self, key: str) -> int:
        """Return a field that must be there and be 1 or more."""
        if key not in self.params:
            raise self.error(f"has no {key}, it needs one in {self.params.name}")
        return self.params.number(key, 1, POSITIVE)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a field that is true or false."""
        return self.params.flag(key, default=default)

    def axes(
        self, rank: int, names: tuple[str, str, str], default: int, limits: tuple[int, int]
    ) -> tuple[int, ...]:
        """Return a number for each spatial axis.

        It is written once for all, once for each, or with ``_h`` and ``_w`` for two; ``names`` are these
        three fields. Forks also write ``kernel_d`` for the depth, and all as ``kernel_shape { dim: .. }``.
        """
        name, name_h, name_w = names
        stem = name_h.removesuffix("_h")
        if f"{stem}_shape" in self.params:
            return self._shaped(rank, f"{stem}_shape", limits)
        if f"{stem}_d" in self.params and rank == 3:
            depth = self.params.number(f"{stem}_d", default, limits)
            return (depth, *self.axes(2, names, default, limits))
        if name_h in self.params or name_w in self.params:
            return self._pair(rank, names, default, limits)
        numbers = self.params.numbers(name, limits)
        if len(numbers) not in (0, 1, rank):
            raise self.error(f"has {len(numbers)} numbers in {name}, expected 1 or {rank}")
        if len(numbers) == rank:
            return numbers
        return (numbers or (default,)) * rank

    def _shaped(self, rank: int, name: str, limits: tuple[int, int]) -> tuple[int, ...]:
        """Return the sizes that the N-d layers of video-caffe and C3D 1.1 write as a shape."""
        numbers = self.params.message(name).numbers("dim", limits)
        if len(numbers) != rank:
            raise self.error(f"has {len(numbers)} dim in {name}, expected {rank}")
        return numbers

    def _pair(
        self, rank: int, names: tuple[str, str, str], default: int, limits: tuple[int, int]
    ) -> tuple[int, ...]:
        name, name_h, name_w = names
        if name in self.params:
            raise self.error(f"has {name} and also {name_h} or {name_w}, expected one spelling")
        if rank != 2:
            raise self.error(f"has {name_h} or {name_w}, its input {rank} spatial axes, expected 2")
        return self.params.number(name_h, default, limits), self.params.number(name_w, default, limits)


_WITHOUT_EFFECT = (
    "weight_filler", "bias_filler", "filler", "value_filler", "slope_filler", "scale_filler",
    "shift_filler", "data_filler", "engine", "force_nd_im2col", "eps", "momentum",
    "moving_average_fraction", "alpha", "beta", "k", "base", "min", "max", "threshold",
    "negative_slope", "dropout_ratio", "scale_train", "coeff", "norm_region", "spatial_scale",
    "sampling_ratio", "norm", "margin", "legacy_version", "sigma", "source", "file_name", "normalize",
    "normalization", "ignore_label", "has_ignore_label", "clip", "variance", "step", "step_h",
    "step_w", "offset", "img_size", "img_h", "img_w", "debug_info", "stable_prod_grad", "out_max_val",
)  # fmt: skip
"""Fields of upstream Caffe and known forks that change neither shapes, weights nor operations."""


def unread(view: View) -> tuple[str, ...]:
    """Return a layer's own fields that were not read and that may have a meaning.

    Raises:
        SourceError: One of them looks like a slip of the pen.
    """
    params, asked = view.params, frozenset(view.params.asked or ())
    found = dict.fromkeys(field.key for field in params.fields)
    left = tuple(key for key in found if key not in asked and key not in _WITHOUT_EFFECT)
    for key in left:
        params.refuse_slip(key, asked)
    return left


KERNEL = ("kernel_size", "kernel_h", "kernel_w")
STRIDE = ("stride", "stride_h", "stride_w")
PAD = ("pad", "pad_h", "pad_w")
DILATION = ("dilation", "dilation_h", "dilation_w")
HOLE = ("hole", "hole_h", "hole_w")
"""The name of dilation in DeepLab's first Caffe."""
NOT_NEGATIVE = (0, 2**31 - 1)


def kernel(view: View, rank: int) -> tuple[int, ...]:
    """Return the kernel's size along each spatial axis; it has no default where there is one."""
    if rank == 0:
        return ()
    if "kernel_shape" in view.params:
        return view.axes(rank, KERNEL, 1, POSITIVE)
    if not any(name in view.params for name in KERNEL):
        raise view.error(f"has no kernel_size, it needs one in {view.params.name}")
    if "kernel_size" not in view.params and not all(name in view.params for name in KERNEL[1:]):
        raise view.error("has one of kernel_h and kernel_w, expected both")
    return view.axes(rank, KERNEL, 1, POSITIVE)


def window(view: View, rank: int) -> dict[str, tuple[int, ...]]:
    """Return kernel, stride, padding and dilation along each spatial axis."""
    return {
        "kernel": kernel(view, rank),
        "stride": view.axes(rank, STRIDE, 1, POSITIVE),
        "padding": view.axes(rank, PAD, 0, NOT_NEGATIVE),
        "dilation": view.axes(rank, HOLE if "hole" in view.params else DILATION, 1, POSITIVE),
    }


def spatial_rank(view: View) -> int:
    """Return the number of axes after the channels."""
    return len(view.shape()) - view.axis(1) - 1


def count(shape: Shape, start: int = 0) -> Dim:
    """Return the number of elements from an axis on."""
    return product(shape[start:])
