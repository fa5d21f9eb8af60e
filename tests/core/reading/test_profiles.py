from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.graph.tables import Reading
from flopledger.reading import profiles
from handmade import network

if TYPE_CHECKING:
    from collections.abc import Mapping


def test_what_needs_no_mode_is_counted_apart_from_what_takes_a_model_as_it_stands() -> None:
    names = ["mac", "fvcore", "thop", "torch-flop-counter", "torch-flop-counter-no-grad", "2mac"]
    groups = [[one.name for one in members] for _, members in profiles.profiles(map(fl.load, names))]

    assert groups == [
        ["mac", "thop", "2mac"], ["fvcore", "torch-flop-counter"], ["torch-flop-counter-no-grad"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "asked"), [("eval", ["given"]), ("train", ["given", None]), ("given", ["given", None])]
)
def test_a_reading_as_it_stands_serves_all_where_the_model_is_in_eval(mode: str, asked: list[object]) -> None:
    wanted: list[object] = []

    def under(profile: Mapping[str, object]) -> fl.Graph:
        wanted.append(profile.get("mode"))
        stands = {"mode": mode if profile.get("mode") == "given" else "eval", "grad": True}
        return replace(network(), reading=Reading("net", "hand", "torch", "1", stands))

    first, second = profiles.reading_for_each(under, [fl.load("mac"), fl.load("fvcore")])

    assert wanted == asked
    assert (first.reading.profile["mode"], second.reading.profile["mode"]) == ("eval", mode)


def test_one_reading_serves_what_takes_any_mode() -> None:
    assert profiles.profile_for([fl.load("mac"), fl.load("fvcore")])["mode"] == "given"
    assert profiles.profile_for([fl.load("thop"), fl.load("fvcore")])["mode"] == "eval"


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ({"mode": "eval", "grad": True, "fast_paths": True, "sizes": False}, "evaluation mode, gradients on"),
        ({"mode": "train", "step": "train"}, "training mode, a training step"),
        (
            {"mode": "given", "grad": False, "fast_paths": False},
            "each module in its own mode, gradients off, fused kernels off",
        ),
        ({"mode": ["eval"], "grad": 1, "own": "x"}, 'mode=["eval"], grad=1, own="x"'),
    ],
)
def test_a_profile_is_written_in_words_and_what_is_no_known_value_as_it_is(
    profile: dict[str, object], words: str
) -> None:
    assert profiles.in_words(profile) == words
