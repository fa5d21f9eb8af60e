"""The window that a row shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Reading
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from flopledger.dims.types import Shape


@pytest.mark.parametrize(
    ("shape", "out", "attrs", "window"),
    [
        ((1, 7, 5, 6), (1, 7, 2, 3), {"kernel": (2, 2), "stride": (2, 2)}, (2, 2)),
        ((1, 7, 5, 6), (1, 7, 1, 1), {"kernel": (0, 0), "whole": True}, (5, 6)),
        ((1, 5, 6, 7), (1, 1, 1, 7), {"kernel": (0, 0), "whole": True, "channels_last": True}, (5, 6)),
        ((7, 5), (7, 1), {"kernel": (1,), "whole": True}, (5,)),
    ],
)
def test_the_window_of_a_global_pooling_is_its_input(
    shape: Shape, out: Shape, attrs: dict[str, object], window: Shape
) -> None:
    b = GraphBuilder(builtin())
    x = b.input("x", shape)
    y = b.tensor(out)
    b.layer("pool", "avg_pool", "mine.Pool", inputs=(x,), outputs=(y,), attrs=attrs)
    graph = b.build(Reading("by hand", "hand", "hand"), (y,))
    assert [row.kernel for row in graph.count("mac").rows if row.path == "pool"] == [window]
