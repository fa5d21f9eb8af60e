from __future__ import annotations

import pytest
from flopledger.errors import ExpressionError, Unbounded
from flopledger.expressions.compiler import evaluate
from flopledger.meter import MOST_STEPS, MOST_STEPS_PER_CALL, metered, spend


def test_what_is_spent_beyond_the_limit_is_an_error() -> None:
    with metered():
        spend(MOST_STEPS)
        with pytest.raises(Unbounded, match="more steps than any network needs"):
            spend(1)


def test_each_call_adds_to_the_limit() -> None:
    with metered(2):
        spend(MOST_STEPS + 2 * MOST_STEPS_PER_CALL)
        with pytest.raises(Unbounded):
            spend(1)


def test_a_limit_inside_another_is_that_other() -> None:
    with metered():
        spend(MOST_STEPS)
        with metered(9), pytest.raises(Unbounded):
            spend(1)


def test_nothing_is_left_over_and_nothing_is_bounded_outside() -> None:
    with metered():
        spend(MOST_STEPS)
    spend(10 * MOST_STEPS)
    with metered():
        spend(MOST_STEPS)


def test_the_steps_of_a_loop_in_a_loop_are_spent() -> None:
    assert evaluate("sum(sum(1 for x in range(300)) for y in range(300))", {}) == 90_000
    with pytest.raises(ExpressionError, match="more steps than any network needs"):
        evaluate("sum(sum(1 for x in range(3000)) for y in range(3000))", {})
