"""A layer as comparisons have it: its figures and the sizes of its kind, in terms of every framework."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from flopledger.dims.arithmetic import is_dim, product
from flopledger.graph.tables import CONTAINER, UNKNOWN
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.analysis.analysis import Analysis
    from flopledger.counting.ledger import Row
    from flopledger.dims.types import Dim, Number, Shape
    from flopledger.graph.tables import Layer

_RECURRENT = ("rnn", "gru", "lstm", "rnn_cell", "gru_cell", "lstm_cell")
"""The kinds whose axes of steps and batch every framework puts in another order."""


@dataclass(frozen=True, slots=True)
class ComparedLayer:
    """One layer, in terms that every framework shares.

    ``depth`` is the number of computing layers before it; ``kernel``, ``stride``, ``groups`` are
    neutral (a dense layer has none); ``sizes`` are the spatial sizes of its output, ``channels`` the
    channels of input and output; ``params`` are trainable. ``before`` is the path of the layer whose output
    it reads; ``added`` whether its bias is the addition of a constant behind it; ``shared`` is the path of
    the layer that some of its parameters are counted at; ``holds`` are the layers that were joined into it,
    itself among them; ``unknown`` whether work of it has no formula, so that its macs are a lower bound.
    """

    path: str
    kind: str
    depth: int
    macs: Number
    params: Number
    kernel: Shape = ()
    stride: Shape = ()
    dilation: Shape = ()
    groups: Dim = 1
    channels: tuple[Dim, Dim] = (0, 0)
    sizes: Shape = ()
    bias: bool = False
    source: str = ""
    before: str = ""
    added: bool = False
    shared: str = ""
    holds: tuple[ComparedLayer, ...] = ()
    unknown: bool = False

    @property
    def order(self) -> tuple[int, str, str, str]:
        """Its place among others: by data flow, then by properties that frameworks share.

        The branches of an Inception block have equal depth, and each framework lists them in its own order.
        """
        shape = tuple(map(_sortable, (*self.channels[::-1], *self.kernel, self.groups)))
        return (self.depth, "" if self.macs != 0 else self.kind, self.kind, repr(shape))

    @property
    def traits(self) -> tuple[object, ...]:
        """The properties that equal layers have in common; layers that differ in some may still be paired."""
        return (
            self.kind,
            self.kernel,
            self.stride,
            self.dilation,
            self.groups,
            self.channels,
            self.sizes,
            self.bias,
        )


Couple: TypeAlias = "tuple[ComparedLayer | None, ComparedLayer | None]"
"""Two layers that correspond to each other, or one without a counterpart."""


def _sortable(value: Dim) -> str:
    return f"{value:012d}" if isinstance(value, int) else str(value)


def dim(value: object) -> Dim:
    """Return an attribute that is a size, else 0."""
    return value if is_dim(value) else 0


def layer_of(analysis: Analysis, layer: Layer, row: Row, depth: int) -> ComparedLayer:
    """Return a row with the sizes that reasons for differences are made of, as far as its kind has them.

    Without a kind, or with an input or output of unknown shape, it has its figures alone.
    """
    kept = "parameters" if row.kind == CONTAINER else row.kind
    plain = ComparedLayer(
        row.path, kept, depth, row.macs, row.params, source=row.source, unknown=row.status == UNKNOWN
    )
    kind = analysis.formulas.kind_of[layer.id]
    if kind is None or row.inputs[:1] in ((), (None,)) or row.outputs[:1] in ((), (None,)):
        return plain
    attrs = {**kind.defaults, **layer.attrs}
    given, made = row.inputs[0] or (), row.outputs[0] or ()
    kernel = _dims(attrs.get("kernel"))
    if row.kind in ("conv", "conv_transpose", "linear") and min(len(given), len(made)) <= len(kernel):
        return plain  # a saved graph may hold shapes that the kind itself would not give
    if row.kind in ("conv", "conv_transpose") and kernel:
        last = attrs.get("channels_last") is True
        spatial = made[-1 - len(kernel) : -1] if last else made[len(made) - len(kernel) :]
        channel = -1 if last else -1 - len(kernel)
        groups = attrs.get("groups")
        return replace(
            plain,
            kernel=kernel,
            stride=_dims(attrs.get("stride")) or (1,) * len(kernel),
            dilation=_dims(attrs.get("dilation")) or (1,) * len(kernel),
            groups=groups if is_dim(groups) else 1,
            channels=(given[channel], made[channel]),
            sizes=spatial,
            bias=attrs.get("bias") is True,
        )
    if row.kind == "embedding":
        return replace(plain, channels=(dim(attrs.get("num_embeddings")), dim(attrs.get("embedding_dim"))))
    if row.kind == "linear":
        facts = kind.facts(analysis.formulas.call(layer, kind))
        return replace(plain, channels=(facts["in_features"], made[-1]), bias=attrs.get("bias") is True)
    made_of = dim(attrs.get("hidden_size")) if row.kind in _RECURRENT else _channels(attrs, made)
    return replace(plain, channels=(_read(row.kind, attrs, given), made_of))


def _read(kind: str, attrs: Mapping[str, object], given: Shape) -> Dim:
    """Return the channels that a layer reads."""
    if kind in _RECURRENT:
        return product(given[2:]) if len(given) > 2 else given[-1]
    return _channels(attrs, given)


def _dims(value: object) -> Shape:
    return tuple(v for v in value if is_dim(v)) if isinstance(value, tuple) else ()


def _channels(attrs: Mapping[str, object], shape: Shape) -> Dim:
    """Return the length of a layer's axis of features, or its elements where it has none."""
    axis = attrs.get("axis")
    if isinstance(axis, int) and -len(shape) <= axis < len(shape):
        return shape[axis]
    return product(shape[1:])
