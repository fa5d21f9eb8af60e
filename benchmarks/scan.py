"""How long a scan takes in one process, in two, and on a local Dask cluster, and that a killed one goes on.

The networks are small prototxt files, so that what is measured is the scan and not the reading. The runs
follow each other in turn, and the ratios of their times are what is kept. With ``--registry`` the networks
of a registry are scanned once instead, for their total time and their largest process.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LENET = Path(__file__).parents[1] / "examples" / "lenet.prototxt"
TIMES = {"id", "seconds", "peak_bytes", "counted_at"}
KILLS = 10


def networks(folder: Path, count: int) -> None:
    """Write LeNets that differ in the width of a layer."""
    text = LENET.read_text()
    for i in range(1, count + 1):
        (folder / f"{i:06}.prototxt").write_text(text.replace("num_output: 500", f"num_output: {i}"))


def command(nets: Path, database: Path, *options: str) -> list[str]:
    """Return the command line of a scan."""
    return [sys.executable, "-m", "flopledger", "scan", str(nets), "-o", str(database), *options]


def seconds(nets: Path, database: Path, *options: str) -> float:
    """Scan into a new database; return the time that it took."""
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()
    started = time.perf_counter()
    subprocess.run(command(nets, database, *options), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def content(database: Path) -> list[tuple[object, ...]]:
    """Return what a database holds, but for times."""
    connection = sqlite3.connect(database)
    found = connection.execute("SELECT * FROM networks ORDER BY key")
    kept = [i for i, (name, *_) in enumerate(found.description) if name not in TIMES]
    rows = [tuple(row[i] for i in kept) for row in found]
    figures = connection.execute("SELECT key, f.* FROM figures f JOIN networks ON id = network ORDER BY key")
    rows += [(key, *rest) for key, _, *rest in figures]
    connection.close()
    return rows


def kill(nets: Path, whole: Path, database: Path, longest: float) -> bool:
    """Kill a scan at random moments, let it finish, and compare it with one that was not killed."""
    for _ in range(KILLS):
        with subprocess.Popen(command(nets, database), stdout=subprocess.DEVNULL) as scan:
            with contextlib.suppress(subprocess.TimeoutExpired):
                scan.wait(random.uniform(0, longest))  # noqa: S311  (a moment, no secret)
            scan.send_signal(signal.SIGKILL)
    subprocess.run(command(nets, database), check=True, stdout=subprocess.DEVNULL)
    return content(database) == content(whole)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--registry", help="such as timm or keras.applications")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.registry:
            database = folder / "zoo.db"
            scan = [sys.executable, "-m", "flopledger", "scan", given.registry, "-o", str(database)]
            started = time.perf_counter()
            subprocess.run(scan, check=True)
            spent = time.perf_counter() - started
            (peak,) = sqlite3.connect(database).execute("SELECT max(peak_bytes) FROM networks").fetchone()
            print(f"{given.registry}: {spent:.0f} s, the largest process {peak / 1e6:.0f} MB")
            return
        nets = folder / "nets"
        nets.mkdir()
        networks(nets, given.networks)
        ways = {
            "--jobs 1": ["--jobs", "1"],
            "--jobs 2": ["--jobs", "2"],
            "Dask, 2": ["--dask", "local", "--jobs", "2"],
        }
        spent = {way: [] for way in ways}
        for _ in range(given.rounds):
            for way, options in ways.items():
                spent[way].append(seconds(nets, folder / "zoo.db", *options))
        medians = {way: statistics.median(times) for way, times in spent.items()}
        for way, median in medians.items():
            print(f"{way}: {given.networks} networks, {1000 * median / given.networks:.1f} ms each")
        print(f"speed-up of two jobs: {medians['--jobs 1'] / medians['--jobs 2']:.2f}")
        print(f"Dask over --jobs 2: {medians['Dask, 2'] / medians['--jobs 2']:.2f}")
        whole = folder / "whole.db"
        seconds(nets, whole)
        same = kill(nets, whole, folder / "killed.db", medians["--jobs 2"])
        verdict = "the same" if same else "NOT the same"
        print(f"killed {KILLS} times, then finished: {verdict} as one not killed")


if __name__ == "__main__":
    main()
