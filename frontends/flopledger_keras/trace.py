"""Follows a model on shapes alone, and writes down each call.

A graph of Keras is evaluated again node by node. A layer of the table is described by it; any other
layer runs its own ``call`` on ``KerasTensor``, and the layers and operations that it calls come back
to the same place, since the method that Keras infers shapes with is replaced for that time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import UNKNOWN, ShapeError

from flopledger_keras.calls import Calls
from flopledger_keras.introspect import (
    cant,
    check_compatible,
    first_by_place,
    graph_of,
    infer,
    row_name,
    with_first,
)
from flopledger_keras.masks import Masks
from flopledger_keras.modules import activation_name, source_of
from flopledger_keras.operations import operation
from flopledger_keras.own_call import run_own
from flopledger_keras.tables import recurrent
from flopledger_keras.tables.activations import activation_step
from flopledger_keras.tables.call import KerasCall
from flopledger_keras.tables.layers import LAYERS
from flopledger_keras.tables.loops import run_cell
from flopledger_keras.tables.wrappers import WRAPPERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.frontend import GraphBuilder, Value

    from flopledger_keras.tables.steps import Description, Step

_RULES = {
    **LAYERS,
    **dict.fromkeys(("SimpleRNN", "GRU", "LSTM", "RNN"), recurrent.recurrent),
    **dict.fromkeys(("SimpleRNNCell", "GRUCell", "LSTMCell"), recurrent.cell_step),
}


def _is_followed(op: Any) -> bool:
    """Return whether a layer of the table runs its own call: a quantised one, where its nodes can be read.

    It quantises its input and scales its result beside the product, in ways that change from mode to mode.
    """
    return getattr(op, "quantization_mode", None) is not None and keras.config.backend() == "tensorflow"


class Tracer(Calls):
    """Follows one model, and records its calls."""

    def __init__(
        self, builder: GraphBuilder, modules: Mapping[int, int], *, training: bool, symbolic: bool = False
    ) -> None:
        super().__init__(builder, modules, training=training, symbolic=symbolic)
        self._masks = Masks(self)

    def evaluate(self, op: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record one call, and return its result: shapes."""
        if self._unrecorded:
            return op.compute_output_spec(*args, **kwargs)
        if not isinstance(op, keras.layers.Layer):
            return operation(self, op, args, kwargs)
        args, kwargs = first_by_place(op, args, kwargs)
        check_compatible(op, args)
        requested = kwargs.get("training")
        training = self.frame.training if requested is None else bool(requested)
        with self.called(op, args, kwargs, training=training) as number:
            outputs = self._inside(op, number, args, kwargs, training=training)
        if not self.builder.layers[number].outputs:
            self.close(number, outputs=tuple(self.tensors(outputs)))
        return outputs

    def _inside(
        self, op: Any, number: int, args: tuple[Any, ...], kwargs: dict[str, Any], *, training: bool
    ) -> Any:
        graph = graph_of(op)
        if graph is not None:
            self._masks.hand(keras.tree.flatten(args), keras.tree.flatten(kwargs.get("mask")))
            return self.graph(graph, args, show_inputs=graph is op)
        wrapper = WRAPPERS.get(row_name(op, WRAPPERS))
        if wrapper is not None:
            return wrapper(self, op, args, kwargs)
        rule = _RULES.get(row_name(op, _RULES))
        if rule is not None:
            given = self.tensors(args[:1])
            with (
                self.unrecorded()
            ):  # Keras may run the layer's own call; and a weight's update when it is read
                outputs = infer(op, args, kwargs)
                made = tuple(tuple(x.shape) for x in keras.tree.flatten(outputs))
                call = KerasCall(self.shapes(given), made, training=training, arguments=args, keywords=kwargs)
                described = rule(op, call)
            if described is not None and not _is_followed(op):
                mode = getattr(op, "quantization_mode", None)  # conventions price quantised steps by it
                described = described if mode is None else described.noted(quantization_mode=str(mode))
                return self._described(number, described, given, outputs)
            if isinstance(op, keras.layers.RNN):
                return run_cell(self, op, args, kwargs, outputs)
        return run_own(self, op, args, kwargs, training=training)

    def graph(self, graph: Any, args: tuple[Any, ...], *, show_inputs: bool) -> Any:
        """Evaluate a graph of Keras again, in the order of its operations."""
        known: dict[int, Any] = dict(
            zip(map(id, graph.inputs), keras.tree.flatten(args[0] if len(args) == 1 else args), strict=True)
        )
        self._named.update(map(id, graph.operations))  # these keep their names; others are numbered
        if show_inputs:  # a functional model; a sequential one shows layers alone
            self._nodes.update(map(id, graph.operations))
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
                    kwargs = self._masks.taken(node.operation, args, kwargs)
                    outputs = self.evaluate(node.operation, args, kwargs)
                    self._masks.promise(node.operation, args, kwargs, outputs)
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

    def _described(self, number: int, description: Description, given: list[int], outputs: Any) -> Any:
        """Record a layer of the table: itself if it is one step, else the steps below it."""
        steps = [step.reading(self.tensors(step.reads)) for step in description.steps]
        activation = description.activation
        known = activation_step(activation)
        if known is not None:
            steps, activation = [*steps, known], None
        first, *_ = keras.tree.flatten(outputs)
        if len(steps) == 1 and activation is None and not description.beside:
            return self._itself(number, steps[0], given, outputs, first)
        for branch in description.beside:
            current = given if branch.reads_input else []
            for step in branch.steps:
                current = self.step(step, current)
            steps[-1] = steps[-1].reading(current)
        current = given
        for step in steps[:-1]:
            current = self.step(step, current)
        if activation is None:
            weights = self.weights(steps[-1])
            result = self._shaped(steps[-1], [*current, *weights], first)
            self.step(replace(steps[-1], weights=()), [*current, *weights], self.tensors([result]))
        else:
            current = self.step(steps[-1], current) if steps else current
            result = self._activated(activation, current[0], first)
        return with_first(outputs, result)

    def _itself(self, number: int, step: Step, given: list[int], outputs: Any, first: Any) -> Any:
        """Record a layer that is one step."""
        inputs = (*given, *self.weights(step))
        result = self._shaped(step, inputs, first)
        self.close(number, kind=step.kind, attrs=step.attrs, native=step.native, inputs=inputs)
        self.close(number, outputs=tuple(self.tensors([result])))
        return with_first(outputs, result)

    def _shaped(self, step: Step, inputs: Sequence[int], result: Any) -> Any:
        """Return the output of a step: as Keras states, its open sizes by the kind's rule.

        Raises:
            ShapeError: They contradict each other.
        """
        where = self.frame.layers.rstrip(".") or step.name
        shape = self.builder.infer(step.kind, step.attrs, inputs, where)[0]
        declared = tuple(result.shape)
        if len(declared) != len(shape) or any(
            t not in (None, s) for t, s in zip(declared, shape, strict=True)
        ):
            raise ShapeError(f"{where}: Keras infers the output {declared}, the kind {step.kind!r} {shape}")
        return result if None not in declared else keras.KerasTensor(shape, dtype=result.dtype)

    def _activated(self, activation: Any, tensor: int, like: Any) -> Any:
        """Follow a function that is not Keras's own through its calls."""
        middle = keras.KerasTensor(self.shapes([tensor])[0], dtype=like.dtype)
        self.name(middle, tensor)
        state = self.mark()
        try:
            return activation(middle)
        except Exception as error:  # noqa: BLE001  (the user's code may raise anything on shapes)
            self.rewind(state)
            name, made = activation_name(activation), keras.KerasTensor(middle.shape, dtype=like.dtype)
            source = name if "." in name else f"keras.activations.{name}"
            self.call(
                name.rpartition(".")[2], source, UNKNOWN, [tensor], self.tensors([made]), problem=cant(error)
            )
            return made

    def describes(self, layer: Any) -> bool:
        """Return whether the tables know a layer."""
        return bool(row_name(layer, _RULES) or row_name(layer, WRAPPERS))
