from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.errors import GraphError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    Ask = Callable[..., SimpleNamespace]

SHAPES = [
    # floor((L + p - (d (K - 1) + 1)) / s) + 1 along each axis
    ("conv", (2, 3, 10), {"kernel": (3,), "out_channels": 4}, (2, 4, 8)),
    ("conv", (1, 3, 8, 9), {"kernel": (3, 2), "out_channels": 4}, (1, 4, 6, 8)),
    ("conv", (1, 2, 5, 6, 7), {"kernel": (3, 3, 3), "out_channels": 4}, (1, 4, 3, 4, 5)),
    ("conv", (1, 2, 5, 6, 7, 8), {"kernel": (2, 2, 2, 2), "out_channels": 3}, (1, 3, 4, 5, 6, 7)),
    ("conv", (3, 8, 9), {"kernel": (3, 2), "out_channels": 4}, (4, 6, 8)),
    ("conv", (1, 8, 9, 3), {"kernel": (3, 2), "out_channels": 4, "channels_last": True}, (1, 6, 8, 4)),
    ("conv", (8, 9, 3), {"kernel": (3, 2), "out_channels": 4, "channels_last": True}, (6, 8, 4)),
    # (224 + 6 - 7) // 2 + 1 = 112
    (
        "conv",
        (1, 3, 224, 224),
        {"kernel": (7, 7), "out_channels": 64, "stride": (2, 2), "padding": (3, 3)},
        (1, 64, 112, 112),
    ),
    # (227 - 11) // 4 + 1 = 55
    ("conv", (1, 3, 227, 227), {"kernel": (11, 11), "out_channels": 96, "stride": (4, 4)}, (1, 96, 55, 55)),
    # padded after only, to 6, there is room for 5 windows of 2
    ("conv", (1, 1, 5), {"kernel": (2,), "out_channels": 1, "padding": ((0, 1),)}, (1, 1, 5)),
    # dilation 2 spans 5: 9 - 5 + 1 = 5
    ("conv", (1, 1, 9), {"kernel": (3,), "out_channels": 1, "dilation": (2,)}, (1, 1, 5)),
    # transposed, each size grows to s (L - 1) + d (K - 1) + 1 - p + output_padding
    ("conv_transpose", (1, 2, 1), {"kernel": (1,), "out_channels": 5}, (1, 5, 1)),
    ("conv_transpose", (1, 2, 4), {"kernel": (3,), "out_channels": 5, "stride": (2,)}, (1, 5, 9)),
    (
        "conv_transpose",
        (1, 2, 4, 4),
        {
            "kernel": (3, 3),
            "out_channels": 5,
            "stride": (2, 2),
            "padding": (1, 1),
            "output_padding": (1, 1),
        },
        (1, 5, 8, 8),
    ),
    ("conv_transpose", (1, 2, 4), {"kernel": (3,), "out_channels": 5, "dilation": (2,)}, (1, 5, 8)),
    (
        "conv_transpose",
        (4, 4, 4, 2),
        {"kernel": (2, 2, 2), "out_channels": 3, "stride": (2, 2, 2), "channels_last": True},
        (8, 8, 8, 3),
    ),
]


@pytest.mark.parametrize(("kind", "given", "attrs", "out"), SHAPES)
def test_a_shape_follows_the_relations_of_the_guide(
    ask: Ask, kind: str, given: tuple[int, ...], attrs: dict[str, object], out: tuple[int, ...]
) -> None:
    assert ask(kind, given, **attrs).shapes == (out,)


def test_several_inputs_have_an_output_each_and_share_the_kernel(ask: Ask) -> None:
    found = ask("conv", (1, 2, 5), (1, 2, 7), kernel=(3,), out_channels=4)
    assert found.shapes == ((1, 4, 3), (1, 4, 5))
    # 4 * (3 + 5) dot products of 3 * 2 terms
    assert found.facts == {"macs": 192, "dots": 32, "kernel_volume": 3, "in_channels": 2}


def test_alexnets_first_layer_has_105415200_macs(ask: Ask) -> None:
    found = ask("conv", (1, 3, 227, 227), kernel=(11, 11), out_channels=96, stride=(4, 4), bias=True)
    # 96 * 55 * 55 = 290400 dot products of 11 * 11 * 3 = 363 terms
    assert found.facts == {"macs": 105415200, "dots": 290400, "kernel_volume": 121, "in_channels": 3}
    assert found.parts == {"multiplies": 105415200, "adds": 105124800, "bias_adds": 290400}


def test_groups_divide_the_terms_of_each_dot_product(ask: Ask) -> None:
    found = ask("conv", (2, 4, 5), kernel=(3,), out_channels=6, groups=2)
    # 2 * 6 * 3 = 36 dot products of 3 * 4 / 2 = 6 terms
    assert found.parts == {"multiplies": 216, "adds": 180, "bias_adds": 0}


def test_a_depthwise_convolution_has_one_channel_in_each_dot_product(ask: Ask) -> None:
    found = ask("conv", (1, 8, 4, 4), kernel=(3, 3), out_channels=8, groups=8, padding=(1, 1))
    assert found.shapes == ((1, 8, 4, 4),)
    assert found.facts["macs"] == 8 * 16 * 9


def test_a_transposed_convolution_multiplies_each_input_by_each_weight(ask: Ask) -> None:
    found = ask("conv_transpose", (1, 4, 3), kernel=(2,), out_channels=6, stride=(2,), groups=2, bias=True)
    # 2 * (6 / 2) * 4 * 3 = 72 products that land in 6 * 6 = 36 elements
    assert found.shapes == ((1, 6, 6),)
    assert found.facts == {"macs": 72, "dots": 36, "kernel_volume": 2, "in_channels": 4}
    assert found.parts == {"multiplies": 72, "adds": 36, "bias_adds": 36}


def test_a_transposed_convolution_with_gaps_has_no_negative_additions(ask: Ask) -> None:
    # 1 * 1 * 1 * 3 = 3 products, 3 * (3 - 1) + 1 = 7 output elements
    found = ask("conv_transpose", (1, 1, 3), kernel=(1,), out_channels=1, stride=(3,))
    assert found.parts == {"multiplies": 3, "adds": 0, "bias_adds": 0}


IMPOSSIBLE = [
    ("conv", (1, 3, 4, 4), {"kernel": (5, 5)}, "the kernel spans 5, the padded input only 4"),
    ("conv", (1, 3, 4, 4), {"kernel": (3, 3), "dilation": (2, 2)}, "spans 5"),
    ("conv", (3, 4), {"kernel": (3, 3)}, "needs 3 or 4 dimensions"),
    ("conv", (1, 3, 4, 4), {"kernel": (1, 1), "groups": 2}, "2 groups don't divide the 3 input channels"),
    ("conv", (1, 3, 4, 4), {"kernel": (1, 1), "groups": 3}, "don't divide the 4 output channels"),
    ("conv", (1, 3, 4, 4), {"kernel": (1, 1), "groups": 0}, "0 groups"),
    ("conv", (1, 3, 4, 4), {"kernel": (0, 1)}, "kernel"),
    ("conv", (1, 3, 4, 4), {"kernel": (1, 1), "stride": (0, 1)}, "the stride"),
    ("conv", (1, 3, 4, 4), {"kernel": (1, 1), "dilation": (0, 1)}, "the dilation"),
    ("conv", (1, 3, 4, 4), {"kernel": (1, 1), "stride": (1,)}, "'stride' has 1 entries, the kernel 2"),
    ("conv", (1, 3, 4, 4), {"kernel": (1, 1), "padding": (1,)}, "'padding' has 1 entries"),
    ("conv", (1, 3, 4, 4), {"kernel": (1, 1), "padding": ((1, 1),)}, "'padding' has 1 entries"),
    ("conv_transpose", (1, 3, 1), {"kernel": (2,), "padding": (1,)}, "the output would have size 0"),
    ("conv_transpose", (1, 3, 1), {"kernel": (2,), "stride": (0,)}, "the stride"),
    ("conv_transpose", (1, 3, 1), {"kernel": (2,), "output_padding": (0, 0)}, "'output_padding'"),
]


@pytest.mark.parametrize(("kind", "given", "attrs", "message"), IMPOSSIBLE)
def test_what_has_no_output_shape_says_why(
    ask: Ask, kind: str, given: tuple[int, ...], attrs: dict[str, object], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        ask(kind, given, out_channels=4, **attrs)


WRONG = [
    ({"kernel": (3,)}, "needs the attribute 'out_channels'"),
    ({"kernel": (3,), "out_channels": 4, "strides": (1,)}, "did you mean 'stride'"),
    ({"kernel": 3, "out_channels": 4}, "'kernel' is 3, expected a list of whole numbers"),
    ({"kernel": (3,), "out_channels": "4"}, "expected a whole number"),
    ({"kernel": (3,), "out_channels": True}, "expected a whole number"),
    ({"kernel": (3,), "out_channels": 4, "bias": 1}, "expected true or false"),
    ({"kernel": (3,), "out_channels": 4, "padding": "wide"}, "'padding' is 'wide'"),
    ({"kernel": (3,), "out_channels": 4, "padding": ((1, 2, 3),)}, "'padding'"),
]


@pytest.mark.parametrize(("attrs", "message"), WRONG)
def test_a_wrong_attribute_is_named(ask: Ask, attrs: dict[str, object], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        ask("conv", (1, 3, 8), **attrs)


def test_a_call_without_input_says_so(ask: Ask) -> None:
    with pytest.raises(ShapeError, match="it has no input"):
        ask("linear", out_features=3)


def test_time_batch_channels_is_a_convolution_along_the_first_axis(ask: Ask) -> None:
    """7 + 2 - 3 + 1 = 7 steps of 2 x 5 outputs, 3 * 4 products each, and a bias for each output."""
    found = ask("conv_tbc", (7, 2, 4), (3, 4, 5), padding=1)
    assert (found.shapes, found.facts["macs"], found.facts["dots"]) == (((7, 2, 5),), 840, 70)
    assert found.parts == {"multiplies": 840, "adds": 770, "bias_adds": 70}


def test_time_batch_channels_may_leave_one_step_and_take_a_bias(ask: Ask) -> None:
    found = ask("conv_tbc", (3, 2, 4), (3, 4, 5), (5,))
    assert (found.shapes, found.facts["macs"]) == (((1, 2, 5),), 120)


@pytest.mark.parametrize("inputs", [((7, 2), (3, 4, 5)), ((7, 2, 3), (3, 4, 5)), ((1, 2, 4), (3, 4, 5))])
def test_time_batch_channels_that_do_not_fit_say_why(ask: Ask, inputs: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ShapeError):
        ask("conv_tbc", *inputs)


def test_channels_may_be_the_last_axis(ask: Ask) -> None:
    found = ask("conv", (1, 8, 6, 3), kernel=(3, 3), out_channels=4, channels_last=True)
    # 6 x 4 positions, 4 x 3 channels, 9 products
    assert (found.shapes, found.facts["macs"]) == (((1, 6, 4, 4),), 2592)
