"""Untrusted archives: no unpickler, no evaluator, no import and no other file is reached."""

from __future__ import annotations

import builtins
import copy
import json
import pickle
import sys
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import torch
from flopledger.errors import SourceError
from flopledger.frontend import user_code
from flopledger.frontend.request import Request
from flopledger_torch.archive.operators import resolved
from flopledger_torch.read import read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MARK = "zz_strangers_code_zz"
PICKLE = b"\x80\x02cbuiltins\neval\nX\x14\x00\x00\x00" + MARK.encode() + b"\x85R."
WATCHED = ("open", "exec", "compile", "import", "marshal.loads", "pickle.find_class", "subprocess.Popen")
_HEARD: list[tuple[str, str]] = []
_HEARS = [False]


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if _HEARS[0] and (event in WATCHED or event.startswith(("os.", "ctypes.", "socket."))):
        _HEARD.append((event, repr(args[:1])[:2000]))


sys.addaudithook(_hear)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The members of an honest archive."""
    path = tmp_path_factory.mktemp("honest") / "net.pt2"
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(
            model, (torch.zeros(2, 4),), dynamic_shapes={"input": {0: torch.export.Dim("n")}}
        )
        torch.export.save(program, path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    (path.parent / "warm.pt2").write_bytes(path.read_bytes())
    read_source(path, Request("x"))  # torch imports and compiles much on first use
    return members


@pytest.fixture(autouse=True)
def _no_unpickler(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every way to turn text or bytes into objects fail loudly."""

    def refuse(*args: object, **more: object) -> None:
        raise AssertionError(f"reached with {args!r:.200} {more!r:.200}")

    for owner, name in (
        (torch, "load"),
        (torch.export, "load"),
        (torch._C, "_pickle_load_obj"),
        (pickle, "loads"),
        (pickle, "load"),
        (pickle, "Unpickler"),
        (torch.utils._pytree, "treespec_loads"),
        (torch.jit, "load"),
    ):
        monkeypatch.setattr(owner, name, refuse)
    sympy = pytest.importorskip("sympy")
    monkeypatch.setattr(sympy, "sympify", refuse)
    for name in ("eval", "exec"):
        real = getattr(builtins, name)

        def checked(source: Any, *rest: Any, real: Any = real) -> Any:
            assert MARK not in str(source)
            return real(source, *rest)

        monkeypatch.setattr(builtins, name, checked)
    yield
    _HEARS[0] = False


def written(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "untrusted.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def read(path: Path) -> str:
    """Read a file, with nothing opened but the file and nothing run; return the message of the error."""
    _HEARD.clear()
    _HEARS[0] = True
    try:
        read_source(path, Request("x"))
        said = ""
    except SourceError as error:
        said = str(error)
    except Exception as error:  # noqa: BLE001  (what a child process says of any other error)
        said = user_code.describe(error, ())
    finally:
        _HEARS[0] = False
    assert not [heard for heard in _HEARD if MARK in heard[1] and heard[0] != "open"]
    opened = {args for event, args in _HEARD if event == "open"}
    assert not [args for args in opened if "/etc/" in args or "secret" in args], opened
    assert not [event for event, _ in _HEARD if event == "pickle.find_class"]
    assert not [e for e, _ in _HEARD if e.startswith(("subprocess", "ctypes", "socket", "os.system"))]
    assert "AssertionError" not in said
    return said


def test_pickles_in_an_archive_are_not_opened(tmp_path: Path, honest: dict[str, bytes]) -> None:
    members = {name: data if name.endswith(".json") else PICKLE for name, data in honest.items()}
    assert read(written(tmp_path, members)) == ""
    older = {
        "version": b"8.2",
        "serialized_exported_program.json": honest["net/models/model.json"],
        "serialized_state_dict.pt": PICKLE,
        "serialized_constants.pt": PICKLE,
        "serialized_example_inputs.pt": PICKLE,
    }
    assert read(written(tmp_path, older)) == ""


CODE = f"__import__('os').system('{MARK}')"


def graph(program: Any) -> Any:
    return program["graph_module"]["graph"]


def at(*path: Any, value: Any) -> Callable[[Any], None]:
    """Return a function that puts a value at a place of the program."""

    def change(program: Any) -> None:
        found = program
        for step in path[:-1]:
            found = found[step]
        found[path[-1]] = value

    return change


G = ("graph_module", "graph")
N = (*G, "nodes", 0)
ROOT = ("graph_module", "module_call_graph", 0, "signature")
TARGETS = [
    "torch.ops.load_library", "torch.ops.aten.from_file.default", "torch.ops.aten.save", "os.system",
    "torch.hub.load", "torch.load", "torch.ops.debugprims.load_tensor.default", "torch.classes.load_library",
    "torch.ops.higher_order.triton_kernel_wrapper_functional", "torch.ops.inductor.accumulate_grad_.default",
    "_operator.methodcaller", "_operator.attrgetter", "math.__loader__.load_module", "#x:y", CODE,
    "torch.ops.aten.__class__.mro", "torch.ops.aten.add.__init__", "torch.ops.aten.add.Tensor.__globals__",
    "torch.ops.aten._print.default", "torch.ops.aten.set_.source_Storage", "torch.ops.c10d.send.default",
    "torch.ops.aten.add.Tensor\n",
]  # fmt: skip
ARGUMENTS: list[dict[str, Any]] = [
    {"as_operator": "torch.ops.load_library"},
    {"as_custom_obj": {"name": "x", "class_fqn": MARK}},
    {"as_graph": {"name": "__class__", "graph": {"inputs": [], "outputs": [], "nodes": []}}},
    {"as_graph": {"name": "forward", "graph": {"inputs": [], "outputs": [], "nodes": []}}},
    {"as_graph": {"name": CODE, "graph": {"inputs": [], "outputs": [], "nodes": []}}},
    {"as_tensor": {"name": CODE}},
    {"as_int": 10**30},
    {"as_int": CODE},
    {"as_float": CODE},
    {"as_string": 3},
    {"as_scalar_type": 999},
    {"as_ints": [CODE]},
    {},
    {"as_none": True, "as_int": 1},
]
SPECS = {
    "an import in a default": {
        "type": "collections.defaultdict",
        "context": json.dumps(
            {"default_factory_module": "os", "default_factory_name": "system", "dict_context": ["a"]}
        ),
        "children_spec": [{"type": None, "context": None, "children_spec": []}],
    },
    "a type by its name": {"type": "os.system", "context": '["a"]', "children_spec": []},
    "a context that is code": {"type": "builtins.dict", "context": CODE, "children_spec": []},
    "endless": {"type": "builtins.list", "children_spec": 7},
}
REFUSED: dict[str, Callable[[Any], None]] = {
    **{f"target {target!r}": at(*N, "target", value=target) for target in TARGETS},
    **{f"argument {number}": at(*N, "inputs", 0, "arg", value=a) for number, a in enumerate(ARGUMENTS)},
    **{f"tree, {name}": at(*ROOT, "in_spec", value=json.dumps([1, spec])) for name, spec in SPECS.items()},
    "an input's name": at(*G, "inputs", -1, value={"as_tensor": {"name": f"x={CODE}"}}),
    "an output's name": at(*N, "outputs", value=[{"as_tensor": {"name": CODE}}]),
    "an argument's name": at(*N, "inputs", 0, "name", value=CODE),
    "a forward's argument": at(*ROOT, "forward_arg_names", value=[f"x={CODE}"]),
    "a weight's name": at("graph_module", "signature", "input_specs", 0, "parameter", "parameter_name",
                          value=f"a.{CODE}"),
    "a weight that is a method": at("graph_module", "signature", "input_specs", 0, "parameter",
                                    "parameter_name", value="a.forward"),
    "a weight that is a class": at("graph_module", "signature", "input_specs", 0, "parameter",
                                   "parameter_name", value="__class__.x"),
    "a custom object": at("graph_module", "signature", "input_specs", 0,
                          value={"custom_obj": {"arg": {"name": "x"}, "custom_obj_name": "x"}}),
    "another version": at("schema_version", value={"major": 10**9, "minor": 0}),
    "no graph": at("graph_module", value=None),
    "no nodes": at(*G, "nodes", value={"a": 1}),
    "a size that no tensor has": at(*G, "tensor_values", "input", "sizes", value=[{"as_int": 10**18}] * 2),
    "a negative size": at(*G, "tensor_values", "input", "sizes", value=[{"as_int": -1}] * 2),
    "an input of a petabyte": at(*G, "tensor_values", "input", "strides",
                                 value=[{"as_int": 10**14}, {"as_int": 1}]),
    "too many axes": at(*G, "tensor_values", "input", "sizes", value=[{"as_int": 1}] * 999),
    "no type": at(*G, "tensor_values", "input", "dtype", value=CODE),
    "a path of many parts": at(*N, "metadata", "nn_module_stack", value="k," + "a." * 5000 + "a,T"),
}  # fmt: skip
HARMLESS: dict[str, Callable[[Any], None]] = {
    "conditions on inputs": at("guards_code", value=[CODE, "x" * 9999]),
    "a size": at(*G, "tensor_values", "input", "sizes", 0, "as_expr", "expr_str", value=CODE),
    "a range": at("range_constraints", value={CODE: {"min_val": 0, "max_val": 9}}),
    "verifiers": at("verifiers", value=[CODE]),
    "where a node came from": at(*N, "metadata", "from_node", value=CODE),
    "custom metadata": at(*N, "metadata", "custom", value=CODE),
    "a source function": at(*N, "metadata", "source_fn_stack", value=f"a,{CODE}"),
    "a tree of outputs": at(*ROOT, "out_spec", value=json.dumps([1, SPECS["an import in a default"]])),
    "a module's type": at(*N, "metadata", "nn_module_stack", value=f"k,,{MARK}.system;l,a,os.{MARK}"),
    "a device": at(*G, "tensor_values", "input", "device", value={"type": CODE, "index": 10**9}),
}


def test_what_is_not_read_does_no_harm(tmp_path: Path, honest: dict[str, bytes]) -> None:
    for name, change in HARMLESS.items():
        assert not read(changed(tmp_path, honest, change)), name


def test_what_a_file_may_not_name_is_refused(tmp_path: Path, honest: dict[str, bytes]) -> None:
    for name, change in REFUSED.items():
        said = read(changed(tmp_path, honest, change))
        assert said, name
        assert len(said) < 2000, name


def changed(folder: Path, honest: dict[str, bytes], change: Callable[[Any], None]) -> Path:
    program = json.loads(honest["net/models/model.json"])
    change(program)
    return written(folder, {**honest, "net/models/model.json": json.dumps(program).encode()})


def test_weights_that_are_said_to_be_absurd_are_refused(tmp_path: Path, honest: dict[str, bytes]) -> None:
    name = "net/data/weights/model_weights_config.json"
    config = json.loads(honest[name])
    for key, value in (
        ("sizes", [{"as_int": 2**62}] * 2),
        ("strides", [{"as_int": 2**62}] * 2),
        ("dtype", None),
    ):
        bad = copy.deepcopy(config)
        bad["config"]["0.weight"]["tensor_meta"][key] = value
        assert read(written(tmp_path, {**honest, name: json.dumps(bad).encode()}))
    for value in (
        {},
        {"config": [1]},
        {"config": {"0.weight": 3}},
        {"config": {"0.weight": {"path_name": 3}}},
    ):
        assert not read(written(tmp_path, {**honest, name: json.dumps(value).encode()}))


def test_a_program_that_grows_is_refused_before_it_does(tmp_path: Path, honest: dict[str, bytes]) -> None:
    for text in ('{"a":[' + "{}," * (1 << 22) + "0]}", "[" * 5000 + "]" * 5000):
        assert "JSON" in read(written(tmp_path, {**honest, "net/models/model.json": text.encode()}))


@pytest.mark.parametrize("target", ["torch.ops.aten.linear.default", "_operator.add", "torch.sym_max"])
def test_what_computes_is_called(target: str) -> None:
    assert callable(resolved(target))
