"""The page of the names that a convention's expressions may use: facts, parts and functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flopledger.conventions import facts
from flopledger.conventions import names as convention_names
from flopledger.kinds.kind import FACTS, PARTS

from pages.kinds import anchor, families
from pages.markup import code, page, prose, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flopledger.kinds import Kind

_ROW = re.compile(r"^\| (?P<names>`.+?) \| (?P<value>.+) \|$", re.MULTILINE)

PART_DOCS = {
    "multiplies": "multiplications",
    "adds": "additions and subtractions",
    "bias_adds": "additions of a bias vector",
    "divides": "divisions",
    "compares": "comparisons",
    "exps": "exponentials",
    "logs": "logarithms",
    "powers": "powers with an exponent that is not a small whole number",
    "sqrts": "square roots, and their reciprocals",
    "trigs": "sin, cos, tanh and erf",
}


def pages() -> Mapping[str, str]:
    """Return the page."""
    return {
        "names": page(
            "Names and functions in expressions",
            "What the expressions of a [convention's file](conventions/grammar.md) may use. A name that is "
            "not known is an error when the file is loaded, with the nearest one that is.",
            "## Functions",
            table(("function", "value"), functions()),
            "## The position of a call, and the facts of every call",
            _docs({name: fact.doc for name, fact in facts.STRUCTURAL.items()}),
            "## The arithmetic of a call",
            "The parts that formulas distinguish; a part that a call has not is 0. Changes of sign, copies "
            "and index arithmetic are not arithmetic on the data. `ops` is the sum of all parts.",
            _docs({name: PART_DOCS[name] for name in PARTS}),
            "## Facts of kinds",
            _docs(FACTS),
            _own_facts(),
            "## Attributes of kinds",
            "The attributes that calls of a kind carry; of a call of another kind they are an error when the "
            "call is priced, which `opt(name, default)` avoids.",
            table(("name", "kinds"), _attributes()),
            "## In a parameter rule",
            "Over `parameters`:",
            _docs(facts.PARAMETER_FACTS),
            f"Over `modules`: {', '.join(map(code, facts.MODULE_FACTS))} and `native.x`, as above.",
            "## In a total",
            _docs(facts.TOTAL_FACTS),
            "## As the framework spells it",
            "`native.x` is the attribute `x` of the framework's layer or call, as it spells it: the frontend "
            "stores it. `switch.x` is the value that is chosen for a switch.",
        )
    }


def functions() -> list[tuple[str, str]]:
    """Return the functions and what they give, row by row as the grammar lists them."""
    grammar = (convention_names.FOLDER / "README.md").read_text(encoding="utf-8")
    rows = grammar.partition("| function | value |")[2].partition("\n\n")[0]
    return [(row["names"], row["value"]) for row in _ROW.finditer(rows)]


def _docs(docs: Mapping[str, str]) -> str:
    return table(("name", "value"), ((code(name), prose(doc)) for name, doc in docs.items()))


def _every_kind() -> list[Kind]:
    return [kind for _, kinds in families().values() for kind in kinds]


def _own_facts() -> str:
    rows = _by_name((name, kind) for kind in _every_kind() for name in kind.fact_names)
    listed = table(("name", "kinds"), rows)
    return f"Facts of single kinds, which their pages explain:\n\n{listed}" if listed else ""


def _attributes() -> list[tuple[str, str]]:
    return _by_name((attribute.name, kind) for kind in _every_kind() for attribute in kind.attributes)


def _by_name(pairs: Iterable[tuple[str, Kind]]) -> list[tuple[str, str]]:
    kinds: dict[str, list[str]] = {}
    for name, kind in pairs:
        kinds.setdefault(name, []).append(f"[{kind.name}](#kind-{anchor(kind)})")
    return [(code(name), ", ".join(kinds[name])) for name in sorted(kinds)]
