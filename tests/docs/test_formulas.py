"""Formulas of docstrings in TeX: which texts are formulas, and how they are written."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def formulas(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(root / "docs"))
    return importlib.import_module("pages.formulas")


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("ceil(L / s)", r"\lceil L /s \rceil"),
        ("sqrt(x^2 + b)", r"\sqrt{x ^{2}+b }"),
        ("y_i = y_(i-1) + x_i", r"y_{i} =y _{i -1} +x_{i}"),
        ("C_in r^2", r"C_{\mathrm{in}} r ^{2}"),
        ("c_mn = sum_k a_mk", r"c_{mn} =\sum_{k} a_{mk}"),
        ("|d| if d > 0 else a", r"\vert  d \vert  \ \text{if}\  d \gt  0\ \text{else}\  a"),
        ("macs = rows O", r"\mathrm{macs}=\mathrm{rows}\ O"),
        ("f(W x + b)", r"f (W x +b )"),
        ("1 + k + .. + k^(d-1)", r"1+k +\cdots  +k ^{d -1}"),
        ("y = log_base(x)", r"y =\log_{\mathrm{base}} (x )"),
        ("n", "n"),
    ],
)
def test_a_formula_is_written_in_tex(formulas: ModuleType, text: str, tex: str) -> None:
    assert formulas.is_formula(text)
    assert formulas.tex(text) == tex


@pytest.mark.parametrize(
    "text",
    [
        "axis",
        "batch_first",
        "torch.nn.Conv2d",
        "ab,bc->ac",
        "--arg",
        "[N,] C",
        "N, T, I",
        "max",
        "*",
        "-1",
        "",
    ],
)
def test_code_is_no_formula(formulas: ModuleType, text: str) -> None:
    assert not formulas.is_formula(text)


def test_a_sentence_is_no_formula_where_words_are_expected(formulas: ModuleType) -> None:
    assert formulas.is_formula("x sigmoid(b x)", strict=True)
    assert not formulas.is_formula("a / b, rounded or not", strict=True)


def test_a_parenthesis_that_is_left_open_is_an_error(formulas: ModuleType) -> None:
    with pytest.raises(ValueError, match="not closed"):
        formulas.tex("sqrt(x + 1")
