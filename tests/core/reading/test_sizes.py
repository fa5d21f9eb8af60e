from __future__ import annotations

import flopledger as fl
import pytest
from flopledger import Graph
from flopledger.dims import symbol
from flopledger.errors import UsageError
from flopledger.frontend.builder import GraphBuilder
from flopledger.frontend.request import Request
from flopledger.frontend.specs import parse_spec
from flopledger.graph.tables import Reading
from flopledger.kinds import builtin
from flopledger.reading import sizes

EACH = 4 * 6 * 6 * 3 * 3 * 3
"""Products of a convolution of 3 x 3 from 3 to 4 channels on a picture of 8 x 8."""


@pytest.fixture
def graph() -> Graph:
    builder = GraphBuilder(builtin())
    image = builder.input("data", (symbol("N"), 3, 8, 8))
    attrs = {"kernel": (3, 3), "out_channels": 4, "bias": True}
    maps = builder.tensor(builder.infer("conv", attrs, [image], "conv")[0])
    builder.layer("conv", "conv", "Convolution", inputs=[image], outputs=[maps], attrs=attrs)
    return builder.build(Reading("toy", "toy", "toy", data_sizes={"N": 5}), [maps])


def test_symbols_of_inputs_and_of_steps_get_their_numbers_before_the_reading() -> None:
    request = Request(
        "a",
        inputs=(parse_spec("x=Nx3xHxH"),),
        options={"seq": symbol("H"), "past": 3},
        sizes={"N": 2, "H": 9},
    )
    asked = sizes.asked(request)
    assert (asked.inputs[0].shape, asked.options) == ((2, 3, 9, 9), {"seq": 9, "past": 3})


def test_a_number_is_a_size_and_a_name_is_a_symbols() -> None:
    assert sizes.checked({"N": 0, "RpnKept2": 7}) == {"N": 0, "RpnKept2": 7}
    for wrong in ({"n": 1}, {"Nx": 1}, {"N": -1}, {"N": 1.0}, {"N": True}, {"N": 2**63}, {"N": "1"}):
        with pytest.raises(UsageError, match="the size "):
            sizes.checked(wrong)
    with pytest.raises(UsageError, match="the size N of an input is 0"):
        sizes.asked(Request("a", inputs=(parse_spec("Nx3"),), sizes={"N": 0}))


def test_the_library_takes_numbers_for_the_symbols_of_a_graph(graph: Graph) -> None:
    assert str(fl.count(graph).total.count) == f"{EACH}*N"
    assert fl.count(graph, sizes={"N": 2}).total.count == 2 * EACH
    assert fl.explain(graph, "mac", "2mac", sizes={"N": 2}).gap == 2 * EACH
    assert fl.compare(graph, graph, sizes={"N": 2}).equal
    assert not fl.compare(graph, graph, sizes={"N": 2}, sizes_b={"N": 3}).equal


def test_the_symbols_of_a_graph_have_bounds_and_are_at_least_one(graph: Graph) -> None:
    with pytest.raises(UsageError, match=r"N=6.* at most 5"):
        fl.count(graph, sizes={"N": 6})
    with pytest.raises(UsageError, match=r"N=0.*: a formula is for sizes from 1 on"):
        fl.count(graph, sizes={"N": 0})
    with pytest.raises(UsageError, match="has no size M: its symbols are N"):
        fl.count(graph, sizes={"M": 1})
    found = fl.count(graph, sizes={"N": 5}).graph.reading
    assert (found.given_sizes, found.data_sizes) == ({"N": 5}, {})


def test_nothing_but_a_size_can_be_chosen_of_a_graph_that_was_read(graph: Graph) -> None:
    with pytest.raises(UsageError, match="mode, execute: a graph has been read already"):
        fl.count(graph, mode="train", execute=True)
