"""A real scheduler with two workers; one of them is killed in the middle."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="Dask is not installed")

from distributed import LocalCluster
from flopledger.errors import SourceError
from flopledger.scanning.cluster import Cluster
from flopledger.scanning.network import Network
from flopledger.scanning.outcome import Chosen, Outcome, Work
from flopledger.scanning.scan import Settings, scan, works_of
from flopledger.scanning.store import Store

LENET = Path(__file__).parents[3] / "examples" / "lenet.prototxt"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask's own, about the worker that is killed and about ports in use
def test_nothing_is_lost_or_counted_twice_when_a_worker_dies(tmp_path: Path) -> None:
    nets = tmp_path / "nets"
    nets.mkdir()
    for i in range(1, 25):
        (nets / f"{i:02}.prototxt").write_text(
            LENET.read_text().replace("num_output: 500", f"num_output: {i}")
        )
    settings = Settings(conventions=(Chosen("2mac"),))

    with (
        Store(tmp_path / "zoo.db") as store,
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as scheduler,
        Cluster(scheduler.scheduler_address, None, 60, None) as cluster,
    ):
        victim = next(iter(cluster.workers().values()))

        def kill(progress: object) -> None:
            if progress.done.total() == 4 and victim:
                os.kill(victim, signal.SIGKILL)

        found = scan(works_of([str(nets)], cluster, settings), store, cluster, settings, kill)

    assert (found.total, dict(found.done)) == (24, {"ok": 24})
    with contextlib.closing(sqlite3.connect(tmp_path / "zoo.db")) as connection:
        rows = connection.execute("SELECT name, flops FROM networks ORDER BY name").fetchall()
    # two convolutions, 20 * 25 * 24^2 + 50 * 500 * 8^2 = 1,888,000 macs; then 800 + 10 for each unit
    assert rows == [(f"{i:02}.prototxt", 2 * (1_888_000 + 810 * i)) for i in range(1, 25)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_network_that_kills_each_worker_fails_and_the_others_do_not(tmp_path: Path) -> None:
    killer = tmp_path / "killer.py"
    killer.write_text("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos.kill(os.getpid(), 9)\n")
    works = [
        Work(name, Network(name, source), (Chosen("mac"),))
        for name, source in (("killer", f"{killer}:Net"), ("lenet", str(LENET)))
    ]

    with Cluster("local", 1, 60, None) as cluster:
        found: dict[str, Outcome] = {work.key: outcome for work, outcome in cluster.count(works)}

    assert {name: one.status for name, one in found.items()} == {"killer": "memory", "lenet": "ok"}


def test_a_local_cluster_needs_no_other_workers_processes_and_leaves_none_behind() -> None:
    works = [Work(str(i), Network(str(i), str(LENET)), (Chosen("mac"),)) for i in range(4)]
    before = _children()

    with Cluster("local", 2, 60, None) as cluster:
        assert set(cluster.workers().values()) == {os.getpid()}
        assert len(cluster.workers()) == 2
        found = [outcome.status for _, outcome in cluster.count(works)]

    assert found == ["ok"] * 4
    assert _children() == before


def _children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def test_an_address_without_a_scheduler_is_named() -> None:
    with pytest.raises(SourceError, match="no scheduler answers"):
        Cluster("nonsense://nowhere", None, None, None)
