"""Bytes read and written, by hand: 4 for each number."""

from __future__ import annotations

from dataclasses import replace

import flopledger as fl
import pytest
from flopledger.counting.ledger import Traffic
from flopledger.counting.traffic import with_traffic
from flopledger.dims.arithmetic import plain, symbol
from flopledger.errors import UsageError
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Reading
from flopledger.kinds import builtin
from handmade import network


def test_each_row_has_what_its_innermost_calls_read_and_write() -> None:
    """A batch of 2 through an op from 3 to 4 that names no weight, then twice from 4 to 4 with one of 16.

    The last call is unknown: of its 2 x 4 and 2 x 9 nothing is certain but that they are there.
    """
    graph = network()
    ledger = with_traffic(graph.count("mac"), graph)
    found = {row.path: row.traffic for row in ledger.rows}

    assert found["block.fc"] == Traffic(4 * 6, 4 * 8)
    assert found["again"] == found["again#2"] == Traffic(4 * (8 + 16), 4 * 8)
    assert found[""] == found["block"] == Traffic()
    assert found["odd"] == Traffic(4 * 8, 4 * 18, unknown=True)
    assert ledger.total.traffic == Traffic(24 + 96 + 96 + 32, 32 + 32 + 32 + 72, unknown=True)


def test_calls_without_a_row_are_in_the_one_around_them_or_in_the_network_alone() -> None:
    graph = network()
    ledger = with_traffic(graph.count("torch-flop-counter"), graph)

    assert {row.path: row.traffic for row in ledger.rows} == {"block.fc/linear/op": Traffic(24, 32)}
    assert ledger.total.traffic == Traffic(248, 168, unknown=True)


def test_a_symbol_stays_and_a_size_that_is_not_known_makes_a_lower_bound() -> None:
    graph = network(symbol("N"))
    total = with_traffic(graph.count("mac"), graph).total.traffic
    assert total is not None
    assert (str(plain(total.reads)), str(plain(total.writes))) == ("60*N + 128", "84*N")

    b = GraphBuilder(builtin())
    x, y = b.input("x", (2, 3)), b.tensor(None)
    b.layer("r", "unknown", "cut", inputs=(x,), outputs=(y,))
    unsized = b.build(Reading("net", "hand", "hand"), (y,))
    assert with_traffic(unsized.count("mac"), unsized).total.traffic == Traffic(24, 0, unknown=True)


def test_a_training_step_has_none() -> None:
    graph = network()
    train = replace(graph, reading=replace(graph.reading, profile={"step": "train", "mode": "train"}))
    with pytest.raises(UsageError, match="those of a forward pass"):
        with_traffic(train.count("mac"), train)


def test_python_asks_for_them_with_an_argument() -> None:
    assert fl.count(network(), traffic=True).total.traffic == Traffic(248, 168, unknown=True)
    assert fl.count(network()).total.traffic is None
