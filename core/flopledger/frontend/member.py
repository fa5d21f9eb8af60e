"""A network of a registry, as a frontend lists it."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Member:
    """A network that a registry offers.

    Attributes:
        name: Its name in the registry.
        source: The source that makes it, as ``package.module:attribute``.
        arguments: The arguments that ``source`` is called with.
        inputs: Its inputs, as specs; empty where the source states its own.
        published: The figures that the registry states itself, such as ``macs`` and ``params``, as texts.
    """

    name: str
    source: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    published: Mapping[str, str] = field(default_factory=dict)
