"""Lists the networks of a registry, in a process that may import it."""

from __future__ import annotations

import json
from dataclasses import asdict

from flopledger.errors import PluginError
from flopledger.frontend.member import Member
from flopledger.plugins import discovery as plugins


def listed(wanted: tuple[str, str]) -> bytes:
    """List a registry, by the name of its frontend and its own.

    Raises:
        PluginError: The frontend lists something else than networks.
    """
    frontend, registry = wanted
    found = list(plugins.registry().plugins[frontend].hooks.members(registry=registry) or ())
    if not all(isinstance(one, Member) for one in found):
        raise PluginError(f"the frontend {frontend!r} lists {registry} as {found[:3]!r}, expected members")
    return json.dumps([asdict(one) for one in found]).encode()


def members(content: bytes) -> list[Member]:
    """Return the content that :func:`listed` wrote."""
    return [Member(**{**one, "inputs": tuple(one["inputs"])}) for one in json.loads(content)]
