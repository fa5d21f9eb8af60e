"""The keys of a user's own rules: slips of the pen, and rules that no call has."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.errors import ConventionError
from handmade import network

if TYPE_CHECKING:
    from pathlib import Path


def mine(tmp_path: Path, rules: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(f'name = "mine"\nextend = "mac"\n\n[rules.layer]\n{rules}')
    return str(path)


def test_a_key_that_is_neither_a_kind_nor_a_source_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        ConventionError, match=r"mine\.toml:5: 'linaer' is no kind and no source; did you mean 'linear'\?"
    ):
        network().count(mine(tmp_path, '"linaer" = "macs"\n'))


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("torhc.nn.Linear", "torch.nn.Linear"),
        ("torch.nn.Linaer", "torch.nn.Linear"),
        ("torch.nn.functinal.relu", "torch.nn.functional.relu"),
        ("aten.covn2d.default", "aten.conv2d.default"),
        ("keras.layers.Desne", "keras.layers.Dense"),
        ("paddle.nn.Conv2DTrnspose", "paddle.nn.Conv2DTranspose"),
        ("Convolutoin", "Convolution"),
        ("FULLY_CONECTED", "FULLY_CONNECTED"),
        ("LayerNormalisation", "LayerNormalization"),
    ],
)
def test_a_misspelt_source_of_a_framework_is_an_error_that_names_the_nearest(
    tmp_path: Path, key: str, meant: str
) -> None:
    with pytest.raises(ConventionError) as caught:
        network().count(mine(tmp_path, f'"{key}" = "macs"\n'))
    suggestion = f"is no kind and no source; did you mean {meant!r}?"
    assert str(caught.value).endswith(f"mine.toml:5: {key!r} {suggestion}")


def test_a_class_without_its_module_is_an_error_that_names_the_modules(tmp_path: Path) -> None:
    meant = "'paddle.nn.Conv2d' or 'torch.nn.Conv2d'"
    with pytest.raises(ConventionError, match=f"'Conv2d' is no kind and no source; did you mean {meant}"):
        network().count(mine(tmp_path, '"Conv2d" = "macs"\n'))


def test_a_name_that_a_framework_does_not_have_is_an_error_though_nothing_is_near(tmp_path: Path) -> None:
    with pytest.raises(ConventionError, match=r"'torch\.nn\.Qqqqqqqqqqqq' is no kind and no source"):
        network().count(mine(tmp_path, '"torch.nn.Qqqqqqqqqqqq" = "macs"\n'))


def test_sources_of_other_networks_and_classes_of_ones_own_are_notes(tmp_path: Path) -> None:
    """No framework is imported to know them; a namespace inside one of a framework's has names of its own."""
    keys = (
        "torch.nn.Conv3d", "aten.conv2d", "aten.conv2d.default", "keras.layers.Dense", "Pooling",
        "torch.ao.nn.quantized.Linear", "torchvision.ops.nms", "keras_hub.layers.TokenEmbedding",
        "mynet.blocks.Linear", "Convolution2", "com.microsoft.QuickGelu",
    )  # fmt: skip
    rules = "".join(f'"{key}" = "1"\n' for key in keys)
    assert network().count(mine(tmp_path, rules)).unmatched == keys
    assert "keras" not in sys.modules


def test_keys_that_no_call_has_are_a_note(tmp_path: Path) -> None:
    ledger = network().count(mine(tmp_path, '"linear | conv" = "macs"\n"some.Class" = "1"\n"*" = "0"\n'))

    assert "some.Class" in ledger.unmatched
    assert "linear" not in ledger.unmatched
    assert "*" not in ledger.unmatched
    assert "Notes on the convention:" in str(ledger)
    assert "'some.Class'" in str(ledger)


def test_the_conventions_that_are_installed_have_no_such_notes() -> None:
    assert fl.load("ops").own_rules == ()
    assert network().count("mac").unmatched == ()
