"""Reading a saved inference program: ops alone, since layers are not in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flopledger.frontend import (
    GraphBuilder,
    Parameter,
    Reading,
    ShapeError,
    SourceError,
    UsageError,
    is_symbolic,
    kinds,
    text,
)

from flopledger_paddle import internals
from flopledger_paddle.calls import Calls
from flopledger_paddle.framework import paddle
from flopledger_paddle.inputs import open_shape
from flopledger_paddle.modules import dtype_name
from flopledger_paddle.state import preserved_process
from flopledger_paddle.tables.moves import IN_PROGRAMS
from flopledger_paddle.values import Values, shape_of

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.frontend import Graph, Request, Shape

_INPUTS = ("pd_op.data", "pd_op.feed")
"""The ops that inputs enter by: those of Paddle 3, and those translated from the older binary form."""
_STATISTICS = {1: "running_mean", 2: "running_var"}
"""The operands of a batch norm that are no weights, by place."""


def read_program(path: Path, request: Request) -> Graph:
    """Read a saved inference program. Open sizes are symbols unless an input gives them.

    Raises:
        SourceError: The file is no program, or its sizes don't follow.
        UsageError: An input is not there, or has other axes.
    """
    if request.arguments:
        raise UsageError(f"{request.source} is a saved program: it takes no --arg")
    with preserved_process():
        return _graph(_loaded(path, request), request)


def _loaded(path: Path, request: Request) -> Any:
    try:
        return internals.load_program(path)
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001  (Paddle passes on any error of its parsers)
        first = next((line for line in str(error).splitlines() if line.strip()), "")
        raise SourceError(
            f"{request.source}: it is no inference program that Paddle {paddle.__version__} reads: "
            f"{type(error).__name__}: {first.strip()}"
        ) from None


def _graph(program: Any, request: Request) -> Graph:
    builder = GraphBuilder(kinds(), IN_PROGRAMS)
    values = Values(builder)
    ops = program.global_block().ops
    inputs = [(str(op.attrs().get("name", "")), op.results()[0]) for op in ops if op.name() in _INPUTS]
    wanted = _wanted([(name, open_shape(value.shape)) for name, value in inputs], request)
    for (name, value), shape in zip(inputs, wanted, strict=True):
        values.name(value, builder.input(name, shape, dtype_name(value.dtype)))
    builder.parameters = _parameters(ops)
    try:
        Calls(builder, None, values).write(ops, ())
    except ShapeError as error:
        raise SourceError(f"{request.source}: its sizes don't follow from its inputs: {error}") from None
    last = [op.operands_source()[0] for op in ops if op.name() in ("pd_op.fetch", "builtin.shadow_output")]
    reading = Reading(request.source, "paddle", "paddle", paddle.__version__, {"mode": "eval"})
    return builder.build(reading, values.tensors(last))


def _parameters(ops: Any) -> list[Parameter]:
    """Return the weights in the program, and the running statistics that its batch norms read."""
    roles: dict[str, str] = {}
    for op in ops:
        if op.name() in ("pd_op.batch_norm", "pd_op.batch_norm_"):
            operands = op.operands_source()
            roles |= {operands[place].id: role for place, role in _STATISTICS.items()}
    found: list[Parameter] = []
    for op in ops:
        if op.name() == "builtin.parameter":
            value = op.results()[0]
            row, role = len(found), roles.get(value.id, "weight")
            name = str(op.attrs().get("parameter_name", ""))
            found.append(
                Parameter(
                    row, (name,), shape_of(value) or (), dtype_name(value.dtype), role,
                    role == "weight", row, row,
                )
            )  # fmt: skip
    return found


def _wanted(inputs: list[tuple[str, Shape]], request: Request) -> list[Shape]:
    """Return the shapes of a program's inputs: those that the request gives, else those it was saved for."""
    if request.values is not None:
        raise UsageError(
            f"{request.source} is a saved program: give the inputs as specs, such as x=1x3x224x224"
        )
    names = [name for name, _ in inputs]
    order, wanted = list(names), dict(inputs)
    for spec in request.inputs:
        if spec.shape is None:
            raise UsageError(
                f"{request.source}: an input of a saved program is a tensor, not {spec.literal!r}"
            )
        if spec.name and spec.name not in names:
            raise UsageError(f"{request.source} has no input {spec.name!r}. It has {', '.join(names)}")
        if not spec.name and not order:
            raise UsageError(f"{request.source} has {len(names)} inputs: {', '.join(names)}; more are given")
        name = spec.name or order[0]
        order = [other for other in order if other != name]
        own = wanted[name]
        fixed = all(is_symbolic(a) or a == b for a, b in zip(own, spec.shape, strict=False))
        if len(own) != len(spec.shape) or not fixed:
            saved, given = ("x".join(map(text, shape)) for shape in (own, spec.shape))
            raise UsageError(f"{request.source}: the program was saved for an input {saved}, not {given}")
        wanted[name] = spec.shape
    return [wanted[name] for name in names]
