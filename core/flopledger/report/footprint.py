"""The memory that a network takes, for people and machines."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger.counting.ledger import figure
from flopledger.dims.arithmetic import is_symbolic
from flopledger.report import answers, jsonfile, notes
from flopledger.report.blocks import Grid, Heading, Line, Small
from flopledger.report.numbers import calls_text, grouped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.counting.footprint import Footprint
    from flopledger.counting.ledger import Figure
    from flopledger.dims.types import Number
    from flopledger.report.blocks import Block

SCHEMA = "flopledger.memory/1"
HEADERS = ("", "bytes", "MB", "MiB")
RIGHT = frozenset({1, 2, 3})


def render(found: Footprint, form: str = "table", width: int | None = None) -> str:
    """Render a footprint in a format, as a text that ends with a line break."""
    return answers.render(form, blocks(found), lambda: document(found), width)


def blocks(found: Footprint) -> Iterator[Block]:
    """Yield a footprint as people read it."""
    yield Heading(f"{found.graph.reading.source}: memory")
    yield Grid(HEADERS, [_row(name, size) for name, size in _sizes(found) if size is not None], RIGHT)
    if found.total is None:
        yield Line(
            "What is alive at once depends on the sizes: give numbers in place of symbols for the peaks."
        )
    if found.activations.unknown_calls:
        unknown = calls_text(found.activations.unknown_calls)
        yield Line(f"What a training step keeps and takes is at least that: {unknown} unknown.")
    if found.activations.at:
        yield Line(f"The most activations are alive at {found.activations.at}.")
    if found.kv_bytes_per_token:
        yield Line(f"The KV cache takes {grouped(found.kv_bytes_per_token)} B for each token of a sequence.")
    yield Line("1 MB is 1,000,000 bytes, 1 MiB is 1,048,576. Kernels' workspaces are not in it.")
    yield Small(("; ".join([*notes.origin(found.graph), *notes.signed(found.graph)]),))


def _sizes(found: Footprint) -> Iterator[tuple[str, Number | None]]:
    yield from (("weights", found.weights), ("buffers", found.buffers), ("inputs", found.inputs))
    if found.kv_bytes:
        yield "KV cache", found.kv_bytes
    if found.gradients:
        yield from (("gradients", found.gradients), ("optimizer's state", found.optimizer))
    activations = found.activations
    yield from (
        ("activations, all that are made", activations.sum),
        ("activations, live peak", activations.peak),
    )
    yield "activations, kept for a backward", activations.saved
    yield "activations and gradients, live peak of a training step", activations.training_peak
    yield "together at the peak", found.total


def _row(name: str, size: Number) -> tuple[str, ...]:
    if is_symbolic(size):
        return name, grouped(size), "", ""
    exact = Fraction(str(size))
    return name, grouped(size), f"{float(exact / 10**6):,.2f}", f"{float(exact / 2**20):,.2f}"


def _known(value: Number | None) -> Figure | None:
    return None if value is None else figure(value)


def document(found: Footprint) -> dict[str, object]:
    """Return the JSON document that ``memory.schema.json`` describes."""
    activations = found.activations
    return {
        "schema": SCHEMA,
        "flopledger": notes.version(),
        "graph": jsonfile.graph_document(found.graph),
        "weights": figure(found.weights),
        "buffers": figure(found.buffers),
        "gradients": figure(found.gradients),
        "optimizer": figure(found.optimizer),
        "inputs": figure(found.inputs),
        "activations": {
            "sum": figure(activations.sum),
            "peak": activations.peak,
            "at": activations.at,
            "saved": _known(activations.saved),
            "training_peak": activations.training_peak,
            "unknown_calls": activations.unknown_calls,
        },
        "kv_cache": {
            "bytes": figure(found.kv_bytes),
            "bytes_per_token": figure(found.kv_bytes_per_token),
        },
        "total": _known(found.total),
        "timeline": [[path, live] for path, live in found.timeline],
    }
