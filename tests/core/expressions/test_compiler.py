from __future__ import annotations

from fractions import Fraction

import pytest
from flopledger.dims.arithmetic import symbol
from flopledger.errors import ExpressionError
from flopledger.expressions.compiler import compile_expression, evaluate
from flopledger.expressions.functions import TensorShape
from hypothesis import given
from hypothesis import strategies as st

NAMES = {
    "a": 7,
    "b": 2,
    "half": Fraction(1, 2),
    "shape": (2, 3, 4),
    "pairs": ((1, 2), (3, 4)),
    "tensor": TensorShape((5, 6)),
    "word": "bilinear",
    "yes": True,
    "none": None,
    "native.size": 9,
    "N": symbol("N"),
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + b * 3", 13),
        ("a / b", Fraction(7, 2)),
        ("a / 7", 1),
        ("a // b", 3),
        ("-a // b", -4),
        ("a % b", 1),
        ("a ** 2", 49),
        ("1.5 * 4", 6),
        ("1e3", 1000),
        ("0.1 + 0.2 == 0.3", True),
        ("trunc(-7 / 2)", -3),
        ("floor(-7 / 2)", -4),
        ("ceil(7 / 2)", 4),
        ("ceil(4)", 4),
        ("prod(shape)", 24),
        ("prod(shape[1:])", 12),
        ("shape[-1]", 4),
        ("shape[:2] + (9,)", (2, 3, 9)),
        ("sum(x * y for x, y in pairs)", 14),
        ("sum(x for x in shape if x > 2)", 7),
        ("max(x for x in shape)", 4),
        ("min(a, b, 5)", 2),
        ("len(shape)", 3),
        ("sum(range(5))", 10),
        ("prod(ntuple(b, 3))", 8),
        ("prod(ntuple(shape, 3))", 24),
        ("is_tensor(tensor) and not is_tensor(shape)", True),
        ("is_list(shape) and not is_list(tensor)", True),
        ("'linear' in word", True),
        ("word in ('nearest', 'bilinear')", True),
        ("a if yes else b", 7),
        ("none is None", True),
        ("1 < b <= 2", True),
        ("opt(missing, 5)", 5),
        ("opt(a, 5)", 7),
        ("native.size", 9),
        ("opt(native.nothing, 3)", 3),
        ("broadcast_left((1, 6, 5, 9), (9,))", 2430),
        ("any(x == 3 for x in shape)", True),
        ("all(x > 2 for x in shape)", False),
        ("b or 5", 2),
        ("(a\n + b)", 9),
    ],
)
def test_an_expression_has_the_value_that_it_says(text: str, value: object) -> None:
    found = evaluate(text, NAMES) if "missing" not in text and "nothing" not in text else None
    if found is None:
        found = compile_expression(text)(NAMES.__getitem__)

    assert found == value
    assert type(found) is type(value)


def test_symbols_pass_through() -> None:
    assert evaluate("3 * N + N // 1", NAMES) == 4 * symbol("N")
    assert evaluate("max(N, N + 1)", NAMES) == symbol("N") + 1


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "open('x')",
        "a.real",
        "a.__class__",
        "word.upper()",
        "native.__dict__",
        "().__class__",
        "lambda: 1",
        "[x for x in shape]",
        "{1: 2}",
        "{1, 2}",
        "f'{a}'",
        "(a := 5)",
        "a @ b",
        "a << 9",
        "a & b",
        "~a",
        "+a",
        "sum(*shape)",
        "sum(x for x in shape for y in shape)",
        "prod(shape=1)",
        "b'x'",
        "1j",
        "...",
        "await a",
        "yield",
        "import os",
        "a = 1",
        "a; b",
        "",
        "a +",
        "(" * 5000,
        "1" * 5000,
        "x" * 30_000,
        "1e999999999",
        "-" * 3000 + "1",
        "a if " * 2000,
        "\0",
    ],
)
def test_what_is_no_plain_expression_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(text, known={"a", "b", "shape", "word", "native.*"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / (b - 2)", "division by zero"),
        ("a // 0", "division by zero"),
        ("a % 0", "division by zero"),
        ("N / 0", "division by zero"),
        ("9 ** 9 ** 9", "exponent"),
        ("2 ** 64 ** 1 * 2 ** 64", None),
        ("(2 ** 64) ** 64 ** 1 * 2", "4096 bits"),
        ("sum(range(10 ** 9))", "range of 1000000000 steps"),
        ("ntuple(1, 10 ** 9)", "range of 1000000000 steps"),
        ("word * 10", "is not a number"),
        ("shape * 1000", "is not a number"),
        ("shape[9]", "out of range"),
        ("a[0]", "is not a list"),
        ("N < 5", "depends on the symbols"),
        ("shape[N]", "is not an index"),
        ("sum(a)", "is not a list"),
        ("sum(x for x, y in shape)", "is not a list"),
        ("none + 1", "is not a number"),
    ],
)
def test_arithmetic_without_a_result_says_why(text: str, message: str | None) -> None:
    if message is None:
        assert evaluate(text, NAMES) == 2**128
        return
    with pytest.raises(ExpressionError, match=message):
        evaluate(text, NAMES)


def test_an_unknown_name_is_an_error_when_the_expression_is_read() -> None:
    with pytest.raises(
        ExpressionError, match=r"mine.toml:3: nothing is called 'kernal'; did you mean 'kernel'\?"
    ):
        compile_expression("kernal * 2", known={"kernel", "stride"}, where="mine.toml:3: ")


def test_an_unknown_function_is_an_error_when_the_expression_is_read() -> None:
    with pytest.raises(
        ExpressionError, match=r"a call of 'product' is not allowed .*; did you mean 'prod'\?"
    ):
        compile_expression("product(a)")


def test_a_namespace_must_be_a_known_one() -> None:
    compile_expression("native.x", known={"native.*"})
    with pytest.raises(ExpressionError, match=r"nothing is called 'native\.x'"):
        compile_expression("native.x", known={"a"})


def test_an_expression_knows_which_names_it_reads() -> None:
    assert compile_expression("a + sum(x * b for x in shape)").names == {"a", "b", "shape"}


@given(st.text(max_size=40))
def test_no_text_does_anything_but_give_a_value_or_be_refused(text: str) -> None:
    try:
        value = evaluate(text, NAMES)
    except ExpressionError:
        return
    assert value is None or isinstance(value, (int, str, tuple, Fraction)) or hasattr(value, "free_symbols")


TOKENS = st.sampled_from(
    [
        "a",
        "b",
        "shape",
        "N",
        "9",
        "0",
        "1.5",
        "'x'",
        "(",
        ")",
        "[",
        "]",
        ",",
        ":",
        "+",
        "-",
        "*",
        "/",
        "//",
        "**",
        "%",
        "<",
        "==",
        "in",
        "not",
        "and",
        "or",
        "if",
        "else",
        "for",
        "x",
        "sum",
        "range",
        "opt",
        ".",
    ]
)


@given(st.lists(TOKENS, max_size=25).map(" ".join))
def test_no_row_of_tokens_does_either(text: str) -> None:
    try:
        evaluate(text, NAMES)
    except ExpressionError:
        return
