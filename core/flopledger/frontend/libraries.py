"""Libraries whose models a source names: ``timm:resnet50``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.errors import SourceError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType


def check_library_has(library: ModuleType, name: str, models: Iterable[str]) -> None:
    """Check that a name which is no model of a library is at least another attribute of it.

    Raises:
        SourceError: It is neither; the message names the nearest model.
    """
    if not hasattr(library, name.partition(".")[0]):
        raise SourceError(f"{library.__name__} has no model {name!r}{nearest(name, models)}")
