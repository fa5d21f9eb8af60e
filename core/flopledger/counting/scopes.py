"""Where expressions are evaluated: a call, a module or a parameter under one convention."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from flopledger.conventions.facts import STRUCTURAL
from flopledger.errors import ExpressionError, FlopledgerError, GraphError
from flopledger.expressions.functions import TensorShape
from flopledger.graph.tables import CONTAINER, Layer, TensorRef
from flopledger.kinds.kind import FACTS, PARTS, REQUIRED

if TYPE_CHECKING:
    from typing import Protocol

    from flopledger.analysis.analysis import Analysis
    from flopledger.conventions.convention import Convention
    from flopledger.conventions.facts import Fact
    from flopledger.conventions.views import RuleView
    from flopledger.dims.types import Dim, Shape
    from flopledger.graph.tables import Module, Value
    from flopledger.kinds import Kind

    class ScopeRules(RuleView, Protocol):
        """The part of :class:`flopledger.counting.rules.Rules` that scopes need."""

        analysis: Analysis
        convention: Convention

        def root_scope(self, values: Mapping[str, object]) -> Callable[[str], object]:
            """Return the scope of a total or a parameter rule."""


class OpenOperations(FlopledgerError):  # noqa: N818  (it describes the operations)
    """A rule asks for the operations of a call, which depend on the data; its figure is unknown."""


class CallScope:
    """One call under one convention: gives names their values."""

    __slots__ = ("_values", "analysis", "kind", "layer", "rules")

    rules: ScopeRules
    analysis: Analysis
    layer: Layer
    kind: Kind | None

    def __init__(self, rules: ScopeRules, layer: Layer) -> None:
        self.rules, self.analysis, self.layer = rules, rules.analysis, layer
        self.kind = self.analysis.formulas.kind_of[layer.id] if layer.id >= 0 else None
        self._values: dict[str, object] = {}

    def __call__(self, name: str) -> object:
        """Return the value of a name.

        Raises:
            KeyError: This call has no fact of that name.
        """
        if name not in self._values:
            self._values[name] = keep_errors(self._find, name)
        return raised(self._values[name])

    def signature(self, names: tuple[str, ...], natives: tuple[str, ...]) -> object:
        """Return a key that is equal only for calls in which an expression has the same value.

        Args:
            names: The structural facts that it reads and that depend on the call's place.
            natives: The native arguments that it reads, without the namespace.
        """
        own = self.analysis.signatures.of[self.layer.id]
        if not (names or natives):
            return own
        given = self._natives(natives) if natives else ()
        return (own, given, *[_fact_or_none(STRUCTURAL[name], self) for name in names])

    def _natives(self, names: tuple[str, ...]) -> object:
        module = None if self.layer.module is None else self.module
        return self.analysis.signatures.native(self.layer, module, names)

    def _find(self, name: str) -> object:
        defined = self.rules.convention.define.get(name)
        if defined is not None:
            return defined(self)
        space, dot, key = name.partition(".")
        if dot:
            return self._native(key) if space == "native" else self.rules.convention.chosen[key]
        structural = STRUCTURAL.get(name)
        if structural is not None:
            return structural.value(self)
        if name in PARTS:
            return self._part(name)
        return self._neutral(name)

    def _part(self, name: str) -> object:
        """Return a count of operations; of a call whose operations are open, one that its facts state."""
        stated = self.facts.get(name) if self.kind is None else None
        return self.parts.get(name, 0) if stated is None else stated

    def _native(self, key: str) -> object:
        if key in self.layer.native:
            return self.with_shapes(self.layer.native[key])
        module = self.module
        if module is None or self.layer.module is None:
            raise KeyError(key)
        return self.with_shapes(module.native[key])

    def _neutral(self, name: str) -> object:
        facts = self.facts
        if name in facts:
            return facts[name]
        if name in self.layer.attrs:
            return self.with_shapes(self.layer.attrs[name])
        if name in ("macs", "dots") or (self.kind is None and name in FACTS):
            return 0
        default = self.kind.defaults.get(name, REQUIRED) if self.kind else REQUIRED
        if default is REQUIRED:
            raise KeyError(name)
        return default

    @property
    def facts(self) -> Mapping[str, Dim]:
        """The facts of the call's kind; none where nothing of its work is known."""
        return self.analysis.formulas.facts(self.layer)

    @property
    def group(self) -> str:
        """The group of the call's kind; empty where nothing of its work is known."""
        kind = self.kind or self.analysis.formulas.partly_known(self.layer)
        return kind.group if kind else ""

    @property
    def parts(self) -> Mapping[str, Dim]:
        """The arithmetic operations of the call; none where nothing of its work is known.

        Raises:
            OpenOperations: Its facts are known, but its operations are not.
        """
        if self.kind is None and self.analysis.formulas.partly_known(self.layer):
            raise OpenOperations(f"{self.layer.path}: operations of {self.layer.kind!r} depend on the data")
        return self.analysis.formulas.parts(self.layer)

    @property
    def module(self) -> Module | None:
        """The module that the call runs in."""
        owner = self.analysis.calls.owners[self.layer.id]
        return None if owner is None else self.analysis.graph.modules[owner]

    def shapes(self, tensors: tuple[int, ...]) -> tuple[Shape, ...]:
        """Return the known ones of the shapes of tensors."""
        found = (self.analysis.graph.shape(i) for i in tensors)
        return tuple(TensorShape(s) for s in found if s is not None)

    def with_shapes(self, value: Value) -> object:
        """Return a value with the shape instead of each tensor; one of unknown shape has no axes."""
        if isinstance(value, TensorRef):
            return TensorShape(self.analysis.graph.shape(value.id) or ())
        if isinstance(value, tuple):
            return tuple(self.with_shapes(v) for v in value)
        if isinstance(value, Mapping):
            return tuple(self.with_shapes(v) for v in value.values())
        return value


class ModuleScope(CallScope):
    """A registered module under a convention, whether it is called or not."""

    __slots__ = ("_registered",)

    def __init__(self, rules: ScopeRules, module: Module) -> None:
        path = "/".join(module.paths[:1])
        super().__init__(rules, Layer(-1, path, CONTAINER, module.type, module=module.id))
        self._registered = module

    @property
    def module(self) -> Module:
        """The module itself."""
        return self._registered

    def signature(self, names: tuple[str, ...], natives: tuple[str, ...]) -> tuple[object, ...]:
        """Return a key that is equal only for modules in which an expression has the same value."""
        return (self._natives(natives), *[_value_or_none(name, self) for name in names])


class ParameterScope:
    """A parameter under a convention: its facts, switches and definitions."""

    __slots__ = ("_facts", "_rules", "_scope")

    def __init__(self, rules: ScopeRules, facts: Mapping[str, object]) -> None:
        self._rules, self._facts = rules, facts
        self._scope: Callable[[str], object] | None = None

    def __call__(self, name: str) -> object:
        """Return the value of a name."""
        if self._scope is None:
            self._scope = self._rules.root_scope(self._facts)
        return self._scope(name)

    def signature(self, names: tuple[str, ...], natives: tuple[str, ...]) -> tuple[object, ...]:
        """Return a key that is equal only for parameters in which an expression has the same value."""
        del natives
        return tuple([self._facts.get(name) for name in names])


def keep_errors(find: Callable[[str], object], name: str) -> object:
    """Return a value, or the error in its place: to look for it again would take as long again."""
    try:
        return find(name)
    except (ExpressionError, KeyError) as error:
        return error.with_traceback(None)


def raised(value: object) -> object:
    """Return a value that was kept; raise it if it is an error."""
    if isinstance(value, (ExpressionError, KeyError)):
        raise value.with_traceback(None)
    return value


def _fact_or_none(fact: Fact, scope: CallScope) -> object:
    """Return a fact, or None where it has no value: the expression may not need it after all."""
    try:
        return fact.value(scope)
    except (ExpressionError, GraphError):
        return None


def _value_or_none(name: str, scope: CallScope) -> object:
    """Return the value of any name, or None where it has none."""
    try:
        return scope(name)
    except (ExpressionError, GraphError, KeyError):
        return None
