"""Reads and writes of a tensor's memory past operators, or by operators on real tensors.

Beside stand-ins a forward meets real tensors: globals, default arguments, what a closure holds.
Their memory is the program's, so an operator that is to write to one is shown a stand-in instead; what the
values have become is known as for other stand-ins (:mod:`flopledger_torch.values`). So ``tolist`` and
``numpy``, which look at memory itself, are given these values.
Where the forward is executed there are no stand-ins. There memory is copied before its first change, and
the copy is put back.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensor
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from flopledger_torch.op_rules import UNDECLARED, rule_of, tensors_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flopledger_torch.op_rules import Rule
    from flopledger_torch.values import Values

_READS = ("tolist", "numpy")


def written(rule: Rule, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[torch.Tensor]:
    """Yield the real tensors that an op is to write to."""
    for place, name in (*rule.writes, *UNDECLARED.get(rule.name, ())):
        for tensor in tensors_in(args[place] if place < len(args) else kwargs.get(name)):
            if type(tensor) is not FakeTensor and not tensor.is_meta:
                yield tensor


class Journal:
    """The memory of tensors before operators changed it, that of tensors made in the reading left out."""

    def __init__(self) -> None:
        self._own: set[int] = set()
        self._before: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def made(self, value: Any) -> None:
        """Note that memory was made in the reading: nobody else sees writes to it."""
        for tensor in tensors_in(value):
            if tensor.layout == torch.strided:
                self._own.add(tensor.untyped_storage()._cdata)

    def keep(self, tensor: torch.Tensor) -> None:
        """Copy a tensor's memory, which is about to change."""
        strided = tensor.layout == torch.strided
        place = tensor.untyped_storage()._cdata if strided else id(tensor)
        if place in self._own or place in self._before:
            return
        with _disable_current_modes(), torch.no_grad():
            shown = tensor.detach()
            if strided:  # all of it: there may be other views
                shown = torch.empty(0, dtype=torch.uint8, device=tensor.device).set_(tensor.untyped_storage())
            self._before[place] = (shown, shown.clone())

    def put_back(self) -> None:
        """Restore the content of memory."""
        with torch.no_grad():
            for shown, before in self._before.values():
                shown.copy_(before)
        self._before.clear()


class Journaling(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's modes have no types
    """Undoes, when it ends, the writes of the operators in it to real tensors."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.journal = Journal()

    def __exit__(self, *error: object) -> None:
        """End the mode, and put back."""
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self.journal.put_back()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operator."""
        del types
        for tensor in written(rule_of(func), args, kwargs or {}):
            self.journal.keep(tensor)
        return func(*args, **(kwargs or {}))


@contextlib.contextmanager
def read_as_written(values: Values | None, journal: Journal) -> Iterator[None]:
    """Let readers of a tensor's memory see the forward's writes to it, and change nothing."""
    owner: Any = torch.Tensor
    plain = {name: getattr(owner, name) for name in _READS}
    for name, function in plain.items():
        setattr(owner, name, _reading(function, values, journal))
    try:
        yield
    finally:
        for name in plain:
            delattr(owner, name)  # the methods are inherited


def _reading(plain: Callable[..., Any], values: Values | None, journal: Journal) -> Callable[..., Any]:
    def read(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        if not torch._C._len_torch_dispatch_stack():  # another thread, or the kernel of an operator
            return plain(tensor, *args, **kwargs)
        if values is None:
            journal.keep(tensor)
            return plain(tensor, *args, **kwargs)
        value = values.value(tensor)
        if value is None and type(tensor) is FakeTensor:
            return plain(tensor, *args, **kwargs)  # it refuses
        if value is None and values.changed(tensor):
            raise DataDependentOutputException(torch.ops.aten._local_scalar_dense.default)
        with _disable_current_modes():
            # What has no value of its own is large: to copy it would cost memory.
            found = plain(tensor.detach() if value is None else value.clone(), *args, **kwargs)
            if value is None and plain.__name__ == "numpy":
                found.flags.writeable = False
            return found

    read.__name__, read.__doc__ = plain.__name__, plain.__doc__
    return read
