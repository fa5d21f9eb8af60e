from __future__ import annotations

from collections import UserDict
from typing import NamedTuple

import pytest
from flopledger.errors import UsageError
from flopledger.frontend import Request, check_arguments, parse_spec, spec_dtype, split_values

REQUEST = Request("net")


class Pair(NamedTuple):
    a: int
    b: int


@pytest.mark.parametrize(
    ("values", "args", "kwargs"),
    [
        ((1, 2), (1, 2), {}),
        ([1, 2], (1, 2), {}),
        ({"x": 1}, (), {"x": 1}),
        (UserDict(x=1), (), {"x": 1}),
        (Pair(1, 2), (Pair(1, 2),), {}),
        (7, (7,), {}),
        (None, (None,), {}),
    ],
)
def test_values_are_split_as_the_model_is_called_with_them(
    values: object, args: tuple[object, ...], kwargs: dict[str, object]
) -> None:
    assert split_values(values) == (args, kwargs)


@pytest.mark.parametrize(
    ("spec", "dtype"),
    [("1x3", "F16"), ("1x3:float", "F32"), ("1x3:int", "I64"), ("1x3:int64", "I64")],
)
def test_a_short_dtype_is_the_one_that_plain_numbers_get(spec: str, dtype: str) -> None:
    known = {"float32": "F32", "int64": "I64"}.get

    assert spec_dtype(parse_spec(spec), "F16", known, "toy") == dtype


def test_a_dtype_that_the_framework_lacks_is_a_usage_error() -> None:
    with pytest.raises(
        UsageError, match=r"the dtype 'uint24' is not known to toy, expected one such as float32"
    ):
        spec_dtype(parse_spec("1:uint24"), "F16", lambda _: None, "toy")


def forward(pixels: object, input_ids: object, *more: object, scale: float = 1.0) -> None: ...


def test_positional_arguments_are_named_and_those_beyond_are_numbered() -> None:
    assert check_arguments(REQUEST, forward, (1, 2), {}) == ("pixels", "input_ids")
    assert check_arguments(REQUEST, lambda x, *y: (x, y), (1, 2, 3), {}) == ("x", "input1", "input2")
    assert check_arguments(REQUEST, forward, (1,), {"input_ids": 2, "scale": 3}) == ("pixels",)
    assert check_arguments(REQUEST, dict.update, ({}, 2, 3), {}) == ("input0", "input1", "input2")


def test_arguments_that_do_not_fit_show_the_signature_and_a_spec_for_each_input() -> None:
    with pytest.raises(UsageError) as caught:
        check_arguments(REQUEST, forward, (1,), {})

    message = str(caught.value)
    assert message.startswith(
        "net: the inputs don't fit: missing a required argument: 'input_ids'. Its forward "
    )
    assert message.endswith("such as -i pixels=1x3x224x224 -i input_ids=1x128:int64")


def test_values_that_do_not_fit_get_no_specs() -> None:
    with pytest.raises(UsageError) as caught:
        check_arguments(Request("net", values=(1,)), forward, (1,), {})

    assert "-i" not in str(caught.value)
