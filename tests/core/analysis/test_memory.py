"""Memory that is made, in use and moved, by hand: a chain of dense layers, with a view and a result in place.

x of 2 x 3 goes to a (2 x 8, 64 bytes), to its ReLU in place, to a view of it, to b (2 x 4, 32 bytes), and b
and a sum of the view make the result c (2 x 4, 32 bytes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.counting import engine
from flopledger.counting.footprint import footprint
from flopledger.dims.arithmetic import substitute, symbol
from flopledger.errors import UsageError
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading
from flopledger.kinds import builtin
from graphs import layer
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from flopledger.dims.types import Dim
    from flopledger.graph.graph import Graph


def graph() -> Graph:
    """The chain."""
    builder = GraphBuilder(builtin())
    x = builder.input("x", (2, 3))
    a = builder.tensor((2, 8))
    builder.layer("a", "linear", "Linear", inputs=[x], outputs=[a], attrs={"out_features": 8})
    builder.layer("relu", "relu", "ReLU", inputs=[a], outputs=[a])
    view = builder.tensor((2, 2, 4), alias_of=a)
    builder.layer("view", "reshape", "Reshape", inputs=[a], outputs=[view], attrs={"shape": (2, 2, 4)})
    b = builder.tensor((2, 4))
    builder.layer("b", "linear", "Linear", inputs=[a], outputs=[b], attrs={"out_features": 4})
    s = builder.tensor((2, 4))
    builder.layer("s", "reduce_sum", "Sum", inputs=[view], outputs=[s], attrs={"axes": (1,)})
    c = builder.tensor((2, 4))
    builder.layer("c", "add", "Add", inputs=[b, s], outputs=[c])
    return builder.build(Reading("net", "toy", "toy", "", {}), [c])


def test_what_is_alive_at_once_needs_sizes() -> None:
    net = layer("relu", {}, (symbol("N"), 3))
    with pytest.raises(UsageError, match=r"depends on the sizes \(12\*N\): give numbers"):
        net.count("peak")


def test_views_and_results_in_place_take_no_memory_of_their_own() -> None:
    memory = engine.analysis_of(graph()).memory
    assert sum(memory.made.values()) == 64 + 32 + 32 + 32


def test_the_peak_is_where_operands_and_results_are_most() -> None:
    found = graph()
    memory = engine.analysis_of(found).memory
    # a stays for its view, until s has read it; then b, s and c are left
    assert [live for _, live in memory.timeline] == [64, 64, 64, 96, 128, 96]
    assert memory.peak.bytes == 128
    assert found.layers[memory.peak.call or 0].path == "s"
    ledger = found.count("peak")
    assert {row.path: row.count for row in ledger.rows if row.count} == {"a": 64, "b": 32, "s": 32}
    assert (ledger.total.count, ledger.total.unit) == (128, "B")


def test_each_call_reads_its_operands_and_writes_its_results() -> None:
    rows = {row.path: row.count for row in graph().count("bytes").rows}
    # x has 24 bytes; the ReLU reads and writes a; the view moves nothing
    assert rows == {"a": 24 + 64, "relu": 128, "view": 0, "b": 96, "s": 96, "c": 96}


def layers() -> Graph:
    """A file of layers: ids of 2 x 3 look up rows of 4 in 100, a dense layer of 5, its ReLU in its place."""
    b = GraphBuilder(builtin())
    ids = b.input("ids", (2, 3), "int32")
    for i, (name, shape) in enumerate((("words", (100, 4)), ("fc", (5, 4)), ("bias", (5,)))):
        b.parameters.append(Parameter(i, (name,), shape, object=i, storage=i))
    b.modules += [
        Module(0, ("",), "Net", children=(1, 2, 3)),
        Module(1, ("words",), "Words", parameters=(("w", 0),)),
        Module(2, ("fc",), "Dense", parameters=(("w", 1), ("b", 2))),
        Module(3, ("relu",), "ReLU"),
    ]
    root = b.layer("", "container", "Net", module=0, inputs=[ids])
    found, dense, placed = b.tensor((2, 3, 4)), b.tensor((2, 3, 5)), b.tensor((2, 3, 5), alias_of=2)
    rows = {"num_embeddings": 100, "embedding_dim": 4}
    of = {"parent": root}
    b.layer("words", "embedding", "Words", **of, module=1, inputs=[ids], outputs=[found], attrs=rows)
    wide = {"out_features": 5, "bias": True}
    b.layer("fc", "linear", "Dense", **of, module=2, inputs=[found], outputs=[dense], attrs=wide)
    b.layer("relu", "relu", "ReLU", **of, module=3, inputs=[dense], outputs=[placed])
    return b.build(Reading("net", "toy", "toy", "", {}), [placed])


def test_weights_that_no_operand_shows_are_read_and_of_a_table_the_rows_taken() -> None:
    rows = {row.path: row.count for row in layers().count("bytes").rows}
    assert rows["words"] == 24 + 6 * 16 + 96  # the ids, six rows of 16 bytes, the result
    assert rows["fc"] == 96 + 4 * (20 + 5) + 120
    assert rows["relu"] == 240  # in the memory of the dense layer's result, which it reads and writes


def chain(widths: list[int], batch: Dim) -> Graph:
    """Dense layers of these widths, one after another, and the sum of the last two where they are as wide."""
    b = GraphBuilder(builtin())
    x = b.input("x", (batch, 3))
    made = [x]
    for i, width in enumerate(widths):
        y = b.tensor((batch, width))
        attrs = {"out_features": width}
        b.layer(f"fc{i}", "linear", "Linear", inputs=[made[-1]], outputs=[y], attrs=attrs)
        made.append(y)
    if len(widths) > 1 and widths[-1] == widths[-2]:
        y = b.tensor((batch, widths[-1]))
        b.layer("sum", "add", "Add", inputs=made[-2:], outputs=[y])
        made.append(y)
    return b.build(Reading("net", "toy", "toy", "", {}), [made[-1]])


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 5))
def test_the_peak_is_at_most_the_sum_and_at_least_the_largest_and_symbols_give_the_same_sum(
    widths: list[int], batch: int
) -> None:
    memory = engine.analysis_of(chain(widths, batch)).memory
    whole = sum(int(str(size)) for size in memory.made.values())
    assert max(4 * batch * width for width in widths) <= memory.peak.bytes <= whole
    assert memory.peak.bytes == max(live for _, live in memory.timeline)
    symbolic = footprint(chain(widths, symbol("N")), None, trains=False, optimizer="sgd", dtypes={})
    assert substitute(symbolic.activations.sum, {"N": batch}) == whole
    assert (symbolic.activations.peak, symbolic.total, symbolic.timeline) == (None, None, ())
