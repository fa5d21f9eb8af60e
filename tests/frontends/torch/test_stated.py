"""The inputs that a model states, where none are given."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import flopledger as fl
import pytest
import torch
from flopledger.errors import UsageError
from torch import nn


class Tokens(nn.Module):
    """A network over tokens or pictures, as transformers states its inputs."""

    def __init__(self, main: str, **config: object) -> None:
        super().__init__()
        self.main_input_name = main
        self.config = SimpleNamespace(**config)
        self.table, self.conv = nn.Embedding(50, 4), nn.Conv2d(3, 2, 1)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
        decoder_input_ids: torch.Tensor | None = None,
    ) -> Any:
        if pixel_values is not None:
            return self.conv(pixel_values)
        return self.table(input_ids) if decoder_input_ids is None else self.table(decoder_input_ids)


def shapes(model: nn.Module) -> dict[str, tuple[object, ...] | None]:
    graph = fl.read(model)
    return {given.name: graph.tensors[given.tensor].shape for given in graph.inputs}


def stating(name: str, value: object) -> nn.Module:
    model: Any = nn.Conv2d(3, 2, 1)
    setattr(model, name, value)
    return model  # type: ignore[no-any-return]


def test_the_size_of_default_cfg_is_for_one_picture() -> None:
    assert shapes(stating("default_cfg", {"input_size": (3, 9, 9)})) == {"input": (1, 3, 9, 9)}
    assert shapes(stating("pretrained_cfg", SimpleNamespace(input_size=[3, 7, 9]))) == {"input": (1, 3, 7, 9)}


def test_an_example_is_the_input_itself() -> None:
    assert shapes(stating("example_input_array", torch.zeros(2, 3, 4, 4))) == {"input": (2, 3, 4, 4)}


def test_a_text_has_as_many_tokens_as_the_model_takes_and_128_at_most() -> None:
    assert shapes(Tokens("input_ids", max_position_embeddings=512)) == {"input_ids": (1, 128)}
    assert shapes(Tokens("input_ids", max_position_embeddings=40)) == {"input_ids": (1, 40)}
    both = {"input_ids": (1, 128), "decoder_input_ids": (1, 128)}
    assert shapes(Tokens("input_ids", is_encoder_decoder=True)) == both


def test_what_a_configuration_leaves_open_is_asked_for() -> None:
    """The forward itself would be called with nothing, and fail far inside."""
    with pytest.raises(UsageError, match="too little to make them: give the size of each"):
        fl.read(Tokens("pixel_values", image_size="large"))
    parts = {"text_config": SimpleNamespace(), "vision_config": SimpleNamespace(), "image_token_id": 5}
    with pytest.raises(UsageError, match="since pictures or sounds take the places of some tokens"):
        fl.read(Tokens("pixel_values", **parts))
    assert fl.count(Tokens("input_ids", **parts), {"input_ids": "1x7:int64"}).total.params == 208


def test_a_picture_has_the_size_of_the_configuration() -> None:
    assert shapes(Tokens("pixel_values", image_size=8, num_channels=3)) == {"pixel_values": (1, 3, 8, 8)}
    assert shapes(Tokens("pixel_values", image_size=(8, 6), num_channels=3)) == {"pixel_values": (1, 3, 8, 6)}


@pytest.mark.parametrize("stated", [None, "3x9x9", (3, -1, 9), (), {"input_size": None}, (3, 9.0, 9)])
def test_what_states_no_size_is_as_if_it_were_not_there(stated: object) -> None:
    model = stating("default_cfg", {"input_size": stated})
    with pytest.raises(UsageError, match=r'such as inputs="input=1x3x224x224"'):
        fl.read(model)


def test_what_is_given_goes_before_what_is_stated() -> None:
    model = stating("default_cfg", {"input_size": (3, 9, 9)})

    assert fl.count(model, "1x3x2x2").total.macs == 3 * 2 * 4
    assert fl.count(model).graph.reading.notes == (
        "the inputs are what the model's default_cfg states: 1x3x9x9",
    )
