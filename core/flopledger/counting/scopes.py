"""Where expressions are evaluated: a call, a module or a parameter under one convention."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from flopledger.analysis.flow import downstream
from flopledger.conventions.convention import without_overload
from flopledger.conventions.facts import STRUCTURAL
from flopledger.errors import ExpressionError, GraphError
from flopledger.expressions.functions import TensorShape
from flopledger.graph.tables import CONTAINER, Layer, TensorRef
from flopledger.kinds.kind import FACTS, PARTS, REQUIRED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.analysis.analysis import Structure
    from flopledger.conventions.convention import Convention
    from flopledger.dims.types import Dim, Shape
    from flopledger.expressions.compiler import Expression
    from flopledger.graph.tables import Module, Value
    from flopledger.kinds import Kind


class Site:
    """One call under one convention: gives names their values."""

    count: Count
    layer: Layer
    kind: Kind | None

    def __init__(self, count: Count, layer: Layer) -> None:
        self.count, self.layer = count, layer
        self.kind = count.structure.formulas[layer.id] if layer.id >= 0 else None
        self._known: dict[str, object] = {}

    def __call__(self, name: str) -> object:
        """Return the value of a name.

        Raises:
            KeyError: This call has nothing of that name.
        """
        if name not in self._known:
            self._known[name] = _kept(self._find, name)
        return _given(self._known[name])

    def look(self, names: Iterable[str], *, native: bool) -> tuple[object, ...]:
        """Return what this call looks like to an expression that asks for structural facts by name.

        Args:
            names: The facts, those of :data:`SEEN` left out.
            native: Whether it reads native arguments too.
        """
        likeness = self.count.structure.likeness
        look = likeness.natively(self.layer) if native else likeness.of[self.layer.id]
        return (look, *[_asked(name, self) for name in names])

    def _find(self, name: str) -> object:
        defined = self.count.convention.define.get(name)
        if defined is not None:
            return defined(self)
        space, dot, key = name.partition(".")
        if dot:
            return self._native(key) if space == "native" else self.count.convention.chosen[key]
        structural = STRUCTURAL.get(name)
        if structural is not None:
            return structural.value(self)
        if name in PARTS:
            return self.parts.get(name, 0)
        return self._neutral(name)

    def _native(self, key: str) -> object:
        if key in self.layer.native:
            return self.shaped(self.layer.native[key])
        module = self.module
        if module is None or self.layer.module is None:
            raise KeyError(key)
        return self.shaped(module.native[key])

    def _neutral(self, name: str) -> object:
        if name in self.facts:
            return self.facts[name]
        if name in self.layer.attrs:
            return self.shaped(self.layer.attrs[name])
        if name in ("macs", "dots") or (self.kind is None and name in FACTS):
            return 0
        default = self.kind.defaults.get(name, REQUIRED) if self.kind else REQUIRED
        if default is REQUIRED:
            raise KeyError(name)
        return default

    @property
    def facts(self) -> Mapping[str, Dim]:
        """The facts of the call's kind; none where it has no formula."""
        return self.count.structure.facts(self.layer)

    @property
    def parts(self) -> Mapping[str, Dim]:
        """The arithmetic operations of the call; none where it has no formula."""
        return self.count.structure.parts(self.layer)

    @property
    def module(self) -> Module | None:
        """The module that the call runs in."""
        owner = self.count.structure.owners[self.layer.id]
        return None if owner is None else self.count.structure.graph.modules[owner]

    def shapes(self, tensors: tuple[int, ...]) -> tuple[Shape, ...]:
        """Return the shapes of tensors; one that is not known has no axes to speak of."""
        found = (self.count.structure.graph.shape(i) for i in tensors)
        return tuple(TensorShape(s) for s in found if s is not None)

    def shaped(self, value: Value) -> object:
        """Return a value with shapes in the place of tensors."""
        if isinstance(value, TensorRef):
            return TensorShape(self.count.structure.graph.shape(value.id) or ())
        if isinstance(value, tuple):
            return tuple(self.shaped(v) for v in value)
        if isinstance(value, Mapping):
            return tuple(self.shaped(v) for v in value.values())
        return value


class ModuleSite(Site):
    """A registered module under a convention, whether it was called or not."""

    def __init__(self, count: Count, module: Module) -> None:
        super().__init__(
            count, Layer(-1, "/".join(module.paths[:1]), CONTAINER, module.type, module=module.id)
        )
        self._registered = module

    @property
    def module(self) -> Module:
        """The module itself."""
        return self._registered

    def look(self, names: Iterable[str], *, native: bool) -> tuple[object, ...]:
        """Return what the module looks like to an expression that asks for facts by name."""
        look = self.count.structure.likeness.module(self._registered) if native else None
        return (look, *[_asked(name, self) for name in names])


class ParameterSite:
    """A parameter under a convention: what it is, switches and definitions."""

    __slots__ = ("_count", "_known", "_scope")

    def __init__(self, count: Count, known: Mapping[str, object]) -> None:
        self._count, self._known = count, known
        self._scope: Callable[[str], object] | None = None

    def __call__(self, name: str) -> object:
        """Return the value of a name."""
        if self._scope is None:
            self._scope = self._count.root_scope(self._known)
        return self._scope(name)

    def look(self, names: Iterable[str], *, native: bool) -> tuple[object, ...]:
        """Return what the parameter looks like to an expression that asks for facts by name."""
        del native
        return tuple([self._known.get(name) for name in names])


class Count:
    """One count under way: a graph's structure and the convention it is counted under."""

    structure: Structure
    convention: Convention

    def __init__(self, structure: Structure, convention: Convention) -> None:
        self.structure, self.convention = structure, convention
        self._covered: list[bool] | None = None
        self._open_paths: list[int] | None = None
        self._rules: dict[tuple[str, str, str, tuple[str, ...]], tuple[Expression | None, bool]] = {}

    def mapped(self, module: Module) -> bool:
        """Whether the convention has a rule for a module's calls, by their source."""
        level = self.convention.levels.get("layer")
        return level is not None and level.by_source(module.type, module.bases) is not None

    @property
    def open_paths(self) -> list[int]:
        """Count the ways to each module that pass through no mapped one."""
        if self._open_paths is None:
            modules = self.structure.graph.modules
            self._open_paths = self.structure.ways(lambda i: self.mapped(modules[i]))
        return self._open_paths

    @property
    def covered(self) -> list[bool]:
        """Whether each call lies below one that this convention can price as a whole."""
        if self._covered is None:
            layers, covers = self.structure.graph.layers, dict[int, bool]()
            self._covered = covered = []
            for layer in layers:
                up = layer.parent
                if up is None:
                    covered.append(False)
                    continue
                if up not in covers:
                    covers[up] = covered[up] or self._covers(up)
                covered.append(covers[up])
        return self._covered

    def _covers(self, index: int) -> bool:
        layer = self.structure.graph.layers[index]
        if self.structure.formulas[index] is not None:
            return True
        return layer.level in self.convention.levels and self.rule(layer)[1]

    def rule(self, layer: Layer) -> tuple[Expression | None, bool]:
        """Return the rule for a call, and whether it was found by the call's source."""
        bases = self.bases(layer)
        key = (layer.level, layer.source, layer.kind, bases)
        found = self._rules.get(key)
        if found is None:
            found = self._rules[key] = self.convention.rule(layer.level, layer.source, layer.kind, bases)
        return found

    @functools.cached_property
    def hidden(self) -> frozenset[int]:
        """The calls that the convention's flow reaches."""
        flow = self.convention.flow
        if not flow:
            return frozenset()
        begins, ends = flow["from"], flow["until"]
        layers = self.structure.graph.layers
        return downstream(layers, lambda x: bool(begins(Site(self, x))), lambda x: bool(ends(Site(self, x))))

    def bases(self, layer: Layer) -> tuple[str, ...]:
        """Return the base types of a module's call; a function has none."""
        return () if layer.module is None else self.structure.graph.modules[layer.module].bases

    def inner(self, layer: Layer) -> bool:
        """Whether a call of the same level, not seen through, encloses this one in its module call."""
        through = self.convention.levels[layer.level].through
        up = layer.parent
        while up is not None:
            above = self.structure.graph.layers[up]
            if above.level == "layer":
                return False
            if above.level == layer.level and not {above.source, without_overload(above.source)} & through:
                return True
            up = above.parent
        return False

    def root_scope(self, values: Mapping[str, object]) -> Callable[[str], object]:
        """Return the scope of a total or a parameter rule: the values given, switches and defines."""
        known = dict(values)

        def scope(name: str) -> object:
            if name not in known:
                known[name] = _kept(find, name)
            return _given(known[name])

        def find(name: str) -> object:
            space, dot, key = name.partition(".")
            if dot and space == "switch":
                return self.convention.chosen[key]
            return self.convention.define[name](scope)

        return scope


def _kept(find: Callable[[str], object], name: str) -> object:
    """Return a value, or the error that there is in its place: looking again would take as long again."""
    try:
        return find(name)
    except (ExpressionError, KeyError) as error:
        return error.with_traceback(None)


def _given(value: object) -> object:
    if isinstance(value, (ExpressionError, KeyError)):
        raise value.with_traceback(None)
    return value


def _asked(name: str, site: Site) -> object:
    """Return a structural fact, or nothing where there is none: an expression may do without it after all."""
    try:
        return site(name)
    except (ExpressionError, GraphError, KeyError):
        return None
