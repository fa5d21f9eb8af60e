"""Building a program from a layer, and hearing which layer made which of its ops."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import field
from typing import TYPE_CHECKING, Any

from flopledger.frontend import dataclass

from flopledger_paddle import internals
from flopledger_paddle.framework import paddle
from flopledger_paddle.known import Known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.frontend import InputSpec

    from flopledger_paddle.inputs import Arguments


class Event:
    """One layer's call: the ops from ``start`` to ``end`` of a block belong to it and those below.

    The block is None for the program's own, else that of a branch or a loop.
    """

    __slots__ = ("block", "end", "inputs", "layer", "outputs", "parent", "start")

    def __init__(self, layer: Any, parent: Event | None, block: Any) -> None:
        self.layer, self.parent, self.block = layer, parent, block
        self.start = self.end = 0
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []


@dataclass(slots=True)
class Trace:
    """A program and the calls that made it. ``inputs`` are name, value, and whether given by position."""

    program: Any
    inputs: list[tuple[str, Any, bool]] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    known: Known | None = None


class _CallRecorder:
    """Writes down each call of a layer while a program grows."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.current: Event | None = None

    def __call__(self, own: Any, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        event = self.open(layer, (args, kwargs))
        try:
            result = own(layer, *args, **kwargs)
        finally:
            self.current = event.parent
        self.close(event, result)
        return result

    def open(self, layer: Any, given: Any) -> Event:
        """Begin a call."""
        event = Event(layer, self.current, self.block())
        event.start = self.position(event)
        event.inputs = self.latest(given)
        self.trace.events.append(event)
        self.current = event
        return event

    def close(self, event: Event, result: Any) -> None:
        """End it."""
        event.end = self.position(event)
        event.outputs = self.latest(result)

    def latest(self, values: Any) -> list[Any]:
        """Return the values in arguments or results, as functions in place have left them by now."""
        known = self.trace.known
        return [value if known is None else known.latest(value) for value in values_in(values)]

    def block(self) -> Any:
        """Return the block that grows, if it is not the program's own."""
        return None

    def position(self, event: Event) -> int:
        """Return how many ops there are by now in the block of an event."""
        del event
        return internals.position(self.trace.program.global_block())


def values_in(value: Any) -> Iterator[Any]:
    """Yield the program's values in nested arguments or results."""
    if isinstance(value, paddle.pir.Value):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from values_in(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from values_in(item)


def direct(layer: Any, given: Arguments, *, run: bool = False) -> Trace:
    """Build a program from a layer by calling it on values that have only shapes.

    With ``run`` each op is computed beside the program: branches that depend on values follow them.

    Raises:
        TypeError: The layer's branches depend on values.
    """
    known = Known(everything=run)
    trace = Trace(paddle.static.Program(), known=known)
    recorder = _CallRecorder(trace)

    def make(name: str, spec: InputSpec) -> Any:
        value = paddle.static.data(f"input_{len(trace.inputs)}", list(spec.shape or ()), spec.dtype)
        trace.inputs.append((name, value, root_name(name) not in given.kwargs))
        known.input(value, spec)
        return value

    tensors = internals.tensors_of(layer)
    with _static(trace.program):
        args, kwargs = given.made(make)
        with (
            warnings.catch_warnings(),
            internals.converted(tensors, trace.program, known.stored),
            internals.as_it_runs(),
            internals.without_stacks(),
            known.watching(),
            internals.intercepting(recorder),
        ):
            for start in _OF_PROGRAMS:
                warnings.filterwarnings("ignore", start)
            trace.outputs = [known.latest(value) for value in values_in(layer(*args, **kwargs))]
    return trace


_OF_PROGRAMS = ("In static graph mode", "When training, we now always track")
"""How warnings begin that Paddle gives of programs, and that nobody who reads a layer can act on."""


def root_name(name: str) -> str:
    """Return ``batch`` for ``batch.image[0]``."""
    return name.partition(".")[0].partition("[")[0]


@contextlib.contextmanager
def _static(program: Any) -> Iterator[None]:
    """Let all ops that run inside go into a program."""
    paddle.enable_static()
    try:
        with paddle.static.program_guard(program, paddle.static.Program()):
            yield
    finally:
        paddle.disable_static()


def public(layer: Any, given: Arguments) -> Trace:
    """Build a program by the public way, which translates the source and follows both sides of a branch.

    Raises:
        OSError: The layer's source is not there to be translated.
    """

    def make(name: str, spec: InputSpec) -> Any:
        return paddle.static.InputSpec(list(spec.shape or ()), spec.dtype, name.replace(".", "_"))

    args, kwargs = given.made(make)
    trace = Trace(None)
    recorder = _PublicCallRecorder(trace)
    with warnings.catch_warnings(), internals.as_it_runs(), internals.intercepting(recorder):
        warnings.simplefilter("ignore")  # of the translation, about code that it wrote itself
        function = paddle.jit.to_static(layer.forward, input_spec=[*args, *kwargs.values()], full_graph=True)
        root = recorder.open(layer, ())
        concrete = function.concrete_program
    trace.program = concrete.main_program
    own = trace.program.global_block()
    root.end = internals.position(own)
    for event in trace.events:
        if event.block == own:
            event.block = None
    root.inputs = list(values_in(concrete.inputs[1:]))
    root.outputs = trace.outputs = list(values_in(concrete.outputs))
    names = [*given.names, *given.kwargs]
    trace.inputs = [
        (name, value, place < len(given.names))
        for place, (name, value) in enumerate(zip(names, root.inputs, strict=False))
    ]
    trace.notes = ("read by the public way: where the forward branches on values, both sides are counted",)
    return trace


class _PublicCallRecorder(_CallRecorder):
    """Finds the program that grows from the position of the next op."""

    def block(self) -> Any:
        """Return the block that grows; before there is one, the program's own will be the first."""
        return None if paddle.in_dynamic_mode() else internals.growing_block()

    def position(self, event: Event) -> int:
        """Return how many ops there are by now in the block of an event."""
        return 0 if event.block is None else internals.position(event.block)
