"""Reading several sources that need one framework: one import of it, and a forked process for each reading.

Which framework that is has to be known before anything of a source runs: by the frontend that claims a file,
or by what the file of Python code imports. A server that has imported nothing reads the others.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import json
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

from flopledger import input_files
from flopledger.errors import FlopledgerError, SourceError
from flopledger.graph.graph import Graph
from flopledger.graph.write import pieces as pieces_of
from flopledger.plugins import discovery as plugins
from flopledger.reading import ends, relay, worker
from flopledger.reading.choose import claims_of_file
from flopledger.reading.fork_server import Job, Start
from flopledger.reading.read import saved_graph
from flopledger.reading.server import Server
from flopledger.reading.source import locate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.reading.child_process import Task
    from flopledger.reading.server import Answer
    from flopledger.reading.source import Target

_READ = "flopledger.reading.shared:read_task"
_LARGEST = 1 << 20
"""How much of a file of Python code is searched for its imports."""


class Shared:
    """Servers for the sources of one command, one for each framework; others are read elsewhere."""

    def __init__(self) -> None:
        self._held = contextlib.ExitStack()
        self._served: dict[tuple[str, ...], _Served] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._served.clear()
        self._held.close()

    def read(self, task: Task) -> Graph:
        """Read in a process of a server, within the limits that the request gives.

        Raises:
            SourceError: The source can't be read, or its process died, hung or ran out of memory.
            UsageError: The inputs or arguments don't fit.
        """
        request = task.request
        source, limit = request.source, request.memory_limit
        answer = self._server(task.target).ask(task)
        if answer.word == "result":
            return Graph.from_json(answer.content.decode(errors="replace"), source)
        if answer.late:
            most = f"{request.timeout:g} seconds, the limit that --timeout sets"
            raise SourceError(f"{source}: reading it took longer than {most}")
        if answer.word == "error":
            try:
                found = ends.error(source, limit, **json.loads(answer.content))
            except (ValueError, TypeError):  # the user's code has written there itself
                found = SourceError(ends.death(source, limit, 0))
            raise found
        raise SourceError(ends.death(source, limit, answer.status))

    def start(self, sources: Iterable[str]) -> None:
        """Start the servers of sources now: the kernel ends a process with the thread that has started it."""
        for source in sources:
            with contextlib.suppress(FlopledgerError):  # reading it raises the reason
                target = locate(source)
                if isinstance(target, Path):
                    found = claims_of_file(target, plugins.registry())
                    if saved_graph(target) or all(plugin.frontend.in_place for plugin in found):
                        continue
                self._server(target)

    def _server(self, target: Target) -> _Served:
        modules = modules_for(target)
        with self._lock:
            if modules not in self._served:
                printed = self._held.enter_context(relay.printed())
                server = Server(Start(modules), printed)
                self._held.callback(server.close)
                self._served[modules] = _Served(server)
            return self._served[modules]


class _Served:
    """A server that several threads ask; each gets the answer to its own task."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._numbers = itertools.count()
        self._answers: dict[int, Answer] = {}
        self._sending, self._receiving = threading.Lock(), threading.Lock()

    def ask(self, task: Task) -> Answer:
        request = task.request
        with self._sending:
            number = next(self._numbers)
            self._server.send(Job(number, _READ, task, request.timeout, request.memory_limit))
        while True:
            with self._receiving:
                if number in self._answers:
                    return self._answers.pop(number)
                answer = self._server.receive()
                self._answers[answer.number] = answer


def read_task(task: Task) -> bytes:
    """Read in this process, and return the graph as JSON; called in a process that was forked for it."""
    return "".join(pieces_of(worker.read(task, plugins.registry(), {}))).encode()


def modules_for(target: Target) -> tuple[str, ...]:
    """Return the modules that reading a source imports, as far as can be found without running any of it."""
    registry = plugins.registry()
    if isinstance(target, Path):
        found = claims_of_file(target, registry)
    else:
        text = _code(target.module)
        found = [
            plugin
            for plugin in registry.plugins.values()
            if plugin.frontend.module and _imports(text, plugin.frontend.module)
        ]
    return found[0].frontend.preload if len(found) == 1 else ()


def _imports(text: str, module: str) -> bool:
    return re.search(rf"^\s*(?:import|from)\s+{re.escape(module)}\b", text, re.MULTILINE) is not None


def _code(module: str | Path) -> str:
    """Return the code of a file, or of the package that a module belongs to, with an import of itself."""
    if isinstance(module, Path):
        return input_files.head(module, _LARGEST).decode(errors="replace")
    package = module.partition(".")[0]
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return ""
    file = spec.origin if spec is not None and spec.has_location else None
    code = input_files.head(file, _LARGEST).decode(errors="replace") if file else ""
    return f"import {package}\n{code}"
