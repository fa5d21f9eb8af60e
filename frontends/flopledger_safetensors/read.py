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
    bounded,
    builtin,
)

from flopledger_safetensors.header import Stored, stored_in
from flopledger_safetensors.plugin import INDEX

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.frontend import Graph, Request

NETWORK = "safetensors.File"
MODULE = "safetensors.Module"
"""The type of every module: a file states no classes."""
FORWARD = "safetensors.forward"
PROBLEM = "the file holds weights and no network: the operations that read them are not known"

_ROLES = {
    "running_mean": "running_mean", "running_var": "running_var",
    "moving_mean": "running_mean", "moving_variance": "running_var", "num_batches_tracked": "counter",
    "bias": "bias",
}  # fmt: skip
"""What frameworks call the parameters that are no weights."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*\.safetensors")
"""The names of files that an index may lead to: none with a slash, so that they lie beside it."""
_DIGITS = re.compile(r"(\d+)")


def read_file(path: Path, request: Request) -> Graph:
    """Read a file of weights, or the files that an index names.

    Raises:
        SourceError: One of them is missing or malformed.
        UsageError: Inputs are given.
    """
    if request.inputs or request.values is not None:
        raise UsageError("a file of weights has no inputs: leave out -i, or give the network's own source")
    tensors = _of_index(path) if path.name.lower().endswith(INDEX) else stored_in(path)
    builder = GraphBuilder(builtin())
    builder.modules.append(Module(0, ("",), NETWORK))
    root = builder.layer("", CONTAINER, NETWORK, module=0)
    modules = _Modules(builder)
    for stored in sorted(tensors, key=lambda each: _natural(each.name)):
        modules.add(stored, root)
    builder.layer("(operations)", UNKNOWN, FORWARD, parent=root, problem=PROBLEM)
    modules.finish()
    reading = Reading(request.source, "safetensors", "safetensors", "header", profile={"mode": "eval"})
    return builder.build(reading, ())


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Return a key by which ``layer.2`` comes before ``layer.10``."""
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in _DIGITS.split(name)]


class _Modules:
    """The modules that the names of parameters spell out; each parameter is one too, which a row shows."""

    def __init__(self, builder: GraphBuilder) -> None:
        self.builder = builder
        self.numbers = {"": 0}
        self.children: dict[int, list[int]] = {0: []}

    def add(self, stored: Stored, parent: int) -> None:
        """Add a parameter."""
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


def _of_index(path: Path) -> list[Stored]:
    """Return the tensors of the files beside an index that it names.

    Raises:
        SourceError: It names a file elsewhere, or one that is not there or lacks a tensor.
    """
    listed = bounded.json_of(bounded.text_of(path), str(path))
    places = listed.get("weight_map") if isinstance(listed, dict) else None
    if not isinstance(places, dict):
        raise SourceError(f"{path}: it has no weight_map, which names the file of each tensor")
    names = sorted({str(name) for name in places.values()})
    for name in names:
        if not _NAME.fullmatch(name):
            raise SourceError(f"{path}: it names the file {name!r}, expected one beside it (.safetensors)")
    missing = [name for name in names if not (path.parent / name).exists()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise SourceError(f"{path}: it names {missing[0]}{more}, not found beside it")
    found = {each.name: each for name in names for each in stored_in(path.parent / name)}
    absent = [name for name in places if name not in found]
    if absent:
        raise SourceError(f"{path}: it lists the tensor {absent[0]!r}, which no file of it has")
    return list(found.values())
