"""Counts the probes of the Keras peers under their conventions, in a process of its own, as JSON.

python count_keras_probes.py [--short] [NAME ...]

With --short, whole networks are counted at one batch, and those that only the summary knows are left out.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import flopledger as fl
import keras
import keras_probes
from flopledger.frontend.shape_inference import check_shapes
from flopledger.plugins.discovery import kinds
from flopledger_keras.build import build_model


def specs(model: Any, batch: int) -> list[str]:
    """Return the inputs of a model for a batch; a symbol stands for a size that the model leaves open."""
    return [
        "x".join(
            [str(batch), *(f"S{i}" if size is None else str(size) for i, size in enumerate(given.shape[1:]))]
        )
        for given in model.inputs
    ]


def summary(graph: fl.Graph, convention: object = "keras-summary") -> dict[str, Any]:
    """Return the figure of Keras's summary."""
    ledger = graph.count(convention)
    total = ledger.total
    totals = {
        "total": total.count,
        "trainable": total.trainable_params,
        "non-trainable": total.non_trainable_params,
    }
    if total.buffers:
        totals["optimizer"] = total.buffers
    return {"rows": [[row.path, row.count] for row in ledger.rows], "totals": totals}


def params(graph: fl.Graph, convention: object = "tf-profiler") -> list[Any]:
    """Return the parameters under the profiler's convention: all, the trainable ones, and the others."""
    total = graph.count(convention).total
    return [total.params, total.trainable_params, total.non_trainable_params]


def names() -> list[str]:
    """Return the names of the probes."""
    return keras_probes.names()


def readings(name: str, most: int | None = None) -> tuple[dict[int, fl.Graph], tuple[int, ...]]:
    """Read one probe at each batch, or a few; return the batches that the profiler was asked about."""
    # Without a garbage collection for each probe, which took more than half of the time.
    keras.utils.clear_session(free_memory=False)
    build, batches = keras_probes.model(name)
    batches = batches[: most if name in keras_probes.NETWORKS else None]
    model = build_model(build)
    return {batch: fl.read(model, specs(model, batch)) for batch in (batches or (1,))}, batches


def figures(name: str, wanted: Iterable[str]) -> dict[str, Callable[[object], Any]]:
    """Return a function that gives a probe's figure under a convention, or under a changed one."""
    graphs, batches = readings(name)
    given: dict[str, Callable[[object], Any]] = {
        "keras-summary": lambda convention: summary(graphs[1], convention),
        "tf-profiler": lambda convention: [
            *(graphs[b].count(convention).total.count for b in batches),
            *params(graphs[1], convention),
        ],
    }
    return {convention: give for convention, give in given.items() if convention in wanted}


def count(name: str, most: int | None = None) -> dict[str, Any]:
    """Count one probe; a whole network at the first few batches alone if ``most`` says how many."""
    graphs, batches = readings(name, most)
    first, own = graphs[1], graphs[1].count("mac")
    return {
        "summary": summary(first),
        "profiler_params": params(first),
        "profiler": {str(b): graphs[b].count("tf-profiler").total.count for b in batches},
        "unknown": sorted(u.source for u in own.coverage.unknown),
        "disagreements": own.disagreements,
        "shapes": check_shapes(first, kinds()),
        "params": [own.total.params, own.total.buffers],
    }


def main(arguments: list[str]) -> None:
    """Count the probes that are named, or all."""
    short = "--short" in arguments
    wanted = [argument for argument in arguments if argument != "--short"]
    every = [*keras_probes.PROBES, *keras_probes.NETWORKS] if short else names()
    json.dump({name: count(name, 1 if short else None) for name in wanted or every}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
