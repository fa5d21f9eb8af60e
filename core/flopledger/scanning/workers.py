"""The processes of a scan on this machine: a server for each frontend, which forks one for each network."""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
from collections import Counter, deque
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Self, TypeAlias

from flopledger.errors import SourceError
from flopledger.reading import ends, memory
from flopledger.reading.fork_server import Job, Start
from flopledger.reading.server import Server
from flopledger.scanning import choose
from flopledger.scanning.outcome import FAILED, MEMORY, TIMEOUT, Outcome, Work, outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.reading.server import Answer
    from flopledger.scanning.outcome import Chosen

Group: TypeAlias = "tuple[str, str]"
"""The frontend whose networks one server reads, and their registry, empty for files."""
_OURS = "flopledger.scanning.outcome"
_LATE = ("flopledger.reading.child_process", "flopledger.analysis.masks", "encodings.utf_8_sig")
"""Modules that reading and counting import when they need them: here once, not in each network's process."""
_EXAMINE, _PREPARE = f"{_OURS}:examine", f"{_OURS}:prepare"
_LEAST = 2**30
"""The least default limit of memory for one network, in bytes."""
ATTEMPTS = 2
"""How often a network is tried whose server has died, perhaps of another network."""


def share_of_memory(jobs: int) -> int:
    """Return the bytes that one of several networks may take at a time, of this machine's."""
    return max(memory.machine() // memory.SHARE // jobs, _LEAST)


class Workers:
    """Counts networks on this machine, several at a time.

    Args:
        jobs: How many at a time.
        timeout: Seconds that each may take; None for no limit.
        memory_limit: Bytes that each may take; None for its share of the machine's.
        keep_servers: Whether a server outlives the last network of a call that needs it.
    """

    def __init__(
        self,
        jobs: int,
        timeout: float | None = None,
        memory_limit: int | None = None,
        *,
        keep_servers: bool = False,
    ) -> None:
        self._jobs, self._timeout, self._keep = jobs, timeout, keep_servers
        self._asked, self._memory = memory_limit, memory_limit or share_of_memory(jobs)
        self._servers: dict[Group, Server] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers.values():
            server.close()
        self._servers.clear()

    def call(self, group: Group, function: str, argument: object) -> bytes:
        """Call one of our functions in a process of a group's server, and return its result.

        Raises:
            SourceError: It failed; the message says why.
        """
        server = self._server(group, ())
        server.send(Job(0, function, argument, self._timeout, self._memory))
        answer = server.receive()
        if answer.word == "result":
            return answer.content
        name = group[1] or group[0]
        late = f"{name}: it took longer than {answer.seconds:.0f} seconds"
        raise SourceError(late if answer.late else self._reason(answer, name))

    def count(self, works: Iterable[Work]) -> Iterator[tuple[Work, Outcome]]:
        """Count networks, and yield the outcome of each as it ends."""
        waiting: deque[Work] = deque(works)
        left = Counter(_group(work) for work in waiting)
        flying: dict[int, Work] = {}
        tries: Counter[str] = Counter()
        numbers = itertools.count()
        while waiting or flying:
            while waiting and len(flying) < self._jobs:
                work = waiting.popleft()
                number = next(numbers)
                flying[number] = work
                with contextlib.suppress(OSError):  # that a server has died is seen below
                    server = self._server(_group(work), work.conventions)
                    server.send(Job(number, _EXAMINE, work, self._timeout, self._memory))
            for group in self._ready():
                try:
                    answer = self._servers[group].receive()
                except SourceError as error:
                    self._servers.pop(group).close()
                    for number, work in [one for one in flying.items() if _group(one[1]) == group]:
                        del flying[number]
                        tries[work.key] += 1
                        if tries[work.key] < ATTEMPTS:
                            waiting.appendleft(work)
                        else:
                            left[group] -= 1
                            yield work, Outcome(MEMORY, f"{work.network.source}: {error}")
                    continue
                work = flying.pop(answer.number)
                left[group] -= 1
                yield work, self._outcome(answer, work)
                if not (left[group] or self._keep):
                    self._servers.pop(group).close()

    def _server(self, group: Group, conventions: tuple[Chosen, ...]) -> Server:
        if group not in self._servers:
            modules = (_OURS, *_LATE, *choose.modules_of(*group))
            self._servers[group] = Server(Start(modules, _PREPARE, conventions))
        return self._servers[group]

    def _outcome(self, answer: Answer, work: Work) -> Outcome:
        """Return the outcome of a network, by how its process ended."""
        source = work.network.source
        if answer.word == "result":
            with contextlib.suppress(ValueError, TypeError, KeyError):  # the user's code wrote there itself
                return outcome_of(answer.content, answer.seconds, answer.peak)
        if answer.late:
            limit = f"{self._timeout:g} seconds, the limit that --timeout sets"
            return Outcome(TIMEOUT, f"{source}: it took longer than {limit}", seconds=answer.seconds)
        status = MEMORY if answer.status == -signal.SIGKILL or _ran_out(answer) else FAILED
        return Outcome(status, self._reason(answer, source), seconds=answer.seconds, peak=answer.peak)

    def _reason(self, answer: Answer, source: str) -> str:
        """Return in words why a process gave no result."""
        if answer.word == "error":
            with contextlib.suppress(ValueError, TypeError):  # likewise
                return str(ends.error(source, self._memory, **json.loads(answer.content)))
        killed = answer.status == -signal.SIGKILL
        return ends.death(source, self._memory if killed else self._asked, answer.status)

    def _ready(self) -> list[Group]:
        """Wait for an answer; return the groups that have one."""
        names = {server.connection: group for group, server in self._servers.items()}
        ready = wait(list(names))
        return [group for connection, group in names.items() if connection in ready]


def _group(work: Work) -> Group:
    return work.network.frontend, work.network.registry


def _ran_out(answer: Answer) -> bool:
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        return bool(json.loads(answer.content or b"{}").get("memory"))
    return False
