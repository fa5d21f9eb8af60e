"""``python -m flopledger`` and the ``flopledger`` command."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

INTERRUPTED = 130
YOUNG = 100_000
"""The number of new objects that starts a garbage collection; most objects of a run live until its end."""


def main() -> int:
    """Run the command line and return the exit code; Ctrl-C is handled while it is still loading."""
    gc.set_threshold(YOUNG)
    sys.excepthook = _report
    try:
        from flopledger.cli import run  # noqa: PLC0415  (the import may be interrupted)

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return INTERRUPTED


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of a bug of ours; its message may repeat an untrusted name, so it is escaped."""
    import traceback  # noqa: PLC0415  (no other run needs it)

    from flopledger.cli import messages  # noqa: PLC0415  (likewise)

    messages.say("".join(traceback.format_exception(kind, error, trace)).removesuffix("\n"))


if __name__ == "__main__":
    sys.exit(main())
