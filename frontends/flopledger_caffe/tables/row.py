"""The entry of the table of layers for a type."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from flopledger.frontend import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.frontend import Shape, Value

    from flopledger_caffe.text.fields import View
    from flopledger_caffe.text.net import Entry


class Blob(NamedTuple):
    """A weight or statistic of a layer: its name there, its role in the graph, and its shape."""

    name: str
    role: str
    shape: Shape


class Operand(NamedTuple):
    """A bottom as the kind sees it: which one, and its shape where that is another view of it."""

    bottom: int
    shape: Shape | None = None


class Known(NamedTuple):
    """A row's description of one layer: kind and attributes, weights, tops, native fields, and problems.

    ``unread`` are its fields that may have a meaning and were not read; ``order`` are the bottoms that are
    operands of its kind, None where one of them is another view of a bottom.
    """

    kind: str | None
    attrs: Attrs
    blobs: tuple[Blob, ...]
    made: Sequence[Shape | None]
    native: dict[str, Value]
    problem: str = ""
    unread: tuple[str, ...] = ()
    order: tuple[int, ...] | None = None


Attrs: TypeAlias = "dict[str, Value]"
Shapes: TypeAlias = "tuple[Shape | None, ...]"
"""Shapes of tops; None means that of the first top."""
MANY = 2**31 - 1
"""No limit to the number of bottoms or tops."""


def _no_attrs(_: View) -> Attrs:
    return {}


def _no_blobs(_: View) -> tuple[Blob, ...]:
    return ()


@dataclass(frozen=True)
class Row:
    """One type of layer.

    Attributes:
        kind: The kind, or a function that chooses it by the layer's fields; None where no formula is known.
        params: The field that holds the layer's own fields.
        attrs: The attributes that the kind requires.
        blobs: The weights and statistics, in Caffe's order.
        tops: The shapes of all tops, where the kind has no rule for them.
        more_tops: The shapes of the optional tops behind those that the kind's rule gives.
        operands: The bottoms as the kind takes them, where it is another order or view.
        bottoms, made: The least and the most bottoms, and tops.
        defaults: Values of fields that conventions read, for where the file is silent.
        words: The words of those among them that are enumerations.
        restore: The shapes of the tops, from those that the kind's rule gives for the operands' views.
        shares: Whether the top is the bottom's memory under another shape.
        labels: The first of the bottoms that are labels: they may be missing, since no formula needs them,
            and a fork's layer may have more tops than upstream's; MANY where there are none.
        note: The assumptions of the reading about it.
        why: Why a type without a kind has no formula.
    """

    kind: str | Callable[[View], str] | None = None
    params: str = ""
    attrs: Callable[[View], Attrs] = _no_attrs
    blobs: Callable[[View], tuple[Blob, ...]] = _no_blobs
    tops: Callable[[View], Shapes] | None = None
    more_tops: Callable[[View], Shapes] | None = None
    operands: Callable[[View], tuple[Operand, ...]] | None = None
    bottoms: tuple[int, int] = (1, 1)
    made: tuple[int, int] = (1, 1)
    defaults: Mapping[str, Value] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    restore: Callable[[View, Shapes], Shapes] | None = None
    shares: bool = False
    labels: int = MANY
    note: str = ""
    why: str = ""


def arity(entry: Entry, row: Row, bottoms: int) -> str:
    """Return how a layer's bottoms or tops are not those of its type; empty where they are."""
    for what, found, (least, most) in (("bottom", bottoms, row.bottoms), ("top", len(entry.tops), row.made)):
        if not least <= found <= most:
            expected = (
                str(least) if least == most else f"{least} or more" if found < least else f"at most {most}"
            )
            return f"has {found} {what}{'' if found == 1 else 's'}, expected {expected}"
    return ""


def facts(view: View, row: Row) -> dict[str, Value]:
    """Return the fields that conventions read, whether the file spells them or not."""
    params = view.params
    found: dict[str, Value] = {}
    for key, default in row.defaults.items():
        if key in row.words:
            found[key] = params.word(key, row.words[key], str(default))
        elif isinstance(default, bool):
            found[key] = params.flag(key, default=default)
        elif isinstance(default, int):
            found[key] = params.real(key, default)
    return found
