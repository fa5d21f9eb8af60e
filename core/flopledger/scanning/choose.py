"""Which networks a scan is about: those of a registry, of a folder, of a glob, or of a list."""

from __future__ import annotations

import fnmatch
import functools
import glob
import importlib.metadata
import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flopledger import input_files
from flopledger.errors import SourceError, UsageError, nearest
from flopledger.plugins import discovery as plugins
from flopledger.reading.read import saved_graph
from flopledger.records import dataclass
from flopledger.scanning import options
from flopledger.scanning.network import Network

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flopledger.frontend.member import Member
    from flopledger.plugins.registry import Plugin

LARGEST_LIST = 64 * 2**20
"""The largest list, in bytes."""
_LISTS = (".toml", ".jsonl")
_KEYS = ("name", "source", "frontend", "arguments", "inputs", *options.NAMES)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Networks of a registry that match a pattern; only the frontend can list them."""

    registry: str
    pattern: str
    plugin: Plugin

    def of(self, members: Iterable[Member]) -> list[Network]:
        """Choose among the registry's members.

        Raises:
            UsageError: None matches.
        """
        listed = list(members)
        release = _release(self.registry)
        found = [
            Network(
                name=member.name,
                source=member.source,
                frontend=self.plugin.name,
                arguments=member.arguments,
                inputs=member.inputs,
                registry=self.registry,
                registry_version=release,
                published=member.published,
            )
            for member in listed
            if fnmatch.fnmatchcase(member.name, self.pattern)
        ]
        if not found:
            near = nearest(self.pattern, [member.name for member in listed])
            raise UsageError(f"{self.registry} has no network that matches {self.pattern!r}{near}")
        return found


def wanted(what: str) -> Wanted | list[Network]:
    """Say which networks an argument of a scan means.

    Args:
        what: ``REGISTRY`` or ``REGISTRY:PATTERN``; a folder or a glob of files; a list (``.toml``,
            ``.jsonl``); or a single source, as the command line takes it.

    Raises:
        SourceError: There is nothing of that name, or a list can't be read.
        UsageError: A list is malformed.
    """
    name, _, pattern = what.partition(":")
    if plugin := _registrar(name):
        return Wanted(name, pattern or "*", plugin)
    path = Path(what)
    found = input_files.kind(path)
    if path.suffix in _LISTS and not found:
        return list(_listed(path))
    if found not in ("", "nothing", "a directory"):
        raise SourceError(f"{what}: it is {found}, expected a registry, a folder or a regular file")
    if found == "a directory":
        return _files(sorted(path.rglob("*")), path)
    if found and glob.has_magic(what):
        return _files(_matching(path), None, what)
    if not found or ":" in what:
        return [Network(_name(path, None), what, _frontend_of(path) or "")]
    frontends = [plugin.frontend for plugin in plugins.registry().plugins.values()]
    known = sorted(name for frontend in frontends for name in frontend.registries)
    raise SourceError(
        f"{what!r} is no registry, no folder and no file{nearest(name, known) or '.'} Expected a registry "
        f"({', '.join(known)}), a folder, a glob of files, or a list (.toml, .jsonl)"
    )


def _registrar(registry: str) -> Plugin | None:
    """Return the frontend that lists a registry; None where the name is none."""
    found = plugins.registry().plugins.values()
    return next((plugin for plugin in found if registry in plugin.frontend.registries), None)


def _files(paths: Iterable[Path], root: Path | None, what: str = "") -> list[Network]:
    """Return the files that a frontend reads; pictures and texts beside them are passed over."""
    found = [
        Network(_name(path, root), str(path), frontend)
        for path in paths
        if not input_files.kind(path) and (frontend := _frontend_of(path)) is not None
    ]
    if not found:
        raise SourceError(f"{what or root}: no file there is one that a frontend reads")
    return found


def _matching(pattern: Path) -> list[Path]:
    """Return the files that a glob means, as a shell does: no hidden ones, and no links followed in ``**``.

    Two links to their own folder are a tree of 2**40 folders.
    """
    parts = [part if part == "**" else part.replace("**", "*") for part in pattern.parts]
    parts += ["*"] if parts[-1] == "**" else []
    plain = [part for part in parts if part not in (pattern.anchor, "..")]
    start = Path(pattern.anchor)
    found = sorted(start.glob("/".join(parts[1:] if pattern.anchor else parts)))
    if any(part.startswith(".") for part in plain):
        return found
    return [path for path in found if not any(part.startswith(".") and part != ".." for part in path.parts)]


def _name(path: Path, root: Path | None) -> str:
    return str(path.relative_to(root)) if root else str(path)


def _frontend_of(path: Path) -> str | None:
    """Return the frontend that reads a file; empty for a saved graph, None where none or several claim it."""
    try:
        if saved_graph(path):
            return ""
    except SourceError:
        return None
    claims = [one.name for one in plugins.registry().plugins.values() if _claims(one, path)]
    return claims[0] if len(claims) == 1 else None


def _claims(plugin: Plugin, path: Path) -> bool:
    try:
        return bool(plugin.hooks.recognises_file(path=path))
    except Exception:  # noqa: BLE001  (a plugin may be broken in any way, and a file of any sort)
        return False


def _listed(path: Path) -> Iterator[Network]:
    """Yield the networks of a list: ``[[network]]`` tables of TOML, or one JSON object in each line."""
    for place, entry in _entries(path):
        unknown = [key for key in entry if key not in _KEYS]
        if unknown:
            found = f"{unknown[0]!r} is no key{nearest(unknown[0], _KEYS)}"
            raise UsageError(f"{path}, {place}: {found}; {_expected()}")
        source = entry.get("source")
        if not isinstance(source, str):
            raise UsageError(f"{path}, {place}: it has no source; {_expected()}")
        inputs, arguments = entry.get("inputs", []), entry.get("arguments", {})
        inputs = [inputs] if isinstance(inputs, str) else inputs
        if not (isinstance(inputs, list) and all(isinstance(one, str) for one in inputs)):
            raise UsageError(f"{path}, {place}: inputs are a list of texts, as in ['1x3x224x224']")
        if not isinstance(arguments, dict):
            raise UsageError(f"{path}, {place}: arguments are a table, as in {{ depth = 50 }}")
        try:
            given = options.checked({key: entry[key] for key in options.NAMES if key in entry})
        except UsageError as error:
            raise UsageError(f"{path}, {place}: {error}") from None
        settled = str(entry.get("frontend", "")) or (_frontend_of(Path(source)) or "")
        network = Network(str(entry.get("name", source)), source, settled, arguments, tuple(inputs), given)
        yield _of_registry(network)


def _of_registry(network: Network) -> Network:
    """Return a network with the registry that its source names, whose server has imported it already."""
    registry = network.source.partition(":")[0]
    plugin = _registrar(registry)
    if plugin is None or network.frontend not in ("", plugin.name):
        return network
    return replace(network, frontend=plugin.name, registry=registry, registry_version=_release(registry))


def _expected() -> str:
    return f"expected {', '.join(_KEYS)}, of which source alone has to be there"


def _entries(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        text = input_files.read_text(path, LARGEST_LIST)
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: it can't be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        if path.suffix == ".toml":
            found = tomllib.loads(text).get("network", [])
            entries = [
                (f"network {i}", one) for i, one in enumerate(found if isinstance(found, list) else [], 1)
            ]
        else:
            lines = enumerate(text.splitlines(), 1)
            entries = [(f"line {i}", json.loads(line)) for i, line in lines if line.strip()]
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: it can't be read as a list: {error}") from None
    if not entries:
        expected = "[[network]] tables, or a JSON object in each line"
        raise UsageError(f"{path}: it lists no network; expected {expected}")
    for place, entry in entries:
        if not isinstance(entry, dict):
            raise UsageError(f"{path}, {place}: it is no table; {_expected()}")
        yield place, entry


def modules_of(frontend: str, registry: str = "") -> tuple[str, ...]:
    """Return the modules that a server imports before it forks: a frontend's, and a registry."""
    plugin = plugins.registry().plugins.get(frontend)
    return (*(plugin.frontend.preload if plugin else ()), *([registry] if registry else []))


def release_of(frontend: str) -> str:
    """Return the version of a frontend's framework that is installed; empty where it needs none."""
    plugin = plugins.registry().plugins.get(frontend)
    return _release(plugin.frontend.module) if plugin and plugin.frontend.module else ""


@functools.cache
def _release(module: str) -> str:
    """Return the version of the distribution that a module belongs to."""
    top = module.partition(".")[0]
    names = importlib.metadata.packages_distributions().get(top, [])
    return importlib.metadata.version(names[0]) if names else ""
