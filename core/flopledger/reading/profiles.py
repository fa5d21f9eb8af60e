"""How often a source is read: once for each profile that the conventions which are to count it need."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from flopledger.errors import UsageError
from flopledger.frontend.request import GIVEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from flopledger.conventions.convention import Convention
    from flopledger.graph.graph import Graph

Read: TypeAlias = "Callable[[Mapping[str, object]], Graph]"
"""Reads a source under a profile."""

WORDS: Mapping[tuple[str, object], str] = {
    ("mode", "eval"): "evaluation mode",
    ("mode", "train"): "training mode",
    ("mode", GIVEN): "each module in its own mode",
    ("grad", True): "gradients on",
    ("grad", False): "gradients off",
    ("fast_paths", True): "",
    ("fast_paths", False): "fused kernels off",
    ("sizes", False): "",
    ("sizes", True): "products of sizes recorded as operators",
    ("step", "forward"): "",
    ("step", "train"): "a training step",
    ("forward", False): "its parameters alone",
}
"""A profile in a reader's words; what few know and nearly every reading has alike is left out."""


def in_words(profile: Mapping[str, object]) -> str:
    """Write a profile for people: ``evaluation mode, gradients on``."""
    return ", ".join(filter(None, (_word(name, value) for name, value in profile.items())))


def _word(name: str, value: object) -> str:
    """Write one decision; a saved graph may hold any, of any type."""
    known = WORDS.get((name, value)) if isinstance(value, (str, bool)) else None
    return f"{name}={json.dumps(value, default=str)}" if known is None else known


def profiles(loaded: Iterable[Convention]) -> list[tuple[dict[str, object], list[Convention]]]:
    """Group conventions by the readings they need: as few as possible, in order.

    Conventions share a reading unless one needs a value that another needs otherwise. One that takes a live
    model in its present mode shares with its like alone: another that needs no mode, such as
    ``mac``, gives the same figure whatever it is counted beside.
    """
    groups: list[tuple[dict[str, object], list[Convention]]] = []
    for convention in loaded:
        needed = _needed(convention)
        for profile, members in groups:
            alike = (profile.get("mode") == GIVEN) == (needed.get("mode") == GIVEN)
            alike &= profile.get("step") == needed.get("step")
            if alike and all(profile.get(key, value) == value for key, value in needed.items()):
                profile.update(needed)
                members.append(convention)
                break
        else:
            groups.append((needed, [convention]))
    return groups


def _needed(convention: Convention) -> dict[str, object]:
    """Return the profile that a convention needs; by default of a forward pass."""
    return {k: v for k, v in convention.profile.items() if k != "step" or v not in ("forward", GIVEN)}


def profile_for(loaded: Sequence[Convention]) -> dict[str, object]:
    """Return the profile under which several conventions can count.

    Any mode serves a convention that takes the model in the mode that it is in: this reading is of a
    model in that mode.

    Raises:
        UsageError: They need different readings.
    """
    given = any(convention.profile.get("mode") == GIVEN for convention in loaded)
    rest = [replace(one, profile={k: v for k, v in one.profile.items() if v != GIVEN}) for one in loaded]
    groups = profiles(rest)
    if len(groups) > 1:
        split = " and ".join(", ".join(member.name for member in members) for _, members in groups)
        raise UsageError(f"no reading serves all of these conventions; read once for each of {split}")
    return {**({"mode": GIVEN} if given else {}), **groups[0][0]} if groups else {}


def readings(
    read_under: Read, loaded: Iterable[Convention], first: Graph | None = None
) -> list[tuple[Graph, list[Convention]]]:
    """Read a source once for each profile that conventions need.

    Args:
        read_under: Reads the source under a profile.
        loaded: The conventions.
        first: A reading that there is already, of the source in its present mode; it is used
            where it meets a profile.

    Returns:
        Each reading with the conventions that can count it, in the order of the conventions.
    """
    groups = profiles(loaded)
    # The readings of the source as it stands come first, since they show the mode: that of a model in eval,
    # as all are that we build, serves the conventions that need eval too.
    order = sorted(range(len(groups)), key=lambda i: groups[i][0].get("mode") != GIVEN)
    made = [] if first is None else [first]
    found: dict[int, Graph] = {}
    for i in order:
        profile = groups[i][0]
        fitting = next((graph for graph in made if _meets(graph, profile)), None)
        found[i] = read_under(profile) if fitting is None else fitting
        if profile.get("mode") == GIVEN:
            made.append(found[i])
    return [(found[i], members) for i, (_, members) in enumerate(groups)]


def reading_for_each(read_under: Read, loaded: Sequence[Convention]) -> list[Graph]:
    """Read a source once for each profile, and return the reading of each convention, in their order."""
    found = {id(one): graph for graph, members in readings(read_under, loaded) for one in members}
    return [found[id(one)] for one in loaded]


def _meets(graph: Graph, profile: Mapping[str, object]) -> bool:
    """Return whether a reading of a source as it stands is the one that a profile asks for."""
    found = {"step": "forward", **graph.reading.profile}
    wanted = {"mode": "eval", "step": "forward", **profile}
    return all(value == GIVEN or found.get(key, value) == value for key, value in wanted.items())
