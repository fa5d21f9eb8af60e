"""The list of the names that calls of PyTorch may have; ``--overwrite`` renews it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from inspect import isclass

import framework_sources
import torch
from framework_sources import public

AREAS = ("fft", "linalg", "special")


def is_module(found: object) -> bool:
    return isclass(found) and issubclass(found, torch.nn.Module)


def is_function(found: object) -> bool:
    return callable(found) and not isclass(found)


def names() -> dict[str, list[str]]:
    """Return the names by where they are; a process of its own has none that other libraries add to torch."""
    operators = (name.partition("::") for name in torch._C._dispatch_get_all_op_names())
    return {
        "torch.nn": public(torch.nn, is_module),
        "torch.nn.functional": public(torch.nn.functional, is_function),
        "torch": public(torch, is_function),
        **{f"torch.{area}": public(getattr(torch, area), is_function) for area in AREAS},
        "torch.Tensor": sorted(set(dir(torch.Tensor)) - set(dir(object))),
        "aten": sorted({name.partition(".")[0] for space, _, name in operators if space == "aten"}),
    }


def test_the_list_of_sources_is_that_of_this_version(*, overwrite: bool) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, __file__], capture_output=True, text=True, check=True, env=environment
    )
    version = f"torch {torch.__version__.partition('+')[0]}"
    framework_sources.check("flopledger_torch", version, json.loads(done.stdout), overwrite=overwrite)


if __name__ == "__main__":
    json.dump(names(), sys.stdout)
