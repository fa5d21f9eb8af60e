"""The step that a reading is of: a forward pass, or a training step with its gradients.

The trained parameters, the checkpoints and the inputs with a gradient are chosen after a reading, on the
graph: so every frontend that marks the dependencies of a backward serves every choice.
"""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from flopledger.errors import UsageError, nearest
from flopledger.frontend.request import GIVEN, TRAINING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flopledger.frontend.request import Request
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer, Parameter

TRAIN = "train"


def settled(profile: Mapping[str, object]) -> dict[str, object]:
    """Return a profile that has ``step`` for a training step alone, and then the mode too.

    A model is trained in the mode for it, unless the user wants another or has put it into one.
    """
    found = dict(profile)
    step = found.pop("step", GIVEN)
    return {"mode": TRAIN, **found, "step": TRAIN} if step == TRAIN else found


def applied(graph: Graph, request: Request) -> Graph:
    """Return a graph with the choices that a request makes for a training step.

    Raises:
        UsageError: It is of a forward pass alone, or a pattern or name fits nothing.
    """
    given = {name: _texts(request.options[name]) for name in TRAINING if name in request.options}
    if request.profile.get("step") != TRAIN:
        if given:
            options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise UsageError(f"{options}: these are for a training step: give --step train")
        return graph
    if not graph.reading.trains:
        raise UsageError(
            f"{request.source}: it was read for a forward pass, without the dependencies of a backward: "
            "read it again with --step train"
        )
    if given.get("freeze") and given.get("train_only"):
        raise UsageError("--freeze and --train-only are both given: name what is frozen, or what is trained")
    asked = given.get("grad_inputs", ())
    _check_inputs(asked, graph)
    profile = {**graph.reading.profile, "grad_inputs": asked} if asked else graph.reading.profile
    return replace(
        graph,
        reading=replace(graph.reading, profile=profile),
        parameters=_parameters(graph, given),
        layers=_layers(graph, given.get("recompute", ())),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (tuple, list)) else (str(value),)


def fits(name: str, pattern: str) -> bool:
    """Return whether a pattern names a module or parameter, or one inside it: ``layer1``, ``*.bias``."""
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


def _parameters(graph: Graph, given: Mapping[str, tuple[str, ...]]) -> tuple[Parameter, ...]:
    """Return the parameters, trained where the patterns match."""
    if "train_only" in given:
        chosen = _chosen(graph, given["train_only"], "--train-only")
        return tuple(p if p.is_buffer else replace(p, trainable=p.id in chosen) for p in graph.parameters)
    if "freeze" in given:
        chosen = _chosen(graph, given["freeze"], "--freeze")
        return tuple(replace(p, trainable=False) if p.id in chosen else p for p in graph.parameters)
    return graph.parameters


def _chosen(graph: Graph, patterns: Iterable[str], option: str) -> set[int]:
    found: set[int] = set()
    for pattern in patterns:
        fitting = {p.id for p in graph.parameters if any(fits(name, pattern) for name in p.names)}
        if not fitting:
            names = [name for p in graph.parameters for name in p.names]
            raise UsageError(f"{option} {pattern}: no parameter is called so{nearest(pattern, names)}")
        found |= fitting
    return found


def _layers(graph: Graph, patterns: tuple[str, ...]) -> tuple[Layer, ...]:
    """Return the calls, those of the modules that patterns name marked as computed again."""
    if not patterns:
        return graph.layers
    regions: set[int] = set()
    for pattern in patterns:
        modules = {m.id for m in graph.modules if any(fnmatchcase(path, pattern) for path in m.paths)}
        fitting = {one.id for one in graph.layers if one.level == "layer" and one.module in modules}
        if not fitting:
            paths = [path for m in graph.modules for path in m.paths]
            raise UsageError(f"--recompute {pattern}: no module is called so{nearest(pattern, paths)}")
        regions |= fitting
    layers: list[Layer] = []
    inside: set[int] = set()
    for one in graph.layers:
        if one.parent in inside or one.parent in regions:
            inside.add(one.id)
        marked = one.id in regions and one.id not in inside
        layers.append(replace(one, native={**one.native, "recomputed": "early"}) if marked else one)
    return tuple(layers)


def _check_inputs(asked: Iterable[str], graph: Graph) -> None:
    names = [given.name for given in graph.inputs]
    for name in asked:
        if name != "all" and name not in names:
            known = ", ".join(names) or "none"
            raise UsageError(f"--grad-inputs {name}: the inputs are {known}{nearest(name, names)}")
