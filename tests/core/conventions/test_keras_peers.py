"""The conventions of Keras's own counters, on a network made by hand."""

from __future__ import annotations

from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading
from flopledger.kinds import builtin

READING = Reading("net", "keras", "keras", "3.15.1", {"mode": "eval"})


def test_the_size_has_each_variable_once_in_its_own_type_and_those_of_the_optimizer() -> None:
    b = GraphBuilder(builtin())
    x, out = b.input("x", (2, 3)), b.tensor((2, 4))
    b.parameters += [
        Parameter(0, ("dense.kernel",), (3, 4), "bfloat16", object=0, storage=0),
        Parameter(1, ("dense.bias",), (4,), trainable=False, object=1, storage=1),
        Parameter(2, ("tied.kernel",), (3, 4), "bfloat16", object=0, storage=0),
        Parameter(3, ("adam.momentum",), (5,), "float64", "optimizer", trainable=False, object=3, storage=3),
    ]
    own = (("kernel", 0), ("bias", 1), ("tied", 2), ("momentum", 3))
    b.modules.append(Module(0, ("",), "keras.layers.Dense", parameters=own))
    b.layer(
        "", "linear", "keras.layers.Dense", module=0, inputs=(x,), outputs=(out,),
        attrs={"out_features": 4, "bias": True},
    )  # fmt: skip
    total = b.build(READING, (out,)).count("keras-size").total
    assert total.count == 2 * 3 * 4 + 4 * 4 + 8 * 5
    assert (total.params, total.trainable_params, total.non_trainable_params) == (12 + 4 + 5, 12, 4)
    assert total.buffers == 5
