"""Profiles for speedscope (https://www.speedscope.app): stacks of module paths, weighted by figures.

Its file format takes a sampled profile: a list of stacks of frames, and a weight for each. Here a stack is
the path of a call and the weight its operations or its parameters, so that the width of a frame is its share.
Viewers hold weights as doubles, which are exact up to 2**53.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from flopledger import printable
from flopledger.errors import UsageError
from flopledger.report import jsonfile, notes
from flopledger.report.tree import parts_of, root_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.counting.ledger import Ledger, Row
    from flopledger.dims.types import Number
    from flopledger.report import View

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def render(ledgers: Sequence[Ledger], _: View) -> str:
    """Render a profile of the operations and one of the parameters for each ledger.

    Raises:
        UsageError: A figure is a formula, and no viewer has a width for one.
    """
    frames: dict[str, int] = {}
    profiles = [
        profile
        for ledger in ledgers
        for profile in (
            _profile(ledger, frames, params=False),
            _profile(ledger, frames, params=True) if ledger.total.params is not None else None,
        )
        if profile is not None
    ]
    document = {
        "$schema": SCHEMA,
        "exporter": f"flopledger {notes.version()}",
        "name": printable.line(ledgers[0].graph.reading.source),
        "activeProfileIndex": 0,
        "shared": {"frames": [{"name": name} for name in frames]},
        "profiles": profiles,
    }
    return jsonfile.written(document) + "\n"


def _profile(ledger: Ledger, frames: dict[str, int], *, params: bool) -> dict[str, object] | None:
    name = f"{ledger.graph.reading.source}: {notes.titled(ledger.convention)}"
    top = root_row(ledger)
    stacks = [_stack(row, top) for row in ledger.rows]
    bounds = set() if params else _bounds(ledger, stacks)
    samples: list[list[int]] = []
    weights: list[int | float] = []
    for row, stack in zip(ledger.rows, stacks, strict=True):
        value = row.params if params else row.count
        if value == 0:
            continue
        named = [("≥ " if stack[:end] in bounds else "") + part for end, part in enumerate(stack, 1)]
        named[-1] += f" [{row.kind}]"
        samples.append([frames.setdefault(printable.line(part), len(frames)) for part in named])
        weights.append(_weight(value, row.path))
    return {
        "type": "sampled",
        "name": printable.line(f"{name}, {'params' if params else ledger.total.unit}"),
        "unit": "none",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }


def _stack(row: Row, top: Row | None) -> tuple[str, ...]:
    parts = () if row is top else parts_of(row.path)
    return ("(network)", *(part.lstrip("./") or part for part in parts))


def _bounds(ledger: Ledger, stacks: Sequence[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Return the stacks whose width is a lower bound, since an unknown call is in them."""
    if ledger.total.complete:
        return set()
    unknown = (stack for row, stack in zip(ledger.rows, stacks, strict=True) if row.status == "unknown")
    return {stack[:end] for stack in (("(network)",), *unknown) for end in range(1, len(stack) + 1)}


def _weight(value: Number, path: str) -> int | float:
    if isinstance(value, int):
        return value
    if isinstance(value, Fraction):
        return float(value)
    raise UsageError(f"{path}: {value} is a formula, and a profile has widths: give the sizes as numbers")
