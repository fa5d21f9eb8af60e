from __future__ import annotations

from flopledger.conventions.keys import expand, lines_of


def test_a_key_may_stand_for_several_sources() -> None:
    assert list(expand("nn.{Conv,Pool}{1,2}d | linear")) == [
        "nn.Conv1d",
        "nn.Conv2d",
        "nn.Pool1d",
        "nn.Pool2d",
        "linear",
    ]


def test_the_line_of_a_key_is_found_in_its_table() -> None:
    lines = lines_of('a = 1\n[x]\na = 2\n"b{1,2}" = 3\n[rules.any]\n"*" = "0"\n')
    assert [lines["", "a"], lines["x", "a"], lines["x", "b{1,2}"]] == [1, 3, 4]
    assert lines["rules.any", "*"] == 6
    assert lines["", "x"] == 2
    assert ("x", "nothing") not in lines
