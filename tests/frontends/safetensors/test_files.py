from __future__ import annotations

import json
from typing import TYPE_CHECKING

import flopledger
import pytest
from flopledger.cli import run
from flopledger.errors import SourceError
from flopledger_safetensors.plugin import recognises_file
from safetensors_files import written

if TYPE_CHECKING:
    from pathlib import Path


def test_an_index_is_read_with_the_files_beside_it(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"model-{number}.safetensors").write_bytes(
            written(**{f"layers__{number}__weight": ("F32", [5, number], 20 * number)})
        )
    index = tmp_path / "model.safetensors.index.json"
    places = {f"layers.{number}.weight": f"model-{number}.safetensors" for number in (1, 2)}
    index.write_text(json.dumps({"metadata": {"total_size": 60}, "weight_map": places}))
    assert flopledger.count(str(index)).total.params == 15
    (tmp_path / "model-2.safetensors").unlink()
    with pytest.raises(SourceError, match=r"it names model-2\.safetensors, not found beside it"):
        flopledger.count(str(index))


def test_an_index_that_names_a_file_that_none_can_be_is_refused(tmp_path: Path) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"w": f"{'N' * 300}.safetensors"}}))
    with pytest.raises(SourceError, match="not found beside it"):
        flopledger.count(str(index))


def test_a_link_to_its_own_folder_is_no_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").symlink_to(".")
    with pytest.raises(SourceError, match=r"no \.safetensors file is in it"):
        flopledger.count(str(tmp_path))


@pytest.mark.parametrize(
    "name", ["../secret.safetensors", "/etc/passwd", "a/b.safetensors", "..safetensors", "", "x.bin"]
)
def test_an_index_leads_to_no_other_place(tmp_path: Path, name: str) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"w": name}}))
    with pytest.raises(SourceError, match="expected one beside it"):
        flopledger.count(str(index))


def shard(path: Path, **shapes: list[int]) -> None:
    """A file of float32 tensors, all of two axes."""
    path.write_bytes(written(**{name: ("F32", [a, b], 4 * a * b) for name, (a, b) in shapes.items()}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A network in two files, the second of which holds a tensor of the first again."""
    shard(tmp_path / "model-00001-of-00002.safetensors", embed=[7, 4], head=[4, 3])
    shard(tmp_path / "model-00002-of-00002.safetensors", embed=[7, 4], tail=[3, 2])
    places = {"embed": 1, "head": 1, "tail": 2}
    shown = {name: f"model-0000{number}-of-00002.safetensors" for name, number in places.items()}
    index = {"metadata": {"total_size": 4 * 46}, "weight_map": shown}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "generation_config.json").write_text("{}")
    return tmp_path


def test_a_folder_is_read_by_its_index_each_tensor_once(folder: Path) -> None:
    assert flopledger.count(str(folder)).total.params == 7 * 4 + 4 * 3 + 3 * 2
    assert run(["check", str(folder), "--max-params", "46"]) == 0
    assert run(["check", str(folder), "--max-params", "45"]) == 1


def test_a_folder_without_an_index_is_all_of_its_files_or_the_one_of_the_usual_name(tmp_path: Path) -> None:
    for number in (1, 2):
        shard(tmp_path / f"part{number}.safetensors", **{f"w{number}": [number, 5]})
    assert flopledger.count(str(tmp_path)).total.params == 5 + 10
    shard(tmp_path / "model.safetensors", w1=[1, 5])
    assert flopledger.count(str(tmp_path)).total.params == 5


def test_a_folder_whose_files_hold_the_same_tensor_is_not_guessed_at(folder: Path) -> None:
    (folder / "model.safetensors.index.json").unlink()
    with pytest.raises(SourceError, match="both hold the tensor 'embed': name one"):
        flopledger.count(str(folder))
    for name in ("a", "b"):
        (folder / f"{name}.safetensors.index.json").write_text("{}")
    with pytest.raises(SourceError, match=r"a\.safetensors\.index\.json, b\.safe.*: name one of them"):
        flopledger.count(str(folder))


def test_an_index_that_names_the_wrong_file_of_a_tensor_is_refused(folder: Path) -> None:
    index = folder / "model.safetensors.index.json"
    index.write_text(index.read_text().replace('"tail": "model-00002', '"tail": "model-00001'))
    with pytest.raises(SourceError, match=r"lists the tensor 'tail' of model-00001.*, which has none"):
        flopledger.count(str(folder))


def test_a_folder_of_a_network_that_can_be_made_is_not_taken_for_weights_alone(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "llama"}')
    assert not recognises_file(folder)
    read = flopledger.read(str(folder), frontend="safetensors")
    assert read.count("mac").total.params == 46


def test_a_folder_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no \.safetensors file is in it"):
        flopledger.read(str(tmp_path), frontend="safetensors")
