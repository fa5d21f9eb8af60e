"""Asks onnx-opcounter about ONNX files, in a process of its own, and prints its answers as JSON.

    python run_onnx_opcounter.py onnx_opcounter/onnx_opcounter.py FILE...

The package states no need of onnxruntime and imports it, to run a model whose shapes can't be inferred: the
module alone is loaded, out of an unpacked archive, and a model of that sort has an error for its answer.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import sys
import types
from typing import Any


def module_of(path: str) -> Any:
    sys.modules["onnxruntime"] = types.ModuleType("onnxruntime")
    spec = importlib.util.spec_from_file_location("onnx_opcounter", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ask(tool: Any, file: str) -> dict[str, Any]:
    import onnx

    with contextlib.redirect_stdout(io.StringIO()):  # it names each operator that it does not know
        try:
            model = onnx.load(file)
            return {"macs": int(tool.calculate_macs(model)), "params": int(tool.calculate_params(model))}
        except Exception as error:  # noqa: BLE001  (what it ends with is its answer)
            return {"error": f"{type(error).__name__}: {error}"[:120]}


if __name__ == "__main__":
    found = module_of(sys.argv[1])
    print(json.dumps({file: ask(found, file) for file in sys.argv[2:]}))  # noqa: T201
