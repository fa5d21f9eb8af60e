"""Models of transformers from their ``config.json``: the architecture alone, without weights or downloads."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from flopledger.frontend import SourceError, UsageError, bounded, input_files, nearest

from flopledger_torch.build import add_note, build_model
from flopledger_torch.language.untrusted import closed, without_code

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch
    from flopledger.frontend import Request

NAME = "config.json"
_LARGEST = 4_000_000
_QUANTIZED = "the config names a quantisation of the weights, which is not applied: weights are of its dtype"


def model_of(path: Path, request: Request) -> torch.nn.Module:
    """Return the model that a config describes, on the meta device; ``--arg`` changes values of the config.

    Raises:
        SourceError: It is not the config of a model that the installed transformers has.
        UsageError: An argument is no value of the config.
    """
    if "seq" not in request.options and not request.inputs and request.values is None:
        raise UsageError(
            f"{request.source}: a config says nothing of the input's length: give --seq, as in --seq 1024 "
            "or --seq S; --past and --batch are for a step with a cache and for several sequences"
        )
    written = _written(path / NAME if input_files.is_folder(path) else path, request.source)
    os.environ["HF_HUB_OFFLINE"] = "1"  # before the import: nothing here may ask for a file from the network
    try:
        import transformers  # noqa: PLC0415  (slow, and needed for configs alone)
    except ImportError:
        message = f"{request.source}: reading a config needs transformers: pip install transformers"
        raise SourceError(message) from None
    with closed(request.source):
        config = _config(written, request, transformers)
        cls = _class_of(config, written.get("architectures"), request.source, transformers)
        config = _part(config, cls)
        how = {"experts_implementation": "batched_mm"} if cls._can_set_experts_implementation() else {}
        model: Any = build_model(lambda: cls._from_config(config, **how), request)
    if "quantization_config" in written:
        add_note(model, _QUANTIZED)
    return model  # type: ignore[no-any-return]  # transformers is looked up when it runs


def _written(file: Path, source: str) -> dict[str, Any]:
    try:
        text = input_files.read_text(file, _LARGEST)
    except OSError as error:
        raise SourceError(f"{source}: it can't be read: {error.strerror}") from None
    found = bounded.json_of(text, source)
    if not isinstance(found, dict) or not isinstance(found.get("model_type"), str):
        raise SourceError(f"{source}: expected the config of a model, an object with a model_type")
    return without_code(found, source)  # type: ignore[no-any-return]  # an object stays one


def _config(written: Mapping[str, Any], request: Request, transformers: Any) -> Any:
    """Return the config with the arguments in it."""
    known = transformers.CONFIG_MAPPING
    name = written["model_type"]
    if name not in known:
        message = f"{request.source}: transformers {transformers.__version__} knows no model_type {name!r}"
        near = nearest(name, list(known)) or "."
        raise SourceError(f"{message}{near} Code that comes with a config is not run")
    cls = known[name]
    plain = cls.from_dict(dict(written))
    changed = json.loads(json.dumps(dict(written)))
    for key, value in request.arguments.items():
        *above, last = key.split(".")
        inside, place = plain, changed
        for step in above:
            inside, place = getattr(inside, step, None), place.setdefault(step, {})
        if not hasattr(inside, last):
            hint = nearest(last, list(vars(inside)) if hasattr(inside, "__dict__") else ())
            raise UsageError(f"{request.source}: the config of a {name} has no {key!r}{hint}")
        place[last] = value
    return cls.from_dict(changed)


def _part(config: Any, cls: Any) -> Any:
    """Return the part of a config that a class is made of: that of a decoder, in a model of several parts."""
    parts = getattr(config, "sub_configs", {})
    name = next((name for name, part in parts.items() if part is cls.config_class), None)
    return config if name is None or isinstance(config, cls.config_class) else getattr(config, name)


def _class_of(config: Any, architectures: object, source: str, transformers: Any) -> Any:
    """Return the class that a config names, else the causal language model of its type."""
    for name in architectures if isinstance(architectures, list) else ():
        cls = getattr(transformers, name, None) if isinstance(name, str) and name.isidentifier() else None
        if isinstance(cls, type) and issubclass(cls, transformers.PreTrainedModel):
            return cls
    causal = transformers.MODEL_FOR_CAUSAL_LM_MAPPING
    if type(config) in causal:
        return causal[type(config)]
    named = ", ".join(map(str, architectures)) if isinstance(architectures, list) else "none"
    raise SourceError(
        f"{source}: transformers {transformers.__version__} has none of the architectures that it names "
        f"({named}), and no causal language model of the type {config.model_type!r}"
    )
