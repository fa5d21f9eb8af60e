"""Bytes of an element, by the names that frameworks and people give to types."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flopledger.errors import UsageError
from flopledger.graph.dtypes import bytes_each


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("float32", 4), ("bfloat16", 2), ("bf16", 2), ("int64", 8), ("bool", 1), ("complex128", 16),
        ("float8_e4m3fn", 1), ("fp8", 1), ("int4", Fraction(1, 2)), ("mxfp4", Fraction(17, 32)),
    ],
)  # fmt: skip
def test_a_type_has_a_size(name: str, size: Fraction) -> None:
    assert bytes_each(name) == size


def test_another_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="float32"):
        bytes_each("float23")
