"""Weights that no operand shows, and those that are a tensor: two weights, one among the operands."""

from __future__ import annotations

from flopledger.counting import engine
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading, TensorRef
from flopledger.kinds import builtin


def test_a_weight_is_found_among_the_operands_by_its_shape_and_the_rest_is_read_unseen() -> None:
    b = GraphBuilder(builtin())
    x = b.input("x", (2, 3))
    for i, (name, shape) in enumerate((("shown", (3, 4)), ("bias", (4,)), ("inside", (5, 4)))):
        b.parameters.append(Parameter(i, (name,), shape, object=i, storage=i))
    b.modules += [
        Module(0, ("",), "Net", children=(1,), parameters=(("w", 0), ("b", 1))),
        Module(1, ("cell",), "Cell", parameters=(("w", 2),)),  # is never called: its weights are the net's
    ]
    root = b.layer("", "container", "Net", module=0, inputs=[x])
    weight, y, z = b.tensor((3, 4)), b.tensor((2, 4)), b.tensor((2, 4))
    b.layer("relu", "relu", "ReLU", level="function", parent=root, inputs=[x], outputs=[x])
    b.layer("dot", "matmul", "Dot", level="function", parent=root, inputs=[x, weight], outputs=[y])
    b.layer(
        "op", "relu", "op.relu", level="op", parent=root, inputs=[y], outputs=[z],
        native={"other": TensorRef(weight)},
    )  # fmt: skip
    hidden = engine.analysis_of(b.build(Reading("net", "toy", "toy", "", {}), [z])).hidden
    assert hidden.shown == {weight: 0}
    assert hidden.unseen == {2: (1, 2)}  # of the first call that multiplies
