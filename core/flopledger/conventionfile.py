"""Reads a convention's file: TOML into records, or an error with file, line and reason."""

from __future__ import annotations

import hashlib
import json
import tomllib
from typing import TYPE_CHECKING

from flopledger import facts
from flopledger.convention import Convention, LevelRules, Params, Switch, find
from flopledger.errors import ConventionError, ExpressionError, nearest
from flopledger.expression import Expression, compile_expression
from flopledger.graph import LEVELS
from flopledger.patterns import expand, line_of, merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from flopledger.kinds import Kind

LARGEST_FILE = 1_000_000
"""The largest convention file that is read, in bytes."""

UNITS = ("MAC", "FLOP", "params")
PROFILE = {"mode": ("eval", "train"), "grad": (True, False), "fast_paths": (True, False)}
"""What a convention may need of a reading, and the values each may have."""

EVERY_LEVEL = "any"
"""What stands for every level in ``[rules.any]`` and ``[reduce.any]``."""

_HEAD = ("name", "title", "unit", "tool", "version", "source", "description", "extend", "total")
_TABLES = ("quirks", "frameworks", "profile", "switches", "define", "reduce", "rules", "params", "print")
_REDUCE = ("where", "times", "match", "through")
_PARAMS = ("over", "where", "count", "trainable", "non_trainable", "buffers")
_SWITCH = ("values", "default", "doc", "aliases")


def read_file(path: Path) -> tuple[dict[str, object], str]:
    """Read one TOML file.

    Raises:
        ConventionError: It can't be read, or is not TOML.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConventionError(f"{path}: larger than {LARGEST_FILE} bytes, which no convention is")
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except OSError as error:
        raise ConventionError(f"the convention {path} can't be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConventionError(f"{path}: not a TOML file: {error}") from None


class ConventionFile:
    """Reads one file, and those that it extends, into a convention."""

    def __init__(self, path: Path, extra: tuple[Path, ...], kinds: Mapping[str, Kind]) -> None:
        self.path, self.extra, self.kinds = path, extra, kinds
        self.content, self.texts = self._merged()

    def _merged(self) -> tuple[dict[str, object], list[tuple[Path, str]]]:
        """Read the chain of files; the last one wins, table by table and key by key."""
        chain: list[tuple[Path, str, dict[str, object]]] = []
        path = self.path
        while True:
            content, text = read_file(path)
            if any(path == seen for seen, _, _ in chain):
                raise ConventionError(f"{path}: it extends itself")
            self._expand(content, path, text)
            chain.append((path, text, content))
            base = content.pop("extend", None)
            if base is None:
                break
            if not isinstance(base, str):
                raise ConventionError(
                    f"{path}:{line_of(text, '', 'extend')}: extend names a convention, found {base!r}"
                )
            path = find(base, self.extra) if "/" not in base else path.parent / base
        merged: dict[str, object] = {}
        for _, _, content in reversed(chain):
            merged = merge(merged, content)
        return merged, [(p, t) for p, t, _ in chain]

    def _expand(self, content: dict[str, object], path: Path, text: str) -> None:
        """Write each rule under every level and source that it stands for, before files are merged."""
        for name in ("rules", "reduce"):
            tables = content.get(name, {})
            if not isinstance(tables, dict):
                raise ConventionError(f"{path}:{line_of(text, '', name)}: {name} is a table for each level")
            every = tables.pop(EVERY_LEVEL, {})
            if every:
                tables = merge(dict.fromkeys(LEVELS, every), tables)
            content[name] = {level: self._sources(name, table) for level, table in tables.items()}

    def _sources(self, name: str, table: object) -> object:
        if name != "rules" or not isinstance(table, dict):
            return table
        return {source: rule for key, rule in table.items() for source in expand(key)}

    def wrong(self, table: str, key: str, reason: str) -> ConventionError:
        """Return the error for one key, with its file and line."""
        return ConventionError(f"{self.at(table, key)}{reason}")

    def at(self, table: str, key: str) -> str:
        """Return ``file:line: `` of a key, in the last file that sets it."""
        for path, text in self.texts:
            line = line_of(text, table, key)
            if line:
                return f"{path}:{line}: "
        return f"{self.path}: "

    def table(self, name: str, keys: Iterable[str] | None = None) -> dict[str, object]:
        """Return a table, with its keys checked."""
        found = self.content
        for part in name.split(".") if name else ():
            inner = found.get(part, {})
            if not isinstance(inner, dict):
                raise self.wrong("", part, f"{name} is a table, found {inner!r}")
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
        raise self.wrong(table, key, f"{key} is a text, found {value!r}")

    def words(self, table: str, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.table(table).get(key, [])
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return tuple(value)
        raise self.wrong(table, key, f"{key} is a list of texts, found {value!r}")

    def expression(
        self, table: str, key: str, known: Iterable[str], default: str | None = None
    ) -> Expression:
        """Compile the expression of a key."""
        value = self.table(table).get(key, default)
        if isinstance(value, (bool, int)):
            value = str(value)
        if not isinstance(value, str):
            raise self.wrong(table, key, f"expected an expression, found {value!r}")
        try:
            return compile_expression(value, known, self.at(table, key))
        except ExpressionError as error:
            raise ConventionError(str(error)) from None

    def convention(self) -> Convention:
        """Build the convention."""
        self.table("", (*_HEAD, *_TABLES))
        switches = self.switches()
        switched = {f"switch.{name}" for name in switches}
        calls = facts.call_names(self.kinds) | switched
        defines = self.table("define")
        for name in defines:
            if name in calls or not name.isidentifier():
                raise self.wrong(
                    "define", name, f"{name!r} is the name of a fact; call the definition something else"
                )
        unit = self.word("", "unit")
        if unit not in UNITS:
            raise self.wrong(
                "", "unit", f"the unit is one of {', '.join(UNITS)}, found {unit!r}{nearest(unit, UNITS)}"
            )
        define = {name: self.expression("define", name, calls | set(defines)) for name in defines}
        self.check_cycles(define)
        digest = hashlib.sha256(json.dumps(self.content, sort_keys=True, default=str).encode()).hexdigest()[
            :16
        ]
        return Convention(
            name=self.word("", "name"),
            title=self.word("", "title", self.word("", "name")),
            unit=unit,
            total=self.expression("", "total", {*facts.TOTAL_FACTS, *switched}),
            levels=self.levels(calls | set(defines)),
            define=define,
            params=self.params(switched),
            profile=self.profile(),
            switches=switches,
            chosen={name: switch.default for name, switch in switches.items()},
            frameworks=self.words("", "frameworks"),
            tool=self.word("", "tool", ""),
            version=self.word("", "version", ""),
            source=self.word("", "source", ""),
            description=self.word("", "description", ""),
            quirks=self.words("", "quirks"),
            print=self.printout(),
            path=str(self.path),
            digest=digest,
        )

    def check_cycles(self, define: Mapping[str, Expression]) -> None:
        """Refuse definitions that need themselves."""
        done: set[str] = set()
        while len(done) < len(define):
            ready = [n for n, e in define.items() if n not in done and e.names & define.keys() <= done]
            if not ready:
                name = min(define.keys() - done)
                raise self.wrong("define", name, f"the definition of {name!r} needs itself")
            done.update(ready)

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
            )
            if switch.default not in switch.values:
                raise self.wrong(place, "default", f"the default {switch.default!r} is not among the values")
            found[name] = switch
        return found

    def levels(self, known: set[str]) -> dict[str, LevelRules]:
        """Read the rules of each level that the convention listens to."""
        found = {}
        self.table("reduce", LEVELS)
        for level, table in self.table("rules", LEVELS).items():
            if not isinstance(table, dict):
                raise self.wrong("rules", level, f"rules.{level} is a table, found {table!r}")
            place = f"reduce.{level}"
            self.table(place, _REDUCE)
            match = self.word(place, "match", "exact")
            if match not in ("exact", "isinstance"):
                raise self.wrong(place, "match", f"match is exact or isinstance, found {match!r}")
            found[level] = LevelRules(
                {source: self.expression(f"rules.{level}", source, known) for source in table},
                self.expression(place, "where", known, "True"),
                self.expression(place, "times", known, "1"),
                match,
                frozenset(self.words(place, "through")),
            )
        return found

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
            for key in ("trainable", "non_trainable", "buffers")
        }
        return Params(
            over,
            self.expression("params", "where", known, "True"),
            self.expression("params", "count", known),
            **optional,
        )

    def printout(self) -> dict[str, object]:
        """Read how the tool's own table looks, and check it."""
        table = self.table("print")
        if table:
            from flopledger.report import printspec  # noqa: PLC0415  (few conventions have one)

            printspec.read_spec(table, self.at("", "print"))
        return table

    def profile(self) -> dict[str, object]:
        """Read what the convention needs of a reading."""
        table = self.table("profile", PROFILE)
        for key, value in table.items():
            if value not in PROFILE[key]:
                allowed = " or ".join(str(v).lower() for v in PROFILE[key])
                raise self.wrong("profile", key, f"{key} is {allowed}, found {value!r}")
        return dict(table)
