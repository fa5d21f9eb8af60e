"""Breaks a text for people into lines that fit a terminal, between its words.

A word that is longer than a whole line, such as a path on a narrow terminal, goes on after one of its
separators, and only where it has none, in the middle: there the terminal would break it too.
"""

from __future__ import annotations

import re

from flopledger.report.numbers import width_of

NARROWEST = 20
"""No terminal is taken to be narrower: a word of an ordinary length has to fit."""
_WORD = re.compile("( *)([^ ]+)")
_SEPARATOR = re.compile("[-/._:=,]")


def wrapped(text: str, width: int | None, hanging: str = "") -> list[str]:
    """Return the lines of a text; the first keeps its blanks, the others begin with ``hanging``."""
    if width is None or width_of(text) <= width:
        return [text]
    hanging = hanging[: width // 2]
    bare = text.lstrip(" ")
    lines = [text[: len(text) - len(bare)][: width // 2]]
    for blanks, word in _WORD.findall(bare):
        if width_of(lines[-1] + blanks + word) <= width:
            lines[-1] += blanks + word
        elif width_of(hanging + word) <= width and lines[-1].strip():
            lines.append(hanging + word)
        else:
            lines[-1:] = _cut(lines[-1] + blanks, word, width, hanging)
    return lines


def _cut(before: str, word: str, width: int, hanging: str) -> list[str]:
    """Return the lines of a word that has no room after ``before``, nor in a line of its own."""
    lines = []
    while width_of(before + word) > width:
        most = 0
        while width_of(before + word[: most + 1]) <= width:
            most += 1
        ends = [found.end() for found in _SEPARATOR.finditer(word, 0, most)]
        end = ends[-1] if ends else 0 if before.strip() else max(most, 1)
        lines.append((before + word[:end]).rstrip(" "))
        before, word = hanging, word[end:]
    return [*lines, before + word]


def longest_word(text: str) -> int:
    """Return the columns that the longest word of a text takes."""
    return max(map(width_of, text.split(" ")))
