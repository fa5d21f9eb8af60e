"""One reading: the forward runs on stand-ins, and every call is recorded."""

from __future__ import annotations

import contextlib
import itertools
import os
import types
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import GraphBuilder, Input, Reading, SourceError, kinds, substitute, user_code
from torch import __version__ as torch_version
from torch._subclasses.fake_tensor import FakeTensor
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from flopledger_torch.calls import Calls
from flopledger_torch.inputs import Arguments, arguments
from flopledger_torch.language import inputs as language
from flopledger_torch.listen.checkpoints import recording_checkpoints
from flopledger_torch.listen.custom import recording_custom_functions
from flopledger_torch.listen.derivatives import recording_derivatives
from flopledger_torch.listen.dispatch import Ops, OpsOfEngine, above_autograd
from flopledger_torch.listen.functions import recording_functions
from flopledger_torch.listen.gradients import Derivatives
from flopledger_torch.listen.kernels import DEPENDS_ON_DATA, STOPS
from flopledger_torch.listen.masks import recording_masks
from flopledger_torch.listen.memory import read_as_written
from flopledger_torch.listen.quantised import numbers_for_scales
from flopledger_torch.listen.sizes import recording_sizes
from flopledger_torch.modules import class_path, module_tables, registered_in
from flopledger_torch.nested import attention_by_rows
from flopledger_torch.record import UNFINISHED, Recorder
from flopledger_torch.state import leaks
from flopledger_torch.state.copies import Copies, NotCopyable
from flopledger_torch.state.process import kept
from flopledger_torch.state.watched import Watched
from flopledger_torch.state.weights import StandIns, movable
from flopledger_torch.symbols.from_data import Place
from flopledger_torch.symbols.sizes import fixed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.frontend import Graph, Registered, Request

    from flopledger_torch.stand_ins import Fakes

_MOST_RESULTS = 10_000
"""How many results a forward that yields them may give."""
_LAZY = {types.GeneratorType, map, filter, zip, enumerate, type(iter([]))}
_LAZY |= {kind for kind in vars(itertools).values() if isinstance(kind, type)}
"""The types of iterables that make their items, by calls of layers, when these are asked for."""
_NEEDS_KERNEL = "needs the result of an operator that has no kernel for tensors without memory"
_OURS = (f"{Path(__file__).parent}/",)
_TORCH = (f"{Path(torch.__file__).parent}/",)


def described(error: BaseException) -> str:
    """Return an exception that ended a forward, and the line of the model that it came from."""
    return user_code.describe(error, _OURS, _TORCH)


class DependsOnDataError(SourceError):
    """A forward that depends on its data before anything of it was counted."""


def is_unfinished(graph: Graph) -> bool:
    """Return whether a reading ended where the forward depends on its data."""
    return any(layer.source == UNFINISHED for layer in reversed(graph.layers))


class Reader:
    """One reading.

    Args:
        model: The model; the forward runs on a copy of it.
        request: What to read it with.
        profile: How the reading is to be.
        tensors: Makes the stand-ins.
        strict: Whether something that has no copy raises.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        request: Request,
        profile: Mapping[str, Any],
        tensors: Fakes,
        *,
        strict: bool = True,
    ) -> None:
        self.notes: tuple[str, ...] = ()
        self.model, self.request, self.profile = model, request, profile
        self.recorder = Recorder()
        self.recorder.training = profile.get("step") == "train"
        self.derivatives = Derivatives()
        self.registered = registered_in(model)
        self.tensors = tensors
        self.copies = Copies(StandIns(tensors), strict=strict)
        self.watched = Watched(self.copies.layouts)

    def read(self) -> Graph:
        """Run the forward on a copy of the model, and return its record as a graph.

        Raises:
            NotCopyable: The model holds something that has no copy.
        """
        copies = self.copies
        for module in self.registered.modules:
            copies.take(module)
        given = arguments(self.request, self.model, self.tensors.make, copies)
        for _, tensor, _ in given.named:
            self.recorder.tensors.ref(tensor)
        model = copies(self.model)
        self._set_modes()
        self.watched.take({type(module) for module, _ in copies.modules}, copies.shared())
        if self.watched.iterators and copies.strict and hasattr(os, "fork"):
            raise NotCopyable(f"a {self.watched.iterators[0]} of the program, which its code names")
        with kept(self.profile), movable():
            self._fill_cache(model, given)
            out = self._run(model, given)
        self.derivatives.finish(self.recorder.events, self.recorder.tensors_in(out), self.recorder.tensors)
        builder = GraphBuilder(kinds())
        builder.modules, builder.parameters = module_tables(self.registered, self.profile["mode"])
        return self._graph(builder, given, out)

    def _fill_cache(self, model: torch.nn.Module, given: Arguments) -> None:
        """Let a language model read the tokens before its step, unrecorded, and give it the cache of them."""
        for spec in language.cached(self.request):
            recorder, self.recorder = self.recorder, Recorder()
            tokens = self.tensors.make(spec, torch.int64)
            before = {**given.kwargs, spec.name: tokens}
            with torch.no_grad():
                found = language.cache_of(self.model, self._before(model, before))
                if found is None:
                    found = language.new_cache(self.model, self.request.source)
                    self._before(model, {**before, found[0]: found[1]})
            name, cache = found
            self.recorder.tensors.forget()
            self.recorder = recorder
            given.kwargs[name] = cache
            given.named += [(place, tensor, False) for place, tensor in language.named_tensors(name, cache)]

    def _before(self, model: torch.nn.Module, given: dict[str, Any]) -> Any:
        """Run the forward on the tokens before a step.

        Raises:
            DependsOnDataError: It could not be run to its end.
        """
        out = self._run(model, Arguments(kwargs=given))
        if out is None:
            why = next(reversed(self.recorder.notes))
            raise DependsOnDataError(f"{self.request.source}: no cache for --past: {why}")
        return out

    def _set_modes(self) -> None:
        """Put the registered modules into the profile's mode, and let none run compiled code."""
        mode = self.profile["mode"]
        for module, made in self.copies.modules:
            own = vars(made)
            own["_compiled_call_impl"] = None
            if mode != "given" and self.registered.number(module) is not None:
                own["training"] = mode == "train"

    def release(self) -> tuple[Watched, list[weakref.ref[Any]]]:
        """Let go of all that a reading made.

        Returns:
            The watched objects, and every stand-in, all of which must be gone now.
        """
        watched = self.watched
        # A real tensor that was seen need not be a stand-in: a constant of the user's module is not copied.
        fakes = [tensor for tensor in self.recorder.tensors.alive if type(tensor) is FakeTensor]
        known = [weakref.ref(tensor) for tensor in (*fakes, *self.copies.stand_ins.made())]
        self.recorder.tensors.forget()
        self.recorder.tape.clear()
        if self.tensors.values is not None:
            self.tensors.values.clear()
        self.copies.stand_ins.clear()
        self.copies.release()
        vars(self).clear()
        return watched, known

    def _sizes(self) -> contextlib.AbstractContextManager[None]:
        """Record products of sizes if the profile asks for them."""
        return recording_sizes(self.recorder) if self.profile["sizes"] else contextlib.nullcontext()

    def _run(self, model: torch.nn.Module, given: Arguments) -> Any:
        recorder = self.recorder
        self.tensors.from_data.run = _Run(recorder, self.registered)
        hooks = [
            register_module_forward_pre_hook(self._enter),
            register_module_forward_hook(self._leave, with_kwargs=True, always_call=True),
        ]
        try:
            with (
                recording_functions(recorder),
                recording_custom_functions(recorder),
                recording_derivatives(recorder, OpsOfEngine),
                recording_masks(recorder),
                recording_checkpoints(recorder),
                numbers_for_scales(self.tensors.values),
                self._sizes(),
                attention_by_rows(),
                self.tensors.running(),
                read_as_written(self.tensors.values, self.tensors.journal),
                above_autograd(),
                self._ops(),
            ):
                return _consumed_inside(model(*given.args, **given.kwargs))
        except STOPS as error:
            return self._stopped(error)
        except KeyError as error:
            if not self._is_of_the_copy(error):
                raise
            raise SourceError(
                f"{self.request.source}: {described(error)}: a module looks itself up, or its id, in a table "
                "that knows no copy of it, and a reading runs on a copy. Keep the entry in an attribute of it"
            ) from error
        except RuntimeError as error:
            if "scalar types: Long, Int" not in str(error):
                raise
            raise SourceError(
                f"{self.request.source}: {described(error)}. Give the input's type with its "
                "sizes, as in input_ids=1x128:int64"
            ) from error
        finally:
            self.tensors.from_data.run = None
            for hook in hooks:
                hook.remove()

    def _is_of_the_copy(self, error: KeyError) -> bool:
        """Return whether the missing key is a module of the copy, or the id of one."""
        key = error.args[0] if error.args else None
        if type(key) is weakref.ref:
            key = key()
        return any(made is key or (type(key) is int and id(made) == key) for _, made in self.copies.modules)

    def _stopped(self, error: Exception) -> None:
        """Keep the count up to the point where a forward depends on its data, or an operator has no kernel.

        Raises:
            SourceError: Nothing was.
        """
        on_data = isinstance(error, DEPENDS_ON_DATA)
        why = "depends on its data" if on_data else f"{_NEEDS_KERNEL} (torch.library.register_fake gives one)"
        where = described(error)
        problem = f"the rest {why}: {where}"
        if not self.recorder.unfinished(error, problem):
            raise DependsOnDataError(
                f"{self.request.source}: its forward {why}: {where}. Read it with --execute (execute=True), "
                "which runs the forward on small real tensors"
            ) from error
        self.recorder.note(f"{problem}; --execute (execute=True) counts that too, on small real tensors")
        leaks.forget_frames(error)

    def _ops(self) -> Ops:
        return Ops(self.recorder, self.tensors, self.derivatives if self.recorder.training else None)

    def _enter(self, module: torch.nn.Module, args: Any) -> None:
        del args
        recorder = self.recorder
        if not recorder.is_recording():
            return
        module = self.copies.original(module)
        cls = type(module)
        if self.registered.number(module) is None:
            self.registered.extend(module, self._unregistered_path(cls.__name__))
        event = recorder.open("layer", class_path(cls), cls.__name__)
        event.module = module

    def _unregistered_path(self, name: str) -> str:
        """Return a path for a module that was made in a forward, or that is kept in a plain list."""
        event = self.recorder.current
        while event is not None and event.module is None:
            event = event.parent
        number = None if event is None or event.module is None else self.registered.number(event.module)
        above = "" if number is None else self.registered.paths[number][0]
        return f"{above}/{name}" if above else name

    def _leave(self, module: torch.nn.Module, args: Any, *rest: Any) -> Any:
        """End the call of a module, as a forward hook, which also runs where the forward has raised."""
        recorder = self.recorder
        if not recorder.is_recording():
            return None
        module = self.copies.original(module)
        event = recorder.current
        while event is not None and event.module is not module:
            event = event.parent
        if event is None:
            return None
        out = None
        if len(rest) == 2:  # a forward that raised has no result; torch then gives no keywords either
            out = _consumed(rest[1])
            recorder.finish(event, args, rest[0], out)
        recorder.current = event.parent
        return iter(out) if out is not None and out is not rest[1] else None

    def _graph(self, builder: GraphBuilder, given: Arguments, out: Any) -> Graph:
        self._fix_symbols()
        tensors = self.recorder.tensors
        outputs = self.recorder.tensors_in(out)
        links = self._parameters_met(builder) if self.recorder.training else {}
        if "seq" in self.request.options:
            outputs += [tensors.ref(tensor).id for _, tensor in language.tensors_of(out, given.kwargs)]
        for number, (shape, dtype) in enumerate(zip(tensors.shapes, tensors.dtypes, strict=True)):
            builder.tensor(shape, dtype, tensors.aliases.get(number), links.get(number))
        for name, tensor, positional in given.named:
            builder.inputs.append(Input(name, tensors.ref(tensor).id, positional))
        Calls(builder, self.registered, self.recorder).write()
        reading = Reading(
            self.request.source,
            "torch",
            "torch",
            torch_version,
            dict(self.profile),
            (*self.notes, *self.recorder.notes, *self.tensors.notes()),
            self.tensors.data_sizes(),
            self.tensors.given_sizes(),
        )
        return builder.build(reading, outputs)

    def _parameters_met(self, builder: GraphBuilder) -> dict[int, int]:
        """Return which tensors are which parameters, for a backward that depends on it."""
        found: dict[int, int] = {}
        for row, module in zip(builder.modules, self.registered.modules, strict=True):
            own = dict(module._parameters.items())  # torch.jit's modules have a table without get
            for name, parameter in row.parameters:
                tensor = own.get(name, own.get(f"{name}_orig"))
                stand_in = None if tensor is None else self.copies.stand_ins.known(tensor)
                number = None if stand_in is None else self.recorder.tensors.number(stand_in)
                if number is not None:
                    found[number] = parameter
        return found

    def _fix_symbols(self) -> None:
        """Replace symbols by the numbers or other symbols that the model fixes them to."""
        sizes = self.tensors.specialised()
        if not sizes:
            return
        tensors = self.recorder.tensors
        tensors.shapes = [tuple(substitute(dim, sizes) for dim in shape) for shape in tensors.shapes]
        for event in self.recorder.events:
            event.native = {name: fixed(value, sizes) for name, value in event.native.items()}


class _Run:
    """The running forward, as sizes that depend on data see it."""

    def __init__(self, recorder: Recorder, registered: Registered[torch.nn.Module]) -> None:
        self.recorder, self.registered = recorder, registered

    def place(self) -> Place:
        """Return where a size arises: in which module, by which operator."""
        event = self.recorder.current
        operator = "size" if event is None else event.source
        while event is not None and event.module is None:
            event = event.parent
        number = None if event is None or event.module is None else self.registered.number(event.module)
        return Place("" if number is None else self.registered.paths[number][0], operator)

    def stop(self, error: BaseException) -> None:
        """Remember in which call a question was refused."""
        self.recorder.stop(error, self.recorder.current)


def _consumed(out: Any) -> Any:
    """Return a forward's result; of one that is worked out as it is asked for, all of it.

    A generator's calls run only then, and those of ``map(self.layer, xs)`` alike.

    Raises:
        SourceError: There is no end to it.
    """
    if type(out) not in _LAZY:
        return out
    found = list(itertools.islice(out, _MOST_RESULTS + 1))
    if len(found) > _MOST_RESULTS:
        raise SourceError(f"its forward returns a {type(out).__name__} of more than {_MOST_RESULTS} results")
    return found


def _consumed_inside(out: Any) -> Any:
    """Return the network's result with all that is worked out later, in its lists and dicts too."""
    out = _consumed(out)
    if type(out) in {list, tuple}:
        return type(out)(map(_consumed_inside, out))
    return {key: _consumed_inside(one) for key, one in out.items()} if type(out) is dict else out
