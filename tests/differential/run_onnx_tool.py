"""Asks onnx-tool about ONNX files, in a process of its own, and prints its answers as JSON.

    python run_onnx_tool.py FILE...

An answer is its MACs and parameters, as ``model_profile`` lists them with constants folded first, or the
error that it ended with.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import sys
import warnings
from typing import Any


def ask(file: str) -> dict[str, Any]:
    import onnx_tool

    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            graph = onnx_tool.loadmodel(file, {"verbose": False, "constant_folding": True}).graph
            graph.graph_reorder_nodes()
            graph.shape_infer(None)
            graph.profile(exclude_ops=onnx_tool.NoMacsOps)
        except Exception as error:  # noqa: BLE001  (what it ends with is its answer)
            return {"error": f"{type(error).__name__}: {error}"[:120]}
    return {"macs": round(graph.macs[0]), "params": int(graph.params)}


if __name__ == "__main__":
    answers = {file: ask(file) for file in sys.argv[1:]}
    print(json.dumps({"version": importlib.metadata.version("onnx-tool"), "answers": answers}))  # noqa: T201
