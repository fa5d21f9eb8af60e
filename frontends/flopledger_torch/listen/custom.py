"""Functions that PyTorch's tracer takes for one operator each.

They are those with a gradient of their own, and those that torch.jit compiled.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from torch.autograd import Function
from torch.jit import ScriptFunction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flopledger_torch.record import Recorder

CUSTOM = "prim.PythonOp"
"""The tracer's name for functions with a gradient of their own, whatever they do."""
_LEFT_OUT = (
    "has a gradient of its own, which is not followed: what a training step computes and keeps for it, and "
    "for what comes before it alone, is left out"
)
COMPILED = "prim.CallFunction"
"""Its name for a function that was scripted or traced before: a node without operators inside."""


@contextlib.contextmanager
def recording_custom_functions(recorder: Recorder) -> Iterator[None]:
    """Write calls of such functions down, around the operators that they are made of."""
    custom: Any = Function
    compiled: Any = ScriptFunction
    apply, call = vars(custom)["apply"], vars(compiled)["__call__"]

    def applied(cls: type[Function], *args: Any, **kwargs: Any) -> Any:
        if recorder.training and recorder.is_recording():
            recorder.note(f"{cls.__name__} {_LEFT_OUT}")
        return _recorded(recorder, (CUSTOM, cls.__name__), apply.__get__(None, cls), args, kwargs)

    def called(function: Any, /, *args: Any, **kwargs: Any) -> Any:
        return _recorded(recorder, (COMPILED, function.name), call.__get__(function), args, kwargs)

    custom.apply, compiled.__call__ = classmethod(applied), called
    try:
        yield
    finally:
        custom.apply, compiled.__call__ = apply, call


def _recorded(
    recorder: Recorder,
    called: tuple[str, str],
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Call a function, and record the call by its source and name."""
    if not recorder.is_recording():
        return function(*args, **kwargs)
    event = recorder.open("op", *called)
    event.composite = True
    if called[0] == CUSTOM:
        recorder.tape.append(None)  # its derivative is code of its own
    try:
        out = function(*args, **kwargs)
        recorder.finish(event, args, kwargs, out)
    finally:
        recorder.current = event.parent
    return out
