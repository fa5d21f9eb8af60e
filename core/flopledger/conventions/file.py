"""Reads a convention's file: TOML into records, or an error with file, line and reason."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from flopledger import input_files
from flopledger.conventions import facts
from flopledger.conventions.convention import Convention, LevelRules, Params, Switch
from flopledger.conventions.digest import digest
from flopledger.conventions.keys import MOST_SOURCES, expand, lines_of, merge
from flopledger.conventions.names import FOLDER, LARGEST_FILE, find
from flopledger.errors import ConventionError, ExpressionError, nearest, shown
from flopledger.expressions.compiler import Expression, compile_expression
from flopledger.frontend.request import PROFILE
from flopledger.graph.tables import LEVELS
from flopledger.lazy import attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from flopledger.conventions.printspec import PrintSpec
    from flopledger.kinds import Kind

MOST_DOTS = 200
"""The most dots in one line; a key of many parts takes long to parse."""
MOST_FILES = 20
"""The longest chain of files that extend each other."""
DEEPEST_DEFINITION = 50
"""How many definitions may need each other in a row."""

UNITS = ("MAC", "FLOP", "params", "B")
_SWITCHED = "switch."
"""The beginning of a value of the profile that a switch of the convention decides."""

EVERY_LEVEL = "any"
"""The name for every level in ``[rules.any]`` and ``[reduce.any]``."""

_HEAD = ("name", "title", "unit", "estimates", "tool", "version", "source", "description", "extend", "total")
_TABLES = (
    "quirks",
    "frameworks",
    "profile",
    "switches",
    "define",
    "flow",
    "reduce",
    "rules",
    "params",
    "print",
)
_REDUCE = ("where", "times", "match", "through", "unknown")
_PARAMS = ("over", "where", "count", "trainable", "non_trainable", "buffers", "bytes", "without_inputs")
_FLOW = ("from", "until")
_SWITCH = ("values", "default", "doc", "aliases", "idle")


def read_file(path: Path) -> tuple[dict[str, object], str]:
    """Read one TOML file.

    Raises:
        ConventionError: It can't be read, or is not TOML.
    """
    try:
        with input_files.open_regular(path) as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConventionError(f"the convention {path} can't be read: {error.strerror}") from None
    if len(data) > LARGEST_FILE:
        raise ConventionError(f"{path}: larger than {LARGEST_FILE} bytes, which no convention is")
    try:
        text = data.decode()
        _check_lines(path, text)
        return tomllib.loads(text), text
    except (ValueError, RecursionError) as error:
        raise ConventionError(f"{path}: not a TOML file: {error}") from None


def _check_lines(path: Path, text: str) -> None:
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") > MOST_DOTS:
            raise ConventionError(f"{path}:{number}: a line with more than {MOST_DOTS} dots")


class ConventionFile:
    """Reads one file, and those that it extends, into a convention."""

    def __init__(self, path: Path, extra: tuple[Path, ...], kinds: Mapping[str, Kind]) -> None:
        self.path, self.extra, self.kinds = path, extra, kinds
        self.lines: list[tuple[Path, dict[tuple[str, str], int]]] = []
        self.written: dict[str, str] = {}
        self.own: dict[str, tuple[str, ...]] = {}
        self.compiled: dict[tuple[str, str, frozenset[str]], Expression] = {}
        self.content = self._merged()

    def _merged(self) -> dict[str, object]:
        """Read the chain of files; the last one wins, table by table and key by key."""
        chain: list[dict[str, object]] = []
        path = self.path
        while True:
            content, text = read_file(path)
            if any(path.resolve() == seen.resolve() for seen, _ in self.lines):
                raise ConventionError(f"{path}: it extends itself")
            if len(chain) == MOST_FILES:
                raise ConventionError(f"{path}: more than {MOST_FILES} files extend each other")
            self.lines.append((path, lines_of(text)))
            self._expand(content, path)
            if not chain:
                self.own = {
                    level: tuple(table) if isinstance(table, dict) else ()
                    for level, table in self._rules(content).items()
                }
            chain.append(content)
            base = content.pop("extend", None)
            if base is None:
                break
            if not isinstance(base, str):
                raise self.wrong("", "extend", f"extend names a convention, found {shown(base)}")
            path = self._extended(path, base)
        merged: dict[str, object] = {}
        for content in reversed(chain):
            merged = merge(merged, content)
        return merged

    @staticmethod
    def _rules(content: Mapping[str, object]) -> dict[str, object]:
        rules = content.get("rules")
        return rules if isinstance(rules, dict) else {}

    def _extended(self, path: Path, base: str) -> Path:
        """Return the file that another one extends: a convention's, and an ordinary one.

        The file that names it may be untrusted: a device has no end, and an error message would repeat the
        keys of any other file.
        """
        if "/" in base and not base.endswith(".toml"):
            raise self.wrong("", "extend", f"it extends {shown(base)}, expected a name or a .toml file")
        found = find(base, self.extra) if "/" not in base else path.parent / base
        if input_files.kind(found):
            raise self.wrong("", "extend", f"it extends {shown(base)}, and there is no such file")
        return found

    def _expand(self, content: dict[str, object], path: Path) -> None:
        """Expand each rule to every level and source that it covers, before files are merged."""
        for name in ("rules", "reduce"):
            tables = content.get(name, {})
            if not isinstance(tables, dict):
                raise self.wrong("", name, f"{name} is a table for each level")
            every = tables.pop(EVERY_LEVEL, {})
            if every:
                tables = merge(dict.fromkeys(LEVELS, every), tables)
            content[name] = {level: self._sources(path, name, table) for level, table in tables.items()}

    def _sources(self, path: Path, name: str, table: object) -> object:
        if name != "rules" or not isinstance(table, dict):
            return table
        found: dict[str, object] = {}
        sources = ((key, source) for key in table for source in expand(key))
        for number, (key, source) in enumerate(sources):
            if number >= MOST_SOURCES:
                raise ConventionError(f"{path}: its rules cover more than {MOST_SOURCES} sources")
            found[source] = table[key]
            self.written.setdefault(source, key)
        return found

    def wrong(self, table: str, key: str, reason: str) -> ConventionError:
        """Return the error for one key, with its file and line."""
        return ConventionError(f"{self.at(table, key)}{reason}")

    def at(self, table: str, key: str) -> str:
        """Return ``file:line: `` of a key, in the last file that sets it."""
        level = re.sub(r"^(rules|reduce)\..*", rf"\1.{EVERY_LEVEL}", table)
        for path, lines in self.lines:
            written = self.written.get(key, key)
            line = lines.get((table, key)) or lines.get((table, written)) or lines.get((level, written))
            if line:
                return f"{path}:{line}: "
        return f"{self.path}: "

    def table(self, name: str, keys: Iterable[str] | None = None) -> dict[str, object]:
        """Return a table, with its keys checked."""
        found = self.content
        for part in name.split(".") if name else ():
            inner = found.get(part, {})
            if not isinstance(inner, dict):
                raise self.wrong("", part, f"{name} is a table, found {shown(inner)}")
            found = inner
        for key in found:
            if keys is not None and key not in keys:
                raise self.wrong(name, key, f"the key {key!r} is not known here{nearest(key, keys)}")
        return found

    def word(self, table: str, key: str, default: str | None = None) -> str:
        """Return a text."""
        value = self.table(table).get(key, default)
        if isinstance(value, str):
            return value
        if value is None:
            raise ConventionError(f"{self.path}: the key {key!r} is missing")
        raise self.wrong(table, key, f"{key} is a text, found {shown(value)}")

    def words(self, table: str, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.table(table).get(key, [])
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return tuple(value)
        raise self.wrong(table, key, f"{key} is a list of texts, found {shown(value)}")

    def expression(
        self, table: str, key: str, known: Iterable[str], default: str | None = None
    ) -> Expression:
        """Compile the expression of a key."""
        value = self.table(table).get(key, default)
        if isinstance(value, (bool, int)):
            value = str(value)
        if not isinstance(value, str):
            raise self.wrong(table, key, f"expected an expression, found {shown(value)}")
        same = (value, self.at(table, key), frozenset(known))
        try:
            if same not in self.compiled:
                self.compiled[same] = compile_expression(value, same[2], same[1])
        except ExpressionError as error:
            raise ConventionError(str(error)) from None
        return self.compiled[same]

    def convention(self) -> Convention:
        """Build the convention."""
        self.table("", (*_HEAD, *_TABLES))
        switches = self.switches()
        switched = {f"switch.{name}" for name in switches}
        named = frozenset(facts.call_names(self.kinds) | switched | self.table("define").keys())
        define = self.definitions(named)
        profile, decided = self.profile(switches)
        return Convention(
            name=self.word("", "name"),
            title=self.word("", "title", self.word("", "name")),
            unit=self.unit(),
            total=self.expression("", "total", {*facts.TOTAL_FACTS, *switched}),
            levels=self.levels(named),
            define=define,
            flow=self.flow(named - {"hidden"}),
            params=self.params(switched),
            profile=profile,
            profile_switches=decided,
            switches=switches,
            chosen={name: switch.default for name, switch in switches.items()},
            frameworks=self.words("", "frameworks"),
            estimates=self.word("", "estimates", ""),
            tool=self.word("", "tool", ""),
            version=self.word("", "version", ""),
            source=self.word("", "source", ""),
            description=self.word("", "description", ""),
            quirks=self.words("", "quirks"),
            print=self.printout(),
            path=str(self.path),
            digest=digest(self.content),
            own_rules=self.own_rules(),
        )

    def own_rules(self) -> tuple[tuple[str, str, str], ...]:
        """Return the keys of the rules of this file alone; none of an installed one, which tests cover."""
        if self.path.parent == FOLDER or self.path in self.extra:
            return ()
        return tuple(
            (self.at(f"rules.{level}", key), level, key) for level, keys in self.own.items() for key in keys
        )

    def unit(self) -> str:
        """Read the unit of its counts."""
        unit = self.word("", "unit")
        if unit not in UNITS:
            units = ", ".join(UNITS)
            raise self.wrong("", "unit", f"the unit is one of {units}, found {unit!r}{nearest(unit, UNITS)}")
        return unit

    def definitions(self, known: frozenset[str]) -> dict[str, Expression]:
        """Read the named sub-expressions, which may use each other but not in a circle."""
        names = self.table("define")
        for name in names:
            if name in facts.RESERVED or not name.isidentifier():
                reason = f"{name!r} is the name of a fact; call the definition something else"
                raise self.wrong("define", name, reason)
        define = {name: self.expression("define", name, known) for name in names}
        self.check_cycles(define)
        return define

    def check_cycles(self, define: Mapping[str, Expression]) -> None:
        """Refuse definitions that need themselves, or too many others in a row."""
        done: set[str] = set()
        for _ in range(DEEPEST_DEFINITION):
            ready = [n for n, e in define.items() if n not in done and e.names & define.keys() <= done]
            if not ready:
                break
            done.update(ready)
        if len(done) < len(define):
            name = min(define.keys() - done)
            reason = f"needs itself, or more than {DEEPEST_DEFINITION} others in a row"
            raise self.wrong("define", name, f"the definition of {name!r} {reason}")

    def switches(self) -> dict[str, Switch]:
        """Read the decisions that may be changed."""
        found = {}
        for name in self.table("switches"):
            place = f"switches.{name}"
            table = self.table(place, _SWITCH)
            aliases = table.get("aliases", {})
            switch = Switch(
                self.words(place, "values"),
                self.word(place, "default"),
                self.word(place, "doc"),
                aliases if isinstance(aliases, dict) else {},
                self.word(place, "idle", ""),
            )
            if switch.default not in switch.values:
                raise self.wrong(place, "default", f"the default {switch.default!r} is not among the values")
            found[name] = switch
        return found

    def levels(self, known: frozenset[str]) -> dict[str, LevelRules]:
        """Read the rules of each level that the convention counts."""
        found = {}
        self.table("reduce", LEVELS)
        for level, table in self.table("rules", LEVELS).items():
            if not isinstance(table, dict):
                raise self.wrong("rules", level, f"rules.{level} is a table, found {shown(table)}")
            place = f"reduce.{level}"
            reduce = self.table(place, _REDUCE)
            match = self.word(place, "match", "exact")
            if match not in ("exact", "isinstance"):
                raise self.wrong(place, "match", f"match is exact or isinstance, found {match!r}")
            found[level] = LevelRules(
                {source: self.expression(f"rules.{level}", source, known) for source in table},
                self.expression(place, "where", known, "True"),
                self.expression(place, "times", known, "1"),
                match,
                frozenset(self.words(place, "through")),
                self.expression(place, "unknown", known, "False") if "unknown" in reduce else None,
            )
        return found

    def flow(self, known: frozenset[str]) -> dict[str, Expression]:
        """Read where the effect of the fact ``hidden`` begins and ends: both or neither."""
        table = self.table("flow", _FLOW)
        return {key: self.expression("flow", key, known) for key in _FLOW} if table else {}

    def params(self, switched: set[str]) -> Params | None:
        """Read how parameters are counted."""
        table = self.table("params", _PARAMS)
        if not table:
            return None
        over = self.word("params", "over")
        if over not in ("parameters", "modules"):
            raise self.wrong("params", "over", f"over is parameters or modules, found {over!r}")
        known = {
            *switched,
            *(facts.PARAMETER_FACTS if over == "parameters" else (*facts.MODULE_FACTS, "native.*")),
        }
        optional = {
            key: self.expression("params", key, known) if key in table else None
            for key in ("trainable", "non_trainable", "buffers", "bytes")
        }
        alone = table.get("without_inputs", False)
        if not isinstance(alone, bool):
            raise self.wrong("params", "without_inputs", f"it is true or false, found {shown(alone)}")
        return Params(
            over,
            self.expression("params", "where", known, "True"),
            self.expression("params", "count", known),
            without_inputs=alone,
            **optional,
        )

    def printout(self) -> PrintSpec | None:
        """Read how the tool's own table looks; few conventions need it."""
        table = self.table("print")
        if not table:
            return None
        read: Callable[..., PrintSpec] = attribute("flopledger.conventions.printspec:read_spec")
        return read(table, self.at("", "print"))

    def profile(self, switches: Mapping[str, Switch]) -> tuple[dict[str, object], dict[str, str]]:
        """Read the profile that the convention needs, and which switches decide it."""
        table = self.table("profile", PROFILE)
        found: dict[str, object] = {}
        decided: dict[str, str] = {}
        for key, value in table.items():
            name = value.removeprefix(_SWITCHED) if isinstance(value, str) else ""
            switch = switches.get(name) if name != value else None
            if switch is not None:
                decided[key] = name
            for one in (value,) if switch is None else switch.values:
                if one not in PROFILE[key]:
                    allowed = " or ".join(str(v).lower() for v in PROFILE[key])
                    raise self.wrong("profile", key, f"{key} is {allowed}, found {shown(one)}")
            found[key] = value if switch is None else switch.default
        return found, decided
