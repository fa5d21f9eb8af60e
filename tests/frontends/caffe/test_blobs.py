"""Blobs that no layer makes, and the options with which one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from caffe_layers import DATA, INPUT, LOSS, dense, inputs, names, relu
from flopledger.errors import SourceError

if TYPE_CHECKING:
    from conftest import Read

STAGED = """layer { name: "in" type: "DummyData" top: "x" include { phase: TRAIN }
  dummy_data_param { shape { dim: 1 dim: 16 } } }
layer { name: "h" type: "InnerProduct" bottom: "x" top: "h" include { stage: "two" }
  inner_product_param { num_output: 5 } }
""" + dense("out", "h", "y")


def test_a_missing_blob_says_with_which_options_it_is_made(read: Read) -> None:
    with pytest.raises(
        SourceError,
        match=r"'h', which no layer makes in the phase TEST; layer 'h' .* --phase train --stage two$",
    ):
        read(STAGED)
    with pytest.raises(SourceError, match=r"in the phase TRAIN; layer 'h' .* with --stage two$"):
        read(STAGED, phase="train")
    # 16 * 5 + 5 * 4
    assert read(STAGED, phase="train", stage="two").count("mac").total.macs == 100


def test_a_missing_blob_of_another_level_says_so(read: Read) -> None:
    text = INPUT + relu("a", "x", "y", "include { min_level: 2 }") + relu("b", "y", "z")
    with pytest.raises(SourceError, match=r"layer 'a' .* makes it with --level 2$"):
        read(text)
    assert names(read(text, level=2)) == ["a", "b"]


def test_a_label_that_another_phase_brings_is_noted_with_that_phase(read: Read) -> None:
    data = DATA % ("DummyData", "dummy_data_param { shape { dim: 4 dim: 3 } } include { phase: TRAIN }")
    graph = read('input: "data" input_shape { dim: 4 dim: 3 }' + data.replace('top: "data"', "") + LOSS)
    assert graph.reading.notes[0].endswith("layer 'd' (line 1) makes it with --phase train")


def test_a_blob_that_no_layer_makes_may_be_given(read: Read) -> None:
    body = dense("f", "feature", "y")
    with pytest.raises(SourceError, match="if it is an input, give its shape, with your sizes: -i feature="):
        read(body)
    graph = read(body, "feature=2x6")
    assert inputs(graph) == {"feature": (2, 6)}
    assert graph.count("mac").total.macs == 48  # 2 * 6 * 4
