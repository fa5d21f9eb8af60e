"""Saved graphs of earlier versions."""

from __future__ import annotations

from pathlib import Path

from flopledger import Graph

SAVED = Path(__file__).parent / "saved_0.json"
"""Written by the first version: a convolution of 3 x 3 with 4 channels, a normalisation, a ReLU and a linear
layer of 5, over a batch of N pictures of 3 x 8 x 8."""


def test_a_graph_that_the_first_version_saved_still_loads_and_counts() -> None:
    graph = Graph.from_json(SAVED.read_text("utf-8"))

    assert graph.digest == "f635c97c77b2c2e0"
    assert graph.reading.profile == {"mode": "eval"}
    total = graph.count("mac").total
    assert str(total.count) == f"{4 * 6 * 6 * 3 * 3 * 3 + 4 * 6 * 6 * 5}*N"
    assert (total.params, total.buffers) == (4 * 27 + 4 + 144 * 5 + 5, 4 + 4 + 1)


def test_a_saved_graph_is_written_as_it_was() -> None:
    text = SAVED.read_text("utf-8")

    assert Graph.from_json(text).to_json() == text
