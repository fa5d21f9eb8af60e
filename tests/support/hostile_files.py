"""Networks, weights and conventions with hostile names in every place that a name can come from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import onnx_files
import tflite_files

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "\x1b[31m\x9b2J\x1b]0;t\x07\u202eB\u2066\n=cmd|'/c calc'!A1\r\t\x7f\u200b\u2028\ufeff\u3164"

MARKUP = "|<img src=x onerror=alert(1)>`x`**b**[a](http://e.vil)&#x202e;$x$~~y~~"

NAME = EVIL + MARKUP

FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\uff1d1")


def _graph() -> dict[str, object]:
    layers = [("relu", f"a{NAME}"), ("unknown", f"b{NAME}"), (f"kind{NAME}", f"c{NAME}")]
    layers += [("relu", formula) for formula in FORMULAS]
    return {
        "schema": "flopledger.graph/1",
        "reading": {
            "source": f"s{NAME}", "frontend": f"f{NAME}", "framework": f"w{NAME}",
            "framework_version": f"v{NAME}", "notes": [f"n{NAME}"], "profile": {f"p{NAME}": f"q{NAME}"},
        },
        "inputs": [{"name": f"i{NAME}", "tensor": 0}],
        "outputs": [1],
        "modules": [
            {"id": 0, "paths": [f"m{NAME}"], "type": f"t{NAME}", "bases": [f"b{NAME}"],
             "parameters": [[f"w{NAME}", 0]], "native": {f"x{NAME}": f"y{NAME}"}},
        ],
        "layers": [
            {"id": i, "path": path, "kind": kind, "source": f"S{NAME}", "inputs": [0], "outputs": [1],
             "module": 0, "problem": f"why{NAME}", "native": {f"x{NAME}": f"y{NAME}"}}
            for i, (kind, path) in enumerate(layers)
        ],
        "tensors": [
            {"id": 0, "shape": [1, 3, 8, 8], "dtype": f"float32{NAME}"}, {"id": 1, "shape": [1, 3, 8, 8]},
        ],
        "parameters": [
            {"id": 0, "names": [f"w{NAME}"], "shape": [4], "dtype": f"d{NAME}", "role": f"r{NAME}"},
        ],
    }  # fmt: skip


def _toml(text: str) -> str:
    escaped = "".join(c if c.isascii() and c.isprintable() else f"\\U{ord(c):08x}" for c in text)
    return '"' + escaped.replace("'", "\\u0027") + '"'


CONVENTION = f"""
name = {_toml("c" + NAME)}
title = {_toml("t" + NAME)}
unit = "MAC"
tool = {_toml("tool" + NAME)}
version = {_toml("1" + NAME)}
source = {_toml("s" + NAME)}
description = {_toml("d " + NAME)}
quirks = [{_toml("q" + NAME)}]
total = "layer"
[rules.layer]
relu = "out_elems"
{_toml("S2" + NAME)} = "1"
[print]
before = [{_toml("h" + EVIL)}, "{{source}} {{count}}"]
after = [{_toml("f" + EVIL)}]
[[print.columns]]
header = {_toml("H" + NAME.replace("{", ""))}
value = "path"
suffix = {_toml("s" + NAME)}
[[print.columns]]
value = "kind"
[switches.{_toml("s" + EVIL)}]
values = [{_toml("a" + NAME)}, "b"]
default = {_toml("a" + NAME)}
doc = {_toml("d" + NAME)}
"""

PROTOTXT = r"""
name: "n\033[31m"
input: "data\033[31m\233" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }
layer { name: "=cmd|calc" type: "Foo\033]0;title\007\342\200\256\nX" bottom: "data\033[31m\233" top: "x" }
layer { name: "a\nb\033[2J" type: "ReLU" bottom: "data\033[31m\233" top: "y" }
"""

ONNX = onnx_files.model(
    onnx_files.graph(
        [
            onnx_files.node(
                f"Op{NAME}", ["x"], [f"y{NAME}"], name=f"n{NAME}", domain=f"d{NAME}", a=f"v{NAME}"
            ),
            onnx_files.node("MatMul", [f"y{NAME}", f"w{NAME}"], ["z"], name=f"m{NAME}", meta={NAME: NAME}),
            onnx_files.node("Relu", ["x"], ["r"], name="=1+1"),
        ],
        [onnx_files.value("x", [1, f"N{NAME}"])],
        ["z", "r"],
        [onnx_files.tensor(f"w{NAME}", [3, 4])],
    )
)

TFLITE = tflite_files.model(
    tflite_files.Graph(
        [
            tflite_files.Tensor(f"x{NAME}", (1, 3)),
            tflite_files.Tensor(f"y{NAME}", (1, 3)),
            tflite_files.weight(f"w{NAME}", 4, 3),
            tflite_files.Tensor("=1+1", (1, 4)),
        ],
        [
            tflite_files.Op(32, [f"x{NAME}"], [f"y{NAME}"], custom=f"Op{NAME}"),
            tflite_files.Op(9, [f"y{NAME}", f"w{NAME}", ""], ["=1+1"], 8, "b0"),
        ],
        [f"x{NAME}"],
        ["=1+1"],
    ),
    names={f"x{NAME}": f"s{NAME}"},
)

HEADER = json.dumps(
    {
        "__metadata__": {NAME: NAME},
        f"{NAME}.weight": {"dtype": "F32", "shape": [4, 3], "data_offsets": [0, 48]},
        "=1+1": {"dtype": "F32", "shape": [4], "data_offsets": [48, 64]},
    }
).encode()

SAFETENSORS = len(HEADER).to_bytes(8, "little") + HEADER

FILE = f"g{EVIL.replace('/', '')}.json"

PROTO = f"g{EVIL.replace('/', '')}.prototxt"

MINE = "./m\x1b[31m\u202e.toml"


def write_all(folder: Path) -> None:
    """Write a file of each format into a folder, and some that are malformed as well."""
    (folder / FILE).write_text(json.dumps(_graph()))
    (folder / PROTO).write_text(PROTOTXT)
    (folder / MINE).write_text(CONVENTION)
    (folder / "n.onnx").write_bytes(ONNX)
    (folder / "n.tflite").write_bytes(TFLITE)
    (folder / "n.safetensors").write_bytes(SAFETENSORS)
    (folder / "bad\x1b[31m.toml").write_text(CONVENTION.replace("unit", '"u\\u001bnit"'))
    (folder / "bad\x1b[31m.json").write_text('{"schema": "flopledger.graph/1", "x\\u001b": 1}')
    (folder / "bad\x1b[31m.prototxt").write_text('layer { na\u202eme: "x" }')
