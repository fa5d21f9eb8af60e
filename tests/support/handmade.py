"""A network made by hand, with a block, a layer called twice and an unknown one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from flopledger.dims.types import Dim
    from flopledger.graph.graph import Graph

PROFILE = {"mode": "eval", "grad": True, "fast_paths": True}


def network(batch: Dim = 2) -> Graph:
    """A block of a dense layer with its function and op, a layer called twice, and an unknown one.

    fc: 3 to 4 with bias, as layer, function and op; again: 4 to 4 without, called twice; odd: unknown.
    """
    b = GraphBuilder(builtin())
    x = b.input("x", (batch, 3))
    shapes = ((4, 3), (4,), (4, 4), (7,))
    names = ("block.fc.weight", "block.fc.bias", "again.weight", "norm.mean")
    roles = ("weight", "bias", "weight", "running_mean")
    for i, (shape, name, role) in enumerate(zip(shapes, names, roles, strict=True)):
        b.parameters.append(Parameter(i, (name,), shape, role=role, trainable=i != 2, object=i, storage=i))
    b.modules += [
        Module(0, ("",), "mine.Net", children=(1, 3, 4), parameters=(("mean", 3),)),
        Module(1, ("block",), "mine.Block", children=(2,)),
        Module(2, ("block.fc",), "torch.nn.Linear", parameters=(("weight", 0), ("bias", 1))),
        Module(3, ("again",), "torch.nn.Linear", parameters=(("weight", 2),)),
        Module(4, ("odd",), "mine.Odd"),
    ]
    dense = {"out_features": 4, "bias": True}
    root = b.layer("", "container", "mine.Net", module=0, inputs=(x,))
    block = b.layer("block", "container", "mine.Block", parent=root, module=1, inputs=(x,))
    y = b.tensor((batch, 4))
    told = {"inputs": (x,), "outputs": (y,), "attrs": dense}
    fc = b.layer("block.fc", "linear", "torch.nn.Linear", parent=block, module=2, **told)
    f = b.layer(
        "block.fc/linear", "linear", "torch.nn.functional.linear", level="function", parent=fc, **told
    )
    b.layer("block.fc/linear/op", "linear", "aten.linear.default", level="op", parent=f, **told)
    for index in (1, 2):
        z = b.tensor((batch, 4))
        b.layer(
            "again", "linear", "torch.nn.Linear", parent=root, module=3, index=index,
            inputs=(y,), outputs=(z,), attrs={"out_features": 4},
        )  # fmt: skip
        y = z
    b.layer("odd", "unknown", "mine.Odd", parent=root, module=4, inputs=(y,), outputs=(b.tensor((batch, 9)),))
    return b.build(Reading("net", "hand", "torch", "1", PROFILE), (y,))
