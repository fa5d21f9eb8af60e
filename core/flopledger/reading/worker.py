"""Reading in a child process: the child's side.

Started by :mod:`flopledger.reading.child_process`, never by hand.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import json
import os
import pickle
import re
import resource
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from flopledger import printable
from flopledger.errors import FlopledgerError, SourceError, nearest
from flopledger.frontend import user_code as blame
from flopledger.graph.write import ENCODER
from flopledger.graph.write import pieces as pieces_of
from flopledger.plugins import discovery as plugins
from flopledger.reading import choose as reading
from flopledger.reading import memory, processes
from flopledger.reading.interpreter import TASK_HEAD
from flopledger.reading.source import Attribute, locate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from flopledger.graph.graph import Graph
    from flopledger.plugins.registry import Registry
    from flopledger.reading.child_process import Task

_OUT_OF_MEMORY = re.compile(
    r"(not enough|out of|no) memory|memoryerror|(cannot|can't|failed to|unable to|could not) (re)?allocate|"
    r"alloc\w* fail|bad_alloc|failed to map segment|start new thread|resource ?exhausted|Errno 12\b",
    re.IGNORECASE,
)
"""The messages of systems, Python and frameworks where memory runs out; a layer may be called memory."""
_LONGEST_CHAIN = 20
_UNDESCRIBED = json.dumps(
    {
        "name": "SourceError",
        "message": "it can't be read, and its code replaces functions of Python that are needed to say why",
        "memory": False,
    }
)
_LIMITED = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
_exit, _getpid, _os_write = os._exit, os.getpid, os.write
_setrlimit, _getrlimit, _dumps = resource.setrlimit, resource.getrlimit, ENCODER.encode
"""Functions for use after the user's code, bound before: it may replace Python's own functions."""


def main(tasks: int, result: int, done: int, parent: int) -> NoReturn:
    """Do the tasks that come through a pipe, and write each result, until this process is ended.

    The interpreter is not shut down in order: threads and exit handlers of the user's code and of
    frameworks can hang there or crash, and the results are complete.
    """
    processes.adopt_and_die_with(parent)
    for descriptor in (tasks, result, done):
        os.set_inheritable(descriptor, False)  # noqa: FBT003  (it takes no keyword)
    home = os.getpid()
    load = pickle.loads
    with os.fdopen(tasks, "rb") as stream:
        most, sys.path[:] = pickle.load(stream)  # noqa: S301  (from the parent, which started us)
        registry = plugins.registry()
        limit(most)
        limits = {kind: resource.getrlimit(kind) for kind in _LIMITED}
        loaded: dict[Attribute, object] = {}
        # A task has its length before it: one that can't be loaded must not leave a rest for the next turn
        while head := stream.read(TASK_HEAD):
            task = stream.read(int.from_bytes(head))
            for kind, (soft, hard) in limits.items():
                _setrlimit(kind, (soft, hard))
            try:
                pieces = ["graph\n", *pieces_of(read(load(task), registry, loaded))]
            except BaseException as error:  # noqa: BLE001  (the user's code may raise anything)
                lift_limits()
                pieces = ["error\n", failure(error, registry)]
            flush()
            if _getpid() != home:  # a process that the user's code forked, and that came back here
                _exit(0)
            if not (write(result, map(str.encode, pieces)) and write(done, [b"."])):
                _exit(1)
    _exit(0)


def flush() -> None:
    """Pass on output that is still in buffers; the user's code may have replaced a stream by anything."""
    for output in (sys.stdout, sys.stderr):
        try:
            output.flush()
        except Exception:  # noqa: BLE001, S112
            continue


def write(result: int, pieces: Iterable[bytes]) -> bool:
    """Write the result, if the user's code has not closed the file."""
    try:
        for piece in pieces:
            left = piece
            while left:
                left = left[_os_write(result, left) :]
    except OSError:
        return False
    return True


def limit(most: int | None) -> None:
    """Limit this process's memory.

    A limit set by the user applies to the address space, which can't be bypassed; the default, half of the
    machine, applies to writable memory only.
    """
    if most is None:
        memory.limit_data(memory.default_limit())
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def lift_limits() -> None:
    """Lift this process's limits of memory: the description of an error may need more than is left."""
    for kind in _LIMITED:
        _, hard = _getrlimit(kind)
        _setrlimit(kind, (hard, hard))


def process() -> int:
    """Return the number of this process."""
    return _getpid()


def leave(code: int) -> NoReturn:
    """End this process at once, without exit handlers and destructors."""
    _exit(code)


def failure(error: BaseException, registry: Registry) -> str:
    """Describe an error; in a process whose own functions were replaced that may fail itself."""
    try:
        return _dumps(_report(error, registry))
    except BaseException:  # noqa: BLE001  (likewise)
        return _UNDESCRIBED


def _report(error: BaseException, registry: Registry) -> dict[str, object]:
    if os.environ.get("FLOPLEDGER_TRACEBACK") == "1":
        traceback.print_exception(error)
    memory_error = _memory_error(error)
    if issubclass(type(error), FlopledgerError):
        return {"name": type(error).__name__, "message": str(error), "memory": memory_error is not None}
    if isinstance(error, SystemExit):
        message = f"it calls sys.exit({error.code!r})"
    else:
        # A library that fails to import for want of memory may give advice about its installation instead
        message = blame.describe(memory_error or error, registry.code, registry.frameworks)
    if isinstance(error, ModuleNotFoundError) and error.name:
        message += _remedy(error.name, registry)
    return {"name": "SourceError", "message": printable.line(message), "memory": memory_error is not None}


def _memory_error(error: BaseException) -> BaseException | None:
    """Return the first exception, among those that led to one, which says that memory ran out."""
    found: BaseException | None = None
    seen: BaseException | None = error
    for _ in range(_LONGEST_CHAIN):
        if seen is None:
            break
        if isinstance(seen, MemoryError) or _OUT_OF_MEMORY.search(_text(seen)):
            found = seen
        seen = seen.__cause__ or seen.__context__
    return found


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  (the user's class may raise anything)
        return ""


def read(task: Task, registry: Registry, loaded: dict[Attribute, object]) -> Graph:
    """Read the source of a task; a module that an earlier task loaded is not loaded again."""
    request = task.request
    if request.inputs_from:
        request = dataclasses.replace(request, values=_values(request.inputs_from, registry, loaded))
    if isinstance(task.target, Path):
        plugin = reading.choose_for_file(task.target, request, registry)
        return reading.read(plugin, task.target, request)
    obj = _loaded(task.target, request.source, registry, loaded)
    return reading.read_object(obj, request, registry)


def _loaded(target: Attribute, source: str, registry: Registry, loaded: dict[Attribute, object]) -> object:
    if target not in loaded:
        loaded[target] = _load(target, source, registry)
    return loaded[target]


def _values(source: str, registry: Registry, loaded: dict[Attribute, object]) -> object:
    target = locate(source)
    if not isinstance(target, Attribute):
        raise SourceError(f"--inputs {source}: name the function, as in {source}:make")
    make = _loaded(target, source, registry, loaded)
    if not callable(make):
        raise SourceError(
            f"--inputs {source}: it is {type(make).__name__}, expected a function without arguments"
        )
    return make()


def _load(target: Attribute, source: str, registry: Registry) -> object:
    """Import a module or a file, as Python does from its own folder, and get the attribute."""
    sys.path.insert(0, str(target.folder))
    if isinstance(target.module, Path):
        found: object = _run_file(target.module)
    elif (factory := _library_model(target.module, target.name, source, registry)) is not None:
        return factory
    else:
        found = _import(target.module, source, registry)
    for name in target.name.split("."):
        if not hasattr(found, name):
            hint = nearest(name, dir(found))
            where = getattr(found, "__name__", type(found).__name__)
            raise SourceError(f"{source}: {where} has no attribute {name!r}{hint}")
        found = getattr(found, name)
    return found


def _library_model(library: str, name: str, source: str, registry: Registry) -> object:
    """Return the factory of a model that is named by its library; None where it is a plain attribute."""
    for plugin in registry.plugins.values():
        if library in (plugin.hooks.libraries() or ()):
            _import(library, source, registry)  # its error says how a library is installed
            return plugin.hooks.library_model(library=library, name=name)
    return None


def _import(name: str, source: str, registry: Registry) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            message = f"{source}: there is no module {error.name!r}, neither installed nor in {Path.cwd()}"
            for plugin in registry.plugins.values():
                if name in plugin.frontend.also_called:
                    meant = f"{plugin.frontend.also_called[name]}:{source.rpartition(':')[2]}"
                    raise SourceError(f"{message}; did you mean {meant}?") from None
            raise SourceError(message + _remedy(error.name, registry)) from None
        raise


def _run_file(path: Path) -> ModuleType:
    name = path.stem if path.stem not in sys.modules else f"{path.stem}_from_file"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise SourceError(f"{path}: Python can't import it")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _remedy(name: str, registry: Registry) -> str:
    """Return how to install the framework whose module was not found, where it is one."""
    for plugin in registry.plugins.values():
        if plugin.frontend.module == name.partition(".")[0]:
            return f": {plugin.frontend.remedy}"
    return ""
