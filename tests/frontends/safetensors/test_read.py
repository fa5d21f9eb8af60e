from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import flopledger
import pytest
from flopledger.cli import run
from flopledger.errors import SourceError, UsageError
from flopledger.testing import check_frontend
from safetensors_files import written

if TYPE_CHECKING:
    from pathlib import Path


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
        (written(w=("F32", [2**62] * 300_000, 8)), "the tensor 'w' has 300,000 axes, at most 64 are read"),
        (
            written(**{"a." * 20_000 + "w": ("F32", [1], 4)}),
            r"longer than any module's, expected at most 4,096",
        ),
        (written(**{"a." * 101 + "w": ("F32", [1], 4)}), r"expected at most 4,096 characters and 100 points"),
    ],
)
def test_a_header_that_is_none_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=words):
        flopledger.read(str(path))


def test_a_file_whose_names_spell_out_endless_modules_is_refused(
    net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flopledger_safetensors.read._MOST_MODULES", 4)
    with pytest.raises(SourceError, match="its names spell out more than 4 modules"):
        flopledger.read(str(net))


def test_a_header_alone_is_read_and_says_so(net: Path) -> None:
    assert [note for note in flopledger.read(str(net)).reading.notes if "a header without" in note] != []
    net.write_bytes(net.read_bytes() + bytes(24 + 24 + 16 + 16 + 8 + 6))
    assert flopledger.read(str(net)).reading.notes == ()


@pytest.mark.parametrize("missing", [1, 24 + 16 + 16 + 8 + 6, 93])
def test_a_file_that_ends_within_its_data_is_refused(net: Path, missing: int) -> None:
    net.write_bytes(net.read_bytes() + bytes(94 - missing))
    with pytest.raises(SourceError, match=r"the file holds .*: it was cut off"):
        flopledger.read(str(net))


def test_a_tensor_that_is_listed_twice_is_refused(tmp_path: Path) -> None:
    entry = '"w": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}'
    text = f"{{{entry}, {entry}}}".encode()
    path = tmp_path / "twice.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(48))
    with pytest.raises(SourceError, match="its header: it is no JSON: an object has the key 'w' twice"):
        flopledger.read(str(path))
