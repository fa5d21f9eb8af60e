"""The keys of a user's own rules: slips of the pen, and rules that no call has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.errors import ConventionError
from handmade import network

if TYPE_CHECKING:
    from pathlib import Path


def mine(tmp_path: Path, rules: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(f'name = "mine"\nextend = "mac"\n\n[rules.layer]\n{rules}')
    return str(path)


def test_a_key_that_is_neither_a_kind_nor_a_source_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        ConventionError, match=r"mine\.toml:5: 'linaer' is no kind and no source; did you mean 'linear'\?"
    ):
        network().count(mine(tmp_path, '"linaer" = "macs"\n'))


def test_keys_that_no_call_has_are_a_note(tmp_path: Path) -> None:
    ledger = network().count(mine(tmp_path, '"linear | conv" = "macs"\n"some.Class" = "1"\n"*" = "0"\n'))

    assert "some.Class" in ledger.unmatched
    assert "linear" not in ledger.unmatched
    assert "*" not in ledger.unmatched
    assert "Notes on the convention:" in str(ledger)
    assert "'some.Class'" in str(ledger)


def test_the_conventions_that_are_installed_have_no_such_notes() -> None:
    assert fl.load("ops").own_rules == ()
    assert network().count("mac").unmatched == ()
