"""A reading from its beginning to the proof that it has left nothing behind."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any

from flopledger.frontend import SourceError

from flopledger_torch.state import leaks

if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable

    from flopledger.frontend import Graph

    from flopledger_torch.state.watched import Watched
    from flopledger_torch.trace import Reader


def read(source: str, make: Callable[[], Reader], *, isolated: bool = False) -> Graph:
    """Let a reader read, undo the changes of its forward, and check that no stand-in is left.

    Args:
        source: The source as the user named it.
        isolated: Whether the process is thrown away after the reading, with all that is left in it.
        make: Makes the reader, which nothing else may hold.

    Raises:
        SourceError: Stand-ins are left where they can't be removed; the message names the place.
    """
    reader = make()
    try:
        # Changes of context variables stay in a context of the reading's own, which is dropped with it.
        graph = contextvars.copy_context().run(reader.read)
    except BaseException as error:
        leaks.forget_frames(error)
        holders = _finished(*reader.release())
        if holders:
            error.add_note(_message(holders))
        raise
    holders = _finished(*reader.release())
    if holders and not isolated:
        raise SourceError(f"{source}: {_message(holders)}")
    return graph


def _finished(watched: Watched, known: list[weakref.ref[Any]]) -> list[str]:
    """Restore the watched objects, and return the names of those that still hold stand-ins."""
    watched.put_back(libraries=False)
    if not leaks.left(known):
        return []
    if watched.put_back(libraries=True) and not leaks.left(known):
        return []
    return leaks.cleared(known)


def _message(holders: list[str]) -> str:
    return (
        f"its forward left stand-ins for tensors in {', '.join(holders)}, where a reading can't restore "
        "the old values: set them again, and read the model with isolated=True, in a child process"
    )
