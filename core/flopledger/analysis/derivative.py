"""What a frontend has found out about a call's derivative, where it asked its framework.

It is a call's native word ``backward``, a mapping:

- ``wants``: the arguments that want a gradient;
- ``through``: whether a view is written to, so that the gradients are those of all the memory that it shows;
- ``keeps``: the arguments and results that are kept; ``own``: the bytes that are kept beside them;
- ``gradients``: of each argument that gets one its name, the memory that it is in, and whether nothing else
  has that, so that another gradient can be added in it: no view, which holds what it shows;
- ``new``: the bytes of each memory that is made for them;
- ``peak``: the most bytes that the derivative takes at once, these among them.

Arguments are called as in the call's native arguments (``mat1``, ``tensors.0``), results ``result.0``, and
memory ``new.0``, or ``result.0`` where it is that of the result's own gradient.

It holds for these arguments alone: where others want a gradient (weights frozen after the reading, inputs of
which one is asked), the rules by kind take its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flopledger.graph.tables import TensorRef
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from flopledger.graph.tables import Layer, Value

WORD = "backward"


@dataclass(frozen=True, slots=True)
class Part:
    """A gradient of an operand: the memory that it is in, and whether nothing else has that.

    ``result`` is the place of the result whose gradient it shows, ``new`` that of memory made for it.
    """

    tensor: int
    result: int | None
    new: int | None
    whole: bool


@dataclass(frozen=True, slots=True)
class Derivative:
    """What is kept of a call, with ``own`` more bytes; its gradients, their new memory, the most at once.

    ``through`` is whether it writes to a view: then the first gradient is of all the memory behind that.
    """

    keeps: tuple[int, ...]
    own: int
    parts: tuple[Part, ...]
    new: tuple[int, ...]
    peak: int
    through: bool


def found(layer: Layer, wanted: Callable[[int], bool]) -> Derivative | None:
    """Return what is known of a call's derivative; None if nothing is for the operands that want one.

    Args:
        layer: The call.
        wanted: Returns whether an operand wants a gradient.
    """
    known = layer.native.get(WORD)
    if not isinstance(known, Mapping):
        return None
    named = dict(_named(layer))
    wants = set(_words(known["wants"]))
    if any(wanted(tensor) != (name in wants) for name, tensor in named.items()):
        return None
    named.update({f"result.{place}": tensor for place, tensor in enumerate(layer.outputs)})
    parts = [one for one in _tuple(known["gradients"]) if isinstance(one, tuple)]
    return Derivative(
        tuple(named[name] for name in _words(known["keeps"]) if name in named),
        _whole(known["own"]),
        tuple(_part(named, *one) for one in parts),
        tuple(map(_whole, _tuple(known["new"]))),
        _whole(known["peak"]),
        known["through"] is True,
    )


def _named(layer: Layer) -> Iterator[tuple[str, int]]:
    """Yield the tensors among a call's arguments, by name and those of lists by place too."""
    for name, value in layer.native.items():
        if name == "args":
            continue
        if isinstance(value, TensorRef):
            yield name, value.id
        elif isinstance(value, tuple):
            for place, one in enumerate(value):
                if isinstance(one, TensorRef):
                    yield f"{name}.{place}", one.id


def _part(named: Mapping[str, int], name: Value, memory: Value, whole: Value) -> Part:
    kind, _, place = str(memory).partition(".")
    number = int(place)
    tensor = named[str(name)]
    is_new = kind == "new"
    return Part(tensor, None if is_new else number, number if is_new else None, whole is True)


def _tuple(value: Value) -> Sequence[Value]:
    return value if isinstance(value, tuple) else ()


def _words(value: Value) -> list[str]:
    return [str(one) for one in _tuple(value)]


def _whole(value: Value) -> int:
    return value if isinstance(value, int) else 0
