"""A program and the calls that made it, as the graph's calls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flopledger.frontend import CONTAINER, UNKNOWN, Layer, TensorRef, plain_shape

from flopledger_paddle.modules import class_path
from flopledger_paddle.sizes import MOST, folded
from flopledger_paddle.tables.call import Meaning, Op, Open
from flopledger_paddle.tables.layers import OpRecord, meaning_of
from flopledger_paddle.tables.ops import WITHOUT_ROW, rule_of
from flopledger_paddle.values import shape_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.frontend import GraphBuilder, Registered, Value

    from flopledger_paddle.trace import Event
    from flopledger_paddle.values import Values

_NOT_RECORDED = frozenset({"op_callstack", "struct_name", "stop_gradient", "persistable", "place", "dtype"})
"""Attributes of an op that describe its origin, its device or its tensors, and not its work."""


class _Open:
    """A layer's call that has begun: its row, and the ops that it made itself; None if layers below did."""

    __slots__ = ("event", "ops", "path", "row")

    def __init__(self, event: Event, row: int, path: str) -> None:
        self.event, self.row, self.path = event, row, path
        self.ops: list[OpRecord] | None = []


class Calls:
    """Writes one row for each layer's call and for each op."""

    def __init__(self, builder: GraphBuilder, registered: Registered[Any] | None, values: Values) -> None:
        self.builder, self.registered, self.values = builder, registered, values
        self.times: dict[int, int] = {}
        self.open: list[_Open] = []
        self.events: Sequence[Event] = ()

    def write(self, ops: Sequence[Any], events: Sequence[Event]) -> None:
        """Write everything, in order of execution."""
        self.events = events
        self._block(ops, None)

    def _block(self, ops: Sequence[Any], block: Any) -> None:
        """Write the ops of a block, and the calls that made them."""
        around, place = len(self.open), 0
        for event in self.events:
            if event.block != block:
                continue
            while len(self.open) > around and self.open[-1].event is not event.parent:
                place = self._ops(ops, place, self.open[-1].event.end)
                self._close()
            place = self._ops(ops, place, event.start)
            self._begin(event)
        while len(self.open) > around:
            place = self._ops(ops, place, self.open[-1].event.end)
            self._close()
        self._ops(ops, place, len(ops))

    def _ops(self, ops: Sequence[Any], start: int, end: int) -> int:
        for op in ops[start:end]:
            self.op(op)
        return max(start, end)

    def _begin(self, event: Event) -> None:
        cls = type(event.layer)
        above = self.open[-1] if self.open else None
        if self.registered is None:
            raise AssertionError("only a model with layers has calls of layers")
        number = self.registered.number(event.layer)
        if number is None:
            at = f"{above.path}/{cls.__name__}" if above and above.path else cls.__name__
            number = self.registered.extend(event.layer, at)
        path = self.registered.paths[number][0]
        index = self.times[number] = self.times.get(number, 0) + 1
        row = self.builder.layer(
            path or cls.__name__,
            CONTAINER,
            class_path(cls),
            parent=above.row if above else None,
            module=number,
            index=index,
        )
        self.open.append(_Open(event, row, path))

    def _close(self) -> None:
        call = self.open.pop()
        inputs = self.values.tensors(call.event.inputs)
        outputs = list(dict.fromkeys(self.values.tensors(call.event.outputs)))  # a cell gives its state twice
        meaning = meaning_of(call.event.layer, call.ops, (inputs, outputs))
        if self.open:
            self.open[-1].ops = None
        row = self.builder.layers[call.row]
        self.builder.layers[call.row] = Layer(
            row.id, row.path, meaning.kind, row.source, row.level, row.parent, row.module, row.index,
            tuple(inputs), tuple(outputs), meaning.attrs, row.native, row.composite,
            self._problem(meaning, inputs, outputs),
        )  # fmt: skip

    def _problem(self, meaning: Meaning, inputs: Sequence[int], outputs: Sequence[int]) -> str:
        shapes = (self.builder.tensors[i].shape for i in (*inputs, *outputs))
        if meaning.kind != CONTAINER and any(shape is None for shape in shapes):
            return "the size of an input or output depends on the data"
        return ""

    def op(self, op: Any) -> None:
        """Write one op, or note the value that it gives."""
        name = op.name()
        if name in WITHOUT_ROW:
            self._note_value(name, op)
        view = Op(op, self.values)
        if self.registered is None and self._is_size(view):
            return
        if name in WITHOUT_ROW:
            return
        for value in view.results:
            self._listed(value)
        meaning, problem = _meaning(view)
        inputs = self.values.tensors([view.operands[i] for i in meaning.inputs if view.given(i)])
        results = view.results if meaning.outputs < 0 else view.results[: meaning.outputs]
        outputs = self.values.tensors([value for value in results if value.initialized()])
        if not problem:
            self._inferred(meaning, inputs, outputs)
        above = self.open[-1] if self.open else None
        short = name.rpartition(".")[2].rstrip("_")
        self.builder.layer(
            f"{above.path}/{short}" if above and above.path else short,
            meaning.kind,
            name,
            level="op",
            parent=above.row if above else None,
            inputs=inputs,
            outputs=outputs,
            attrs=meaning.attrs,
            native=self._native(view),
            problem=problem or self._problem(meaning, inputs, outputs),
        )
        if above is not None and above.ops is not None:
            above.ops.append(OpRecord(meaning, tuple(inputs), tuple(outputs)))
        for block in op.blocks():
            self._block(block.ops, block)

    def _is_size(self, view: Op) -> bool:
        """Note the value of an op of a saved program that computes sizes."""
        found = folded(view)
        if found is None:
            return False
        self.values.constants[view.results[0].id] = found
        return True

    def _inferred(self, meaning: Meaning, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """Infer the shapes that the program leaves open by the kind's shape rule."""
        tensors = self.builder.tensors
        if all(tensors[i].shape is not None for i in outputs) or meaning.kind in (CONTAINER, UNKNOWN):
            return
        if any(tensors[i].shape is None for i in inputs):
            return
        shapes = self.builder.infer(meaning.kind, meaning.attrs, inputs, meaning.kind)
        for tensor, shape in zip(outputs, shapes, strict=True):
            tensors[tensor] = replace(tensors[tensor], shape=plain_shape(shape))

    def _note_value(self, name: str, op: Any) -> None:
        if name in ("pd_op.full", "pd_op.full_int_array"):
            attrs = op.attrs()
            sizes = list(attrs.get("shape", ()))
            several = sizes[0] if len(sizes) == 1 and 1 < sizes[0] <= MOST else 1
            value = attrs["value"]
            self.values.constants[op.results()[0].id] = [value] * several if several > 1 else value
        elif name == "builtin.combine":
            self.values.lists[op.results()[0].id] = list(op.operands_source())
        elif name == "builtin.split":
            members = self.values.lists.get(op.operands_source()[0].id)
            for place, value in enumerate(op.results()):
                if members is not None and place < len(members):
                    self.values.same(value, members[place])

    def _listed(self, value: Any) -> None:
        """Take the tensors of a result that is a list from the op that splits it."""
        if not value.initialized() or shape_of(value) is not None or value.use_empty():
            return
        for user in value.all_used_ops():
            if user.name() == "builtin.split":
                self.values.lists[value.id] = list(user.results())
                return

    def _native(self, view: Op) -> Mapping[str, Value]:
        """Return an op's arguments as given: its attributes, and the tensors among its operands."""
        native: dict[str, Value] = {}
        for key, value in view.attrs.items():
            if key not in _NOT_RECORDED:
                native[key] = tuple(value) if isinstance(value, list) else value
        members = (v for given in view.operands for v in self.values.members(given))
        tensors = (v for v in members if v.initialized() and _has_shape(v))
        native["operands"] = tuple(TensorRef(self.values.tensor(value)) for value in tensors)
        return native


def _has_shape(value: Any) -> bool:
    """Return whether a value is a tensor; a list of them raises where it is asked for its shape."""
    try:
        return value.shape is not None
    except ValueError:
        return False


_LOOP = "the body of a loop is counted once: how often it runs depends on the data"


def _meaning(view: Op) -> tuple[Meaning, str]:
    """Return the meaning of an op, and why it can't be counted where it can't."""
    rule = rule_of(view.name)
    everything = tuple(range(len(view.operands)))
    if view.name == "pd_op.if":
        return Meaning(CONTAINER, {}, everything, -1), ""
    if view.name == "pd_op.while":
        return Meaning(UNKNOWN, {}, everything, -1), _LOOP
    if rule is None:
        return Meaning(UNKNOWN, {}, everything, -1), ""
    try:
        return rule(view), ""
    except Open as reason:
        return Meaning(UNKNOWN, {}, everything, -1), str(reason)
