"""The configuration in an HDF5 file, read by a library that loops for ever in some damaged files."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any

from flopledger.frontend import SourceError, bounded, input_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_S = 30
"""Seconds that one attribute of a file may take; it takes a thousandth of one."""


def configuration(path: Path) -> str:
    """Return the text of the attribute that holds a model's configuration.

    The library gets the opened file, not its path: another file that takes its place later is not read,
    and parts of a file that are kept in other files are not found.

    Raises:
        SourceError: It is no HDF5 file, or holds no configuration.
    """
    import h5py  # noqa: PLC0415  (Keras brings it, and only these files need it)

    try:
        with (
            _at_most(LONGEST_S),
            input_files.open_regular(path) as stream,
            h5py.File(stream, "r") as file,
        ):
            config = _attribute(file, path)
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001  (h5py raises KeyError, TypeError and others for damaged files)
        raise SourceError(f"{path}: it is no HDF5 file: {error}") from None
    if config is None:
        raise SourceError(f"{path}: it holds weights and no model: save the whole model, or name its code")
    return str(config.decode("utf-8", "replace") if isinstance(config, bytes) else config)


@contextlib.contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    """Let the system end this process, which reads for another one, where native code does not return.

    The HDF5 library loops for ever in some damaged files (a heap whose object has no size, in 1.14), and
    holds Python's lock, so that no thread and no handler of ours would run.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _attribute(file: Any, path: Path) -> Any:
    """Return the attribute that holds the configuration: one text of bounded length, or None.

    An array of texts could be one text of the file a million times over.
    """
    if "model_config" not in file.attrs:
        return None
    about = file.attrs.get_id("model_config")
    if about.shape != () or about.dtype.kind not in "OSU" or about.get_storage_size() > bounded.MOST_BYTES:
        raise SourceError(f"{path}: its model_config is not one text of at most {bounded.MOST_BYTES} bytes")
    config = file.attrs["model_config"]
    if not isinstance(config, (str, bytes)):
        raise SourceError(f"{path}: its model_config is no text")
    return config
