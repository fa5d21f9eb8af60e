"""TensorFlow's profiler on Keras models, against the profiler itself.

Its answers are recorded, and asked for again with --peers.
"""

from __future__ import annotations

import pytest
from keras_peers import answers, ask, counted, record_again

TOOL = "tf-profiler"


@pytest.fixture(scope="module", autouse=True)
def record(*, ask_peers: bool) -> None:
    if ask_peers:
        record_again(TOOL)


def test_every_probe_and_network_has_the_profiler_s_figure_at_every_batch() -> None:
    theirs = {
        (name, batch): answer["total"]
        for name, batches in answers(TOOL).items()
        for batch, answer in batches.items()
    }
    ours = {
        (name, batch): figure
        for name, answer in counted().items()
        for batch, figure in answer["profiler"].items()
    }
    assert ours.keys() == theirs.keys(), "the probes have changed: make peers"
    assert {key: (theirs[key], ours[key]) for key in theirs if theirs[key] != ours[key]} == {}


def test_only_what_no_formula_is_known_for_is_unknown() -> None:
    unknown = {name: answer["unknown"] for name, answer in counted().items() if answer["unknown"]}
    assert unknown == {
        "act_sparsemax": ["keras.activations.sparsemax"],  # it sorts the data
        "tf_l2_loss": ["tensorflow.L2Loss"],  # half a sum of squares is no kind of ours
    }


def test_parameters_are_those_of_the_summary_and_the_optimizer_has_none() -> None:
    theirs = {name: answer["totals"] for name, answer in answers("keras-summary").items()}
    expected = {
        name: [totals["trainable"] + totals["non-trainable"], totals["trainable"], totals["non-trainable"]]
        for name, totals in theirs.items()
    }
    assert {name: answer["profiler_params"] for name, answer in counted().items()} == expected


def test_layers_and_the_functions_in_them_agree_on_every_probe() -> None:
    assert {name: a["disagreements"] for name, a in counted().items() if a["disagreements"]} == {}


def test_shapes_inferred_again_are_those_that_keras_says_on_every_probe() -> None:
    assert {name: answer["shapes"] for name, answer in counted().items() if answer["shapes"]} == {}


@pytest.mark.slow
def test_the_profiler_itself_still_answers_as_recorded() -> None:
    ask(TOOL)
