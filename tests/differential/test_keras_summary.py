"""Keras's model.summary(), against Keras itself.

Its answers are recorded, and asked for again with --peers.
"""

from __future__ import annotations

import pytest
from keras_peers import answers, ask, counted, record_again

TOOL = "keras-summary"


@pytest.fixture(scope="module", autouse=True)
def record(*, ask_peers: bool) -> None:
    if ask_peers:
        record_again(TOOL)


def test_every_probe_and_network_is_recorded() -> None:
    assert answers(TOOL).keys() == counted().keys()


def test_totals_trainable_non_trainable_and_optimizer_parameters_are_those_of_the_summary() -> None:
    theirs = {name: answer["totals"] for name, answer in answers(TOOL).items()}
    assert {name: answer["summary"]["totals"] for name, answer in counted().items()} == theirs


def test_rows_and_their_order_are_those_of_the_summary() -> None:
    theirs = {name: answer["rows"] for name, answer in answers(TOOL).items()}
    ours = {name: answer["summary"]["rows"] for name, answer in counted().items()}
    differ = {name: (theirs[name], ours[name]) for name in theirs if theirs[name] != ours[name]}
    assert differ == {}


def test_our_own_parameters_and_buffers_together_are_the_models_parameters() -> None:
    expected = {
        name: answer["totals"]["trainable"] + answer["totals"]["non-trainable"]
        for name, answer in answers(TOOL).items()
    }
    assert {name: sum(answer["params"]) for name, answer in counted().items()} == expected


def test_resnet50_has_the_figures_that_its_page_shows() -> None:
    totals = counted()["ResNet50"]["summary"]["totals"]
    assert totals == {"total": 25636712, "trainable": 25583592, "non-trainable": 53120}


@pytest.mark.slow
def test_keras_itself_still_answers_as_recorded() -> None:
    ask(TOOL)
