from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import GraphError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]
    Shapes = tuple[tuple[int, ...], ...]


def test_a_dense_layer_is_one_dot_product_for_each_output(ask: Ask) -> None:
    found = ask("linear", (5, 7, 4), out_features=3, bias=True)
    # 5 * 7 * 3 = 105 outputs of 4 terms
    assert found.shapes == ((5, 7, 3),)
    assert found.parts == {"multiplies": 420, "adds": 315, "bias_adds": 105}
    assert found.facts == {"macs": 420, "dots": 105, "in_features": 4}


def test_a_dense_layer_reads_one_vector_without_batch(ask: Ask) -> None:
    found = ask("linear", (512,), out_features=1)
    assert found.shapes == ((1,),)
    assert found.parts == {"multiplies": 512, "adds": 511, "bias_adds": 0}


def test_an_inner_product_flattens_from_its_axis(ask: Ask) -> None:
    found = ask("linear", (2, 256, 6, 6), out_features=4096, axis=1)
    # 256 * 6 * 6 = 9216 terms
    assert found.shapes == ((2, 4096),)
    assert found.facts == {"macs": 75497472, "dots": 8192, "in_features": 9216}


def test_a_bilinear_layer_is_a_matrix_product_and_a_dot_product(ask: Ask) -> None:
    found = ask("bilinear", (6, 3), (6, 4), out_features=2, bias=True)
    # each of 12 outputs: 4 dot products of 3 terms, one of 4: 16 macs in 5
    assert found.shapes == ((6, 2),)
    assert found.facts == {"macs": 192, "dots": 60}
    assert found.parts == {"multiplies": 192, "adds": 132, "bias_adds": 12}


MATMULS = [
    # operands, attributes, output, macs and dots
    (((2, 3), (3, 4)), {}, (2, 4), (24, 8)),
    (((3, 2), (3, 4)), {"transpose_a": True}, (2, 4), (24, 8)),
    (((2, 3), (4, 3)), {"transpose_b": True}, (2, 4), (24, 8)),
    (((5, 2, 3), (3, 4)), {}, (5, 2, 4), (120, 40)),
    (((5, 3, 2), (5, 3, 4)), {"transpose_a": True}, (5, 2, 4), (120, 40)),
    (((5, 3, 2), (3, 4)), {"transpose_a": True}, (5, 2, 4), (120, 40)),
    (((3, 4), (5, 2, 4)), {"transpose_b": True}, (5, 3, 2), (120, 30)),
    (((5, 1, 2, 3), (6, 3, 4)), {}, (5, 6, 2, 4), (720, 240)),
    (((3,), (3,)), {}, (), (3, 1)),
    (((3,), (3, 4)), {}, (4,), (12, 4)),
    (((2, 3), (3,)), {}, (2,), (6, 2)),
    (((3,), (5, 3, 4)), {}, (5, 4), (60, 20)),
    (((5, 2, 3), (3,)), {}, (5, 2), (30, 10)),
]


@pytest.mark.parametrize(("inputs", "attrs", "out", "facts"), MATMULS)
def test_a_matrix_product_broadcasts_as_numpy_does(
    ask: Ask, inputs: Shapes, attrs: dict[str, object], out: tuple[int, ...], facts: tuple[int, int]
) -> None:
    found, (macs, dots) = ask("matmul", *inputs, **attrs), facts
    assert found.shapes == (out,)
    assert found.facts == {"macs": macs, "dots": dots}
    assert found.parts == {"multiplies": macs, "adds": macs - dots, "bias_adds": 0}


def test_an_addend_of_a_matrix_product_is_a_bias(ask: Ask) -> None:
    found = ask("matmul", (2, 3), (3, 4), bias=True)
    assert found.parts == {"multiplies": 24, "adds": 16, "bias_adds": 8}


def test_an_embedding_is_looked_up(ask: Ask) -> None:
    found = ask("embedding", (2, 7), num_embeddings=100, embedding_dim=16)
    assert (found.shapes, found.parts, found.facts) == (((2, 7, 16),), {}, {})


def test_an_embeddings_bias_is_added(ask: Ask) -> None:
    found = ask("embedding", (2, 7), num_embeddings=100, embedding_dim=16, bias=True)
    assert found.parts == {"bias_adds": 224}


IMPOSSIBLE = [
    ("linear", ((2, 3),), {"out_features": 1, "axis": 2}, "there is no axis 2 among 2"),
    ("linear", ((),), {"out_features": 1}, "there is no axis -1 among 0"),
    ("bilinear", ((2, 3),), {"out_features": 1}, "needs two inputs"),
    ("bilinear", ((2, 3), (4, 3)), {"out_features": 1}, "differ before their last axis"),
    ("bilinear", ((2, 3), (2, 2, 3)), {"out_features": 1}, "differ before their last axis"),
    ("matmul", ((2, 3), (4, 5)), {}, "rows of 3 can't meet columns of 4"),
    ("matmul", ((2, 2, 3), (3, 3, 5)), {}, "2 and 3 can't be broadcast"),
    ("matmul", ((), (3, 5)), {}, "needs two inputs with one axis or more"),
]


@pytest.mark.parametrize(("kind", "inputs", "attrs", "message"), IMPOSSIBLE)
def test_inputs_that_do_not_fit_say_why(
    ask: Ask, kind: str, inputs: Shapes, attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        ask(kind, *inputs, **attrs)


def test_a_dense_layer_without_its_size_is_refused(ask: Ask) -> None:
    with pytest.raises(GraphError, match="needs the attribute 'out_features'"):
        ask("linear", (2, 3))


ROWS = ((3, 4),)  # 12 indices in 3 bags
STARTS = ((7,), (2,))  # 7 indices in 2 bags

BAGS = [
    # vectors of 5: 9 additions of them
    (ROWS, {}, (3, 5), {"adds": 45}),
    (ROWS, {"mode": "mean"}, (3, 5), {"adds": 45, "divides": 15}),
    (ROWS, {"mode": "max"}, (3, 5), {"compares": 45}),
    (STARTS, {}, (2, 5), {"adds": 25}),
    (((7,), (3,)), {"last_end": True}, (2, 5), {"adds": 25}),
]


@pytest.mark.parametrize(("inputs", "attrs", "out", "parts"), BAGS)
def test_a_bag_joins_its_vectors(
    ask: Ask, inputs: Shapes, attrs: dict[str, object], out: tuple[int, ...], parts: dict[str, int]
) -> None:
    found = ask("embedding_bag", *inputs, num_embeddings=10, embedding_dim=5, **attrs)
    assert (found.shapes, found.parts, found.facts) == ((out,), parts, {"macs": 0, "dots": 0})


def test_a_weighted_bag_is_a_dot_product_for_each_element(ask: Ask) -> None:
    found = ask("embedding_bag", *ROWS, num_embeddings=10, embedding_dim=5, weighted=True)
    assert found.facts == {"macs": 60, "dots": 15}
    assert found.parts == {"multiplies": 60, "adds": 45}


@pytest.mark.parametrize(
    ("inputs", "attrs", "message"),
    [
        (((7,),), {}, "where its bags start"),
        (ROWS, {"mode": "min"}, "'min' is none of sum, mean and max"),
    ],
)
def test_a_bag_that_can_not_be_says_why(
    ask: Ask, inputs: Shapes, attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        ask("embedding_bag", *inputs, num_embeddings=10, embedding_dim=5, **attrs)
