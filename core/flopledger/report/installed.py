"""The installed conventions and frontends, for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.report import jsonfile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.conventions.convention import Convention
    from flopledger.plugins.registry import Registry


def conventions(found: Iterable[Convention]) -> str:
    """Write conventions as the JSON document that ``conventions.schema.json`` describes."""
    every = [
        {
            "name": one.name,
            "title": one.title,
            "unit": one.unit,
            "switches": [
                {"name": name, "values": list(switch.values), "default": switch.default, "doc": switch.doc}
                for name, switch in one.switches.items()
            ],
        }
        for one in found
    ]
    return jsonfile.written({"schema": "flopledger.conventions/1", "conventions": every}) + "\n"


def frontends(registry: Registry) -> str:
    """Write the frontends as the JSON document that ``frontends.schema.json`` describes."""
    every: list[dict[str, object]] = [
        {"name": name, "distribution": one.distribution, "summary": one.frontend.summary, "error": None}
        for name, one in registry.plugins.items()
    ]
    every += [
        {"name": one.name, "distribution": one.distribution, "summary": None, "error": one.error}
        for one in registry.failures.values()
    ]
    return jsonfile.written({"schema": "flopledger.frontends/1", "frontends": every}) + "\n"
