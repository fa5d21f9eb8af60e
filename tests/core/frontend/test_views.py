"""Results in the memory of an operand, by the kinds that copy nothing."""

from __future__ import annotations

from flopledger.counting import engine
from flopledger.frontend.builder import GraphBuilder
from flopledger.frontend.views import Views
from flopledger.graph.tables import Reading
from flopledger.kinds import builtin

VIEWS = Views(frozenset(("reshape", "squeeze")), frozenset(("transpose",)))


def test_a_view_of_other_order_is_copied_before_its_elements_are_grouped_again() -> None:
    builder = GraphBuilder(builtin(), VIEWS)
    x = builder.input("x", (1, 2, 3))
    made = [x]
    for kind, attrs, shape in (
        ("relu", {}, (1, 2, 3)),  # 24 bytes
        ("squeeze", {"axes": (0,)}, (2, 3)),
        ("transpose", {"order": (1, 0)}, (3, 2)),
        ("reshape", {"shape": (6,)}, (6,)),  # a copy
        ("reshape", {"shape": (2, 3)}, (2, 3)),
    ):
        made.append(builder.tensor(shape))
        builder.layer(kind, kind, kind, inputs=made[-2:-1], outputs=made[-1:], attrs=attrs)
    graph = builder.build(Reading("net", "toy", "toy", "", {}), made[-1:])
    assert [tensor.alias_of for tensor in graph.tensors] == [None, None, 1, 2, None, 4]
    assert sum(engine.analysis_of(graph).memory.made.values()) == 24 + 24
    # the ReLU and the copy read and write 24 bytes each, the views nothing
    assert graph.count("bytes").total.count == 4 * 24


def test_a_result_of_another_type_is_no_view() -> None:
    builder = GraphBuilder(builtin(), VIEWS)
    x, y = builder.input("x", (2, 3)), builder.tensor((6,), "int8")
    builder.layer("r", "reshape", "r", inputs=[x], outputs=[y], attrs={"shape": (6,)})
    graph = builder.build(Reading("net", "toy", "toy", "", {}), [y])
    assert graph.tensors[y].alias_of is None
