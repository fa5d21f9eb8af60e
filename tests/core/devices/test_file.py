"""Files of devices: those that are shipped, one of a user's, and the faults of others."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from flopledger.devices import file
from flopledger.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 'title = "Mine"\nbandwidth = 1e9\n'


@pytest.mark.parametrize("name", file.shipped())
def test_a_shipped_device_names_its_source_and_has_a_peak_for_the_usual_types(name: str) -> None:
    found = file.load(name)
    assert (found.name, bool(found.source)) == (name, True)
    assert found.peak("float16") >= found.peak("float32") > found.bandwidth > 0


def test_the_figures_of_a_data_sheet() -> None:
    found = file.load("A100-SXM-80GB")
    assert (found.bandwidth, found.peak("bf16")) == (2_039_000_000_000, 312_000_000_000_000)


def test_a_shipped_device_says_what_of_it_is_derived() -> None:
    assert "half again is float16" in file.load("jetson-agx-orin-64gb").note
    assert file.load("epyc-7763").note.startswith("derived: 64 cores at 3.5 GHz")
    assert file.load("rtx-4090").note == ""


def test_a_file_of_the_user_s_is_read_exactly(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("bandwidth = 0.1\n[flops]\nfp16 = 5\nint8 = 1_000.5e1\n")
    found = file.load(str(tmp_path / "mine.toml"))
    assert (found.name, found.title) == ("mine", "mine")
    assert (found.bandwidth, found.flops) == (Fraction(1, 10), {"float16": 5, "int8": 10_005})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bandwith = 1e9\n", r":1: the key 'bandwith' is not known here; did you mean 'bandwidth'\?"),
        (HEAD + "[flops]\nflaot16 = 1e9\n", r":4: no dtype is called 'flaot16'; did you mean 'float16'\?"),
        (HEAD + "[flops]\nfloat16 = 1e9\nhalf = 2e9\n", ":5: half is float16, which has its peak already"),
        (HEAD + "[flops]\nfloat16 = -1\n", ":4: float16 is a number of operations a second, .* found '-1'"),
        (HEAD + "[flops]\nfloat16 = inf\n", ":4: float16 is a number of operations .* found 'inf'"),
        (HEAD + "[flops]\nfloat16 = 1e999999999\n", ":4: float16 is a number .* found '1e999999999'"),
        (HEAD + "[flops]\nfloat16 = true\n", ":4: float16 is a number of operations"),
        ("[flops]\nfloat16 = 1\n", "bandwidth is a number of bytes a second, as in 1.5e12, found none"),
        (HEAD, r"the table \[flops\] is missing"),
        ("title = 3\n", ":1: title is a text, found 3"),
        ("title = \n", "not a TOML file"),
    ],
)
def test_what_is_wrong_is_stated_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        file.load(str(path))


def test_an_unknown_name_lists_those_there_are_and_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no device is called 'h200'; did you mean 'h100-sxm'\? There are"):
        file.load("h200")
    with pytest.raises(UsageError, match="can't be read: No such file"):
        file.load(str(tmp_path / "none.toml"))
