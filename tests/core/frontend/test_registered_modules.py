from __future__ import annotations

from flopledger.frontend.registered_modules import MOST_PATHS, Registered


class Part:
    """Something with parts of its own."""

    def __init__(self, **parts: Part | None) -> None:
        self.parts = dict(parts)


def registered(part: Part) -> Registered[Part]:
    return Registered(part, lambda one: one.parts.items())


def test_each_is_there_once_with_all_its_paths_parents_first() -> None:
    shared = Part()
    root = Part(a=Part(x=shared, none=None), b=shared)
    found = registered(root)

    assert found.modules == [root, root.parts["a"], shared]
    assert found.paths == [[""], ["a"], ["a.x", "b"]]
    assert found.children == [[1, 2], [2], []]
    assert found.number(shared) == 2
    assert found.number(Part()) is None


def test_a_part_inside_itself_is_not_entered_again() -> None:
    root = Part(a=Part())
    inner = root.parts["a"]
    assert inner is not None
    inner.parts["back"] = root

    assert registered(root).paths == [[""], ["a"]]


def test_ways_that_double_are_written_down_to_a_bound() -> None:
    part = Part()
    for _ in range(40):  # 2 to the power of 40 ways lead to the innermost
        part = Part(a=part, b=part)

    assert max(map(len, registered(part).paths)) == MOST_PATHS


def test_more_may_be_taken_in_under_a_path() -> None:
    found = registered(Part())
    late = Part(x=Part())

    assert found.extend(late, "made") == 1
    assert found.paths == [[""], ["made"], ["made.x"]]
