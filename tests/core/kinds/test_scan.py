from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError
from flopledger.kinds import scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]
    Shapes = tuple[tuple[int, ...], ...]

A = (2, 3, 4)  # 6 vectors of 4, or 12 of 2

CASES = [
    ("cumsum", {}, (A,), {"adds": 18}),
    ("cumsum", {"axis": 0}, (A,), {"adds": 12}),
    ("cumprod", {}, (A,), {"multiplies": 18}),
    ("cummax", {"axis": 0}, (A, A), {"compares": 12}),
    # the larger, the difference, its exponential, 1 added, the logarithm, the larger added
    ("logcumsumexp", {}, (A,), {"compares": 18, "adds": 54, "exps": 18, "logs": 18}),
]


@pytest.mark.parametrize(("kind", "attrs", "shapes", "parts"), CASES)
def test_a_running_result_takes_one_step_less_than_elements(
    ask: Ask, kind: str, attrs: dict[str, object], shapes: Shapes, parts: dict[str, int]
) -> None:
    found = ask(kind, A, **attrs)
    assert (found.shapes, found.parts, found.facts) == (shapes, parts, {})


def test_every_scan_has_its_parts_tested() -> None:
    assert {kind for kind, *_ in CASES} == {kind.name for kind in scan.KINDS}


@pytest.mark.parametrize("kind", [kind.name for kind in scan.KINDS])
def test_an_axis_that_is_not_there_is_refused(ask: Ask, kind: str) -> None:
    with pytest.raises(ShapeError, match="there is no axis 3 among 3"):
        ask(kind, A, axis=3)
