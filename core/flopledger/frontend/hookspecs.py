"""The hooks that a frontend may implement, with ``flopledger.hookimpl`` in a light module of its own.

A frontend registers that module under the entry-point group ``flopledger.frontends``. ``read``, ``build``,
``members`` and ``library_model`` may import the framework; every other hook must be quick and import none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from flopledger.frontend.description import Frontend
    from flopledger.frontend.member import Member
    from flopledger.frontend.request import Request
    from flopledger.graph.graph import Graph
    from flopledger.kinds import Kind

hookspec = pluggy.HookspecMarker("flopledger")
hookimpl = pluggy.HookimplMarker("flopledger")


@hookspec(firstresult=True)
def frontend() -> Frontend:
    """Describe the frontend; its name is that of the entry point. The only hook that must be there."""
    raise AssertionError


@hookspec(firstresult=True)
def recognises_file(path: Path) -> bool:
    """Return whether this frontend reads a file, judged by its name or its first bytes."""
    raise AssertionError


@hookspec(firstresult=True)
def recognises_object(obj: object) -> bool:
    """Return whether this frontend reads an object, by :func:`flopledger.frontend.description.type_names`.

    The object may also be a class or function: the question is then whether this frontend reads its result.
    """
    raise AssertionError


@hookspec(firstresult=True)
def build(factory: Callable[[], object], request: Request) -> object:
    """Return ``factory()``, the model, without allocating weights where that is possible."""
    raise AssertionError


@hookspec(firstresult=True)
def read(source: object, request: Request) -> Graph:
    """Turn a file's ``Path`` or a live object into a graph, and leave everything as it was."""
    raise AssertionError


@hookspec(firstresult=True)
def members(registry: str) -> Iterable[Member]:
    """List the networks of one of the frontend's ``registries``, without building them."""
    raise AssertionError


@hookspec(firstresult=True)
def libraries() -> Iterable[str]:
    """Return the import names of libraries whose models a source may name, as in ``timm:resnet50``."""
    raise AssertionError


@hookspec(firstresult=True)
def library_model(library: str, name: str) -> Callable[..., object] | None:
    """Return the factory of a model by its name, without downloading weights; None where there is none."""
    raise AssertionError


@hookspec(firstresult=True)
def sources() -> Iterable[str]:
    """Return the sources that calls may have: a rule of a convention for one that is misspelt is an error.

    ``torch.nn: Conv1d Conv2d`` is a line with names of a namespace, whose lines hold all that there are;
    ``Convolution`` is a name by itself, beside which there may be others.
    """
    raise AssertionError


@hookspec(firstresult=True)
def kinds() -> Iterable[Kind]:
    """Return kinds of the plugin's own; their names carry its name, as in ``toy.scan``."""
    raise AssertionError


@hookspec(firstresult=True)
def conventions() -> Iterable[Path]:
    """Return convention files of the plugin's own; a convention is called as its file, without ``.toml``."""
    raise AssertionError
