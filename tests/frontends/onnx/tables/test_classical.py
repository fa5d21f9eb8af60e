"""Linear models and scalers of ai.onnx.ml, their figures worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ShapeError
from onnx_files import one

if TYPE_CHECKING:
    from conftest import Read
    from flopledger.graph.graph import Graph

ML = "ai.onnx.ml"


def computed(graph: Graph) -> list[tuple[str, object]]:
    """Return the kind and the shape of each computation."""
    return [
        (layer.kind, graph.tensors[layer.outputs[0]].shape)
        for layer in graph.layers[1:]
        if layer.kind != "container"
    ]


def stored(graph: Graph) -> int:
    count = graph.count("mac").total.params
    assert isinstance(count, int)
    return count


def test_a_linear_classifier_is_a_dense_layer_and_the_best_class(read: Read) -> None:
    content = one(
        "LinearClassifier", [5, 4], outputs=2, domain=ML, coefficients=[0.5] * 12, intercepts=[0.1] * 3,
        classlabels_ints=[0, 1, 2], post_transform="SOFTMAX",
    )  # fmt: skip
    graph = read(content)
    assert computed(graph) == [("linear", (5, 3)), ("softmax", (5, 3)), ("arg_max", (5,))]
    assert [graph.tensors[i].shape for i in graph.outputs] == [(5,), (5, 3)]
    assert graph.count("mac").total.count == 5 * 4 * 3
    assert stored(graph) == 12 + 3


def test_two_classes_may_share_a_row_of_coefficients(read: Read) -> None:
    content = one(
        "LinearClassifier", [5, 4], outputs=2, domain=ML, coefficients=[0.5] * 4, intercepts=[0.1],
        classlabels_strings=["no", "yes"], post_transform="LOGISTIC",
    )  # fmt: skip
    graph = read(content)
    assert computed(graph) == [("linear", (5, 1)), ("sigmoid", (5, 1))]
    assert [graph.tensors[i].shape for i in graph.outputs] == [(5,), (5, 2)]
    assert graph.count("mac").total.count == 5 * 4
    assert stored(graph) == 5


def test_a_linear_regressor_is_a_dense_layer(read: Read) -> None:
    graph = read(one("LinearRegressor", ["n", 4], domain=ML, coefficients=[0.5] * 8, targets=2))
    assert computed(graph) == [("linear", (graph.tensors[0].shape[0], 2))]  # type: ignore[index]
    assert str(graph.count("mac").total.count) == "8*N"
    assert stored(graph) == 8


def test_coefficients_that_do_not_fit_the_features_are_refused(read: Read) -> None:
    with pytest.raises(ShapeError, match="7 coefficients for 2 targets and 4 features"):
        read(one("LinearRegressor", [5, 4], domain=ML, coefficients=[0.5] * 7, targets=2))


def test_a_transform_without_a_formula_is_unknown(read: Read) -> None:
    content = one("LinearRegressor", [5, 4], domain=ML, coefficients=[0.5] * 4, post_transform="PROBIT")
    layer = read(content).layers[1]
    assert (layer.kind, layer.problem) == ("unknown", "no formula for PROBIT behind a linear model")


def test_a_scaler_subtracts_and_multiplies(read: Read) -> None:
    graph = read(one("Scaler", [5, 4], domain=ML, offset=[0.5] * 4, scale=[2.0] * 4))
    assert computed(graph) == [("subtract", (5, 4)), ("multiply", (5, 4))]
    assert (graph.count("mac").total.count, stored(graph)) == (0, 8)


@pytest.mark.parametrize(
    ("norm", "expected"),
    [
        ("L2", [("l2_norm", (5, 4))]),
        ("L1", [("reduce_asum", (5, 1)), ("divide", (5, 4))]),
        ("MAX", [("reduce_max", (5, 1)), ("divide", (5, 4))]),
    ],
)
def test_a_normalizer_divides_by_a_norm(read: Read, norm: str, expected: object) -> None:
    assert computed(read(one("Normalizer", [5, 4], domain=ML, norm=norm))) == expected


def test_a_binarizer_compares(read: Read) -> None:
    assert computed(read(one("Binarizer", [5, 4], domain=ML, threshold=0.5))) == [("compare", (5, 4))]


@pytest.mark.parametrize(
    "op", ["TreeEnsembleClassifier", "TreeEnsemble", "SVMRegressor", "ZipMap", "LabelEncoder"]
)
def test_trees_support_vectors_and_dictionaries_are_unknown_by_name(read: Read, op: str) -> None:
    (unknown,) = read(one(op, [5, 4], domain=ML)).count("mac").coverage.unknown
    assert unknown.source == f"ai.onnx.ml.{op}"
