"""The choices of a training step: patterns, refusals, and the words of a profile for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.errors import UsageError
from flopledger.frontend.builder import GraphBuilder
from flopledger.frontend.request import Request
from flopledger.graph.tables import Module, Parameter, Reading
from flopledger.kinds import builtin
from flopledger.reading import step

if TYPE_CHECKING:
    from flopledger.graph.graph import Graph


def graph(mode: str) -> Graph:
    """A network of two dense layers with a weight each, read for a step."""
    builder = GraphBuilder(builtin())
    x = builder.input("x", (2, 3))
    names = ("net.first", "net.second")
    builder.modules = [
        Module(i, (name,), "Linear", parameters=(("weight", i),)) for i, name in enumerate(names)
    ]
    builder.parameters = [
        Parameter(i, (f"{name}.weight",), (3, 3), object=i, storage=i) for i, name in enumerate(names)
    ]
    for i, name in enumerate(names):
        y = builder.tensor((2, 3))
        builder.layer(name, "linear", "Linear", module=i, inputs=[x], outputs=[y], attrs={"out_features": 3})
        x = y
    profile = {"step": "train"} if mode == "train" else {}
    return builder.build(Reading("net", "toy", "toy", "", profile), [x])


def request(**options: tuple[str, ...]) -> Request:
    return Request("net", profile={"step": "train"}, options=options)


@pytest.mark.parametrize(
    ("options", "trained"),
    [
        ({}, [True, True]),
        ({"freeze": ("net.first",)}, [False, True]),
        ({"freeze": ("*.weight",)}, [False, False]),
        ({"train_only": ("net.second.weight",)}, [False, True]),
    ],
)
def test_patterns_choose_what_is_trained(options: dict[str, tuple[str, ...]], trained: list[bool]) -> None:
    found = step.applied(graph("train"), request(**options))
    assert [p.trainable for p in found.parameters] == trained


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"freeze": ("frist",)}, "--freeze frist: no parameter"),
        ({"recompute": ("net.thrid",)}, "no module is called so"),
        ({"grad_inputs": ("y",)}, "the inputs are x"),
        ({"freeze": ("net",), "train_only": ("net",)}, "are both given"),
    ],
)
def test_what_fits_nothing_is_refused(options: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        step.applied(graph("train"), request(**options))


def test_a_forward_takes_no_choices_and_serves_no_training_step() -> None:
    with pytest.raises(UsageError, match="give --step train"):
        step.applied(graph("forward"), Request("net", options={"freeze": ("net",)}))
    with pytest.raises(UsageError, match="read it again with --step train"):
        step.applied(graph("forward"), request())


def test_a_training_step_is_read_in_its_mode_unless_another_is_wanted() -> None:
    assert step.settled({"step": "train"}) == {"mode": "train", "step": "train"}
    assert step.settled({"step": "train", "mode": "eval"})["mode"] == "eval"
    assert step.settled({"step": "given", "grad": True}) == {"grad": True}


def test_layers_that_show_no_weights_among_their_tensors_train_their_modules() -> None:
    # 2 rows of 3 x 3: the first layer has its weight's gradient alone
    assert fl.count(graph("train")).total.count == 18 + 18 + 3 * 18
