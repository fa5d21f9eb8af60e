from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.report import View, render
from flopledger.report.latex import Fit, escaped, fitted, table

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.counting.ledger import Ledger

TOY = r"""% needs \usepackage{booktabs}
\begin{table}
  \centering
  \caption{toy.prototxt at 1x3x8x8. mac: at least 5,328 MAC = 5.328 kMAC.}
  \begin{tabular}{lllrrr}
    \toprule
    layer & kind & output & params & MAC & share \\
    \midrule
    features &  &  & 112 & 3,888 & 73.0\% \\
    features.conv & conv & 1x4x6x6 & 112 & 3,888 & 73.0\% \\
    features.relu & relu & 1x4x6x6 & 0 & 0 & 0.0\% \\
    proposal & Python & 1x2 & 0 & unknown & 0.0\% \\
    fc & linear & 1x10 & 1,450 & 1,440 & 27.0\% \\
    (network) &  &  & 1,562 & $\geq$ 5,328 & 100.0\% \\
    \bottomrule
  \end{tabular}
\end{table}
"""


def test_one_network_is_a_table_of_layers_and_the_caption_names_convention_and_unit(toy: Ledger) -> None:
    assert render([toy], "latex") == TOY


def test_several_networks_are_rows_and_conventions_are_columns(toy: Ledger) -> None:
    other = replace(toy.graph, reading=replace(toy.graph.reading, source="b_1.prototxt"))
    double = replace(
        toy,
        convention=replace(toy.convention, name="2mac", title="two each"),
        total=replace(toy.total, count=10656, unit="FLOP"),
    )
    text = render([toy, double, replace(toy, graph=other)], "latex")
    assert "    network & params & mac & 2mac \\\\\n" in text
    assert "    toy.prototxt & 1.562 k & at least 5.328 kMAC & at least 10.66 kFLOP \\\\\n" in text
    assert "    b\\_1.prototxt & 1.562 k & at least 5.328 kMAC &  \\\\\n" in text
    assert "Conventions: mac: multiply-{}accumulates (MAC); 2mac: two each (FLOP)." in text


def test_what_is_too_long_for_a_caption_is_below_the_table(toy: Ledger) -> None:
    """A hundred networks of 23 letters with what follows them are 2,300 letters and more."""
    named = [
        replace(toy, graph=replace(toy.graph, reading=replace(toy.graph.reading, source=f"net{i}")))
        for i in range(100)
    ]
    lines = render(named, "latex").splitlines()
    assert lines[4] == r"    \caption{Conventions: mac: multiply-{}accumulates (MAC).}\\"
    assert lines[-2].startswith(r"  \noindent\parbox{\linewidth}{\footnotesize net0 at 1x3x8x8; net1 at")
    assert lines[-2].endswith("net99 at 1x3x8x8.}")


def test_a_table_that_is_longer_than_a_page_is_a_longtable(root: Path) -> None:
    """ResNet-18 has 92 lines; 12 points each are twice the 500 of a page."""
    ledger = fl.read(str(root / "examples" / "resnet18.prototxt")).count("mac")
    lines = render([ledger], "latex", View(full=True)).splitlines()
    assert lines[0] == r"% needs \usepackage{array,booktabs,longtable}"
    assert lines[1].startswith("% longer than a page")
    assert lines.count(r"    layer & kind & output & params & MAC & share \\") == 2
    assert lines.index(r"    \endfirsthead") < lines.index(r"    \endhead") < lines.index(r"    \endfoot")
    assert lines[-2:] == [r"  \end{longtable}", r"\endgroup"]
    assert "longtable" not in render([ledger], "latex", View(depth=1))


def test_a_table_is_fitted_to_the_line_of_an_article() -> None:
    """Two columns leave 345 - 24 = 321 points: 62 letters of 5.1, 68 of 4.72, 73 of 4.34."""
    assert fitted([["a" * 40, "b" * 22]]) == Fit("", (None, None), 12)
    assert fitted([["a" * 40, "b" * 23]]) == Fit(r"\small", (None, None), 11)
    assert fitted([["a" * 40, "b" * 33]]) == Fit(r"\footnotesize", (None, None), 9.5)


def test_cells_that_a_line_has_no_room_for_are_broken_and_no_figure_is() -> None:
    """Of 73 letters the figure keeps 10; the other 63 x 4.34 points of 345 are 0.793; 80 take 2 lines."""
    assert fitted([["path." * 16, "1,234,567x"]]) == Fit(r"\footnotesize", (0.793, None), 19)
    figures = ["1" * 20] * 5
    assert fitted([figures]) == Fit(r"\footnotesize", (None,) * 5, 9.5, too_wide=True)
    text = "\n".join(table("lr", ["a", "b"], [["path." * 16, "1,234,567x"]], ["A."]))
    assert r">{\raggedright\arraybackslash}p{0.793\linewidth}r}" in text
    assert r"path.\allowbreak{}path." in text


def test_a_table_that_is_wider_than_a_page_is_turned() -> None:
    """Turned, five columns leave 550 - 60 = 490 points: 112 letters of 4.34, 119 of 4.1."""
    figures = ["1" * 20] * 5
    assert fitted([figures], turned=True) == Fit(r"\footnotesize", (None,) * 5, 9.5, turned=True)
    narrow = ["1" * 23] * 5
    assert fitted([narrow], turned=True) == Fit(r"\scriptsize", (None,) * 5, 8, turned=True)
    lines = list(table("r" * 5, figures, [figures], ["A."]))
    assert lines[0] == r"% needs \usepackage{booktabs,pdflscape}"
    assert [lines[1], lines[-1]] == [r"\begin{landscape}", r"\end{landscape}"]


def test_a_table_that_is_wider_even_then_is_parted_by_its_columns() -> None:
    """Of columns of 23 letters five fit, of 115 letters in all; six would have 138, of 116."""
    rows = [[f"{column}{'1' * 22}" for column in "abcdefg"]] * 2
    lines = list(table("l" + "r" * 6, rows[0], rows[1:], ["A."]))
    bodies = [line.strip().removesuffix(r" \\").split(" & ") for line in lines if " & " in line]
    assert ["".join(cell[0] for cell in row) for row in bodies] == ["abcde", "abcde", "afg", "afg"]
    assert [line.strip() for line in lines if "caption" in line] == [
        r"\caption{A. Part 1 of 2.}", r"\caption{A. Part 2 of 2.}",
    ]  # fmt: skip


def test_five_conventions_of_one_network_fit(root: Path) -> None:
    graph = fl.read(str(root / "examples" / "resnet18.prototxt"))
    names = ("mac", "ops", "netscope", "caffe-script", "2mac")
    text = render([graph.count(name) for name in names], "latex")
    assert "wider than a page" not in text
    assert text.count(r"\begin{landscape}") == 1
    assert text.count("caffe-{}") >= 3


def test_a_caption_names_no_options_to_type(root: Path) -> None:
    text = render([fl.read(str(root / "examples" / "resnet18.prototxt")).count("mac")], "latex")
    assert "Shown:" in text
    assert "--" not in text.replace("-{}-{}", "--")


def test_no_name_is_a_command() -> None:
    assert escaped(r"a\input{b}%_&#$^~") == (
        r"a\textbackslash{}input\{b\}\%\_\&\#\$\textasciicircum{}\textasciitilde{}"
    )
    assert escaped("a\nb--c") == r"a\textbackslash{}nb-{}-{}c"


def test_no_character_asks_for_a_package_or_an_encoding() -> None:
    """OT1 has no ``\\textquotedbl``; a ``[`` behind the end of a row would be the option of that end."""
    assert escaped("\"'`") == r"\texttt{\char34}{'}{`}"
    assert escaped("[0]*≥") == r"{[}0]{*}$\geq$"


def test_a_letter_that_latex_has_not_is_an_escape() -> None:
    assert (
        escaped("é \u0142 ð 中 😀")
        == r"é ł \textbackslash{}xf0 \textbackslash{}u4e2d \textbackslash{}U0001f600"
    )
    assert escaped("e\u0301") == "é"


ASCII = "".join(map(chr, range(32, 127)))
LATIN = "".join(map(chr, range(0xA0, 0x250)))
NAMES = (
    ASCII, *(LATIN[i : i + 48] for i in range(0, len(LATIN), 48)), "[x]", "*", r"\input{x}", "%", "^^41 ^^M",
    "$x^2$ & \\\\", "--- '' `` << >> ?` !`", "中文 \U0001f600 \u202e\x1b", "\xd7≥→µ",
    "{", "}", "", "long " * 1000,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["OT1", "T1"])
def test_pdflatex_compiles_what_is_written(toy: Ledger, tmp_path: Path, encoding: str) -> None:
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("pdflatex is not installed")
    lines = [
        r"\documentclass{article}\usepackage{array,booktabs,longtable,pdflscape}",
        rf"\usepackage[{encoding}]{{fontenc}}\begin{{document}}",
    ]
    for name in NAMES:
        rows = tuple(
            replace(row, path=f"{name}{row.id}", source=name or "none", kind="unknown") for row in toy.rows
        )
        other = replace(
            toy,
            graph=replace(toy.graph, reading=replace(toy.graph.reading, source=name)),
            convention=replace(toy.convention, name=name or "none", title=name),
            rows=rows,
        )
        lines += [render([other, other], "latex"), render([other, toy], "latex"), r"\clearpage"]
    lines += [render([toy] * 5, "latex"), r"\clearpage", render([toy] * 12, "latex", View(full=True))]
    lines.append(render([replace(toy, rows=toy.rows * 20)], "latex", View(sort="path")))
    (tmp_path / "paper.tex").write_text("\n".join([*lines, r"\end{document}", ""]), encoding="utf-8")
    done = subprocess.run(
        [program, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Missing character" not in (tmp_path / "paper.log").read_text("utf-8", "replace")
    assert (tmp_path / "paper.pdf").stat().st_size > 1000
