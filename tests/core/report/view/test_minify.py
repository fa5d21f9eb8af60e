from __future__ import annotations

import pytest
from flopledger.report.view import minify


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("// why\n  const a = b + c;\n\n", "const a=b+c;\n"),
        ("f(\"a  +  b\", 'c , d');", "f(\"a  +  b\",'c , d');\n"),
        ("return x in y ? typeof z : -1;", "return x in y?typeof z:-1;\n"),
        ("a + +b - -c + ++d", "a+ +b- -c+ ++d\n"),
        ("x = `a  ${b + `${ c }  d` + { e: 1 }.e}  f` + 1", "x=`a  ${b + `${ c }  d` + { e: 1 }.e}  f`+1\n"),
        (r"t = `\`  ${a}`  + b", "t=`\\`  ${a}`+b\n"),
        ('s.replace(/[ /"]+ x/g, " ")', 's.replace(/[ /"]+ x/g," ")\n'),
        ("half = width / 2 + (a) / b / c", "half=width/2+(a)/b/c\n"),
        ("let a\nlet b", "let a\nlet b\n"),
    ],
)
def test_spaces_go_and_texts_stay(written: str, expected: str) -> None:
    assert minify.script(written) == expected


def test_a_style_sheet_keeps_the_spaces_of_selectors_and_sums() -> None:
    written = "/* why, and\n   how */\n.a .b:hover , p {\n  width: calc(1px + 2em);\n  color: var(--x);\n}\n"
    assert minify.style(written) == ".a .b:hover,p{width:calc(1px + 2em);color:var(--x);}"
