"""Counts the probes of the PyTorch peers under their conventions, in a process of its own, as JSON.

python count_torch_probes.py [PROBE ...]
"""

from __future__ import annotations

import functools
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
    from collections.abc import Callable, Iterable

CONVENTIONS = (
    "ptflops", "ptflops-aten", "thop", "fvcore", "torch-flop-counter", "torch-flop-counter-no-grad",
    "torchinfo", "torchprofile", "torchstat-flops", "torchstat-madd", "torchsummary", "calflops-flops",
    "calflops-macs", "torchinfo-size", "torchsummary-size", "torchstat-memory", "torchstat-memrw",
    "accelerate-estimate",
)  # fmt: skip
BY_NAME = ("ptflops", "ptflops-aten")
"""The tools that give several inputs by name; the others give them by position."""
EXECUTED = ("lstm_packed_n3", "gru_packed_n3")
"""The probes whose forward depends on values: on the lengths of sequences."""
PROBES = every_probe()
LOADED = {name: loader.load(name) for name in CONVENTIONS}


def names() -> list[str]:
    """Return the names of the probes."""
    return list(PROBES)


def readings(probe: str, wanted: Iterable[str] = CONVENTIONS) -> dict[str, fl.Graph | FlopledgerError]:
    """Read one probe for some conventions, once for those that need the same; an error stands for itself."""
    torch.manual_seed(0)
    model, inputs = PROBES[probe]()
    graphs: dict[Any, fl.Graph] = {}
    found: dict[str, fl.Graph | FlopledgerError] = {}
    for name in wanted:
        given = {"mode": "train" if model.training else "eval", "grad": True, **LOADED[name].profile}
        by_name = name in BY_NAME and len(inputs) > 1
        key = (by_name, *sorted(given.items()))
        try:
            if key not in graphs:
                values = dict(inputs) if by_name else tuple(inputs.values())
                graphs[key] = fl.read(model, values, profile=given, execute=probe in EXECUTED)
            found[name] = graphs[key]
        except FlopledgerError as error:
            found[name] = error
    return found


def figure(graph: fl.Graph, convention: object) -> Any:
    """Return a count and the parameters under a convention, by name or file, or the error in their place."""
    try:
        total = graph.count(convention).total
    except FlopledgerError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return [str(f) if f is not None and not isinstance(f, int) else f for f in (total.count, total.params)]


def figures(probe: str, wanted: Iterable[str]) -> dict[str, Callable[[object], Any]]:
    """Return a function that gives a probe's figure under a convention, or under a changed one."""
    graphs = readings(probe, [name for name in CONVENTIONS if name in wanted])
    return {n: functools.partial(figure, g) for n, g in graphs.items() if not isinstance(g, FlopledgerError)}


def count(probe: str) -> dict[str, Any]:
    """Count one probe under all conventions."""
    graphs = readings(probe)
    found = {
        name: {"error": f"{type(graph).__name__}: {graph}"}
        if isinstance(graph, FlopledgerError)
        else figure(graph, LOADED[name])
        for name, graph in graphs.items()
    }
    read = [graph for graph in graphs.values() if not isinstance(graph, FlopledgerError)]
    found["mac"] = own(read[0]) if read else {}
    return found


def own(graph: fl.Graph) -> dict[str, Any]:
    """Return our own figure, where the levels disagree about it, and the calls without a formula."""
    ledger = graph.count("mac")
    unknown = sorted({u.source for u in ledger.coverage.unknown})
    return {"count": ledger.total.count, "disagreements": ledger.disagreements, "unknown": unknown}


def main(wanted: list[str]) -> None:
    """Count the probes that are named, or all."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    json.dump({name: count(name) for name in wanted or names()}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
