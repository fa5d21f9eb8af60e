"""Counts the probes of Paddle's counters under their conventions, in a process of its own, as JSON.

python count_paddle_probes.py [PROBE ...]
"""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

warnings.simplefilter("ignore")

import flopledger as fl  # noqa: E402  (paddle warns when it is imported)
import paddle  # noqa: E402
from flopledger.report import render  # noqa: E402
from paddle_probes import PROBES, VISION, fresh, printed, spec_of  # noqa: E402

CONVENTIONS = ("paddle-flops", "paddle-flops-static", "paddle-summary")


def names() -> list[str]:
    """Return the names of the probes."""
    return list(PROBES)


def reading(probe: str) -> fl.Graph:
    """Read one probe."""
    make, shape = PROBES[probe]
    with paddle.LazyGuard() if probe in VISION else contextlib.nullcontext():
        model = fresh(make)
    return fl.read(model, spec_of(shape))


def figures(probe: str, wanted: Iterable[str]) -> dict[str, Callable[[object], Any]]:
    """Return a function that gives a probe's figure under a convention, or under a changed one."""
    graph = reading(probe)

    def figure(convention: object) -> Any:
        total = graph.count(convention).total
        return total.count, total.params, total.trainable_params

    return {name: figure for name in CONVENTIONS if name in wanted}


def count(probe: str) -> dict[str, Any]:
    """Count one probe under all conventions, from one reading."""
    graph = reading(probe)
    flops, static, summary = (graph.count(name) for name in CONVENTIONS)
    own = graph.count("mac")
    return {
        "paddle-flops": {
            "count": flops.total.count,
            "params": flops.total.params,
            "printed": printed(render([flops], "tool").splitlines()),
        },
        "paddle-flops-static": {"count": static.total.count},
        "paddle-summary": {"params": summary.total.params, "trainable": summary.total.trainable_params},
        "mac": {
            "count": own.total.count,
            "params": own.total.params,
            "disagreements": own.disagreements,
            "unknown": sorted({u.source for u in own.coverage.unknown}),
        },
    }


if __name__ == "__main__":
    json.dump({probe: count(probe) for probe in sys.argv[1:] or names()}, sys.stdout)
