"""How long a loop over a sequence takes to read and count, against PyTorch's own counter and the forward.

The model steps a selective scan in Python, as Mamba does without its CUDA kernel. Everything is measured in
one process, in turn, in process time. Needs PyTorch.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import TYPE_CHECKING, Any

import flopledger as fl
import torch
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH, STATE = 64, 16


class Scan(torch.nn.Module):
    """``h = a[t] h + b[t]`` and ``y[t] = h c[t]``, step by step."""

    def forward(self, a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        """Return all ``y``, one row for each step."""
        state, rows = torch.zeros(WIDTH, STATE), []
        for step in range(len(a)):
            state = a[step] * state + b[step]
            rows.append(state @ c[step])
        return torch.stack(rows)


def taken(call: Callable[[], Any]) -> float:
    """Return the seconds of this process that a call takes."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> None:
    """Measure, and print one JSON document: the medians in seconds, and how often they take the counter's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    net = Scan().eval()
    given = tuple(torch.rand(args.steps, *sizes) for sizes in ((WIDTH, STATE), (WIDTH, STATE), (STATE,)))
    macs = fl.count(net, given).total.count
    if macs != args.steps * WIDTH * STATE:
        raise SystemExit(f"counted {macs} MAC, expected {args.steps * WIDTH * STATE}")

    def counter() -> None:
        with FlopCounterMode(display=False):
            net(*given)

    calls = {"forward": lambda: net(*given), "counter": counter, "flopledger": lambda: fl.count(net, given)}
    taken(counter)  # without what it imports first
    times = [{name: taken(call) for name, call in calls.items()} for _ in range(args.runs)]
    medians = {name: statistics.median(one[name] for one in times) for name in calls}
    print(json.dumps({**medians, "flopledger / counter": medians["flopledger"] / medians["counter"]}))


if __name__ == "__main__":
    main()
