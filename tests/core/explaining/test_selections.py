from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import symbol
from flopledger.explaining.hypotheses import Variant
from flopledger.explaining.selections import (
    BIASES,
    BUFFERS,
    EACH,
    EMBEDDINGS,
    NORMS,
    STATISTICS,
    TRAINED,
    WITHOUT_CLASSIFIER,
    selections,
)
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading
from flopledger.kinds import builtin
from handmade import network

if TYPE_CHECKING:
    from flopledger.graph.graph import Graph


def found(graph: Graph) -> dict[tuple[str, ...], int]:
    made = dict[tuple[str, ...], int]()
    for count, steps in selections(Variant(graph, builtin())):
        made[tuple(step.words for step in steps)] = count
    return made


def test_each_decision_alone_and_two_together() -> None:
    """12 weights and 4 biases of a layer, 16 frozen weights of another: 32; and 7 running means."""
    made = found(network())

    assert made == {
        (TRAINED,): 16,
        (STATISTICS,): 39,
        (BIASES,): 28,
        (BUFFERS,): 39,
        (TRAINED, STATISTICS): 23,
        (TRAINED, BIASES): 12,
        (TRAINED, BUFFERS): 23,
        (STATISTICS, BIASES): 35,
        (BIASES, BUFFERS): 35,
    }


def test_the_steps_sum_to_the_change() -> None:
    for count, steps in selections(Variant(network(), builtin())):
        assert 32 + sum(step.count for step in steps) == count


def tied(*, head: bool) -> Graph:
    """A table of 10 words of 4 numbers, a layer norm, and a head that has the table too, or its own 40."""
    b = GraphBuilder(builtin())
    words = b.input("words", (1, 3), "int64")
    shapes = {"wte": (10, 4), "scale": (4,), "shift": (4,), "head": (10, 4), "in_proj_bias": (4,)}
    for i, (name, shape) in enumerate(shapes.items()):
        role = name if name in ("scale", "shift") else "weight"
        b.parameters.append(
            Parameter(i, (name,), shape, role=role, object=i, storage=0 if i == 3 and head else i)
        )
    b.modules += [
        Module(0, ("",), "mine.Net", children=(1, 2, 3, 4)),
        Module(1, ("wte",), "Embedding", parameters=(("weight", 0),)),
        Module(2, ("norm",), "LayerNorm", parameters=(("weight", 1), ("bias", 2))),
        Module(3, ("head",), "Linear", parameters=(("weight", 3),)),
        Module(4, ("attention",), "MultiheadAttention", parameters=(("in_proj_bias", 4),)),
    ]
    root = b.layer("", "container", "mine.Net", module=0, inputs=(words,))
    x = words
    for module, kind, shape in (
        (1, "embedding", (1, 3, 4)),
        (2, "layer_norm", (1, 3, 4)),
        (3, "linear", (1, 3, 10)),
    ):
        y = b.tensor(shape)
        attrs = {"out_features": 10} if kind == "linear" else {}
        b.layer(kind, kind, kind, parent=root, module=module, inputs=(x,), outputs=(y,), attrs=attrs)
        x = y
    return b.build(Reading("net", "hand", "torch"), (x,))


def test_a_shared_table_is_counted_at_each_place_only_if_one_says_so() -> None:
    """40 of the table, 8 of the norm and 4 of a bias are 52; the head's 40 are the same memory."""
    made = found(tied(head=True))

    assert made[(EACH,)] == 92
    assert made[(EMBEDDINGS,)] == 12
    assert made[(NORMS,)] == 44
    assert made[(BIASES,)] == 48
    assert made[(EMBEDDINGS, NORMS)] == 4
    assert (WITHOUT_CLASSIFIER,) not in made


def test_a_head_of_its_own_is_left_out_with_the_classifier() -> None:
    """With 40 of its own the head makes 92 of the 52."""
    made = found(tied(head=False))

    assert made[(WITHOUT_CLASSIFIER,)] == 52
    assert made[(WITHOUT_CLASSIFIER, EMBEDDINGS)] == 12
    assert (EACH,) not in made


def test_a_network_with_symbols_in_its_weights_has_none() -> None:

    b = GraphBuilder(builtin())
    b.parameters.append(Parameter(0, ("w",), (symbol("K"), 3)))
    b.modules.append(Module(0, ("",), "mine.Net", parameters=(("w", 0),)))
    b.layer("", "container", "mine.Net", module=0)

    assert found(b.build(Reading("net", "hand", "torch"), ())) == {}
