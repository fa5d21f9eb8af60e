"""Writes the formulas of docstrings, such as ``y = x / sqrt(mean(x^2) + eps)``, in TeX."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z]+\d*(?:_[A-Za-z0-9]+|_(?=\())*'?)"
    r"|(?P<mark>\.\.|//|<=|>=|[-+*/^()=<>|,]))"
)
_SYMBOL = re.compile(r"(?P<letter>[A-Za-z])(?P<digits>\d*)(?:_(?P<below>[A-Za-z0-9]*))?(?P<prime>'?)\Z")

_CALLED = frozenset({"exp", "log", "max", "min", "tanh", "sin", "cos"})
_NAMED = frozenset({"erf", "sigmoid", "softmax", "mean", "var"})
_GREEK = {"alpha": r"\alpha", "beta": r"\beta", "gamma": r"\gamma", "eps": r"\varepsilon", "pi": r"\pi"}
_LARGE = {"sum": r"\sum", "prod": r"\prod"}
_AROUND = {
    "sqrt": (r"\sqrt{", "}"),
    "floor": (r"\lfloor ", r"\rfloor "),
    "ceil": (r"\lceil ", r"\rceil "),
}
_WORDS = {"if": r"\ \text{if}\ ", "else": r"\ \text{else}\ "}
_MARKS = {
    "*": r"\cdot ",
    "..": r"\cdots ",
    "|": r"\vert ",
    "<=": r"\le ",
    ">=": r"\ge ",
    "<": r"\lt ",
    ">": r"\gt ",
    ",": r",\ ",
}
_KNOWN = _CALLED | _NAMED | _GREEK.keys() | _LARGE.keys() | _AROUND.keys() | _WORDS.keys()
_UPRIGHT = frozenset({"in"})
_JOINING = frozenset("=+-*/^|<>")


def tokens(text: str) -> list[str] | None:
    """Split a formula into its tokens; None where it is none."""
    found, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            return None
        found.append(match[0].strip())
        place = match.end()
    return found


def is_formula(text: str, *, strict: bool = False) -> bool:
    """Tell a formula from code, such as an attribute's name.

    In a formula something is joined or called, or all names are single letters; a list of sizes is code.
    ``strict`` allows no names but letters and functions, so that a sentence is not taken for a formula.
    """
    found = tokens(text)
    if not found or "->" in text or "--" in text:
        return False
    names = [token for token in found if token[0].isalpha()]
    letters = [name for name in names if _SYMBOL.match(name)]
    words = [name for name in names if name not in letters and name not in _KNOWN]
    if not names or (strict and words):
        return False
    called = any(a in _KNOWN and b == "(" for a, b in itertools.pairwise(found))
    joined = len(found) > 1 and not _JOINING.isdisjoint(found)
    return called or joined or (letters == names and "," not in found)


def tex(text: str) -> str:
    """Write a formula in TeX.

    Raises:
        ValueError: It is no formula.
    """
    found = tokens(text)
    if found is None:
        message = f"{text!r} is no formula"
        raise ValueError(message)
    return "".join(_expression(found, 0, len(found))).strip()


def _expression(found: list[str], start: int, stop: int) -> Iterator[str]:
    place = start
    while place < stop:
        written, place = _item(found, place, stop)
        yield written


def _item(found: list[str], place: int, stop: int) -> tuple[str, int]:
    """Write the item at a place, and return the place behind it."""
    word = found[place]
    if word in _AROUND and place + 1 < stop and found[place + 1] == "(":
        end = _closing(found, place + 1, stop)
        before, after = _AROUND[word]
        return f"{before}{''.join(_expression(found, place + 2, end))}{after}", end + 1
    if (word == "^" or word.endswith("_")) and place + 1 < stop:
        inner, end = _raised(found, place + 1, stop)
        return (f"^{{{inner}}}" if word == "^" else f"{_symbol(word[:-1])}_{{{inner}}} "), end
    followed = place + 1 < stop and found[place + 1][0].isalpha() and found[place + 1] not in _WORDS
    apart = "\\ " if followed and _is_word(word) else ""
    return _word(word) + apart, place + 1


def _is_word(word: str) -> bool:
    known = word in _KNOWN or word.partition("_")[0] in _CALLED | _LARGE.keys()
    return word[0].isalpha() and not known and not _SYMBOL.match(word)


def _raised(found: list[str], place: int, stop: int) -> tuple[str, int]:
    """Write an exponent or an index: what is in parentheses stands there without them."""
    if found[place] != "(":
        return _item(found, place, stop)
    end = _closing(found, place, stop)
    return "".join(_expression(found, place + 1, end)), end + 1


def _closing(found: list[str], place: int, stop: int) -> int:
    depth = 0
    for i in range(place, stop):
        depth += (found[i] == "(") - (found[i] == ")")
        if depth == 0:
            return i
    message = f"a parenthesis is not closed in {' '.join(found)!r}"
    raise ValueError(message)


def _word(word: str) -> str:
    if word in _CALLED:
        return rf"\{word} "
    base, _, below = word.partition("_")
    if base in _LARGE:
        return f"{_LARGE[base]}_{{{below}}} " if below else rf"{_LARGE[base]} "
    if base in _CALLED and below:
        return rf"\{base}_{{\mathrm{{{below}}}}} "
    found = {**_GREEK, **_WORDS, **_MARKS}.get(word)
    if found is not None:
        return f"{found} "
    return _symbol(word) if word[0].isalpha() else word


def _symbol(word: str) -> str:
    parts = _SYMBOL.match(word)
    if parts is None or word in _NAMED:
        written = word.replace("_", r"\_")
        return rf"\mathrm{{{written}}}"
    below = parts["below"] or parts["digits"]
    upright = rf"\mathrm{{{below}}}" if len(below) > 2 or below in _UPRIGHT else below
    return parts["letter"] + (f"_{{{upright}}}" if below else "") + parts["prime"] + " "
