"""Counts the probes of the PyTorch peers under their conventions, in a process of its own, as JSON.

python count_torch_probes.py [PROBE ...]
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from typing import TYPE_CHECKING, Any

import flopledger as fl
import torch
from flopledger.conventions import loader
from flopledger.errors import FlopledgerError
from torch_probes import every_probe

if TYPE_CHECKING:
    from torch_probes import Build

CONVENTIONS = (
    "ptflops", "ptflops-aten", "thop", "fvcore", "torch-flop-counter", "torch-flop-counter-no-grad",
    "torchinfo", "torchprofile", "torchstat-flops", "torchstat-madd", "torchsummary", "calflops-flops",
    "calflops-macs",
)  # fmt: skip
BY_NAME = ("ptflops", "ptflops-aten")
"""The tools that give several inputs by name; the others give them by position."""
EXECUTED = ("lstm_packed_n3", "gru_packed_n3")
"""The probes whose forward depends on values: on the lengths of sequences."""
LOADED = {name: loader.load(name) for name in CONVENTIONS}


def count(probe: str, build: Build) -> dict[str, Any]:
    """Count one probe under all conventions, with one reading for those that need the same."""
    torch.manual_seed(0)
    model, inputs = build()
    graphs: dict[Any, Any] = {}
    found = {}
    for name, loaded in LOADED.items():
        given = {"mode": "train" if model.training else "eval", "grad": True, **loaded.profile}
        by_name = name in BY_NAME and len(inputs) > 1
        key = (by_name, *sorted(given.items()))
        try:
            if key not in graphs:
                values = dict(inputs) if by_name else tuple(inputs.values())
                graphs[key] = fl.read(model, values, profile=given, execute=probe in EXECUTED)
            total = graphs[key].count(loaded).total
            found[name] = [
                str(f) if f is not None and not isinstance(f, int) else f for f in (total.count, total.params)
            ]
        except FlopledgerError as error:
            found[name] = {"error": f"{type(error).__name__}: {error}"}
    found["mac"] = own(next(iter(graphs.values()))) if graphs else {}
    return found


def own(graph: fl.Graph) -> dict[str, Any]:
    """Return our own figure, where the levels disagree about it, and what has no formula."""
    ledger = graph.count("mac")
    unknown = sorted({u.source for u in ledger.coverage.unknown})
    return {"count": ledger.total.count, "disagreements": ledger.disagreements, "unknown": unknown}


def main(wanted: list[str]) -> None:
    """Count the probes that are named, or all."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    probes = every_probe()
    json.dump({name: count(name, probes[name]) for name in wanted or probes}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
