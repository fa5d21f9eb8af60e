"""Counts the probes of Paddle's counters under their conventions, in a process of its own, as JSON.

python count_paddle_probes.py [PROBE ...]
"""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")

import flopledger as fl  # noqa: E402  (paddle warns when it is imported)
import paddle  # noqa: E402
from flopledger.report import render  # noqa: E402
from paddle_probes import PROBES, VISION, fresh, printed, spec_of  # noqa: E402


def count(probe: str) -> dict[str, Any]:
    """Count one probe under all conventions, from one reading."""
    make, shape = PROBES[probe]
    with paddle.LazyGuard() if probe in VISION else contextlib.nullcontext():
        model = fresh(make)
    graph = fl.read(model, spec_of(shape))
    flops, static, summary = (
        graph.count(name) for name in ("paddle-flops", "paddle-flops-static", "paddle-summary")
    )
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
    json.dump({probe: count(probe) for probe in sys.argv[1:] or PROBES}, sys.stdout)
