"""``python -m flopledger`` and the ``flopledger`` command."""

import gc
import sys

INTERRUPTED = 130
YOUNG = 100_000
"""How many new objects make Python look for garbage; most of what a run makes lives until its end."""


def main() -> int:
    """Run the command line and return the exit code; Ctrl-C is heeded while it still loads."""
    gc.set_threshold(YOUNG)
    try:
        from flopledger.cli import run  # noqa: PLC0415  (the import may be interrupted)

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
