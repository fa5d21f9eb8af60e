"""Reads the parameters of a file of weights into a graph; the operations that read them are unknown."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.frontend import (
    BUFFER_ROLES,
    CONTAINER,
    UNKNOWN,
    GraphBuilder,
    Module,
    Parameter,
    Reading,
    SourceError,
    UsageError,
    builtin,
    shown,
)

from flopledger_safetensors.files import tensors_of

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.frontend import Graph, Request

    from flopledger_safetensors.header import Stored

NETWORK = "safetensors.File"
MODULE = "safetensors.Module"
"""The type of every module: a file states no classes."""
FORWARD = "safetensors.forward"
ALONE = "a header without the weights behind it: the parameters are those that it lists"
PROBLEM = "the file holds weights and no network: the operations that read them are not known"

_ROLES = {
    "running_mean": "running_mean", "running_var": "running_var",
    "moving_mean": "running_mean", "moving_variance": "running_var", "num_batches_tracked": "counter",
    "bias": "bias",
}  # fmt: skip
"""The names of parameters that are no weights, in frameworks."""
_LONGEST, _DEEPEST = 4_096, 100
"""How long a parameter's name may be, and in how many modules it may lie: each gets a path of its own."""
_MOST_MODULES = 1 << 19
"""The most modules of a file; Kimi K2, with 384 experts in each of its layers, has half of them."""
_DIGITS = re.compile(r"(\d+)")


def read_file(path: Path, request: Request) -> Graph:
    """Read a file of weights, the files that an index names, or those of a folder.

    Raises:
        SourceError: One of them is missing or malformed.
        UsageError: Inputs are given.
    """
    if request.inputs or request.values is not None:
        raise UsageError("a file of weights has no inputs: leave out -i, or give the network's own source")
    tensors = tensors_of(path)
    builder = GraphBuilder(builtin())
    builder.modules.append(Module(0, ("",), NETWORK))
    root = builder.layer("", CONTAINER, NETWORK, module=0)
    modules = _Modules(builder, path)
    for stored in sorted(tensors, key=lambda each: _natural(each.name)):
        modules.add(stored, root)
    builder.layer("(operations)", UNKNOWN, FORWARD, parent=root, problem=PROBLEM)
    modules.finish()
    notes = () if all(stored.held for stored in tensors) else (ALONE,)
    reading = Reading(
        request.source, "safetensors", "safetensors", "header", profile={"mode": "eval"}, notes=notes
    )
    return builder.build(reading, ())


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Return a key by which ``layer.2`` comes before ``layer.10``."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in _DIGITS.split(name)]


class _Modules:
    """The modules that the names of parameters spell out; each parameter is one too, which a row shows."""

    def __init__(self, builder: GraphBuilder, file: Path) -> None:
        self.builder, self.file = builder, file
        self.numbers = {"": 0}
        self.children: dict[int, list[int]] = {0: []}

    def add(self, stored: Stored, parent: int) -> None:
        """Add a parameter."""
        if len(stored.name) > _LONGEST or stored.name.count(".") > _DEEPEST:
            what = f"the name {shown(stored.name)} is longer than any module's"
            raise SourceError(
                f"{self.file}: {what}, expected at most {_LONGEST:,} characters and {_DEEPEST} points"
            )
        builder, number = self.builder, len(self.builder.parameters)
        leaf = stored.name.rpartition(".")[2]
        counter = stored.dtype in ("int64", "int32", "bool")
        role = _ROLES.get(leaf, "counter" if counter else "weight")
        builder.parameters.append(
            Parameter(
                number, (stored.name,), stored.shape, stored.dtype, role,
                trainable=role not in BUFFER_ROLES, object=number, storage=number,
            )
        )  # fmt: skip
        module = self._module(stored.name)
        builder.modules[module] = replace(builder.modules[module], parameters=((leaf, number),))
        builder.layer(
            stored.name, "parameter", stored.dtype, parent=parent, module=module,
            outputs=[builder.tensor(stored.shape, stored.dtype)], attrs={"shape": stored.shape},
        )  # fmt: skip

    def _module(self, path: str) -> int:
        """Return the module of a path, those around it made first."""
        missing, above = [], path
        while above not in self.numbers:
            missing.append(above)
            above = above.rpartition(".")[0]
        if len(self.builder.modules) + len(missing) > _MOST_MODULES:
            raise SourceError(f"{self.file}: its names spell out more than {_MOST_MODULES:,} modules")
        for each in reversed(missing):
            number = self.numbers[each] = len(self.builder.modules)
            self.builder.modules.append(Module(number, (each,), MODULE))
            self.children[number] = []
            self.children[self.numbers[each.rpartition(".")[0]]].append(number)
        return self.numbers[path]

    def finish(self) -> None:
        """Give each module those in it."""
        for number, children in self.children.items():
            module = self.builder.modules[number]
            self.builder.modules[number] = replace(module, children=tuple(children))
