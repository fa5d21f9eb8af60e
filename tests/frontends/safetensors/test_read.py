from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import flopledger
import pytest
from flopledger.cli import run
from flopledger.errors import SourceError, UsageError
from flopledger.testing import check_frontend

if TYPE_CHECKING:
    from pathlib import Path


def written(**tensors: tuple[str, list[int], int]) -> bytes:
    """A header of tensors by name (a double underscore is a dot): type, shape and bytes; no weights."""
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, shape, size) in tensors.items():
        header[name.replace("__", ".")] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.safetensors"
    path.write_bytes(
        written(
            layers__10__weight=("F16", [4, 3], 24),
            layers__2__weight=("BF16", [4, 3], 24),
            layers__2__bias=("F32", [4], 16),
            norm__running_mean=("F32", [4], 16),
            norm__num_batches_tracked=("I64", [], 8),
            packed=("U8", [6], 6),
        )
    )
    return path


def test_parameters_are_shown_by_name_and_shape_in_the_order_of_layers(net: Path) -> None:
    graph = flopledger.read(str(net))
    shown = [
        (layer.path, layer.source, graph.shape(layer.outputs[0])) for layer in graph.layers if layer.outputs
    ]
    assert shown == [
        ("layers.2.bias", "float32", (4,)),
        ("layers.2.weight", "bfloat16", (4, 3)),
        ("layers.10.weight", "float16", (4, 3)),
        ("norm.num_batches_tracked", "int64", ()),
        ("norm.running_mean", "float32", (4,)),
        ("packed", "uint8", (6,)),
    ]


def test_statistics_and_counters_are_buffers(net: Path) -> None:
    total = flopledger.count(str(net)).total
    assert (total.params, total.buffers) == (12 + 12 + 4 + 6, 4 + 1)


def test_operations_are_unknown_and_never_a_silent_zero(
    net: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = flopledger.count(str(net))
    assert [u.why for u in ledger.coverage.unknown] == [
        "the file holds weights and no network: the operations that read them are not known"
    ]
    assert run(["count", str(net), "--strict"]) == 4
    assert "MAC         at least 0 MAC (1 call unknown) (mac)" in capsys.readouterr().out


def test_a_budget_of_parameters_is_checked(net: Path) -> None:
    assert run(["check", str(net), "--max-params", "34"]) == 0
    assert run(["check", str(net), "--max-params", "33"]) == 1


def test_the_contract_of_every_frontend_is_kept(examples: Path) -> None:
    check_frontend("safetensors", str(examples / "tiny.safetensors"))


def test_the_example_is_what_its_script_writes(examples: Path) -> None:
    spec = importlib.util.spec_from_file_location("tiny_safetensors", examples / "tiny_safetensors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.tiny() == (examples / "tiny.safetensors").read_bytes()
    total = flopledger.count(str(examples / "tiny.safetensors")).total
    assert total.params == 8 * 27 + 8 + 80 + 10


def test_inputs_are_refused(net: Path) -> None:
    with pytest.raises(UsageError, match="a file of weights has no inputs"):
        flopledger.read(str(net), "1x3")


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


@pytest.mark.parametrize(
    "name", ["../secret.safetensors", "/etc/passwd", "a/b.safetensors", "..safetensors", "", "x.bin"]
)
def test_an_index_leads_to_no_other_place(tmp_path: Path, name: str) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"w": name}}))
    with pytest.raises(SourceError, match="expected one beside it"):
        flopledger.count(str(index))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "its first 8 bytes are not the length of a header"),
        (b"\xff" * 8, "its first 8 bytes are not the length of a header"),
        (b"\x09\0\0\0\0\0\0\0{}", "its header has 9 bytes, the file ends after 2"),
        (b"\x02\0\0\0\0\0\0\0[]", "its header is no JSON object"),
        (b"\x02\0\0\0\0\0\0\0{\xff", "its header is no text"),
        (b"\x02\0\0\0\0\0\0\0{{", "it is no JSON"),
        (written(w=("F32", [2], 9)), r"the tensor 'w' needs 8 bytes for float32, its offsets are \(0, 9\)"),
        (written(w=("F3", [2], 8)), "has the type 'F3', expected one of F64"),
        (written(w=("F32", [-2], 8)), "has no shape, a list of sizes"),
        (written(w=("F32", [2**62] * 9, 8)), r"needs \d"),
    ],
)
def test_a_header_that_is_none_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=words):
        flopledger.read(str(path))
