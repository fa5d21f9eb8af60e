"""Models from files: their configuration alone, without reading a weight."""

from __future__ import annotations

import contextlib
import json
import signal
import threading
import zipfile
from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import SourceError, bounded
from keras.src.legacy.saving import saving_utils
from keras.src.saving.object_registration import GLOBAL_CUSTOM_OBJECTS
from keras.src.saving.serialization_lib import SafeModeScope

from flopledger_keras.compiled import add_optimizer, take_out
from flopledger_keras.guard import Guard
from flopledger_keras.keras2 import renewed
from flopledger_keras.state import without_values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flopledger.frontend import Request

_CONFIG = "config.json"
_LONGEST_S = 30
"""Seconds that one attribute of a file may take; it takes a thousandth of one."""


def load(path: Path, request: Request) -> Any:
    """Build the model that a file describes; its variables get no values.

    Raises:
        SourceError: The file is malformed, Keras can't build it since a class is not known, or it holds
            code or names another file (:mod:`flopledger_keras.guard`).
    """
    suffix = path.suffix.lower()
    if suffix in (".h5", ".hdf5"):
        return _build(_of_h5(path), path, request)
    if zipfile.is_zipfile(path):
        return _build(_of_archive(path), path, request)
    return _build(bounded.text_of(path), path, request)


def _of_archive(path: Path) -> str:
    try:
        return bounded.member_of(path, _CONFIG).decode("utf-8")
    except KeyError:
        raise SourceError(f"{path}: there is no {_CONFIG} in it, so that it is no .keras file") from None
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: its {_CONFIG} can't be read: {error}") from None


def _of_h5(path: Path) -> str:
    import h5py  # noqa: PLC0415  (Keras brings it, and only these files need it)

    try:
        with _at_most(_LONGEST_S), h5py.File(path, "r") as file:
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


def _build(text: str, path: Path, request: Request) -> Any:
    config = bounded.json_of(text, f"{path}: its configuration")
    if not isinstance(config, dict) or "class_name" not in config:
        raise SourceError(f"{path}: its configuration is no Keras model's: it has no class_name")
    own = _custom(request)
    known = {**GLOBAL_CUSTOM_OBJECTS, **own} if own else {}
    compiled = take_out(config)
    if not _of_keras3(config):
        renewed(config, str(path))
    Guard(str(path), known).check(config)
    try:
        # The safe mode is a second wall; the guard has refused before what it would
        with without_values(), SafeModeScope(safe_mode=True):
            model = _made(config, own)
    except Exception as error:
        raise SourceError(f"{path}: Keras can't build it: {_reason(error)}") from error
    add_optimizer(model, compiled, known)
    return model


def _of_keras3(config: dict[str, Any]) -> bool:
    return "module" in config or "registered_name" in config


def _made(config: dict[str, Any], known: dict[str, Any]) -> Any:
    """Build a configuration of Keras 3, or of an older one."""
    if _of_keras3(config):
        return keras.saving.deserialize_keras_object(config, custom_objects=known, safe_mode=True)
    return saving_utils.model_from_config(config, custom_objects=known)


def of_tf_keras(model: Any, source: str) -> Any:
    """Build a live model of the package tf_keras (Keras 2) again with Keras 3, from its configuration.

    Raises:
        SourceError: It has layers that Keras 3 does not know.
    """
    try:
        config = json.loads(model.to_json())
        with without_values():
            return _made(renewed(config, source), {})
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(
            f"{source} is a model of tf_keras (Keras 2), which is read by its configuration, and Keras 3 "
            f"can't build it: {_reason(error)}"
        ) from error


def _reason(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    text = f"{type(error).__name__}: {first}"
    if "locate class" in str(error) or "Unknown layer" in str(error) or "custom_objects" in str(error):
        return f"{text} (name the Python file of its own classes: --arg custom_objects=FILE.py)"
    return text


def _custom(request: Request) -> dict[str, Any]:
    """Return what the file of the user's own classes defines, by name."""
    named = request.arguments.get("custom_objects") or request.options.get("custom_objects")
    if not named:
        return {}
    from flopledger_keras.custom import defined  # noqa: PLC0415  (it runs the user's file)

    return defined(str(named))
