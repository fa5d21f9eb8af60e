"""The worked examples of the documents that set this project off, each by a convention or a switch."""

from __future__ import annotations

import pytest
from graphs import layer

DENSE = ("linear", {"out_features": 1, "bias": True}, (1, 256))
CONV_1X16 = ("conv", {"kernel": (1, 16), "out_channels": 75, "bias": True}, (1, 1, 2, 136))


def test_two_to_one_dense_layer() -> None:
    dense = layer(*DENSE)

    assert dense.count("2mac-1").total.count == 511  # 2 * 256 - 1
    assert dense.count("2mac-1", bias="add").total.count == 512  # 511 + 1
    assert dense.count("2mac", bias="mac").total.count == 514  # 2 * (256 + 1)


@pytest.mark.parametrize(
    ("kernel", "channels", "out", "positions", "figures"),
    [
        # 75 filters over 16 values at 121 positions
        ((1, 16), 1, 75, (1, 121), (281325, 290400, 308550)),
        # 25 filters over 75 * 5 values at 117 positions
        ((1, 5), 75, 25, (1, 117), (2190825, 2193750, 2199600)),
    ],
)
def test_convolutions_with_and_without_their_bias(
    kernel: tuple[int, int],
    channels: int,
    out: int,
    positions: tuple[int, int],
    figures: tuple[int, int, int],
) -> None:
    size = (positions[0] + kernel[0] - 1, positions[1] + kernel[1] - 1)
    conv = layer("conv", {"kernel": kernel, "out_channels": out, "bias": True}, (1, channels, *size))

    assert conv.tensors[1].shape == (1, out, *positions)
    assert (
        conv.count("2mac-1", bias="none").total.count,
        conv.count("2mac-1", bias="add").total.count,
        conv.count("2mac", bias="mac").total.count,
    ) == figures


def test_the_table_of_seed_001() -> None:
    image = (1, 6, 9, 11)
    conv = {"kernel": (3, 3), "out_channels": 8, "padding": (1, 1)}
    grouped = {**conv, "groups": 2}
    depthwise = {"kernel": (3, 3), "out_channels": 6, "padding": (1, 1), "groups": 6}
    pointwise = {"kernel": (1, 1), "out_channels": 8}
    pool = {"kernel": (2, 2), "stride": (2, 2)}

    def figure(kind: str, attrs: dict[str, object], *shapes: tuple[int, ...]) -> object:
        return layer(kind, attrs, *shapes).count("seed-001").total.count

    assert figure("linear", {"out_features": 4}, (1, 7)) == (2 * 7 - 1) * 4
    assert figure("conv", conv, image) == (2 * 6 * 9 - 1) * 8 * 99
    assert figure("conv", grouped, image) == (2 * 3 * 9 - 1) * 8 * 99
    assert figure("conv", depthwise, image) == (2 * 9 - 1) * 6 * 99
    assert figure("conv", pointwise, image) == (2 * 6 - 1) * 8 * 99
    assert figure("max_pool", pool, image) == 6 * 9 * 11
    assert figure("avg_pool", pool, image) == 6 * 9 * 11
    assert figure("relu", {}, image) == 594
    assert figure("gelu", {}, image) == 594
    assert figure("batch_norm", {}, image) == 594
    assert figure("layer_norm", {"axis": -3}, image) == 594


def test_the_convolution_formula_of_seed_002() -> None:
    conv = layer(
        "conv", {"kernel": (3, 3), "out_channels": 8, "padding": (1, 1), "bias": True}, (1, 6, 9, 11)
    )

    # 2 H W (C_in K^2 + 1) C_out
    assert conv.count("2mac", bias="mac").total.count == 2 * 9 * 11 * (6 * 3 * 3 + 1) * 8


def test_the_separable_convolution_of_seed_002() -> None:
    depthwise = {"kernel": (3, 3), "out_channels": 6, "padding": (1, 1), "groups": 6}
    pointwise = {"kernel": (1, 1), "out_channels": 8}
    image = (1, 6, 9, 11)

    # 2 H W C_in (K^2 + C_out)
    count = sum(layer("conv", attrs, image).count("2mac").total.macs * 2 for attrs in (depthwise, pointwise))
    assert count == 2 * 9 * 11 * 6 * (9 + 8)


def test_the_convolution_of_seed_000() -> None:
    conv = layer(
        "conv", {"kernel": (3, 3), "out_channels": 4, "padding": (1, 1), "bias": True}, (1, 2, 320, 320)
    )

    assert conv.count("mac", bias="add").total.count == 7782400  # 320 * 320 * 4 * (2 * 9 + 1)
