"""Layers that remember what they see, in random places: their model is afterwards what it was."""

from __future__ import annotations

import random
from typing import Any

import flopledger as fl
import pytest
from careless import TRIES, Remembers, remembered
from flopledger_paddle.framework import paddle


class Remembering(Remembers, paddle.nn.Layer):  # type: ignore[misc]
    def __init__(self, chosen: random.Random) -> None:
        super().__init__()
        self.dense, self.norm = paddle.nn.Linear(5, 5), paddle.nn.BatchNorm1D(5)
        self.choose(chosen)

    def forward(self, x: Any) -> Any:
        self.remember(x)
        return self.norm(self.dense(x)) + x


def state(layer: Remembering) -> list[Any]:
    return [
        *remembered(layer), layer.training, layer.norm.training,
        [id(one) for one in (layer.dense, *layer.parameters(), *layer.buffers())],
        {name: value.numpy().tobytes() for name, value in layer.state_dict().items()},
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(TRIES))
def test_a_model_that_remembers_is_as_it_was(seed: int) -> None:
    chosen = random.Random(seed)  # noqa: S311  (a seed that can be told)
    own, given = Remembering(chosen), paddle.ones([2, 5])
    own.eval()
    places, own.places = own.places, []
    result = own(given).numpy().tobytes()
    own.places = places
    if chosen.random() < 0.5:
        own.train()
    before = state(own)

    assert fl.count(own, "2x5").total.count == 2 * 5 * 5
    assert state(own) == before

    own.fails = True
    with pytest.raises(fl.FlopledgerError, match="as it is told"):
        fl.read(own, "2x5")
    assert state(own) == before

    own.fails, own.places = False, []
    own.eval()
    assert own(given).numpy().tobytes() == result
