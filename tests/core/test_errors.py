from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flopledger.errors import choices, nearest, shown

if TYPE_CHECKING:
    from pathlib import Path


def test_the_nearest_name_is_offered_if_one_is_near() -> None:
    assert nearest("mca", ["mac", "ops"]) == "; did you mean 'mac'?"
    assert nearest("zzz", ["mac", "ops"]) == ""


def test_the_names_that_there_are_follow_the_nearest_as_a_sentence() -> None:
    assert choices("mca", ["mac", "ops"]) == "; did you mean 'mac'? There are mac, ops"
    assert choices("zzz", ["mac", "ops"]) == "; there are mac, ops"
    assert choices("ops ", ["mac", "ops"], "by") == "; did you mean 'ops'? By mac, ops"


def test_no_sentence_goes_on_after_the_question_for_the_nearest(root: Path) -> None:
    """``did you mean 'x'?; there are`` is no punctuation: a sentence of its own follows."""
    going_on = re.compile(r"nearest\([^{}]*\)\}[;,.:]")
    files = [file for folder in ("core", "frontends") for file in (root / folder).rglob("*.py")]
    assert [file for file in files if going_on.search(file.read_text())] == [
        root / "core/flopledger/cli/__init__.py"  # it replaces the two signs by one
    ]


def test_a_name_that_is_too_long_has_no_near_one() -> None:
    assert nearest("a" * 61, ["a" * 61]) == ""
    assert nearest("a" * 60, ["a" * 60, "a" * 1_000_000]) == f"; did you mean {'a' * 60!r}?"


def test_a_value_in_a_message_is_short() -> None:
    assert shown((1, "two")) == "(1, 'two')"
    assert len(shown("x" * 1_000_000)) <= 60
    assert len(shown(list(range(1_000_000)))) <= 60
    nested: object = ()
    for _ in range(100):
        nested = (nested, nested)
    assert len(shown(nested)) < 300
