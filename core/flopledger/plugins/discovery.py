"""Finds the frontends that are installed; ours and foreign ones come in by the same door.

Each is loaded on its own and has a pluggy manager of its own, so that a broken one is kept as a failure to
show and does not affect the others.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

from flopledger.errors import PluginError
from flopledger.frontend import hookspecs
from flopledger.frontend.description import Frontend
from flopledger.plugins.installed import entry_points
from flopledger.plugins.registry import Plugin, Registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

    from flopledger.kinds import Kind
    from flopledger.plugins.installed import EntryPoint

GROUP = "flopledger.frontends"


class _Manager(pluggy.PluginManager):
    """Looks at marked functions alone; pluggy inspects every name of a module, which takes a while."""

    def parse_hookspec_opts(
        self, module_or_class: ModuleType | type, name: str
    ) -> pluggy.HookspecOpts | None:
        """Return the options of a specification."""
        is_marked = hasattr(vars(module_or_class).get(name), f"{self.project_name}_spec")
        return super().parse_hookspec_opts(module_or_class, name) if is_marked else None

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """Return the options of a hook of a plugin."""
        is_marked = hasattr(getattr(plugin, name, None), f"{self.project_name}_impl")
        return super().parse_hookimpl_opts(plugin, name) if is_marked else None


def load(name: str, distribution: str, module: object) -> Plugin:
    """Make a plugin of a module with hooks.

    Raises:
        PluginError: It does not describe itself, or under another name than its entry point's.
        pluggy.PluginValidationError: A hook or one of its arguments is not one that is specified.
    """
    manager = _Manager("flopledger")
    manager.add_hookspecs(hookspecs)
    manager.register(module, name)
    manager.check_pending()
    frontend = manager.hook.frontend()
    if not isinstance(frontend, Frontend):
        raise PluginError(f"the hook frontend() of {name!r} gives {frontend!r}, expected a Frontend")
    if frontend.name != name:
        raise PluginError(f"it calls itself {frontend.name!r}, its entry point {name!r}: make them equal")
    file = getattr(module, "__file__", None) or ""
    code = f"{Path(file).parent}/" if getattr(module, "__package__", "") else file
    return Plugin(name, distribution, frontend, manager.hook, code)


def _place(entry: EntryPoint) -> tuple[bool, str, str]:
    """Our own come first, then by distribution and name, whatever the order on the search path."""
    return entry.distribution != "flopledger", entry.distribution, entry.name


def discover(entries: Iterable[EntryPoint]) -> Registry:
    """Load plugins one by one; no framework is imported."""
    found = Registry()
    for entry in sorted(entries, key=_place):
        try:
            found.add(load(entry.name, entry.distribution, entry.load()))
        except (Exception, SystemExit) as error:  # noqa: BLE001  (a plugin may be broken in any way)
            found.fail(entry.name, entry.distribution, error)
    return found


@functools.cache
def registry() -> Registry:
    """Return the registry of the installed plugins; it is looked up once."""
    return discover(entry_points(GROUP))


def kinds() -> Mapping[str, Kind]:
    """Return every kind by name, flopledger's own and the plugins'."""
    return registry().kinds


def conventions() -> tuple[Path, ...]:
    """Return the plugins' convention files."""
    return tuple(registry().conventions)
