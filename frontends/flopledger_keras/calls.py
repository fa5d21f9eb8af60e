"""Writes the calls of a model into a graph, each below the one that is open."""

from __future__ import annotations

import abc
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import CONTAINER, FlopledgerError, dataclass

from flopledger_keras.introspect import NOT_FOR_SHAPES, dtype_of, is_array, shape_of, snake
from flopledger_keras.modules import source_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flopledger.frontend import Checkpoint, GraphBuilder, Level, Shape, Value

    from flopledger_keras.tables.steps import Step


@dataclass(frozen=True, slots=True)
class Frame:
    """An open call: its id, and the prefix of the names below it."""

    id: int | None
    layers: str
    functions: str
    training: bool


class Calls(abc.ABC):
    """The calls of one model so far, and those that are open; :class:`flopledger_keras.trace.Tracer` follows.

    Layers and operations that are followed by rules of their own take it as their ``tracer``.
    """

    def __init__(
        self, builder: GraphBuilder, modules: Mapping[int, int], *, training: bool, symbolic: bool
    ) -> None:
        self.builder, self.modules, self.symbolic = builder, modules, symbolic
        self.frames = [Frame(None, "", "", training)]
        self._ids: dict[int, int] = {}
        self._alive: list[object] = []
        self._calls: dict[int, int] = {}
        self._named: set[int] = set()
        self._nodes: set[int] = set()
        self._own_call, self._unrecorded = False, False

    @abc.abstractmethod
    def evaluate(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record one call, and return its result: shapes."""

    @abc.abstractmethod
    def describes(self, layer: Any) -> bool:
        """Return whether the tables know a layer."""

    @property
    def frame(self) -> Frame:
        """The innermost open call."""
        return self.frames[-1]

    def name(self, tensor: object, number: int) -> None:
        """Say which tensor of the graph an object is."""
        self._ids[id(tensor)] = number
        self._alive.append(tensor)

    def tensors(self, values: object) -> list[int]:
        """Return the tensors among values, nested as they may be; a weight or array gets one of its own."""
        found = []
        for value in keras.tree.flatten(values):
            if isinstance(value, keras.KerasTensor) or is_array(value):
                if id(value) not in self._ids:
                    self.name(value, self.builder.tensor(shape_of(value), dtype_of(value)))
                found.append(self._ids[id(value)])
        return found

    def shapes(self, tensors: Sequence[int]) -> tuple[Shape, ...]:
        """Return the shapes of tensors."""
        return tuple(shape for i in tensors if (shape := self.builder.tensors[i].shape) is not None)

    @contextlib.contextmanager
    def called(
        self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, training: bool | None = None
    ) -> Iterator[int]:
        """Record a layer's call, and put the calls made during it inside."""
        module = self.modules.get(id(op))
        index = 1
        if module is not None:
            index = self._calls[module] = self._calls.get(module, 0) + 1
        above = self.frame
        number = self.builder.layer(
            "" if above.id is None else above.layers + op.name,
            CONTAINER,
            source_of(type(op)),
            parent=above.id,
            module=module,
            index=index,
            inputs=self.tensors((args, {k: v for k, v in kwargs.items() if k not in NOT_FOR_SHAPES})),
        )
        with self.inside(number, above.training if training is None else training):
            yield number

    @contextlib.contextmanager
    def inside(self, number: int, training: bool | None = None) -> Iterator[int]:  # noqa: FBT001  (a frame's field)
        """Put the calls recorded during this inside one."""
        path, depth = self.builder.layers[number].path, len(self.frames)
        mode = self.frame.training if training is None else training
        self.frames.append(Frame(number, f"{path}." if path else "", f"{path}/" if path else "", mode))
        try:
            yield number
        finally:
            del self.frames[depth:]

    def close(self, number: int, **changes: Any) -> None:
        """Record the properties of a call that are known after it."""
        self.builder.layers[number] = replace(self.builder.layers[number], **changes)

    def weights(self, step: Step) -> list[int]:
        """Return the tensors that a step reads beside its inputs."""
        return [
            self.builder.tensor(given) if isinstance(given, tuple) else self.tensors([given])[0]
            for given in step.weights
        ]

    def step(self, step: Step, inputs: list[int], outputs: list[int] | None = None) -> list[int]:
        """Write down a function that a layer calls; return its outputs."""
        operands = [*inputs, *self.weights(step)]
        path = self.frame.functions + step.name
        shapes = self.builder.infer(step.kind, step.attrs, operands, path)
        if outputs is None:
            outputs = [self.builder.tensor(shape) for shape in shapes]
        self.call(step.name, f"{step.package}.{step.name}", step.kind, operands, outputs, attrs=step.attrs,
                  native=step.native)  # fmt: skip
        return outputs

    def call(  # noqa: PLR0913  (the columns of the table)
        self,
        name: str,
        source: str,
        kind: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        *,
        attrs: Mapping[str, Value] | None = None,
        native: Mapping[str, Value] | None = None,
        level: Level = "function",
        problem: str = "",
    ) -> int:
        """Write down a function call."""
        return self.builder.layer(
            self.frame.functions + name,
            kind,
            source,
            level=level,
            parent=self.frame.id,
            inputs=inputs,
            outputs=outputs,
            attrs=attrs,
            native=native,
            problem=problem,
        )

    def problem(
        self, kind: str, attrs: Mapping[str, Value], given: list[int], outputs: tuple[Shape, ...], name: str
    ) -> str:
        """Return why a kind does not fit the outputs that the framework states; nothing where it does."""
        try:
            found = self.builder.infer(kind, attrs, given, name)
        except FlopledgerError as error:
            return str(error)
        return "" if found == outputs else f"Keras infers the output {outputs}, the kind {kind!r} {found}"

    def mark(self) -> tuple[Checkpoint, dict[int, int], int]:
        """Return the current end of the record."""
        return self.builder.checkpoint(), dict(self._calls), len(self.frames)

    def rewind(self, state: tuple[Checkpoint, dict[int, int], int]) -> None:
        """Take back everything recorded since."""
        written, self._calls, frames = state
        self.builder.rollback(written)
        del self.frames[frames:]
        self._ids = {key: number for key, number in self._ids.items() if number < written.tensors}

    def spelled(self, op: Any) -> str:
        """Return the name of an operation's call: that of its node in the graph that is evaluated, if any."""
        return str(op.name) if id(op) in self._named else snake(type(op).__name__)

    def is_node(self, op: Any) -> bool:
        """Return whether an operation is a node of the graph of a functional model."""
        return id(op) in self._nodes

    @contextlib.contextmanager
    def own_call_on(self, *, shapes: bool) -> Iterator[None]:
        """Let a layer run its own call; on shapes, operations on weights alone come to us too."""
        before, self._own_call = self._own_call, shapes
        try:
            yield
        finally:
            self._own_call = before

    @contextlib.contextmanager
    def unrecorded(self) -> Iterator[None]:
        """Record no calls during this."""
        before, self._unrecorded = self._unrecorded, True
        try:
            yield
        finally:
            self._unrecorded = before

    @property
    def own_call(self) -> bool:
        """Whether a layer runs its own call on shapes now."""
        return self._own_call and not self._unrecorded
