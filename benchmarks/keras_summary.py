"""How long reading and counting a Keras model takes, against its summary, a forward pass and tf.profiler.

Each model is measured in a process of its own, all four in turn. A second part is the peak memory of
counting VGG19 from a ``.keras`` file, against loading the file and against the bare import.
Needs Keras and TensorFlow.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MODELS = {"ResNet50": 224, "EfficientNetB3": 300, "NASNetLarge": 331}
"""Their names in keras.applications, and the height and width of their input."""
VGG19 = (1, 224, 224, 3)
VGG19_PARAMS = 143_667_240
ENVIRONMENT = {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a call takes, and what it returns."""
    gc.collect()
    start = time.perf_counter()
    found = call()
    return time.perf_counter() - start, found


def profile(model: Any, shape: tuple[int, ...]) -> int:
    """Ask tf.profiler: fix the batch, freeze the graph, and count its floating-point operations."""
    import tensorflow as tf  # noqa: PLC0415  (only the measured process imports it)
    from tensorflow.python.framework.convert_to_constants import (  # noqa: PLC0415
        convert_variables_to_constants_v2_as_graph,
    )

    call = tf.function(lambda x: model(x, training=False))
    concrete = call.get_concrete_function(tf.TensorSpec(shape, model.inputs[0].dtype))
    frozen, _ = convert_variables_to_constants_v2_as_graph(concrete)
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    found = tf.compat.v1.profiler.profile(
        graph=frozen.graph, run_meta=tf.compat.v1.RunMetadata(), cmd="op", options=options
    )
    return int(found.total_float_ops)


def take(model: Any, shape: tuple[int, ...]) -> dict[str, float]:
    """Measure all of them once, and stop if the figures are not those of the peers."""
    import flopledger  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    read, graph = timed(lambda: flopledger.read(model, shape))
    parameters, ledger = timed(lambda: graph.count("keras-summary"))
    summary, _ = timed(lambda: model.summary(print_fn=lambda *_, **__: None))
    operations, operations_ledger = timed(lambda: graph.count("tf-profiler"))
    image = np.zeros(shape, dtype="float32")
    forward, _ = timed(lambda: np.asarray(model(image, training=False)))
    profiler, theirs = timed(lambda: profile(model, shape))
    if (ledger.total.params, operations_ledger.total.count) != (model.count_params(), theirs):
        sys.exit(
            f"{model.name}: {ledger.total.params} parameters and {operations_ledger.total.count} FLOPs, "
            f"Keras says {model.count_params()} and tf.profiler {theirs}"
        )
    return {
        "read": read,
        "keras-summary": parameters,
        "tf-profiler": operations,
        "summary": summary,
        "forward": forward,
        "profiler": profiler,
    }


def measure(name: str, runs: int) -> dict[str, float]:
    """Measure one model in this process; a small one before it takes the imports and what is done once."""
    import keras  # noqa: PLC0415

    small = [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.BatchNormalization()]
    take(keras.Sequential(small), (1, 8, 8, 3))
    model = getattr(keras.applications, name)(weights=None)
    taken = [take(model, (1, MODELS[name], MODELS[name], 3)) for _ in range(runs)]
    return {key: statistics.median(one[key] for one in taken) for key in taken[0]}


def peak(task: str, path: Path) -> dict[str, float]:
    """Do one task of the memory part in this process, and return its peak memory in bytes."""
    import keras  # noqa: PLC0415

    if task == "save":
        keras.applications.VGG19(weights=None).save(path)
    elif task == "load_model":
        keras.saving.load_model(path)
    elif task == "count":
        import flopledger  # noqa: PLC0415

        params = flopledger.count(str(path), VGG19, "keras-summary").total.params
        if params != VGG19_PARAMS:
            sys.exit(f"VGG19 was counted as {params} parameters, expected {VGG19_PARAMS}")
    unit = 1 if sys.platform == "darwin" else 1024
    return {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}


def run(*arguments: str) -> dict[str, float]:
    """Run this script with arguments of its own in a fresh process, and return what it found."""
    command = [sys.executable, __file__, *arguments]
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def show_times(models: list[str], runs: int) -> None:
    """Print a line for each model: medians in seconds, and ratios of theirs to ours."""
    names = ("read", "keras-summary", "tf-profiler", "summary", "forward", "profiler")
    head = "".join(f" {name:>13}" for name in names)
    print(f"{'medians in s':15}{head}  {'ours/summary':>13} {'forward/ours':>13} {'profiler/ours':>13}")
    for name in models:
        one = run("--measure", name, "--runs", str(runs))
        for_summary, for_profiler = one["read"] + one["keras-summary"], one["read"] + one["tf-profiler"]
        ratios = (
            for_summary / one["summary"],
            one["forward"] / for_profiler,
            one["profiler"] / for_profiler,
        )
        cells = "".join(f" {one[key]:13.3f}" for key in names)
        print(f"{name:15}{cells}  {' '.join(f'{ratio:13.2f}' for ratio in ratios)}", flush=True)
    print("ours: reading, and counting under keras-summary or tf-profiler")


def show_memory(runs: int) -> None:
    """Print the peaks of VGG19's processes, and what each takes on top of the import."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "vgg19.keras")
        run("--peak", "save", "--path", str(path))
        tasks = ("import", "count", "load_model")
        rounds = [
            {task: run("--peak", task, "--path", str(path))["peak"] for task in tasks} for _ in range(runs)
        ]
    found = {task: statistics.median(one[task] for one in rounds) for task in tasks}
    print(f"\n{'VGG19.keras':15} {'peak, MiB':>13} {'on top, MiB':>13}")
    for task, value in found.items():
        print(f"{task:15} {value / 2**20:13.1f} {(value - found['import']) / 2**20:13.1f}")
    share = (found["count"] - found["import"]) / (found["load_model"] - found["import"])
    print(f"{share:.3f} of what load_model takes on top of the import")


def main() -> None:
    """Measure the models and the memory, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-memory", action="store_true", help="leave out the memory part")
    parser.add_argument("--measure", choices=MODELS, help=argparse.SUPPRESS)
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.runs)))
    elif options.peak:
        print(json.dumps(peak(options.peak, options.path)))
    else:
        if options.models:
            show_times(options.models, options.runs)
        if not options.no_memory:
            show_memory(options.runs)


if __name__ == "__main__":
    main()
