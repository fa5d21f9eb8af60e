from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import warm
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Reading
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

COMMAND = (sys.executable, "-m", "flopledger")


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A saved graph: a convolution 3 -> 4 of 3x3 with bias on 8x8, 3 * 3 * 3 * 4 * 6 * 6 = 3888 macs,
    and a layer that no formula is known for."""
    builder = GraphBuilder(builtin())
    image = builder.input("data", (1, 3, 8, 8))
    attrs = {"kernel": (3, 3), "out_channels": 4, "bias": True}
    maps = builder.tensor(builder.infer("conv", attrs, [image], "conv")[0])
    builder.layer("conv", "conv", "Convolution", inputs=[image], outputs=[maps], attrs=attrs)
    answer = builder.tensor((1, 2))
    builder.layer("proposal", "unknown", "Python", inputs=[maps], outputs=[answer])
    graph = builder.build(Reading("toy.prototxt", "caffe", "caffe", "1.0", {"mode": "eval"}), [answer])
    path = tmp_path / "toy.json"
    path.write_text(graph.to_json())
    return path


@pytest.fixture
def flopledger(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command in a process of its own, a fork where that is enough, in a folder of its own."""

    def run(
        *args: str | Path, env: dict[str, str] | None = None, **more: object
    ) -> subprocess.CompletedProcess[str]:
        if not more and warm.takes(env):
            return warm.run([*map(str, args)], tmp_path, clean_env(env))
        return subprocess.run(
            command(*args), cwd=tmp_path, env=clean_env(env), text=True, timeout=60, check=False,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more},
        )  # fmt: skip

    return run


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Start the command and return its process."""

    def popen(*args: str | Path, **more: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen(command(*args), cwd=tmp_path, env=clean_env(None), **more)

    return popen


def command(*args: str | Path) -> Sequence[str]:
    return [*COMMAND, *map(str, args)]


def clean_env(more: dict[str, str] | None) -> dict[str, str]:
    """Return this process's environment without the variables that change a terminal's look."""
    dropped = ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "_FLOPLEDGER_COMPLETE")
    return (
        {k: v for k, v in os.environ.items() if k not in dropped} | {"TERM": "xterm-256color"} | (more or {})
    )
