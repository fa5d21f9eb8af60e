"""The hooks of the Keras frontend; Keras is imported by :mod:`flopledger_keras.read` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import (
    Frontend,
    SourceError,
    bounded,
    hookimpl,
    input_files,
    sources_beside,
    type_names,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from flopledger.frontend import Graph, Member, Request

_RELATED = (
    "tf_keras.src.engine.base_layer.Layer",
    "tensorflow.python.eager.polymorphic_function.polymorphic_function.Function",
    "tensorflow.python.eager.polymorphic_function.concrete_function.ConcreteFunction",
    "tensorflow.python.trackable.autotrackable.AutoTrackable",
)
"""Models of Keras 2, and TensorFlow's functions and saved models: read, or refused with the way out."""
_BASES = ("keras.src.ops.operation.Operation", "keras.src.layers.layer.Layer", *_RELATED)
_FACTORIES = ("keras.applications.", "keras.src.applications.")
_HEAD = 1 << 16


@hookimpl
def frontend() -> Frontend:
    """Describe the frontend."""
    return Frontend(
        name="keras",
        framework="Keras",
        module="keras",
        extra="keras",
        registries=("keras.applications",),
        preload=("keras", "flopledger_keras.read"),
        reads="Keras 3 models and layers, .keras files, .h5 files and JSON configs of Keras models",
    )


@hookimpl
def recognises_file(path: Path) -> bool:
    """Recognise a file by its suffix, a JSON file by the class name that Keras writes near its start."""
    suffix = path.suffix.lower()
    if suffix == ".keras":
        return True
    head = input_files.head(path, _HEAD)
    if suffix in (".h5", ".hdf5"):
        return head.startswith(b"\x89HDF")
    if head.startswith(b"PK"):
        return "config.json" in _members(path)
    return suffix == ".json" and b'"class_name"' in head and b'"config"' in head


def _members(path: Path) -> list[str]:
    try:
        return bounded.names_in(path)
    except SourceError:
        return []


@hookimpl
def recognises_object(obj: object) -> bool:
    """Recognise models and layers, their classes, and functions that return one or are Keras's own."""
    names = type_names(obj)
    return any(name in _BASES or name.startswith(_FACTORIES) for name in names)


@hookimpl
def build(factory: Callable[[], object], request: Request) -> object:  # noqa: ARG001
    """Make the model without giving its variables values, where it lets us."""
    from flopledger_keras.build import build_model  # noqa: PLC0415  (it imports Keras)

    return build_model(factory)


@hookimpl
def members(registry: str) -> Iterable[Member]:
    """List the networks of ``keras.applications``; each states its own input."""
    import keras  # noqa: PLC0415  (it takes seconds)
    from flopledger.frontend import Member  # noqa: PLC0415  (few need it)

    names = [name for name, made in vars(keras.applications).items() if callable(made) and name[0].isupper()]
    return [Member(name, f"{registry}:{name}") for name in sorted(names)]


@hookimpl
def libraries() -> tuple[str, ...]:
    """Return Keras itself, whose applications are its library of models."""
    return ("keras",)


@hookimpl
def library_model(library: str, name: str) -> Callable[..., object] | None:  # noqa: ARG001  (there is one)
    """Return the function of ``keras.applications`` that makes a network."""
    from flopledger_keras.libraries import model_of  # noqa: PLC0415  (it imports Keras)

    return model_of(name)


@hookimpl
def sources() -> Iterable[str]:
    """Return the names that calls of Keras may have."""
    return sources_beside(__file__)


@hookimpl
def read(source: object, request: Request) -> Graph:
    """Read a file or a live model.

    Raises:
        SourceError: It is missing, malformed, or can't be read.
        UsageError: An input does not fit, or one is missing.
    """
    from flopledger_keras.read import read_source  # noqa: PLC0415  (it imports Keras)

    return read_source(source, request)
