"""Options that take a number: any other word, or one beyond all bounds, ends with 2 and a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.cli import run

if TYPE_CHECKING:
    from pathlib import Path

NONE = ("nan", "inf", "-inf", "1e400", "-1", "", " ", "x", "0x10", "1" * 400, "9" * 5000, "-" + "9" * 5000)
OPTIONS = {
    "count {} --timeout": NONE,
    "count {} --memory-limit": (*NONE, "9" * 25 + "T", "1.5X"),
    "count {} --depth": ("0", *NONE[:9], "1.5"),
    "count {} --top": ("0", *NONE[:9], "1.5"),
    "check {} --max-macs": (*NONE[:9], "1" * 400, "9" * 5000, "1e999", "1.2.3"),
    "check {} --max-params": (*NONE[:9], "9" * 5000),
    "check {} --against {} --tolerance": (*NONE, "101%", "2"),
    "explain {} --figure": (*NONE[:9], "1" * 400, "9" * 5000, "1e999"),
    "count {} -i": ("1xnan", "1x-1", "1x1e400", "1x" + "9" * 5000, "a[" + "9" * 5000 + "]=1x3"),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_what_is_no_number_in_range_ends_with_2(
    option: str, toy: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for value in OPTIONS[option]:
        args = [str(toy) if word == "{}" else word for word in option.split()]
        *before, name = args
        given = [*before, f"{name}={value}"] if name.startswith("--") else [*args, value]
        assert run(given) == 2, value
        out, err = capfd.readouterr()
        assert out == ""
        assert "Error: " in err
        assert "Traceback" not in err


@pytest.mark.parametrize("limit", ["1e300", float("nan"), float("inf"), -1.0, 0, 10**400])
def test_the_library_refuses_the_same_timeouts(limit: float | str, toy: Path) -> None:
    import flopledger
    from flopledger.errors import UsageError

    with pytest.raises(UsageError, match="the timeout is"):
        flopledger.read(str(toy), timeout=float(limit) if isinstance(limit, str) else limit)


def test_the_library_refuses_the_same_memory_limits(toy: Path) -> None:
    import flopledger
    from flopledger.errors import UsageError

    for limit in (0, -1, 2**63, 10**400):
        with pytest.raises(UsageError, match="the memory limit is"):
            flopledger.read(str(toy), memory_limit=limit)


def test_a_size_is_read_exactly() -> None:
    from flopledger.cli.values import Size

    assert Size().convert("0.1T", None, None) == 109_951_162_777
    assert Size().convert("9007199254740993", None, None) == 9_007_199_254_740_993
