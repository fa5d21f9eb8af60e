"""The peak of a device for each spelling of a type."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flopledger.devices.device import Device, canonical
from flopledger.errors import UsageError

DEVICE = Device("toy", "Toy", "", Fraction(100), {"float16": Fraction(8), "int8": Fraction(16)})


@pytest.mark.parametrize(
    ("given", "expected"),
    [("fp16", "float16"), ("half", "float16"), ("quint8", "int8"), ("float8_e4m3fn", "float8")],
)
def test_types_have_one_name(given: str, expected: str) -> None:
    assert canonical(given) == expected


def test_a_type_has_the_peak_of_the_file_and_another_one_is_an_error_that_lists_them() -> None:
    assert (DEVICE.peak("float16"), DEVICE.peak("uint8")) == (8, 16)
    with pytest.raises(UsageError, match="has no peak for float32; it has float16, int8"):
        DEVICE.peak("float32")
