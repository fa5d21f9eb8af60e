"""A device: the peak of its arithmetic for each type, and the bandwidth of its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.errors import UsageError
from flopledger.graph.dtypes import SHORT
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

_SAME = {"uint8": "int8", "qint8": "int8", "quint8": "int8", "uint4": "int4", "uint16": "int16"}
"""Types that have the peak of another: signed or not, with a scale beside them or not."""


def canonical(dtype: str) -> str:
    """Return the name that a device's file has for a type: every 8-bit float is ``float8``."""
    name = SHORT.get(dtype, dtype)
    return "float8" if name.startswith("float8") else _SAME.get(name, name)


@dataclass(frozen=True, slots=True)
class Device:
    """The most that a device can do: operations a second by type, and bytes a second."""

    name: str
    title: str
    source: str
    bandwidth: Fraction
    flops: Mapping[str, Fraction]
    note: str = ""
    """The figures that the source does not state, and how they were derived."""

    def peak(self, dtype: str) -> Fraction:
        """Return the most operations a second on a type.

        Raises:
            UsageError: The device's file has none.
        """
        found = self.flops.get(canonical(dtype))
        if found is None:
            known = ", ".join(self.flops)
            raise UsageError(
                f"the device {self.name!r} has no peak for {canonical(dtype)}; it has {known}: write it "
                "under [flops] in a file of your own, and name that with --device"
            )
        return found
