"""Asks Keras's summary and TensorFlow's profiler about probes and networks; run in a process of its own.

Usage: ``python run_keras_peer.py [NAME...]``; each answer is one line of JSON on stdout.
"""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["COLUMNS"] = "400"  # so that no cell of the summary is cut
sys.path.insert(0, str(Path(__file__).parent))

import keras
import keras_probes
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2_as_graph


def float_ops(model: Any, batch: int) -> tuple[int, dict[str, int]]:
    """Return the counts of tf.profiler in the frozen graph: the total, and by type of op."""
    specs = [tf.TensorSpec([batch, *i.shape[1:]], i.dtype) for i in model.inputs]
    call = tf.function(lambda x: model(x, training=False))
    concrete = call.get_concrete_function(specs if len(specs) > 1 else specs[0])
    frozen, _ = convert_variables_to_constants_v2_as_graph(concrete, lower_control_flow=True)
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    profile = tf.compat.v1.profiler.profile(
        graph=frozen.graph, run_meta=tf.compat.v1.RunMetadata(), cmd="op", options=options
    )
    found, waiting = {}, list(profile.children)
    while waiting:
        node = waiting.pop()
        waiting += list(node.children)
        if node.float_ops:
            found[str(node.name)] = int(node.float_ops)
    return int(profile.total_float_ops), dict(sorted(found.items()))


def summary(model: Any) -> dict[str, Any]:
    """Return the rows and totals of the summary that Keras prints."""
    lines: list[str] = []
    model.summary(print_fn=lambda text, line_break=False: lines.append(text), line_length=390)  # noqa: ARG005
    rows, totals = [], {}
    for line in io.StringIO("\n".join(lines)):
        cells = [cell.strip() for cell in line.replace("┃", "│").split("│")[1:-1]]
        if len(cells) >= 3 and cells[0] and cells[2].replace(",", "").isdigit():
            rows.append([cells[0].partition(" (")[0], int(cells[2].replace(",", ""))])
        name, colon, value = line.strip().partition(" params: ")
        if colon:
            totals[name.lower()] = int(value.partition(" ")[0].replace(",", ""))
    return {"rows": rows, "totals": totals}


def answer(name: str) -> dict[str, Any]:
    """Return all that the peers say about one model."""
    keras.utils.clear_session()
    build, batches = keras_probes.model(name)
    model = build()
    found: dict[str, Any] = {"summary": summary(model), "profiler": {}}
    for batch in batches:
        total, ops = float_ops(model, batch)
        found["profiler"][str(batch)] = {"total": total, "ops": ops}
    return found


def main() -> None:
    """Answer for the names given, or for all."""
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
    print(json.dumps({"versions": versions}), flush=True)  # noqa: T201
    for name in sys.argv[1:] or keras_probes.names():
        print(json.dumps({"name": name, **answer(name)}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
