"""The inputs that a configuration settles, by the inputs that a forward takes."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import pytest
from flopledger_torch.configured import Stated, configured

CLIP = {
    "text_config": SimpleNamespace(max_position_embeddings=77),
    "vision_config": SimpleNamespace(image_size=8, num_channels=3),
}
GREY = {"image_size": 8, "num_channels": 1}
BOTH = ("input_ids", "pixel_values")


@pytest.mark.parametrize(
    ("main", "taken", "config", "expected"),
    [
        ("pixel_values", ("pixel_values",), {}, {"pixel_values": (1, 3, 224, 224)}),
        (
            "pixel_values",
            ("pixel_values",),
            {"image_size": 8, "num_channels": 1},
            {"pixel_values": (1, 1, 8, 8)},
        ),
        ("input_ids", ("pixel_values",), {"image_size": [8, 6]}, {"pixel_values": (1, 3, 8, 6)}),
        ("input_values", ("input_values",), {"conv_stride": (5, 2)}, {"input_values": (1, 16_000)}),
        (
            "input_values",
            ("input_values",),
            {"max_length": 1024, "num_mel_bins": 128},
            {"input_values": (1, 1024, 128)},
        ),
        (
            "input_features",
            ("input_features", "decoder_input_ids"),
            {"num_mel_bins": 80, "max_source_positions": 1500, "is_encoder_decoder": True},
            {"input_features": (1, 80, 3000), "decoder_input_ids": (1, 128)},
        ),
        (
            "input_values",
            ("input_values",),
            {"audio_channels": 2, "sampling_rate": 24_000},
            {"input_values": (1, 2, 24_000)},
        ),
        ("input_values", ("input_values",), {"sampling_rate": 24_000}, {}),
        (
            "past_values",
            ("past_values",),
            {"context_length": 32, "num_input_channels": 5},
            {"past_values": (1, 32, 5)},
        ),
        ("past_values", ("past_values",), {"context_length": 32}, {}),
        ("input_ids", BOTH, CLIP, {"input_ids": (1, 77), "pixel_values": (1, 3, 8, 8)}),
        # LLaVA, where the places of a picture are tokens: a text alone
        ("input_ids", BOTH, {**CLIP, "image_token_id": 5}, {"input_ids": (1, 77)}),
        ("input_ids", ("input_ids",), CLIP, {"input_ids": (1, 77)}),
        ("input_ids", ("input_ids",), {"text_config": CLIP["text_config"]}, {"input_ids": (1, 77)}),
        # a second of speech, a frame for each 10 ms
        ("input_features", ("input_features",), {"num_mel_bins": 80}, {"input_features": (1, 100, 80)}),
        ("states", ("states",), {}, {}),
        ("pixel_values", ("pixel_values",), {"image_size": "large"}, {}),
    ],
)
def test_each_input_has_the_size_that_the_configuration_says(
    main: str, taken: tuple[str, ...], config: dict[str, object], expected: dict[str, tuple[int, ...]]
) -> None:
    stated = asked(main, taken, **config)
    assert {spec.name: spec.shape for spec in stated.specs} == expected


def test_a_size_that_is_ours_is_stated() -> None:
    assert asked("pixel_values", ("pixel_values",)).assumed == "224 pixels"
    assert asked("pixel_values", ("pixel_values",), image_size=8).assumed == ""
    assert asked("input_ids", BOTH, **CLIP).assumed == "at most 128 tokens"
    assert asked("input_ids", BOTH, **CLIP).left_out == ()


def test_a_picture_whose_places_are_tokens_is_left_out_and_named() -> None:
    assert asked("input_ids", BOTH, **CLIP, image_token_id=5).left_out == ("pixel_values",)


def asked(main: str, taken: tuple[str, ...], **config: object) -> Stated:
    """Ask for the inputs of a forward that can do without each of these."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    forward = {name: inspect.Parameter(name, kind, default=None) for name in taken}
    return configured(main, SimpleNamespace(**config), forward)
