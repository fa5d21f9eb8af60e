"""Reading a module or an exported program into a graph."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import FlopledgerError, SourceError, UsageError, symbol_names
from flopledger.frontend import user_code as blame
from torch.export import ExportedProgram

from flopledger_torch.archive.program import Flat, load
from flopledger_torch.build import add_note, is_lazy, materialised
from flopledger_torch.files import parts_of
from flopledger_torch.inputs import arguments
from flopledger_torch.stand_ins import CHOICES, Fakes, Reals, Symbolic, numbers_of, shown_sizes
from flopledger_torch.state.process import alone
from flopledger_torch.trace import OURS, Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.frontend import Graph, InputSpec, Request

_PROFILE: dict[str, Any] = {"mode": "eval", "grad": True, "fast_paths": True, "sizes": False}
_MODES = ("eval", "train", "given")


def read_source(source: object, request: Request) -> Graph:
    """Read a module, or an exported program."""
    profile = {**_PROFILE, **{key: value for key, value in request.profile.items() if key in _PROFILE}}
    if profile["mode"] not in _MODES:
        raise UsageError(f"the mode is {profile['mode']!r}, expected one of {', '.join(_MODES)}")
    if isinstance(source, (Path, ExportedProgram)):
        source, request = _unpacked(source, request)
    model = _looked_through(source)
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        raise SourceError(
            f"{request.source}: it is compiled by torch.jit, whose modules hide what they do: read the "
            "module that it was made from, or export it with torch.export"
        )
    with alone(request.source):
        if is_lazy(model):
            given = arguments(request, model, _meta_like, lambda tensor: tensor.to("meta"))
            model = materialised(model, given.args, given.kwargs)
        symbols = {name for s in request.inputs for dim in s.shape or () for name in symbol_names(dim)}
        if symbols and not request.execute:
            return _read_symbolic(model, request, profile)
        return Reader(model, request, profile, _plain_tensors(model, request)).read()


def _unpacked(source: Path | ExportedProgram, request: Request) -> tuple[torch.nn.Module, Request]:
    """Return the module of an exported program, and what it was exported with if no inputs are given."""
    program: Flat | ExportedProgram
    if isinstance(source, Path):
        loaded = load(source)
        program, example = loaded.flat, (loaded.args, loaded.kwargs)
    else:
        program, example = source, source.example_inputs
    model, said = parts_of(program)
    if said:
        add_note(model, said)
    if example is not None and not request.inputs and request.values is None:
        args, kwargs = example
        named = inspect.signature(model.forward).bind(*args, **kwargs).arguments if kwargs else None
        request = dataclasses.replace(request, values=args if named is None else dict(named))
    return model, request


def _meta_like(spec: InputSpec, dtype: torch.dtype) -> torch.Tensor:
    return torch.empty(numbers_of(spec, shown_sizes([spec])), dtype=dtype, device="meta")


def _plain_tensors(model: torch.nn.Module, request: Request) -> Fakes:
    if not request.execute:
        return Fakes()
    tables = [m.num_embeddings for m in model.modules() if isinstance(m, torch.nn.Embedding)]
    return Reals(min(tables, default=2))


def _read_symbolic(model: torch.nn.Module, request: Request, profile: Mapping[str, Any]) -> Graph:
    """Read with symbols; each is shown to the model as some size, one that it takes."""
    failures: list[tuple[Exception, dict[str, int]]] = []
    for choice in CHOICES:
        shown = shown_sizes(request.inputs, choice)
        if any(shown == before for _, before in failures):
            continue
        try:
            return Reader(model, request, profile, Symbolic(shown)).read()
        except FlopledgerError:
            raise
        except Exception as error:  # noqa: BLE001  (a forward may raise anything for a size it does not take)
            failures.append((error, shown))
    first, shown = failures[0]
    raise SourceError(
        f"{request.source}: its forward takes none of the sizes that stood for its symbols; give numbers for "
        f"the sizes that it fixes. {', '.join(f'{n}={s}' for n, s in shown.items())} gave "
        f"{blame.describe(first, OURS)}"
    ) from first


def _looked_through(source: object) -> torch.nn.Module:
    """Return the model inside wrappers that only say how it is run."""
    if not isinstance(source, torch.nn.Module):
        raise SourceError(f"expected a torch.nn.Module, found {type(source).__name__}")
    model = source
    while True:
        children = dict(model.named_children())
        inner = children.get("_orig_mod")
        if inner is None and list(children) == ["module"] and "Parallel" in type(model).__name__:
            inner = children["module"]
        if inner is None:
            return model
        model = inner
