"""JSON: a ledger as one document, or a list of them, described by ``schema.json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NotRequired, TypedDict

from flopledger.counting.ledger import SCHEMA, SEVERAL, figure
from flopledger.dims.arithmetic import is_symbolic, text
from flopledger.report.notes import version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flopledger.analysis.experts.groups import Experts
    from flopledger.counting.ledger import (
        ConventionInfo,
        Figure,
        GraphInfo,
        Ledger,
        Roofline,
        Row,
        Shares,
        Traffic,
    )
    from flopledger.devices.device import Device
    from flopledger.dims.types import Shape
    from flopledger.report import View


class RooflineDocument(TypedDict):
    """A lower bound of the time on a device."""

    flop: int
    bytes: int
    intensity: float | None
    bound: str | None
    seconds_at_least: float


class TotalDocument(TypedDict):
    """The totals as JSON holds them."""

    count: Figure
    unit: str
    macs: Figure
    flops: Figure
    complete: bool
    unknown_calls: int
    params: Figure | None
    trainable_params: Figure
    non_trainable_params: Figure
    buffers: Figure
    active_params: NotRequired[Figure]
    forward: NotRequired[Figure]
    backward: NotRequired[Figure]
    recompute: NotRequired[Figure]
    roofline: NotRequired[RooflineDocument]
    reads: NotRequired[Figure | None]
    writes: NotRequired[Figure | None]


def render(ledgers: Sequence[Ledger], _: View) -> str:
    """Render a list of ledgers as one document, of one ledger too. Each row is on its own line."""
    return several(SEVERAL, "ledgers", map(document, ledgers))


def several(schema: str, name: str, documents: Iterable[Mapping[str, object]]) -> str:
    """Write a document that is a list of others."""
    inner = ",\n".join(map(written, documents))
    return f'{{"schema": {json.dumps(schema)}, {json.dumps(name)}: [\n{inner}\n]}}\n'


def render_one(ledger: Ledger) -> str:
    """Render one ledger as a document of its own."""
    return written(document(ledger)) + "\n"


def written(content: Mapping[str, object]) -> str:
    """Write a document so that each member of a list in it is on its own line."""
    return "{" + ",\n ".join(f"{json.dumps(key)}: {_value(content[key])}" for key in content) + "}"


def _value(value: object) -> str:
    if isinstance(value, list) and value:
        return "[\n  " + ",\n  ".join(map(json.dumps, value)) + "]"
    return json.dumps(value)


def document(ledger: Ledger) -> dict[str, object]:
    """Return a ledger as the JSON document that ``schema.json`` describes."""
    return {
        "schema": SCHEMA,
        "flopledger": version(),
        "graph": graph_document(ledger.graph),
        "convention": convention_document(ledger.convention),
        **({} if ledger.device is None else {"device": device_document(ledger.device)}),
        "total": total_document(ledger),
        **({"experts": [_experts(group) for group in ledger.experts]} if ledger.experts else {}),
        "adjustments": [{"what": a.what, "count": figure(a.count)} for a in ledger.adjustments],
        "coverage": _coverage(ledger),
        "rows": [row_document(row) for row in ledger.rows],
    }


def graph_document(graph: GraphInfo) -> dict[str, object]:
    """Return the source and how it was read, in the form of the JSON document."""
    reading = graph.reading
    return {
        "source": reading.source,
        "frontend": reading.frontend,
        "framework": reading.framework,
        "framework_version": reading.framework_version,
        "inputs": [
            {"name": given.name, "shape": _shape(shape), "dtype": dtype}
            for given, shape, dtype in graph.inputs
        ],
        "profile": {name: _plain(value) for name, value in reading.profile.items()},
        "step": str(reading.profile.get("step", "forward")),
        "digest": graph.digest,
    }


def convention_document(used: ConventionInfo) -> dict[str, object]:
    """Return the convention that was used, in the form of the JSON document."""
    return {
        "name": used.name,
        "title": used.title,
        "unit": used.unit,
        "set": dict(used.switches),
        "digest": used.digest,
    }


def total_document(ledger: Ledger) -> TotalDocument:
    """Return the totals as JSON holds them."""
    total = ledger.total
    document: TotalDocument = {
        "count": figure(total.count),
        "unit": total.unit,
        "macs": figure(total.macs),
        "flops": figure(total.flops),
        "complete": total.complete,
        "unknown_calls": total.unknown_calls,
        "params": None if total.params is None else figure(total.params),
        "trainable_params": figure(total.trainable_params),
        "non_trainable_params": figure(total.non_trainable_params),
        "buffers": figure(total.buffers),
    }
    if total.training is not None:
        shares = total.training
        document["forward"], document["backward"] = figure(shares.forward), figure(shares.backward)
        document["recompute"] = figure(shares.recompute)
    if total.roofline is not None:
        document["roofline"] = roofline_document(total.roofline)
    if total.traffic is not None:
        moved = traffic_document(total.traffic)
        document["reads"], document["writes"] = moved["reads"], moved["writes"]
    if ledger.experts and total.active_params is not None:
        document["active_params"] = figure(total.active_params)
    return document


def device_document(device: Device) -> dict[str, object]:
    """Return a device as JSON holds it: its peaks and its bandwidth, a second."""
    return {
        "name": device.name,
        "title": device.title,
        "source": device.source,
        "note": device.note,
        "bandwidth": float(device.bandwidth),
        "flops": {dtype: float(peak) for dtype, peak in device.flops.items()},
    }


def roofline_document(bound: Roofline) -> RooflineDocument:
    """Return a bound of the time as JSON holds it."""
    return {
        "flop": bound.flop,
        "bytes": bound.bytes,
        "intensity": None if bound.intensity is None else float(bound.intensity),
        "bound": bound.bound or None,
        "seconds_at_least": float(bound.seconds),
    }


def traffic_document(moved: Traffic) -> dict[str, Figure | None]:
    """Return the bytes read and written; null where they are not all known."""
    return {
        "reads": None if moved.unknown else figure(moved.reads),
        "writes": None if moved.unknown else figure(moved.writes),
    }


def _experts(group: Experts) -> dict[str, object]:
    return {
        "path": group.path,
        "size": group.size,
        "picked": group.picked,
        "params": figure(group.params),
        "active_params": figure(group.active_params),
    }


def _coverage(ledger: Ledger) -> dict[str, object]:
    coverage = ledger.coverage
    return {
        "counted": coverage.counted,
        "free": coverage.free,
        "ignored": coverage.ignored,
        "unknown": [
            {
                "source": unknown.source,
                "kind": unknown.kind,
                "calls": unknown.calls,
                "out_elems": None if unknown.out_elems is None else figure(unknown.out_elems),
            }
            for unknown in coverage.unknown
        ],
    }


def row_document(row: Row) -> dict[str, object]:
    """Return a row as JSON holds it."""
    return {
        "id": row.id,
        "parent": row.parent,
        "path": row.path,
        "call": row.call,
        "kind": row.kind,
        "source": row.source,
        "level": row.level,
        "inputs": _shapes(row.inputs),
        "outputs": _shapes(row.outputs),
        "params": figure(row.params),
        "count": figure(row.count),
        "macs": figure(row.macs),
        "parts": {name: figure(part) for name, part in row.parts.items()},
        **({} if row.training is None else _row_shares(row.training)),
        **({} if row.roofline is None else {"roofline": roofline_document(row.roofline)}),
        **({} if row.traffic is None else traffic_document(row.traffic)),
    }


def _row_shares(shares: Shares) -> dict[str, Figure]:
    return {
        "forward": figure(shares.forward),
        "grad_input": figure(shares.grad_input),
        "grad_weight": figure(shares.grad_weight),
        "recompute": figure(shares.recompute),
    }


def _shapes(shapes: Iterable[Shape | None]) -> list[list[Figure] | None]:
    return [_shape(shape) for shape in shapes]


def _shape(shape: Shape | None) -> list[Figure] | None:
    return None if shape is None else [figure(dim) for dim in shape]


def _plain(value: object) -> object:
    """Return a value of the profile as JSON can hold it."""
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return text(value) if is_symbolic(value) else str(value)
