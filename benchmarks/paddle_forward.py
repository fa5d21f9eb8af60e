"""How long reading and counting a Paddle model takes, against ``paddle.flops``, which runs it.

Both are measured in one process, in turn, on the same model; the ratio of the medians is what is kept.
Needs Paddle, and a NumPy below 2.4, with which ``paddle.flops`` works.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import time
import warnings
from typing import TYPE_CHECKING, Any

warnings.simplefilter("ignore")

import flopledger as fl  # noqa: E402  (paddle warns when it is imported)
import paddle  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable


def encoder() -> Any:
    """Make a transformer encoder of BERT-base's sizes."""
    return paddle.nn.TransformerEncoder(paddle.nn.TransformerEncoderLayer(768, 12, 3072), 12)


MODELS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "ResNet-50 at 224": (paddle.vision.models.resnet50, (1, 3, 224, 224)),
    "ResNet-50 at 640": (paddle.vision.models.resnet50, (1, 3, 640, 640)),
    "VGG-16, batch 8": (paddle.vision.models.vgg16, (8, 3, 224, 224)),
    "encoder, 12 layers": (encoder, (1, 128, 768)),
}


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def ask(model: Any, shape: tuple[int, ...]) -> int:
    """Ask paddle.flops, without its table."""
    with contextlib.redirect_stdout(io.StringIO()):
        return int(paddle.flops(model, list(shape)))


def main() -> None:
    """Measure every model, and print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print(f"{'':20} {'ours, s':>9} {'theirs, s':>10} {'ratio':>7}")
    for name, (make, shape) in MODELS.items():
        model = make()
        model.eval()
        if fl.count(model, shape, "paddle-flops").total.count != ask(model, shape):
            raise SystemExit(f"{name}: the figures differ")
        pairs = [
            (
                seconds(lambda: fl.count(model, shape, "paddle-flops")),  # noqa: B023  (called at once)
                seconds(lambda: ask(model, shape)),  # noqa: B023
            )
            for _ in range(runs)
        ]
        ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(f"{name:20} {ours:9.3f} {theirs:10.3f} {theirs / ours:7.1f}")


if __name__ == "__main__":
    main()
