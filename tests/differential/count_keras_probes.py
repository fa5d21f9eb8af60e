"""Counts the probes of the Keras peers under their conventions, in a process of its own, as JSON.

python count_keras_probes.py [NAME ...]
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import flopledger as fl
import keras
import keras_probes
from flopledger.frontend.reshape import check_shapes
from flopledger_keras.state import built


def specs(model: Any, batch: int) -> list[str]:
    """Return the inputs of a model for a batch."""
    return ["x".join(map(str, (batch, *given.shape[1:]))) for given in model.inputs]


def summary(graph: fl.Graph) -> dict[str, Any]:
    """Return what Keras's summary would show."""
    ledger = graph.count("keras-summary")
    total = ledger.total
    totals = {
        "total": total.count,
        "trainable": total.trainable_params,
        "non-trainable": total.non_trainable_params,
    }
    if total.buffers:
        totals["optimizer"] = total.buffers
    return {"rows": [[row.path, row.count] for row in ledger.rows], "totals": totals}


def count(name: str) -> dict[str, Any]:
    """Count one probe."""
    keras.utils.clear_session()
    build, batches = keras_probes.model(name)
    model = built(build)
    graphs = {batch: fl.read(model, specs(model, batch)) for batch in (batches or (1,))}
    first, own = graphs[1], graphs[1].count("mac")
    return {
        "summary": summary(first),
        "profiler": {str(b): graphs[b].count("tf-profiler").total.count for b in batches},
        "unknown": sorted(u.source for u in own.coverage.unknown),
        "disagreements": own.disagreements,
        "shapes": check_shapes(first),
        "params": [own.total.params, own.total.buffers],
    }


def main(wanted: list[str]) -> None:
    """Count the probes that are named, or all."""
    json.dump({name: count(name) for name in wanted or keras_probes.names()}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
