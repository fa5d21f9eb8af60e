"""onnx-tool, against the tool itself: its answers are recorded, and asked for anew with --peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from onnx_peers import Peer
from onnx_probes import probes, weights_of_whole_numbers

if TYPE_CHECKING:
    from pathlib import Path

TOOL = Peer("onnx-tool", "1.0.1", probes() | dict(weights_of_whole_numbers()))
NODES_OF_ONE_NAME = {"silero_vad-6.2.3__silero_vad_openvino_16k"}
"""Files whose nodes have one name: the tool keeps one of them (see the quirks of the convention)."""


@pytest.fixture(scope="module", autouse=True)
def record(tmp_path_factory: pytest.TempPathFactory, *, ask_peers: bool) -> None:
    if ask_peers:
        TOOL.ask(tmp_path_factory.mktemp("probes"))


def test_every_probe_is_counted_as_the_tool_does(tmp_path: Path) -> None:
    assert TOOL.differences(tmp_path) == ({}, set())


def test_the_record_has_every_probe_and_is_of_the_version_that_the_convention_names() -> None:
    assert TOOL.said()["version"] == TOOL.version
    assert TOOL.answers().keys() == TOOL.probes.keys()


def test_published_networks_are_counted_as_the_tool_counts_them(shared: Path) -> None:
    assert TOOL.published(shared, NODES_OF_ONE_NAME) == {}
