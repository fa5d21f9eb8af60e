from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import GraphError, ShapeError
from flopledger.kinds import norm

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]

A = (2, 6, 5)  # 60 elements

PARTS = [
    # 6 channels: 60 differences, 6 eps; 60 products with the root, 60 with the scale; 60 shifts
    ("batch_norm", A, {}, {"adds": 126, "sqrts": 6, "multiplies": 120}),
    ("batch_norm", A, {"scale": False, "shift": False}, {"adds": 66, "sqrts": 6, "multiplies": 60}),
    ("batch_norm", A, {"shift": False}, {"adds": 66, "sqrts": 6, "multiplies": 120}),
    # channels last: 5 of them
    ("batch_norm", A, {"axis": -1}, {"adds": 125, "sqrts": 5, "multiplies": 120}),
    # mean: 54 and 6 divisions; variance: 60 squares, 54 and 6; then 60 + 6 + 60 additions
    ("batch_norm", A, {"batch_stats": True}, {"adds": 234, "divides": 12, "multiplies": 180, "sqrts": 6}),
    # 12 rows of 5: mean 48 and 12; 60 differences; variance 60 squares, 48 and 12; eps 12; shift 60
    ("layer_norm", A, {}, {"adds": 228, "divides": 24, "multiplies": 180, "sqrts": 12}),
    # 2 rows of 30: 58 + 60 + 58 + 2
    (
        "layer_norm",
        A,
        {"axis": 1, "scale": False, "shift": False},
        {"adds": 178, "divides": 4, "multiplies": 120, "sqrts": 2},
    ),
    # 2 * 3 groups of 10: 54 + 60 + 54 + 6 + 60
    ("group_norm", A, {"groups": 3}, {"adds": 234, "divides": 12, "multiplies": 180, "sqrts": 6}),
    # 2 groups of 30: 58 + 60 + 58 + 2 + 60
    ("group_norm", A, {"groups": 1}, {"adds": 238, "divides": 4, "multiplies": 180, "sqrts": 2}),
    # 2 * 6 channels of 5
    ("instance_norm", A, {}, {"adds": 228, "divides": 24, "multiplies": 180, "sqrts": 12}),
    # one sample without batch axis, 2 channels of 30: 58 + 60 + 58 + 2 + 60
    ("instance_norm", A, {"axis": 0}, {"adds": 238, "divides": 4, "multiplies": 180, "sqrts": 2}),
    # 12 rows of 5: 60 squares, sums 48, means 12, eps 12
    ("rms_norm", A, {}, {"multiplies": 180, "adds": 60, "divides": 12, "sqrts": 12}),
    ("rms_norm", A, {"scale": False}, {"multiplies": 120, "adds": 60, "divides": 12, "sqrts": 12}),
    # each element: its square, alpha times the sum of 5 (4 additions), k added, power, division
    ("lrn", A, {}, {"multiplies": 120, "adds": 300, "powers": 60, "divides": 60}),
    (
        "lrn",
        A,
        {"size": 3, "across": "spatial"},
        {"multiplies": 120, "adds": 180, "powers": 60, "divides": 60},
    ),
    # two spatial axes: 3 * 3 elements in a window
    (
        "lrn",
        (1, 2, 5, 6),
        {"size": 3, "across": "spatial"},
        {"multiplies": 120, "adds": 540, "powers": 60, "divides": 60},
    ),
    # 10 vectors of 6: 60 squares, sums 50, eps 10
    # 6 slices of 10: 60 squares, sums 54, 6 roots; 6 of eps, quotient and comparison; 60 products
    (
        "renorm",
        A,
        {"axis": 1},
        {"multiplies": 120, "adds": 60, "sqrts": 6, "divides": 6, "compares": 6},
    ),
    ("l2_norm", A, {}, {"multiplies": 60, "adds": 60, "sqrts": 10, "divides": 60}),
    (
        "l2_norm",
        A,
        {"across_spatial": True, "scale": True},
        {"multiplies": 120, "adds": 60, "sqrts": 2, "divides": 60},
    ),
    # 5 slices of 12
    ("l2_norm", A, {"axis": 2, "slices": True}, {"multiplies": 60, "adds": 60, "sqrts": 5, "divides": 60}),
    # 12 channels of 5: means 48 and 12, 60 differences
    ("mvn", A, {"variance": False}, {"adds": 108, "divides": 12}),
    # then 60 squares, 48 and 12; eps 12; 60 divisions
    ("mvn", A, {}, {"adds": 168, "divides": 84, "multiplies": 60, "sqrts": 12}),
    # 2 samples of 30: 58 + 60 + 58 + 2
    ("mvn", A, {"across_channels": True}, {"adds": 178, "divides": 64, "multiplies": 60, "sqrts": 2}),
    # 2 x 30. W^T u: 60 products, 30 additions; W v: 60 and 58; lengths: 32 squares, 29 + 1 additions, 2
    # roots, 32 divisions. At last W v: 60 and 58; u^T (W v): 2 and 1; 60 divisions
    ("spectral_norm", A, {}, {"multiplies": 214, "adds": 177, "sqrts": 2, "divides": 92}),
    # 5 x 12, two iterations. Each: 60 and 48, 60 and 55, 17 squares, 11 + 4 additions, 2, 17 divisions;
    # at last 60 and 55, 5 and 4, 60 divisions
    (
        "spectral_norm",
        A,
        {"dim": -1, "power_iters": 2},
        {"multiplies": 339, "adds": 295, "sqrts": 4, "divides": 94},
    ),
    ("scale", A, {}, {"multiplies": 60, "bias_adds": 0}),
    ("scale", A, {"bias": True}, {"multiplies": 60, "bias_adds": 60}),
    ("bias", A, {}, {"bias_adds": 60}),
]


@pytest.mark.parametrize(("kind", "given", "attrs", "parts"), PARTS)
def test_a_norm_is_counted_as_its_formula_is_written(
    ask: Ask, kind: str, given: tuple[int, ...], attrs: dict[str, object], parts: dict[str, int]
) -> None:
    found = ask(kind, given, **attrs)
    assert found.shapes == (given,)
    assert found.parts == parts


def test_every_norm_has_its_parts_tested() -> None:
    assert {kind for kind, *_ in PARTS} == {kind.name for kind in norm.KINDS}


def test_a_dense_layers_output_can_be_batch_normalised(ask: Ask) -> None:
    assert ask("batch_norm", (4, 8)).parts == {"adds": 72, "sqrts": 8, "multiplies": 64}


@pytest.mark.parametrize("kind", ["scale", "bias"])
@pytest.mark.parametrize(("axis", "vector"), [(1, (6,)), (1, (6, 5)), (0, (2, 6, 5)), (-1, (5,)), (0, ())])
def test_a_vector_may_be_the_second_input(ask: Ask, kind: str, axis: int, vector: tuple[int, ...]) -> None:
    assert ask(kind, A, vector, axis=axis).shapes == (A,)


def test_a_spectral_norm_multiplies_its_matrix_with_vectors(ask: Ask) -> None:
    # 10 rows of 6 * 3 * 5 = 90: two products of 900 in each of 3 iterations, one of 900 and one of 10 after:
    # 6310 terms; 3 * (90 + 10) + 10 + 1 dot products
    assert ask("spectral_norm", (6, 10, 3, 5), dim=1, power_iters=3).facts == {
        "macs": 6310,
        "dots": 311,
    }
    assert ask("spectral_norm", (4, 3), power_iters=0).facts == {"macs": 16, "dots": 5}


IMPOSSIBLE = [
    ("spectral_norm", (A,), {"dim": 3}, "there is no axis 3 among 3"),
    ("spectral_norm", (A,), {"power_iters": -1}, "-1 iterations are below 0"),
    ("batch_norm", ((3,),), {}, "there is no axis 1 among 1"),
    ("renorm", (A,), {"axis": 3}, "there is no axis 3 among 3"),
    ("group_norm", (A,), {"groups": 4}, "4 groups don't divide the 6 channels"),
    ("group_norm", (A,), {"groups": 0}, "0 groups"),
    ("lrn", (A,), {"across": "time"}, "'across' is 'time', expected 'channels' or 'spatial'"),
    ("scale", (A, (5,)), {}, "has not the sizes of the first from axis 1 on"),
    ("scale", (A, (6, 5, 1)), {}, "has not the sizes"),
]


@pytest.mark.parametrize(("kind", "inputs", "attrs", "message"), IMPOSSIBLE)
def test_what_can_not_be_normalised_says_why(
    ask: Ask, kind: str, inputs: tuple[tuple[int, ...], ...], attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        ask(kind, *inputs, **attrs)


def test_groups_must_be_given(ask: Ask) -> None:
    with pytest.raises(GraphError, match="needs the attribute 'groups'"):
        ask("group_norm", A)


def test_a_spatial_window_over_no_spatial_axis_is_the_element_itself(ask: Ask) -> None:
    assert ask("lrn", (2, 8), across="spatial", size=5).parts["adds"] == 16
