"""The inputs that a model states itself, for a request that gives none."""

from __future__ import annotations

import dataclasses
import inspect
import weakref
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import InputSpec, UsageError, parse_spec

from flopledger_torch.configured import Stated, configured, field, shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.frontend import Request

_STATED: weakref.WeakKeyDictionary[torch.nn.Module, tuple[tuple[InputSpec, ...], str]]
_STATED = weakref.WeakKeyDictionary()


def state_inputs(model: torch.nn.Module, specs: Iterable[str], by: str) -> None:
    """Keep the inputs that the library which made a model states for it."""
    _STATED[model] = (tuple(map(parse_spec, specs)), by)


def completed(model: torch.nn.Module, request: Request) -> tuple[Request, str]:
    """Return a request with the inputs that the model states, where it has none, and a note on them.

    Raises:
        UsageError: Its configuration says too little, and its forward would take no inputs and fail inside.
    """
    if request.inputs or request.values is not None or not _needs_inputs(model):
        return request, ""
    for specs, values, by in _stated(model):
        written = "" if values is not None else f": {', '.join(map(_written, specs))}"
        return dataclasses.replace(request, inputs=specs, values=values), f"the inputs are what {by}{written}"
    if _is_configured(model) and not (request.weights_suffice and _lacks_arguments(model)):
        raise UsageError(_refusal(request.source, _configured(model)))
    return request, ""


def _refusal(source: str, stated: Stated) -> str:
    """Return which argument is missing, and how to give it."""
    known = "".join(f" -i {_given(spec)}" for spec in stated.specs)
    missing = " and ".join(stated.missing)
    unknown = "".join(f" -i {name}=SIZES" for name in stated.missing)
    return (
        f"{source}: no inputs are given, and its configuration says too little to make {missing}: give the "
        f"size of each, as in{known}{unknown}, where SIZES is such as 1x128:int64, or values such as "
        "'![[1, 16, 16]]'"
    )


def _is_configured(model: torch.nn.Module) -> bool:
    """Return whether a model is one of transformers, whose forward takes inputs by name and may lack any."""
    return isinstance(field(model, "main_input_name"), str) and field(model, "config") is not None


def _lacks_arguments(model: torch.nn.Module) -> bool:
    """Return whether a forward can't be called without inputs, so that its parameters alone are read."""
    try:
        inspect.signature(model.forward).bind()
    except (TypeError, ValueError):
        return True
    return False


def _configured(model: Any) -> Stated:
    """Return what the configuration of a model of transformers says of its inputs."""
    config = model.config
    bins = {field(part, "num_mel_bins") for part in (config, field(config, "audio_config"))} - {None}
    return configured(
        model.main_input_name,
        config,
        inspect.signature(model.forward).parameters,
        bins_first=any(
            isinstance(one, torch.nn.Conv1d) and one.in_channels in bins for one in model.modules()
        ),
    )


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
    size = field(field(model, "pretrained_cfg") or field(model, "default_cfg"), "input_size")
    if sizes := shape(size):
        yield (InputSpec("", (1, *sizes)),), None, "the model's default_cfg states"
    example = field(model, "example_input_array")
    if isinstance(example, (torch.Tensor, tuple, dict)):
        yield (), example, "the model's example_input_array holds"
    if _is_configured(model):
        stated = _configured(model)
        if stated.specs and not stated.missing:
            said = f" ({stated.assumed}, a size of ours)" if stated.assumed else ""
            without = f", without {' and '.join(stated.left_out)}" if stated.left_out else ""
            yield stated.specs, None, f"main_input_name and the configuration say{said}{without}"


def _given(spec: InputSpec) -> str:
    """Return an input as ``-i`` takes it."""
    return _written(spec) + (f":{spec.dtype}" if spec.dtype else "")


def _written(spec: InputSpec) -> str:
    sizes = f"!{spec.literal}" if spec.is_literal else "x".join(map(str, spec.shape or ()))
    return f"{spec.name}={sizes}" if spec.name else sizes
