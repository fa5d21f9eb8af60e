"""What a model runs on: fake tensors, with symbols in their sizes if asked for, or real small ones."""

from __future__ import annotations

import contextlib
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from flopledger.blame import users_line
from flopledger.dims import substitute, symbol, symbol_names, text
from flopledger.errors import SourceError
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv, StatelessSymbolicContext

from flopledger_torch.sizes import NAMES, dim_of_expression

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.specs import InputSpec

_OURS = (f"{Path(__file__).parent}/", f"{Path(users_line.__code__.co_filename).parent}/", "<frozen ")
_CPU = torch.device("cpu")
SPATIAL = (
    (224, 256, 288, 320, 352, 384, 416, 448),
    (224,), (32,), (384,), (256,), (64,), (128,), (512,), (299,), (28,),
)  # fmt: skip
"""The sizes that symbols along spatial axes are shown as, one choice after the other until a model takes
one: first sizes that all differ, then, for models that take squares of one size, common ones."""
_OTHER = (5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)


def fake_like(mode: FakeTensorMode, tensor: torch.Tensor) -> torch.Tensor:
    """Return a fake tensor on the CPU with the sizes, strides and type of another, wherever that lies."""
    if isinstance(tensor, FakeTensor):
        return tensor
    if tensor.layout != torch.strided or type(tensor) not in (torch.Tensor, torch.nn.Parameter):
        return mode.from_tensor(tensor)
    meta = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
    fake: torch.Tensor = FakeTensor(mode, meta, _CPU)
    if tensor.requires_grad:
        fake.requires_grad = True
    return fake


class Fakes:
    """Fake tensors: nothing is computed, and none has memory."""

    symbolic = False

    def __init__(self) -> None:
        self.mode = FakeTensorMode(allow_non_fake_inputs=True)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let the forward run on fake tensors."""
        with self.mode:
            yield

    def twin(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the stand-in of a tensor of the model, or of a value that was given."""
        return fake_like(self.mode, tensor)

    def make(self, spec: InputSpec, dtype: torch.dtype) -> torch.Tensor:
        """Return an input."""
        meta = torch.empty(numbers_of(spec, {}), dtype=dtype, device="meta")
        fake: torch.Tensor = FakeTensor(self.mode, meta, _CPU)
        return fake

    def specialised(self) -> dict[str, int]:
        """Return the symbols that the model holds to one value."""
        return {}

    def notes(self) -> Iterator[str]:
        """Say what a reader of the count should know."""
        yield from ()


class Symbolic(Fakes):
    """Fake tensors whose sizes are expressions over the symbols of the inputs.

    torch follows the sizes that it is shown first wherever the model asks about one, so each symbol is
    shown as a size of its own that most models take.
    """

    symbolic = True

    def __init__(self, specs: Iterable[InputSpec], spatial: tuple[int, ...]) -> None:
        super().__init__()
        self.env = _Env()
        self.mode = FakeTensorMode(allow_non_fake_inputs=True, shape_env=self.env)
        self.shown = shown_sizes(specs, spatial)
        self.names: dict[Any, str] = {}
        NAMES.set({})

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

    def specialised(self) -> dict[str, int]:
        """Return the symbols that the model holds to one value."""
        found = {name: self.env.replace(expression) for expression, name in self.names.items()}
        return {name: int(value) for name, value in found.items() if value.is_Integer}

    def notes(self) -> Iterator[str]:
        """Say which symbols are held to a number, and by which line, and what else must hold."""
        for expression, name in self.names.items():
            value = self.env.replace(expression)
            line = self.env.lines.get(expression, "")
            if value.is_Integer:
                yield f"{name} is held to {value}{line}"
            elif self.names.get(value, name) != name:
                yield f"{name} is held to be {self.names[value]}{line}"
        for guard in self.env.guards:
            if type(guard.expr).__name__ == "Equality":
                yield from self._equation(guard.expr)

    def _equation(self, expression: Any) -> Iterator[str]:
        left, right = (self.env.replace(side) for side in expression.args)
        if left != right and not (left.is_Symbol or right.is_Symbol):
            sides = (text(dim_of_expression(side)) for side in (left, right))
            yield "the sizes hold only where {} = {}".format(*sides)


class _Env(ShapeEnv):
    """Remembers which line of the model a symbol was held to a value by."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Any, str] = {}

    def _set_replacement(self, a: Any, tgt: Any, msg: str) -> None:
        super()._set_replacement(a, tgt, msg)
        frame = users_line(traceback.extract_stack(), _OURS)
        if frame is not None:
            self.lines.setdefault(a, f" by {frame.filename}, line {frame.lineno}: {frame.line}")


class Reals(Fakes):
    """Real tensors: the forward is computed, which shows what depends on data."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words = words

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Let the forward run as it is."""
        yield

    def twin(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return a copy of a tensor, and zeros for one that has no memory."""
        if tensor.is_meta:
            made = torch.zeros(tensor.shape, dtype=tensor.dtype, device="cpu")
        else:
            made = tensor.detach().clone()
        return made.requires_grad_(tensor.requires_grad)

    def make(self, spec: InputSpec, dtype: torch.dtype) -> torch.Tensor:
        """Return an input whose i-th element is ``(7 i + 3) mod 997``.

        Floating numbers are scaled to lie between 0 and 1, whole numbers taken modulo the smallest
        table of words that the model has; a mask is all ones, and a truth value false, as masks of what to
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
        yield "the forward was executed on real tensors: what depends on data is as for these values"


def _expression(size: Any) -> Any:
    """Return the expression in a symbolic size, which torch's types take for an int."""
    return size.node.expr


def shown_sizes(specs: Iterable[InputSpec], spatial: tuple[int, ...]) -> dict[str, int]:
    """Choose a size for each symbol: one that is like it in images or texts."""
    shown: dict[str, int] = {}
    taken = {True: 0, False: 0}
    for spec in specs:
        for axis, dim in enumerate(spec.shape or ()):
            for name in symbol_names(dim):
                image = axis >= 2 and len(spec.shape or ()) >= 4
                sizes = spatial if image else _OTHER
                if name not in shown:
                    shown[name] = sizes[min(taken[image], len(sizes) - 1)]
                    taken[image] += 1
    return shown


def numbers_of(spec: InputSpec, shown: dict[str, int]) -> tuple[int, ...]:
    """Return the sizes of an input, with numbers in the place of symbols.

    Raises:
        SourceError: There is none for one of them.
    """
    sizes = tuple(substitute(dim, shown) for dim in spec.shape or ())
    found = tuple(size for size in sizes if isinstance(size, int))
    if len(found) != len(sizes):
        raise SourceError("a forward that is executed needs numbers in the place of symbols")
    return found
