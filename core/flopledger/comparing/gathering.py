"""The layers that a comparison aligns: the calls that compute or hold weights, by data flow.

Additions of constants and scales behind a layer are joined to it, as some frameworks write a bias so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.comparing.layers import ComparedLayer, dim, layer_of
from flopledger.dims.arithmetic import equal, floordiv, total
from flopledger.dims.bounds import number
from flopledger.expressions.compiler import compile_expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flopledger.analysis.analysis import Analysis
    from flopledger.counting.count import Count
    from flopledger.counting.ledger import Row
    from flopledger.dims.types import Dim, Number
    from flopledger.graph.tables import Layer

TRAINABLE = compile_expression("numel if trainable else 0")
"""The count of each parameter, by which frozen layers differ from trained ones."""
_BIASED = ("conv", "conv_transpose", "linear")
"""The kinds that have a bias for each output channel."""
_RESHAPES = ("reshape", "flatten", "squeeze", "unsqueeze")
"""The kinds that keep the order of the elements: a last axis that stays as long holds the same features."""
NOWHERE = "(in no layer)"
"""The path of the parameters outside of layers: parameters that no called module owns."""


def compared_layers(count: Count) -> list[ComparedLayer]:
    """Return a network's computing and weight-holding layers in the order of its data flow.

    A layer whose weights are another's too is among them, so that it can be paired. Their macs and trainable
    parameters sum to those of the network.

    Args:
        count: The network under ``mac``.
    """
    analysis = count.analysis
    rows = count.rows(TRAINABLE)
    found = Gathering(analysis, rows).items()
    rest = ComparedLayer(
        NOWHERE,
        "parameters",
        len(rows),
        number(total(analysis.formulas.true_macs) - total(item.macs for item in found)),
        number(analysis.weights.totals[1] - total(item.params for item in found)),
    )
    ordered = sorted(found, key=lambda item: item.order)
    return ordered if equal(rest.macs, 0) and equal(rest.params, 0) else [*ordered, rest]


class Gathering:
    """Gathers a network's layers as every framework would list them.

    Frameworks divide the same work among different calls. Caffe's BatchNorm only normalises, and a Scale
    layer behind it holds the weights that PyTorch's BatchNorm2d has itself; a Bias layer is a convolution's
    bias; MultiheadAttention has its four projections' weights in one module, and Keras in one layer for each.
    """

    def __init__(self, analysis: Analysis, rows: Iterable[Row]) -> None:
        self.analysis, self.layers = analysis, analysis.graph.layers
        self.rows = {row.id: row for row in rows}
        self.depths = _depths(analysis, self.rows)
        self.makers = _makers(analysis, self.rows)
        self.inside = self._inside()
        self.found: dict[int, ComparedLayer] = {}
        self.given: dict[int, Number] = {}
        self.named: dict[int, str] = {}
        self.sharing = dict(self._sharing())

    def items(self) -> list[ComparedLayer]:
        """Return the items, in the order of execution."""
        for row in self.rows.values():
            extra = self.given.get(row.id, 0)
            if self._added(row):
                continue
            if row.macs == 0 and row.params == 0 and extra == 0 and row.id not in self.sharing:
                continue
            if row.macs == 0 and row.id in self.inside:
                self._spread(row)
            elif not self._fold(row):
                self._add(row, number(row.params + extra))
        return list(self.found.values())

    def _add(self, row: Row, params: Number) -> None:
        layer = self.layers[row.id]
        item = layer_of(self.analysis, layer, row, self.depths[row.id])
        maker = self.found.get(self.makers.get(layer.inputs[0], -1)) if layer.inputs else None
        path = self.named.get(row.id, item.path)
        self.found[row.id] = replace(
            item,
            params=params,
            path=path,
            before="" if maker is None else maker.path,
            shared=self.sharing.get(row.id, ""),
        )

    def _sharing(self) -> Iterator[tuple[int, str]]:
        """Yield each call with trainable parameters that are counted at another, and the path of that one.

        Exporters store equal parameters once, so that all but the first of a file's untrained norms have none
        of their own. A module that is called again has its parameters at its first call.
        """
        modules, weights = self.analysis.graph.modules, self.analysis.weights
        called: set[int] = set()
        for row in self.rows.values():
            module = self.layers[row.id].module
            if module is None or row.level != "layer":
                continue
            owners = [weights.first_owners[p.storage][0] for p in weights.of(module) if p.trainable]
            others = owners if module in called else [owner for owner in owners if owner != module]
            called.add(module)
            if others:
                yield row.id, modules[others[0]].paths[0]

    def _inside(self) -> dict[int, list[int]]:
        """Return, for each call, the computing calls and the bare norms below it."""
        inside: dict[int, list[int]] = {}
        for row in self.rows.values():
            bare = row.params == 0 and self.analysis.formulas.group(row.id) == "norm"
            up = self.layers[row.id].parent if row.macs != 0 or bare else None
            while up is not None:
                inside.setdefault(up, []).append(row.id)
                up = self.layers[up].parent
        return inside

    def _spread(self, row: Row) -> None:
        """Give a container's own weights to the calls in it that use them, recognised by their sizes.

        torch's MultiheadAttention and LSTM are containers of the ops that they lower to, and
        ``in_proj_weight`` is theirs; a user's module that calls ``functional.conv2d`` with its own weight
        is one too. A weight of a size that no call has is a bias, which follows its weight.
        """
        module = self.layers[row.id].module
        near = self._nearest(row.id)
        if module is None or not near:
            self._add(row, row.params)
            return
        weights: list[Number] = [p.numel for p in self.analysis.weights.of(module) if p.trainable]
        if not equal(total(weights), row.params):
            weights = [row.params]
        if len(near) == 1:
            self.named[near[0]] = row.path
        if row.id in self.sharing:
            self.sharing |= dict.fromkeys(near, self.sharing[row.id])
        free, last = list(near), near[0]
        for size in weights:
            fitting = [i for i in free if equal(_weight_size(self.analysis, self.layers[i]), size)]
            if fitting:
                last = fitting[0]
                free.remove(last)
            self.given[last] = number(self.given.get(last, 0) + size)

    def _nearest(self, call: int) -> list[int]:
        """Return the computing calls of a module's own forward, not those of the modules that it calls."""
        found = []
        for i in self.inside[call]:
            up = i
            while up != call and (self.layers[up].level != "layer"):
                up = self.layers[up].parent or 0
            if up == call:
                found.append(i)
        return found

    def _added(self, row: Row) -> bool:
        """Give the constant that is added to a layer without a bias to it, as its bias; return whether it is.

        Exporters write a dense layer over more than two axes as MatMul and Add.
        """
        layer = self.layers[row.id]
        if row.kind != "add" or row.macs != 0 or layer.module is None:
            return False
        sizes = [p.numel for p in self.analysis.weights.of(layer.module)]
        for tensor in layer.inputs:
            maker = self._reshaped(tensor)
            before = self.found.get(maker)
            if before is None or before.bias or before.kind not in _BIASED:
                continue
            if len(sizes) == 1 and equal(sizes[0], before.channels[1]):
                params = number(before.params + row.params)
                shared = before.shared or self.sharing.get(row.id, "")
                self.found[maker] = replace(before, params=params, bias=True, added=True, shared=shared)
                self.makers.update(dict.fromkeys(layer.outputs, maker))
                return True
        return False

    def _reshaped(self, tensor: int) -> int:
        """Return the call that made a tensor; a dense layer, if it did before its leading axes were reshaped.

        Exporters also write the product over two axes, give it the axes that it came with, and add then.
        """
        made = maker = self.makers.get(tensor, -1)
        features = self._last(tensor)
        while maker in self.rows and self.rows[maker].kind in _RESHAPES:
            given = self.layers[maker].inputs[0]
            earlier = self.makers.get(given, -1)
            if earlier >= maker or not equal(self._last(given), features):
                return made
            maker = earlier
        dense = self.found.get(maker)
        known = dense is not None and dense.kind == "linear" and equal(dense.channels[1], features)
        return maker if known else made

    def _last(self, tensor: int) -> Dim:
        shape = self.analysis.graph.tensors[tensor].shape
        return shape[-1] if shape else 0

    def _fold(self, row: Row) -> bool:
        """Give a scale's weights to the norm before it, and a bias's to the layer that it is added to.

        Without it each norm of a Caffe network would be two layers, one of them without a counterpart in
        PyTorch.
        """
        layer = self.layers[row.id]
        maker = self.makers.get(layer.inputs[0], -1) if layer.inputs else -1
        norm = maker in self.rows and self.analysis.formulas.group(maker) == "norm"
        if row.kind == "scale" and norm and self.rows[maker].kind != "scale":
            if maker not in self.found:
                self._add(self.rows[maker], 0)
        elif row.kind != "bias" or maker not in self.found:
            return False
        before = self.found[maker]
        bias = before.bias or row.kind == "bias"
        self.found[maker] = replace(before, params=number(before.params + row.params), bias=bias)
        self.makers.update(dict.fromkeys(layer.outputs, maker))
        return True


def _weight_size(analysis: Analysis, layer: Layer) -> Number:
    """Return how many elements the weight of a convolution or dense layer has; 0 of others."""
    facts = analysis.formulas.facts(layer)
    if "in_features" in facts and isinstance(layer.attrs.get("out_features"), int):
        return number(facts["in_features"] * dim(layer.attrs["out_features"]))
    if "kernel_volume" in facts:
        channels, groups = facts["in_channels"], dim(layer.attrs.get("groups", 1))
        out = dim(layer.attrs.get("out_channels", 0))
        return number(facts["kernel_volume"] * floordiv(channels, groups) * out)
    return 0


def _makers(analysis: Analysis, rows: Mapping[int, Row]) -> dict[int, int]:
    """Return which layer, if any, made each tensor; the last one where several write to it."""
    makers: dict[int, int] = {}
    for layer_id in rows:
        layer = analysis.graph.layers[layer_id]
        if analysis.formulas.kind_of[layer.id] is not None:
            makers.update(dict.fromkeys(layer.outputs, layer_id))
    return makers


def _depths(analysis: Analysis, rows: Mapping[int, Row]) -> dict[int, int]:
    """Count the computing layers before each call, along the longest path."""
    of_tensor: dict[int, int] = {}
    depths: dict[int, int] = {}
    for layer_id, row in rows.items():
        layer = analysis.graph.layers[layer_id]
        before = max((_depth(analysis, of_tensor, tensor) for tensor in layer.inputs), default=0)
        depths[layer_id] = before
        if row.status != "container":
            after = before + (1 if row.macs != 0 else 0)
            of_tensor.update(dict.fromkeys(layer.outputs, after))
    return depths


def _depth(analysis: Analysis, of_tensor: Mapping[int, int], tensor: int) -> int:
    """Return the depth of a tensor; one that no call makes is another's memory in another shape."""
    found = of_tensor.get(tensor)
    owner = analysis.graph.tensors[tensor].alias_of
    return found if found is not None else 0 if owner is None else of_tensor.get(owner, 0)
