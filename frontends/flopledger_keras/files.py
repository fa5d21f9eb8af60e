"""Models from files: their configuration alone, without reading a weight."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import keras
from flopledger.errors import SourceError
from keras.src.legacy.saving import saving_utils

from flopledger_keras.compiled import add_optimizer, take_out
from flopledger_keras.state import without_values

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.reading.read import Request

_CONFIG = "config.json"
_LARGEST = 1 << 28
"""The largest configuration that is read, in bytes."""


def load(path: Path, request: Request) -> Any:
    """Build the model that a file describes; its variables get no values.

    Raises:
        SourceError: The file is malformed, or Keras can't build it: a class is not known, or it holds code.
    """
    suffix = path.suffix.lower()
    if suffix in (".h5", ".hdf5"):
        return _build(_of_h5(path), path, request)
    if zipfile.is_zipfile(path):
        return _build(_of_archive(path), path, request)
    return _build(_text(path), path, request)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise SourceError(
                f"{path}: it has {path.stat().st_size} bytes, a configuration at most {_LARGEST}"
            )
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: it can't be read: {error}") from None


def _of_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_CONFIG).file_size > _LARGEST:
                raise SourceError(f"{path}: its {_CONFIG} is larger than {_LARGEST} bytes")
            return archive.read(_CONFIG).decode("utf-8")
    except KeyError:
        raise SourceError(f"{path}: there is no {_CONFIG} in it, so that it is no .keras file") from None
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: it can't be read: {error}") from None


def _of_h5(path: Path) -> str:
    import h5py  # noqa: PLC0415  (Keras brings it, and only these files need it)

    try:
        with h5py.File(path, "r") as file:
            config: Any = file.attrs.get("model_config")
    except OSError as error:
        raise SourceError(f"{path}: it is no HDF5 file: {error}") from None
    if config is None:
        raise SourceError(f"{path}: it holds weights and no model: save the whole model, or name its code")
    return str(config.decode("utf-8") if isinstance(config, bytes) else config)


def _build(text: str, path: Path, request: Request) -> Any:
    try:
        config = json.loads(text)
    except ValueError as error:
        raise SourceError(f"{path}: its configuration is no JSON: {error}") from None
    if not isinstance(config, dict) or "class_name" not in config:
        raise SourceError(f"{path}: its configuration is no Keras model's: it has no class_name")
    known = _custom(request)
    compiled = take_out(config)
    try:
        with without_values():
            model = _made(config, known)
    except Exception as error:
        raise SourceError(f"{path}: Keras can't build it: {_reason(error)}") from error
    add_optimizer(model, compiled, known)
    return model


def _made(config: dict[str, Any], known: dict[str, Any]) -> Any:
    """Build a configuration of Keras 3, or of an older one; code in it is refused."""
    if "module" in config or "registered_name" in config:
        return keras.saving.deserialize_keras_object(config, custom_objects=known, safe_mode=True)
    return saving_utils.model_from_config(config, custom_objects=known)


def _reason(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    text = f"{type(error).__name__}: {first}"
    if "unsafe" in str(error).lower() or "lambda" in str(error).lower():
        return f"{text} (it holds Python code, which is never run from a file: read the live model instead)"
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
