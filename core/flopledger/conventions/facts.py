"""What an expression of a convention may name, worked out only when one asks.

Three namespaces: neutral facts (what the kind says of a call), native ones (``native.x``: what the
framework's layer or call says, as spelled) and structural ones (where the call stands).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from flopledger.analysis.module_rows import kept
from flopledger.dims.arithmetic import product, total
from flopledger.errors import ExpressionError
from flopledger.expressions.functions import TensorShape
from flopledger.graph.tables import LEVELS
from flopledger.kinds.kind import FACTS, PARTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.analysis.analysis import Structure
    from flopledger.dims.types import Dim, Shape
    from flopledger.graph.tables import Layer, Module
    from flopledger.kinds import Kind


class Subject(Protocol):
    """What a fact is asked of: a call, or a module as if it were called, of a network that is counted.

    The scopes of :mod:`flopledger.counting.scopes` are such subjects. Stated here, since the facts that a
    convention may name are settled before anything is counted.
    """

    @property
    def layer(self) -> Layer:
        """The call."""

    @property
    def kind(self) -> Kind | None:
        """Its kind; None where it has no formula."""

    @property
    def parts(self) -> Mapping[str, Dim]:
        """Its arithmetic operations by name."""

    @property
    def module(self) -> Module | None:
        """The module that it runs in."""

    @property
    def count(self) -> Counted:
        """The network around it."""

    def shapes(self, tensors: tuple[int, ...]) -> tuple[Shape, ...]:
        """Return the shapes of tensors, those that are known."""


class Counted(Protocol):
    """The network that a subject belongs to, and what its convention makes of it."""

    @property
    def structure(self) -> Structure:
        """The views of its graph."""

    @property
    def covered(self) -> Sequence[bool]:
        """Whether each call lies below one that the convention prices as a whole."""

    @property
    def hidden(self) -> frozenset[int]:
        """The calls that the convention's flow reaches."""

    @property
    def open_paths(self) -> Sequence[int]:
        """How many paths lead to each module past no mapped one."""

    def inner(self, layer: Layer) -> bool:
        """Return whether a call of the same level encloses this one in its module's call."""

    def mapped(self, module: Module) -> bool:
        """Return whether the convention has a rule for a module's calls, by their source."""


class Fact:
    """A structural fact: what it says, and how to work it out."""

    __slots__ = ("doc", "value")

    def __init__(self, doc: str, value: Callable[[Subject], object]) -> None:
        self.doc, self.value = doc, value


def _module(site: Subject) -> Module:
    module = site.module
    if module is None:
        raise ExpressionError(f"{site.layer.path!r} runs in no module")
    return module


def _calls(site: Subject) -> list[int]:
    return site.count.structure.calls.get(_module(site).id, [])


def _first_shape(site: Subject, tensors: tuple[int, ...], what: str) -> Shape:
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
        "paths_around": Fact(
            "the ways to the nearest module around the call that any leads to",
            lambda s: s.count.structure.paths_around[s.layer.id],
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


SEEN = frozenset({
    "kind", "group", "source", "class_name", "level", "inputs", "outputs", "input", "out", "in_elems",
    "out_elems", "ops",
})  # fmt: skip
"""The structural facts that calls which look alike have in common; the others say where a call stands."""

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
        "registered": "whether a way leads from the network to a module that has it, or no module has it",
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
