"""Reading a module or an exported program into a graph."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import (
    PROFILE,
    FlopledgerError,
    SourceError,
    UsageError,
    is_a,
    read_in_fork,
    symbol_names,
)
from torch.export import ExportedProgram

from flopledger_torch.archive.program import Flat, load
from flopledger_torch.build import add_note, is_lazy, materialised, note
from flopledger_torch.files import parts_of
from flopledger_torch.language import inputs as language
from flopledger_torch.language.config import model_of
from flopledger_torch.stand_ins import CHOICES, Fakes, Reals, Symbolic, shown_sizes
from flopledger_torch.state import untouched
from flopledger_torch.state.copies import NotCopyable
from flopledger_torch.state.process import alone
from flopledger_torch.stated import completed
from flopledger_torch.symbols.from_data import FromData
from flopledger_torch.trace import DependsOnDataError, Reader, described, is_unfinished
from flopledger_torch.weights_alone import lacks_inputs, weights_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.frontend import Graph, InputSpec, Request

_COMPILED = (
    "modules that torch.jit compiled are read by their operators, in a child process; tools that trace a "
    "model or hook its modules see less of them"
)
_MODES = ("eval", "train", "given")


def read_source(source: object, request: Request) -> Graph:
    """Read a module, or an exported program."""
    profile = {key: request.profile.get(key, values[0]) for key, values in PROFILE.items()}
    if profile["step"] != "train":
        del profile["step"]  # a forward pass, as every reading without this word is
    if profile["mode"] not in _MODES:
        raise UsageError(f"the mode is {profile['mode']!r}, expected one of {', '.join(_MODES)}")
    if is_a(source, Path) or is_a(source, ExportedProgram):
        source, request = _unpacked(source, request)
        # An exported program has no mode left: the behaviour of its modules in theirs is in its operators.
        profile["mode"] = "eval" if profile["mode"] == "given" else profile["mode"]
    model = _unwrapped(source)
    request = language.with_inputs(request, model)
    if profile["mode"] == "given":
        profile["mode"] = _mode_of(model)
    if request.isolated:
        torch.set_num_threads(1)  # the threads that torch computes with are not in the forked process
    request, inputs = completed(model, request)
    notes = tuple(filter(None, (note(model), inputs)))
    if lacks_inputs(model, request):
        return weights_of(model, request, profile, notes)
    with alone(request.source):
        if compiled := [one for one in model.modules() if is_a(one, torch.jit.ScriptModule)]:
            return read_in_fork(
                request.source, lambda: _read_compiled(compiled, model, request, profile, (*notes, _COMPILED))
            )
        try:
            return _read(model, request, profile, notes)
        except NotCopyable as missing:
            why = f"it was read in a child process, since its model can't be copied whole: {missing}"
        return read_in_fork(request.source, lambda: _read_here(model, request, profile, (*notes, why)))


def _mode_of(model: torch.nn.Module) -> str:
    """Return the mode that all modules of a model are in, or ``given`` where they are in several."""
    modes = {bool(module.training) for module in model.modules()}
    return "given" if len(modes) > 1 else "train" if True in modes else "eval"


def _read_compiled(
    compiled: Sequence[torch.nn.Module],
    model: torch.nn.Module,
    request: Request,
    profile: Mapping[str, Any],
    *rest: Any,
) -> Graph:
    """Read in a child process a model whose modules torch.jit has compiled.

    Their weights and their mode are in C++, where no copy can replace them, and each call of theirs is kept
    there for the next compilation.
    """
    if profile["mode"] != "given":
        for module in compiled:
            module.train(profile["mode"] == "train")
    return _read_here(model, request, profile, *rest)


def _read_here(*given: Any) -> Graph:
    """Read in a child process, where an object that can't be copied is used as it is."""
    torch.set_num_threads(1)  # the threads that torch computes with are not in the child
    try:
        return _read(*given, strict=False)
    except FlopledgerError:
        raise
    except Exception as error:
        raise SourceError(described(error)) from error


def _read(
    model: torch.nn.Module,
    request: Request,
    profile: Mapping[str, Any],
    notes: tuple[str, ...],
    *,
    strict: bool = True,
) -> Graph:
    """Read a model on stand-ins."""
    if is_lazy(model):
        model = materialised(model, request)
    given = (*request.inputs, *language.cached(request))
    symbols = {name for s in given for dim in s.shape or () for name in symbol_names(dim)}

    def reader(make: Callable[[], Fakes]) -> Reader:
        made = Reader(model, request, profile, make(), strict=strict)
        made.notes = notes
        return made

    if symbols and not request.execute:
        return _read_symbolic(reader, request, given)
    isolated = request.isolated or not strict
    read = functools.partial(untouched.read, request.source, isolated=isolated)
    try:
        known: Graph = read(lambda: reader(lambda: _plain_tensors(model, request)))
    except DependsOnDataError:
        found = _read_with_sizes(read, reader, request, None)
        if found is None:
            raise
        return found
    return (_read_with_sizes(read, reader, request, known) if is_unfinished(known) else None) or known


def _read_with_sizes(
    read: Callable[[Callable[[], Reader]], Graph],
    reader: Callable[..., Reader],
    request: Request,
    known: Graph | None,
) -> Graph | None:
    """Read with a symbol for each size that depends on data, as far as that goes.

    torch refuses where a branch, a loop or a list goes by a value. What comes before is then all that there
    is, of the plain reading where that got as far.
    """
    for alike in (False, True):
        make = functools.partial(_from_data, request, alike=alike)
        try:
            graph = read(functools.partial(reader, make))
        except UsageError:
            raise
        except Exception:  # noqa: BLE001,S112  (a forward may raise anything for a size it does not take)
            continue
        farther = known is None or not is_unfinished(graph) or len(graph.layers) > len(known.layers)
        return graph if farther else known
    return known


def _from_data(request: Request, *, alike: bool) -> Symbolic:
    return Symbolic({}, FromData(request.sizes, alike=alike))


def _unpacked(source: Path | ExportedProgram, request: Request) -> tuple[torch.nn.Module, Request]:
    """Return the module of an exported program, and the inputs of its export if none are given."""
    program: Flat | ExportedProgram
    if isinstance(source, Path):
        if source.suffix.lower() != ".pt2":
            return model_of(source, request), dataclasses.replace(request, arguments={})
        loaded = load(source)
        program, example = loaded.flat, (loaded.args, loaded.kwargs)
    else:
        program, example = source, source.example_inputs
    model, remark = parts_of(program)
    if remark:
        add_note(model, remark)
    if example is not None and not request.inputs and request.values is None:
        args, kwargs = example
        named = inspect.signature(model.forward).bind(*args, **kwargs).arguments if kwargs else None
        request = dataclasses.replace(request, values=args if named is None else dict(named))
    return model, request


def _plain_tensors(model: torch.nn.Module, request: Request) -> Fakes:
    if not request.execute:
        return Fakes()
    tables = [m.num_embeddings for m in model.modules() if is_a(m, torch.nn.Embedding)]
    return Reals(min(tables, default=2))


def _shown(shown: dict[str, int], request: Request) -> Symbolic:
    return Symbolic(shown, FromData(request.sizes))


def _read_symbolic(
    reader: Callable[[Callable[[], Fakes]], Reader], request: Request, given: Sequence[InputSpec]
) -> Graph:
    """Read with symbols; each is shown to the model as some size, one that it takes."""
    failures: list[tuple[Exception, dict[str, int]]] = []
    for choice in CHOICES:
        shown = shown_sizes(given, choice)
        if any(shown == before for _, before in failures):
            continue
        make = functools.partial(_shown, shown, request)
        try:
            return untouched.read(request.source, functools.partial(reader, make), isolated=request.isolated)
        except (FlopledgerError, NotCopyable):
            raise
        except Exception as error:  # noqa: BLE001  (a forward may raise anything for a size it does not take)
            failures.append((error, shown))
    first, shown = failures[0]
    raise SourceError(
        f"{request.source}: its forward takes none of the sizes that stood for its symbols; give numbers for "
        f"the sizes that it fixes. {', '.join(f'{n}={s}' for n, s in shown.items())} gave "
        f"{described(first)}"
    ) from first


def _unwrapped(source: object) -> torch.nn.Module:
    """Return the model inside wrappers that only affect how it is run."""
    if not is_a(source, torch.nn.Module):
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
