"""The options of a reading as a scan keeps them: plain values, of the command line or of an entry in a list.

Equal readings have equal options: they are a part of what a network is known by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.devices import file as devices
from flopledger.errors import UsageError, shown
from flopledger.frontend.specs import parse_size
from flopledger.reading import sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from flopledger.dims.types import Dim

_IDLE: Mapping[str, object] = {"step": "forward", "past": 0, "last_logits": False, "execute": False}
"""The values that are the same as none."""
STEP_SIZES = ("seq", "past", "batch")
"""The sizes of a language model's step: numbers or symbols."""


def checked(given: Mapping[str, object]) -> dict[str, object]:
    """Return options in the one form that each has, whoever gave them.

    Raises:
        UsageError: An option has a value that it can't have, or no device is called so.
    """
    return {name: _CHECKS[name](name, value) for name, value in given.items()}


def settled(options: Mapping[str, object]) -> dict[str, object]:
    """Return options without those that leave the reading as it is, and so are no part of its key."""
    return {
        name: value
        for name, value in options.items()
        if value not in ([], {}) and (name not in _IDLE or value != _IDLE[name])
    }


def size(value: object) -> Dim:
    """Return a size of a language model's step."""
    return parse_size(str(value))


def text(value: object) -> object:
    """Return an option's value as a cell of a table has it: ``layer1, *.bias``, ``N=2``."""
    if isinstance(value, dict):
        return ", ".join(f"{key}={one}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return ("no", "yes")[value] if isinstance(value, bool) else value


def ordered(names: Iterable[str]) -> list[str]:
    """Return the names of options in their usual order; those that only a foreign database has come last."""
    return sorted(names, key=lambda name: (NAMES.index(name) if name in NAMES else len(NAMES), name))


def label(name: str, options: Mapping[str, object]) -> str:
    """Return a network's name with its options: ``resnet18[step=train]``."""
    given = [key for key in ordered(options) if options[key] is not None]
    written = ", ".join(f"{key}={text(options[key])}" for key in given)
    return f"{name}[{written}]" if written else name


def _one_of(*known: str) -> Callable[[str, object], object]:
    def check(name: str, value: object) -> str:
        found = value.lower() if isinstance(value, str) else value
        if found not in known:
            raise _wrong(name, value, " or ".join(known))
        return str(found)

    return check


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value, "true or false")
    return value


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(name, value, "a whole number")
    return value


def _size(name: str, value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise _wrong(name, value, "a number or a symbol such as S")
    if name == "past" and str(value) == "0":
        return 0
    size(value)
    return int(value) if str(value).isdigit() else value


def _texts(name: str, value: object) -> list[str]:
    given = value if isinstance(value, (list, tuple)) else [value]
    found = [one for one in given if isinstance(one, str)]
    if len(found) < len(given):
        raise _wrong(name, value, "a text, or a list of texts")
    return found


def _numbers(name: str, value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        raise _wrong(name, value, "a table, as in { N = 2 }")
    return dict(sorted(sizes.checked(value).items()))


def _device(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "the name of a device, or its file")
    devices.load(value)
    return value


def _wrong(name: str, value: object, expected: str) -> UsageError:
    return UsageError(f"{name} is {shown(value)}, expected {expected}")


_CHECKS: Mapping[str, Callable[[str, object], object]] = {
    "mode": _one_of("eval", "train"),
    "step": _one_of("forward", "train"),
    **dict.fromkeys(STEP_SIZES, _size),
    "last_logits": _flag,
    "freeze": _texts,
    "train_only": _texts,
    "recompute": _texts,
    "grad_inputs": _texts,
    "size": _numbers,
    "phase": _one_of("test", "train"),
    "stage": _texts,
    "level": _whole,
    "execute": _flag,
    "device": _device,
}
NAMES = tuple(_CHECKS)
"""The options, by the names that a list and the database have for them."""
