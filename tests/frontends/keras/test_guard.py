"""Untrusted files: no code of theirs runs, and no file but themselves is opened."""

from __future__ import annotations

import base64
import contextlib
import json
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from flopledger.errors import SourceError
from flopledger.frontend.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")

from flopledger_keras import files  # noqa: E402  (it imports Keras)
from flopledger_keras.guard import OptimizerGuard  # noqa: E402

_HEARD: list[tuple[str, str]] = []
_HEARS = [False]
_WATCHED = ("open", "import", "exec", "compile", "marshal.loads", "pickle.find_class", "subprocess.Popen")


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if _HEARS[0] and (event in _WATCHED or event.startswith(("os.", "socket.", "ctypes."))):
        _HEARD.append((event, str(args[0]) if args else ""))


sys.addaudithook(_hear)


@contextlib.contextmanager
def watched() -> Iterator[list[tuple[str, str]]]:
    """Record whatever this process opens, imports, compiles, unmarshals and starts."""
    _HEARD.clear()
    _HEARS[0] = True
    try:
        yield _HEARD
    finally:
        _HEARS[0] = False


def older(*layers: dict[str, Any]) -> dict[str, Any]:
    given = {"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [1, 4]}}
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [given, *layers]}}


def newer(*layers: dict[str, Any]) -> dict[str, Any]:
    given = of("InputLayer", {"name": "i", "batch_shape": [1, 4]})
    return of("Sequential", {"name": "s", "layers": [given, *layers]}, "keras")


def of(name: str, config: Any, module: Any = "keras.layers", registered: Any = None) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


CODE = base64.b64encode(b"\xe3\x00\x00\x00\x00").decode()
LAMBDA = {"name": "bad", "function": [CODE, None, None], "function_type": "lambda"}
MARSHALLED = {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}}


def dense(**more: Any) -> dict[str, Any]:
    return {"name": "bad", "units": 3, **more}


def function(name: str, module: str | None = "builtins") -> dict[str, Any]:
    return of("function", name, module, name)


LAYERS: dict[str, dict[str, Any]] = {
    "code in a lambda": of("Lambda", {"name": "bad", "function": MARSHALLED}),
    "code in an activation": of("Dense", dense(activation=MARSHALLED)),
    "code in a list": of("Dense", dense(activation=[[{"a": MARSHALLED}]])),
    "code in an output shape": of("Lambda", {"name": "bad", "function": "relu", "output_shape": MARSHALLED}),
    "a function of another module": of("Dense", dense(activation=function("system", "os"))),
    "a function by its dotted name": of("Dense", dense(activation=function("os.system"))),
    "a function of Keras that loads": of("Dense", dense(activation=function("load_model", "keras.saving"))),
    "a function of Keras that fetches": of("Dense", dense(activation=function("get_file", "keras.utils"))),
    "a function of Keras's own modules": of(
        "Dense", dense(activation=function("func_load", "keras.src.utils.python_utils"))
    ),
    "what makes activations": of("Dense", dense(activation=function("deserialize", "keras.activations"))),
    "a class of another module": of("system", {"name": "bad", "command": "touch x"}, "os"),
    "a class under another name": of("Dense", {"name": "bad", "args": ["touch"]}, "subprocess", "Popen"),
    "a class in a wrapper": of(
        "TimeDistributed", {"name": "bad", "layer": of("Popen", {"args": ["touch"]}, "subprocess")}
    ),
    "a class in an initializer": of("Dense", dense(kernel_initializer=of("Popen", {}, "subprocess"))),
    "a class that is called like Keras": of("Dense", dense(), "kerasx.layers"),
    "a class below another one": of("Dense.from_config", {"name": "bad"}),
    "a class in what loads files": of("FeatureSpace", {"name": "bad"}, "keras.utils"),
    "a saved model": of("TFSMLayer", {"name": "bad", "filepath": "/etc"}),
    "a pickled module of torch": of("TorchModuleWrapper", {"name": "bad", "module": CODE}),
    "a function of JAX": of("JaxLayer", {"name": "bad", "call_fn": MARSHALLED}),
    "a vocabulary": of("StringLookup", {"name": "bad", "vocabulary": "/etc/passwd"}),
    "a vocabulary beside it": of("StringLookup", {"name": "bad", "vocabulary": "words.txt"}),
    "a vocabulary of numbers": of("IntegerLookup", {"name": "bad", "vocabulary": "/etc/passwd"}),
    "a vocabulary of texts": of("TextVectorization", {"name": "bad", "vocabulary": "file:///etc/passwd"}),
    "a path in any argument": of("Normalization", {"name": "bad", "mean": "/etc/passwd"}),
    "a path in a list": of("Normalization", {"name": "bad", "mean": ["../../secret"]}),
    "an address": of("Normalization", {"name": "bad", "mean": "gs://bucket/x"}),
    "values of no type": of("Dense", dense(x=of("__numpy__", {"value": [1], "dtype": "S1000000000"}))),
    "a type": of("Dense", dense(x={**of("__typespec__", [1], "os"), "spec_name": "system"})),
    "a class whose name is no text": {"class_name": ["Dense"], "config": {"name": "bad"}},
}  # fmt: skip
OLDER: dict[str, dict[str, Any]] = {
    "code in a lambda": {"class_name": "Lambda", "config": LAMBDA},
    "a function of another module": {
        "class_name": "Lambda",
        "config": {"name": "bad", "function": "system", "module": "os", "function_type": "function"},
    },
    "what Keras's layers have beside layers": {"class_name": "deserialize", "config": {"name": "bad"}},
    "a vocabulary": {"class_name": "StringLookup", "config": {"name": "bad", "vocabulary": "/etc/passwd"}},
    "a saved model": {"class_name": "TFSMLayer", "config": {"name": "bad", "filepath": "/etc"}},
    "code below a wrapper": {
        "class_name": "TimeDistributed",
        "config": {"name": "t", "layer": {"class_name": "Lambda", "config": LAMBDA}},
    },
}


def refused(path: Path, request: Request | None = None) -> str:
    """Load a file, which has to be refused; return the message, with nothing opened but the file."""
    with watched() as heard, pytest.raises(SourceError) as error:
        files.load(path, request or Request(str(path)))
    opened = {args for event, args in heard if event == "open"}
    assert {name for name in opened if not name.isdigit()} <= {str(path)}  # a number is an open file
    assert [event for event in heard if event[0] not in ("open", "import")] == []
    assert {args for event, args in heard if event == "import"} <= {"h5py"}
    return str(error.value)


@pytest.fixture(scope="module", autouse=True)
def _warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let Python and h5py import what they import on first use."""
    folder = tmp_path_factory.mktemp("warm")
    with zipfile.ZipFile(folder / "network.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(newer()))
    (folder / "network.json").write_text(json.dumps(older()))
    (folder / "network.h5").write_bytes(b"")
    files.load(folder / "network.keras", Request("x"))
    files.load(folder / "network.json", Request("x"))
    with pytest.raises(SourceError):
        files.load(folder / "network.h5", Request("x"))


def as_json(folder: Path, config: Any) -> Path:
    path = folder / "network.json"
    path.write_text(json.dumps(config))
    return path


def as_archive(folder: Path, config: Any) -> Path:
    path = folder / "network.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
    return path


def test_a_layer_that_names_code_or_a_file_is_refused(tmp_path: Path) -> None:
    for name, layer in LAYERS.items():
        for write in (as_json, as_archive):
            message = refused(write(tmp_path, newer(layer)))
            assert "the layer 'bad' (" in message or "class_name" in message, (name, message)


def test_newer_objects_within_the_older_format_are_refused(tmp_path: Path) -> None:
    for layer in LAYERS.values():
        refused(as_json(tmp_path, older(layer)))
        nested = {"class_name": "Sequential", "config": {"name": "inner", "layers": [layer]}}
        refused(as_json(tmp_path, newer(nested)))


def test_the_older_format_is_guarded_alike(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py comes with Keras")
    for layer in OLDER.values():
        assert "the layer 'bad' (" in refused(as_json(tmp_path, older(layer)))
        path = tmp_path / "network.h5"
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = json.dumps(older(layer))
        assert "the layer 'bad' (" in refused(path)


def test_a_configuration_that_is_a_list_of_texts_is_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py comes with Keras")
    path = tmp_path / "network.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = [json.dumps(older())] * 9
    assert "not one text" in refused(path)


def test_too_many_objects_are_refused_before_they_are_made(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    path.write_text('{"class_name": "Sequential", "config": [' + "{}," * (1 << 20) + "0]}")
    assert "more than 1048576 values" in refused(path)
    path.write_text('{"class_name": "Sequential", "config": ' + "[" * 900 + "]" * 900 + "}")
    assert "nested deeper" in refused(path)


def test_names_in_messages_hold_no_control_characters(tmp_path: Path) -> None:
    bad = of("Lambda", {"name": "a\x1b[31m\u202e" + "x" * 999, "function": MARSHALLED})
    message = refused(as_json(tmp_path, newer(bad)))
    assert message.isascii()
    assert "\x1b" not in message
    assert len(message) < 500


def test_words_paths_among_them_are_no_files(tmp_path: Path) -> None:
    words = {"name": "w", "vocabulary": ["/home", "http://x", "a"], "output_mode": "multi_hot"}
    given = of("InputLayer", {"name": "i", "batch_shape": [1, 4], "dtype": "string"})
    layers = [given, of("StringLookup", words)]
    path = as_json(tmp_path, of("Sequential", {"name": "s", "layers": layers}, "keras"))
    assert files.load(path, Request(str(path))).layers[0].vocabulary_size() == 4


OWN = """
import keras

def double(x):
    return 2 * x

class Doubling(keras.layers.Layer):
    def __init__(self, words=None, **more):
        super().__init__(**more)
"""


def test_the_user_s_own_classes_may_stand_in_a_file_and_name_no_file(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    request = Request("x", arguments={"custom_objects": str(tmp_path / "own.py")})
    good = [
        of("Doubling", {"name": "d"}, "some.module", "Doubling"),
        of("Lambda", {"name": "l", "function": function("double", "own")}),
    ]
    path = as_json(tmp_path, newer(*good))
    assert [layer.name for layer in files.load(path, request).layers] == ["d", "l"]
    for argument in ({"words": "/etc/passwd"}, {"vocabulary_file": "words.txt"}):
        path = as_json(tmp_path, newer(of("Doubling", {"name": "bad", **argument}, None, "Doubling")))
        with pytest.raises(SourceError, match=r"the layer 'bad' \(Doubling\) names another file"):
            files.load(path, request)


def test_what_only_training_needs_is_not_built(tmp_path: Path) -> None:
    loss = {"loss": of("os_system", {}, "os"), "optimizer": "adam"}
    path = as_json(tmp_path, {**newer(of("Dense", {"name": "d", "units": 2})), "compile_config": loss})
    assert [layer.name for layer in files.load(path, Request(str(path))).layers] == ["d"]


def test_an_optimizer_from_a_file_is_guarded_too() -> None:
    good = of(
        "Adam", {"learning_rate": of("CosineDecay", {}, "keras.optimizers.schedules")}, "keras.optimizers"
    )
    OptimizerGuard("x", {}).check({"optimizer": good})
    OptimizerGuard("x", {}).check({"optimizer": "adam"})
    for bad in (
        of("Popen", {"args": ["touch"]}, "subprocess"),
        of("Adam", {"learning_rate": MARSHALLED}, "keras.optimizers"),
        of("deserialize", {"config": {}}, "keras.optimizers"),
        of("Adam", {}, "keras.optimizers_of_mine"),
    ):
        with pytest.raises(SourceError):
            OptimizerGuard("x", {}).check({"optimizer": bad})
