"""Chooses the slowest tests, which `make test` leaves to `make test-all`: one in twenty at most.

    pytest --slow --durations=0 --durations-min=0.005 tests/core ... > report.txt
    python tests/support/slowest.py report.txt ... > tests/slowest.txt

Each report is of one suite and has its own twentieth, since reports of busy and of quiet hours don't compare.
Comparisons with tools' recorded answers, documents and the rules of the repository are never left out.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHARE = 20
"""One test in so many may be left out."""
LIST = Path(__file__).resolve().parents[1] / "slowest.txt"
KEPT = ("tests/differential/", "tests/docs/", "tests/packaging/")
"""Where the tests are of which none is left out."""
_LINE = re.compile(r"\s*([\d.]+)s (?:call|setup|teardown)\s+(\S.*)")
_COUNT = re.compile(r"(\d+) passed")


def slowest(report: str) -> list[str]:
    """Return the names of the slowest tests of one run, by the report that pytest printed."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for found in filter(None, map(_LINE.fullmatch, report.splitlines())):
        seconds[found[2]] += float(found[1])
    counts = _COUNT.findall(report)
    most = (int(counts[-1]) if counts else len(seconds)) // SHARE
    ranked = sorted(seconds, key=lambda name: -seconds[name])
    return [name for name in ranked if not name.startswith(KEPT)][:most]


def listed() -> frozenset[str]:
    """Return the tests that are left out today."""
    return frozenset(LIST.read_text().splitlines()) if LIST.exists() else frozenset()


def main(reports: Iterable[str]) -> None:
    """Print the list that reports give."""
    for name in sorted(name for report in reports for name in slowest(Path(report).read_text())):
        sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
