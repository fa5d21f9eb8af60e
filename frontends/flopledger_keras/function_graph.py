"""Follows a layer that calls TensorFlow itself: its call is traced as a function graph, whose nodes are read.

Tracing computes nothing: tensors are symbols with shapes, and placeholders take the place of variables,
so that one without a value needs none. Keras's own layers that the call reaches are described on shapes,
as elsewhere, and the nodes that they make are passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
from flopledger.frontend import UNKNOWN
from keras.src.backend.common.stateless_scope import StatelessScope
from keras.src.backend.common.symbolic_scope import SymbolicScope
from keras.src.backend.common.variables import AutocastScope

from flopledger_keras.introspect import dtype_of, graph_of, is_array, set_training
from flopledger_keras.listen import watched
from flopledger_keras.modules import registered_in
from flopledger_keras.tables.steps import others_read
from flopledger_keras.tables.tensorflow import CALLS, RULES, WITHOUT_ROW, constant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.frontend import Shape

    from flopledger_keras.calls import Calls

_PACKAGE = "tensorflow"


class FunctionGraph:
    """One layer's call as a graph of TensorFlow, and how much of it has been recorded."""

    def __init__(self, tracer: Calls) -> None:
        self.tracer = tracer
        self.graph = tf.__internal__.FuncGraph("scratch_graph")
        self._done: dict[int, int] = {}
        self._numbers: dict[tuple[int, str], int] = {}

    def run(
        self, op: Any, call: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, training: bool
    ) -> Any:
        """Trace a layer's call and record its operations; return its outputs as shapes."""
        scope = StatelessScope()
        with scope, SymbolicScope(), self.graph.as_default():
            layers = registered_in(op).modules
            for variable in {id(v): v for layer in layers for v in layer.variables}.values():
                stand_in = tf.compat.v1.placeholder(variable.dtype, variable.shape)
                scope.state_mapping[id(variable)] = stand_in
            args, kwargs = keras.tree.map_structure(self._placeholder, (args, kwargs))
            set_training(training=training)
            # the variables are cast to the type that the layer computes in, as by Layer.__call__
            mixed = op.autocast and keras.backend.is_float_dtype(op.compute_dtype)
            with watched(self._called), AutocastScope(op.compute_dtype if mixed else None):
                result = call(*args, **kwargs)
            self._write()
        return keras.tree.map_structure(self._shaped, result)

    def _placeholder(self, value: Any) -> Any:
        if not isinstance(value, keras.KerasTensor):
            return value
        made = tf.compat.v1.placeholder(value.dtype, value.shape)
        self._numbers[self._key(made)] = self.tracer.tensors([value])[0]
        return made

    def _key(self, tensor: Any) -> tuple[int, str]:
        return id(tensor.graph), str(tensor.name)

    def _called(self, original: Any, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record a layer that the call reaches: one of Keras on shapes, another by its own nodes."""
        if any(isinstance(x, keras.KerasTensor) for x in keras.tree.flatten((args, kwargs))):
            return original(*args, **kwargs)
        self._write()
        if type(layer).__module__.startswith("keras.") or graph_of(layer) is not None:
            return self._described(original, layer, args, kwargs)
        given = keras.tree.map_structure(self._shaped, (args, kwargs))
        with self.tracer.called(layer, *given) as number:
            result = original(*args, **kwargs)
            self._write()
            self.tracer.close(number, outputs=tuple(self._ids(keras.tree.flatten(result))))
        return result

    def _described(self, original: Any, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with watched(_plainly):
            result = original(*args, **kwargs)
        graph = tf.compat.v1.get_default_graph()
        self._done[id(graph)] = len(graph.get_operations())
        given, named = keras.tree.map_structure(self._shaped, (args, kwargs))
        with tf.init_scope():
            made = self.tracer.evaluate(layer, given, named)
        for tensor, shape in zip(keras.tree.flatten(result), keras.tree.flatten(made), strict=True):
            if tf.is_tensor(tensor):
                self._numbers[self._key(tensor)] = self.tracer.tensors([shape])[0]
        return result

    def _shaped(self, value: Any) -> Any:
        """Return a value's representative where shapes are followed: a tensor of the graph by its shape."""
        if not tf.is_tensor(value) or not hasattr(value, "graph") or isinstance(value, keras.Variable):
            return value
        (number,) = self._ids([value])
        shape = tuple(value.shape)
        made = keras.KerasTensor(shape, dtype=dtype_of(value))
        self.tracer.name(made, number)
        return made

    def _ids(self, values: Sequence[Any]) -> list[int]:
        """Return the tensors of our graph that tensors of TensorFlow's are."""
        found = []
        for value in values:
            if not hasattr(value, "graph") or not tf.is_tensor(value):
                found += self.tracer.tensors([value]) if is_array(value) else []
                continue
            key = self._key(value)
            if key not in self._numbers:
                self._numbers[key] = self.tracer.builder.tensor(_shape(value), _dtype(value))
            found.append(self._numbers[key])
        return found

    def _write(self, graph: Any = None) -> None:
        """Write down the nodes that have been made since the last time."""
        graph = graph or tf.compat.v1.get_default_graph()
        nodes = graph.get_operations()
        for node in nodes[self._done.get(id(graph), 0) :]:
            self._node(node)
        self._done[id(graph)] = len(nodes)

    def _node(self, node: Any) -> None:
        if node.type in WITHOUT_ROW:
            return
        if node.type == "IdentityN":  # each result is the operand of its place: a custom gradient's
            self._numbers.update(zip(map(self._key, node.outputs), self._ids(node.inputs), strict=True))
            return
        if node.type in CALLS and (body := _body(node)) is not None:
            self._inlined(node, body)
            return
        given, made = self._ids(node.inputs), self._ids(node.outputs)
        kind, attrs, inputs, problem = self._meaning(node, given, made)
        self.tracer.call(
            node.type, f"{_PACKAGE}.{node.type}", kind, inputs, made,
            attrs=attrs, native=others_read(given, inputs), problem=problem,
        )  # fmt: skip

    def _inlined(self, node: Any, body: Any) -> None:
        """Write down the nodes of a function that is called, with the call's tensors for its own."""
        for inner, outer in zip(body.inputs, self._ids(node.inputs), strict=True):
            self._numbers[self._key(inner)] = outer
        for inside in body.get_operations():
            self._node(inside)
        for outer, inner in zip(node.outputs, self._ids(body.outputs), strict=True):
            self._numbers[self._key(outer)] = inner

    def _meaning(
        self, node: Any, given: list[int], made: list[int]
    ) -> tuple[str, dict[str, Any], list[int], str]:
        """Return kind, attributes and operands of a node; unknown with the reason where there is none."""
        shapes = [self.tracer.builder.tensors[i].shape for i in (*given, *made)]
        if any(shape is None for shape in shapes):
            return UNKNOWN, {}, given, f"the sizes of {node.name} depend on the data"
        ins, outs = shapes[: len(given)], shapes[len(given) :]
        if len(outs) == 1 and constant(node.outputs[0]) is not None:
            return "fill", {"shape": outs[0]}, given, ""  # the same whatever the inputs are
        rule = RULES.get(node.type)
        meaning = rule(node, ins, outs) if rule is not None else None  # type: ignore[arg-type]
        if meaning is None:
            return UNKNOWN, {}, given, ""
        kind, attrs, reads = meaning
        operands = given[reads]
        problem = self.tracer.problem(kind, attrs, operands, tuple(outs), node.name)  # type: ignore[arg-type]
        return (UNKNOWN, {}, given, problem) if problem else (kind, attrs, operands, "")


def _plainly(original: Any, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Let the layers inside one that is described as a whole run unseen."""
    del layer
    return original(*args, **kwargs)


def _shape(tensor: Any) -> Shape | None:
    """Return the shape of a tensor of a graph; None where a size is open."""
    if tensor.shape.rank is None or None in tuple(tensor.shape):
        return None
    return tuple(int(size) for size in tensor.shape)


def _dtype(tensor: Any) -> str:
    """Return the name of a tensor's type: TensorFlow has handles and lists of tensors too, Keras has not."""
    return str(tensor.dtype.name)


def _body(node: Any) -> Any:
    """Return the graph of a function that a node calls; None where it is not available."""
    name = node.get_attr("f").name
    try:
        return node.graph._get_function(name).graph  # noqa: SLF001  (there is no public way to a call's graph)
    except AttributeError:
        return None
