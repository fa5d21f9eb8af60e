"""The inputs that a model states itself, for a request that gives none."""

from __future__ import annotations

import dataclasses
import inspect
import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import InputSpec, parse_spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.frontend import Request

TOKENS = 128
"""The length of a text for a language model that takes longer ones: that of BERT's first training phase."""
_STATED: weakref.WeakKeyDictionary[torch.nn.Module, tuple[tuple[InputSpec, ...], str]]
_STATED = weakref.WeakKeyDictionary()


def state_inputs(model: torch.nn.Module, specs: Iterable[str], by: str) -> None:
    """Keep the inputs that the library which made a model states for it."""
    _STATED[model] = (tuple(map(parse_spec, specs)), by)


def completed(model: torch.nn.Module, request: Request) -> tuple[Request, str]:
    """Return a request with the inputs that the model states, where it has none, and a note on them."""
    if request.inputs or request.values is not None or not _needs_inputs(model):
        return request, ""
    for specs, values, by in _stated(model):
        written = "" if values is not None else f": {', '.join(map(_written, specs))}"
        return dataclasses.replace(request, inputs=specs, values=values), f"the inputs are what {by}{written}"
    return request, ""


def _needs_inputs(model: torch.nn.Module) -> bool:
    try:
        return bool(inspect.signature(model.forward).parameters)
    except (TypeError, ValueError):
        return True


def _stated(model: Any) -> Iterator[tuple[tuple[InputSpec, ...], object, str]]:
    """Yield inputs and who states them: the library, else the model, as in timm, Lightning and transformers.

    What a model of the user's own has under these names is looked at as data, and skipped if it is no shape.
    """
    if model in _STATED:
        specs, by = _STATED[model]
        yield specs, None, by
    size = _field(_field(model, "pretrained_cfg") or _field(model, "default_cfg"), "input_size")
    if shape := _shape(size):
        yield (InputSpec("", (1, *shape)),), None, "the model's default_cfg states"
    example = _field(model, "example_input_array")
    if isinstance(example, (torch.Tensor, tuple, dict)):
        yield (), example, "the model's example_input_array holds"
    main, config = _field(model, "main_input_name"), _field(model, "config")
    if isinstance(main, str) and config is not None and (specs := _of_config(main, config)):
        yield specs, None, f"main_input_name and the configuration say{_assumed(main)}"


def _of_config(main: str, config: Any) -> tuple[InputSpec, ...]:
    """Return the inputs of a model of transformers, whose main input is tokens or a picture."""
    if any(_field(config, part) is not None for part in ("text_config", "vision_config")):
        return ()  # it takes both, and main_input_name is only one of them
    if main == "input_ids":
        longest = _field(config, "max_position_embeddings")
        length = min(TOKENS, longest) if isinstance(longest, int) and longest > 0 else TOKENS
        names = (main, "decoder_input_ids") if _field(config, "is_encoder_decoder") is True else (main,)
        return tuple(InputSpec(name, (1, length), "int64") for name in names)
    size, channels = _field(config, "image_size"), _field(config, "num_channels")
    height_width = _shape(size) or _shape((size, size))
    if main == "pixel_values" and isinstance(channels, int) and len(height_width) == 2:
        return (InputSpec(main, (1, channels, *height_width)),)
    return ()


def _assumed(main: str) -> str:
    return f" (at most {TOKENS} tokens, a length of ours)" if main == "input_ids" else ""


def _field(holder: Any, name: str) -> Any:
    """Return an attribute or an entry, None where there is none or asking for it fails."""
    try:
        return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
    except Exception:  # noqa: BLE001  (a property of the user's may raise anything)
        return None


def _shape(size: object) -> tuple[int, ...]:
    """Return sizes as a shape, empty where they are none."""
    if not isinstance(size, Sequence) or isinstance(size, str):
        return ()
    sizes = tuple(size)
    return sizes if sizes and all(type(dim) is int and dim > 0 for dim in sizes) else ()


def _written(spec: InputSpec) -> str:
    sizes = "x".join(map(str, spec.shape or ()))
    return f"{spec.name}={sizes}" if spec.name else sizes
