"""Harm that the user's code may do to the process that reads it, and the outcome."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flopledger.errors import ConventionError, SourceError, UsageError
from flopledger.frontend.request import Request
from flopledger.frontend.specs import parse_spec
from flopledger.reading.read import read_source

if TYPE_CHECKING:
    from conftest import Install, Net


def test_a_model_made_by_the_users_code_is_read(net: Net) -> None:
    graph = net("", "good")
    assert [layer.path for layer in graph.layers] == ["c1"]
    assert graph.shape(graph.outputs[0]) == (1, 4, 6, 6)
    assert "net" not in sys.modules


def test_a_model_object_is_read_and_lies_as_deep_as_it_likes(net: Net) -> None:
    code = "class Zoo:\n    class Small:\n        model = good()\n"
    assert net(code, "Zoo.Small.model").digest == net(code, "good").digest


def test_symbols_arguments_and_inputs_go_to_the_child(net: Net) -> None:
    code = "def make(out, text='a'):\n    return ToyModel(TEXT.replace('out=4', f'out={out[0]}{text}'))\n"
    graph = net(code, arguments={"out": (1,), "text": "2"}, inputs=(parse_spec("Nx3x8x8"),))
    (shape,) = [graph.shape(output) for output in graph.outputs]
    assert shape is not None
    assert (str(shape[0]), *shape[1:]) == ("N", 12, 6, 6)


def test_a_module_is_found_in_the_working_folder(
    net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "acme_nets"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "small.py").write_text("from . import parts\nmake = parts.good\n")
    (package / "parts.py").write_text(net.head)
    monkeypatch.chdir(tmp_path)
    graph = read_source("acme_nets.small:make", Request("acme_nets.small:make"))
    assert [layer.path for layer in graph.layers] == ["c1"]


def test_a_file_finds_its_neighbours_and_may_be_called_as_a_module_of_python(
    net: Net, tmp_path: Path
) -> None:
    (tmp_path / "neighbour.py").write_text(net.head)
    for name in ("json.py", "my-net.py"):
        source = f"{tmp_path / name}:good"
        (tmp_path / name).write_text("from neighbour import good\n")
        assert len(read_source(source, Request(source)).layers) == 1


def test_a_file_beside_it_named_as_a_module_of_python_does_not_break_the_child(
    net: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pickle.py").write_text("raise SystemExit('the wrong pickle')")
    monkeypatch.chdir(tmp_path)
    assert len(net("", "good").layers) == 1


def test_inputs_are_made_in_the_child(net: Net, tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text("def make():\n    raise ValueError('made')\nnumber = 3\n")
    assert "ValueError: made" in net.fails("", "good", inputs_from=f"{tmp_path}/data.py:make")
    assert "it is int, expected a function" in net.fails("", "good", inputs_from=f"{tmp_path}/data.py:number")
    assert "name the function, as in" in net.fails("", "good", inputs_from=f"{tmp_path}/data.py")


def test_prints_go_to_stderr(net: Net, capfd: pytest.CaptureFixture[str]) -> None:
    net(
        "print('on import')\nos.write(1, b'raw\\n')\n"
        "def make():\n    os.system('echo shell')\n    return good()\n"
    )
    out, err = capfd.readouterr()
    assert out == ""
    assert set(err.split("\n")) >= {"on import", "raw", "shell"}


def test_stdin_is_empty(net: Net) -> None:
    assert "EOFError" in net.fails("def make():\n    return input()\n")


def test_an_exception_names_the_line_of_the_users_file(net: Net, tmp_path: Path) -> None:
    code = "def fail():\n    raise KeyError('lost')\ndef make():\n    fail()\n"
    line = net.head.count("\n") + 2
    assert net.fails(code) == (
        f"{tmp_path}/net.py:make: KeyError: 'lost' ({tmp_path}/net.py, line {line}: raise KeyError('lost'))"
    )


def test_an_exception_in_a_library_names_the_line_that_called_it(net: Net) -> None:
    found = net.fails("import json\ndef make():\n    json.loads('{')\n")
    assert "JSONDecodeError: Expecting property name" in found
    assert found.endswith("json.loads('{'))")


def test_the_whole_traceback_is_shown_when_asked_for(
    net: Net, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    net.fails("1 / 0")
    assert "Traceback" not in capfd.readouterr().err
    monkeypatch.setenv("FLOPLEDGER_TRACEBACK", "1")
    net.fails("1 / 0")
    assert "Traceback" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def make(:\n", "SyntaxError: invalid syntax ("),
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module' ("),
        ("import sys\nsys.exit(3)\n", "it calls sys.exit(3)"),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
        ("class Bad(Exception):\n    def __str__(self): 1 / 0\nraise Bad\n", "Bad: <exception str() failed>"),
        ("def recurse(): recurse()\nrecurse()\n", "RecursionError: maximum recursion depth exceeded"),
        ("def mke(): return good()\n", "net has no attribute 'make'; did you mean 'mke'?"),
        ("make = 3\n", "no frontend reads"),
        ("def make(): return 3\n", "no frontend reads"),
        ("def make(): os._exit(7)\n", "ended with exit code 7 before it was read: something"),
        ("def make(): os._exit(0)\n", "ended with exit code 0 before it was read: something"),
        ("def make(): os.kill(os.getpid(), signal.SIGSEGV)\n", "was killed by SIGSEGV: a crash in the"),
        ("def make(): os.abort()\n", "was killed by SIGABRT: a crash in the"),
        ("def make(): os.kill(os.getpid(), signal.SIGRTMIN + 3)\n", "was killed by signal 37: a crash"),
        ("def make(): os.kill(os.getpid(), 9)\n", "by SIGKILL. The usual cause is that memory ran out"),
        ("def make():\n    os.closerange(3, 100)\n    return good()\n", "ended with exit code 1"),
    ],
)  # fmt: skip
def test_whatever_goes_wrong_is_a_clear_error(net: Net, code: str, reason: str) -> None:
    assert reason in net.fails(code)


@pytest.mark.usefixtures("toy")
def test_a_module_that_is_not_there_says_where_it_was_looked_for() -> None:
    with pytest.raises(SourceError) as caught:
        read_source("no_such.module:Net", Request("no_such.module:Net"))
    assert f"there is no module 'no_such', neither installed nor in {Path.cwd()}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "error"), [("UsageError", UsageError), ("ConventionError", ConventionError)]
)
def test_errors_of_ours_keep_their_class(net: Net, name: str, error: type[Exception]) -> None:
    code = f"from flopledger.errors import {name}\ndef make(): raise {name}('the inputs are wrong')\n"
    with pytest.raises(error, match=r"net\.py:make: the inputs are wrong"):
        net(code)


def test_an_argument_that_is_missing_is_a_usage_error(net: Net) -> None:
    with pytest.raises(UsageError, match="needs the argument depth"):
        net("def make(depth): return good()\n")


def test_an_argument_that_can_not_leave_this_process_is_refused(net: Net) -> None:
    with pytest.raises(UsageError, match="an argument can't go there"):
        net("def make(f): return good()\n", arguments={"f": lambda: None})


def test_this_process_stays_as_it_was(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEFT", "alone")
    net("", "good")  # what this process imports to start a child stays imported
    before = (
        Path.cwd(),
        dict(os.environ),
        list(sys.path),
        set(sys.modules),
        sorted(Path("/proc/self/fd").iterdir()),
    )
    net("os.chdir('/')\nos.environ['LEFT'] = 'changed'\n", "good")
    net.fails("1 / 0\n")
    after = (
        Path.cwd(),
        dict(os.environ),
        list(sys.path),
        set(sys.modules),
        sorted(Path("/proc/self/fd").iterdir()),
    )
    assert after == before


FILES = """
import os
from flopledger import hookimpl
from flopledger.frontend.description import Frontend
from flopledger.graph.tables import Reading
from flopledger.graph.graph import Graph

@hookimpl
def frontend():
    return Frontend("acme", "Acme", module={module!r}, extra="acme")

@hookimpl
def recognises_file(path):
    return path.suffix == ".acme"

@hookimpl
def read(source, request):
    print("reading", source)
    notes = (str(os.getpid()), source.read_text(), repr(sorted(request.options.items())))
    return Graph(Reading(request.source, "acme", "Acme", notes=notes), (), (), (), (), (), ())
"""


@pytest.mark.parametrize("frontend", [None, "acme"])
def test_a_file_that_needs_a_framework_is_read_in_a_child(
    install: Install, tmp_path: Path, frontend: str | None
) -> None:
    install("acme", "acme", FILES.format(module="wave"))
    file = tmp_path / "net.acme"
    file.write_text("the net")
    graph = read_source(file, Request(str(file), options={"phase": "TEST"}, frontend=frontend))
    pid, *notes = graph.reading.notes
    assert int(pid) != os.getpid()
    assert notes == ["the net", "[('phase', 'TEST')]"]


def test_a_file_whose_framework_is_missing_names_the_extra_to_install(
    install: Install, tmp_path: Path
) -> None:
    install("acme", "acme", FILES.format(module="no_such_framework"))
    file = tmp_path / "net.acme"
    file.touch()
    with pytest.raises(
        SourceError, match=r"needs Acme, which is not installed: pip install 'flopledger\[acme\]'"
    ):
        read_source(file, Request(str(file)))
    code = tmp_path / "net.py"
    code.write_text("import no_such_framework.nn\n")
    with pytest.raises(
        SourceError, match=r"No module named 'no_such_framework' .*: pip install 'flopledger\[acme\]'"
    ):
        read_source(f"{code}:make", Request(f"{code}:make"))
    with pytest.raises(
        SourceError, match=r"there is no module 'no_such_framework', .*: pip install 'flopledger\[acme\]'"
    ):
        read_source("no_such_framework.nets:small", Request("no_such_framework.nets:small"))


PATCH = """
import builtins, json, math
json.dumps = json.JSONEncoder.encode = json.JSONEncoder.iterencode = None
os._exit = os.fdopen = os.write = os.getpid = os.listdir = os.kill = None
math.isfinite = builtins.open = None
sys.stdout, sys.stderr = None, 3
"""


def test_code_that_replaces_functions_of_pythons_own_is_read_all_the_same(net: Net) -> None:
    assert net(f"def make():\n    model = good()\n    exec({PATCH!r}, globals())\n    return model\n").layers
    failing = f"def make():\n    exec({PATCH!r}, globals())\n    raise ValueError('mine')\n"
    assert "ValueError: mine" in net.fails(failing)


def test_code_that_leaves_nothing_to_describe_a_failure_with_says_so(net: Net) -> None:
    found = net.fails("import traceback\ntraceback.format_exception_only = None\ndef make(): 1 / 0\n")
    assert "its code replaces functions of Python" in found


def test_a_result_that_the_users_code_has_written_is_no_traceback(net: Net) -> None:
    code = "import sys\nos.write(int(sys.argv[2]), b'error\\n{\"name\": 1}')\nos._exit(0)\n"
    assert "before it was read" in net.fails(code)


def test_prints_reach_stderr_without_a_control_character(net: Net, capfd: pytest.CaptureFixture[str]) -> None:
    net(
        "import sys\nsys.stdout.reconfigure(errors='surrogateescape')\n"
        "print('\\x1b]0;title\\x07\\u202ea\\tb\\x9b\\rc\\r\\nd\\x1b[31mred\\x1b[0m \\udcff é')\n"
        "def make(): return good()\n"
    )
    err = capfd.readouterr().err
    assert err.replace("\n", "").isprintable()
    assert r"\x1b]0;title\x07\u202ea" in err
    assert "\nc\ndred " in err
    assert "é" in err


DAEMON = """
def daemon(clean):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            open({file!r}, "w").write(str(os.getpid()))
            if clean:
                os.execve("/bin/sleep", ["sleep", "600"], {{}})
            import time
            time.sleep(600)
        os._exit(0)
    os.wait()
    while not (os.path.exists({file!r}) and open({file!r}).read()):
        pass
"""
ENDS = {
    "a reading": "    return good()\n",
    "an error": "    1 / 0\n",
    "a crash": "    os.abort()\n",
    "an exit": "    os._exit(3)\n",
    "a hang": "    import time\n    time.sleep(600)\n",
}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which processes descend from one")
@pytest.mark.parametrize(
    ("end", "clean"),
    [
        *((end, False) for end in ENDS if end != "a hang"),
        ("a reading", True),
        pytest.param("a hang", True, marks=pytest.mark.slow),
    ],
)
def test_a_process_that_left_the_session_ends_with_the_reading(
    net: Net, tmp_path: Path, end: str, *, clean: bool
) -> None:
    """A daemon with an environment of its own (``clean``) is found only while the child lives."""
    code = DAEMON.format(file=str(tmp_path / "pid")) + f"def make():\n    daemon({clean})\n{ENDS[end]}"
    started = time.monotonic()
    with contextlib.suppress(SourceError):
        net(code, timeout=8 if end == "a hang" else None)
    assert time.monotonic() - started < 120
    pid = int((tmp_path / "pid").read_text())
    assert _ended(pid)


def _ended(pid: int) -> bool:
    """Return whether a process has ended, or does so while its parent has not yet taken note of it."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False
