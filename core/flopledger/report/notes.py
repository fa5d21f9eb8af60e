"""The notes beside the rows of a report: totals, adjustments, unknown calls, and the provenance.

The texts hold names as they are; the writers of reports escape invisible characters.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING

from flopledger import printable
from flopledger.conventions import names as convention_names
from flopledger.plugins import installed
from flopledger.reading import profiles
from flopledger.report.numbers import (
    at_least,
    calls_text,
    grouped,
    in_words,
    scaled,
    seconds,
    shape_text,
    shapes_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.counting.ledger import (
        ConventionInfo,
        GraphInfo,
        Ledger,
        Roofline,
        Shares,
        Total,
        Unknown,
    )
    from flopledger.devices.device import Device
    from flopledger.dims.types import Number

FEW_PATHS = 3
FEW_INPUTS = 8
"""How many inputs are named: a language model's cache has two for each of its layers."""
DEFAULT = "mac"
"""The convention that a stub extends if the current one is the user's own file."""


@functools.cache
def version() -> str:
    """Return flopledger's version as it is installed."""
    return installed.version("flopledger")


def heading(ledger: Ledger) -> str:
    """Return the heading: the source, and the convention's title and name."""
    used = ledger.convention
    return f"{ledger.graph.reading.source}: {used.title} ({used.name})"


def headings(ledgers: Sequence[Ledger]) -> str:
    """Return the heading of one network: its convention, or the names of several."""
    if len(ledgers) == 1:
        return heading(ledgers[0])
    names = [titled(ledger.convention) for ledger in ledgers]
    return f"{ledgers[0].graph.reading.source}: {', '.join(names[:-1])} and {names[-1]}"


def totals(ledger: Ledger) -> list[tuple[str, str]]:
    """Return the totals, labelled: the convention's own figures, then our own, in MAC and in FLOP."""
    total, name, unknown = ledger.total, ledger.convention.name, ledger.total.unknown_calls
    own = "our own count, 2 for each multiply-accumulate"
    lines = []
    if total.unit != "params":
        lines.append((total.unit, f"{at_least(total.count, total.unit, unknown)} ({name})"))
    if total.training is not None:
        lines.append(("step", _shares(total.training, total.unit)))
    if total.unit != "MAC" or total.count != total.macs:
        lines.append(
            ("own MAC", f"{at_least(total.macs, 'MAC', unknown)} (our own count of multiply-accumulates)")
        )
    lines.append(("own FLOP", f"{at_least(total.flops, 'FLOP', unknown)} ({own})"))
    if total.roofline is not None and ledger.device is not None:
        lines.append(("time", _time(total.roofline, ledger.device)))
        if ledger.device.note:
            lines.append(("device", ledger.device.note))
    if total.params is not None:
        lines.append(("params", f"{in_words(total.params)} ({name})"))
    others = f"frozen {in_words(total.non_trainable_params)}; buffers {in_words(total.buffers)}"
    lines.append(("trainable", f"{in_words(total.trainable_params)}; {others}"))
    if ledger.experts and total.active_params is not None:
        lines.append(("active", f"{in_words(total.active_params)} params for each token: {_picked(ledger)}"))
    return lines


def _time(bound: Roofline, device: Device) -> str:
    """Return the bound of the time, its share of compute and of memory, and the bytes moved."""
    parts = {"compute": bound.compute_seconds, "memory": bound.memory_seconds}
    of = ", ".join(f"{seconds(value)} bound by {name}" for name, value in parts.items() if value)
    moved = f"{in_words(bound.bytes, 'B')} moved"
    return f"at least {seconds(bound.seconds)} on {device.title}, call by call ({of}; {moved})"


def without_formula(total: Total) -> str:
    """Return why the operations of a total are a lower bound."""
    return f"{calls_text(total.unknown_calls)} without a formula"


def bounded(written: str, total: Total) -> str:
    """Return the operations of a total as the lower bound that they are while calls are unknown."""
    return lower_bound(written, total.unknown_calls)


def lower_bound(written: str, unknown_calls: int) -> str:
    """Return a figure as the lower bound that it is while calls are unknown."""
    return f"at least {written}" if unknown_calls else written


def _shares(shares: Shares, unit: str) -> str:
    """Return the parts of a training step."""
    parts = {"forward": shares.forward, "input gradients": shares.grad_input}
    parts |= {"weight gradients": shares.grad_weight, "recomputed": shares.recompute}
    shown = (f"{name} {in_words(value, unit)}" for name, value in parts.items() if value != 0)
    return f"training: {'; '.join(shown)}"


def _picked(ledger: Ledger) -> str:
    """Return how many of how many experts a token uses, and in how many places."""
    places: dict[tuple[int, int], int] = {}
    for group in ledger.experts:
        places[group.picked, group.size] = places.get((group.picked, group.size), 0) + 1
    return "; ".join(
        f"{picked} of {size} experts" + (f" in {count:,} places" if count > 1 else "")
        for (picked, size), count in places.items()
    )


def adjustments(ledger: Ledger) -> list[str]:
    """Return the adjustments between the sum of the rows and the total, one line each."""
    unit = ledger.total.unit
    return [f"{in_words(a.count, unit)}: {a.what}" for a in ledger.adjustments]


def unmatched(ledger: Ledger) -> list[str]:
    """Return a note on the rules of a user's file that no call of the network has, if there are any."""
    if not ledger.unmatched:
        return []
    keys = ", ".join(map(repr, ledger.unmatched))
    return [f"no call of this network has the rules of {ledger.convention.name} for {keys}"]


def unknowns(ledger: Ledger) -> list[str]:
    """Return one line for each source that has no formula: how often, with which shapes, where, why."""
    return list(map(unknown_line, ledger.coverage.unknown))


def unknown_line(unknown: Unknown) -> str:
    """Write a source that has no formula: how often it is called, with which shapes, where, and why."""
    calls = calls_text(unknown.calls)
    shapes = f"{shapes_text(unknown.inputs) or '?'} -> {shapes_text(unknown.outputs) or '?'}"
    more = ", ..." if len(unknown.paths) > FEW_PATHS else ""
    places = f" at {', '.join(unknown.paths[:FEW_PATHS])}{more}" if unknown.paths else ""
    return f"{unknown.source}: {calls}, {shapes}{places}" + (f" ({unknown.why})" if unknown.why else "")


def stub(ledger: Ledger) -> list[str]:
    """Return a convention file, ready to paste, that prices the unknown calls; empty if none can be priced.

    Calls that are unknown only because of an unknown call above them can't be priced themselves, and are
    omitted; so is what stands for a network that was read without inputs, of which no result is known.
    """
    unpriced = [
        unknown for unknown in ledger.coverage.unknown if unknown.outputs and None not in unknown.inputs
    ]
    if not unpriced:
        return []
    base = ledger.convention.name if ledger.convention.name in convention_names.known() else DEFAULT
    lines = ['name = "mine"', f"extend = {_quoted(base)}"]
    for level in dict.fromkeys(unknown.level for unknown in unpriced):
        lines += ["", f"[rules.{level}]"]
        rules = {unknown.source: _rule(unknown) for unknown in unpriced if unknown.level == level}
        lines += rules.values()  # one a source: TOML takes no key twice
    return lines


def _rule(unknown: Unknown) -> str:
    """Price a source by its output where that is known, for the user to replace."""
    price = "0" if unknown.out_elems is None else "out_elems"
    shapes = f"{shapes_text(unknown.inputs) or '?'} -> {shapes_text(unknown.outputs) or '?'}"
    return f"{_quoted(unknown.source)} = {_quoted(price)}  # {shapes}"


def _quoted(text: str) -> str:
    """Write a string as TOML does."""
    return printable.in_toml(json.dumps(text, ensure_ascii=False))


def provenance(ledger: Ledger) -> str:
    """Return the line of provenance: the source, how it was read, the convention, and the version."""
    on = [] if ledger.device is None else [f"device: {ledger.device.name} ({ledger.device.source})"]
    used = f"convention: {named(ledger.convention)}"
    return "; ".join([*origin(ledger.graph), used, *on, *signed(ledger.graph)])


def origin(graph: GraphInfo) -> list[str]:
    """Return the source, its inputs, and how it was read."""
    reading = graph.reading
    framework = f"{reading.framework} {reading.framework_version}".strip()
    same = reading.frontend == reading.framework.lower()
    frontend = "" if same else f" through the frontend {reading.frontend}"
    given = list(_inputs(graph))
    more = [f"{len(given) - FEW_INPUTS} more"] if len(given) > FEW_INPUTS else []
    inputs = ", ".join((*given[:FEW_INPUTS], *more)) or "none given"
    read = profiles.in_words(reading.profile)
    lines = [f"source: {reading.source} ({framework}{frontend})", f"inputs: {inputs}"]
    if sizes := ", ".join(f"{name}={number}" for name, number in reading.given_sizes.items()):
        lines.append(f"sizes: {sizes}")
    return [*lines, f"read in {read}"] if read else lines


def named(used: ConventionInfo) -> str:
    """Return a convention's name, its changed switches, and its digest."""
    return f"{titled(used)} ({used.digest})"


def titled(used: ConventionInfo) -> str:
    """Return a convention's name and its changed switches."""
    return used.name + "".join(f" {name}={value}" for name, value in used.switches.items())


def signed(*graphs: GraphInfo) -> list[str]:
    """Return the digests of graphs, each once, and the version that made a report."""
    digests = " and ".join(dict.fromkeys(graph.digest for graph in graphs))
    return [f"graph: {digests}", f"flopledger {version()}"]


def _inputs(graph: GraphInfo) -> Iterator[str]:
    for given, shape, dtype in graph.inputs:
        prefix = f"{given.name}=" if given.name else ""
        yield f"{prefix}{shape_text(shape)}" + (f":{dtype}" if dtype else "")


def summary(networks: Sequence[Sequence[Ledger]]) -> list[tuple[str, ...]]:
    """Return one line for each network, under a header: its name, parameters, and each convention's count."""
    labels = list(dict.fromkeys(_label(ledger) for members in networks for ledger in members))
    rows: list[tuple[str, ...]] = [("network", "params", *labels)]
    for members in networks:
        found = {_label(ledger): _count(ledger.total) for ledger in members}
        params = next((m.total.params for m in members if m.total.params is not None), None)
        short = "" if params is None else _short(params)
        name = members[0].graph.reading.source
        rows.append((name, short, *(found.get(label, "") for label in labels)))
    return rows


def caption(networks: Sequence[Sequence[Ledger]]) -> tuple[str, str]:
    """Name the inputs, and the conventions and their units, of a table of several networks."""
    first = {titled(one.convention): one for members in networks for one in members}
    titles = [f"{name}: {one.convention.title} ({one.total.unit})" for name, one in first.items()]
    inputs = [at_input(members[0]) for members in networks]
    return f"{'; '.join(inputs)}.", f"Conventions: {'; '.join(titles)}."


def at_input(ledger: Ledger) -> str:
    """Name a network and the shapes that it was read with."""
    shapes = ", ".join(shape_text(shape) for _, shape, _ in ledger.graph.inputs)
    return f"{ledger.graph.reading.source} at {shapes or 'its own input'}"


def _label(ledger: Ledger) -> str:
    return titled(ledger.convention)


def _count(total: Total) -> str:
    return bounded(_short(total.count, total.unit), total)


def _short(value: Number, unit: str = "") -> str:
    return scaled(value, unit) or in_words(value, unit)


def side_by_side(ledgers: Sequence[Ledger]) -> list[tuple[str, ...]]:
    """Return one line for each convention over one network, under a header: its totals."""
    rows: list[tuple[str, ...]] = [("convention", "count", "in short", "params", "own MAC")]
    for ledger in ledgers:
        total = ledger.total
        count = bounded(f"{grouped(total.count)} {total.unit}", total)
        params = "" if total.params is None else grouped(total.params)
        row = (
            _label(ledger),
            count,
            scaled(total.count, total.unit),
            params,
            bounded(grouped(total.macs), total),
        )
        rows.append(row)
    return rows
