"""The rules of a user's convention file beside a network: keys that name nothing, or no call here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.conventions.convention import without_overload
from flopledger.errors import ConventionError, nearest

if TYPE_CHECKING:
    from flopledger.analysis.analysis import Analysis
    from flopledger.conventions.convention import Convention

EVERY = "*"


def unmatched(analysis: Analysis, convention: Convention) -> tuple[str, ...]:
    """Return the keys of a file's own rules that no call of a network has, on any level that they are for.

    A name in the form of our kinds, lower case without a dot, that is neither a kind nor a source here, is a
    slip of the pen. Other names may be sources of another network: a framework's, or the user's own classes.

    Raises:
        ConventionError: A key is such a slip; the message names the nearest kind or source.
    """
    if not convention.own_rules:
        return ()
    present = _present(analysis)
    matched: dict[str, bool] = {}
    for where, level, key in convention.own_rules:
        names = present.get(level, frozenset())
        matched[key] = matched.get(key, False) or key == EVERY or key in names
        if not matched[key] and _is_plain(key) and key not in analysis.kinds:
            known = frozenset().union(analysis.kinds, *present.values())
            if key not in known:
                raise ConventionError(f"{where}{key!r} is no kind and no source{nearest(key, known)}")
    return tuple(key for key, found in matched.items() if not found)


def _is_plain(key: str) -> bool:
    return key.islower() and key.isidentifier()


def _present(analysis: Analysis) -> dict[str, frozenset[str]]:
    """Return the names by which rules find the calls of each level: kinds, sources and base types."""
    found: dict[str, set[str]] = {}
    for layer in analysis.graph.layers:
        names = found.setdefault(layer.level, set())
        names |= {layer.kind, layer.source, without_overload(layer.source)}
        if layer.module is not None:
            names.update(analysis.graph.modules[layer.module].bases)
    return {level: frozenset(names) for level, names in found.items()}
