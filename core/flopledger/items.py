"""The layers of a network that a comparison looks at: what computes or holds weights, by data flow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flopledger import engine
from flopledger.dims import Dim, Shape, is_dim, product
from flopledger.functions import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.convention import Convention
    from flopledger.dims import Number
    from flopledger.graph import Graph, Layer
    from flopledger.ledger import Row
    from flopledger.structure import Structure

FOLDED = frozenset({"scale", "bias"})
"""The kinds that only finish what stands before them: their weights belong to that layer."""


@dataclass(frozen=True, slots=True)
class Item:
    """One layer, in terms that every framework shares.

    ``depth`` is how many computing layers lie before it; ``kernel``, ``stride``, ``groups`` are
    neutral (a dense layer has none); ``sizes`` are the spatial sizes of its output, ``channels`` the
    channels of input and output; ``params`` are trainable.
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

    @property
    def order(self) -> tuple[int, str, str, str]:
        """Where it stands among others: by data flow, then by what frameworks agree on."""
        shape = (*self.channels[::-1], *self.kernel, self.groups)
        return (
            self.depth,
            "" if self.macs != 0 else self.kind,
            self.kind,
            repr(tuple(map(_sortable, shape))),
        )

    @property
    def traits(self) -> tuple[object, ...]:
        """What must be equal for two layers to be the same without a second look."""
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


def _sortable(value: Dim) -> str:
    return f"{value:012d}" if isinstance(value, int) else str(value)


def items_of(graph: Graph, convention: Convention) -> list[Item]:
    """Return a network's computing and weight-holding layers in the order of its data flow."""
    structure = engine.structure_of(graph)
    rows = {row.id: row for row in engine.count(graph, convention).rows}
    depths = _depths(structure, rows)
    makers = _makers(structure, rows)
    found: dict[int, Item] = {}
    for row in rows.values():
        if row.macs == 0 and row.params == 0:
            continue
        layer = graph.layers[row.id]
        maker = _maker_of(layer, makers)
        if row.kind in FOLDED and maker in found:
            before = found[maker]
            found[maker] = replace(
                before, params=number(before.params + row.params), bias=before.bias or row.kind == "bias"
            )
            makers.update(dict.fromkeys(layer.outputs, maker))
            continue
        found[row.id] = _item(structure, layer, row, depths[row.id])
    return sorted(found.values(), key=lambda item: item.order)


def _makers(structure: Structure, rows: Mapping[int, Row]) -> dict[int, int]:
    """Return which layer, if any, made each tensor; the last one where several write to it."""
    makers: dict[int, int] = {}
    for layer_id in rows:
        layer = structure.graph.layers[layer_id]
        if structure.formula(layer) is not None:
            makers.update(dict.fromkeys(layer.outputs, layer_id))
    return makers


def _maker_of(layer: Layer, makers: Mapping[int, int]) -> int:
    return makers.get(layer.inputs[0], -1) if layer.inputs else -1


def _depths(structure: Structure, rows: Mapping[int, Row]) -> dict[int, int]:
    """Count the computing layers before each call, along the longest way."""
    of_tensor: dict[int, int] = {}
    depths: dict[int, int] = {}
    for layer_id, row in rows.items():
        layer = structure.graph.layers[layer_id]
        before = max((of_tensor.get(tensor, 0) for tensor in layer.inputs), default=0)
        depths[layer_id] = before
        if row.status != "container":
            after = before + (1 if row.macs != 0 else 0)
            of_tensor.update(dict.fromkeys(layer.outputs, after))
    return depths


def _item(structure: Structure, layer: Layer, row: Row, depth: int) -> Item:
    plain = Item(row.path, row.kind, depth, row.macs, row.params, source=row.source)
    kind = structure.formula(layer)
    if kind is None or row.inputs[:1] in ((), (None,)) or row.outputs[:1] in ((), (None,)):
        return plain
    attrs = {**kind.defaults, **layer.attrs}
    given, made = row.inputs[0] or (), row.outputs[0] or ()
    kernel = _dims(attrs.get("kernel"))
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
    if row.kind == "linear":
        facts = kind.facts(structure.call(layer, kind))
        return replace(plain, channels=(facts["in_features"], made[-1]), bias=attrs.get("bias") is True)
    return replace(plain, channels=(_channels(attrs, given), _channels(attrs, made)))


def _dims(value: object) -> Shape:
    return tuple(v for v in value if is_dim(v)) if isinstance(value, tuple) else ()


def _channels(attrs: Mapping[str, object], shape: Shape) -> Dim:
    """Return the length of a layer's axis of features, or its elements where it has none."""
    axis = attrs.get("axis")
    if isinstance(axis, int) and -len(shape) <= axis < len(shape):
        return shape[axis]
    return product(shape[1:])
