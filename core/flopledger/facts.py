"""What an expression of a convention may name, worked out only when one asks.

Three namespaces: neutral facts (what the kind says of a call), native ones (``native.x``: what the
framework's layer or call says, as spelled) and structural ones (where the call stands).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger.dims import Dim, product, total
from flopledger.errors import ExpressionError
from flopledger.flow import downstream
from flopledger.functions import TensorShape
from flopledger.graph import CONTAINER, LEVELS, Layer, TensorRef
from flopledger.kinds.kind import FACTS, PARTS, REQUIRED
from flopledger.listing import kept

if TYPE_CHECKING:
    from flopledger.convention import Convention
    from flopledger.dims import Shape
    from flopledger.graph import Module, Value
    from flopledger.kinds import Kind
    from flopledger.structure import Structure


class Site:
    """One call under one convention: gives names their values."""

    def __init__(self, count: Count, layer: Layer) -> None:
        self.count, self.layer = count, layer
        self.kind: Kind | None = count.structure.formula(layer)
        self._known: dict[str, object] = {}

    def __call__(self, name: str) -> object:
        """Return the value of a name.

        Raises:
            KeyError: This call has nothing of that name.
        """
        if name not in self._known:
            self._known[name] = _kept(self._find, name)
        return _given(self._known[name])

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


class Count:
    """One count under way: a graph's structure and the convention it is counted under."""

    def __init__(self, structure: Structure, convention: Convention) -> None:
        self.structure, self.convention = structure, convention
        self._covered: list[bool] | None = None
        self._open_paths: list[int] | None = None

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
            self._covered = []
            for layer in self.structure.graph.layers:
                up = layer.parent
                self._covered.append(up is not None and (self._covered[up] or self._covers(up)))
        return self._covered

    def _covers(self, index: int) -> bool:
        layer = self.structure.graph.layers[index]
        if self.structure.formula(layer) is not None:
            return True
        level = self.convention.levels.get(layer.level)
        return level is not None and level.by_source(layer.source, self.bases(layer)) is not None

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


def without_overload(source: str) -> str:
    """Return an op's name without its overload: ``aten.add`` of ``aten.add.Tensor``."""
    return source.rpartition(".")[0] if source.count(".") > 1 else source


class Fact:
    """A structural fact: what it says, and how to work it out."""

    __slots__ = ("doc", "value")

    def __init__(self, doc: str, value: Callable[[Site], object]) -> None:
        self.doc, self.value = doc, value


def _module(site: Site) -> Module:
    module = site.module
    if module is None:
        raise ExpressionError(f"{site.layer.path!r} runs in no module")
    return module


def _calls(site: Site) -> list[int]:
    return site.count.structure.calls.get(_module(site).id, [])


def _first_shape(site: Site, tensors: tuple[int, ...], what: str) -> Shape:
    shapes = site.shapes(tensors)
    if not shapes:
        raise ExpressionError(f"{site.layer.path!r} has no {what} of known shape")
    return shapes[0]


STRUCTURAL: Mapping[str, Fact] = MappingProxyType(
    {
        "kind": Fact("the call's kind", lambda s: s.layer.kind),
        "group": Fact(
            "the group of its kind, empty where it has no formula", lambda s: s.kind.group if s.kind else ""
        ),
        "source": Fact("the framework's name for what is called", lambda s: s.layer.source),
        "class_name": Fact("the last word of the source", lambda s: s.layer.source.rpartition(".")[2]),
        "level": Fact("layer, function or op", lambda s: s.layer.level),
        "inputs": Fact("the shapes of all input tensors", lambda s: s.shapes(s.layer.inputs)),
        "outputs": Fact("the shapes of all output tensors", lambda s: s.shapes(s.layer.outputs)),
        "input": Fact("the shape of the first input", lambda s: _first_shape(s, s.layer.inputs, "input")),
        "out": Fact("the shape of the first output", lambda s: _first_shape(s, s.layer.outputs, "output")),
        "in_elems": Fact(
            "the elements of the first input", lambda s: product(_first_shape(s, s.layer.inputs, "input"))
        ),
        "out_elems": Fact(
            "the elements of the first output", lambda s: product(_first_shape(s, s.layer.outputs, "output"))
        ),
        "ops": Fact("all arithmetic operations of the call", lambda s: total(s.parts.values())),
        "index": Fact("which call of its module this is, from 1", lambda s: s.layer.index),
        "composite": Fact("whether an op only lowers to others", lambda s: s.layer.composite),
        "outermost": Fact(
            "whether no call of the same level encloses it within its module's call",
            lambda s: not s.count.inner(s.layer),
        ),
        "live": Fact(
            "whether what the call computes reaches an output of the network",
            lambda s: s.count.structure.live[s.layer.id],
        ),
        "uncovered": Fact(
            "whether no call around it has a formula or a rule of its own",
            lambda s: not s.count.covered[s.layer.id],
        ),
        "hidden": Fact(
            "whether an input comes from a call where the convention's flow begins, past none where it ends",
            lambda s: s.layer.id in s.count.hidden,
        ),
        "depth": Fact("how many calls are around it", lambda s: s.count.structure.depths[s.layer.id]),
        "leaf": Fact("whether the module has no children", lambda s: not _module(s).children),
        "root": Fact("whether the module is the network", lambda s: _module(s).id == s.count.structure.root),
        "training": Fact("whether the module is in training mode", lambda s: _module(s).training),
        "ncalls": Fact("how often the module is called", lambda s: len(_calls(s))),
        "first": Fact("whether this is the module's first call", lambda s: _calls(s)[:1] == [s.layer.id]),
        "last": Fact("whether this is the module's last call", lambda s: _calls(s)[-1:] == [s.layer.id]),
        "mapped": Fact(
            "whether the convention has a layer rule for the module's source",
            lambda s: s.count.mapped(_module(s)),
        ),
        "paths": Fact(
            "the ways from the network to the module", lambda s: s.count.structure.paths[_module(s).id]
        ),
        "open_paths": Fact(
            "the ways that pass through no mapped module", lambda s: s.count.open_paths[_module(s).id]
        ),
        "own": Fact("the elements of the module's own weights", lambda s: s.count.structure.own(_module(s))),
        "stored": Fact(
            "the elements of the module's own weights and buffers",
            lambda s: s.count.structure.stored(_module(s)),
        ),
        "all": Fact(
            "the elements of all weights of the module and below, each once",
            lambda s: s.count.structure.all(_module(s).id),
        ),
        "all_trainable": Fact(
            "the same of the trainable ones", lambda s: s.count.structure.all(_module(s).id, trainable=True)
        ),
        "all_stored": Fact(
            "the elements of all weights and buffers of the module and below, each once",
            lambda s: s.count.structure.all_stored(_module(s).id),
        ),
        "listed": Fact(
            "the weights in the module's row of a table of calls, without those in the rows below it",
            lambda s: s.count.structure.listed.get(_module(s).id, 0),
        ),
        "params": Fact(
            "the module's own weights as (name, elements that pruning left) pairs",
            lambda s: tuple(kept(_module(s), s.count.structure.graph.parameters)),
        ),
        "own_shapes": Fact(
            "the shapes of the module's own weights and buffers",
            lambda s: tuple(
                TensorShape(s.count.structure.graph.parameters[i].shape) for _, i in _module(s).parameters
            ),
        ),
        "root_batch": Fact(
            "the length of the first axis of the network's first positional input, else 1",
            lambda s: s.count.structure.root_batch,
        ),
    }
)
"""The structural facts by name, and the neutral ones that every call has."""

MODULE_FACTS = (
    "source", "class_name", "leaf", "root", "training", "ncalls", "mapped", "paths", "open_paths",
    "own", "stored", "all", "all_trainable", "all_stored", "listed", "params", "own_shapes",
)  # fmt: skip
"""The facts that a parameter rule over modules may name."""

PARAMETER_FACTS: Mapping[str, str] = MappingProxyType(
    {
        "numel": "the elements of the parameter",
        "param_shape": "its shape",
        "role": "what it is to its module: weight, bias, scale, shift, running_mean ...",
        "trainable": "whether it is trained",
        "buffer": "whether it is stored beside the weights",
        "again": "whether an earlier parameter shares its memory",
        "repeated": "whether an earlier entry is the same parameter object",
        "name": "its first name",
    }
)
"""The facts that a parameter rule over parameters may name."""

TOTAL_FACTS: Mapping[str, str] = MappingProxyType(
    {level: f"the sum of the rows of the level {level}" for level in LEVELS}
    | {"root_batch": STRUCTURAL["root_batch"].doc}
    | {"params": "the parameters that the convention counts, 0 if it counts none"}
)
"""The facts that a total may name."""


RESERVED = frozenset({*STRUCTURAL, *PARTS, *FACTS})
"""The names that no definition may take. A kind's own may be: the definition then stands before it, so
that a convention still loads when a kind, a plugin's too, gets an attribute of the same name."""


def call_names(kinds: Mapping[str, Kind]) -> set[str]:
    """Return every name that a rule for a call may read."""
    names = {*STRUCTURAL, *PARTS, *FACTS, "native.*"}
    for kind in kinds.values():
        names |= {a.name for a in kind.attributes} | set(kind.fact_names)
    return names
