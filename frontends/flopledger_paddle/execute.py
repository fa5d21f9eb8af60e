"""Reading by a real run, for a forward that depends on values: the layers' calls, and the ops inside each.

What a layer without others inside does is then read from the layer alone, at the sizes that it was
given. Computations of a container itself, in functions and operators, are not seen; a note states it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flopledger.frontend import (
    CONTAINER,
    UNKNOWN,
    FlopledgerError,
    GraphBuilder,
    Input,
    InputSpec,
    SourceError,
)

from flopledger_paddle import internals
from flopledger_paddle.calls import Calls
from flopledger_paddle.framework import paddle
from flopledger_paddle.inputs import Arguments, contents_of, like
from flopledger_paddle.modules import class_path, dtype_name, registered_in
from flopledger_paddle.trace import direct, root_name
from flopledger_paddle.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.frontend import Layer, Registered

NOTE = "the forward really ran: computations of containers themselves, outside of layers, were not seen"


class Run:
    """Writes each layer's call into a builder while the network runs."""

    def __init__(self, builder: GraphBuilder, registered: Registered[Any]) -> None:
        self.builder, self.registered = builder, registered
        self.open: list[int] = []
        self.times: dict[int, int] = {}
        self._tensors: dict[int, int] = {}
        self._alive: list[Any] = []

    def tensor(self, value: Any) -> int:
        """Return the row of an eager tensor, which is kept alive so that no other gets its identity."""
        known = self._tensors.get(id(value))
        if known is None:
            self._alive.append(value)
            known = self.builder.tensor(tuple(value.shape), dtype_name(value.dtype))
            self._tensors[id(value)] = known
        return known

    def __call__(self, own: Any, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Make a layer's call, and record it."""
        row = self._begin(layer, (args, kwargs))
        before = len(self.builder.layers)
        self.open.append(row)
        try:
            result = own(layer, *args, **kwargs)
        finally:
            self.open.pop()
        outputs = list(dict.fromkeys(self.tensor(t) for t in tensors_in(result)))
        self._finish(row, layer, Arguments(args, kwargs), outputs, alone=before == len(self.builder.layers))
        return result

    def _begin(self, layer: Any, given: Any) -> int:
        number = self.registered.number(layer)
        if number is None:
            number = self.registered.extend(layer, type(layer).__name__)
        index = self.times[number] = self.times.get(number, 0) + 1
        return self.builder.layer(
            self.registered.paths[number][0] or type(layer).__name__,
            CONTAINER,
            class_path(type(layer)),
            parent=self.open[-1] if self.open else None,
            module=number,
            index=index,
            inputs=[self.tensor(t) for t in tensors_in(given)],
        )

    def _finish(self, row: int, layer: Any, given: Arguments, outputs: list[int], *, alone: bool) -> None:
        record = replace(self.builder.layers[row], outputs=tuple(outputs))
        if alone:
            record = self._read_alone(record, layer, given)
        self.builder.layers[row] = record

    def _read_alone(self, record: Layer, layer: Any, given: Arguments) -> Layer:
        """Read a layer alone, take over its meaning, and put its ops below it."""
        alone = GraphBuilder(self.builder.kinds)
        values = Values(alone)
        like = Arguments(
            tuple(map(_like, given.args)),
            {name: _like(value) for name, value in given.kwargs.items()},
            tuple(f"input{i}" for i in range(len(given.args))),
        )
        try:
            trace = direct(layer, like)
        except FlopledgerError:
            raise
        except Exception as error:  # noqa: BLE001  (the layer may do anything)
            return replace(
                record, kind=UNKNOWN, problem=f"its forward depends on data: {type(error).__name__}"
            )
        ends = dict(zip([v.id for _, v, _ in trace.inputs], record.inputs, strict=True))
        Calls(alone, registered_in(layer), values).write(trace.program.global_block().ops, trace.events)
        known = {values.tensor(v): ends[v.id] for _, v, _ in trace.inputs}
        known |= dict(zip(dict.fromkeys(values.tensors(trace.outputs)), record.outputs, strict=False))
        self._graft(alone, record, known)
        top = alone.layers[0]
        return replace(record, kind=top.kind, attrs=top.attrs, outputs=record.outputs[: len(top.outputs)])

    def _graft(self, alone: GraphBuilder, record: Layer, known: dict[int, int]) -> None:
        """Copy the ops of a layer that was read alone."""

        def at(tensor: int) -> int:
            if tensor not in known:
                row = alone.tensors[tensor]
                known[tensor] = self.builder.tensor(row.shape, row.dtype)
            return known[tensor]

        for op in alone.layers[1:]:
            self.builder.layer(
                f"{self.registered.paths[record.module or 0][0]}/{op.source.rpartition('.')[2].rstrip('_')}",
                op.kind,
                op.source,
                level=op.level,
                parent=record.id,
                inputs=[at(i) for i in op.inputs],
                outputs=[at(i) for i in op.outputs],
                attrs=op.attrs,
                problem=op.problem,
            )


def tensors_in(value: Any) -> Iterator[Any]:
    """Yield the eager tensors in nested arguments or results."""
    if isinstance(value, paddle.Tensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors_in(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors_in(item)


def _like(value: Any) -> Any:
    """Return a spec for each tensor in an argument."""
    if isinstance(value, paddle.Tensor):
        return InputSpec("", tuple(value.shape), dtype_name(value.dtype))
    if isinstance(value, dict):
        return {key: _like(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return like(value, [_like(item) for item in value])
    return value


def run(model: Any, given: Arguments, registered: Registered[Any], builder: GraphBuilder) -> list[int]:
    """Run a model, write its calls, and return the tensors of its outputs.

    Raises:
        SourceError: Its weights have no memory.
    """
    if any(not p._is_initialized() for p in model.parameters()):  # noqa: SLF001
        raise SourceError("a model that was built lazily can't run: build it without paddle.LazyGuard")
    running = Run(builder, registered)

    def make(name: str, spec: InputSpec) -> Any:
        value = contents_of(spec)
        builder.inputs.append(Input(name, running.tensor(value), root_name(name) not in given.kwargs))
        return value

    args, kwargs = given.made(make)
    saved = [(t, t.clone()) for layer in registered.modules for t in _stored(layer)]
    try:
        with paddle.no_grad(), internals.intercepting(running):
            result = model(*args, **kwargs)
    finally:
        for tensor, copy in saved:
            tensor.set_value(copy)
    return [running.tensor(tensor) for tensor in tensors_in(result)]


def _stored(layer: Any) -> Iterator[Any]:
    """Yield the tensors that a forward may overwrite: buffers, and the parameters that are not trained.

    The state that a recurrent layer keeps for its dropout has no memory before it is first used.
    """
    for table in (layer._buffers, layer._parameters):  # noqa: SLF001
        for tensor in table.values():
            if tensor is not None and tensor.stop_gradient and tensor._is_initialized():  # noqa: SLF001
                yield tensor
