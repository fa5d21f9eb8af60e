from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.report import render
from flopledger.report.latex import escaped

if TYPE_CHECKING:
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
    (network) &  &  & 1,562 & 5,328 & 100.0\% \\
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


def test_no_name_is_a_command() -> None:
    assert escaped(r"a\input{b}%_&#$^~") == (
        r"a\textbackslash{}input\{b\}\%\_\&\#\$\textasciicircum{}\textasciitilde{}"
    )
    assert escaped("a\nb--c") == r"a\textbackslash{}nb-{}-{}c"


def test_no_character_asks_for_a_package_or_an_encoding() -> None:
    """OT1 has no ``\\textquotedbl``; a ``[`` behind the end of a row would be the option of that end."""
    assert escaped("\"'`") == r"\texttt{\char34}{'}{`}"
    assert escaped("[0]*≥") == r"{[}0]{*}$\geq$"
