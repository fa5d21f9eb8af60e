"""Reading in a child process ends: at its limits, with its parent, and with all that it started."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError

if TYPE_CHECKING:
    from conftest import Net

GRACE_S = 20
"""How long a process that was killed may take to be gone, on a busy machine."""


def gone(pid: int) -> bool:
    """Whether a process has ended (or waits for its parent to hear of it) within the grace."""
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def written_pid(file: Path) -> int:
    """Wait for a process to write its id."""
    deadline = time.monotonic() + GRACE_S
    while not (file.exists() and file.read_text().strip()):
        assert time.monotonic() < deadline, "the child did not start"
        time.sleep(0.02)
    return int(file.read_text())


@pytest.mark.parametrize(
    "code",
    [
        "def make(): time.sleep(1000)\n",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ndef make():\n    while True: pass\n",
        "def make():\n    os.kill(os.getpid(), signal.SIGSTOP)\n",
    ],
)
def test_a_hang_ends_at_the_timeout(net: Net, code: str, tmp_path: Path) -> None:
    started = time.monotonic()
    note = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
    assert "took longer than 2.5 seconds, the limit that --timeout sets" in net.fails(
        note + code, timeout=2.5
    )
    assert time.monotonic() - started < GRACE_S
    assert gone(written_pid(tmp_path / "pid"))


def test_a_timeout_that_is_not_reached_changes_nothing(net: Net) -> None:
    assert net("", "good", timeout=600) == net("", "good")


def test_outputs_that_were_closed_keep_nobody_from_the_result(net: Net) -> None:
    assert len(net("sys.stdout.close()\nsys.stderr = None\n", "good").layers) == 1


def test_threads_and_exit_handlers_that_hang_keep_nobody_waiting(net: Net) -> None:
    code = (
        "import atexit\natexit.register(time.sleep, 1000)\n"
        "def make():\n    threading.Thread(target=time.sleep, args=(1000,)).start()\n    return good()\n"
    )
    assert len(net(code).layers) == 1


GB = 2**30


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def make(): return bytearray(8 * 2**30)\n", "MemoryError"),
        ("def make():\n    kept = []\n    while True: kept.append(bytearray(2**20))\n", "MemoryError"),
        ("def make(): raise RuntimeError('DefaultCPUAllocator: cannot allocate')\n", "DefaultCPUAllocator"),
        ("def make(): os.abort()\n", "was killed by SIGABRT."),
        ("def make(): os.kill(os.getpid(), 9)\n", "was killed by SIGKILL."),
    ],
)
def test_too_much_memory_names_the_limit(net: Net, code: str, reason: str) -> None:
    found = net.fails(code, memory_limit=GB)
    assert reason in found
    assert f"The usual cause is the memory limit of {GB} bytes that --memory-limit sets" in found


def test_a_memory_limit_below_what_python_needs_is_a_clear_error(net: Net) -> None:
    for limit in (1, 10_000_000):
        with pytest.raises(SourceError, match=f"the memory limit of {limit} bytes"):
            net("kept = bytearray(2**26)\n", "good", memory_limit=limit)


def test_an_error_that_has_nothing_to_do_with_memory_does_not_name_the_limit(net: Net) -> None:
    assert "--memory-limit" not in net.fails("1 / 0\n", memory_limit=4 * GB)


def test_advice_that_a_library_gives_in_place_of_the_reason_is_not_repeated(net: Net) -> None:
    code = (
        "def make():\n    try:\n"
        "        raise ImportError('liba.so: failed to map segment from shared object')\n"
        "    except ImportError as error:\n        raise ImportError('reinstall numpy') from error\n"
    )
    found = net.fails(code, memory_limit=4 * GB)
    assert "failed to map segment" in found
    assert "numpy" not in found
    assert f"the memory limit of {4 * GB} bytes that --memory-limit sets: set a larger one" in found


@pytest.mark.parametrize("error", ["KeyError('memory')", "ValueError('memory of allocentric cells')"])
def test_a_name_with_memory_in_it_is_not_taken_for_a_lack_of_it(error: str, net: Net) -> None:
    assert "--memory-limit" not in net.fails(f"def make(): memory = 1; raise {error}\n", memory_limit=4 * GB)


def test_a_memory_limit_that_is_kept_changes_nothing(net: Net) -> None:
    assert net("", "good", memory_limit=4 * GB) == net("", "good")


def test_a_process_that_the_users_code_forks_ends_with_the_reading(net: Net, tmp_path: Path) -> None:
    code = (
        "def make():\n    pid = os.fork()\n    if pid == 0:\n        time.sleep(1000)\n"
        f"    open({str(tmp_path / 'pid')!r}, 'w').write(str(pid))\n    return good()\n"
    )
    started = time.monotonic()
    assert len(net(code).layers) == 1
    assert time.monotonic() - started < GRACE_S
    assert gone(written_pid(tmp_path / "pid"))


def test_a_process_that_was_forked_and_comes_back_gives_no_second_result(net: Net) -> None:
    assert len(net("os.fork()\n", "good").layers) == 1
    assert len(net("def make():\n    os.fork()\n    return good()\n").layers) == 1


CLOSED = """
import os, sys
sys.path[:] = {path!r}
for number in {closed}:
    os.close(number)
from flopledger.reading.read import read_source
from flopledger.frontend.request import Request
layers = read_source({source!r}, Request({source!r})).layers
os._exit(40 + len(layers))
"""


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (1, 2), (0, 1, 2)])
def test_standard_streams_that_are_closed_do_not_matter(
    net: Net, tmp_path: Path, closed: tuple[int, ...]
) -> None:
    (tmp_path / "net.py").write_text(f"{net.head}print('printed')\nprint('too', file=sys.stderr)\n")
    code = CLOSED.format(path=sys.path, closed=closed, source=f"{tmp_path / 'net.py'}:good")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (41, "")


READER = """
import sys
sys.path[:] = {path!r}
from flopledger.reading.read import read_source
from flopledger.frontend.request import Request
source = {source!r}
try:
    read_source(source, Request(source))
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(130)
"""


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, -signal.SIGTERM)],
)
@pytest.mark.usefixtures("toy")
def test_no_process_is_left_when_the_reader_is_interrupted_or_killed(
    tmp_path: Path, number: signal.Signals, status: int
) -> None:
    pid = tmp_path / "pid"
    (tmp_path / "net.py").write_text(
        f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(1000)\n"
    )
    code = READER.format(path=sys.path, source=f"{tmp_path / 'net.py'}:make")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as reader:
        child = written_pid(pid)
        reader.send_signal(number)
        assert reader.wait(GRACE_S) == status
        out, _ = reader.communicate()
    assert out == ("interrupted\n" if number is signal.SIGINT else "")
    assert gone(child)
