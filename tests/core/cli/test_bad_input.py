"""Networks and conventions that are wrong: each ends with its exit code and names the fault and its place.

Failures of the output (a full disk, a closed pipe, Ctrl-C) are in ``test_exits.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.cli import run

if TYPE_CHECKING:
    from pathlib import Path

INPUT = 'input: "data"\ninput_shape { dim: 1 dim: 3 dim: 8 dim: 8 }\n'


def layer(kind: str, bottom: str, top: str, fields: str = "", name: str = "") -> str:
    return f'layer {{ name: "{name or top}" type: "{kind}" bottom: "{bottom}" top: "{top}" {fields} }}\n'


def conv(fields: str) -> str:
    return INPUT + layer("Convolution", "data", "conv", f"convolution_param {{ {fields} }}")


def sized(dims: str) -> str:
    return f'input: "data"\ninput_shape {{ {dims} }}\n' + layer("ReLU", "data", "relu")


NETWORKS: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "net.prototxt is empty, expected a network: layer { ... }"),
    "only comments": ("# nothing\n", "net.prototxt is empty"),
    "binary": (bytes(range(256)), "net.prototxt is binary (it holds a zero byte)"),
    "not UTF-8": (b'name: "\xff"\n', "net.prototxt:1:8: the byte 0xff is not UTF-8 text"),
    "a brace that is not closed": (
        INPUT + "layer {\n  name: 'x'\n",
        "net.prototxt:3:7: layer is opened here and never closed: a } is missing",
    ),
    "a brace that closes nothing": (INPUT + "}\n", "net.prototxt:3:1: } closes nothing that is open"),
    "a word where a number belongs": (
        conv("kernel_size: 1 num_output: many"),
        "num_output is many, expected a whole number",
    ),
    "a number where a text belongs": (
        INPUT + "layer { name: 3 type: 'ReLU' }",
        "name is 3, expected a quoted string",
    ),
    "a value where a message belongs": (INPUT + "layer: 3", "layer is 3, expected { ... }"),
    "a word that an enumeration lacks": (
        INPUT + layer("ReLU", "data", "p", "include { phase: TRIAN }"),
        "phase is TRIAN, expected one of TRAIN, TEST; did you mean 'TRAIN'?",
    ),
    "a number out of range": (
        conv("kernel_size: 1 num_output: 4294967296"),
        "num_output is 4294967296, expected a whole number from 1 to 4294967295",
    ),
    "a stride of zero": (
        conv("num_output: 1 kernel_size: 1 stride: 0"),
        "stride is 0, expected a whole number from 1",
    ),
    "a padding below zero": (
        conv("num_output: 1 kernel_size: 1 pad: -1"),
        "pad is -1, expected a whole number from 0",
    ),
    "a field without a meaning here": (
        conv("num_output: 1 kernel_size: 1 kernel_sise: 1"),
        "convolution_param has no field 'kernel_sise'; did you mean 'kernel_size'?",
    ),
    "no kernel": (conv("num_output: 1"), "kernel_size"),
    "deep nesting": (INPUT + "layer { " * 100_000, "messages are nested deeper than 100"),
    "a cycle": (
        INPUT + layer("ReLU", "b", "a") + layer("ReLU", "a", "b"),
        "needs the blob 'b', which no earlier layer makes, only layer 'b' (line 4): a cycle",
    ),
    "a layer that needs itself": (INPUT + layer("ReLU", "a", "a"), "only itself: a cycle"),
    "a blob that is missing": (
        INPUT + layer("ReLU", "dada", "a"),
        "layer 'a' (ReLU) needs the blob 'dada', which no layer makes; did you mean 'data'?",
    ),
    "a blob that is made twice": (
        INPUT + layer("ReLU", "data", "a") + layer("ReLU", "data", "a", name="again"),
        "layer 'again' (ReLU) makes the blob 'a', which layer 'a' (line 3) makes already",
    ),
    "a size of zero": (sized("dim: 1 dim: 0"), "dim is 0, expected a whole number from 1 to 2147483647"),
    "a size below zero": (sized("dim: 1 dim: -3"), "dim is -3, expected a whole number from 1 to 2147483647"),
    "a size beyond all": (sized("dim: 2147483648"), "dim is 2147483648, expected a whole number from 1"),
    "a kernel larger than its input": (
        conv("num_output: 1 kernel_size: 9"),
        "the kernel spans 9, the padded input only 8 (input 1x3x8x8)",
    ),
    "groups that don't divide": (
        conv("num_output: 4 kernel_size: 1 group: 2"),
        "2 groups don't divide the 3 input channels",
    ),
    "no layer": ('name: "x"\n', "the file has no layer { ... } and so is no Caffe network"),
    "a solver": ('net: "train.prototxt"\nbase_lr: 0.1\n', "this is a solver's file; give the network's"),
    "an input of unknown shape": ('input: "data"\n' + layer("ReLU", "data", "a"), "-i data=1x3x224x224"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_that_is_wrong_ends_with_3_and_says_where(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    content, message = NETWORKS[name]
    (tmp_path / "net.prototxt").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert run(["count", "net.prototxt"]) == 3
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("Error: net.prototxt")
    assert message in err
    assert "Traceback" not in err


def test_a_word_that_a_layer_s_enumeration_lacks_makes_the_layer_unknown_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    fields = "pooling_param { pool: MAXX kernel_size: 2 }"
    (tmp_path / "net.prototxt").write_text(INPUT + layer("Pooling", "data", "p", fields))
    assert run(["count", "net.prototxt", "--strict"]) == 4
    out = capfd.readouterr().out
    assert "Pooling: 1 call" in out
    assert "net.prototxt:3:81: pool is MAXX, expected one of MAX, AVE, STOCHASTIC; did you mean 'MAX'?" in out


def test_layers_of_one_name_are_distinguished_by_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = INPUT + "".join(layer("ReLU", "data", top, name="x") for top in ("a", "b", "c"))
    (tmp_path / "net.prototxt").write_text(text)
    assert run(["count", "net.prototxt", "--format", "csv"]) == 0
    rows = [line.split(",")[3] for line in capfd.readouterr().out.splitlines() if line.startswith("row")]
    assert rows == ["", "x", "x#2", "x#3"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing.prototxt", "'missing.prototxt' is no file. Expected a file, package.module:attribute"),
        ("folder.prototxt", "folder.prototxt is a directory, expected a file (.prototxt)"),
        (
            "weights.caffemodel",
            "weights.caffemodel holds weights; give the network's definition, a .prototxt",
        ),
    ],
)
def test_a_source_that_is_no_network_ends_with_3(
    source: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.prototxt").mkdir()
    (tmp_path / "weights.caffemodel").write_bytes(b"\0")
    assert run(["count", source]) == 3
    assert message in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "piece", "message"),
    [
        ("net.prototxt", b"x", "net.prototxt: there is no layer { ... } in its 52428800 bytes"),
        ("net.prototxt", b"\0", "net.prototxt is binary"),
        ("net.prototxt", b"layer {", "net.prototxt:1:"),
        ("net.json", b"x", "no frontend reads net.json"),
        ("net.json", b'{"schema": "flopledger.graph/1", "layers": [', "net.json: not JSON"),
    ],
)
def test_fifty_megabytes_end_with_3(  # noqa: PLR0913, PLR0917  (three columns and three fixtures)
    name: str,
    piece: bytes,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    size = 50 * 2**20
    (tmp_path / name).write_bytes((piece * (size // len(piece) + 1))[:size])
    assert run(["count", name]) == 3
    err = capfd.readouterr().err
    assert message in err
    assert len(err) < 1_000


@pytest.mark.parametrize("size", ["0", "-1", "9223372036854775808", "9" * 100, "1.5", ""])
def test_an_input_of_an_impossible_size_ends_with_2(
    size: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.prototxt").write_text(sized("dim: 1 dim: 3"))
    assert run(["count", "net.prototxt", "-i", f"data=1x{size}"]) == 2
    assert f"the input spec 'data=1x{size}' can't be read: " in capfd.readouterr().err


CONVENTIONS = {
    "no TOML": ("name = ", "mine.toml: not a TOML file: Invalid value (at end of document)"),
    "not UTF-8": (b'name = "\xff"', "mine.toml: not a TOML file: 'utf-8' codec can't decode byte 0xff"),
    "an unknown key": (
        '[rulse.layer]\n"*" = "1"',
        "mine.toml:3: the key 'rulse' is not known here; did you mean 'rules'?",
    ),
    "an unknown level": (
        '[rules.lyer]\n"*" = "1"',
        "mine.toml:3: the key 'lyer' is not known here; did you mean 'layer'?",
    ),
    "an unknown base": ('extend = "mca"', "there is no convention 'mca'; did you mean 'mac'?"),
    "a base that is no file": (
        'extend = "./none.toml"',
        "mine.toml:3: it extends './none.toml', and there is no such file",
    ),
    "an unknown unit": (
        'unit = "MACS"',
        "mine.toml:3: the unit is one of MAC, FLOP, params, B, found 'MACS'; did you mean 'MAC'?",
    ),
    "a rule that is no expression": (
        '[rules.layer]\nconv = "1 +"',
        "mine.toml:4: '1 +' is not an expression: invalid syntax",
    ),
    "a call": (
        '[rules.layer]\nconv = "eval(1)"',
        "mine.toml:4: a call of 'eval' is not allowed in an expression",
    ),
    "a call of what was called": (
        '[rules.layer]\nconv = "sum(inputs)()"',
        "mine.toml:4: a call is not allowed in an expression",
    ),
    "an attribute": (
        '[rules.layer]\nconv = "macs.__class__"',
        "mine.toml:4: an attribute is not allowed in an expression: 'macs.__class__'",
    ),
    "an attribute of a namespace": (
        '[rules.layer]\nconv = "native.__dict__"',
        "mine.toml:4: an attribute is not allowed",
    ),
    "an unknown fact": (
        '[rules.layer]\nconv = "mac"',
        "mine.toml:4: nothing is called 'mac'; did you mean 'macs'?",
    ),
    "a division by zero": (
        '[rules.layer]\nconv = "macs / 0"',
        "relu: mine.toml:4: division by zero in 'macs / 0'",
    ),
    "a rule that gives no number": (
        '[rules.layer]\nconv = "input"',
        "relu: mine.toml:4: 'input' gives (1, 3, 8, 8), expected a number",
    ),
    "a total that gives no number": ("total = \"'x'\"", "mine.toml:3: \"'x'\" gives 'x', expected a number"),
    "a definition that needs itself": (
        '[define]\na = "b"\nb = "a"',
        "mine.toml:4: the definition of 'a' needs itself",
    ),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_convention_that_is_wrong_ends_with_2_and_says_where(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    content, message = CONVENTIONS[name]
    (tmp_path / "net.prototxt").write_text(
        INPUT + layer("Convolution", "data", "relu", "convolution_param { num_output: 1 kernel_size: 1 }")
    )
    head = b'name = "mine"\n' + (b"\n" if b"extend" in _bytes(content) else b'extend = "mac"\n')
    (tmp_path / "mine.toml").write_bytes(head + _bytes(content))
    assert run(["count", "net.prototxt", "-c", "./mine.toml"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert message in err
    assert "Traceback" not in err


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


def test_an_unknown_convention_ends_with_2_and_names_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.prototxt").write_text(sized("dim: 1 dim: 3"))
    assert run(["count", "net.prototxt", "-c", "cafe-script"]) == 2
    assert "there is no convention 'cafe-script'; did you mean 'caffe-script'?" in capfd.readouterr().err


def test_a_graph_whose_attributes_do_not_fit_its_kind_ends_with_3(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(toy.parent)
    toy.write_text(toy.read_text().replace('"kernel": [3, 3]', '"kernel": "three"'))
    assert run(["count", "toy.json"]) == 3
    assert (
        "conv: the attribute 'kernel' is 'three', expected a list of whole numbers" in capfd.readouterr().err
    )


@pytest.mark.parametrize(
    ("args", "meant"),
    [
        (("cuont", "net.prototxt"), "No such command 'cuont'; did you mean 'count'?"),
        (("xyzzy",), "No such command 'xyzzy'."),
        (("conventions", "mca"), "did you mean 'mac'?"),
        (("count", "net.prototxt", "--format", "jsn"), "did you mean 'json'?"),
    ],
)
def test_of_a_wrong_name_the_nearest_is_named(
    args: tuple[str, ...], meant: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(list(args)) == 2
    assert meant in capfd.readouterr().err
