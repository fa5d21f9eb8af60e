"""Conventions: one TOML file each, read into frozen records, or refused with file, line and reason.

``conventions/README.md`` is the grammar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from flopledger.errors import ConventionError, nearest
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flopledger.conventions.printspec import PrintSpec
    from flopledger.expressions.compiler import Expression


@dataclass(frozen=True, slots=True)
class Switch:
    """A documented decision that ``--set`` may change; ``idle`` says why a change may have no effect."""

    values: tuple[str, ...]
    default: str
    doc: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    idle: str = ""


@dataclass(frozen=True, slots=True)
class LevelRules:
    """The rules of a convention for the calls of one level.

    ``rules`` maps a kind, an exact native source or ``*`` to an expression; ``where`` selects the calls that
    count, ``times`` gives how often, ``match`` whether base types count as the source too, ``through`` the
    calls that ``outermost`` ignores, and ``unknown`` the calls for which the tool's figure is not known.
    """

    rules: Mapping[str, Expression]
    where: Expression
    times: Expression
    match: str = "exact"
    through: frozenset[str] = frozenset()
    unknown: Expression | None = None

    def by_source(self, source: str, bases: Iterable[str]) -> Expression | None:
        """Return the rule for a source: its own, that without overload, or that of a base type."""
        names = (source, without_overload(source), *(bases if self.match == "isinstance" else ()))
        for name in names:
            if name in self.rules:
                return self.rules[name]
        return None


@dataclass(frozen=True, slots=True)
class Params:
    """How a tool counts parameters: over which table, which of them, and how each counts."""

    over: str
    where: Expression
    count: Expression
    trainable: Expression | None = None
    non_trainable: Expression | None = None
    buffers: Expression | None = None
    bytes: Expression | None = None
    without_inputs: bool = False


@dataclass(frozen=True)
class Convention:
    """A convention, loaded and checked. Its expressions are compiled; nothing in it is code.

    ``profile_switches`` names the switch that decides a key of the profile, for those that one decides.
    ``estimates`` names the other thing that it estimates from a pass forward: a training step.
    ``own_rules`` are the rules that a user's file itself has: where each is, its level and its key.
    """

    name: str
    title: str
    unit: str
    total: Expression
    levels: Mapping[str, LevelRules]
    define: Mapping[str, Expression] = field(default_factory=dict)
    flow: Mapping[str, Expression] = field(default_factory=dict)
    params: Params | None = None
    profile: Mapping[str, object] = field(default_factory=dict)
    profile_switches: Mapping[str, str] = field(default_factory=dict)
    switches: Mapping[str, Switch] = field(default_factory=dict)
    chosen: Mapping[str, str] = field(default_factory=dict)
    frameworks: tuple[str, ...] = ()
    estimates: str = ""
    tool: str = ""
    version: str = ""
    source: str = ""
    description: str = ""
    quirks: tuple[str, ...] = ()
    print: PrintSpec | None = None
    path: str = ""
    digest: str = ""
    own_rules: tuple[tuple[str, str, str], ...] = ()

    @property
    def changed(self) -> Mapping[str, str]:
        """The switches that are not at their default."""
        return {name: value for name, value in self.chosen.items() if value != self.switches[name].default}

    @property
    def weights_suffice(self) -> bool:
        """Whether the parameters are known without inputs: they go by no call, or the tool prints them so."""
        return self.params is not None and (self.params.over == "parameters" or self.params.without_inputs)

    def rule(
        self, level: str, source: str, kind: str, bases: Iterable[str]
    ) -> tuple[Expression | None, bool]:
        """Return the rule for a call, and whether it was found by the call's source."""
        rules = self.levels[level]
        found = rules.by_source(source, bases)
        if found is not None:
            return found, True
        return rules.rules.get(kind, rules.rules.get("*")), False

    def set(self, switches: Mapping[str, object]) -> Convention:
        """Return the convention with decisions changed.

        Raises:
            ConventionError: A switch or a value is not known.
        """
        chosen = dict(self.chosen)
        for name, given in switches.items():
            switch = self.switches.get(name)
            if switch is None:
                known = ", ".join(self.switches) or "none"
                message = f"the convention {self.name!r} has no switch {name!r} (it has: {known})"
                raise ConventionError(message + nearest(name, self.switches))
            word = _word(given)
            word = word if word in (*switch.values, *switch.aliases) else word.lower()
            value = switch.aliases.get(word, word)
            if value not in switch.values:
                allowed = ", ".join(switch.values)
                raise ConventionError(
                    f"{self.name}: {name} = {word!r} is not one of {allowed}{nearest(word, switch.values)}"
                )
            chosen[name] = value
        decided = {key: chosen[name] for key, name in self.profile_switches.items()}
        return replace(self, chosen=chosen, profile={**self.profile, **decided})


def _word(value: object) -> str:
    """Write a switch's value as TOML and the command line spell it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def without_overload(source: str) -> str:
    """Return an op's name without its overload: ``aten.add`` of ``aten.add.Tensor``."""
    return source.rpartition(".")[0] if source.count(".") > 1 else source
