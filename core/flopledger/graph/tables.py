"""The neutral graph: the structure and the calls of a network, in four flat tables.

Modules (registered), layers (calls, in order of execution), tensors and
parameters refer to each other by id, an index into their table. Trees are views of the tables and
nothing recurses, so that a chain of any length can be read, counted and stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Literal, TypeAlias

from flopledger.dims.arithmetic import product
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.dims.types import Dim, Shape

Level: TypeAlias = Literal["layer", "function", "op"]
LEVELS: tuple[Level, ...] = ("layer", "function", "op")
"""``layer``: a module's call; ``function``: as the user spelled it; ``op``: an operator below it."""

UNKNOWN = "unknown"
"""The kind of a call that no formula is known for."""
CONTAINER = "container"
"""The kind of a call whose whole work is the calls below it."""

OPTIMIZER = "optimizer"
"""The role of an optimizer's state, which is not part of the network."""
BUFFER_ROLES = frozenset({"running_mean", "running_var", "counter", "buffer", OPTIMIZER})
"""The roles of values that are stored beside a network's weights."""


@dataclass(frozen=True, slots=True)
class TensorRef:
    """A tensor among the native arguments of a call, by id."""

    id: int


Value: TypeAlias = "bool | float | str | Dim | TensorRef | tuple[Value, ...] | Mapping[str, Value] | None"
"""The types of an attribute's value."""


def tensors_in(values: Iterable[Value]) -> Iterator[int]:
    """Yield the ids of the tensors among attributes or native arguments, however they are nested."""
    pending = list(values)
    while pending:
        value = pending.pop()
        if isinstance(value, TensorRef):
            yield value.id
        elif isinstance(value, tuple):
            pending.extend(value)
        elif isinstance(value, Mapping):
            pending.extend(value.values())


@dataclass(frozen=True, slots=True)
class Tensor:
    """A value that flows between calls.

    ``shape`` is None where it can't be known. ``alias_of`` names the tensor whose memory a view or
    an in-place result shares; ``parameter`` the parameter that it is, in a reading for a training step.
    """

    id: int
    shape: Shape | None
    dtype: str = "float32"
    alias_of: int | None = None
    parameter: int | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A weight or buffer. Equal ``object``: the same parameter; equal ``storage``: the same memory."""

    id: int
    names: tuple[str, ...]
    shape: Shape
    dtype: str = "float32"
    role: str = "weight"
    trainable: bool = True
    object: int = 0
    storage: int = 0

    @property
    def numel(self) -> Dim:
        """The number of elements."""
        return product(self.shape)

    @property
    def is_buffer(self) -> bool:
        """Whether it is stored beside the weights (running statistics, counters)."""
        return self.role in BUFFER_ROLES


@dataclass(frozen=True, slots=True)
class Module:
    """A registered module, called or not. ``parameters`` are its own: local name and id."""

    id: int
    paths: tuple[str, ...]
    type: str
    bases: tuple[str, ...] = ()
    children: tuple[int, ...] = ()
    parameters: tuple[tuple[str, int], ...] = ()
    training: bool = False
    native: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layer:
    """One call: of a module, of a function, or of an op.

    ``attrs`` are the neutral attributes that the kind requires; ``native`` are the framework's own
    words (arguments as spelled), which only conventions read. ``composite`` marks an op that only
    lowers to others. ``problem`` is the reason why a call can't be counted.
    """

    id: int
    path: str
    kind: str
    source: str
    level: Level = "layer"
    parent: int | None = None
    module: int | None = None
    index: int = 1
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    attrs: Mapping[str, Value] = field(default_factory=dict)
    native: Mapping[str, Value] = field(default_factory=dict)
    composite: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """An input of the network: its name, its tensor, and whether it was given by position."""

    name: str
    tensor: int
    positional: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """How a graph was read: the source, by whom, and under which profile.

    ``data_sizes`` has the symbols that stand for sizes which the data decides, each with the largest number
    that it can be, where that is known; ``given_sizes`` the numbers that the user gave to symbols.
    """

    source: str
    frontend: str
    framework: str
    framework_version: str = ""
    profile: Mapping[str, Value] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    data_sizes: Mapping[str, Value] = field(default_factory=dict)
    given_sizes: Mapping[str, Value] = field(default_factory=dict)

    @property
    def trains(self) -> bool:
        """Whether it is of a training step, and not of a forward pass alone."""
        return self.profile.get("step") == "train"

    @property
    def of_weights(self) -> bool:
        """Whether it is of the parameters alone, since the inputs that the network needs were not given."""
        return self.profile.get("forward") is False


@dataclass(frozen=True)
class Tables:
    """The tables of a network, which refer to each other by id; see the module's docstring."""

    reading: Reading
    inputs: tuple[Input, ...]
    outputs: tuple[int, ...]
    modules: tuple[Module, ...]
    layers: tuple[Layer, ...]
    tensors: tuple[Tensor, ...]
    parameters: tuple[Parameter, ...]

    def shape(self, tensor: int) -> Shape | None:
        """Return the shape of a tensor, by id."""
        return self.tensors[tensor].shape
