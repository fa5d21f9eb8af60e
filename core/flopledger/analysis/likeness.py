"""Which calls look alike: what a formula or a rule gives for one of them, it gives for the others.

Networks repeat themselves; a count works out each of their calls once, however often it stands there.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, cast

from flopledger.graph.tables import TensorRef

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from flopledger.dims.types import Number
    from flopledger.expressions.compiler import Expression
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer, Module, Value


_MISSING = object()
_PLAIN = frozenset((int, str, type(None)))


class Likeness:
    """Numbers for the calls of one graph, equal for those that look alike."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._looks: dict[Hashable, int] = {}
        self._natively: dict[int, int] = {}
        self._modules: dict[int, int] = {}

    @functools.cached_property
    def of(self) -> list[int]:
        """For each call, the number of those of its kind and source with the same attributes and shapes."""
        shapes = [tensor.shape for tensor in self.graph.tensors]
        return [
            self._numbered(
                (
                    layer.kind,
                    layer.source,
                    layer.level,
                    layer.problem,
                    self._frozen(layer.attrs),
                    tuple([shapes[i] for i in layer.inputs]),
                    tuple([shapes[i] for i in layer.outputs]),
                )
            )
            for layer in self.graph.layers
        ]

    def natively(self, layer: Layer) -> int:
        """Return the number of calls that besides have the same native arguments."""
        found = self._natively.get(layer.id)
        if found is None:
            module = None if layer.module is None else self.module(self.graph.modules[layer.module])
            look = (self.of[layer.id], self._frozen(layer.native), module)
            found = self._natively[layer.id] = self._numbered(look)
        return found

    def module(self, module: Module) -> int:
        """Return the number of modules with the same native arguments."""
        found = self._modules.get(module.id)
        if found is None:
            found = self._modules[module.id] = self._numbered(("module", self._frozen(module.native)))
        return found

    def _numbered(self, look: Hashable) -> int:
        return self._looks.setdefault(look, len(self._looks))

    def _frozen(self, value: Value) -> Hashable:
        """Return a value that equals another's only if both are the same; 1 and True are not."""
        kind = type(value)
        if kind in _PLAIN:
            return cast("Hashable", value)
        if isinstance(value, tuple):
            return value if _PLAIN.issuperset(map(type, value)) else tuple(map(self._frozen, value))
        if isinstance(value, TensorRef):
            return TensorRef, self.graph.tensors[value.id].shape
        if isinstance(value, Mapping):
            return Mapping, tuple([(name, self._frozen(item)) for name, item in value.items()])
        return kind, value


class Seen(Protocol):
    """A scope that knows what it looks like."""

    def __call__(self, name: str, /) -> object:
        """Return the value of a name."""

    def look(self, names: Iterable[str], *, native: bool) -> object:
        """Return what is equal only for sites that an expression can't tell apart.

        Args:
            names: The names that the expression asks for.
            native: Whether it reads native arguments too.
        """


class Memo:
    """The values of a convention's expressions, each worked out once for all that look alike to it.

    Args:
        define: The definitions that the expressions may name.
        known: Whether what has a name is known from the look, or must be asked for each time.
    """

    def __init__(self, define: Mapping[str, Expression], known: Callable[[str], bool]) -> None:
        self._define, self._known = define, known
        self._reads: dict[int, tuple[tuple[str, ...], bool]] = {}
        self._values: dict[tuple[int, object], object] = {}
        self._numbers: dict[tuple[int, object], Number] = {}

    def value(self, expression: Expression, site: Seen) -> object:
        """Return the value of an expression, which must live as long as this does, at a site.

        Raises:
            ExpressionError: It has no value here.
        """
        key = self._key(expression, site)
        found = self._values.get(key, _MISSING)
        if found is _MISSING:
            found = self._values[key] = expression(site)
        return found

    def number(self, expression: Expression, site: Seen) -> Number:
        """Return the value of an expression that is a number.

        Raises:
            ExpressionError: It has no value here, or it is no number.
        """
        key = self._key(expression, site)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = expression.number(site)
        return found

    def _key(self, expression: Expression, site: Seen) -> tuple[int, object]:
        reads = self._reads.get(id(expression))
        if reads is None:
            reads = self._reads[id(expression)] = self._read_by(expression)
        return id(expression), site.look(reads[0], native=reads[1])

    def _read_by(self, expression: Expression) -> tuple[tuple[str, ...], bool]:
        """Return the names that an expression asks for, and whether it reads native arguments."""
        names: set[str] = set()
        pending = [expression]
        while pending:
            new = pending.pop().names - names
            names |= new
            pending += [self._define[name] for name in new if name in self._define]
        asked = sorted(name for name in names if name not in self._define and not self._known(name))
        return tuple(asked), any(name.startswith("native.") for name in names)
