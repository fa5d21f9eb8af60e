"""The hooks of the PyTorch frontend. torch is imported when a model is built or read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import Frontend, hookimpl, input_files, sources_beside, type_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from flopledger.frontend import Graph, Member, Request

_BASES = frozenset({"torch.nn.modules.module.Module", "torch.export.exported_program.ExportedProgram"})
"""The base classes of every model and every exported program."""
_LIBRARIES = ("timm", "torchvision", "torchvision.models", "transformers")
_ALSO_CALLED = {
    **dict.fromkeys(("hf", "huggingface", "hugging_face"), "transformers"),
    **dict.fromkeys(("pytorch", "tv"), "torchvision"),
}
_LARGEST_CONFIG = 4_000_000


@hookimpl
def frontend() -> Frontend:
    """Describe the frontend."""
    return Frontend(
        name="torch",
        framework="PyTorch",
        module="torch",
        extra="torch",
        language_models=True,
        training=True,
        reads="PyTorch models (torch.nn.Module), exported programs (.pt2) and config.json of transformers",
        registries=("timm", "torchvision.models", "transformers"),
        also_called=_ALSO_CALLED,
        preload=("torch", "flopledger_torch.read", "flopledger_torch.libraries"),
    )


@hookimpl
def recognises_file(path: Path) -> bool:
    """Recognise an exported program by its name, a config of transformers by its content."""
    file = path / "config.json" if input_files.is_folder(path) else path
    if file.suffix.lower() == ".json":
        return b'"model_type"' in input_files.head(file, _LARGEST_CONFIG)
    return path.suffix.lower() == ".pt2"


@hookimpl
def recognises_object(obj: object) -> bool:
    """Recognise a module, a class of modules, and a function that is annotated to return one.

    A Keras layer is a module too where Keras computes with torch, and is not handled by this frontend.
    """
    names = type_names(obj)
    return not _BASES.isdisjoint(names) and not any(name.startswith("keras.") for name in names)


@hookimpl
def build(factory: Callable[[], object], request: Request) -> object:
    """Make a model without memory for its weights, where its constructor lets us."""
    from flopledger_torch.build import build_model  # noqa: PLC0415  (it imports torch)

    return build_model(factory, request)


@hookimpl
def members(registry: str) -> Iterable[Member]:
    """List the networks of a registry.

    Raises:
        UsageError: It is not installed.
    """
    from flopledger_torch.registries import members as listed  # noqa: PLC0415  (it imports the registry)

    return listed(registry)


@hookimpl
def libraries() -> tuple[str, ...]:
    """Return the libraries of models that people name a model of."""
    return _LIBRARIES


@hookimpl
def library_model(library: str, name: str) -> Callable[..., object] | None:
    """Return the factory of a model of such a library."""
    from flopledger_torch.libraries import model_of  # noqa: PLC0415  (it imports torch)

    return model_of(library, name)


@hookimpl
def sources() -> Iterable[str]:
    """Return the names that calls of PyTorch may have."""
    return sources_beside(__file__)


@hookimpl
def read(source: object, request: Request) -> Graph:
    """Read a module, an exported program, or a config of transformers.

    Raises:
        SourceError: The model can't be read; the message names the place.
        UsageError: The inputs don't fit.
    """
    from flopledger_torch.read import read_source  # noqa: PLC0415  (likewise)

    return read_source(source, request)
