"""Pages about conventions: the list of all, and the rules of one, in words and formulas."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flopledger import printable
from flopledger.conventions import facts, loader
from flopledger.conventions import names as convention_names
from flopledger.frontend.request import GIVEN
from flopledger.kinds.kind import FACTS
from flopledger.plugins import discovery as plugins
from flopledger.report import plain
from flopledger.report.blocks import Grid
from flopledger.report.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flopledger.conventions.convention import Convention, LevelRules, Params
    from flopledger.expressions.compiler import Expression

BASE = "mac"
"""The convention with which every other is compared."""
WIDTH = 100
LABEL = re.compile("[^ ]+ {2,}")
"""The name of a field before a text in columns."""
EVERY = "*"
NOTHING = "nothing"
CALLS = {"layer": "layers", "function": "functions", "op": "ops"}
ALWAYS, ONCE = "True", "1"


def every() -> list[Convention]:
    """Return all conventions that are installed."""
    return [loader.load(name) for name in convention_names.known(plugins.conventions())]


def overview(width: int | None = None) -> str:
    """List the conventions: name, unit and title, in lines of a width."""
    rows = [(one.name, one.unit, one.title) for one in every()]
    return plain.write([Grid(("convention", "unit", "title"), rows)], width)


def page(name: str, width: int = WIDTH) -> str:
    """Describe a convention, by name or file, in lines of a width, by default of 100 columns.

    Raises:
        ConventionError: It is unknown or malformed.
    """
    convention = loader.load(name)
    lines = [*_head(convention), *_counts(convention), *_differences(convention), *_foot(convention)]
    return "".join(f"{part}\n" for line in lines for part in _broken(line, width))


def _head(convention: Convention) -> Iterator[str]:
    yield from (f"{convention.name}: {convention.title}", "", f"unit      {convention.unit}")
    fields = {
        "estimates": convention.estimates,
        "tool": convention.tool,
        "version": convention.version,
        "source": convention.source,
        "networks": ", ".join(convention.frameworks),
        "file": f"{convention.path} ({convention.digest})",
    }
    yield from (f"{label:<9} {value}" for label, value in fields.items() if value)
    if convention.description:
        yield from ("", " ".join(convention.description.split()))


def _counts(convention: Convention) -> Iterator[str]:
    yield from ("", "What it counts")
    for levels, rules in _levels(convention):
        yield f"  {_counted_calls(levels, rules)}"
        for sources, formula in _grouped(rules.rules):
            yield f"    {sources}: {formula}"
    for name, defined in convention.define.items():
        yield f"    where {name} = {_flat(defined)}"
    yield f"  total = {_flat(convention.total)}"
    yield f"  params: {_params(convention.params)}"
    if glossary := _glossary(convention):
        yield from ("", "The names in its formulas")
    for name, doc in glossary.items():
        yield f"  {name}: {doc}"


def _levels(convention: Convention) -> Iterator[tuple[list[str], LevelRules]]:
    """Group levels that are counted in the same way."""
    groups: dict[object, list[str]] = {}
    for level, rules in convention.levels.items():
        alike = (_condition(rules), tuple(_grouped(rules.rules)))
        groups.setdefault(alike, []).append(level)
    for levels in groups.values():
        yield levels, convention.levels[levels[0]]


def _counted_calls(levels: Iterable[str], rules: LevelRules) -> str:
    condition = _condition(rules)
    return f"calls of {', '.join(CALLS[level] for level in levels)}" + (f" {condition}" if condition else "")


def _condition(rules: LevelRules) -> str:
    where, times = _flat(rules.where), _flat(rules.times)
    words = [f"where {where}" if where != ALWAYS else "", f"times {times}" if times != ONCE else ""]
    if rules.match == "isinstance":
        words.append("subclasses too")
    if rules.through:
        words.append(f"through {', '.join(sorted(rules.through))}")
    return ", ".join(word for word in words if word)


def _grouped(rules: Mapping[str, Expression]) -> list[tuple[str, str]]:
    """Put sources with the same formula together."""
    groups: dict[str, list[str]] = {}
    for source, formula in rules.items():
        named = source if source != EVERY else "every kind" if len(rules) == 1 else "everything else"
        groups.setdefault(_flat(formula), []).append(named)
    return [(", ".join(sources), formula) for formula, sources in groups.items()]


def _params(params: Params | None) -> str:
    if params is None:
        return NOTHING
    condition = "" if params.where.text == ALWAYS else f" where {_flat(params.where)}"
    return f"{_flat(params.count)}, summed over {params.over}{condition}"


def _glossary(convention: Convention) -> dict[str, str]:
    """Return the meanings of the names in a convention's formulas."""
    formulas = [convention.total, *convention.define.values()]
    for rules in convention.levels.values():
        formulas += [rules.where, rules.times, *rules.rules.values()]
    params = convention.params
    formulas += [params.where, params.count] if params else []
    docs = {name: fact.doc for name, fact in facts.STRUCTURAL.items()} | dict(FACTS)
    docs |= {**facts.TOTAL_FACTS}
    if params and params.over == "parameters":
        docs |= facts.PARAMETER_FACTS
    names = sorted(frozenset().union(*(formula.names for formula in formulas)))
    return {name: docs[name] for name in names if name in docs}


def _differences(convention: Convention) -> Iterator[str]:
    """Describe, decision by decision, how a convention differs from ``mac``."""
    if convention.name == BASE:
        return
    mine, base = _decisions(convention), _decisions(loader.load(BASE))
    yield from ("", f"Where it differs from {BASE}")
    for decision in mine | base:
        fallback = mine.get(decision) if decision.startswith("where ") else base["everything else"]
        here, there = mine.get(decision), base.get(decision, fallback)
        if here is not None and here != there:
            yield f"  {decision}: {here} ({BASE}: {there})"


def _decisions(convention: Convention) -> dict[str, str]:
    decisions = {
        "unit": convention.unit,
        "total": _flat(convention.total),
        "params": _params(convention.params),
        "reading": _profile(convention) or "any",
        "counted calls": "; ".join(_counted_calls(levels, rules) for levels, rules in _levels(convention)),
        "everything else": NOTHING,
    }
    groups = list(_levels(convention))
    if any(EVERY in rules.rules for _, rules in groups):
        del decisions["everything else"]
    for levels, rules in groups:
        prefix = f"{', '.join(CALLS[level] for level in levels)}: " if len(groups) > 1 else ""
        for sources, formula in _grouped(rules.rules):
            decisions[prefix + sources.replace("every kind", "everything else")] = formula
    return decisions | {f"where {name}": _flat(formula) for name, formula in convention.define.items()}


def _profile(convention: Convention) -> str:
    """Write the requirements on the reading; a convention that takes either step has none."""
    needed = {name: value for name, value in convention.profile.items() if (name, value) != ("step", GIVEN)}
    return ", ".join(f"{name} = {str(value).lower()}" for name, value in needed.items())


_MODES = {
    "eval": "Its tool counts a model in eval mode, whatever mode it is in.",
    "train": "Its tool counts a model in training mode, whatever mode it is in.",
    "given": "Its tool counts each module in the mode that it is in, so that a freshly built live model is "
    "counted in training mode. A model that is built for the reading is in eval mode, or with --mode train "
    "in training mode.",
}
"""The words for the mode that a convention needs."""


def _foot(convention: Convention) -> Iterator[str]:
    if convention.quirks:
        yield from ("", "Quirks")
    for quirk in convention.quirks:
        yield f"  - {quirk}"
    if convention.switches:
        yield from ("", "Switches (--set KEY=VALUE)")
    for name, switch in convention.switches.items():
        values = " | ".join(switch.values)
        yield f"  {name} = {values} (default {switch.default}): {switch.doc}"
    if _profile(convention):
        yield from ("", f"It needs a reading with {_profile(convention)}.")
    mode = _MODES.get(str(convention.profile.get("mode")))
    if mode:
        yield mode
    if convention.print:
        yield from ("", "With --format tool, results look as the tool prints them.")


def _flat(formula: Expression) -> str:
    """Write a formula on one line."""
    return " ".join(formula.text.split())


def _broken(line: str, width: int) -> list[str]:
    """Break a line between words; what follows is indented more than the line that it belongs to."""
    line = printable.line(line)
    label = LABEL.match(line)
    indent = " " * (len(label[0]) if label else len(line) - len(line.lstrip()) + 4)
    return wrapped(line, width, indent if label or line.startswith(" ") else "")
