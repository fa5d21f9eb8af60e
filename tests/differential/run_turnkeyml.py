"""Asks TurnkeyML's counter about ONNX files, in a process of its own, and prints its answers as JSON.

    python run_turnkeyml.py turnkeyml/common/analyze_model.py FILE...

The package pins an older onnx and NumPy than ours, so that only the module with the counter is loaded, out of
an unpacked wheel; what it imports of its package logs and stores results. An answer is the FLOPs and the
parameters, or the error that it ended with. The tool writes inferred shapes into the file that it is given.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import types
from typing import Any


def module_of(path: str) -> Any:
    package, common = types.ModuleType("turnkeyml"), types.ModuleType("turnkeyml.common")
    printing, filesystem = (
        types.ModuleType("turnkeyml.common.printing"),
        types.ModuleType("turnkeyml.common.filesystem"),
    )
    printing.log_warning = lambda _: None  # type: ignore[attr-defined]
    filesystem.Stats = object  # type: ignore[attr-defined]
    common.printing, common.filesystem = printing, filesystem  # type: ignore[attr-defined]
    sys.modules.update(
        {"turnkeyml": package, "turnkeyml.common": common, "turnkeyml.common.printing": printing}
    )
    sys.modules["turnkeyml.common.filesystem"] = filesystem
    spec = importlib.util.spec_from_file_location("analyze_model", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ask(tool: Any, file: str) -> dict[str, Any]:
    try:
        params = tool.count_parameters(file)
        return {"flops": tool.get_onnx_total_flops(file), "params": params}
    except Exception as error:  # noqa: BLE001  (what it ends with is its answer)
        return {"error": f"{type(error).__name__}: {error}"[:120]}


if __name__ == "__main__":
    found = module_of(sys.argv[1])
    print(json.dumps({file: ask(found, file) for file in sys.argv[2:]}))  # noqa: T201
