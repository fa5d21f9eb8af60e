"""The nesting of a program's arguments: lists, tuples and dicts, stored as a tree of types.

torch builds such a tree by importing the types that it names; here only its shape is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flopledger.frontend import bounded

from flopledger_torch.archive.documents import listed, malformed, mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_VALUES = 1 << 18
_LISTS = ("builtins.list", "collections.deque", "torch.fx.immutable_collections.immutable_list")


def arguments(calls: object, leaves: list[Any]) -> tuple[tuple[Any, ...], dict[str, Any], list[str]]:
    """Return the arguments that leaves make, positional and by name, and the names of all of them.

    Raises:
        SourceError: The tree is malformed, or has other leaves.
    """
    signature = _outermost(calls)
    if signature is None:
        return tuple(leaves), {}, [f"arg_{i}" for i in range(len(leaves))]
    written = bounded.json_of(text(signature.get("in_spec"), "the tree of inputs"), "the tree of inputs",
                              most=_MOST_VALUES)  # fmt: skip
    spec = written[1] if isinstance(written, list) and len(written) == 2 else None
    waiting = iter(leaves)
    try:
        found = _tree(mapping(spec, "the tree of inputs"), waiting)
    except StopIteration:
        raise malformed(f"the tree of inputs has more leaves than there are inputs: {len(leaves)}") from None
    if next(waiting, waiting) is not waiting or not _is_call(found):
        raise malformed("the tree of inputs is not that of its inputs")
    args, kwargs = found
    names = signature.get("forward_arg_names")
    if not isinstance(names, list) or len(names) != len(args) + len(kwargs):
        names = [f"arg_{i}" for i in range(len(args))] + list(kwargs)
    return args, kwargs, [text(name, "an argument's name") for name in names]


def _outermost(calls: object) -> dict[str, Any] | None:
    """Return how the outermost module is called."""
    for entry in listed(calls if calls is not None else [], "the calls of modules"):
        about = mapping(entry, "a call of a module")
        if about.get("fqn") == "" and about.get("signature") is not None:
            return mapping(about["signature"], "a call's signature")
    return None


def _is_call(found: Any) -> bool:
    if type(found) is not tuple or len(found) != 2 or type(found[0]) is not tuple:
        return False
    return isinstance(found[1], dict) and all(isinstance(name, str) for name in found[1])


def _tree(spec: dict[str, Any], leaves: Iterator[Any]) -> Any:
    """Return lists, tuples and dicts with the leaves in them."""
    kind = spec.get("type")
    if kind is None:
        return next(leaves)
    inner = [_tree(mapping(one, "a tree"), leaves) for one in listed(spec.get("children_spec"), "a tree")]
    if kind in _LISTS:
        return inner
    keys = None if kind in ("builtins.tuple", "collections.namedtuple") else _keys(spec.get("context"))
    if keys is None or len(keys) != len(inner):
        return tuple(inner)
    return dict(zip(keys, inner, strict=True))


def _keys(written: object) -> list[Any] | None:
    """Return the keys of a dict, or of a similar mapping."""
    if not isinstance(written, str):
        return None
    found: Any = bounded.json_of(written, "the keys of an input", most=_MOST_VALUES)
    if isinstance(found, dict):
        found = found.get("dict_context")  # a dict with a default for missing keys
    if isinstance(found, list) and all(isinstance(key, (str, int)) for key in found):
        return found
    return None
