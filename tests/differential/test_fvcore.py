"""fvcore's FlopCountAnalysis, against the tool itself.

Its answers are recorded, and asked for again with --peers.
"""

from __future__ import annotations

import pytest
from torch_peers import ask, compare, record_again

TOOL, MODULE = "fvcore", "fvcore"


@pytest.fixture(scope="module", autouse=True)
def record(*, ask_peers: bool) -> None:
    if ask_peers:
        record_again(TOOL, MODULE)


def test_every_probe_is_counted_as_the_tool_does() -> None:
    compare(TOOL, "fvcore")


@pytest.mark.slow
def test_the_tool_still_answers_as_recorded() -> None:
    ask(TOOL, MODULE)
