"""Numbers for symbols: ``--size NAME=NUMBER``.

A symbol of an input or of a language model's step gets its number before the reading, so that the network is
read for it: no condition of a formula matters then. A size that the data decides is settled by the frontend,
which reads with it; a symbol of a file's own, or of a saved graph, in the graph.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import is_symbolic, substitute, symbol_names
from flopledger.dims.types import SYMBOL
from flopledger.errors import UsageError, nearest, shown
from flopledger.graph.sized import sized, symbols_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.frontend.request import Request
    from flopledger.graph.graph import Graph

LARGEST = 2**63
"""The first number that is refused; no framework holds such a size."""


def checked(sizes: Mapping[str, object]) -> dict[str, int]:
    """Return the numbers of symbols, each checked.

    Raises:
        UsageError: A name is no symbol's, or a number no size.
    """
    found: dict[str, int] = {}
    for name, value in sizes.items():
        if not isinstance(name, str) or not SYMBOL.match(name):
            raise UsageError(
                f"the size {shown(name)} is no symbol: a capital letter, then letters, digits or _, without x"
            )
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LARGEST:
            raise UsageError(f"the size {name} is {shown(value)}, expected a whole number, as in {name}=1000")
        found[name] = int(value)
    return found


def asked(request: Request) -> Request:
    """Return a request with the numbers in the sizes that it asks for.

    Raises:
        UsageError: One of them is 0, which no input has.
    """
    if not request.sizes:
        return request
    for name in _of_request(request):
        if request.sizes.get(name) == 0:
            raise UsageError(f"the size {name} of an input is 0; expected at least 1")
    inputs = tuple(
        spec
        if spec.shape is None
        else replace(spec, shape=tuple(substitute(d, request.sizes) for d in spec.shape))
        for spec in request.inputs
    )
    options = {
        name: substitute(value, request.sizes) if is_symbolic(value) else value
        for name, value in request.options.items()
    }
    return replace(request, inputs=inputs, options=options)


def _of_request(request: Request) -> list[str]:
    dims = [dim for spec in request.inputs for dim in spec.shape or ()]
    return [name for dim in (*dims, *request.options.values()) for name in symbol_names(dim)]


def given(graph: Graph, request: Request) -> Graph:
    """Return the graph that was read by a request, with the numbers for the symbols that are left.

    Raises:
        UsageError: A name is no symbol of the network, or a size is more than it can be.
    """
    if not request.sizes:
        return graph
    settled = {*_of_request(request), *graph.reading.given_sizes}
    left = {name: number for name, number in request.sizes.items() if name not in settled}
    symbols = symbols_of(graph)
    for name in left:
        if name not in symbols:
            known = sorted({*symbols, *settled})
            there = f"its symbols are {', '.join(known)}" if known else "it has no symbols"
            raise UsageError(
                f"--size {name}: {request.source} has no size {name}: {there}{nearest(name, known)}"
            )
    _check(left, graph)
    reading = graph.reading
    numbers = {**reading.given_sizes, **request.sizes}
    data = {name: most for name, most in reading.data_sizes.items() if name not in left}
    return replace(
        sized(graph, left) if left else graph,
        reading=replace(reading, given_sizes=numbers, data_sizes=data),
    )


def _check(left: Mapping[str, int], graph: Graph) -> None:
    for name, number in left.items():
        most = graph.reading.data_sizes.get(name)
        if isinstance(most, int) and number > most:
            raise UsageError(f"--size {name}={number}: it can be at most {most}")
        if number == 0:
            raise UsageError(
                f"--size {name}=0: a formula is for sizes from 1 on; read the network itself with it"
            )
