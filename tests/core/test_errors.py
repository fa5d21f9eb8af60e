from __future__ import annotations

from flopledger.errors import nearest, shown


def test_the_nearest_name_is_offered_if_one_is_near() -> None:
    assert nearest("mca", ["mac", "ops"]) == "; did you mean 'mac'?"
    assert nearest("zzz", ["mac", "ops"]) == ""


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
