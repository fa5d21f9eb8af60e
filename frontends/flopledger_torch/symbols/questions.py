"""Questions about symbolic sizes that a running model asks: who asked, and the answer.

What torch asks for the sake of memory layouts and special cases of its own changes no count: it is forgotten.
"""

from __future__ import annotations

import functools
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy
import torch
from flopledger.frontend import symbol as named
from flopledger.frontend import user_code
from torch._guards import Source
from torch.fx.experimental.symbolic_shapes import DimDynamic, GuardOnDataDependentSymNode, ShapeEnv
from torch.utils._sympy.functions import Max

from flopledger_torch.symbols.sizes import NAMES

if TYPE_CHECKING:
    from types import FrameType

    from flopledger_torch.symbols.from_data import FromData

_TORCH = f"{Path(torch.__file__).parent}/"
_MACHINERY = (f"{_TORCH}__init__.py", f"{_TORCH}fx/experimental/", f"{_TORCH}utils/_sympy/")
_HERE = f"{Path(__file__).parents[1]}/"
_READER = f"{_HERE}trace.py"
_DISPATCH = f"{_HERE}listen/dispatch.py"
_SYMPY = f"{Path(sympy.__file__).parent}/"
_STANDARD = tuple(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib"))
_INSTALLED = tuple(f"{sysconfig.get_path(name)}/" for name in ("purelib", "platlib"))

_LAYOUT_FILE = f"{_TORCH}_prims_common/__init__.py"
"""Strides and contiguity, except where shapes are compared."""
_CACHE_FILE = f"{_TORCH}_subclasses/fake_tensor.py"
"""Whether a view is inside its memory."""
_LAYOUT = frozenset(("_reshape_view_helper", "_reshape_view_helper_core_alg", "_collapse_view_helper"))
_CHOICES = frozenset(("decompose", "conv"))
"""Functions that run C++ code, which also chooses among kernels by size."""
_MANY = 16
"""The batch from which ATen takes another convolution kernel (``use_mkldnn`` in Convolution.cpp)."""
_LARGE = 1 << 30
"""Nothing but the limits of an index is compared with more."""


class Condition(NamedTuple):
    """A condition on sizes that holds, in torch's symbols; whether the model asked, and in which line."""

    holds: Any
    direct: bool
    line: str


class _Named(Source):
    """The origin of a symbol, which torch wants to know; ours are no places in a compiled function."""

    def __init__(self, name: str) -> None:
        self._called = name

    @property
    def _name_template(self) -> str:
        return self._called


class Questions(ShapeEnv):
    """torch's environment of symbols; it remembers each question and who asked it.

    Args:
        from_data: The sizes that depend on data.
    """

    def __init__(self, from_data: FromData) -> None:
        super().__init__()
        self.from_data = from_data
        self.conditions: dict[tuple[Any, bool], Condition] = {}
        self.lines: dict[Any, str] = {}
        self._recorded: set[tuple[Any, Any]] = set()

    def create_unbacked_symint(self, source: Source | None = None) -> Any:
        """Return a size that depends on data, shown as a number as those of inputs are."""
        del source
        size, shown = self.from_data.new(_line(_above_operator(sys._getframe(1))))
        symbol = self.create_symbol(
            shown, _Named(size.name), DimDynamic.DYNAMIC, positive=None, do_not_specialize_zero_one=True
        )
        made: Any = self.create_symintnode(symbol, hint=shown)
        size.node = made.node
        self.from_data.sizes[symbol] = size
        NAMES.get()[symbol] = named(size.name) if size.given is None else size.given
        return made

    def most(self, symbol: Any) -> int | None:
        """Return the largest number that a size can be; None if nothing limits it."""
        upper: Any = self.var_to_range[symbol].upper
        return int(upper) if upper.is_Integer and upper < _LARGE else None

    def _constrain_range_for_size(self, a: Any, min: int | None = None, max: int | None = None) -> None:  # noqa: A002  (torch's names)
        size = self.from_data.sizes.get(a)
        if size is not None and max is not None and max < sys.maxsize - 1:
            size.limit(max)
            if size.given is None and size.node._hint > max:
                size.node._hint = self.from_data.below(max)
                self.backed_var_to_val[a] = sympy.Integer(size.node._hint)
        super()._constrain_range_for_size(a, min, max)

    def evaluate_expr(self, orig_expr: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer a question about sizes, and remember it."""
        try:
            found = self.from_data.check(orig_expr)
        except GuardOnDataDependentSymNode:
            other = args[3] if len(args) > 3 else kwargs.get("fallback_value")
            if other is None:
                raise
            return sympy.sympify(other)
        if found is not None:
            return found
        found = super().evaluate_expr(orig_expr, *args, **kwargs)
        if not orig_expr.is_number and orig_expr not in (sympy.true, sympy.false):
            self._remember(orig_expr, found)
        return found

    def _remember(self, question: Any, answer: Any) -> None:
        """Keep a question and its answer as a condition, unless torch asked for reasons of its own.

        torch asks about strides, contiguity and kernels at nearly every operator. As conditions of a formula
        these would limit it to few sizes, though no count depends on them.
        """
        frame, direct = _asker(sys._getframe(2))
        if (
            frame is None
            or (question, frame.f_code) in self._recorded
            or (question, direct) in self.conditions
        ):
            return
        self._recorded.add((question, frame.f_code))
        holds: Any = question
        if isinstance(question, sympy.Expr):
            holds = sympy.Eq(question, answer)
        elif not answer:
            holds = sympy.to_nnf(sympy.Not(question), simplify=False)
        if direct or not (_is_layout(holds, frame) or self._picks_kernel(holds, frame)):
            self.conditions[question, direct] = Condition(holds, direct, _line(frame))

    def _picks_kernel(self, holds: Any, frame: FrameType) -> bool:
        """Return whether a convolution asks how many images it has, by which it takes one kernel or another.

        Of a size of inputs it can't be seen if that is the question; of data, rows are what is selected.
        """
        asks = frame.f_code.co_name in _CHOICES and holds in {
            sympy.Ge(symbol, _MANY) for symbol in self.from_data.sizes
        }
        return bool(asks)

    def _set_replacement(self, a: Any, tgt: Any, msg: str) -> None:
        super()._set_replacement(a, tgt, msg)
        line = _line(sys._getframe(1))
        if line:
            self.lines.setdefault(a, line)


def _asker(frame: FrameType | None) -> tuple[FrameType | None, bool]:
    """Return the innermost frame that is none of the machinery of symbols, and if the model asked there.

    A branch of Python code asks through a method of the size, the C++ code below does not.
    """
    python = False
    while frame is not None and _is_machinery(frame.f_code.co_filename):
        python = python or frame.f_code.co_filename == _MACHINERY[0]
        frame = frame.f_back
    return frame, python and frame is not None and _is_models(frame)


@functools.cache
def _is_machinery(file: str) -> bool:
    return file.startswith((*_MACHINERY, _SYMPY, __file__))


def _is_models(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    if name.startswith((_TORCH, _HERE, _SYMPY, "<frozen ")):
        return False
    return name.startswith(_INSTALLED) or not name.startswith(_STANDARD)


def _line(frame: FrameType | None) -> str:
    """Return the innermost line of the model's own code; empty if the model is of torch's layers alone."""
    while frame is not None and frame.f_code.co_filename != _READER:
        if _is_models(frame):
            name, number = frame.f_code.co_filename, frame.f_lineno
            return user_code.quoted_line(name, number)
        frame = frame.f_back
    return ""


def _above_operator(frame: FrameType | None) -> FrameType | None:
    """Return the frame that an operator was dispatched from: an operator's shapes may be Python code too."""
    while frame is not None and frame.f_code.co_filename != _DISPATCH:
        frame = frame.f_back
    return frame


def _is_layout(holds: Any, frame: FrameType) -> bool:
    """Return whether torch asks for the sake of layouts, special cases or limits, which change no count."""
    name, file = frame.f_code.co_name, frame.f_code.co_filename
    if isinstance(holds, (sympy.Ne, sympy.Or)) or name in _LAYOUT or file == _CACHE_FILE:
        return True
    if file == _LAYOUT_FILE and name != "infer_size" and "shape" not in name:
        return True
    chooses = name in _CHOICES or _is_models(frame)
    if chooses and not isinstance(holds, sympy.Eq) and not _is_least(holds):
        return True
    if any(1 in most.args for most in holds.atoms(Max)):  # torch writes the strides of a tensor so
        return True
    return any(abs(number) >= _LARGE for number in holds.atoms(sympy.Integer))


def _is_least(holds: Any) -> bool:
    """Return whether a condition asks that a size be at least some number."""
    return isinstance(holds, sympy.Ge) and holds.lhs.is_Symbol and holds.rhs.is_Integer
