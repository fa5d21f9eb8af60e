from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError
from flopledger.kinds import rearrange

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]
    Shapes = tuple[tuple[int, ...], ...]

A = (2, 3, 4)

SHAPES = [
    ("transpose", (A,), {"order": (2, 0, 1)}, ((4, 2, 3),)),
    ("transpose", (A,), {"order": (0, -1, 1)}, ((2, 4, 3),)),
    ("channel_shuffle", ((1, 6, 5, 5),), {"groups": 3}, ((1, 6, 5, 5),)),
    ("channel_shuffle", ((1, 5, 5, 6),), {"groups": 3, "axis": -1}, ((1, 5, 5, 6),)),
    ("channel_shuffle", ((1, 6, 5, 5),), {"groups": 1}, ((1, 6, 5, 5),)),
    ("im2col", ((1, 2, 3, 3),), {"kernel": (3, 3)}, ((1, 18, 1, 1),)),
    # (6 + 2 - 3) // 2 + 1 = 3 along one axis, (7 + 2 - 3) // 2 + 1 = 4 along the other; 5 * 9 channels
    ("im2col", ((1, 5, 6, 7),), {"kernel": (3, 3), "stride": (2, 2), "padding": (1, 1)}, ((1, 45, 3, 4),)),
    (
        "im2col",
        ((1, 5, 6, 7),),
        {"kernel": (3, 3), "stride": (2, 2), "padding": (1, 1), "flat": True},
        ((1, 45, 12),),
    ),
    ("pixel_shuffle", ((1, 12, 3, 5),), {"factor": 2}, ((1, 3, 6, 10),)),
    ("pixel_shuffle", ((1, 12, 3, 5),), {"factor": 1}, ((1, 12, 3, 5),)),
    ("pixel_shuffle", ((7, 3, 5, 12),), {"factor": 2, "channels_last": True}, ((7, 6, 10, 3),)),
    ("pixel_shuffle", ((3, 5, 12),), {"factor": 2, "channels_last": True}, ((6, 10, 3),)),
]


@pytest.mark.parametrize(("kind", "inputs", "attrs", "out"), SHAPES)
def test_another_order_changes_the_shape_alone(
    ask: Ask, kind: str, inputs: Shapes, attrs: dict[str, object], out: Shapes
) -> None:
    found = ask(kind, *inputs, **attrs)
    assert (found.shapes, found.parts, found.facts) == (out, {}, {})


def test_every_order_has_its_shape_tested() -> None:
    assert {kind for kind, *_ in SHAPES} == {kind.name for kind in rearrange.KINDS}


def test_all_are_declared_free() -> None:
    assert all(kind.free and kind.group == "move" for kind in rearrange.KINDS)


IMPOSSIBLE = [
    ("transpose", (A,), {"order": (0, 1)}, "does not name each of 3 axes"),
    ("transpose", (A,), {"order": (0, 0, 1)}, "does not name each of 3 axes"),
    ("channel_shuffle", (A,), {"groups": 2}, "2 groups don't divide the 3 channels"),
    ("channel_shuffle", (A,), {"groups": 0}, "0 groups"),
    ("im2col", ((1, 2, 3),), {"kernel": (4,)}, "does not fit"),
    ("pixel_shuffle", ((1, 6, 3, 5),), {"factor": 2}, "6 channels are not a multiple of 4"),
    ("pixel_shuffle", ((6, 3),), {"factor": 1}, "needs channels"),
]


@pytest.mark.parametrize(("kind", "inputs", "attrs", "message"), IMPOSSIBLE)
def test_an_impossible_order_says_why(
    ask: Ask, kind: str, inputs: Shapes, attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        ask(kind, *inputs, **attrs)
