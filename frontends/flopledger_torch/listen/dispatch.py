"""Ops as they are dispatched, composite ones (those that a tracer sees) above those they lower to.

A dispatch mode sits below autograd, where composite ops are opened already. So the autograd keys are
excluded while the mode is on, and composite ops are opened here, by the kernel that the framework would
have taken; and whether a result requires a gradient, on which lowering depends, is carried by hand.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import TensorRef, dataclass
from torch._dispatch.python import enable_python_dispatcher
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._python_dispatch import TorchDispatchMode

from flopledger_torch.listen import assertions, higher_order
from flopledger_torch.listen.kernels import STOPS, run_kernel, symbolic_outputs
from flopledger_torch.listen.memory import written
from flopledger_torch.nested import own_rules
from flopledger_torch.op_rules import IN_PLACE_VIEWS, UNDECLARED, rule_of
from flopledger_torch.values import READS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flopledger.frontend import Value

    from flopledger_torch.listen.gradients import Derivatives
    from flopledger_torch.op_rules import Rule
    from flopledger_torch.record import Event, Recorder
    from flopledger_torch.stand_ins import Fakes

_COMPOSITE = torch._C.DispatchKey.CompositeImplicitAutograd
_DEVICE = torch.ops.prim.device.default
_SYMBOLS = (torch.SymInt, torch.SymFloat, torch.SymBool)
_SIZES = ("numel", "size", "stride", "storage_offset", "is_contiguous")
_QUESTIONS = frozenset(
    (
        *(f"aten.{sort}{name}" for name in _SIZES for sort in ("", "sym_")),
        *("aten.dim", "aten.is_non_overlapping_and_dense", "aten.is_strides_like_format"),
        *("prim.device", "prim.layout"),
    )
)
"""Queries of a fake tensor's own state: no ops of the model."""
_UNDECLARED_VIEWS = frozenset(("_unsafe_view", "unsafe_split", "unsafe_split_with_sizes"))
"""Ops whose results share the memory of their argument, though their schema says nothing of it."""
_CONSTANT = "lift_fresh"
"""The op that shows a constant of the forward, ``torch.tensor([1, 2])``, first: its memory is made there."""


@dataclass(frozen=True, slots=True)
class _Op:
    """The facts of an op, looked up once for all its calls."""

    source: str
    name: str
    arguments: tuple[str, ...]
    defaults: Mapping[str, Value]
    composite: bool
    view: bool
    shows: bool
    writes: bool
    fills: bool
    reshapes: bool
    moves: bool
    rule: Rule


_OPS: dict[int, tuple[_Op | None, Any]] = {}
"""What is known of each op, and the op itself: by its identity, since torch hashes operators in Python."""


def _known(func: Any) -> _Op | None:
    found = _OPS.get(id(func))
    if found is None:
        found = _OPS[id(func)] = (_describe(func), func)
    return found[0]


def _describe(func: Any) -> _Op | None:
    """Describe an op; None for one that is given functions, and for a query of a stand-in's own state."""
    if higher_order.is_higher_order(func) or ".".join(str(func).split(".")[:2]) in _QUESTIONS:
        return None
    schema = func._schema
    source = str(func)
    name = source.split(".")[1] if source.count(".") > 1 else source
    returns = schema.returns[0].alias_info if schema.returns else None
    rule = rule_of(func)
    shows = returns is not None and not returns.is_write and name != _CONSTANT
    view = shows or name in _UNDECLARED_VIEWS
    fills, reshapes = bool(rule.writes) and not schema.returns, name in IN_PLACE_VIEWS
    return _Op(
        source=source,
        name=name,
        arguments=tuple(argument.name for argument in schema.arguments),
        defaults={argument.name: _default(argument.default_value) for argument in schema.arguments},
        composite=torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd"),
        view=view,
        shows=shows,
        writes=bool(rule.writes) or name in UNDECLARED,
        fills=fills,
        reshapes=reshapes,
        moves=view or fills or reshapes,
        rule=rule,
    )


def _default(value: object) -> Value:
    if isinstance(value, (list, tuple)):
        return tuple(_default(item) for item in value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


@contextlib.contextmanager
def above_autograd() -> Iterator[None]:
    """Let ops be dispatched past autograd, so that a mode sees them before they are lowered."""
    in_place_or_view = torch._C.DispatchKeySet(torch._C.DispatchKey.ADInplaceOrView)
    with (
        torch._C._AutoDispatchBelowAutograd(),
        torch._C._ExcludeDispatchKeyGuard(in_place_or_view),
    ):
        yield


class Ops(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's modes have no types
    """Records every op."""

    supports_higher_order_operators = True

    def __init__(self, recorder: Recorder, tensors: Fakes, derivatives: Derivatives | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.recorder, self.tensors, self.derivatives = recorder, tensors, derivatives
        self.values, self.symbolic = tensors.values, tensors.symbolic

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Keep torch from wrapping the method below for its compiler, which would cost time at each op."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Record an op and run it, opened if it is composite."""
        if func is _DEVICE and type(args[0]) is FakeTensor:  # asked at each index and operator
            return args[0].fake_device
        given = kwargs or {}
        op = _known(func)
        if op is None:
            if higher_order.is_higher_order(func):
                return higher_order.run(self, func, args, given)
            return func(*args, **given)
        recorder = self.recorder
        event = recorder.open("op", op.source, op.name)
        rules = own_rules(types)
        event.composite = op.composite or rules is not None
        recorder.quiet += 1
        try:
            if rules is not None:
                with self:
                    out = rules(func, types, args, given)
            elif op.composite:
                out = self._opened(func, op, args, given)
            else:
                fresh = bool(op.rule.writes) and _makes_differentiable(op.rule, args, given)
                out = self._run(func, op, args, given)
                # A view of what requires a gradient does too, even where none are recorded.
                recorded = torch.is_grad_enabled()
                if (recorded or op.shows) and op.name != "detach" and _carry_gradients(args, given, out):
                    recorder.tape.append(None if fresh else (func if recorded else None, args, given, out))
            recorder.finish(event, args, given, out, names=op.arguments, defaults=op.defaults)
            if recorder.training and not torch.is_grad_enabled():
                event.native["no_grad"] = True
            if recorder.products and not op.composite:
                event.native["sizes"] = tuple(map(TensorRef, recorder.products))
                recorder.products = []
            if op.moves:
                _note_memory(recorder, event, op, args, given, out)
        except STOPS as error:
            recorder.stop(error, event.parent)
            raise
        finally:
            recorder.quiet -= 1
            recorder.current = event.parent
        return out

    def _run(self, func: Any, op: _Op, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Run an op's kernel; one whose result depends on values gets them, where they are known."""
        values, recorder = self.values, self.recorder
        if self.derivatives is not None and recorder.current is not None and torch.is_grad_enabled():
            self.derivatives.note(recorder.current, func, args, kwargs, recorder.tensors)
        if values is not None and op.name == "_pack_padded_sequence":
            return values.packed(*args)
        out = NotImplemented
        if op.rule.asks and values is not None:
            out = values.answer(func, op.rule, args, kwargs)
            if out is NotImplemented and op.rule.scalar:
                out = self._assumed()
        if out is NotImplemented:
            shown = self.tensors.writable(op.rule, args, kwargs) if op.writes else (args, kwargs)
            if self.symbolic and self._with_symbols(args):
                with enable_python_dispatcher():
                    out = run_kernel(func, *shown)
            else:
                out = run_kernel(func, *shown)
            if values is not None:
                values.note(func, op.rule, args, kwargs, out)
            elif not op.rule.writes and not op.view:
                self.tensors.journal.made(out)
        return out

    def _with_symbols(self, args: tuple[Any, ...]) -> bool:
        """Return whether an op's sizes are symbols: C++ code that asks for numbers can't be run on them."""
        return self.symbolic and any(map(_has_symbols, args))

    def _assumed(self) -> Any:
        """Return the truth value that an assertion on data asks for; NotImplemented if none asks."""
        found = assertions.answer()
        if found is None:
            return NotImplemented
        self.recorder.note(f"taken to hold, whatever the data: {found[1]}")
        return found[0]

    def _opened(self, func: Any, op: _Op, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Run the ops that a composite op is made of.

        The C++ code lowers as a CPU does. Where sizes are symbols it may ask for numbers; there torch has
        Python versions for some ops, which lower a little otherwise.
        """
        symbolic = self._with_symbols(args)
        if symbolic:
            out = symbolic_outputs(op.name, {**dict(zip(op.arguments, args, strict=False)), **kwargs})
            if out is not NotImplemented:
                return out
        if self.values is not None:
            if op.name == "_pad_packed_sequence":
                return self.values.padded(*args)
            if op.source in READS:
                args = self.values.read(args)
        with self:
            if symbolic:
                return func.decompose(*args, **kwargs)
            return func._op_dk(_COMPOSITE, *args, **kwargs)


class OpsOfEngine(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's modes have no types
    """Records the ops of autograd's engine, which are lowered already, and have gradients of their own."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.recorder = recorder

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an op and record it."""
        del types
        given = kwargs or {}
        out = func(*args, **given)
        op = _known(func)
        if op is not None:
            recorder = self.recorder
            event = recorder.open("op", op.source, op.name)
            recorder.finish(event, args, given, out, names=op.arguments, defaults=op.defaults)
            recorder.current = event.parent
        return out


def _note_memory(  # noqa: PLR0913, PLR0917  (the parts of a call)
    recorder: Recorder, event: Event, op: _Op, args: tuple[Any, ...], kwargs: Mapping[str, Any], out: Any
) -> None:
    """Note whose memory an op's results are in.

    An op without a result has computed what it wrote to: ``torch._foreach_mul_``, and kernels of
    ``torch.library.custom_op`` with ``mutates_args``. Taken for ops without output they would be free.
    """
    if op.fills:
        written = [args[place] if place < len(args) else kwargs.get(name) for place, name in op.rule.writes]
        event.outputs = recorder.tensors_in(written)
    if op.reshapes and isinstance(out, torch.Tensor):
        event.outputs = [recorder.tensors.renew(out)]
    if op.view and not op.composite:
        _note_view(recorder, args, out)
        if op.shows:
            recorder.tensors.views.update(recorder.tensors_in(out))


def _note_view(recorder: Recorder, args: tuple[Any, ...], out: Any) -> None:
    base = args[0] if args else None
    if not isinstance(base, torch.Tensor):
        return
    for view in (out,) if isinstance(out, torch.Tensor) else out:
        if isinstance(view, torch.Tensor) and view is not base:
            recorder.tensors.alias(view, base)


def _has_symbols(value: Any) -> bool:
    if isinstance(value, torch.Tensor):
        return value.is_nested or value._has_symbolic_sizes_strides
    if isinstance(value, (tuple, list)):
        return any(map(_has_symbols, value))
    return isinstance(value, _SYMBOLS)


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            if isinstance(item, torch.Tensor):
                yield item


def _require_grad(args: tuple[Any, ...]) -> bool:
    for arg in args:
        if isinstance(arg, torch.Tensor):
            if arg.requires_grad:
                return True
        elif isinstance(arg, (tuple, list)) and any(tensor.requires_grad for tensor in _tensors(arg)):
            return True
    return False


def _makes_differentiable(rule: Rule, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Return whether an op may write what requires a gradient into memory that required none.

    Its views and what they are views of require one then, which is not followed.
    """
    return not all(tensor.requires_grad for tensor in written(rule, args, kwargs))


def _carry_gradients(args: tuple[Any, ...], kwargs: Mapping[str, Any], out: Any) -> bool:
    """Let results require a gradient if an argument does; return whether one does."""
    if not (_require_grad(args) or (kwargs and _require_grad(tuple(kwargs.values())))):
        return False
    for tensor in (out,) if isinstance(out, torch.Tensor) else _tensors(out):
        if not tensor.requires_grad and (tensor.is_floating_point() or tensor.is_complex()):
            tensor.requires_grad = True
    return True
