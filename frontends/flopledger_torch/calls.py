"""The events of a reading as the graph's calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import CONTAINER, UNKNOWN, Call, GraphError, builtin, is_symbolic

from flopledger_torch.listen.sizes import PRODUCT
from flopledger_torch.tables.call import Meaning, TorchCall
from flopledger_torch.tables.layers import rule_of
from flopledger_torch.tables.ops import function_rule, op_rule

if TYPE_CHECKING:
    import torch
    from flopledger.frontend import GraphBuilder, Registered, Shape

    from flopledger_torch.record import Event, Recorder

_CONTAINER = Meaning(CONTAINER)
_UNKNOWN = Meaning(UNKNOWN)
_PRODUCT = Meaning("index_arithmetic", {"shape": ()})
_SILENCE = Meaning("silence")
_ANSWERS = ("aten.allclose.", "aten.equal.")
"""Operators that compare all elements and return a Python bool: they have no tensor, but they compute."""
_ON_DATA = frozenset(kind.name for kind in builtin().values() if kind.group == "elementwise")
"""The kinds whose arithmetic, on whole numbers and truth values, only finds places in the data."""

_GROUPS_BY_ROW = frozenset(("activation", "elementwise", "norm", "softmax", "move"))
_BY_ROW = frozenset(
    ("linear", "embedding", *(kind.name for kind in builtin().values() if kind.group in _GROUPS_BY_ROW))
)
"""The kinds that cost the same for rows of several lengths as for all rows in one."""


def _indices(call: TorchCall) -> Meaning:
    return Meaning("index_arithmetic", {"shape": call.out})


class Calls:
    """Writes one layer for each event."""

    def __init__(
        self, builder: GraphBuilder, registered: Registered[torch.nn.Module], recorder: Recorder
    ) -> None:
        self.builder, self.registered, self.recorder = builder, registered, recorder
        self.paths: list[str] = []
        self.times: dict[int, int] = {}
        self.expected: dict[object, tuple[Shape, ...]] = {}

    def write(self) -> None:
        """Write them all, in order."""
        for event in self.recorder.events:
            self._write(event)

    def _write(self, event: Event) -> None:
        module = None if event.module is None else self.registered.number(event.module)
        index = 1
        if module is not None:
            index = self.times[module] = self.times.get(module, 0) + 1
        meaning = _PRODUCT if event.source == PRODUCT else self._meaning(event, module)
        if meaning is _UNKNOWN and self._is_of_numbers(event):
            meaning = _PRODUCT
        self.builder.layer(
            self._path(event, module),
            meaning.kind,
            event.source,
            level=event.level,
            parent=None if event.parent is None else event.parent.id,
            module=module,
            index=index,
            inputs=event.inputs if meaning.inputs is None else meaning.inputs,
            outputs=event.outputs,
            attrs=meaning.attrs,
            native=event.native,
            composite=event.composite,
            problem=event.problem,
        )

    def _meaning(self, event: Event, module: int | None) -> Meaning:
        """Return the meaning of a call: a kind, else a container of the calls below it, or unknown."""
        if event.problem:
            return _UNKNOWN
        if event.module is not None:
            rule = rule_of(event.module)
        else:
            rule = function_rule(event.source) if event.level == "function" else op_rule(event.source)
        other = _CONTAINER if event.level != "op" or event.composite else _UNKNOWN
        if not event.outputs:
            return _SILENCE if other is _UNKNOWN and not event.source.startswith(_ANSWERS) else other
        native = None if module is None else self.builder.modules[module].native
        call = TorchCall(self.recorder.tensors, event.native, event.inputs, event.outputs, native)
        try:
            meaning = None if rule is None else rule(call)
            if meaning is not None and meaning.kind in _ON_DATA and call.integral():
                return _indices(call)
            return other if meaning is None or not self._fits(meaning, event) else meaning
        except (GraphError, IndexError, TypeError, ValueError):  # a spelling that the rule does not know
            return other

    def _is_of_numbers(self, event: Event) -> bool:
        """Return whether a call makes a whole number of numbers, as ``torch.div(x.shape[1], 2)`` does."""
        if event.problem or event.inputs or len(event.outputs) != 1:
            return False
        (out,) = event.outputs
        tensors = self.recorder.tensors
        return tensors.shapes[out] == () and tensors.dtypes[out] == "int64"

    def _fits(self, meaning: Meaning, event: Event) -> bool:
        """Return whether a kind's shape rule gives the shapes of the call; if not, it is not that kind.

        Sizes with symbols can be written in several ways, and are not compared.
        """
        shapes, nested = self.recorder.tensors.shapes, self.recorder.tensors.nested
        ids = event.inputs if meaning.inputs is None else meaning.inputs
        if nested and not nested.isdisjoint(ids) and meaning.kind not in _BY_ROW:
            return False
        sparse = self.recorder.tensors.sparse
        if sparse and not sparse.isdisjoint(ids):  # it goes by the elements that are there
            return False
        inputs = tuple([shapes[i] for i in ids])
        key = (meaning.kind, tuple(meaning.attrs.items()), inputs)
        expected = self.expected.get(key)
        if expected is None:
            kind = self.builder.kinds[meaning.kind]
            expected = self.expected[key] = kind.shapes(Call(kind, meaning.attrs, inputs, where=event.source))
        for shape, i in zip(expected, event.outputs, strict=False):
            if shape != shapes[i] and not any(map(is_symbolic, (*shape, *shapes[i]))):
                return False
        return len(expected) <= len(event.outputs)

    def _path(self, event: Event, module: int | None) -> str:
        """Return the path of a call: that of its module, or its name below the call around it."""
        if module is not None:
            path = self.registered.paths[module][0]
            self.paths.append(path)
            return path or event.name
        above = "" if event.parent is None else self.paths[event.parent.id]
        path = f"{above}/{event.name}" if above else event.name
        self.paths.append(path)
        return path
