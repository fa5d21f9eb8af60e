from __future__ import annotations

import json
import sys
import tomllib
import unicodedata

import pytest
from flopledger import printable

HIDDEN = "\x00\x07\t\r\x1b\x7f\x85\x9b\xa0\xad\u061c\u200b\u200e\u2028\u2029\u202e\u2066\ufeff\U000e0041"
"""One of each sort: C0, DEL, C1, a blank that does not break, format marks, separators, a tag."""
IGNORABLE = "\u2800\U0001d159\u034f\u115f\u17b4\u180b\u180e\u3164\ufe00\ufe0f\uffa0\U000e0100"


@pytest.mark.parametrize("character", [*HIDDEN, *IGNORABLE, "\udcff", "\ue000", "\u0378"])
def test_what_can_not_be_seen_is_escaped(character: str) -> None:
    written = printable.line(f"a{character}b")
    assert written == "a" + character.encode("unicode_escape").decode() + "b"
    assert printable.line(written) == written


@pytest.mark.parametrize("text", ["", "a b", "conv1/bn", "Größe", "層", "🙂", "\\x1b", "é", "∑ ≤ ½"])
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert printable.line(text) == printable.lines(text) == text


def test_a_line_has_no_line_feed_and_lines_keep_theirs() -> None:
    assert printable.line("a\nb") == r"a\nb"
    assert printable.lines("a\n\x1bb\n") == "a\n\\x1bb\n"


def test_no_character_of_unicode_that_steers_a_terminal_passes() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    passed = set(printable.line(every))
    assert not {c for c in passed if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}}


@pytest.mark.parametrize("character", [*HIDDEN, *IGNORABLE, "\udcff", "\ue000", "ä", "🙂"])
def test_json_means_the_same_and_shows_every_character(character: str) -> None:
    given = {f"k{character}": [f"\n{character}", 1]}
    written = printable.in_json(json.dumps(given, ensure_ascii=False, indent=1))
    assert json.loads(written) == given
    assert printable.lines(written) == written


@pytest.mark.parametrize("character", [*HIDDEN, *IGNORABLE, "\ue000", "ä", "🙂"])
def test_toml_means_the_same_and_shows_every_character(character: str) -> None:
    written = printable.in_toml(json.dumps(f"a{character}b", ensure_ascii=False))
    assert tomllib.loads(f"k = {written}") == {"k": f"a{character}b"}
    assert printable.line(written) == written
