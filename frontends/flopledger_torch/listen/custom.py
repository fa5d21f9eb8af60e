"""Functions that a model brings with a gradient of its own: to PyTorch's tracer, one operator each."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from torch.autograd import Function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger_torch.record import Recorder

SOURCE = "prim.PythonOp"
"""What the tracer calls them, whatever they do."""


@contextlib.contextmanager
def recording_custom_functions(recorder: Recorder) -> Iterator[None]:
    """Write calls of such functions down, around the operators that they are made of."""
    owner: Any = Function
    plain = vars(owner)["apply"]

    def apply(cls: type[Function], *args: Any, **kwargs: Any) -> Any:
        if not recorder.is_recording():
            return plain.__func__(cls, *args, **kwargs)
        event = recorder.open("op", SOURCE, cls.__name__)
        event.composite = True
        try:
            out = plain.__func__(cls, *args, **kwargs)
            recorder.finish(event, args, kwargs, out)
        finally:
            recorder.current = event.parent
        return out

    owner.apply = classmethod(apply)
    try:
        yield
    finally:
        owner.apply = plain
