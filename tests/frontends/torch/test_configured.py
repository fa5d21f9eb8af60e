"""The inputs that a configuration settles, by the inputs that a forward takes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flopledger_torch.configured import configured

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
        ("input_ids", BOTH, {**CLIP, "image_token_id": 5}, {}),  # LLaVA: a picture's places are tokens
        ("input_ids", ("input_ids",), CLIP, {}),
        ("input_ids", ("input_ids",), {"text_config": CLIP["text_config"]}, {}),
        ("input_features", ("input_features",), {"num_mel_bins": 80}, {}),
        ("states", ("states",), {}, {}),
        ("pixel_values", ("pixel_values",), {"image_size": "large"}, {}),
    ],
)
def test_each_input_has_the_size_that_the_configuration_says(
    main: str, taken: tuple[str, ...], config: dict[str, object], expected: dict[str, tuple[int, ...]]
) -> None:
    specs, _ = configured(main, SimpleNamespace(**config), taken)

    assert {spec.name: spec.shape for spec in specs} == expected


def test_a_size_that_is_ours_is_stated() -> None:
    assert configured("pixel_values", SimpleNamespace(), ("pixel_values",))[1] == "224 pixels"
    assert configured("pixel_values", SimpleNamespace(image_size=8), ("pixel_values",))[1] == ""
    assert configured("input_ids", SimpleNamespace(**CLIP), BOTH)[1] == "at most 128 tokens"
