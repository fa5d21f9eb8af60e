"""What autograd does with an operator: what it keeps of it, and the memory that its gradients take.

Each operator of a training step is run once more after the forward, with its derivative, on stand-ins of its
arguments: under autograd, which the forward is not. So it holds for every operator that torch has, and for
the version that is installed. The findings are a call's native word ``backward``, which
:mod:`flopledger.analysis.derivative` describes.
"""

from __future__ import annotations

import math
import warnings
import weakref
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from flopledger.frontend import TensorRef, dataclass
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from flopledger_torch.op_rules import rule_of, tensors_in

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from flopledger.frontend import Value

    from flopledger_torch.record import Event, Tensors

WORD = "backward"
_PLAIN = frozenset((torch.Tensor, torch.nn.Parameter, FakeTensor))
_WEIGHTLESS = frozenset((torch.dtype, torch.device, torch.layout, torch.memory_format, str, bool, int, float))


_REAL = frozenset((torch.ops.aten.mkldnn_rnn_layer.default,))
"""Operators whose kernel for stand-ins differs: the real one of an LSTM chooses the size of a workspace."""
_MOST_REAL = 1 << 26
"""The most bytes of the arguments of an operator that is run on real zeros."""
Ends: TypeAlias = "Mapping[int, tuple[int, ...] | None]"


class Derivatives:
    """The operators of a forward that want gradients, to be run again when it is over."""

    def __init__(self) -> None:
        self._made: list[tuple[Event, Any, dict[str, Any]]] = []

    def note(
        self, event: Event, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], tensors: Tensors
    ) -> None:
        """Note a call before it runs, with its arguments as they are then."""
        names = (argument.name for argument in func._schema.arguments)
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        if any(one.requires_grad for value in given.values() for one in tensors_in(value)):
            written = {name for _, name in rule_of(func).writes}
            seen = _Described(tensors)
            described = {name: seen(value, written=name in written) for name, value in given.items()}
            if seen.plain:
                self._made.append((event, func, described))

    def finish(self, events: Iterable[Event], outputs: Iterable[int], tensors: Tensors) -> None:
        """Add to each call what autograd does with it, where that could be found, from the last to the first.

        The order of a gradient's elements in memory is that in which the calls behind it leave it; the loss
        is the sum of all results, whose gradient is one number shown for each element.

        Args:
            events: All calls of the forward.
            outputs: The tensors that it returned.
            tensors: All tensors in it.
        """
        used = {*outputs, *(one for event in events if not event.composite for one in event.inputs)}
        known: dict[Any, _Found | None] = {}
        strides: dict[int, tuple[int, ...] | None] = dict.fromkeys(outputs, ())
        for event, func, given in reversed(self._made):
            ends = {place: strides.get(one) for place, one in enumerate(event.outputs) if one in used}
            sizes = tuple(map(tensors.bytes, event.outputs))
            key = (func, tuple(given.items()), tuple(ends.items()), sizes)
            if key not in known:
                known[key] = _found(func, given, ends, sizes)
            found = known[key]
            if found is not None:
                for name, stride in found.strides.items():
                    strides.setdefault(_number(event, name), stride)
                event.native = {**event.native, WORD: found.word}
        self._made.clear()


def _number(event: Event, name: str) -> int:
    """Return the tensor that an argument of a call is; -1 if it is none."""
    name, _, place = name.partition(".")
    value = event.native.get(name)
    one = value[int(place)] if place and isinstance(value, tuple) else value
    return one.id if isinstance(one, TensorRef) else -1


@dataclass(frozen=True, slots=True)
class _Found:
    """What autograd does with an operator, and the strides of each argument's gradient."""

    word: Mapping[str, Value]
    strides: Mapping[str, tuple[int, ...]]


class _Like:
    """A tensor's sizes and type; of a view that is written to also where it lies in how much memory."""

    __slots__ = ("key",)

    def __init__(self, tensor: torch.Tensor, *, through: bool) -> None:
        place = None
        if through:
            place = tensor.storage_offset(), tensor.untyped_storage().nbytes() // tensor.element_size()
        self.key = (tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.requires_grad, place)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Like) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


class _Described:
    """Turns arguments into values that can be compared; ``plain`` is whether that is possible."""

    def __init__(self, tensors: Tensors) -> None:
        self.plain = True
        self._tensors = tensors

    def __call__(self, value: Any, *, written: bool = False) -> Any:
        """Return an argument's description."""
        if isinstance(value, torch.Tensor):
            sizes = (*value.shape, *value.stride()) if value.layout == torch.strided else (None,)
            if type(value) not in _PLAIN or value.is_nested or not all(type(one) is int for one in sizes):
                self.plain = False
                return None
            return _Like(value, through=written and self._tensors.number(value) in self._tensors.views)
        if isinstance(value, (tuple, list)):
            return tuple(map(self, value))
        if value is not None and type(value) not in _WEIGHTLESS and not isinstance(value, complex):
            self.plain = False
        return value


class _Live(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's modes have no types
    """Follows the bytes of all memory that operators make, until it is given back."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.most = 0
        self._places: set[int] = set()

    def _gone(self, place: int, size: int) -> None:
        self._places.discard(place)
        self.now -= size

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operator."""
        del types
        made = func(*args, **(kwargs or {}))
        for tensor in tensors_in(made):
            memory = tensor.untyped_storage()
            if memory._cdata not in self._places:
                self._places.add(memory._cdata)
                self.now += memory.nbytes()
                weakref.finalize(memory, self._gone, memory._cdata, memory.nbytes()).atexit = False
        self.most = max(self.most, self.now)
        return made


def _found(func: Any, given: Mapping[str, Any], ends: Ends, sizes: Sequence[int]) -> _Found | None:
    """Return what autograd does with an operator; None if that can't be found.

    One of torch's own that has no kernel for stand-ins, or one that is wrong there, runs on real zeros.

    Args:
        func: The operator.
        given: Its arguments, described.
        ends: The results in use, with the strides of their gradients where these are known.
        sizes: The bytes of each result, as the forward had them.
    """
    ours = func.namespace == "aten" and sum(map(_bytes, given.values())) <= _MOST_REAL
    fake = None if ours and func in _REAL else _run(func, given, ends, sizes, FakeTensorMode())
    return _run(func, given, ends, sizes, torch.random.fork_rng(())) if ours and fake is None else fake


def _run(
    func: Any,
    given: Mapping[str, Any],
    ends: Ends,
    sizes: Sequence[int],
    where: contextlib.AbstractContextManager[Any],
) -> _Found | None:
    """Run an operator with its derivative on stand-ins or on zeros; return None if one of them can't be."""
    try:
        with warnings.catch_warnings(), where, _Live() as live, torch.enable_grad():
            warnings.simplefilter("ignore")
            return _Run(func, given, sizes).found(live, ends)
    except Exception:  # noqa: BLE001  (an operator may raise anything for stand-ins, and its derivative too)
        return None


def _bytes(value: Any) -> int:
    """Return the bytes of the tensors in an argument."""
    if isinstance(value, tuple):
        return sum(map(_bytes, value))
    return math.prod(value.key[0]) * value.key[2].itemsize if isinstance(value, _Like) else 0


class _Run:
    """One operator, run with its derivative."""

    def __init__(self, func: Any, given: Mapping[str, Any], sizes: Sequence[int]) -> None:
        self._func, self._sizes = func, sizes
        self._written = {name for _, name in rule_of(func).writes}
        self._named: dict[str, torch.Tensor] = {}
        self._leaves: dict[str, torch.Tensor] = {}
        self._wholes: dict[int, torch.Tensor] = {}
        self._given = {name: self._made(name, value) for name, value in given.items()}

    def _made(self, name: str, value: Any) -> Any:
        """Return an argument as the operator takes it, with stand-ins of its tensors."""
        if isinstance(value, tuple):
            return [self._made(f"{name}.{place}", one) for place, one in enumerate(value)]
        if not isinstance(value, _Like):
            return value
        shape, stride, dtype, wants, place = value.key
        whole = 1 + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
        memory = torch.zeros(whole if 0 not in shape else 0, dtype=dtype)
        leaf = (
            torch.empty(0, dtype=dtype).set_(memory.untyped_storage(), 0, shape, stride).requires_grad_(wants)
        )
        made = leaf
        if place is not None:  # its memory is written to by way of a view
            offset, whole = place
            leaf = torch.zeros(whole, dtype=dtype, requires_grad=wants)
            base = leaf.clone()
            made = base.as_strided(shape, stride, offset)
            self._wholes[id(made)] = base
        elif name in self._written:
            made = leaf.clone()  # a leaf that wants a gradient can't be written to
        self._named[name] = made
        if wants:
            self._leaves[name] = leaf
        return made

    def found(self, live: _Live, strides: Ends) -> _Found | None:
        """Return the findings, with gradients of the results in use; None if there is no derivative."""
        packed: list[torch.Tensor] = []

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            packed.append(tensor)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            results = tensors_in(self._func(**self._given))
        wholes = [self._wholes.get(id(one), one) for one in results]
        ends = {place: one for place, one in enumerate(wholes) if one.requires_grad}
        ends = {place: one for place, one in ends.items() if place in strides} or ends
        if not ends:
            return None
        begins = {place: _begin(one, strides.get(place)) for place, one in ends.items()}
        before = live.most = live.now
        made = torch.autograd.grad(
            list(ends.values()),
            list(self._leaves.values()),
            list(begins.values()),
            retain_graph=True,
            allow_unused=True,
        )
        places = {one.untyped_storage()._cdata: f"result.{i}" for i, one in begins.items()}
        gradients, new = _memories(zip(self._leaves, made, strict=True), places)
        word = {
            "wants": tuple(self._leaves),
            "through": bool(self._wholes),
            **self._kept(packed, results),
            "gradients": gradients,
            "new": new,
            "peak": live.most - before,
        }
        pairs = zip(self._leaves, made, strict=True)
        return _Found(word, {} if self._wholes else {name: g.stride() for name, g in pairs if g is not None})

    def _kept(self, packed: list[torch.Tensor], results: list[torch.Tensor]) -> dict[str, Value]:
        """Return what autograd was given of the arguments and results, and the bytes of the rest."""
        names = {one.untyped_storage()._cdata: f"result.{i}" for i, one in enumerate(results)}
        names |= {one.untyped_storage()._cdata: name for name, one in self._named.items()}
        memories = {one.untyped_storage()._cdata: one.untyped_storage() for one in packed}
        kept = tuple(dict.fromkeys(names[place] for place in memories if place in names))
        own = sum(memory.nbytes() for place, memory in memories.items() if place not in names)
        for one, size in zip(results, self._sizes, strict=False):
            if one.untyped_storage()._cdata in memories:  # what a kernel for stand-ins knows too small
                own += max(0, one.untyped_storage().nbytes() - size) if size < one.nbytes else 0
        return {"keeps": kept, "own": own}


def _begin(result: torch.Tensor, strides: tuple[int, ...] | None) -> torch.Tensor:
    """Return a gradient of a result in memory of these strides: without any, one number for each element."""
    if strides is None or len(strides) not in {0, result.dim()}:
        return torch.empty_like(result)
    return torch.empty_strided(result.shape, strides or (0,) * result.dim(), dtype=result.dtype)


def _memories(
    gradients: Iterator[tuple[str, torch.Tensor | None]], places: dict[int, str]
) -> tuple[tuple[tuple[str, str, bool], ...], tuple[int, ...]]:
    """Return the memory that each gradient is in, and the bytes of each that was made for them."""
    found: list[tuple[str, str, bool]] = []
    new: list[int] = []
    for name, one in gradients:
        if one is None:
            continue
        memory = one.untyped_storage()
        if memory._cdata not in places:
            places[memory._cdata] = f"new.{len(new)}"
            new.append(memory.nbytes())
        whole = memory.nbytes() == one.numel() * one.element_size()
        found.append((name, places[memory._cdata], whole and not one._is_view()))
    return tuple(found), tuple(new)
