"""The digest of a convention, by which two counts of one network are known to count alike."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXTS = ("title", "description", "source", "quirks", "estimates")
"""Keys of a file that only people read."""


def digest(content: Mapping[str, object]) -> str:
    """Return a digest of everything that counts in a file, merged with those that it extends.

    Texts for readers are left out, so that a correction does not look like another convention.
    """
    counts = {key: value for key, value in content.items() if key not in _TEXTS}
    if isinstance(switches := counts.get("switches"), dict):
        counts["switches"] = {
            name: {key: value for key, value in switch.items() if key not in ("doc", "idle")}
            for name, switch in switches.items()
        }
    text = json.dumps(counts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
