from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError
from flopledger.kinds import search

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]
    Shapes = tuple[tuple[int, ...], ...]

A = (2, 3, 4)

CASES = [
    ("sort", {}, (A, A)),
    ("order_statistic", {}, ((),)),
    ("order_statistic", {"axes": (1,), "places": True}, ((2, 4), (2, 4))),
    ("order_statistic", {"axes": (1,), "keep_dims": True}, ((2, 1, 4),)),
    ("search", {"shape": (2, 3)}, ((2, 3),)),
    ("draw", {"shape": (2, 3, 5)}, ((2, 3, 5),)),
]


@pytest.mark.parametrize(("kind", "attrs", "shapes"), CASES)
def test_sorting_and_searching_are_not_free_but_unknown(
    ask: Ask, kind: str, attrs: dict[str, object], shapes: Shapes
) -> None:
    found = ask(kind, A, **attrs)
    assert (found.shapes, found.parts) == (shapes, None)
    assert found.facts == {"macs": 0, "dots": 0, "bias_adds": 0}  # comparisons, however many


def test_every_kind_is_tested() -> None:
    assert {kind for kind, *_ in CASES} == {kind.name for kind in search.KINDS}
    assert not any(kind.free for kind in search.KINDS)


def test_an_axis_that_is_not_there_is_refused(ask: Ask) -> None:
    with pytest.raises(ShapeError, match="there is no axis 3 among 3"):
        ask("sort", A, axis=3)
