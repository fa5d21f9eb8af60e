"""Functions and ops of PyTorch: each of its kind, counted by the formula, or shown as unknown."""

from __future__ import annotations

import math
from typing import Any

import flopledger as fl
import pytest
import torch
from flopledger.counting.engine import analysis_of
from flopledger.plugins.discovery import kinds
from flopledger.testing import check_graph
from flopledger_torch.tables.ops import op_rule
from torch import Tensor, nn
from torch.nn import functional

MORE = {
    "grid": (
        lambda x: functional.grid_sample(x, torch.zeros(1, 3, 3, 2), align_corners=False),
        "1x2x4x4",
        # 18 samples of 6 products and 3 additions
        162,
    ),
    "clamp": (lambda x: x.clamp(min=0), "2x3", 6),
    "scaled sum": (lambda x: torch.add(x, x, alpha=2), "2x3", 12),
    "mean": (lambda x: x.mean(1), "2x3", 4 + 2),
    "a product and a sum": (lambda x: torch.addcmul(x, x, x, value=3), "2x3", 18),
    "a quotient and a sum": (lambda x: torch.addcdiv(x, x, x), "2x3", 12),
    "between two": (lambda x: torch.lerp(x, x, 0.5), "2x3", 18),
    # 2 comparisons, 6 additions, 3 exponentials and a logarithm for each of two rows
    "sum of exponentials": (lambda x: x.logsumexp(1), "2x3", 24),
    "windows added up": (lambda x: functional.fold(x, (4, 4), 2), "1x12x9", 108),
    "added by index": (lambda x: x.index_add(0, torch.tensor([0, 1]), x), "2x3", 6),
    "argmax": (lambda x: x.argmax(1), "2x3", 4),
    "index arithmetic": (lambda x: torch.arange(x.shape[1]) * 2 + 1, "2x3", 0),
    "histogram": (lambda x: torch.histc(x, 4, 0, 1), "2x3", 18),
    "channels summed first": (lambda x: torch.einsum("abc,b->a", x, torch.ones(3)), "2x3x5", 24 + 6 + 4),
    "the length of rows": (lambda x: x.norm(dim=1), "2x3", 6 + 4 + 2),
    "the largest magnitude": (lambda x: torch.norm(x, p=math.inf), "2x3", 6 + 5),
    "magnitudes added up": (lambda x: torch.linalg.vector_norm(x, 1), "2x3", 6 + 5),
    "elements that are not zero": (lambda x: x.count_nonzero(1), "2x3", 6 + 4),
    # a variance of 2 sums, differences, squares and quotients; and a root for the deviation
    "variance": (lambda x: x.var(1), "2x3", 4 + 6 + 4 + 6 + 4),
    "deviation": (lambda x: x.std(1), "2x3", 4 + 6 + 4 + 6 + 4 + 2),
    "deviation and mean": (lambda x: torch.std_mean(x, 1)[0], "2x3", 4 + 6 + 4 + 6 + 4 + 2),
    "smallest and largest": (lambda x: x.aminmax(dim=1).max, "2x3", 8),
    "running products": (lambda x: x.cumprod(1), "2x3", 4),
    "running extremes": (lambda x: x.cummin(1).values, "2x3", 4),
    # 6 operations for each of 4 steps
    "running sums of exponentials": (lambda x: x.logcumsumexp(1), "2x3", 24),
    "taken apart": (lambda x: x.unbind(1)[0], "2x3", 0),
    "a rank-one update": (lambda x: torch.addr(x, x[:, 0], x[0]), "2x3", 12),
    "all distances in a list": (functional.pdist, "4x3", 6 * (3 + 3 + 2 + 1)),
    "one distance": (lambda x: torch.dist(x, x), "2x3", 6 + 6 + 5 + 1),
    "cross product": (lambda x: torch.linalg.cross(x, x), "2x3", 12 + 6),
    # 2 rows of 3: 6 squares, 4 sums, 2 roots, 2 of eps, quotient and comparison, 6 products
    "shortened": (lambda x: x.renorm(2, 0, 1.0), "2x3", 24),
    # 5 * 8 * 3 for each of 3 rows; half of it for real numbers
    "Fourier": (lambda x: torch.fft.fft(x + 0j), "3x8", 24 + 360),
    "Fourier of real numbers": (torch.fft.rfft, "3x8", 180),
    "Fourier with a factor": (lambda x: torch.fft.rfft(x, norm="ortho"), "3x8", 180 + 30),
    "Fourier and back": (lambda x: torch.fft.irfft(torch.fft.rfft(x)), "3x8", 180 + 180 + 24),
    # 8 columns of 4, 4 rows of 8 by halves: 5 columns of 4 at 40 and 4 rows at 60
    "Fourier along two axes": (torch.fft.rfft2, "4x8", 5 * 40 + 4 * 60),
    # 5 products and additions, 3 quotients, 3 comparisons; 2 sides of 2 * 3 products and 3 quotients
    "equations": (lambda x: torch.linalg.solve(x, x[:, :2]), "3x3", 16 + 2 * 15),
    "one equation": (lambda x: torch.linalg.solve(x, x[0]), "3x3", 16 + 15),
    "factors": (lambda x: torch.linalg.lu_factor(x).LU, "3x3", 16),
    "factors apart": (lambda x: torch.linalg.lu(x).U, "3x3", 16),
    "by factors": (lambda x: torch.linalg.lu_solve(*torch.linalg.lu_factor(x), x[:, :2]), "3x3", 46),
    "root of a matrix": (torch.linalg.cholesky, "3x3", 4 + 4 + 3 + 3),
    "triangle": (lambda x: torch.linalg.solve_triangular(x, x[:, :2], upper=True), "3x3", 2 * 9),
    "squared triangle": (lambda x: torch.cholesky_solve(x[:, :2], x), "3x3", 4 * 9),
    "inverse": (torch.linalg.inv, "3x3", 18 + 12 + 9 + 3),
    "determinant": (torch.linalg.det, "3x3", 16 + 2),
    "trace": (torch.trace, "3x3", 2),
    # 2 of each: 3 products, 2 additions for each of 2 coordinates at 6 places
    "grid of places": (
        lambda x: functional.affine_grid(x, [2, 1, 2, 3], align_corners=False),
        "2x2x3",
        2 * 6 * 2 * 5,
    ),
    # 9 windows of 4
    "windows at random": (lambda x: functional.fractional_max_pool2d(x, 2, 3), "1x8x8", 27),
    "lookups joined": (
        lambda x: functional.embedding_bag(torch.zeros(2, 4, dtype=torch.int64), x),
        "9x5",
        40,
    ),
    "joined by index": (
        lambda x: x.scatter_reduce(1, torch.zeros(2, 3, dtype=torch.int64), x, "amax"),
        "2x3",
        6,
    ),
    "scattered and added": (
        lambda x: x.scatter(1, torch.zeros(2, 2, dtype=torch.int64), x, reduce="add"),
        "2x3",
        4,
    ),
    "added by index and scaled": (lambda x: x.index_add(0, torch.tensor([0, 1]), x, alpha=2), "2x3", 12),
    "written by index": (lambda x: x.index_put((torch.tensor([0]),), x[:1]), "2x3", 0),
    "added where the index says": (
        lambda x: x.index_put((torch.tensor([0]),), x[:1], accumulate=True),
        "2x3",
        3,
    ),
    "a special function": (torch.lgamma, "2x3", 6),
    "a special function of two": (lambda x: torch.special.zeta(x[:1], x), "2x3", 6),
    "a polynomial": (lambda x: torch.special.hermite_polynomial_h(x, 3), "2x3", 6),
    "quotients cut off": (lambda x: torch.div(x, x, rounding_mode="trunc"), "2x3", 6),
    "quotients rounded down": (lambda x: torch.div(x, 2, rounding_mode="floor"), "2x3", 6),
    "sinc": (torch.sinc, "2x3", 24),
    "logit": (lambda x: torch.logit(x, eps=0.1), "2x3", 30),
    "entropy": (torch.special.entr, "2x3", 12),
    "sum of two exponentials": (lambda x: torch.logaddexp(x, x), "2x3", 36),
    "complex numbers by angle": (lambda x: torch.polar(x, x), "2x3", 24),
    "quantised and back": (lambda x: torch.fake_quantize_per_tensor_affine(x, 0.1, 0, 0, 255), "2x3", 42),
    "squared error": (lambda x: functional.mse_loss(x, x), "2x3", 6 + 6 + 5 + 1),
    "squared errors added": (lambda x: functional.mse_loss(x, x, reduction="sum"), "2x3", 6 + 6 + 5),
    "squared errors": (lambda x: functional.mse_loss(x, x, reduction="none"), "2x3", 6 + 6),
    "binary cross-entropy": (lambda x: functional.binary_cross_entropy(x, x), "2x3", 42 + 5 + 1),
    "soft margin": (lambda x: functional.soft_margin_loss(x, x), "2x3", 24 + 5 + 1),
    # 2 rows of 2 terms: 2 additions and a comparison each, a sum, a quotient; then the mean
    "margins of classes": (
        lambda x: functional.multi_margin_loss(x, torch.tensor([0, 1])),
        "2x3",
        2 * 8 + 2,
    ),
    # a label at each of 8 places
    "labels of pixels": (
        lambda x: functional.nll_loss(x, torch.zeros(2, 2, 2, dtype=torch.int64)),
        "2x3x2x2",
        7 + 1,
    ),
}


@pytest.mark.parametrize("name", MORE)
def test_other_functions_are_counted_by_their_formula(name: str) -> None:
    function, inputs, count = MORE[name]

    class One(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = function(x)
            return y

    graph = fl.read(One(), inputs)
    check_graph(graph, kinds())
    assert analysis_of(graph).formulas.disagreements == ()
    assert graph.count("ops").coverage.unknown == ()
    assert graph.count("ops").total.count == count


WITHOUT_RULE = {"equal", "frexp", "mvlgamma", "nextafter"}
"""Of these one answers a question about values, and the others take bits apart or add up a series."""


def test_every_operator_on_elements_has_a_rule_whatever_its_overload() -> None:
    """Derivatives have rules in training; of an operator that is made of others those are counted."""
    without = set()
    for name in torch._C._dispatch_get_all_op_names():
        library, _, operator = name.partition("::")
        base, _, overload = operator.partition(".")
        made_of_others = torch._C._dispatch_has_kernel_for_dispatch_key(name, "CompositeImplicitAutograd")
        if library != "aten" or "backward" in base or made_of_others:
            continue
        found = getattr(getattr(torch.ops.aten, base), overload or "default", None)
        if found is not None and torch.Tag.pointwise in found.tags and op_rule(str(found)) is None:
            without.add(base.removesuffix("_"))
    assert without == WITHOUT_RULE


def test_shifts_of_whole_numbers_are_known() -> None:
    """Six additions of the results; arithmetic of whole numbers is that of places."""

    class Shifted(nn.Module):
        def forward(self, x: Tensor, i: Tensor) -> Tensor:
            return x + ((i << 1) >> (i & 1) ^ i)

    ledger = fl.count(Shifted(), ("2x3", "2x3:int64"), "ops")
    assert (ledger.total.count, ledger.coverage.unknown) == (6, ())


UNKNOWN = {
    "median": (lambda x: x.median(1).values, "aten.median.dim"),
    "place among others": (lambda x: torch.bucketize(x, x[0]), "aten.bucketize.Tensor"),
    "draw": (lambda x: torch.multinomial(x, 2), "aten.multinomial.default"),
    "eigenvalues": (torch.linalg.eigvalsh, "aten._linalg_eigh.default"),
    "exponential": (torch.matrix_exp, "aten.linalg_matrix_exp.default"),
    "as many labels as there are": (
        lambda x: functional.multilabel_margin_loss(x, torch.zeros(3, 3, dtype=torch.int64)),
        "aten.multilabel_margin_loss_forward.default",
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_work_that_depends_on_the_data_says_so(name: str) -> None:
    function, source = UNKNOWN[name]

    class One(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = function(x)
            return y

    (unknown,) = fl.count(One(), "3x3", "ops").coverage.unknown
    assert unknown.source == source
    assert "depends on the data" in unknown.why


def test_a_lookup_that_shortens_its_vectors_is_more_than_a_lookup() -> None:
    unknown = fl.count(nn.Embedding(9, 5, max_norm=1.0), "3:int64").coverage.unknown
    assert {u.source for u in unknown} == {"aten.embedding_renorm_.default"}


def test_a_weighted_bag_counts_each_term() -> None:
    inputs = {"input": "3x4:int64", "per_sample_weights": "3x4"}
    assert fl.count(nn.EmbeddingBag(9, 5, mode="sum"), inputs).total.count == 60
    assert fl.count(nn.EmbeddingBag(9, 5, mode="sum"), "3x4:int64").total.count == 0


def test_a_function_without_a_formula_is_shown_and_not_zero() -> None:
    class Sorted(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.linalg.svd(x, full_matrices=False).Vh + x.sort().values

    unknown = fl.count(Sorted(), "2x8", "ops").coverage.unknown
    assert {u.source for u in unknown} == {"aten._linalg_svd.default", "aten.sort.default"}
    assert all("depends on the data" in u.why for u in unknown)
    # comparisons are no multiply-accumulates, however many they are; a decomposition has some
    unknown = fl.count(Sorted(), "2x8", "mac").coverage.unknown
    assert {u.source for u in unknown} == {"aten._linalg_svd.default"}


def test_arithmetic_of_sizes_by_functions_of_tensors_is_known() -> None:
    """Half of 8 columns, each of 2 rows doubled: 8 products."""

    class Half(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            half: Any = torch.div(x.shape[1], 2, rounding_mode="trunc")
            return x[:, : int(half)] * 2

    ledger = fl.count(Half(), "2x8", "ops")
    assert (ledger.total.count, ledger.coverage.unknown) == (8, ())


@pytest.mark.filterwarnings("ignore:Sparse CSR")
@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr])
def test_a_product_of_a_sparse_tensor_is_unknown_and_not_that_of_a_dense_one(layout: torch.layout) -> None:
    """Linear(4, 4) on 3 rows is 48; the product behind it multiplies the elements that are there."""

    class Spread(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.edges = nn.Linear(4, 4), torch.eye(2, 3).to_sparse(layout=layout)

        def forward(self, x: Tensor) -> Tensor:
            return self.edges @ self.fc(x)

    ledger = fl.count(Spread(), "3x4")
    assert ledger.total.count == 48
    assert [unknown.source for unknown in ledger.coverage.unknown] == ["aten.mm.default"]
