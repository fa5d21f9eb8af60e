"""Checkpointed regions (``torch.utils.checkpoint``), which a backward computes again.

The region's own calls are recorded as they are, inside a call that marks them: ``early`` if the second run
stops with the last tensor that is needed, as it does by default, ``whole`` if it goes through. One that is
``reentrant`` goes through as well, and has gradients only if one of its arguments wants one, so that these
are the inputs of its call.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from torch.utils import checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flopledger_torch.record import Event, Recorder

SOURCE = "torch.utils.checkpoint.checkpoint"


@contextlib.contextmanager
def recording_checkpoints(recorder: Recorder) -> Iterator[None]:
    """Mark checkpointed regions, in a reading for a training step."""
    if not recorder.training:
        yield
        return
    owner: Any = checkpoint
    names = ("_checkpoint_without_reentrant_generator", "CheckpointFunction")
    plain = {name: getattr(owner, name) for name in names}

    def marked(*args: Any, **kwargs: Any) -> Iterator[None]:
        if not recorder.is_recording():
            yield from plain[names[0]](*args, **kwargs)
            return
        early = (args[5] if len(args) > 5 else True) and owner._enable_checkpoint_early_stop is not False
        event = _opened(recorder, "early" if early else "whole")
        try:
            yield
        finally:
            recorder.current = event.parent

    class Reentrant:
        """Runs a region as the function does that computes all of it again."""

        @staticmethod
        def apply(function: Callable[..., Any], preserve: bool, *args: Any) -> Any:  # noqa: FBT001  (as torch's)
            if not recorder.is_recording():
                return plain[names[1]].apply(function, preserve, *args)
            event = _opened(recorder, "reentrant")
            event.inputs = recorder.tensors_in(args)
            try:
                return function(*args)
            finally:
                recorder.current = event.parent

    setattr(owner, names[0], marked)
    setattr(owner, names[1], Reentrant)
    try:
        yield
    finally:
        for name, function in plain.items():
            setattr(owner, name, function)


def _opened(recorder: Recorder, how: str) -> Event:
    event = recorder.open("function", SOURCE, "checkpoint")
    event.native = {"recomputed": how}
    return event
