"""Reads a device's file: TOML into a record, or an error with file, line and reason."""

from __future__ import annotations

import functools
import re
import tomllib
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger import input_files
from flopledger.devices.device import Device, canonical
from flopledger.errors import UsageError, choices, nearest, shown
from flopledger.graph.dtypes import BITS, SHORT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER = Path(__file__).parent
LARGEST_FILE = 20_000
"""The largest file of a device that is read, in bytes."""
MOST = 10**30
"""No device does as many operations, or moves as many bytes, in a second."""
_KEYS = ("name", "title", "source", "note", "bandwidth", "flops")
_DTYPES = ("float8", *BITS, *SHORT)
_FLOAT = re.compile(r"[+-]?[0-9_]{1,40}(\.[0-9_]{1,40})?([eE][+-]?[0-9]{1,3})?\Z")
_LINE = re.compile(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*=""")


@functools.cache
def shipped() -> Mapping[str, Path]:
    """Return the devices that flopledger knows by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


def load(name: str) -> Device:
    """Load a device: by the name of one that is known, or from a file.

    Raises:
        UsageError: There is none, or its file is malformed; the message has the file and the line.
    """
    if name.endswith(".toml") or "/" in name or "\\" in name:
        return _File(Path(name)).device()
    path = shipped().get(name.lower())
    if path is None:
        raise UsageError(
            f"no device is called {name!r}{choices(name, shipped())}; a file of your own is named by its "
            "path, as in ./mine.toml"
        )
    return _File(path).device()


def _number(text: str) -> object:
    """Read a TOML float exactly; one that no device needs stays a text, which is refused later."""
    return Fraction(text.replace("_", "")) if _FLOAT.match(text) else text


class _File:
    """One device's file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.text = input_files.read_text(path, LARGEST_FILE)
        except OSError as error:
            raise UsageError(f"the device {path} can't be read: {error.strerror}") from None
        try:
            self.content = tomllib.loads(self.text, parse_float=_number)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}: not a TOML file: {error}") from None

    def wrong(self, key: str, reason: str) -> UsageError:
        """Return the error for a key, with the file and the line that has it."""
        for number, line in enumerate(self.text.splitlines(), 1):
            written = _LINE.match(line)
            if written and written[1] == key:
                return UsageError(f"{self.path}:{number}: {reason}")
        return UsageError(f"{self.path}: {reason}")

    def device(self) -> Device:
        """Return the device."""
        self._check(self.content, _KEYS)
        name = self._word("name", self.path.stem)
        return Device(
            name,
            self._word("title", name),
            self._word("source", ""),
            self._rate(self.content, "bandwidth", "bytes"),
            self._flops(),
            self._word("note", ""),
        )

    def _check(self, table: Mapping[str, object], known: Iterable[str]) -> None:
        for key in table:
            if key not in known:
                raise self.wrong(key, f"the key {key!r} is not known here{nearest(key, known)}")

    def _word(self, key: str, default: str) -> str:
        value = self.content.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, f"{key} is a text, found {shown(value)}")
        return value

    def _flops(self) -> dict[str, Fraction]:
        table = self.content.get("flops")
        if not isinstance(table, dict) or not table:
            raise self.wrong("flops", "the table [flops] is missing: operations a second by type")
        found: dict[str, Fraction] = {}
        for key in table:
            if key not in _DTYPES:
                raise self.wrong(key, f"no dtype is called {key!r}{nearest(key, _DTYPES)}")
            name = canonical(key)
            if name in found:
                raise self.wrong(key, f"{key} is {name}, which has its peak already")
            found[name] = self._rate(table, key, "operations")
        return found

    def _rate(self, table: Mapping[str, object], key: str, what: str) -> Fraction:
        """Return a number for each second."""
        value = table.get(key)
        number = isinstance(value, (int, Fraction)) and not isinstance(value, bool)
        if not number or not 0 < Fraction(str(value)) < MOST:
            found = "none" if value is None else shown(str(value) if number else value)
            raise self.wrong(key, f"{key} is a number of {what} a second, as in 1.5e12, found {found}")
        return Fraction(str(value))
