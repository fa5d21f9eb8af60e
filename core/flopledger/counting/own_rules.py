"""The rules of a user's convention file beside a network: keys that name nothing, or no call here."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from flopledger.conventions.convention import without_overload
from flopledger.errors import ConventionError, near_names, nearest
from flopledger.plugins import discovery as plugins

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from flopledger.analysis.analysis import Analysis
    from flopledger.conventions.convention import Convention
    from flopledger.plugins.registry import Registry

EVERY = "*"
ALIKE = 0.9
"""How alike a name and its misspelling are: ``torhc.nn.Linear`` is one, ``keras_hub.layers.Dense`` is none.

Names that differ in a digit are two: ``Conv1d`` is no slip for ``Conv2d``.
"""
FEW = 3
"""How many names a message suggests, and how many letters a misspelling is longer or shorter."""
_DIGITS = re.compile("[0-9]+")


def unmatched(analysis: Analysis, convention: Convention) -> tuple[str, ...]:
    """Return the keys of a file's own rules that no call of a network has, on any level that they are for.

    Such a key may be for another network. It is a slip of the pen if it can't be: a name in the form of our
    kinds that is none, or in a namespace of a framework that has no such name, or that is spelled almost as
    a framework's. Any other may be a class of the user's own.

    Raises:
        ConventionError: A key is such a slip; the message names the nearest kind or source.
    """
    if not convention.own_rules:
        return ()
    present = _present(analysis)
    here = frozenset().union(*present.values())
    matched: dict[str, bool] = {}
    for where, level, key in convention.own_rules:
        names = present.get(level, frozenset())
        matched[key] = matched.get(key, False) or key == EVERY or key in names
        if not matched[key] and key not in here and key not in analysis.kinds:
            suggestion = _slip(key, here | analysis.kinds.keys())
            if suggestion is not None:
                raise ConventionError(f"{where}{key!r} is no kind and no source{suggestion}")
    return tuple(key for key, found in matched.items() if not found)


def _slip(key: str, here: AbstractSet[str]) -> str | None:
    """Return the likely meaning of a misspelt key; None where it may be a source of another network."""
    known, spaces = _sources(plugins.registry())
    operator = without_overload(key)
    if key in known or operator in known:
        return None
    if _is_plain(key):
        return nearest(key, here)
    last = [name for name in sorted(known) if name.endswith(f".{key}")]
    if last:
        return f"; did you mean {' or '.join(map(repr, last[:FEW]))}?"
    space = key.rpartition(".")[0]
    if space in spaces:
        return nearest(key, [name for name in known if name.startswith(f"{space}.")])
    for name in (key, operator):
        formed = [one for one in known if one.count(".") == name.count(".")]
        near = near_names(name, [one for one in formed if abs(len(one) - len(name)) <= FEW], ALIKE)
        if near and _DIGITS.findall(near[0]) == _DIGITS.findall(name):
            return f"; did you mean {near[0] + key.removeprefix(name)!r}?"
    return None


@functools.cache
def _sources(registry: Registry) -> tuple[frozenset[str], frozenset[str]]:
    """Return the frameworks' own names, and the namespaces that hold no others."""
    return registry.sources()


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
