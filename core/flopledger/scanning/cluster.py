"""Counting on a Dask cluster: a task for each network, in a child process of its own on a worker.

The tasks are those of a scan on one machine: a worker keeps a server for each frontend, as
:mod:`flopledger.scanning.workers` does. Where a worker dies, Dask gives its tasks to another one. Only the
process that asked writes into the database. Sources and conventions that are files have to be at the same
place on every worker. The workers of a local cluster are threads, since networks have processes of their own
anyway: processes around them would add seconds of imports.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Self

from distributed import Client, KilledWorker, LocalCluster, as_completed, get_worker

from flopledger.errors import FlopledgerError, SourceError
from flopledger.scanning.outcome import FAILED, Outcome
from flopledger.scanning.workers import Workers, share_of_memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.scanning.outcome import Work
    from flopledger.scanning.workers import Group

LOCAL = "local"
"""The address that means a cluster on this machine."""
_PATIENCE_S = 30
"""How long a scheduler is waited for."""
_own = threading.local()
"""The servers of a worker's thread, which only one thread at a time may talk to."""
_here: list[Workers] = []
"""The servers of all threads of this process."""


class Cluster:
    """Counts networks on a cluster.

    Args:
        address: The scheduler's address, or ``local``.
        jobs: How many workers a local cluster has; elsewhere the cluster decides.
        timeout: Seconds that each network may take.
        memory_limit: Bytes that each may take; None for its share of the worker's machine.

    Raises:
        SourceError: There is no scheduler at that address.
    """

    def __init__(
        self, address: str, jobs: int | None, timeout: float | None, memory_limit: int | None
    ) -> None:
        jobs = jobs or os.cpu_count() or 1
        share = share_of_memory(jobs) if address == LOCAL else None
        self._limits = (timeout, memory_limit or share)
        self._held = contextlib.ExitStack()
        try:
            if address == LOCAL:
                self._held.callback(_end_servers)
                cluster = LocalCluster(
                    n_workers=jobs,
                    threads_per_worker=1,
                    processes=False,
                    dashboard_address=None,
                    memory_limit=None,
                )
                self._held.enter_context(cluster)
                self._client = Client(cluster)
            else:
                self._client = Client(address, timeout=_PATIENCE_S)
        except (OSError, ValueError) as error:
            self._held.close()
            raise SourceError(f"--dask {address}: no scheduler answers there: {error}") from None
        self._held.enter_context(self._client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def workers(self) -> dict[str, int]:
        """Return the process of each worker, by its address."""
        found: dict[str, int] = self._client.run(os.getpid)
        return found

    def call(self, group: Group, function: str, argument: object) -> bytes:
        """Call one of our functions on a worker, and return its result.

        Raises:
            SourceError: It failed; the message says why.
        """
        future = self._client.submit(_call, self._limits, group, function, argument, pure=False)
        content: bytes = future.result()
        return content

    def count(self, works: Iterable[Work]) -> Iterator[tuple[Work, Outcome]]:
        """Count networks, and yield the outcome of each as it ends."""
        asked = {self._client.submit(_count, self._limits, work, pure=False): work for work in works}
        for future in as_completed(list(asked)):
            work = asked.pop(future)
            try:
                outcome: Outcome = future.result()
            except KilledWorker as error:
                outcome = Outcome(FAILED, f"{work.network.source}: each worker that read it died: {error}")
            except FlopledgerError as error:
                outcome = Outcome(FAILED, str(error))
            yield work, outcome
            future.release()


def _end_servers() -> None:
    """End the servers of a local cluster, once its threads have ended."""
    while _here:
        _here.pop().__exit__()


def _workers(limits: tuple[float | None, int | None]) -> Workers:
    if not hasattr(_own, "workers"):
        timeout, memory_limit = limits
        share = share_of_memory(get_worker().state.nthreads)
        _own.workers = Workers(1, timeout, memory_limit or share, keep_servers=True)
        _here.append(_own.workers)
    found: Workers = _own.workers
    return found


def _call(limits: tuple[float | None, int | None], group: Group, function: str, argument: object) -> bytes:
    return _workers(limits).call(group, function, argument)


def _count(limits: tuple[float | None, int | None], work: Work) -> Outcome:
    (found,) = _workers(limits).count([work])
    return found[1]
