"""Files of the HDF5 library, without Keras: some that make it hang, and some that point elsewhere."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError
from flopledger_keras import hdf5

if TYPE_CHECKING:
    from pathlib import Path

h5py = pytest.importorskip("h5py", reason="h5py comes with Keras: pip install '.[keras]'")

CONFIG = '{"class_name": "Sequential"}'

HEAP, FIRST_OBJECT, OBJECT_HEAD, SIZE_AT = b"GCOL", 16, 16, 8
"""A heap begins with 16 bytes; each object in it with 16, of which the last eight are its size."""


def saved(folder: Path, config: object = CONFIG) -> Path:
    with h5py.File(folder / "net.h5", "w") as file:
        file.attrs["model_config"] = config
    return folder / "net.h5"


def damaged(folder: Path) -> Path:
    """Return a file whose free space has no size, for which the library looks for ever."""
    path = saved(folder)
    content = bytearray(path.read_bytes())
    # the text takes 28 bytes, and 32 with what fills it up to a multiple of eight
    at = content.index(HEAP) + FIRST_OBJECT + OBJECT_HEAD + 32 + SIZE_AT
    assert int.from_bytes(content[at : at + 8], "little") == 4096 - FIRST_OBJECT - OBJECT_HEAD - 32
    content[at : at + 8] = bytes(8)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("config", [CONFIG, CONFIG.encode()])
def test_the_configuration_is_read(tmp_path: Path, config: object) -> None:
    assert hdf5.configuration(saved(tmp_path, config)) == CONFIG


def test_a_file_that_the_library_never_finishes_ends_the_process(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from flopledger_keras import hdf5; hdf5.LONGEST_S = 1;"
        "print('begun', flush=True); hdf5.configuration(pathlib.Path(sys.argv[1])); print('ended')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, damaged(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGALRM, "begun\n")


def test_the_alarm_of_the_caller_is_left_as_it_was(tmp_path: Path) -> None:
    def own(*_: object) -> None: ...

    before = signal.signal(signal.SIGALRM, own)
    try:
        hdf5.configuration(saved(tmp_path))
        assert signal.getsignal(signal.SIGALRM) is own
        assert signal.alarm(0) == 0
    finally:
        signal.signal(signal.SIGALRM, before)


def test_no_file_but_the_opened_one_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path)
    real = hdf5.input_files.open_regular

    def opened(which: Path) -> object:
        stream = real(which)
        path.unlink()
        path.write_text("something else has taken its place")
        return stream

    monkeypatch.setattr(hdf5.input_files, "open_regular", opened)
    assert hdf5.configuration(path) == CONFIG


def test_an_attribute_that_is_no_single_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not one text"):
        hdf5.configuration(saved(tmp_path, [CONFIG, CONFIG]))


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"no such file" * 100])
def test_what_is_no_hdf5_file_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.h5"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="it is no HDF5 file"):
        hdf5.configuration(path)


def test_weights_alone_are_no_model(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w"):
        pass
    with pytest.raises(SourceError, match="it holds weights and no model"):
        hdf5.configuration(path)
