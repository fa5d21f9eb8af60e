"""The plugins that are installed, and the kinds and conventions that there are with them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger.errors import PluginError
from flopledger.kinds import builtin
from flopledger.records import dataclass

if TYPE_CHECKING:
    import pluggy

    from flopledger.frontend.description import Frontend
    from flopledger.kinds import Kind


@dataclass(frozen=True, slots=True)
class Plugin:
    """A frontend that was loaded: its distribution, its description of itself, and its hooks.

    ``code`` is the prefix of the paths of its own code.
    """

    name: str
    distribution: str
    frontend: Frontend
    hooks: pluggy.HookRelay
    code: str = ""

    def offers(self, hook: str) -> bool:
        """Return whether the plugin implements a hook."""
        caller: pluggy.HookCaller = getattr(self.hooks, hook)
        return bool(caller.get_hookimpls())


@dataclass(frozen=True, slots=True)
class Failure:
    """A plugin that is broken, and why."""

    name: str
    distribution: str
    error: str


class Registry:
    """The plugins that work, those that failed, and their kinds and conventions.

    ``kinds`` holds flopledger's own and the plugins', ``conventions`` the plugins' files.
    """

    def __init__(self) -> None:
        self.plugins: dict[str, Plugin] = {}
        self.failures: dict[tuple[str, str], Failure] = {}
        self.kinds: dict[str, Kind] = dict(builtin())
        self.conventions: list[Path] = []
        self._owners: dict[tuple[str, str], str] = {("kind", name): "flopledger" for name in self.kinds}
        for path in (Path(__file__).parents[1] / "conventions").glob("*.toml"):
            self._owners["convention", path.stem] = "flopledger"

    def add(self, plugin: Plugin) -> None:
        """Take a plugin in with all it brings, or not at all.

        Raises:
            PluginError: A name is taken (the message names its owner), a kind lacks the plugin's prefix,
                or a convention file is not there.
        """
        kinds: list[Kind] = list(plugin.hooks.kinds() or ())
        files: list[Path] = list(plugin.hooks.conventions() or ())
        for kind in kinds:
            if not kind.name.startswith(f"{plugin.name}."):
                message = f"the kind {kind.name!r} lacks the plugin's name: '{plugin.name}.{kind.name}'"
                raise PluginError(message)
        for file in files:
            if not file.is_file():
                raise PluginError(f"the convention file {file} is not there")
        names = [("plugin", plugin.name)]
        names += [("kind", kind.name) for kind in kinds] + [("convention", file.stem) for file in files]
        self._owners = self._claim(names, f"the plugin {plugin.name!r} of {plugin.distribution}")
        self.plugins[plugin.name] = plugin
        self.kinds.update((kind.name, kind) for kind in kinds)
        self.conventions += files

    def _claim(self, names: list[tuple[str, str]], owner: str) -> dict[tuple[str, str], str]:
        owners = dict(self._owners)
        for what, name in names:
            if (what, name) in owners:
                raise PluginError(f"{owner} brings the {what} {name!r}, as {owners[what, name]} does already")
            owners[what, name] = owner
        return owners

    def fail(self, name: str, distribution: str, error: BaseException) -> None:
        """Record a plugin's failure."""
        failure = Failure(name, distribution, f"{type(error).__name__}: {error}")
        self.failures[name, distribution] = failure

    def sources(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the sources that the plugins list, and the namespaces of which they list every name."""
        lines = (line for plugin in self.plugins.values() for line in plugin.hooks.sources() or ())
        parts = [line.partition(": ") for line in lines if not line.startswith("#")]
        names = {f"{space}.{name}" for space, _, inside in parts for name in inside.split()}
        spaces = {space for space, separator, _ in parts if separator}
        return frozenset(names | {name for name, separator, _ in parts if not separator}), frozenset(spaces)

    @property
    def code(self) -> tuple[str, ...]:
        """The prefixes of the paths of the plugins' own code."""
        return tuple(plugin.code for plugin in self.plugins.values() if plugin.code)

    @property
    def frameworks(self) -> tuple[str, ...]:
        """The prefixes of the paths of those of the plugins' frameworks that are imported."""
        modules = (sys.modules.get(plugin.frontend.module) for plugin in self.plugins.values())
        files = (getattr(module, "__file__", None) for module in modules)
        return tuple(f"{Path(file).parent}/" for file in files if file)
