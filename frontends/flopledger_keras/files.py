"""Models from files: their configuration alone, without reading a weight."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import SourceError, bounded
from keras.src.legacy.saving import saving_utils
from keras.src.saving.object_registration import GLOBAL_CUSTOM_OBJECTS
from keras.src.saving.serialization_lib import SafeModeScope

from flopledger_keras import hdf5
from flopledger_keras.compiled import add_optimizer, remove_compiled
from flopledger_keras.guard import Guard
from flopledger_keras.keras2 import renewed
from flopledger_keras.state import without_values

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.frontend import Request

_CONFIG = "config.json"


def load(path: Path, request: Request) -> Any:
    """Build the model that a file describes; its variables get no values.

    Raises:
        SourceError: The file is malformed, Keras can't build it since a class is not known, or it holds
            code or names another file (:mod:`flopledger_keras.guard`).
    """
    suffix = path.suffix.lower()
    if suffix in (".h5", ".hdf5"):
        return _build(hdf5.configuration(path), path, request)
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


def _build(text: str, path: Path, request: Request) -> Any:
    config = bounded.json_of(text, f"{path}: its configuration")
    if not isinstance(config, dict) or "class_name" not in config:
        raise SourceError(f"{path}: its configuration is no Keras model's: it has no class_name")
    own = _custom(request)
    known = {**GLOBAL_CUSTOM_OBJECTS, **own} if own else {}
    compiled = remove_compiled(config)
    model = _guarded(config, str(path), own, known, f"{path}: Keras can't build it")
    add_optimizer(model, compiled, known)
    return model


def _guarded(
    config: dict[str, Any], where: str, own: dict[str, Any], known: dict[str, Any], problem: str
) -> Any:
    """Build a configuration that the guard has passed."""
    if not _of_keras3(config):
        renewed(config, where)
    Guard(where, known).check(config)
    try:
        # The safe mode is a second wall; the guard has refused before whatever it would
        with without_values(), SafeModeScope(safe_mode=True):
            return _built(config, own)
    except Exception as error:
        raise SourceError(f"{problem}: {_reason(error)}") from error


def _of_keras3(config: dict[str, Any]) -> bool:
    return "module" in config or "registered_name" in config


def _built(config: dict[str, Any], known: dict[str, Any]) -> Any:
    """Build a configuration of Keras 3, or of an older one."""
    if _of_keras3(config):
        return keras.saving.deserialize_keras_object(config, custom_objects=known, safe_mode=True)
    return saving_utils.model_from_config(config, custom_objects=known)


def of_tf_keras(model: Any, source: str) -> Any:
    """Build a live model of the package tf_keras (Keras 2) again with Keras 3, from its configuration.

    Raises:
        SourceError: It has layers that Keras 3 does not know, or that hold code, as a Lambda does.
    """
    problem = (
        f"{source} is a model of tf_keras (Keras 2), which is read by its configuration, and Keras 3 can't"
    )
    try:
        config = json.loads(model.to_json())
    except Exception as error:
        raise SourceError(f"{problem} read that: {_reason(error)}") from error
    return _guarded(config, source, {}, {}, f"{problem} build it")


def _reason(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    text = f"{type(error).__name__}: {first}"
    if "locate class" in str(error) or "Unknown layer" in str(error) or "custom_objects" in str(error):
        return f"{text} (name the Python file of its own classes: --arg custom_objects=FILE.py)"
    return text


def _custom(request: Request) -> dict[str, Any]:
    """Return the definitions in the file of the user's own classes, by name."""
    named = request.arguments.get("custom_objects") or request.options.get("custom_objects")
    if not named:
        return {}
    from flopledger_keras.custom import defined  # noqa: PLC0415  (it runs the user's file)

    return defined(str(named))
