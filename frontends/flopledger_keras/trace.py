"""Follows a model on shapes alone, and writes down each call.

A graph of Keras is evaluated again node by node. A layer of the table is described by it; any other
layer runs its own ``call`` on ``KerasTensor``, and the layers and operations that it calls come back
to the same place, since the method that Keras infers shapes with is replaced meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
from flopledger.errors import FlopledgerError, ShapeError
from flopledger.graph.tables import CONTAINER, UNKNOWN

from flopledger_keras.introspect import (
    NOT_FOR_SHAPES,
    cant,
    check_compatible,
    dtype_of,
    graph_of,
    infer,
    is_array,
    known_as,
    shape_of,
    snake,
    tell_training,
    with_first,
    words,
)
from flopledger_keras.listen import watched
from flopledger_keras.modules import activation_name, source_of
from flopledger_keras.tables import recurrent
from flopledger_keras.tables.activations import activation_step
from flopledger_keras.tables.layers import LAYERS, Description, Step
from flopledger_keras.tables.ops import OPERATIONS, Operands
from flopledger_keras.tables.wrappers import COMPOSITES, WRAPPERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.dims.types import Shape
    from flopledger.frontend.builder import GraphBuilder
    from flopledger.graph.tables import Level, Value

_RULES = {
    **LAYERS,
    **dict.fromkeys(("SimpleRNN", "GRU", "LSTM", "RNN"), recurrent.recurrent),
    **dict.fromkeys(("SimpleRNNCell", "GRUCell", "LSTMCell"), recurrent.cell_step),
}


@dataclass(frozen=True, slots=True)
class Frame:
    """A call that is under way: its id, and what stands before the names below it."""

    id: int | None
    layers: str
    functions: str
    training: bool


class Tracer:
    """Writes down the calls of one model."""

    def __init__(self, builder: GraphBuilder, modules: Mapping[int, int], *, training: bool) -> None:
        self.builder, self.modules = builder, modules
        self.frames = [Frame(None, "", "", training)]
        self._ids: dict[int, int] = {}
        self._alive: list[object] = []
        self._calls: dict[int, int] = {}
        self._kept: set[int] = set()

    @property
    def frame(self) -> Frame:
        """The innermost call that is under way."""
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

    def evaluate(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Write down one call, and return its result: shapes."""
        if not isinstance(op, keras.layers.Layer):
            return self.operation(op, args, kwargs)
        check_compatible(op, args)
        said = kwargs.get("training")
        training = self.frame.training if said is None else bool(said)
        number = self._open(op, args, kwargs, training=training)
        try:
            outputs = self._inside(op, number, args, kwargs, training=training)
        finally:
            self.frames.pop()
        if not self.builder.layers[number].outputs:
            self._close(number, outputs=tuple(self.tensors(outputs)))
        return outputs

    def _open(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, training: bool) -> int:
        module = self.modules.get(id(op))
        index = 1
        if module is not None:
            index = self._calls[module] = self._calls.get(module, 0) + 1
        above = self.frame
        root = above.id is None
        number = self.builder.layer(
            "" if root else above.layers + op.name,
            CONTAINER,
            source_of(type(op)),
            parent=above.id,
            module=module,
            index=index,
            inputs=self.tensors((args, {k: v for k, v in kwargs.items() if k not in NOT_FOR_SHAPES})),
        )
        path = self.builder.layers[number].path
        self.frames.append(Frame(number, "" if root else f"{path}.", "" if root else f"{path}/", training))
        return number

    def _close(self, number: int, **changes: Any) -> None:
        self.builder.layers[number] = replace(self.builder.layers[number], **changes)

    def _inside(
        self, op: Any, number: int, args: tuple[Any, ...], kwargs: dict[str, Any], *, training: bool
    ) -> Any:
        graph = graph_of(op)
        if graph is not None:
            return self.graph(graph, args, show_inputs=graph is op)
        wrapper = WRAPPERS.get(known_as(op, WRAPPERS))
        if wrapper is not None:
            return wrapper(self, op, args, kwargs)
        rule = _RULES.get(known_as(op, _RULES))
        if rule is not None:
            outputs = infer(op, args, kwargs)
            given = self.tensors(args[:1])
            made = tuple(tuple(x.shape) for x in keras.tree.flatten(outputs))
            described = rule(op, Operands(self.shapes(given), made, training=training))
            if described is not None:
                return self._described(number, described, given, outputs)
        return self._run(op, number, args, kwargs, training=training)

    def graph(self, graph: Any, args: tuple[Any, ...], *, show_inputs: bool) -> Any:
        """Evaluate a graph of Keras again, in the order of its operations."""
        known: dict[int, Any] = dict(
            zip(map(id, graph.inputs), keras.tree.flatten(args[0] if len(args) == 1 else args), strict=True)
        )
        self._kept.update(map(id, graph.operations))  # their names last; those of others count up
        order = {id(op): place for place, op in enumerate(graph.operations)}
        for depth in sorted(graph._nodes_by_depth, reverse=True):  # noqa: SLF001  (no public way to the nodes)
            nodes = graph._nodes_by_depth[depth]  # noqa: SLF001
            for node in sorted(nodes, key=lambda node: order.get(id(node.operation), 0)):
                if node.is_input:
                    if show_inputs:
                        self._input(node.operation, [known.get(id(x)) for x in node.outputs])
                elif all(id(x) in known for x in node.input_tensors):
                    args, kwargs = node.arguments.fill_in(known)
                    if "training" in kwargs:  # as it was when the graph was made
                        kwargs["training"] = self.frame.training
                    outputs = self.evaluate(node.operation, args, kwargs)
                    known.update(zip(map(id, node.outputs), keras.tree.flatten(outputs), strict=True))
        return keras.tree.map_structure(lambda x: known[id(x)], graph.output)

    def _input(self, op: Any, outputs: list[Any]) -> None:
        """Write down an input layer: the network's own, or that of a model inside it."""
        tensors, root = self.tensors(outputs), len(self.frames) == 2
        attrs: dict[str, Value] = {"shapes": self.shapes(tensors)} if root else {}
        self.builder.layer(
            self.frame.layers + op.name,
            "input" if root else "identity",
            source_of(type(op)),
            parent=self.frame.id,
            module=self.modules.get(id(op)),
            inputs=() if root else tensors,
            outputs=tensors,
            attrs=attrs,
        )

    def _described(self, number: int, said: Description, given: list[int], outputs: Any) -> Any:
        """Write down a layer of the table: itself if it is one step, else the steps below it."""
        steps, activation = list(said.steps), said.activation
        known = activation_step(activation)
        if known is not None:
            steps, activation = [*steps, known], None
        first, *_ = keras.tree.flatten(outputs)
        if len(steps) == 1 and activation is None:
            return self._itself(number, steps[0], given, outputs, first)
        current = given
        for step in steps[:-1]:
            current = self.step(step, current)
        if activation is None:
            weights = [self.builder.tensor(shape) for shape in steps[-1].weights]
            result = self._shaped(steps[-1], [*current, *weights], first)
            self.step(replace(steps[-1], weights=()), [*current, *weights], self.tensors([result]))
        else:
            current = self.step(steps[-1], current) if steps else current
            result = self._activated(activation, current[0], first)
        return with_first(outputs, result)

    def _itself(self, number: int, step: Step, given: list[int], outputs: Any, first: Any) -> Any:
        """Write down a layer that is one step."""
        inputs = (*given, *(self.builder.tensor(shape) for shape in step.weights))
        result = self._shaped(step, inputs, first)
        self._close(number, kind=step.kind, attrs=step.attrs, native=step.native, inputs=inputs)
        self._close(number, outputs=tuple(self.tensors([result])))
        return with_first(outputs, result)

    def _shaped(self, step: Step, inputs: Sequence[int], said: Any) -> Any:
        """Return what a step gives: as Keras says, its open sizes as the kind says.

        Raises:
            ShapeError: They contradict each other.
        """
        where = self.frame.layers.rstrip(".") or step.name
        shape = self.builder.infer(step.kind, step.attrs, inputs, where)[0]
        told = tuple(said.shape)
        if len(told) != len(shape) or any(t not in (None, s) for t, s in zip(told, shape, strict=True)):
            raise ShapeError(f"{where}: Keras says that its output is {told}, the kind {step.kind!r} {shape}")
        return said if None not in told else keras.KerasTensor(shape, dtype=said.dtype)

    def _activated(self, activation: Any, tensor: int, like: Any) -> Any:
        """Let a function that is not Keras's own say itself what it does."""
        middle = keras.KerasTensor(self.shapes([tensor])[0], dtype=like.dtype)
        self.name(middle, tensor)
        state = self._mark()
        try:
            return activation(middle)
        except Exception as error:  # noqa: BLE001  (the user's code may raise anything on shapes)
            self._rewind(state)
            name, made = activation_name(activation), keras.KerasTensor(middle.shape, dtype=like.dtype)
            source = name if "." in name else f"keras.activations.{name}"
            self.call(
                name.rpartition(".")[2], source, UNKNOWN, [tensor], self.tensors([made]), problem=cant(error)
            )
            return made

    def step(self, step: Step, inputs: list[int], outputs: list[int] | None = None) -> list[int]:
        """Write down a function that a layer calls; return its outputs."""
        weights = [self.builder.tensor(shape) for shape in step.weights]
        operands = [*inputs, *weights]
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

    def operation(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Write down an operation of ``keras.ops``."""
        composite = COMPOSITES.get(type(op).__name__)
        if composite is not None:
            return self._composite(composite, op, args, kwargs)
        outputs = op.compute_output_spec(*args, **kwargs)
        given, made = self.tensors((args, kwargs)), self.tensors(outputs)
        scalars = sum(isinstance(v, (int, float)) for v in keras.tree.flatten((args, kwargs)))
        call = Operands(self.shapes(given), self.shapes(made), scalars, self.frame.training, args, kwargs)
        rule = OPERATIONS.get(type(op).__name__) if type(op).__module__.startswith("keras.") else None
        said = rule(op, call) if rule else None
        kind, attrs = said or (UNKNOWN, {})
        name = op.name if id(op) in self._kept else snake(type(op).__name__)
        problem = ""
        if said is not None:
            problem = self._problem(kind, attrs, given, call.outputs, name)
            kind, attrs = (kind, attrs) if not problem else (UNKNOWN, {})
        native = {"operation": type(op).__name__, **words(op)}
        source = f"keras.ops.{snake(type(op).__name__)}"
        self.call(name, source, kind, given, made, attrs=attrs, native=native, problem=problem)
        return outputs

    def _composite(self, composite: Any, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Write down an operation that is others, one after the other."""
        name = snake(type(op).__name__)
        number = self.call(name, f"keras.ops.{name}", CONTAINER, self.tensors((args, kwargs)), ())
        path = self.builder.layers[number].path
        self.frames.append(Frame(number, f"{path}.", f"{path}/", self.frame.training))
        try:
            outputs = composite(self, op, args, kwargs)
        finally:
            self.frames.pop()
        self._close(number, outputs=tuple(self.tensors(outputs)))
        return outputs

    def _problem(
        self, kind: str, attrs: Mapping[str, Value], given: list[int], outputs: tuple[Shape, ...], name: str
    ) -> str:
        try:
            found = self.builder.infer(kind, attrs, given, name)
        except FlopledgerError as error:
            return str(error)
        return (
            "" if found == outputs else f"Keras says that its output is {outputs}, the kind {kind!r} {found}"
        )

    def _run(
        self, op: Any, number: int, args: tuple[Any, ...], kwargs: dict[str, Any], *, training: bool
    ) -> Any:
        """Let a layer run its own ``call``; where that needs real tensors, it is unknown."""
        given = {name: value for name, value in kwargs.items() if name != "training"}
        if getattr(op, "_call_has_training_arg", False):
            given["training"] = training
        state = self._mark()
        tell_training(training=training)
        try:
            return op.call(*args, **given)
        except FlopledgerError:
            raise
        except Exception as error:  # noqa: BLE001  (the user's code may raise anything on shapes)
            self._rewind(state)
            return self._watch(op, number, args, kwargs, cant(error))

    def _watch(
        self, op: Any, number: int, args: tuple[Any, ...], kwargs: dict[str, Any], problem: str
    ) -> Any:
        """Let the backend infer what a layer gives, and write down the layers that it calls meanwhile."""
        count = len(self.builder.layers)
        with watched(self._on_tensors):
            outputs = infer(op, args, kwargs)
        if len(self.builder.layers) == count:
            self._close(number, kind=UNKNOWN, problem=problem)
        else:
            backend = keras.config.backend()
            why = f"what it computes with {backend}'s own functions, beside its layers, is not seen"
            given, made = self.tensors((args, kwargs)), self.tensors(outputs)
            self.call(backend, f"{backend}.functions", UNKNOWN, given, made, problem=why)
        return outputs

    def _on_tensors(self, original: Any, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Write down a layer that is called on the backend's tensors."""
        result = original(*args, **kwargs)
        known = known_as(layer, _RULES) or known_as(layer, WRAPPERS) or graph_of(layer) is not None
        if not known or any(isinstance(x, keras.KerasTensor) for x in keras.tree.flatten(args)):
            return result
        made = self.evaluate(layer, keras.tree.map_structure(self._on_shapes, args), {})
        for tensor, shape in zip(keras.tree.flatten(result), keras.tree.flatten(made), strict=True):
            self.name(tensor, self.tensors([shape])[0])
        return result

    def _on_shapes(self, value: Any) -> Any:
        if not is_array(value):
            return value
        shape = keras.KerasTensor(tuple(value.shape), dtype=dtype_of(value))
        self.name(shape, self.tensors([value])[0])
        return shape

    def _mark(self) -> tuple[int, int, dict[str, int], dict[int, int], int]:
        builder = self.builder
        paths = dict(builder._paths)  # noqa: SLF001  (so that names are free again)
        return len(builder.layers), len(builder.tensors), paths, dict(self._calls), len(self.frames)

    def _rewind(self, state: tuple[int, int, dict[str, int], dict[int, int], int]) -> None:
        layers, tensors, paths, self._calls, frames = state
        del self.builder.layers[layers:], self.builder.tensors[tensors:], self.frames[frames:]
        self.builder._paths = paths  # noqa: SLF001
        self._ids = {key: number for key, number in self._ids.items() if number < tensors}
