"""Scripts and style sheets without the spaces that only readers need.

A page carries its scripts, so they are a good part of its size. Names and line breaks stay: an error in a
browser's console still says where it is, and no rule on semicolons is relied on.
"""

from __future__ import annotations

import re

_PART = re.compile(
    r"""(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<word>[\w$]+)|(?P<space>[ \t]+)|(?P<sign>.|\n)"""
)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_BEFORE_REGEX = frozenset("(,=:[!&|?{};\n")
"""What a regular expression follows; behind anything else a slash divides."""


def script(text: str) -> str:
    """Return a script without indentation, comments on lines of their own, and spaces around signs."""
    found: list[str] = []
    at, space = 0, False
    text = lines(text)
    while at < len(text):
        end = _end(text, at, found[-1] if found else "\n")
        part = text[at:end]
        if part.isspace() and part != "\n":
            space = True
        else:
            if space and found and _meet(found[-1], part):
                found.append(" ")
            found.append(part)
            space = False
        at = end
    return "".join(found)


def lines(text: str) -> str:
    """Leave out indentation, empty lines and lines that are comments."""
    kept = (line for line in map(str.strip, text.splitlines()) if line and not line.startswith("//"))
    return "".join(f"{line}\n" for line in kept)


def style(text: str) -> str:
    """Return a style sheet without comments and spaces around its signs."""
    plain = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r":\s+", ":", re.sub(r"\s*([{};,])\s*", r"\1", plain)).strip()


def _end(text: str, at: int, before: str) -> int:
    """Return where the part at a place ends."""
    if text[at] == "`":
        return _template(text, at)
    regex = _REGEX.match(text, at) if before[-1] in _BEFORE_REGEX else None
    part = regex or _PART.match(text, at)
    return part.end() if part else at + 1


def _template(text: str, at: int) -> int:
    """Return where a template ends; what stands in its braces may have templates of its own."""
    depth, at = 0, at + 1
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == "`":
            if not depth:
                return at + 1
            at = _template(text, at) - 1
        elif text.startswith("${", at) or (depth and text[at] == "{"):
            depth += 1
            at += text[at] == "$"
        elif depth and text[at] == "}":
            depth -= 1
        at += 1
    return at


def _meet(left: str, right: str) -> bool:
    """Return whether two parts would be another one without a space: two words, or ``+ +``."""
    ends = left[-1], right[0]
    return all(end.isalnum() or end in "_$" for end in ends) or (ends[0] == ends[1] and ends[0] in "+-")
