"""The record of a run: one event for each call, nested as the calls are."""

from __future__ import annotations

import contextlib
import math
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import torch
from flopledger.frontend import TensorRef, bases_of, is_a, table_of

from flopledger_torch.nested import is_jagged
from flopledger_torch.symbols.sizes import dim_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flopledger.frontend import Level, Shape, Value

_SPARSE = frozenset(
    (torch.sparse_coo, torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc)
)
_PLAIN = frozenset({int, bool, str, float, type(None)})
_NAMES: dict[torch.dtype, str] = {}


UNFINISHED = "data-dependent"
"""The source of the call that stands for the rest of a forward that depends on its data."""

_level = torch._C._functorch.maybe_current_level


def dtype_name(dtype: torch.dtype) -> str:
    """Return ``float32`` for ``torch.float32``."""
    name = _NAMES.get(dtype)
    if name is None:
        name = _NAMES[dtype] = str(dtype).removeprefix("torch.")
    return name


def _sizes(tensor: torch.Tensor) -> Sequence[Any]:
    """Return a tensor's sizes; of a nested one, whose rows have several lengths, those of all rows in one."""
    if not tensor.is_nested:
        return tensor.shape
    whole: Any = tensor
    return whole._values.shape if is_jagged(tensor) else (tensor.numel(),)


PRODUCTS = re.compile(r"conv(?!ert)|mm($|_)|dot($|_)|mv($|_)|attention|lstm|gru|rnn|linear|einsum")
"""Ops that do a network's actual work."""


def _is_work(event: Event) -> bool:
    """Return whether a call is one that a count shows: of a module, or of an op that multiplies matrices."""
    work = event.module is not None or (event.level == "op" and PRODUCTS.search(event.name))
    return bool(work and event.outputs)


class Event:
    """One call: ``inputs`` and ``outputs`` are the tensors in it, ``native`` its arguments as spelled."""

    __slots__ = (
        "composite", "id", "inputs", "level", "module", "name", "native", "outputs", "parent", "problem",
        "source"
    )  # fmt: skip

    def __init__(self, number: int, level: Level, source: str, parent: Event | None) -> None:
        self.id, self.level, self.source, self.parent = number, level, source, parent
        self.module: torch.nn.Module | None = None
        self.name = ""
        self.native: dict[str, Value] = {}
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        self.composite = False
        self.problem = ""


class Tensors:
    """The tensors seen so far, each by a number; a view knows whose memory it shows."""

    def __init__(self) -> None:
        self.shapes: list[Shape] = []
        self.dtypes: list[str] = []
        self.aliases: dict[int, int] = {}
        self.views: set[int] = set()  # those that autograd knows of
        self.nested: set[int] = set()
        self.sparse: set[int] = set()
        self._known: dict[int, TensorRef] = {}
        self.alive: list[torch.Tensor] = []  # an address identifies a tensor only as long as it lives

    def ref(self, tensor: torch.Tensor) -> TensorRef:
        """Return the reference to a tensor."""
        found = self._known.get(id(tensor))
        if found is None:
            found = self._known[id(tensor)] = TensorRef(len(self.shapes))
            self.shapes.append(tuple([d if type(d) is int else dim_of(d) for d in _sizes(tensor)]))
            self.dtypes.append(dtype_name(tensor.dtype))
            self.alive.append(tensor)
            if tensor.is_nested:
                self.nested.add(found.id)
            elif tensor.layout in _SPARSE:
                self.sparse.add(found.id)
        return found

    def number(self, tensor: torch.Tensor) -> int | None:
        """Return the number of a tensor; None if no call has had it."""
        found = self._known.get(id(tensor))
        return None if found is None else found.id

    def bytes(self, number: int) -> int:
        """Return the bytes of a tensor, by its number; 0 if its sizes are symbols."""
        sizes = [size for size in self.shapes[number] or () if isinstance(size, int)]
        known = len(sizes) == len(self.shapes[number] or ())
        return math.prod(sizes) * getattr(torch, self.dtypes[number]).itemsize if known else 0

    def scalar(self) -> int:
        """Add a whole number that is computed, as a tensor without axes."""
        self.shapes.append(())
        self.dtypes.append("int64")
        return len(self.shapes) - 1

    def same(self, twin: torch.Tensor, tensor: torch.Tensor) -> None:
        """Let a tensor have the number of another."""
        self._known[id(twin)] = self.ref(tensor)
        self.alive.append(twin)

    def renew(self, tensor: torch.Tensor) -> int:
        """Give a tensor that got another shape in its place a new number; it is a view of the old."""
        old = self._known.pop(id(tensor), None)
        new = self.ref(tensor).id
        if old is not None:
            self.aliases[new] = old.id
        return new

    def forget(self) -> None:
        """Let the tensors go; their shapes and types stay."""
        self._known.clear()
        self.alive.clear()

    def alias(self, view: torch.Tensor, base: torch.Tensor) -> None:
        """Note that a tensor shares another's memory."""
        a, b = self.ref(view).id, self.ref(base).id
        if a > b:
            self.aliases.setdefault(a, b)


def _fields(recorder: Recorder, value: Any) -> Value:
    """Return a dataclass as its fields, as far as they are set."""
    tables = map(table_of, bases_of(type(value)))
    names = next(table["__dataclass_fields__"] for table in tables if "__dataclass_fields__" in table)
    found: dict[str, Value] = {}
    for name in names:
        with contextlib.suppress(AttributeError):
            found[name] = recorder.value(object.__getattribute__(value, name))
    return found


def _entries(recorder: Recorder, value: Any) -> Value:
    items = dict.items(value) if is_a(value, dict) else value.items()
    return {str(key): recorder.value(item) for key, item in items}


def _text(recorder: Recorder, value: Any) -> Value:
    del recorder
    return str(value)


_TENSOR: Any = object()
_LIST: Any = object()
_SORTS: tuple[tuple[tuple[type, ...], Callable[[Recorder, Any], Value]], ...] = (
    ((torch.Tensor,), _TENSOR),
    ((tuple, list), _LIST),
    ((torch.dtype,), lambda _, value: dtype_name(value)),
    ((torch.SymInt,), lambda _, value: str(value) if value.node.is_nested_int() else dim_of(value)),
    ((slice,), lambda recorder, v: ("slice", *map(recorder.value, (v.start, v.stop, v.step)))),
    ((dict,), _entries),
    ((int,), lambda _, value: int(value)),
    ((float, str), lambda _, value: value),
    ((torch.device, torch.layout, torch.SymFloat, torch.SymBool), _text),
)
"""How an argument is recorded, by the first of these that is among its type's bases."""


def _sort(cls: type) -> Callable[[Recorder, Any], Value]:
    """Return how arguments of a type are recorded; of an object only its type is looked at."""
    bases = bases_of(cls)
    for classes, written in _SORTS:
        if any(base in bases for base in classes):
            return written
    if issubclass(cls, Mapping):
        return _entries
    if any("__dataclass_fields__" in table_of(base) for base in bases) and type not in bases:
        return _fields
    return lambda _, value: type(value).__name__


class Recorder:
    """Collects the events of one reading, on one thread.

    ``quiet`` is above 0 while an op is being handled: calls that the framework makes then are its own.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.tensors = Tensors()
        self.current: Event | None = None
        self.quiet = 0
        self.records_sizes = False
        self.training = False  # whether the reading is for a training step: regions without gradients matter
        self.products: list[int] = []  # of sizes, among the next op's arguments
        self.tape: list[Any] = []  # the ops on what requires a gradient; see listen/derivatives.py
        self.notes: dict[str, None] = {}
        self._stopped: tuple[BaseException, Event | None] | None = None
        self._seen: list[int] = []
        self._sorts: dict[type, Callable[[Recorder, Any], Value]] = {}
        self.thread = threading.get_ident()

    def is_recording(self) -> bool:
        """Whether a call that is made now is one of the model's own, on tensors that show all their axes.

        Under vmap and the like they don't; the ops below see them as they are.
        """
        return not self.quiet and threading.get_ident() == self.thread and _level() is None

    def open(self, level: Level, source: str, name: str) -> Event:
        """Begin a call, inside the innermost open one."""
        event = Event(len(self.events), level, source, self.current)
        event.name = name
        self.events.append(event)
        self.current = event
        return event

    def note(self, text: str) -> None:
        """Keep a note for the reader of the count, once."""
        self.notes.setdefault(text)

    def stop(self, error: BaseException, inside: Event | None) -> None:
        """Remember the innermost call that an exception came from."""
        if self._stopped is None or self._stopped[0] is not error:
            self._stopped = (error, inside)

    def unfinished(self, error: BaseException, problem: str) -> bool:
        """Record that the rest is not known, where an exception ended the forward.

        Returns:
            Whether something was computed before: else there is nothing to write.
        """
        if self._stopped is None or self._stopped[0] is not error:
            return False
        above = self._stopped[1]
        self._stopped = None
        while above is not None and above.module is None:
            above = above.parent
        if not any(_is_work(event) for event in self.events):
            return False
        self.current = above
        self.open("op", UNFINISHED, UNFINISHED).problem = problem
        self.current = None
        return True

    def close(self, event: Event) -> None:
        """Forget the calls inside one, which is not followed."""
        del self.events[event.id + 1 :]

    def value(self, value: Any) -> Value:
        """Return an argument as recorded: numbers and texts as they are, tensors as references."""
        kind = type(value)
        if kind in _PLAIN:
            return cast("Value", value)
        sort = self._sorts.get(kind)
        if sort is None:
            sort = self._sorts[kind] = _sort(kind)
        if sort is _TENSOR:
            ref = self.tensors.ref(value)
            self._seen.append(ref.id)
            return ref
        if sort is _LIST:
            return tuple([self.value(item) for item in value])
        return sort(self, value)

    def finish(  # noqa: PLR0913  (the parts of a call)
        self,
        event: Event,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        out: Any,
        *,
        names: Sequence[str] = (),
        defaults: Mapping[str, Value] | None = None,
    ) -> None:
        """Fill in a call's arguments, by position and by keyword, and its result."""
        event.inputs = self._seen = []
        written = tuple([self.value(arg) for arg in args])
        native = dict(defaults) if defaults else {}
        native.update(zip(names, written, strict=False))
        for name, value in kwargs.items():
            native[name] = self.value(value)
        native["args"] = written
        event.native = native
        event.outputs = self.tensors_in(out)

    def tensors_in(self, value: Any) -> list[int]:
        """Return the tensors in a value, in order."""
        self._seen = []
        self.value(value)
        return self._seen
