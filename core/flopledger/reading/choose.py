"""Reading in this process: which frontend, how the model is made, and the reading itself.

Which frontend reads an object is settled by these steps; ``--frontend`` settles it at once.

1. A class is claimed by its bases, an instance by its type, a function by its own module and by the
   type that it is annotated to return (the hook ``recognises_object``).
2. A class or function is called to make the model, by the ``build`` hook of the frontend that claims
   it, where there is one, else directly. A function that none claims goes to the one frontend
   whose framework, or classes of whose framework, its file imports.
3. The model that came out is claimed by its type; where several claim it, the one that claimed the
   class or function is taken.

A convention may take a live model in its present mode; models that step 2 made, and those of a file,
is read in eval then.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from flopledger.errors import PluginError, SourceError, UsageError, nearest
from flopledger.frontend.description import has_type
from flopledger.frontend.request import GIVEN, LANGUAGE
from flopledger.graph.graph import Graph
from flopledger.reading import other_formats
from flopledger.reading.make import make, makes_models
from flopledger.reading.step import TRAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.frontend.description import Frontend
    from flopledger.frontend.request import Request
    from flopledger.plugins.registry import Plugin, Registry


def claims_of_file(path: Path, registry: Registry) -> list[Plugin]:
    """Return the frontends that claim a file."""
    return _claims(registry, "recognises_file", path=path)


def choose_for_file(path: Path, request: Request, registry: Registry) -> Plugin:
    """Return the frontend that reads a file."""
    if request.frontend is not None:
        return _named(request.frontend, registry)
    claims = claims_of_file(path, registry)
    if not claims and path.suffix == ".py":
        raise SourceError(f"{request.source}: it is Python code: name the model, as in {path}:Model")
    hint = "" if claims else other_formats.remedy(path)
    if hint:
        raise SourceError(f"no frontend reads {request.source}: {hint}")
    return _only(claims, request.source, registry)


def read_object(obj: object, request: Request, registry: Registry) -> Graph:
    """Read a live object, or the result of a class or function."""
    claims = _claims_of(obj, request.frontend, registry)
    if makes_models(obj, claims) and callable(obj):
        claimed = bool(claims)
        makers = claims or _guessed(obj, registry)
        maker = _only(makers, request.source, registry) if claimed or len(makers) == 1 else None
        obj = make(obj, request, maker)
        request = _built(request)
        claims = _claims_of(obj, request.frontend, registry)
        claims = [maker] if maker in claims or (maker and claimed and not claims) else claims
    elif request.arguments:
        raise UsageError(f"{request.source} is a model already: --arg is for a class or function")
    return read(_only(claims, request.source, registry), obj, request)


def read(plugin: Plugin, source: object, request: Request) -> Graph:
    """Let a frontend read."""
    frontend = plugin.frontend
    if not frontend.installed:
        message = f"{request.source}: reading it needs {frontend.framework}, which is not installed"
        raise SourceError(f"{message}: {frontend.remedy}")
    _check_options(frontend, request)
    request = _built(request) if has_type(source, Path) else request
    static = request.profile.get("step") == TRAIN and not frontend.training
    graph = plugin.hooks.read(source=source, request=request)
    if not isinstance(graph, Graph):
        raise PluginError(f"the frontend {plugin.name!r} read {request.source} as {graph!r}, not as a graph")
    return _as_step(graph) if static else graph


def _as_step(graph: Graph) -> Graph:
    """Return a forward pass as a training step, of a frontend that marks nothing for a backward.

    What its graph has is enough for the rules of :mod:`flopledger.analysis.gradients`: the weights, whether
    they are trained, and the flow of tensors.
    """
    profile = {**graph.reading.profile, "step": TRAIN}
    return replace(graph, reading=replace(graph.reading, profile=profile))


def _check_options(frontend: Frontend, request: Request) -> None:
    """Refuse options for language models where they would have no effect."""
    given = [name for name in LANGUAGE if name in request.options]
    options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
    if given and not frontend.language_models:
        reads = f"{request.source} is read by the frontend {frontend.name!r}"
        raise UsageError(f"{reads}, which makes no inputs for language models: leave {options} out")
    if given and "seq" not in given:
        raise UsageError(f"{options} needs --seq, the new tokens of each sequence")


def _built(request: Request) -> Request:
    """Return a request for a model that we build: it is in no mode that a user chose, so in the default."""
    if request.profile.get("mode") != GIVEN:
        return request
    profile = {key: value for key, value in request.profile.items() if key != "mode"}
    return replace(request, profile=profile)


def _guessed(obj: object, registry: Registry) -> list[Plugin]:
    """Return the frontends whose framework a function's own file has imported, whole or classes of it."""
    at_hand = list(obj.__globals__.values()) if has_type(obj, FunctionType) else []
    modules = {vars(value).get("__name__") for value in at_hand if type(value) is ModuleType}
    classes = [value for value in at_hand if has_type(value, type)]
    return [
        plugin
        for plugin in registry.plugins.values()
        if plugin.frontend.module in modules
        or any(plugin in _claims(registry, "recognises_object", obj=cls) for cls in classes)
    ]


def _claims_of(obj: object, frontend: str | None, registry: Registry) -> list[Plugin]:
    if frontend is not None:
        return [_named(frontend, registry)]
    return _claims(registry, "recognises_object", obj=obj)


def _claims(registry: Registry, hook: str, **subject: object) -> list[Plugin]:
    """Return the frontends whose hook returns true; one that fails is reported and claims nothing."""
    claims = []
    for plugin in registry.plugins.values():
        try:
            if getattr(plugin.hooks, hook)(**subject):
                claims.append(plugin)
        except Exception as error:  # noqa: BLE001  (a plugin may be broken in any way)
            registry.fail(plugin.name, plugin.distribution, error)
    return claims


def _named(name: str, registry: Registry) -> Plugin:
    if name in registry.plugins:
        return registry.plugins[name]
    for failure in registry.failures.values():
        if failure.name == name:
            raise PluginError(f"the frontend {name!r} of {failure.distribution} is broken: {failure.error}")
    known = ", ".join(sorted(registry.plugins)) or "none"
    hint = nearest(name, registry.plugins)
    raise UsageError(f"there is no frontend {name!r}{hint}. Expected one of: {known}")


def _only(claims: Sequence[Plugin], source: str, registry: Registry) -> Plugin:
    if len(claims) == 1:
        return claims[0]
    if claims:
        names = ", ".join(plugin.name for plugin in claims)
        raise UsageError(f"{source}: several frontends read it: {names}. Choose one with --frontend NAME")
    lines = [f"no frontend reads {source}. The frontends here:"]
    lines += [f"  {plugin.frontend.summary}" for plugin in registry.plugins.values()]
    lines += [f"  {f.name} of {f.distribution} is broken: {f.error}" for f in registry.failures.values()]
    raise SourceError(*lines)
