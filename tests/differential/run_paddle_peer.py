"""Asks one of Paddle's counters about the probes, in a process of its own, and prints its answers as JSON.

python run_paddle_peer.py TOOL [PROBE ...]        TOOL: paddle-flops, paddle-flops-static or paddle-summary
Needs NumPy below 2.4: with later ones paddle.flops fails.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")

import numpy as np  # noqa: E402  (paddle warns when it is imported)
import paddle  # noqa: E402
from paddle.hapi.dynamic_flops import dynamic_flops  # noqa: E402
from paddle_probes import PROBES, fresh, printed, split  # noqa: E402


def flops(make: Any, shape: tuple[Any, ...]) -> dict[str, Any]:
    """Ask paddle.flops about a layer; integer inputs go to the function that it calls itself."""
    sizes, dtype = split(shape)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        network = fresh(make)
        if dtype == "float32":
            count = paddle.flops(network, sizes, print_detail=True)
        else:
            count = dynamic_flops(network, paddle.ones(sizes, dtype), None, print_detail=True)
    lines = [line for line in said.getvalue().splitlines() if line.startswith(("+", "|", "Total"))]
    params = re.search(r"Total Params: (\d+)", lines[-1])
    return {"count": int(count), "params": int(params[1]) if params else None, "printed": printed(lines)}


def summary(make: Any, shape: tuple[Any, ...]) -> dict[str, Any]:
    """Ask paddle.summary."""
    sizes, dtype = split(shape)
    with contextlib.redirect_stdout(io.StringIO()):
        said = paddle.summary(fresh(make), tuple(sizes), dtypes=dtype)
    return {"params": int(said["total_params"]), "trainable": int(said["trainable_params"])}


def static(make: Any, shape: tuple[Any, ...]) -> dict[str, Any]:
    """Ask paddle.flops about a program of the old kind."""
    sizes, dtype = split(shape)
    with paddle.pir_utils.OldIrGuard():
        paddle.enable_static()
        try:
            program, start = paddle.static.Program(), paddle.static.Program()
            with paddle.static.program_guard(program, start):
                network = make()
                network.eval()
                network(paddle.static.data("x", sizes, dtype))
            with contextlib.redirect_stdout(io.StringIO()):
                return {"count": int(paddle.flops(program, [1]))}
        finally:
            paddle.disable_static()


TOOLS = {"paddle-flops": flops, "paddle-flops-static": static, "paddle-summary": summary}


def answer(tool: str, probe: str) -> dict[str, Any]:
    """Ask about one probe; a refusal is an answer too."""
    try:
        return TOOLS[tool](*PROBES[probe])
    except Exception as error:  # noqa: BLE001  (a tool may fail in any way)
        return {"error": type(error).__name__}


def main(tool: str, *wanted: str) -> None:
    """Ask about the probes that are named, or all."""
    answers = {probe: answer(tool, probe) for probe in wanted or PROBES}
    versions = {"paddlepaddle": paddle.__version__, "numpy": np.__version__}
    json.dump({"peer": tool, "versions": versions, "answers": answers}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
