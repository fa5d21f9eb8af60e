"""Each call's facts, operations and macs by its kind's formula, computed once for each signature."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import equal, is_dim, plain
from flopledger.dims.bounds import number
from flopledger.errors import FlopledgerError, GraphError, Unbounded
from flopledger.graph.tables import CONTAINER, UNKNOWN
from flopledger.kinds import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger.analysis.call_tree import CallTree
    from flopledger.analysis.signatures import Signatures
    from flopledger.dims.types import Dim, Shape
    from flopledger.graph.tables import Layer, Tables
    from flopledger.kinds import Facts, Kind, Parts

    Shapes = tuple[Shape | None, ...]


class Formulas:
    """The kinds' formulas, applied to the calls of one graph."""

    def __init__(
        self, graph: Tables, kinds: Mapping[str, Kind], calls: CallTree, signatures: Signatures
    ) -> None:
        self.graph, self.kinds = graph, kinds
        self._calls, self._signatures = calls, signatures
        self._facts: dict[int, Facts] = {}
        self._parts: dict[int, Parts] = {}
        self._shown: dict[int, tuple[Shapes, Shapes, Mapping[str, Dim], tuple[Dim, ...]]] = {}

    @functools.cached_property
    def kind_of(self) -> list[Kind | None]:
        """For each call its kind, None if it has no formula or the call can't be counted."""
        return [self._kind(layer) for layer in self.graph.layers]

    def _kind(self, layer: Layer) -> Kind | None:
        if layer.problem or layer.kind in (CONTAINER, UNKNOWN):
            return None
        kind = self.kinds.get(layer.kind)
        return kind if kind is not None and kind.parts is not None else None

    def partly_known(self, layer: Layer) -> Kind | None:
        """Return the kind of a call whose facts are known and whose operations are not, else None."""
        kind = None if layer.problem else self.kinds.get(layer.kind)
        if kind is None or kind.parts is not None or not kind.facts_stated:
            return None
        return kind

    def group(self, call: int) -> str:
        """Return the group of a call's kind, empty if it has no formula."""
        kind = self.kind_of[call]
        return kind.group if kind is not None else ""

    def call(self, layer: Layer, kind: Kind) -> Call:
        """Return a call in the form that a kind's formula takes.

        Raises:
            FlopledgerError: The shape of an input or output is not known.
        """
        inputs, outputs = self._known_shapes(layer, layer.inputs), self._known_shapes(layer, layer.outputs)
        return Call(kind, layer.attrs, inputs, outputs, layer.path)

    def _known_shapes(self, layer: Layer, tensors: tuple[int, ...]) -> tuple[Shape, ...]:
        shapes = [self.graph.tensors[i].shape for i in tensors]
        known = tuple(shape for shape in shapes if shape is not None)
        if len(known) < len(shapes):
            raise FlopledgerError(f"{layer.path}: the shape of an input or output is not known")
        return known

    def facts(self, layer: Layer) -> Facts:
        """Return the facts of a call's kind; none where nothing of its work is known."""
        kind = self.kind_of[layer.id] or self.partly_known(layer)
        if kind is None:
            return {}
        signature = self._signatures.of[layer.id]
        found = self._facts.get(signature)
        if found is None:
            found = self._facts[signature] = self._applied(kind.facts, kind, layer)
        return found

    def parts(self, layer: Layer) -> Parts:
        """Return the arithmetic operations of a call; none where it has no formula."""
        kind = self.kind_of[layer.id]
        if kind is None or kind.parts is None:
            return {}
        signature = self._signatures.of[layer.id]
        found = self._parts.get(signature)
        if found is None:
            found = self._parts[signature] = self._applied(kind.parts, kind, layer)
        return found

    def _applied(self, formula: Callable[[Call], dict[str, Dim]], kind: Kind, layer: Layer) -> dict[str, Dim]:
        """Apply a formula to a call.

        A saved graph may come from anybody, so a call that does not fit its kind (a convolution of a
        vector, an axis of text) is an error in the graph, not in the formula.
        """
        call = self.call(layer, kind)
        try:
            found = formula(call)
            for value in found.values():
                number(value)
        except GraphError:
            raise
        except (Unbounded, ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
            reason = f"its attributes and shapes don't fit the kind {kind.name!r}: {error}"
            raise GraphError(f"{layer.path}: {reason}") from None
        return found

    def macs(self, layer: Layer) -> Dim:
        """Count a call's multiply-accumulates by its own kind; 0 where it has no formula."""
        return plain(self.facts(layer).get("macs", 0))

    def shown(self, layer: Layer) -> tuple[Shapes, Shapes, Mapping[str, Dim], tuple[Dim, ...]]:
        """Return the shapes of a call's inputs and outputs, its operations that are not 0, and its window."""
        signature = self._signatures.of[layer.id]
        found = self._shown.get(signature)
        if found is None:
            shape = self.graph.shape
            parts = {name: plain(value) for name, value in self.parts(layer).items() if value != 0}
            inputs, outputs = tuple(map(shape, layer.inputs)), tuple(map(shape, layer.outputs))
            found = self._shown[signature] = inputs, outputs, parts, _kernel(layer, inputs)
        return found

    @functools.cached_property
    def covered(self) -> list[bool]:
        """Whether a call is inside one whose kind's formula covers all its work."""
        covered: list[bool] = []
        for layer in self.graph.layers:
            up = layer.parent
            covered.append(up is not None and (covered[up] or self.kind_of[up] is not None))
        return covered

    @functools.cached_property
    def true_macs(self) -> list[Dim]:
        """The multiply-accumulates of each call; 0 for those inside a call that is counted as a whole."""
        return [0 if covered else macs for covered, macs in zip(self.covered, self._own_macs, strict=True)]

    @functools.cached_property
    def _own_macs(self) -> list[Dim]:
        """The multiply-accumulates of each call by its own kind."""
        found: dict[int, Dim] = {}
        for signature, layer in zip(self._signatures.of, self.graph.layers, strict=True):
            if signature not in found:
                found[signature] = self.macs(layer)
        return [found[signature] for signature in self._signatures.of]

    @functools.cached_property
    def without(self) -> list[Layer]:
        """The innermost calls that have no formula."""
        return [
            layer
            for layer, kind in zip(self.graph.layers, self.kind_of, strict=True)
            if kind is None and layer.kind != CONTAINER and not self._calls.has_children[layer.id]
        ]

    @functools.cached_property
    def unknown(self) -> list[Layer]:
        """Those of them that are not inside a call that has a formula."""
        return [layer for layer in self.without if not self.covered[layer.id]]

    def _is_complex(self, layer: Layer) -> bool:
        tensors = (self.graph.tensors[i] for i in (*layer.inputs, *layer.outputs))
        return any(tensor.dtype.startswith("complex") for tensor in tensors)

    @functools.cached_property
    def disagreements(self) -> tuple[str, ...]:
        """The calls whose formula gives another number of macs than the calls inside them.

        A frontend states both: torch's MultiheadAttention has a formula of its own and lowers to matrix
        products that have theirs. Where the two differ, one of them is wrong; but two differences are right,
        and no user can act on them. A sum over an axis of size 1 is lowered to a product element by element,
        which is as many multiplications and no multiply-accumulate (einsum of window attention on a small
        picture). And complex numbers are lowered to real products, three for each (torch's convolutions).
        """
        layers, has_children, kind_of = self.graph.layers, self._calls.has_children, self.kind_of
        if not any(has_children[i] and kind for i, kind in enumerate(kind_of)):
            return ()
        own = self._own_macs
        inside: list[Dim] = [0] * len(layers)
        elementwise: list[Dim] = [0] * len(layers)
        known = [True] * len(layers)
        found = []
        for layer in reversed(layers):
            i, up, kind = layer.id, layer.parent, kind_of[layer.id]
            macs = own[i] if kind else inside[i]
            if kind and kind.name == "multiply":
                elementwise[i] = self.parts(layer).get("multiplies", 0)
            if kind and has_children[i] and known[i] and not self._is_complex(layer):
                sums = (inside[i], inside[i] + elementwise[i])
                if not any(equal(macs, found_inside) for found_inside in sums):
                    found.append(
                        f"{layer.path} ({layer.source}): {macs} macs by its kind {layer.kind!r}, "
                        f"{inside[i]} by the calls below it"
                    )
            if up is not None:
                inside[up] += macs
                elementwise[up] += elementwise[i]
                if not kind and (not known[i] or not (has_children[i] or layer.kind == CONTAINER)):
                    known[up] = False
        return tuple(reversed(found))


def _kernel(layer: Layer, inputs: Shapes) -> tuple[Dim, ...]:
    """Return the extent of a call's window along each axis; () for one that has none or an unknown one.

    The window of a global pooling is its input, of shape [N,] C, L1 .. Lr or [N,] L1 .. Lr, C; the kernel in
    its attributes says only how many axes it has.
    """
    kernel = layer.attrs.get("kernel")
    if not isinstance(kernel, tuple):
        return ()
    if layer.attrs.get("whole") is True:
        shape = (inputs[0] if inputs else None) or ()
        last = layer.attrs.get("channels_last") is True
        kernel = shape[-len(kernel) - 1 : -1] if last else shape[len(shape) - len(kernel) :]
    return tuple(size for size in kernel if is_dim(size))
