"""Derivatives that a forward takes itself, by autograd's engine: which records nothing below autograd.

``torch.autograd.grad`` and ``.backward()`` end in one function of torch's. Where the ops before can be run
again under autograd, the ops of the derivative are recorded: :mod:`flopledger_torch.listen.tape`. Else a
reading writes an unknown call down there, and gives stand-ins for the gradients, of their tensors' sizes.
``torch.func.grad`` and the like need none of this: they record their own derivatives, op by op.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd import forward_ad
from torch.utils._python_dispatch import _disable_current_modes

from flopledger_torch.listen.functions import unrecorded
from flopledger_torch.listen.tape import Twins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch.utils._python_dispatch import TorchDispatchMode

    from flopledger_torch.record import Recorder

SOURCE = "torch.autograd.backward"
_PROBLEM = "the forward takes derivatives by autograd's engine, whose work is not followed"


def _followed(twins: Twins, plain: Any, outputs: Any, *args: Any, **kwargs: Any) -> Any:
    """Record the ops of a derivative, and return its gradients; NotImplemented where it is not followed."""
    recorder = twins.recorder
    event = recorder.open("op", SOURCE, "backward")
    event.composite = True
    recorder.quiet += 1
    try:
        grads = twins.derive(plain, outputs, *args, **kwargs)
        recorder.finish(event, tuple(outputs), {}, grads)
    except Exception:  # noqa: BLE001  (an op may have no derivative on stand-ins, or the forward is wrong)
        del recorder.events[event.id :]
        return NotImplemented
    finally:
        recorder.quiet -= 1
        recorder.current = event.parent
    return grads


@contextlib.contextmanager
def recording_derivatives(
    recorder: Recorder, mode: Callable[[Recorder], TorchDispatchMode]
) -> Iterator[None]:
    """Record the calls of autograd's engine in a forward; ``mode`` makes what records its ops."""
    twins = Twins(recorder, mode)
    owner: Any = torch.autograd
    ahead: Any = forward_ad
    plain, load = owner._engine_run_backward, ahead._maybe_load_decompositions

    def engine(outputs: Any, *args: Any, **kwargs: Any) -> Any:
        if not recorder.is_recording():
            return plain(outputs, *args, **kwargs)
        if not recorder.training:
            found = _followed(twins, plain, outputs, *args, **kwargs)
            if found is not NotImplemented:
                return found
        event = recorder.open("op", SOURCE, "backward")
        event.problem = _PROBLEM
        recorder.note(f"{_PROBLEM}: it is unknown")
        recorder.quiet += 1
        try:
            _, _, create, inputs = args[:4]
            if kwargs.get("accumulate_grad"):
                inputs = ()  # gradients go into ``.grad``, which nothing gives back
            grads = tuple(torch.zeros_like(one).requires_grad_(bool(create)) for one in inputs)
            recorder.close(event)
            recorder.finish(event, tuple(outputs), {}, grads)
        finally:
            recorder.quiet -= 1
            recorder.current = event.parent
        return grads

    def compiled() -> None:
        """Load the code of forward derivatives, which torch compiles from its source when first asked for."""
        with unrecorded(), _disable_current_modes():
            load()

    owner._engine_run_backward, ahead._maybe_load_decompositions = engine, compiled
    try:
        yield
    finally:
        owner._engine_run_backward, ahead._maybe_load_decompositions = plain, load
