"""``python -m flopledger`` and the ``flopledger`` command."""

import sys

INTERRUPTED = 130


def main() -> int:
    """Run the command line and return the exit code; Ctrl-C is heeded while it still loads."""
    try:
        from flopledger.cli import run  # noqa: PLC0415  (the import may be interrupted)

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
