"""The contract that every frontend keeps, as checks for its tests. Our own frontends pass them.

A plugin that is installed (``pip install -e .`` does) is checked on each of its kinds of source::

    from flopledger.testing import check_frontend

    def test_contract():
        check_frontend("toy", "tests/small.toy")

And budgets, for the tests of those who build networks: :func:`assert_budget`.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger.errors import FlopledgerError, GraphError, UsageError
from flopledger.frontend.request import Request
from flopledger.graph import checks as consistency
from flopledger.graph.graph import Graph
from flopledger.graph.tables import CONTAINER, UNKNOWN
from flopledger.kinds import Call
from flopledger.plugins import discovery as plugins
from flopledger.reading.read import read_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flopledger.conventions.convention import Convention
    from flopledger.counting.ledger import Ledger
    from flopledger.dims.types import Shape
    from flopledger.graph.tables import Layer
    from flopledger.kinds import Kind

_PROBE = """
import json, pathlib, sys
sys.path[:], name, path = json.loads(sys.argv[1])
from flopledger.plugins import discovery as plugins
registry = plugins.registry()
plugin = registry.plugins.get(name)
if plugin:
    plugin.hooks.recognises_file(path=pathlib.Path(path))
    plugin.hooks.recognises_object(obj=object())
failures = [failure.error for failure in registry.failures.values() if failure.name == name]
print(json.dumps([plugin is not None, failures, bool(plugin) and plugin.frontend.module in sys.modules]))
"""


def check_frontend(name: str, source: object, request: Request | None = None) -> Graph:
    """Check an installed frontend on one source, and return the graph.

    Args:
        name: The frontend's name.
        source: A file's path, ``package.module:attribute``, or a live object.
        request: How to read it; by default as it states itself.

    Raises:
        AssertionError: The frontend breaks the contract; the message says where.
    """
    check_discovery(name, source if isinstance(source, (str, Path)) else "model")
    request = request or Request(str(source))
    first = read_source(source, replace(request, frontend=name))
    with unchanged():
        second = read_source(source, replace(request, frontend=name))
    check_graph(first, plugins.kinds())
    if first.digest != second.digest:
        raise AssertionError(f"{name}: read twice, the digests are {first.digest} and {second.digest}")
    return first


def check_discovery(name: str, path: str | Path) -> None:
    """Check in a fresh interpreter that discovery finds the plugin and imports no framework.

    Raises:
        AssertionError: The plugin is not installed or broken, or its hooks import the framework.
    """
    given = json.dumps([sys.path, name, str(path)])
    run = subprocess.run(  # noqa: S603  (our own interpreter)
        [sys.executable, "-c", _PROBE, given], capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise AssertionError(f"{name}: discovery fails in a fresh interpreter:\n{run.stderr}")
    found, failures, imported = json.loads(run.stdout.splitlines()[-1])
    if failures:
        raise AssertionError(f"{name}: the plugin is broken: {failures[0]}")
    if not found:
        raise AssertionError(f"{name}: no such plugin is installed under {plugins.GROUP!r}")
    if imported:
        raise AssertionError(f"{name}: its light hooks import the framework; only read and build may")


def assert_budget(  # noqa: PLR0913  (each is one of the limits)
    source: object,
    inputs: object = (),
    *,
    convention: str | Path | Convention = "mac",
    max_macs: float | str | None = None,
    max_flops: float | str | None = None,
    max_params: float | str | None = None,
    limits: Mapping[str, float | str] | None = None,
    against: str | Path | None = None,
    tolerance: str = "0",
) -> Ledger:
    """Count a network, and fail where it is over a limit.

    Args:
        source: As for :func:`flopledger.read`.
        inputs: As for :func:`flopledger.read`.
        convention: The convention to count under.
        max_macs: The most multiply-accumulates: a number, or a text such as ``"4.2G"``.
        max_flops: The most FLOP, 2 for each multiply-accumulate.
        max_params: The most parameters.
        limits: Limits on other figures of the ledger's total, by name.
        against: The JSON of earlier ledgers, whose figures may not be exceeded.
        tolerance: The share that ``against`` may be exceeded by, such as ``"0.5%"``.

    Returns:
        The ledger.

    Raises:
        AssertionError: It is over a limit; the message is the table of ``flopledger check``.
        UsageError: No limit is given, or one can't be read.
    """
    from flopledger import api, quantities  # noqa: PLC0415  (the contract of frontends needs none of these)
    from flopledger.checking import earlier as earlier_counts  # noqa: PLC0415
    from flopledger.checking import limits as budget  # noqa: PLC0415
    from flopledger.report import check as verdict  # noqa: PLC0415

    given = {"macs": max_macs, "flops": max_flops, "params": max_params, **(limits or {})}
    most = {
        key: quantities.parse_limit(str(value), budget.UNITS.get(key, ""))
        for key, value in given.items()
        if value is not None
    }
    if not most and against is None:
        raise UsageError("nothing to check: give max_macs, max_params, limits or against")
    before = None if against is None else earlier_counts.load(str(against))
    if against is not None and before is None:
        raise UsageError(f"{against} is no ledger; make one with count --format json")
    ledger = api.count(source, inputs, convention)
    earlier = None if before is None else earlier_counts.of_same(before, ledger)
    found = budget.check(ledger, most, earlier, quantities.parse_tolerance(tolerance))
    if not found.passed:
        raise AssertionError("\n" + verdict.render([found]))
    return ledger


@contextlib.contextmanager
def unchanged() -> Iterator[None]:
    """Check that the code inside the ``with`` leaves the process unchanged.

    Raises:
        AssertionError: The folder, the environment, the search path, the random state or the imported modules
        have changed.
    """
    before = _state()
    yield
    for what, value in _state().items():
        if value != before[what]:
            raise AssertionError(f"reading changed {what}: {_difference(before[what], value)}")


def _state() -> dict[str, object]:
    return {
        "the folder": Path.cwd(),
        "the environment": dict(os.environ),
        "the search path": list(sys.path),
        "the random state": random.getstate(),
        "the imported modules": {name: id(module) for name, module in sys.modules.items()},
    }


def _difference(before: object, after: object) -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        changed = sorted(key for key in before | after if before.get(key) != after.get(key))
        return ", ".join(changed[:10])
    return f"{str(before)[:200]} became {str(after)[:200]}"


def check_graph(graph: Graph, kinds: Mapping[str, Kind]) -> None:
    """Check that a graph's tables fit together, that it can be stored, and that layers keep to their kinds.

    Raises:
        AssertionError: They don't; the message names the layer.
    """
    try:
        consistency.check(graph, graph.reading.source)
        again = Graph.from_json(graph.to_json(), graph.reading.source)
        for layer in graph.layers:
            check_layer(graph, layer, kinds)
        check_traffic(graph)
    except FlopledgerError as error:
        raise AssertionError(f"the graph breaks the contract: {error}") from error
    if again != graph:
        raise AssertionError("the graph differs after it was written as JSON and read back")
    if again.digest != graph.digest:
        raise AssertionError("the digest differs after the graph was written and read back")


def check_traffic(graph: Graph) -> None:
    """Check that the bytes that a forward's calls read and write are those that the convention counts.

    Raises:
        AssertionError: They are not, although all are known.
    """
    from flopledger.conventions import loader  # noqa: PLC0415  (few checks count anything)
    from flopledger.counting import engine, traffic  # noqa: PLC0415

    if graph.reading.trains:
        return
    counted = engine.count(graph, loader.load("bytes"))
    moved = traffic.with_traffic(counted, graph).total.traffic
    if moved is not None and not moved.unknown and moved.reads + moved.writes != counted.total.count:
        found = f"{moved.reads} read and {moved.writes} written"
        raise AssertionError(f"the bytes are {found}, the convention 'bytes' has {counted.total.count}")


def check_layer(graph: Graph, layer: Layer, kinds: Mapping[str, Kind]) -> None:
    """Check a layer's kind, its attributes, and its shapes against the kind's shape rule.

    Raises:
        AssertionError: The shapes differ from those that the kind's rule gives.
        GraphError: The kind or an attribute is not known, an attribute is missing, or the rule has no output.
    """
    if layer.kind in (UNKNOWN, CONTAINER):
        return
    if layer.kind not in kinds:
        raise GraphError(f"{layer.path}: no kind is called {layer.kind!r}")
    kind = kinds[layer.kind]
    kind.check(layer.attrs, layer.path)
    inputs, outputs = _shapes(graph, layer.inputs), _shapes(graph, layer.outputs)
    if inputs is None or outputs is None:
        return
    expected = tuple(kind.shapes(Call(kind, layer.attrs, inputs, where=layer.path)))
    if expected != outputs[: len(expected)]:  # a framework may give more: states, statistics, places
        message = f"{layer.path}: its outputs are {outputs}, the rule of {kind.name!r} gives {expected}"
        raise AssertionError(f"{message} (inputs {inputs})")


def _shapes(graph: Graph, tensors: tuple[int, ...]) -> tuple[Shape, ...] | None:
    """Return the shapes of tensors, or None where one is not known."""
    shapes = tuple(shape for tensor in tensors if (shape := graph.shape(tensor)) is not None)
    return shapes if len(shapes) == len(tensors) else None
