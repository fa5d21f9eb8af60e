from __future__ import annotations

import gc
import weakref

from flopledger.counting.engine import analysis_of
from handmade import network


def test_a_graph_is_analysed_once_and_its_analysis_dies_with_it() -> None:
    graph = network()
    graph.count("mac")
    kept = weakref.ref(analysis_of(graph))
    assert kept() is analysis_of(graph)
    assert analysis_of(network()) is not kept()

    del graph
    gc.collect()

    assert kept() is None
