"""Devices: how many operations a second they can do at most, and how many bytes their memory can move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.devices.device import Device
    from flopledger.devices.file import load

__all__ = ["Device", "load"]

__getattr__, __dir__ = offer(
    __name__, {"Device": "flopledger.devices.device", "load": "flopledger.devices.file"}
)
