"""The hooks of the Paddle frontend. paddle is imported when a model is built or read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import Frontend, Member, hookimpl, input_files, sources_beside, type_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from flopledger.frontend import Graph, Request

_LAYER = "paddle.nn.layer.layers.Layer"
"""The base class of every model."""
_HEAD = 4096
"""The bytes of a JSON file that are searched for these texts."""
_PROGRAM = (b'"base_code"', b'"program"')
"""A text near the start of a program that Paddle 3 has saved as JSON."""
_USUAL, _SIZES = "1x3x224x224", {"inception_v3": "1x3x299x299"}
"""The inputs of the networks that Paddle ships: pictures, of 299 pixels for Inception v3."""


@hookimpl
def frontend() -> Frontend:
    """Describe the frontend."""
    return Frontend(
        name="paddle",
        framework="Paddle",
        module="paddle",
        extra="paddle",
        registries=("paddle.vision.models",),
        preload=("paddle", "flopledger_paddle.read"),
        reads="Paddle models (paddle.nn.Layer) and saved inference programs (.json, .pdmodel)",
    )


@hookimpl
def recognises_file(path: Path) -> bool:
    """Recognise a saved inference program by its name, a JSON file by its first bytes."""
    if path.suffix.lower() == ".pdmodel":
        return True
    if path.suffix.lower() != ".json":
        return False
    head = input_files.head(path, _HEAD)
    return all(word in head for word in _PROGRAM)


@hookimpl
def recognises_object(obj: object) -> bool:
    """Recognise a layer, a class of layers, and a function that is annotated to return one."""
    return _LAYER in type_names(obj)


@hookimpl
def build(factory: Callable[[], object], request: Request) -> object:
    """Make a model without memory for its weights, where its constructor lets us."""
    from flopledger_paddle.build import build_model  # noqa: PLC0415  (it imports paddle)

    return build_model(factory, request)


@hookimpl
def members(registry: str) -> Iterable[Member]:
    """List the networks of ``paddle.vision.models``, with the sizes that they were trained on."""
    from paddle.vision import models  # noqa: PLC0415  (it takes seconds)

    names = [name for name in models.__all__ if name.islower()]
    return [Member(name, f"{registry}:{name}", inputs=(_SIZES.get(name, _USUAL),)) for name in sorted(names)]


@hookimpl
def sources() -> Iterable[str]:
    """Return the names that calls of Paddle may have."""
    return sources_beside(__file__)


@hookimpl
def read(source: object, request: Request) -> Graph:
    """Read a layer or a saved program.

    Raises:
        SourceError: It can't be read; the message names the place.
        UsageError: The inputs don't fit.
    """
    from flopledger_paddle.read import read_source  # noqa: PLC0415  (likewise)

    return read_source(source, request)
