"""The network's inputs: their shapes by the file, and the shapes that the user gives.

Sources: Caffe's ``data_layer.cpp``, ``image_data_layer.cpp``, ``window_data_layer.cpp``,
``memory_data_layer.cpp``, ``hdf5_data_layer.cpp``, ``dummy_data_layer.cpp``, ``data_transformer.cpp``.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from flopledger.frontend import UsageError, dataclass, nearest

from flopledger_caffe.text.fields import LARGEST_DIM
from flopledger_caffe.text.net import folded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.frontend import Dim, InputSpec, Shape

    from flopledger_caffe.text.message import Message
    from flopledger_caffe.text.net import Entry

_DIM = (1, LARGEST_DIM)
_COLOUR = 3

FIELDS = {
    "Input": "input_param",
    "Data": "data_param",
    "ImageData": "image_data_param",
    "WindowData": "window_data_param",
    "MemoryData": "memory_data_param",
    "HDF5Data": "hdf5_data_param",
    "DummyData": "dummy_data_param",
}
"""Upstream's types of inputs, and the field that holds each one's own fields."""

_LABELLED = ("Data", "ImageData", "WindowData", "MemoryData")
"""Types whose second top is one label for each item of the batch."""


class Specs:
    """The shapes that the user gives, by name or by place."""

    def __init__(self, specs: Iterable[InputSpec]) -> None:
        self.named: dict[str, InputSpec] = {}
        self.placed: list[InputSpec] = []
        self.seen: list[str] = []
        self.given: set[str] = set()
        for spec in specs:
            self._add(spec)

    def _add(self, spec: InputSpec) -> None:
        if spec.is_literal or spec.shape is None:
            raise UsageError(
                f"the input {spec.name!r} is given a value, a prototxt's inputs are shapes: 1x3x224x224"
            )
        if spec.name in self.named:
            raise UsageError(f"the input {spec.name!r} is given twice")
        if spec.name:
            self.named[spec.name] = spec
        else:
            self.placed.append(spec)

    def take(self, blob: str, *, by_place: bool = True) -> InputSpec | None:
        """Return the shape given for an input: by its name, else the next without a name."""
        self.seen.append(blob)
        found = self.named.pop(blob, None)
        if found is None and by_place and self.placed:
            found = self.placed.pop(0)
        if found is not None:
            self.given.add(blob)
        return found

    def finish(self) -> None:
        """Refuse specs that no input used.

        Raises:
            UsageError: A name is none of the inputs', or there are more shapes than inputs.
        """
        inputs = ", ".join(self.seen) or "none"
        for name in self.named:
            message = f"the network has no input {name!r}, its inputs are: {inputs}"
            raise UsageError(message + nearest(name, self.seen))
        if self.placed:
            raise UsageError(f"{len(self.placed)} more shapes are given than there are inputs: {inputs}")


@dataclass(slots=True)
class Stated:
    """The contents of a file about an input layer: the shape of each top, its batch, and the assumptions."""

    shapes: list[Shape | None]
    batch: int | None = None
    notes: list[str] = field(default_factory=list)


def is_source(entry: Entry) -> bool:
    """Return whether a layer brings data into the network, in upstream Caffe or a fork."""
    known = entry.type == "Input" or folded(entry.type).endswith("data") or "input_param" in entry.message
    return known and not entry.bottoms


def shape_of(message: Message) -> Shape:
    """Return the sizes of a ``shape { dim: ... }``; without any it is a scalar, as in upstream's tests."""
    return message.numbers("dim", _DIM)


def params_name(entry: Entry) -> str:
    """Return the field that holds a source's own fields."""
    if entry.type in FIELDS and FIELDS[entry.type] in entry.message:
        return FIELDS[entry.type]
    fields = (f.key for f in entry.message.fields if f.key.endswith(("_data_param", "input_param")))
    return next(fields, FIELDS.get(entry.type, "data_param"))


def stated(entry: Entry) -> Stated:
    """Return the contents of the file about an input layer.

    Raises:
        SourceError: A field is malformed, or a size is impossible.
    """
    params = entry.message.message(params_name(entry))
    shapes = [shape_of(message) for message in params.messages("shape")]
    if not shapes and entry.type == "DummyData":
        shapes = _old_dummies(params)
    if shapes or entry.type in ("Input", "DummyData"):
        return Stated(_for_each_top(entry, shapes))
    batch = params.number("batch_size", 1, _DIM) if "batch_size" in params and entry.tops else None
    found = Stated([None] * len(entry.tops), batch)
    image = None if batch is None else _image(entry, params, found)
    if batch is not None and image is not None:
        found.shapes[0] = (batch, *image)
    return found


def _for_each_top(entry: Entry, shapes: list[Shape]) -> list[Shape | None]:
    tops = len(entry.tops)
    if len(shapes) not in (0, 1, tops):
        raise entry.error(f"has {len(shapes)} shapes for {tops} tops, expected 1 or {tops}")
    return [*shapes] if len(shapes) == tops else [shapes[0] if shapes else None] * tops


def _old_dummies(params: Message) -> list[Shape]:
    """Return the shapes that DummyData's older fields give, each one number or several."""
    columns = [params.numbers(key, _DIM) for key in ("num", "channels", "height", "width")]
    if not all(columns):
        return []
    most = max(map(len, columns))
    return [tuple(column[min(i, len(column) - 1)] for column in columns) for i in range(most)]


def _image(entry: Entry, params: Message, found: Stated) -> Shape | None:
    """Return channels, height and width of one item, as far as the file gives them."""
    transform = entry.message.message("transform_param")
    sizes = _sizes(params, transform)
    if sizes is None:
        return None
    channels = _channels(entry, params, transform)
    if channels is None:
        channels, size = _COLOUR, "x".join(map(str, sizes))
        found.notes.append(f"{entry.tops[0]}: 3 channels were assumed, the file gives only {size}")
    if "new_length" in params:  # the clips of C3D and video-caffe: N, C, L, H, W
        return channels, params.number("new_length", 1, _DIM), *sizes
    return channels, *sizes


def guessed(entry: Entry) -> tuple[int | None, int | None, tuple[int, int] | None]:
    """Return batch, channels and sizes that a data layer suggests, for the example of a message."""
    params, transform = entry.message.message(params_name(entry)), entry.message.message("transform_param")
    batch = params.number("batch_size", 1, _DIM) if "batch_size" in params else None
    means = len(transform.all("mean_value"))
    channels = _channels(entry, params, transform) or (means if means in (1, _COLOUR) else None)
    return batch, channels, _sizes(params, transform, fit=True)


_MODES = {"WARP": 1, "FIT_SMALL_SIZE": 2, "FIT_LARGE_SIZE_AND_PAD": 3}


def _sizes(params: Message, transform: Message, *, fit: bool = False) -> tuple[int, int] | None:
    """Return height and width: of a crop, else of a resizing, else of the pictures.

    SSD's ``resize_param`` gives them, but where it fits the smaller side, when the other one depends on the
    picture (``fit`` takes them even so).
    """
    for message in (transform, params):
        crop = message.number("crop_size", 0, (0, LARGEST_DIM))
        if crop:
            return crop, crop
    resize = transform.message("resize_param")
    fixed = fit or resize.word("resize_mode", _MODES, "WARP") != "FIT_SMALL_SIZE"
    places = [(transform, "crop_h", "crop_w"), (transform, "resize_height", "resize_width")]
    places += [(resize, "height", "width")] if fixed else []
    places += [(params, "new_height", "new_width"), (params, "height", "width")]
    for message, height, width in places:
        if message.number(height, 0) and message.number(width, 0):
            return message.number(height, 1, _DIM), message.number(width, 1, _DIM)
    return None


def _channels(entry: Entry, params: Message, transform: Message) -> int | None:
    """Return the channels of a picture where the file decides them; of other data sets the data does.

    ``ImageData`` loads in colour by default (``image_data_layer.cpp``), ``WindowData`` always does
    (``window_data_layer.cpp``).
    """
    if "channels" in params:
        return params.number("channels", 1, _DIM)
    if transform.flag("force_gray", default=False):
        return 1
    if entry.type == "WindowData" or transform.flag("force_color", default=False):
        return _COLOUR
    if entry.type == "ImageData":
        return _COLOUR if params.flag("is_color", default=True) else 1
    return None


def label(entry: Entry, top: str, batch: Dim, found: Stated) -> Shape:
    """Return the shape of a top behind the first: one value for each item of the batch."""
    if entry.type == "AnnotatedData":
        # SSD's: one row of eight numbers for each box of the batch, as many as the pictures have.
        found.notes.append(f"{top}: one box for each picture was assumed (the file does not say)")
        return (1, 1, batch, 8)
    if entry.type not in _LABELLED:
        found.notes.append(f"{top}: one value for each item of the batch was assumed (the file does not say)")
    return (batch,)
