"""Making a model without memory for its weights."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from flopledger_paddle import internals
from flopledger_paddle.framework import paddle
from flopledger_paddle.state import preserved_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.frontend import Request


def build_model(factory: Callable[[], object], request: Request) -> object:
    """Return the result of ``factory``, its weights without memory where its constructor lets us.

    A constructor that reads or moves its weights, as that of a fused recurrent layer does, is called
    again with memory; the names that the first attempt gave away are given again. A model that may
    have to run is made with memory.
    """
    with preserved_process():
        model, names = _made(factory, lazy=not request.execute)
    names.restore()
    return model


def _made(factory: Callable[[], object], *, lazy: bool) -> tuple[object, internals.Names]:
    """Return the model, and the names that are given away once it is there."""
    before = internals.Names()
    try:
        with paddle.LazyGuard() if lazy else contextlib.nullcontext():
            model = factory()
    except Exception:  # noqa: BLE001  (whatever it is, the second attempt raises it again)
        before.restore()
        model = factory()
    return model, internals.Names()
