"""The page of the hooks, and of what a frontend's author meets beside them."""

from __future__ import annotations

import dataclasses
import inspect
from typing import TYPE_CHECKING

from flopledger import testing
from flopledger.frontend import builder, hookspecs
from flopledger.frontend import description as frontend
from flopledger.frontend.request import Request
from flopledger.graph import tables
from flopledger.graph.graph import Graph

from pages.markup import block, code, documentation, page, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

WIDTH = 100
STARS: Mapping[object, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
CHECKS = (testing.check_frontend, testing.check_discovery, testing.check_graph, testing.unchanged)
RECORDS = (Graph, tables.Module, tables.Layer, tables.Tensor, tables.Parameter, tables.Input, tables.Reading)
"""The records of a graph, in the order of the page."""


def hooks() -> Mapping[str, Callable[..., object]]:
    """Return the hooks that are specified, in the order of the file."""
    return {
        name: member
        for name, member in vars(hookspecs).items()
        if inspect.isfunction(member) and hasattr(member, "flopledger_spec")
    }


def pages() -> Mapping[str, str]:
    """Return the page of the hooks and that of the graph."""
    return {"hooks": _hooks(), "graph": _graph()}


def _hooks() -> str:
    return page(
        "Hooks",
        documentation(hookspecs),
        "`from flopledger import hookimpl` marks an implementation. A hook that a plugin does not have is "
        "left out; one that it spells otherwise, or with other arguments, makes the plugin broken, which "
        "`flopledger frontends` shows. [Write a frontend](/how-to/write-a-frontend.md) goes through an "
        "example.",
        *(signature(f"## {code(name)}", hook) for name, hook in hooks().items()),
        "## What the hooks are given, and give",
        record(Request),
        record(frontend.Frontend),
        signature(f"### {code('type_names')}", frontend.type_names),
        "## The builder",
        documentation(builder.GraphBuilder),
        *methods(builder.GraphBuilder, "###"),
        "## Checks for a frontend's tests",
        documentation(testing),
        *(
            signature(f"### {code(check.__name__)}", check)
            for check in (
                testing.check_frontend,
                testing.check_discovery,
                testing.check_graph,
                testing.unchanged,
            )
        ),
    )


def _graph() -> str:
    return page(
        "The graph",
        documentation(tables),
        "`flopledger read` saves a graph as JSON, each table a list of records with these fields; "
        "`flopledger count` reads it back without loss. [What the graph is](/explanation/graph.md) explains "
        "levels and who covers whom.",
        *(record(cls, "##") for cls in RECORDS),
        *methods(Graph, "###"),
    )


def signature(heading: str, function: Callable[..., object]) -> str:
    """Write a function: its heading, its signature and its docstring."""
    return f"{heading}\n\n{block(spelled(function), 'python')}\n\n{documentation(function)}"


def spelled(function: Callable[..., object]) -> str:
    """Write a function's signature, on one line where it fits."""
    found = inspect.signature(function)
    listed = list(_parameters(found))
    returned = "" if found.return_annotation is found.empty else f" -> {found.return_annotation}"
    line = f"def {function.__name__}({', '.join(listed)}){returned}"
    if len(line) <= WIDTH:
        return line
    inner = "".join(f"    {parameter},\n" for parameter in listed)
    return f"def {function.__name__}(\n{inner}){returned}"


def _parameters(found: inspect.Signature) -> Iterator[str]:
    """Write the parameters, with the star that makes the rest keywords."""
    starred = False
    for parameter in found.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        star = STARS.get(parameter.kind, "")
        declared = "" if parameter.annotation is parameter.empty else f": {parameter.annotation}"
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        yield f"{star}{parameter.name}{declared}{default}"


def methods(cls: type, level: str) -> list[str]:
    """Write the public methods of a class, those that it inherits first."""
    return [
        signature(f"{level} {code(f'{cls.__name__}.{name}')}", getattr(cls, name))
        for base in reversed(cls.__mro__)
        for name, member in vars(base).items()
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, classmethod))
    ]


def record(cls: type, level: str = "###") -> str:
    """Write a record: its docstring, its fields with their types."""
    fields = [(field.name, str(field.type)) for field in dataclasses.fields(cls)]
    rows = [(code(name), code(declared), _default(cls, name)) for name, declared in fields]
    head = f"{level} {code(cls.__name__)}\n\n{documentation(cls)}"
    return f"{head}\n\n{table(('field', 'type', 'default'), rows)}"


def _default(cls: type, name: str) -> str:
    parameter = inspect.signature(cls).parameters[name]
    if parameter.default is parameter.empty:
        return "required"
    shown = repr(parameter.default)
    return "empty" if "factory" in shown or shown in ("()", "''") else code(shown)
