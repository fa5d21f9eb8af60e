"""A graph with numbers in place of its symbols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from flopledger.dims.arithmetic import is_symbolic, substitute, symbol_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.dims.types import Dim
    from flopledger.graph.tables import Tables, Value

T = TypeVar("T", bound="Tables")


def sized(graph: T, sizes: Mapping[str, Dim]) -> T:
    """Return a graph with numbers, or other sizes, in place of some of its symbols."""

    def settled(value: Any) -> Any:
        """Return a value with the numbers in it; one without symbols is returned as it is."""
        if isinstance(value, tuple):
            items = tuple([settled(item) for item in value])
            return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
        if isinstance(value, Mapping):
            named = {name: settled(item) for name, item in value.items()}
            return named if any(named[name] is not item for name, item in value.items()) else value
        return substitute(value, sizes) if is_symbolic(value) else value

    return replace(
        graph,
        tensors=tuple(replace(t, shape=settled(t.shape)) for t in graph.tensors),
        layers=tuple(replace(c, attrs=settled(c.attrs), native=settled(c.native)) for c in graph.layers),
        parameters=tuple(replace(p, shape=settled(p.shape)) for p in graph.parameters),
        modules=tuple(replace(m, native=settled(m.native)) for m in graph.modules),
    )


def symbols_of(graph: Tables) -> list[str]:
    """Return the names of a graph's symbols, sorted."""
    found: set[str] = set()
    for dim in _dims(graph):
        found.update(symbol_names(dim))
    return sorted(found)


def _dims(graph: Tables) -> Iterator[Value]:
    """Yield every size and attribute of a graph that is an expression over symbols."""
    pending: list[Iterable[Value]] = [shape for t in graph.tensors if (shape := t.shape)]
    pending += [p.shape for p in graph.parameters]
    pending += [
        values for c in graph.layers for values in (tuple(c.attrs.values()), tuple(c.native.values()))
    ]
    pending += [tuple(m.native.values()) for m in graph.modules]
    while pending:
        for value in pending.pop():
            if isinstance(value, tuple):
                pending.append(value)
            elif isinstance(value, Mapping):
                pending.append(tuple(value.values()))
            elif is_symbolic(value):
                yield value
