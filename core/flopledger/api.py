"""The library's four functions: read, count, explain and compare."""

from __future__ import annotations

import contextlib
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger.conventions import loader
from flopledger.conventions.convention import Convention
from flopledger.counting import engine
from flopledger.errors import UsageError
from flopledger.frontend.description import has_type
from flopledger.frontend.request import Request
from flopledger.graph.graph import Graph
from flopledger.reading.given import given_inputs, one_of
from flopledger.reading.keywords import check_convention, check_inputs, check_keywords, refuse_figures
from flopledger.reading.profiles import reading_for_each
from flopledger.reading.python_words import noted, spoken
from flopledger.reading.read import Readings, read_source
from flopledger.reading.sizes import checked, given
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flopledger.comparing.comparison import Comparison
    from flopledger.counting.ledger import Ledger
    from flopledger.explaining.explanation import Explanation
    from flopledger.reading.profiles import Read


def read(  # noqa: PLR0913  (each is one of the command line's source options)
    source: object,
    inputs: object = (),
    *,
    input_size: object = (),
    sizes: Mapping[str, int] | None = None,
    profile: Mapping[str, object] | None = None,
    mode: str | None = None,
    step: str | None = None,
    arguments: Mapping[str, object] | None = None,
    options: Mapping[str, object] | None = None,
    frontend: str | None = None,
    inputs_from: str | None = None,
    execute: bool = False,
    timeout: float | None = None,
    memory_limit: int | None = None,
    isolated: bool = False,
) -> Graph:
    """Read a network into a graph, without running it.

    Args:
        source: A live model, ``"package.module:attribute"``, ``"file.py:attribute"``, or a file.
        inputs: Shapes, specs (``"1x3x224x224"``), tensors or arrays: one, a tuple or a dict of them.
        input_size: Another name of ``inputs``, as other counters have it; the batch is the first size.
        sizes: Numbers for symbols, by name: of the inputs, or of sizes that the data decides.
        profile: What the reading must be: ``mode``, ``step``, ``grad``, ``fast_paths``, ``sizes``.
        mode: ``eval``, ``train``, or ``given`` for a live model as it stands, module by module.
        step: ``forward``, or ``train`` for a training step with its gradients.
        arguments: Arguments for a class or function that makes the model.
        options: The other options of the command line, by name: Caffe's ``phase``, ``stage`` and ``level``;
            ``seq``, ``past``, ``batch`` and ``last_logits`` of language models; ``freeze``, ``train_only``,
            ``recompute`` and ``grad_inputs`` of training steps.
        frontend: The frontend to use where several claim the source.
        inputs_from: ``"file.py:make"``, a function that makes the inputs.
        execute: Whether the forward may really run, on small tensors.
        timeout: Seconds after which a reading in a child process is given up.
        memory_limit: Bytes that a child process may use.
        isolated: Whether a live model is read in a forked child process, which nothing that its forward does
            can leave; its own files and connections are still shared. A source that is no live object is
            read in a child process in any case.

    Raises:
        SourceError: The source is missing, malformed, or can't be read.
        UsageError: An input or an option can't be used.

    A model without the inputs that it needs is read for its parameters; the notes say what is missing.
    """
    how = _How(
        sizes, mode, step, arguments, options, frontend, inputs_from, execute, timeout, memory_limit, isolated
    )
    if has_type(source, Graph):
        raise UsageError("a graph has been read already; count it, as in graph.count('mac')")
    with spoken():
        request = how.request(source, one_of(inputs, input_size), profile or {})
        return read_source(source, replace(request, weights_suffice=True))


@dataclass(frozen=True, slots=True)
class _How:
    """How a source is read: the options that all functions have, as the command line has them."""

    sizes: Mapping[str, int] | None = None
    mode: str | None = None
    step: str | None = None
    arguments: Mapping[str, object] | None = None
    options: Mapping[str, object] | None = None
    frontend: str | None = None
    inputs_from: str | None = None
    execute: bool = False
    timeout: float | None = None
    memory_limit: int | None = None
    isolated: bool = False

    def request(self, source: object, inputs: object, profile: Mapping[str, object]) -> Request:
        """Return the request for a source."""
        specs, values = given_inputs(inputs)
        chosen = {name: word for name, word in (("mode", self.mode), ("step", self.step)) if word}
        return Request(
            source=name_of(source),
            inputs=specs,
            values=values,
            inputs_from=self.inputs_from or "",
            arguments=self.arguments or {},
            profile={**profile, **chosen},
            options=self.options or {},
            execute=self.execute,
            frontend=self.frontend,
            timeout=self.timeout,
            memory_limit=self.memory_limit,
            isolated=self.isolated,
            sizes=checked(self.sizes or {}),
        )

    def of_graph(self, graph: Graph) -> Graph:
        """Return a graph with the numbers for its symbols.

        Raises:
            UsageError: It is to be read in another way, which was settled when it was read.
        """
        rest = [
            f.name for f in fields(self) if f.name != "sizes" and getattr(self, f.name) not in (None, False)
        ]
        if rest:
            raise UsageError(f"{', '.join(rest)}: a graph has been read already; give this to fl.read")
        numbers = checked(self.sizes or {})
        return given(graph, Request("the graph", sizes=numbers)) if numbers else graph


def count(  # noqa: PLR0913  (each is a choice of the reading, or a name of one)
    source: object,
    inputs: object = (),
    convention: str | Path | Convention = "mac",
    *,
    input_size: object = (),
    sizes: Mapping[str, int] | None = None,
    inputs_from: str | None = None,
    arguments: Mapping[str, object] | None = None,
    options: Mapping[str, object] | None = None,
    frontend: str | None = None,
    mode: str | None = None,
    step: str | None = None,
    execute: bool = False,
    timeout: float | None = None,
    memory_limit: int | None = None,
    isolated: bool = False,
    device: str | Path | None = None,
    traffic: bool = False,
    **switches: object,
) -> Ledger:
    """Read a network under the profile that a convention needs, and count it.

    Args:
        source: As for :func:`read`; a graph is counted as it is.
        inputs: As for :func:`read`.
        convention: The name of a convention, a file, or a loaded one.
        input_size: As for :func:`read`.
        sizes: As for :func:`read`, as are the options below, up to ``isolated``.
        inputs_from: The file and function that make the inputs.
        arguments: Arguments for what makes the model.
        options: The other options of the command line.
        frontend: The frontend that reads.
        mode: ``eval`` or ``train``; else as the convention needs. Of a convention whose tool has such an
            argument itself (``torchinfo.summary(mode="same")``) it is that decision.
        step: ``forward`` or ``train``.
        execute: Whether the forward may really run, on small tensors.
        timeout: Seconds that a reading in a child process may take.
        memory_limit: Bytes that it may use.
        isolated: Whether a live model is read in a child process.
        device: The name of a device, or its file, of which the time is bounded from below.
        traffic: Whether each row says how many bytes its calls read and write, nothing fused.
        switches: The convention's documented decisions, as in ``bias="add"``.

    Raises:
        ConventionError: The convention is unknown, malformed, or not for this network.
        SourceError: The source can't be read.
    """
    loaded = _loaded(convention)
    if mode is not None and "mode" in loaded.switches:
        switches, mode = {**switches, "mode": mode}, None
    check_keywords(switches, loaded, count, of_graph=has_type(source, Graph))
    loaded = loaded.set(switches)
    how = _How(
        sizes, mode, step, arguments, options, frontend, inputs_from, execute, timeout, memory_limit, isolated
    )
    with _reader(
        source, one_of(inputs, input_size), how, weights_suffice=loaded.weights_suffice
    ) as read_under:
        graph = read_under(loaded.profile)
    ledger = engine.count(graph, loaded)
    if device is not None:
        from flopledger.counting import roofline  # noqa: PLC0415  (few need it)
        from flopledger.devices import file as devices  # noqa: PLC0415

        ledger = roofline.on_device(ledger, graph, devices.load(str(device)))
    if traffic:
        from flopledger.counting.traffic import with_traffic  # noqa: PLC0415  (few need it)

        ledger = with_traffic(ledger, graph)
    return ledger


def count_graph(graph: Graph, convention: object, switches: Mapping[str, object]) -> Ledger:
    """Count a graph under a convention, given by name, by file or as an object.

    Raises:
        ConventionError: The convention is unknown, malformed, or not for this network.
        ProfileMismatch: It needs another reading of the network.
        UsageError: A keyword is no decision, but a choice of the reading.
    """
    check_convention(convention)
    loaded = convention if isinstance(convention, Convention) else loader.load(str(convention))
    check_keywords(switches, loaded, count, of_graph=True)
    return engine.count(graph, loaded.set(switches))


@contextlib.contextmanager
def _reader(source: object, inputs: object, how: _How, *, weights_suffice: bool = False) -> Iterator[Read]:
    """Give a function that reads a source under a profile; a graph is taken as it is.

    Raises:
        UsageError: A convention is where the inputs belong, or a graph, which has its inputs, is given some.
    """
    check_inputs(source, inputs)
    with spoken():
        if has_type(source, Graph):
            graph = how.of_graph(source)
            yield lambda _: graph
            return
        request = replace(how.request(source, inputs, {}), weights_suffice=weights_suffice)
        with Readings(source, request) as readings:
            yield lambda profile: noted(readings.read(profile))


def name_of(source: object) -> str:
    """Return how messages and ledgers name a source: as it was given, or by its type."""
    return str(source) if has_type(source, str) or has_type(source, Path) else type(source).__name__


def _loaded(convention: str | Path | Convention) -> Convention:
    check_convention(convention)
    return convention if isinstance(convention, Convention) else loader.load(convention)


def explain(  # noqa: PLR0913  (likewise)
    source: object,
    a: str | Path | Convention,
    b: str | Path | Convention,
    inputs: object = (),
    what: str = "count",
    *,
    input_size: object = (),
    sizes: Mapping[str, int] | None = None,
    inputs_from: str | None = None,
    arguments: Mapping[str, object] | None = None,
    options: Mapping[str, object] | None = None,
    frontend: str | None = None,
    mode: str | None = None,
    step: str | None = None,
    execute: bool = False,
    timeout: float | None = None,
    memory_limit: int | None = None,
    isolated: bool = False,
) -> Explanation:
    """Explain why two conventions give two figures for one network, by causes that sum to the gap.

    The network is read once for each profile that the two need. Decisions of a convention are changed
    on a loaded one: ``fl.load("2mac").set({"bias": "add"})``.

    Args:
        source: As for :func:`read`; a graph is taken as it is.
        a: The convention to start from: its name, a file, or a loaded one.
        b: The convention to arrive at.
        inputs: As for :func:`read`.
        what: ``count`` for the operations, ``params`` for the parameters.
        input_size: As for :func:`read`.
        sizes: As for :func:`read`, as are all options below.
        inputs_from: The file and function that make the inputs.
        arguments: Arguments for what makes the model.
        options: The other options of the command line.
        frontend: The frontend that reads.
        mode: ``eval`` or ``train``; else as the convention needs.
        step: ``forward`` or ``train``.
        execute: Whether the forward may really run, on small tensors.
        timeout: Seconds that a reading in a child process may take.
        memory_limit: Bytes that it may use.
        isolated: Whether a live model is read in a child process.

    Raises:
        ConventionError: A convention is unknown, malformed, or not for this network.
        ProfileMismatch: The source is a graph, and a convention needs another reading.
        SourceError: The source can't be read.
        UsageError: ``what`` is neither, or a convention gives no parameter figure.
    """
    from flopledger.explaining import explanation  # noqa: PLC0415  (only this function needs it)

    how = _How(
        sizes, mode, step, arguments, options, frontend, inputs_from, execute, timeout, memory_limit, isolated
    )
    refuse_figures(name_of(source), a, b)
    pair = (_loaded(a), _loaded(b))
    alone = what == "params" and all(one.weights_suffice for one in pair)
    with _reader(source, one_of(inputs, input_size), how, weights_suffice=alone) as read_under:
        graph_a, graph_b = reading_for_each(read_under, pair)
    return explanation.explain(graph_a, pair[0], pair[1], graph_b=graph_b, what=what)


def compare(  # noqa: PLR0913  (likewise)
    a: object,
    b: object,
    inputs: object = (),
    inputs_b: object = None,
    convention: str | Path | Convention = "mac",
    *,
    input_size: object = (),
    sizes_b: Mapping[str, int] | None = None,
    sizes: Mapping[str, int] | None = None,
    inputs_from: str | None = None,
    arguments: Mapping[str, object] | None = None,
    options: Mapping[str, object] | None = None,
    frontend: str | None = None,
    mode: str | None = None,
    step: str | None = None,
    execute: bool = False,
    timeout: float | None = None,
    memory_limit: int | None = None,
    isolated: bool = False,
) -> Comparison:
    """Compare two networks, of any frameworks, layer by layer.

    Args:
        a: The one: as for :func:`read`, or a graph.
        b: The other.
        inputs: The inputs of both, as for :func:`read`.
        inputs_b: The inputs of ``b``, where they are others.
        convention: The convention of both totals.
        input_size: As for :func:`read`: the inputs of both.
        sizes_b: The numbers for symbols of ``b``, where they are others.
        sizes: As for :func:`read`, as are all options below, for both.
        inputs_from: The file and function that make the inputs.
        arguments: Arguments for what makes the model.
        options: The other options of the command line.
        frontend: The frontend that reads.
        mode: ``eval`` or ``train``; else as the convention needs.
        step: ``forward`` or ``train``.
        execute: Whether the forward may really run, on small tensors.
        timeout: Seconds that a reading in a child process may take.
        memory_limit: Bytes that it may use.
        isolated: Whether a live model is read in a child process.

    Raises:
        ConventionError: The convention is unknown, malformed, or not for these networks.
        SourceError: A source can't be read.
    """
    from flopledger.comparing import comparison  # noqa: PLC0415  (only this function needs it)

    inputs = one_of(inputs, input_size)
    if has_type(a, Graph) and inputs_b is None:  # then the inputs are the other's
        inputs, inputs_b = (), inputs
    loaded = _loaded(convention)
    both = (inputs, inputs if inputs_b is None else inputs_b)
    each = zip((a, b), both, (sizes, sizes if sizes_b is None else sizes_b), strict=True)
    how = _How(
        None, mode, step, arguments, options, frontend, inputs_from, execute, timeout, memory_limit, isolated
    )
    readers = [(source, given, replace(how, sizes=numbers)) for source, given, numbers in each]
    graphs = [_read_for(loaded, *reader, weights_suffice=loaded.weights_suffice) for reader in readers]
    if graphs[0].reading.of_weights != graphs[1].reading.of_weights:  # the one that lacks inputs says so
        graphs = [_read_for(loaded, *reader, weights_suffice=False) for reader in readers]
    return comparison.compare(graphs[0], graphs[1], loaded)


def _read_for(
    convention: Convention, source: object, inputs: object, how: _How, *, weights_suffice: bool
) -> Graph:
    with _reader(source, inputs, how, weights_suffice=weights_suffice) as read_under:
        return read_under(convention.profile)
