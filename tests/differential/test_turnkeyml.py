"""TurnkeyML's counter, against the tool itself: its answers are recorded, and asked for again with --peers.

TURNKEYML names ``turnkeyml/common/analyze_model.py`` out of an unpacked wheel of turnkeyml 6.2.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger
import pytest
from onnx_files import UINT8, one, tensor
from onnx_peers import Peer
from onnx_probes import probes

if TYPE_CHECKING:
    from pathlib import Path

TOOL = Peer("turnkeyml", "6.2.5", probes(), "flops", "TURNKEYML")


@pytest.fixture(scope="module", autouse=True)
def record(tmp_path_factory: pytest.TempPathFactory, *, ask_peers: bool) -> None:
    if ask_peers:
        TOOL.ask(tmp_path_factory.mktemp("probes"))


def test_every_probe_that_the_tool_counts_is_counted_as_it_does(tmp_path: Path) -> None:
    assert TOOL.differences(tmp_path) == ({}, {"einsum", "gemm_plain", "gru"})


def test_the_record_has_every_probe() -> None:
    assert TOOL.answers().keys() == TOOL.probes.keys()


def test_a_quantised_gemm_adds_its_zero_point_as_the_tool_does(tmp_path: Path) -> None:
    """2 * 5 * 13 * 7, and 1 for the third input, which the tool takes for the bias; the tool's own answer."""
    scales = [tensor(f"{name}_scale", [], [0.5]) for name in "xw"]
    zeros = [tensor(f"{name}_zero", [], [0], UINT8) for name in "xw"]
    constants = [scales[0], zeros[0], tensor("w", [7, 13], [1] * 91, UINT8), scales[1], zeros[1]]
    path = tmp_path / "gemm.onnx"
    path.write_bytes(
        one("QGemm", [5, 13], constants=constants, dtype=UINT8, domain="com.microsoft", transB=1)
    )

    total = flopledger.count(str(path), convention="turnkeyml").total

    assert (total.count, total.params) == (911, 95)
