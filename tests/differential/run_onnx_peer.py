"""Asks a counter of ONNX files about some, in a process of its own, and prints its answers as JSON.

    python run_onnx_peer.py onnx-tool FILE...
    python run_onnx_peer.py onnx-opcounter=onnx_opcounter/onnx_opcounter.py FILE...
    python run_onnx_peer.py turnkeyml=turnkeyml/common/analyze_model.py FILE...

An answer is the tool's operations and parameters, or the error that it ended with. Of two tools the counter's
module alone is loaded, out of an unpacked archive, and what it imports besides is left empty: onnx-opcounter
needs onnxruntime only for models whose shapes can't be inferred, and turnkeyml pins an older onnx and NumPy
than ours. turnkeyml writes inferred shapes into the file that it is given.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import io
import json
import sys
import types
import warnings
from typing import Any

EMPTY = {
    "onnx-tool": (),
    "onnx-opcounter": ("onnxruntime",),
    "turnkeyml": (
        "turnkeyml",
        "turnkeyml.common",
        "turnkeyml.common.printing",
        "turnkeyml.common.filesystem",
    ),
}


def module_of(tool: str, path: str) -> Any:
    if not path:
        return __import__(tool.replace("-", "_"))
    for name in EMPTY[tool]:
        sys.modules[name] = types.ModuleType(name)
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], last, sys.modules[name])
    if tool == "turnkeyml":
        sys.modules["turnkeyml.common.printing"].log_warning = lambda _: None  # type: ignore[attr-defined]
        sys.modules["turnkeyml.common.filesystem"].Stats = object  # type: ignore[attr-defined]
    spec = importlib.util.spec_from_file_location("counter", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_onnx_tool(module: Any, file: str) -> dict[str, Any]:
    """As ``model_profile`` lists them, with constants folded first."""
    graph = module.loadmodel(file, {"verbose": False, "constant_folding": True}).graph
    graph.graph_reorder_nodes()
    graph.shape_infer(None)
    graph.profile(exclude_ops=module.NoMacsOps)
    return {"macs": round(graph.macs[0]), "params": int(graph.params)}


def by_onnx_opcounter(module: Any, file: str) -> dict[str, Any]:
    import onnx

    model = onnx.load(file)
    return {"macs": int(module.calculate_macs(model)), "params": int(module.calculate_params(model))}


def by_turnkeyml(module: Any, file: str) -> dict[str, Any]:
    params = module.count_parameters(file)
    return {"flops": module.get_onnx_total_flops(file), "params": params}


ASK = {"onnx-tool": by_onnx_tool, "onnx-opcounter": by_onnx_opcounter, "turnkeyml": by_turnkeyml}


def ask(tool: str, module: Any, file: str) -> dict[str, Any]:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ASK[tool](module, file)
        except Exception as error:  # noqa: BLE001  (what it ends with is its answer)
            return {"error": f"{type(error).__name__}: {error}"[:120]}


if __name__ == "__main__":
    name, _, place = sys.argv[1].partition("=")
    counter = module_of(name, place)
    said: dict[str, Any] = {"answers": {file: ask(name, counter, file) for file in sys.argv[2:]}}
    if not place:
        said["version"] = importlib.metadata.version(name)
    print(json.dumps(said))  # noqa: T201
