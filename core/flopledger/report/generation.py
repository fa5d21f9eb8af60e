"""The cost of a language model's generation as people and machines read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.report import answers, jsonfile, notes
from flopledger.report.blocks import Grid, Heading, Line, Small
from flopledger.report.numbers import grouped, scaled, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flopledger.counting.generation import Generation, Step
    from flopledger.report.blocks import Block

SCHEMA = "flopledger.llm/1"
HEADERS = ("", "FLOP", "in short", "weights, B", "KV cache, B", "read, B", "FLOP / B")
RIGHT = frozenset((*range(1, len(HEADERS)), len(HEADERS) + 1))


def render(found: Generation, form: str = "table", width: int | None = None) -> str:
    """Render a generation in a format, as a text that ends with a line break."""
    return answers.render(form, blocks(found), lambda: document(found), width)


def blocks(found: Generation) -> Iterator[Block]:
    """Yield a generation as people read it."""
    lengths = f"{found.prompt:,} tokens read and {found.new:,} written, {_sequences(found.batch)}"
    yield Heading(f"{found.graph.reading.source}: {lengths}")
    more = () if found.device is None else ("bound by", "time at least")
    yield Grid((*HEADERS, *more), [_row(step) for step in found.steps], RIGHT)
    yield Line(f"The KV cache takes {grouped(found.kv_bytes_per_token)} B for each token of a sequence.")
    yield Line("Read are the weights and the cache, each once in a step, without results and activations.")
    if found.device is not None:
        yield Line(
            f"No step is faster on {found.device.title} than its bound, which is no latency: the operations "
            "at its peak, or the bytes read at its bandwidth."
        )
        if found.device.note:
            yield Line(f"Its figures: {found.device.note}.")
    if found.routed:
        yield Line("Of routed experts those count as read that are expected if each is picked as often.")
    used = f"convention: {notes.named(found.convention)}"
    on = [] if found.device is None else [f"device: {found.device.name} ({found.device.source})"]
    parts = [*notes.origin(found.graph), used, *on, *notes.signed(found.graph)]
    yield Small(("; ".join(parts),))


def _sequences(batch: int) -> str:
    return "1 sequence" if batch == 1 else f"{batch:,} sequences"


def _row(step: Step) -> tuple[str, ...]:
    sizes = (step.weight_bytes, step.kv_bytes, step.bytes_read)
    return (
        step.what,
        grouped(step.flop),
        scaled(step.flop, "FLOP"),
        *map(grouped, sizes),
        f"{float(step.intensity):.4g}",
        *(() if step.roofline is None else (step.roofline.bound, seconds(step.roofline.seconds))),
    )


def _roofline(step: Step) -> dict[str, object]:
    if step.roofline is None:
        return {}
    return {"bound": step.roofline.bound or None, "seconds_at_least": float(step.roofline.seconds)}


def document(found: Generation) -> dict[str, object]:
    """Return the JSON document that ``llm.schema.json`` describes."""
    return {
        "schema": SCHEMA,
        "flopledger": notes.version(),
        "graph": jsonfile.graph_document(found.graph),
        "convention": jsonfile.convention_document(found.convention),
        **({} if found.device is None else {"device": jsonfile.device_document(found.device)}),
        "prompt": found.prompt,
        "new": found.new,
        "batch": found.batch,
        "kv_bytes_per_token": found.kv_bytes_per_token,
        "rows": [
            {
                "what": step.what,
                "flop": step.flop,
                "weight_bytes": step.weight_bytes,
                "kv_bytes": step.kv_bytes,
                "bytes_read": step.bytes_read,
                "intensity": round(float(step.intensity), 6),
                **_roofline(step),
            }
            for step in found.steps
        ],
    }
