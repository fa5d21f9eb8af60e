"""Read damaged files of a format, drawn by a seed, and list those that did not end in an error of ours.

    python tests/fuzz/sweep.py FORMAT COUNT [SEED]

FORMAT is pt2, keras, keras-json, h5, pdmodel, paddle-json or graph. The files are read as ``scan`` reads a
folder, in forks of one process that has imported the framework. Exits with 1 if one of them ends in a fault
of ours, a crash or a time limit, or leaves a file behind.
"""

from __future__ import annotations

import collections
import json
import os
import random
import re
import sqlite3
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from flopledger.cli import run
from mutation import changed, damaged

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT_S = "60"
"""Twice what the HDF5 library gets, which loops for ever in some files, before the system ends it."""
BYTES_ALONE = 4
"""Of so many files one has its bytes damaged, the others their documents."""
_NAMES = re.compile(r"'[^']*'|\"[^\"]*\"|[0-9]+|\S*/net[0-9]+\.\w+")
_OURS = re.compile(r"fault in flopledger|was killed by (?!SIGALRM)|ended with exit code|Traceback")


def _honest(form: str, folder: Path) -> Path:
    """Write a network as its framework does."""
    path = folder / f"honest.{SUFFIXES[form]}"
    if form == "pt2":
        import torch

        inner = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten())
        torch.export.save(torch.export.export(inner.eval(), (torch.zeros(2, 3, 8, 8),)), path)
    elif form in ("keras", "keras-json", "h5"):
        import keras

        kl = keras.layers
        given = keras.Input((8, 8, 3))
        x = kl.Flatten()(kl.BatchNormalization()(kl.Conv2D(4, 3, activation="relu")(given)))
        model = keras.Model(given, kl.Add()([kl.Dense(2)(x), kl.Dense(2)(kl.Dropout(0.5)(x))]))
        path.write_text(model.to_json()) if form == "keras-json" else model.save(path)
    elif form == "graph":
        example = Path(__file__).resolve().parents[2] / "examples" / "resnet18.prototxt"
        run(["read", str(example), "-o", str(path)])
    else:
        import paddle

        model = paddle.nn.Sequential(paddle.nn.Conv2D(3, 4, 3), paddle.nn.BatchNorm2D(4), paddle.nn.Flatten())
        spec = [paddle.static.InputSpec([-1, 3, 8, 8], "float32", "x")]
        if form == "paddle-json":
            paddle.jit.save(model, str(path.with_suffix("")), input_spec=spec)
        else:
            with paddle.pir_utils.OldIrGuard():
                paddle.jit.save(model, str(path.with_suffix("")), input_spec=spec)
    return path


def _damaged_zip(member: str) -> Callable[[random.Random, Path, Path], None]:
    def write(chosen: random.Random, honest: Path, path: Path) -> None:
        with zipfile.ZipFile(honest) as old, zipfile.ZipFile(path, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if name.endswith(member):
                    content = json.dumps(changed(chosen, json.loads(content))).encode()
                new.writestr(name, content)

    return write


def _damaged_h5(chosen: random.Random, honest: Path, path: Path) -> None:
    import h5py

    with h5py.File(honest) as old, h5py.File(path, "w") as new:
        document: Any = json.loads(old.attrs["model_config"])
        new.attrs["model_config"] = json.dumps(changed(chosen, document))


def _damaged_json(chosen: random.Random, honest: Path, path: Path) -> None:
    path.write_text(json.dumps(changed(chosen, json.loads(honest.read_text()))))


def _damaged_bytes(chosen: random.Random, honest: Path, path: Path) -> None:
    path.write_bytes(damaged(chosen, honest.read_bytes()))


SUFFIXES = {
    "pt2": "pt2", "keras": "keras", "keras-json": "json", "h5": "h5", "pdmodel": "pdmodel",
    "paddle-json": "json", "graph": "json",
}  # fmt: skip
WRITERS: dict[str, Callable[[random.Random, Path, Path], None]] = {
    "pt2": _damaged_zip("models/model.json"),
    "keras": _damaged_zip("config.json"),
    "keras-json": _damaged_json,
    "h5": _damaged_h5,
    "pdmodel": _damaged_bytes,
    "paddle-json": _damaged_json,
    "graph": _damaged_json,
}


def files(form: str, count: int, seed: int, folder: Path) -> None:
    """Write the damaged files of a format."""
    with tempfile.TemporaryDirectory() as name:
        honest = _honest(form, Path(name))
        for number in range(count):
            chosen = random.Random(seed * 1_000_000 + number)  # noqa: S311  (a seed that can be told)
            write = WRITERS[form] if number % BYTES_ALONE else _damaged_bytes
            write(chosen, honest, folder / f"net{number}.{SUFFIXES[form]}")


def main(form: str, count: str, seed: str = "0") -> int:
    """Sweep, and print how the readings ended, by kind."""
    with tempfile.TemporaryDirectory() as name:
        folder, database = Path(name, "files"), Path(name, "zoo.db")
        folder.mkdir()
        files(form, int(count), int(seed), folder)
        before = sorted(folder.iterdir())
        os.chdir(folder)
        run(["scan", f"*.{SUFFIXES[form]}", "-o", str(database), "--timeout", TIMEOUT_S])
        rows = list(
            sqlite3.connect(database).execute(
                "SELECT source, status, reason, seconds, peak_bytes FROM networks"
            )
        )
        after = sorted(folder.iterdir())
    kinds: collections.Counter[tuple[str, str]] = collections.Counter()
    bad = []
    for source, status, reason, _, _ in rows:
        kinds[status, _NAMES.sub("_", reason)[:150]] += 1
        if status in ("timeout", "memory") or _OURS.search(reason):
            bad.append(f"{source}: {status}: {reason}")
    for (status, reason), number in kinds.most_common():
        print(f"{number:6} {status:8} {reason}")  # noqa: T201  (a report)
    slowest, largest = max(row[3] for row in rows), max(row[4] for row in rows)
    print(*bad, sep="\n")  # noqa: T201
    print(  # noqa: T201
        f"{form}: {len(rows)} of {count} files, seed {seed}: {len(bad)} failures, "
        f"the slowest {slowest:.1f} s, at most {largest / 2**20:.0f} MiB"
    )
    return bool(bad) or before != after


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
