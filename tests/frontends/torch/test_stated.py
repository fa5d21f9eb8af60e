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


class Needing(nn.Module):
    """A network of pictures or clips, whose forward may need an argument that no configuration describes."""

    main_input_name = "pixel_values"

    def __init__(self, *, lengths: bool = True, **config: object) -> None:
        super().__init__()
        self.config = SimpleNamespace(**config)
        self.conv = nn.Conv2d(3, 2, 1)
        if not lengths:
            self.forward = self.seen  # type: ignore[method-assign]

    def seen(self, pixel_values: torch.Tensor) -> Any:
        return self.conv(pixel_values.flatten(0, -4))

    def forward(self, pixel_values: torch.Tensor, lengths: torch.Tensor) -> Any:
        return self.conv(pixel_values)[lengths]


class Sounds(nn.Module):
    """A network of spectrograms."""

    main_input_name = "input_features"

    def __init__(self, layer: nn.Module, **config: object) -> None:
        super().__init__()
        self.layer, self.config = layer, SimpleNamespace(**config)

    def forward(self, input_features: torch.Tensor) -> Any:
        return self.layer(input_features)


class Patches(nn.Module):
    """An encoder of patches, which makes as many results as its grid has places; its main input is amiss."""

    main_input_name = "input_ids"

    def __init__(self, **config: object) -> None:
        super().__init__()
        self.config = SimpleNamespace(**config)
        self.embed, self.out = nn.Linear(384, 5), nn.Linear(5, 7)

    def forward(self, hidden_states: torch.Tensor, grid_thw: torch.Tensor) -> Any:
        places = sum(t * h * w for t, h, w in grid_thw.tolist())
        return self.out(self.embed(hidden_states)[:places])


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
    with pytest.raises(UsageError, match="too little to make pixel_values: give the size"):
        fl.read(Tokens("pixel_values", image_size="large"))
    said = r'to make lengths: .* as in inputs=\("pixel_values=1x3x8x8", "lengths=SIZES"\)'
    with pytest.raises(UsageError, match=said):
        fl.count(Needing(image_size=8), convention="torch-flop-counter")
    assert fl.read(Needing(image_size=8)).reading.profile["forward"] is False


def test_a_model_with_places_for_pictures_reads_a_text_alone_and_says_so() -> None:
    parts = {"text_config": SimpleNamespace(max_position_embeddings=40), "vision_config": SimpleNamespace()}
    model = Tokens("input_ids", **parts, image_token_id=5)

    assert shapes(model) == {"input_ids": (1, 40)}
    said = (
        "the inputs are what main_input_name and the configuration say (at most 128 tokens, a size of ours)"
    )
    assert fl.read(model).reading.notes == (f"{said}, without pixel_values: input_ids=1x40",)
    assert fl.count(model, {"input_ids": "1x7:int64"}).total.params == 208


def test_a_clip_has_the_frames_of_the_configuration() -> None:
    """A convolution in space alone sees each frame: 3 to 2 channels over 4 frames of 8x8 pixels."""
    model = Needing(image_size=8, num_frames=4, lengths=False)

    assert shapes(model) == {"pixel_values": (1, 4, 3, 8, 8)}
    assert fl.count(model).total.macs == 3 * 2 * 4 * 8 * 8


@pytest.mark.parametrize(
    ("config", "sizes"),
    [
        ({"num_mel_bins": 80}, (1, 100, 80)),
        ({"encoder_config": SimpleNamespace(num_mel_bins=64)}, (1, 100, 64)),
        ({"num_mel_bins": 80, "max_source_positions": 1500}, (1, 80, 3000)),
    ],
)
def test_a_spectrogram_is_one_second_unless_the_encoder_takes_one_length(
    config: dict[str, object], sizes: tuple[int, ...]
) -> None:
    assert shapes(Sounds(nn.Identity(), **config)) == {"input_features": sizes}


def test_the_bins_come_first_where_a_convolution_takes_them_as_channels() -> None:
    """Each of 100 frames has a product of 80 bins to 2 channels."""
    model = Sounds(nn.Conv1d(80, 2, 1), num_mel_bins=80)

    assert shapes(model) == {"input_features": (1, 80, 100)}
    assert fl.count(model).total.macs == 100 * 80 * 2


def test_a_picture_in_patches_comes_with_its_grid_whose_values_give_sizes() -> None:
    """224 pixels are 28 patches of 8; merged by 3 they are 27, and 3 * 2 * 8 * 8 values of each make 5."""
    model = Patches(patch_size=8, spatial_merge_size=3, temporal_patch_size=2, in_channels=3)
    ledger = fl.count(model)

    assert shapes(model) == {"hidden_states": (27 * 27, 384), "grid_thw": (1, 3)}
    assert ledger.total.macs == 27 * 27 * 384 * 5 + 27 * 27 * 5 * 7
    assert "grid_thw=![[1, 27, 27]]" in ledger.graph.reading.notes[0]
    given = fl.count(model, ["hidden_states=6x384", "grid_thw=![[1, 2, 3]]"])
    assert given.total.macs == 6 * 384 * 5 + 6 * 5 * 7


def test_a_picture_has_the_size_of_the_configuration() -> None:
    assert shapes(Tokens("pixel_values", image_size=8, num_channels=3)) == {"pixel_values": (1, 3, 8, 8)}
    assert shapes(Tokens("pixel_values", image_size=(8, 6), num_channels=3)) == {"pixel_values": (1, 3, 8, 6)}


@pytest.mark.parametrize("stated", [None, "3x9x9", (3, -1, 9), (), {"input_size": None}, (3, 9.0, 9)])
def test_what_states_no_size_is_as_if_it_were_not_there(stated: object) -> None:
    model = stating("default_cfg", {"input_size": stated})
    assert fl.read(model).reading.profile["forward"] is False
    with pytest.raises(UsageError, match=r'such as inputs="input=1x3x224x224"'):
        fl.count(model, convention="torch-flop-counter")


def test_what_is_given_goes_before_what_is_stated() -> None:
    model = stating("default_cfg", {"input_size": (3, 9, 9)})

    assert fl.count(model, "1x3x2x2").total.macs == 3 * 2 * 4
    assert fl.count(model).graph.reading.notes == (
        "the inputs are what the model's default_cfg states: 1x3x9x9",
    )
