from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from importlib import resources
from pathlib import Path

import pytest
from flopledger.report.view import zoo
from flopledger.report.view.page import SCRIPTS, in_script, page, without_blanks, without_margins

FOLDER = Path(str(resources.files("flopledger.report.view")))
VENDOR = FOLDER / "vendor"
HOSTILE = "</script><img src=x onerror=alert(1)><!--\u2028\u202e&amp;"


def test_the_layout_library_is_the_one_whose_version_and_hash_are_stated() -> None:
    stated = re.findall(
        r"^sha256: `([0-9a-f]{64})`$", (VENDOR / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert stated == [hashlib.sha256((VENDOR / "dagre.min.js").read_bytes()).hexdigest()]
    assert "Permission is hereby granted, free of charge" in (VENDOR / "dagre.LICENSE").read_text("utf-8")


def test_what_every_page_carries_of_ours_is_small() -> None:
    """With the layout library, of 49 kB, it leaves 22 kB for the data of ResNet-50 under four conventions.

    The pairs of a comparison and the sliders of symbols are on the pages that need them alone.
    """
    text = page("net", {"network": {"rows": []}, "explanations": [{}]})
    assert len(text.encode()) < 50_000
    assert len(gzip.compress(text.encode())) < 18_000


def test_a_page_has_the_scripts_that_its_data_need() -> None:
    plain = page("net", {"network": {"rows": []}, "explanations": []}, flow=True)
    assert "const icicle" in plain
    assert not any(words in plain for words in ("function parsed", "function explain", "function compare"))
    compared = page("a against b", {"comparison": {"rows": []}, "symbols": ["N"]})
    assert all(words in compared for words in ("function parsed", "function compare"))
    assert not any(words in compared for words in ("const icicle", "dagre", "function explain"))


def test_margins_and_comments_go_and_lines_stay() -> None:
    written = "// why\n\n  const a = `x  //` + b; // c\n    /* how */\n"
    assert without_margins(written) == "const a = `x  //` + b; // c\n"


@pytest.mark.parametrize(
    ("line", "short"),
    [
        ('const [a, b] = c ? "d = e" : f || !g;', 'const[a,b]=c?"d = e":f||!g;'),
        ('  "\\" = " + (x => x - -y)', '  "\\" = " +(x=>x - -y)'),
        ("return a in b && typeof c;", "return a in b&&typeof c;"),
        ('const a = `b = ${c === d ? " = e" : 1}`, f = g;', 'const a=`b = ${c === d ? " = e" : 1}`,f=g;'),
        ("const a = `b = ${c === d ? ` = e` : 1}`;",) * 2,
        ("a = {\nb: 1,\n}\n", "a={b:1}\n"),
        ("if (a) {\nb(c, d);\n}\n", "if(a){b(c,d)}\n"),
        ("`a = ${b}` + `c = ${d}`, e / f", "`a = ${b}` + `c = ${d}`,e / f"),
        ("a = {  // b = {\nc: 1, };\n", "a = {  // b = {\nc:1,};"),
        ("const a = /b = c/.test(d); // e = f",) * 2,
    ],
)
def test_blanks_go_where_none_is_part_of_a_text(line: str, short: str) -> None:
    assert without_blanks(line) == short


def test_nothing_in_the_data_ends_its_block() -> None:
    written = in_script({"name": HOSTILE})
    assert not set(written) & set("<>&\u2028\u202e")
    shown = r"</script><img src=x onerror=alert(1)><!--\u2028\u202e&amp;"
    assert json.loads(written) == {"name": shown}
    assert json.loads(in_script({"\x1b": ["a\nb", 1]})) == {r"\x1b": [r"a\nb", 1]}


@pytest.mark.parametrize("size", [2**53 - 1, 2**53, -(10**40)])
def test_a_whole_number_that_a_double_would_round_travels_as_text(size: int) -> None:
    found = json.loads(in_script({"rows": [[size]]}))["rows"][0][0]
    assert found == (size if abs(size) < 2**53 else str(size))


def test_a_page_may_run_its_own_scripts_and_nothing_else() -> None:
    text = page(HOSTILE, {"network": None}, flow=True)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert re.findall(r"script-src ([^;]*)", policy[1])[0] == " ".join(f"'sha256-{each}'" for each in hashes)
    assert "<img" not in text


def test_the_scripts_put_names_on_the_page_as_text_only() -> None:
    parts = {path.name for path in FOLDER.glob("*.js")}
    assert parts == {*SCRIPTS, *zoo.SCRIPTS}
    for name in parts:
        written = (FOLDER / name).read_text("utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function", written
        )
        assert not re.search(r"fetch\(|XMLHttp|WebSocket|import\(|localStorage|cookie", written)
        assert len(written.splitlines()) < 400


def colors(css: str) -> dict[str, tuple[int, ...]]:
    found = re.findall(r"--([a-z-]+): #([0-9a-f]{6})", css)
    return {name: tuple(bytes.fromhex(value)) for name, value in found}


def luminance(color: tuple[int, ...]) -> float:
    """Return the relative luminance as WCAG 2.1 defines it, from the sRGB transfer function."""
    parts = [(c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4) for c in color]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_has_the_contrast_that_the_standard_gives() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == 21


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_read_on_every_colour(theme: str) -> None:
    light, dark = (FOLDER / "view.css").read_text("utf-8").split("prefers-color-scheme: dark", 1)
    found = colors(light if theme == "light" else dark)
    pairs = [(name, found[f"on-{name}"], color) for name, color in found.items() if f"on-{name}" in found]
    assert len(pairs) == 10
    for text in ("text", "quiet", "alarm"):
        pairs += [(f"{text} on {back}", found[text], found[back]) for back in ("page", "card", "box", "band")]
    for name, one, other in pairs:
        assert contrast(one, other) >= 4.5, f"{name}: {contrast(one, other):.2f}"
