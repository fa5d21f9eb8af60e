"""The ops of a forward on what requires a gradient, run again under autograd for its engine.

A reading dispatches ops past autograd, which has no graph of them. Where a forward asks for a derivative, the
ops so far run a second time, unrecorded, on twins of their tensors that autograd knows; the engine then
takes the derivative of the twins, and its own ops are recorded as they are dispatched. Twins stay, so that a
derivative of a derivative finds the graph of the first.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from flopledger_torch.op_rules import replaced, tensors_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flopledger_torch.record import Recorder


class NotFollowedError(Exception):
    """The forward has an op whose derivative is not followed."""


class Twins:
    """Tensors of a forward as autograd knows them. Made where ops are dispatched as usual."""

    def __init__(self, recorder: Recorder, mode: Callable[[Recorder], TorchDispatchMode]) -> None:
        self.recorder, self._mode = recorder, mode
        self._twins: dict[int, torch.Tensor] = {}
        self._leaves: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._done = 0
        self._keys = torch._C._dispatch_tls_local_include_set(), torch._C._dispatch_tls_local_exclude_set()

    @contextlib.contextmanager
    def _under_autograd(self) -> Iterator[None]:
        """Dispatch ops through autograd, to the mode of the stand-ins alone."""
        mode: Any = torch._C._get_dispatch_mode(torch._C._TorchDispatchModeKey.FAKE)
        with (
            _disable_current_modes(),
            torch._C._ForceDispatchKeyGuard(*self._keys),
            contextlib.nullcontext() if mode is None else mode,
        ):
            yield

    def _twin(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the twin of a tensor: itself, where it requires no gradient."""
        found = self._twins.get(id(tensor))
        if found is None:
            found = tensor
            if tensor.requires_grad:
                found = tensor.detach().requires_grad_()
                self._leaves.append((tensor, found))
                self.recorder.tensors.same(found, tensor)
            self._twins[id(tensor)] = found
        return found

    def _replay(self) -> None:
        """Run the ops that have been recorded since the last time.

        Raises:
            NotFollowedError: One of them has a derivative of its own, or makes other memory differentiable.
        """
        tape = self.recorder.tape
        if None in tape:
            raise NotFollowedError
        for func, args, kwargs, out in tape[self._done :]:
            if func is None:  # a view that was made where no gradients are recorded
                self._twins.update({id(tensor): tensor.detach() for tensor in tensors_in(out)})
                continue
            named = {name: replaced(value, self._twin) for name, value in kwargs.items()}
            made = func(*replaced(args, self._twin), **named)
            for tensor, twin in zip(tensors_in(out), tensors_in(made), strict=True):
                self._twins[id(tensor)] = twin
                self.recorder.tensors.same(twin, tensor)
        self._done = len(tape)

    def derive(self, engine: Callable[..., Any], outputs: Sequence[Any], *args: Any, **kwargs: Any) -> Any:
        """Let the engine derive outputs, and return the gradients as stand-ins; see ``_engine_run_backward``.

        Args:
            engine: Autograd's.
            outputs: What is derived.
            args: The gradients of the outputs, whether the graph is kept, whether that of the derivative is
                made, by what it is derived, and more.
            kwargs: ``accumulate_grad``, where gradients go into the leaves.

        Raises:
            NotFollowedError: An op is not followed.
        """
        given, keep, create, inputs, *rest = args
        with self._under_autograd(), torch.enable_grad():
            self._replay()
            of = tuple(map(self._twin, outputs))
            before = tuple(one if one is None else self._twin(one) for one in given)
            by = tuple(map(self._twin, inputs))
            with self._mode(self.recorder):
                grads = engine(of, before, keep, create, by, *rest, **kwargs)
            for tensor, twin in self._leaves:
                if twin.grad is not None:
                    tensor.grad, twin.grad = self._shown(twin.grad), None
            return grads if kwargs.get("accumulate_grad") else tuple(map(self._shown, grads))

    def _shown(self, grad: torch.Tensor | None) -> torch.Tensor | None:
        """Return a gradient as the forward sees it, a stand-in that autograd does not know."""
        if grad is None:
            return None
        shown = grad.detach()
        self.recorder.tensors.same(shown, grad)
        if grad.requires_grad:
            shown.requires_grad_()
            self._twins[id(shown)] = grad
        return shown
