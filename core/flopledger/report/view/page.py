"""One self-contained HTML file: its data, scripts and styles are inside, and it may load nothing.

Names in the data come from untrusted files. They are in a block of JSON in which no character can end the
block, and in which invisible characters are escapes that can be read, as on a terminal; the scripts put them
on the page as text only; and a content security policy, with the hashes of the
scripts and of the style sheet, lets a browser run nothing else and send no request, whatever a name holds.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from importlib import resources
from typing import TYPE_CHECKING

from flopledger import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LIBRARY = "vendor/dagre.min.js"
SCRIPTS = {
    "figures.js": None, "dom.js": None, "state.js": None, "save.js": None, "symbols.js": "symbols",
    "model.js": "network", "icicle.js": "network", "bars.js": "network", "layout.js": "network",
    "flow.js": "network", "tree.js": "network", "head.js": "network", "causes.js": "explanations",
    "pairs.js": "comparison", "main.js": None,
}  # fmt: skip
"""The scripts, in the order in which one uses the others, each with the data that it is for, or None; a page
has those that its data need, as one."""
EXACT = 2**53
"""Larger whole numbers are written as texts, since JavaScript reads numbers as doubles."""
CLOSING = ("}", "]", ")")
_DOUBTFUL = re.compile("['`]|(?<! )/|/(?! )")
"""What is no text and may begin one, a regular expression or a comment: a slash between blanks divides."""
_STRINGS = re.compile(r'("(?:[^"\\]|\\.)*"|`[^`]*`)')
_SIGNS = re.compile(r" ?([=<>?:,;{}()\[\]*|&!]) ?")
_LAST = re.compile(r"[;,]?\n?$")
_GOES_ON = re.compile(r"([;,{(\[])\n")
_STYLE_BLANKS = re.compile(r"(?<=[;:,{}])\s| (?={)|;(?=\s*})")
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def page(
    title: str,
    content: Mapping[str, object],
    *,
    flow: bool = False,
    scripts: Sequence[str] | None = None,
    body: str = "view.html",
) -> str:
    """Return a page.

    Args:
        title: What it is about.
        content: What it draws: a ``network``, ``explanations``, a ``comparison``.
        flow: Whether it lays out a data flow, which takes a library.
        scripts: Its scripts, where they are not those that its data need.
        body: Its markup.
    """
    style = _STYLE_BLANKS.sub("", without_margins(_part("view.css")))
    used = [name for name, data in SCRIPTS.items() if data is None or content.get(data)]
    script = without_blanks(without_margins("\n".join(map(_part, used if scripts is None else scripts))))
    blocks = [*([_part(LIBRARY)] if flow else []), f'(() => {{"use strict";\n{script}}})();\n']
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_hash, blocks))}; style-src {_hash(style)}; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    tags = "".join(f"<script>{block}</script>" for block in blocks)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{html.escape(printable.line(title))} - flopledger</title>\n<style>{style}</style></head>\n"
        f'<body>{without_margins(_part(body))}<script type="application/json" id="data">{in_script(content)}'
        f"</script>\n{tags}</body></html>\n"
    )


def without_margins(text: str) -> str:
    """Leave out indentation, empty lines and lines that are comments; no line is changed otherwise."""
    kept = (line for line in map(str.strip, text.splitlines()) if line and not line.startswith(("//", "/*")))
    return "".join(f"{line}\n" for line in kept)


def without_blanks(script: str) -> str:
    """Leave out blanks beside signs and line ends behind them, where a line shows at once what is text in it.

    A line with templates that nest, with a regular expression or with a comment stays as it is.
    The last semicolon of a block goes, too: no statement of ours is empty.
    """
    lines = script.splitlines(keepends=True)
    return "".join(map(_squeezed, lines, [*lines[1:], ""]))


def _squeezed(line: str, following: str) -> str:
    parts = _STRINGS.split(line)
    nested = any(text.startswith("`") and text.count("{") != text.count("}") for text in parts[1::2])
    if nested or any(map(_DOUBTFUL.search, parts[::2])):
        return line
    parts[::2] = [_SIGNS.sub(r"\1", part) for part in parts[::2]]
    joined = _GOES_ON.sub(r"\1", "".join(parts))
    return _LAST.sub("", joined) if following[:1] in CLOSING else joined


def in_script(content: object) -> str:
    """Write data as JSON in which nothing ends a script block, and no whole number loses a digit.

    Invisible characters are escaped before JSON escapes anything, since its parser undoes its own: so the
    scripts get texts in which each of them is seen, and none turns the direction of what stands beside it.
    """
    written = json.dumps(_shown(content), separators=(",", ":"), ensure_ascii=False)
    for character, escape in _ESCAPES.items():
        written = written.replace(character, escape)
    return written


def _shown(value: object) -> object:
    if isinstance(value, dict):
        return {printable.line(key): _shown(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(each) for each in value]
    if isinstance(value, str):
        return printable.line(value)
    return str(value) if isinstance(value, int) and abs(value) >= EXACT else value


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _part(name: str) -> str:
    """Return a file of this package."""
    return resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")
