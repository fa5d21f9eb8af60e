"""The tensors that a model runs on: fake ones, with symbols for sizes if asked for, or real small ones."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import SourceError, substitute, symbol, symbol_names, text
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.fx.experimental.symbolic_shapes import DimDynamic, StatelessSymbolicContext

from flopledger_torch.language.windows import symbolic_windows
from flopledger_torch.listen.memory import Journal, written
from flopledger_torch.op_rules import IN_PLACE_VIEWS, replaced
from flopledger_torch.symbols.conditions import notes
from flopledger_torch.symbols.from_data import FromData, described
from flopledger_torch.symbols.lengths import symbolic_lengths
from flopledger_torch.symbols.questions import Questions
from flopledger_torch.symbols.sizes import NAMES, dim_of_expression
from flopledger_torch.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flopledger.frontend import Dim, InputSpec

    from flopledger_torch.op_rules import Rule

_PLAIN = (torch.Tensor, torch.nn.Parameter, FakeTensor)
_MOST_VALUES = 1 << 18
"""How many elements a tensor may have that a model remembers somewhere and that keeps its values.

Tables of positions, anchors and masks are below it, and forwards read them (``self.grid[i].tolist()``);
the weights of a network are above it, and to copy these would take the time and memory that a reading saves.
"""
_CPU = torch.device("cpu")
_LENGTHS = itertools.count(1 << 32)
"""Numbers of lengths, above those that torch counts up from 0 for the nested tensors of a process."""
_SPATIAL = (
    (224, 256, 288, 320, 352, 384, 416, 448),
    (224,), (32,), (384,), (256,), (64,), (128,), (512,), (299,), (28,),
)  # fmt: skip
_OTHER = (5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)
_LONG = (1601, 1607, 1609, 1613, 1619, 1621, 1627, 1637)
_MULTIPLES = (192, 384, 576, 768, 960, 1152, 1344, 1536)
CHOICES = (*((spatial, _OTHER) for spatial in _SPATIAL), (_SPATIAL[0], _LONG), (_SPATIAL[0], _MULTIPLES))
"""The sizes that symbols along spatial axes and along others are shown as, one choice after the other until
a model takes one: first sizes that all differ, then, for models that take squares of one size, common ones;
then long ones, for models of sound and the like, and multiples of 64, for models that work in blocks."""


def fake_like(mode: FakeTensorMode, tensor: torch.Tensor) -> torch.Tensor:
    """Return a fake tensor on the CPU with the sizes, strides and type of another, on any device."""
    if isinstance(tensor, FakeTensor) and tensor.fake_mode is mode:
        return tensor
    if tensor.layout != torch.strided or type(tensor) not in _PLAIN:
        return mode.from_tensor(tensor)
    dtype = torch.float32 if tensor.is_quantized else tensor.dtype
    meta = torch.empty_strided(tensor.shape, tensor.stride(), dtype=dtype, device="meta")
    fake: torch.Tensor = FakeTensor(mode, meta, _CPU)
    if tensor.requires_grad:
        fake.requires_grad = True
    return fake


def _length(*, nt_tensor_id: int | None = None) -> Any:
    """Return the size that stands for lengths of a nested tensor that were not met before."""
    return torch._C._get_nested_int(next(_LENGTHS) if nt_tensor_id is None else nt_tensor_id, 1)


def _fake_mode(**options: Any) -> FakeTensorMode:
    """Return a fake mode that numbers the lengths of nested tensors made in it, for which torch has symbols.

    It is no class of its own, since torch finds what operators on functions do by the exact type of a mode.
    """
    mode = FakeTensorMode(allow_non_fake_inputs=True, **options)
    mode.create_symbolic_nested_int = _length  # type: ignore[method-assign]
    return mode


class Fakes:
    """Fake tensors: nothing is computed, and none has memory."""

    symbolic = False

    def __init__(self) -> None:
        self.mode = _fake_mode()
        self.values: Values | None = Values()
        self.journal = Journal()
        self.from_data = FromData({})

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let the forward run on fake tensors."""
        with self.mode:
            yield

    def stand_in(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the stand-in of a tensor of the model, or of a value that was given."""
        made = fake_like(self.mode, tensor)
        if self.values is not None and made is not tensor:
            self.values.source(made, tensor)
        return made

    def remembered(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the stand-in of a tensor kept elsewhere: in a closure, a nested list, a plain object.

        Small ones are copied, values included, since these are often constants that a forward asks
        for their values (rates, sizes of levels); a fake tensor would refuse. Large ones are weights.
        """
        known = type(tensor) is torch.Tensor and tensor.layout == torch.strided
        if not known or tensor.device.type != "cpu" or tensor.numel() > _MOST_VALUES:
            return self.stand_in(tensor)
        return tensor.detach().clone().requires_grad_(tensor.requires_grad)

    def writable(self, rule: Rule, args: Any, kwargs: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        """Return an op's arguments with stand-ins for the real tensors that it is to write to.

        Raises:
            TypeError: It changes what such a tensor is, which a stand-in can't show.
        """
        real = {id(tensor) for tensor in written(rule, args, kwargs)}
        if not real:
            return args, kwargs
        if rule.name in IN_PLACE_VIEWS:
            raise TypeError(
                f"{rule.name} changes in place the sizes or the memory of a tensor that is not the model's; "
                f"use {rule.name.rstrip('_')}, or make the tensor a buffer of the model"
            )

        def show(tensor: torch.Tensor) -> torch.Tensor:
            if id(tensor) not in real:
                return tensor
            shown: torch.Tensor = self.mode.fake_tensor_converter.from_real_tensor(self.mode, tensor)
            return shown

        return replaced(args, show), {name: replaced(value, show) for name, value in kwargs.items()}

    def make(self, spec: InputSpec, dtype: torch.dtype) -> torch.Tensor:
        """Return an input."""
        meta = torch.empty(numbers_of(spec, {}), dtype=dtype, device="meta")
        fake: torch.Tensor = FakeTensor(self.mode, meta, _CPU)
        return fake

    def specialised(self) -> dict[str, Dim]:
        """Return the symbols that the model holds to one value, or to be another."""
        return {}

    def data_sizes(self) -> dict[str, int | None]:
        """Return the sizes that depend on data, each with the largest number that it can be."""
        return {}

    def given_sizes(self) -> dict[str, int]:
        """Return the sizes that depend on data and that a number was given to."""
        return {}

    def notes(self) -> Iterator[str]:
        """Yield the notes for a reader of the count."""
        if self.values is not None and self.values.used_inputs:
            yield "whatever depends on data is as for the values of the inputs that were given"


class Symbolic(Fakes):
    """Fake tensors whose sizes are expressions over the symbols of the inputs.

    torch follows the sizes that it is shown first wherever the model asks about one, so each symbol is
    shown as a size of its own that most models take.
    """

    symbolic = True

    def __init__(self, shown: dict[str, int], from_data: FromData) -> None:
        super().__init__()
        self.from_data = from_data
        self.env = Questions(from_data)
        self.mode = _fake_mode(shape_env=self.env)
        self.shown = shown
        self.names: dict[Any, str] = {}
        NAMES.set({})

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let the forward run on fake tensors, whose lengths may be symbols."""
        with self.mode, symbolic_lengths(), symbolic_windows():
            yield

    def make(self, spec: InputSpec, dtype: torch.dtype) -> torch.Tensor:
        """Return an input."""
        sizes = [DimDynamic.DYNAMIC if symbol_names(d) else DimDynamic.STATIC for d in spec.shape or ()]
        real = torch.empty(numbers_of(spec, self.shown), dtype=dtype, device="cpu")
        context: Any = StatelessSymbolicContext(dynamic_sizes=sizes)
        fake: torch.Tensor = self.mode.from_tensor(real, symbolic_context=context)
        for size, dim in zip(fake.shape, spec.shape or (), strict=True):
            for name in symbol_names(dim):
                expression = _expression(size)
                NAMES.get()[expression] = symbol(name)
                self.names[expression] = name
        return fake

    def specialised(self) -> dict[str, Dim]:
        """Return the symbols that the model holds to one value, or to be another.

        Raises:
            SourceError: One of them depends on data, and the model went by the number that it is shown as.
        """
        data = self.from_data.unsettled()
        names = {**self.names, **{one: size.name for one, size in data.items()}}
        found = {name: dim_of_expression(self.env.replace(one)) for one, name in names.items()}
        for one, size in data.items():
            if not symbol_names(found[size.name]) or self.env.var_to_range[one].is_singleton():
                raise SourceError(f"its forward goes by the number {size.name}, which the data decides")
        return {name: dim for name, dim in found.items() if text(dim) != name}

    def data_sizes(self) -> dict[str, int | None]:
        """Return the sizes that depend on data, each with the largest number that it can be."""
        return {size.name: self.env.most(symbol) for symbol, size in self.from_data.unsettled().items()}

    def given_sizes(self) -> dict[str, int]:
        """Return the sizes that depend on data and that a number was given to."""
        return {s.name: s.given for s in self.from_data.sizes.values() if s.given is not None}

    def notes(self) -> Iterator[str]:
        """Yield the sizes that depend on data, which symbols are fixed to a number, and conditions."""
        held = self.specialised()
        for expression, name in self.names.items():
            line = self.env.lines.get(expression, "")
            if name in held:
                yield f"{name} is held to {text(held[name])}" + (f" by {line}" if line else "")
        unsettled = self.from_data.unsettled()
        yield from described(size for size in unsettled.values() if size.name not in held)
        shown = {symbol: self.shown[name] for symbol, name in self.names.items()}
        shown |= {symbol: size.node.hint for symbol, size in unsettled.items()}
        yield from notes(self.env, list(shown), list(shown.values()))


class Reals(Fakes):
    """Real tensors: the forward is computed, which shows all that depends on data."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.values = None
        self.words = words

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let the forward run as it is, and undo its writes to the program's tensors."""
        try:
            yield
        finally:
            self.journal.put_back()

    def stand_in(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return a copy of a tensor, and zeros for one that has no memory."""
        if tensor.is_meta:
            made = torch.zeros(tensor.shape, dtype=tensor.dtype, device="cpu")
        else:
            made = tensor.detach().clone()
        self.journal.made(made)
        return made.requires_grad_(tensor.requires_grad)

    def writable(self, rule: Rule, args: Any, kwargs: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        """Keep the tensors of the program that an op is to change; the arguments stay as they are."""
        for tensor in written(rule, args, kwargs):
            self.journal.keep(tensor)
        return args, kwargs

    def remembered(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return a copy of a tensor that is kept elsewhere."""
        return self.stand_in(tensor)

    def make(self, spec: InputSpec, dtype: torch.dtype) -> torch.Tensor:
        """Return an input whose i-th element is ``(7 i + 3) mod 997``.

        Floating numbers are scaled to lie between 0 and 1, whole numbers taken modulo the smallest
        vocabulary that the model has; a mask is all ones, and a truth value false, as masks of elements to
        leave out are.
        """
        sizes = numbers_of(spec, {})
        if "mask" in spec.name or dtype == torch.bool:
            return torch.full(sizes, dtype != torch.bool, dtype=dtype)
        count = 1
        for size in sizes:
            count *= size
        ramp = (torch.arange(count) * 7 + 3) % 997
        if dtype.is_floating_point or dtype.is_complex:
            return (ramp / 997).to(dtype).reshape(sizes)
        return (ramp % self.words).to(dtype).reshape(sizes)

    def notes(self) -> Iterator[str]:
        """Say that the forward was executed."""
        yield "the forward was executed on real tensors: whatever depends on data is as for these values"


def _expression(size: Any) -> Any:
    """Return the expression in a symbolic size, which torch's types take for an int."""
    return size.node.expr


def shown_sizes(
    specs: Iterable[InputSpec], choice: tuple[tuple[int, ...], tuple[int, ...]] = CHOICES[0]
) -> dict[str, int]:
    """Choose a size for each symbol: one that is like it in images or texts."""
    spatial, other = choice
    shown: dict[str, int] = {}
    taken = {True: 0, False: 0}
    for spec in specs:
        for axis, dim in enumerate(spec.shape or ()):
            for name in symbol_names(dim):
                image = axis >= 2 and len(spec.shape or ()) >= 4
                sizes = spatial if image else other
                if name not in shown:
                    shown[name] = sizes[min(taken[image], len(sizes) - 1)]
                    taken[image] += 1
    return shown


def numbers_of(spec: InputSpec, shown: dict[str, int]) -> tuple[int, ...]:
    """Return the sizes of an input, with numbers in place of symbols.

    Raises:
        SourceError: There is none for one of them.
    """
    sizes = tuple(substitute(dim, shown) for dim in spec.shape or ())
    found = tuple(size for size in sizes if isinstance(size, int))
    if len(found) != len(sizes):
        raise SourceError("a forward that is executed needs numbers in place of symbols")
    return found
