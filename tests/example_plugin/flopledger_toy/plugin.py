"""The hooks of the toy frontend. Discovery imports this module, so it imports little."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flopledger.frontend import Frontend, hookimpl, type_names

from flopledger_toy.scan import SCAN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.frontend import Graph, Kind, Request


@hookimpl
def frontend() -> Frontend:
    return Frontend(
        name="toy",
        framework="Toy",
        module="flopledger_toy.model",
        in_place=True,
        reads="toy networks (.toy) and ToyModel objects",
    )


@hookimpl
def recognises_file(path: Path) -> bool:
    return path.suffix == ".toy"


@hookimpl
def recognises_object(obj: object) -> bool:
    return "flopledger_toy.model.ToyModel" in type_names(obj)


@hookimpl
def read(source: object, request: Request) -> Graph:
    from flopledger_toy.read import read_network

    return read_network(source, request)


@hookimpl
def kinds() -> Iterable[Kind]:
    return (SCAN,)


@hookimpl
def conventions() -> Iterable[Path]:
    return (Path(__file__).parent / "toy-price.toml",)
