"""The inputs of one step of a language model: new tokens, and the cache of those before them.

The cache is filled by the model itself, which reads the earlier tokens first, unrecorded: so it has the form
that the class gives it, whatever that is: keys and values, a latent vector, a window's last tokens, a state.
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import InputSpec, SourceError, UsageError, is_dim

from flopledger_torch.modules import class_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flopledger.frontend import Request

_MODEL = "transformers.modeling_utils.PreTrainedModel"
_CACHES = ("past_key_values", "cache_params", "state", "mems", "past_buckets_states")
"""The names of the cache in classes of transformers, as an argument and as a result."""
_FILLED = _CACHES[0]
"""The argument of a cache that is filled in place."""
_LAST = ("logits_to_keep", "num_logits_to_keep")
"""Their names for the number of tokens, counted from the end, whose logits are made."""
_DEEPEST = 6
"""How deeply a cache may hold its tensors: objects, lists and dicts in one another."""


def with_inputs(request: Request, model: torch.nn.Module) -> Request:
    """Return a request with the inputs that its step of a language model needs.

    Raises:
        UsageError: The model is no language model of transformers, or inputs are given too.
    """
    if "seq" not in request.options:
        return request
    if not any(class_path(base) == _MODEL for base in type(model).__mro__):
        raise UsageError(
            f"{request.source}: --seq is for language models of transformers, found "
            f"{class_path(type(model))}: give its inputs with -i"
        )
    if request.inputs or request.values is not None:
        raise UsageError("--seq makes the inputs of a language model: leave -i and --inputs out")
    takes = _taken(model)
    specs = [_tokens(request, "input_ids", "seq")]
    if "use_cache" in takes:
        specs.append(InputSpec("use_cache", None, literal=True, is_literal=True))
    if request.options.get("last_logits"):
        last = next((name for name in _LAST if name in takes), None)
        if last is None:
            raise UsageError(f"{request.source}: --last-logits: its forward makes the logits of every token")
        specs.append(InputSpec(last, None, literal=1, is_literal=True))
    return replace(request, inputs=tuple(specs))


def cached(request: Request) -> tuple[InputSpec, ...]:
    """Return the tokens that a request's step finds in the cache; none if it finds none."""
    return (_tokens(request, "input_ids", "past"),) if request.options.get("past") else ()


def cache_of(model: torch.nn.Module, out: Any) -> tuple[str, Any] | None:
    """Return the argument by which a model takes a cache, and the cache among the results of its forward."""
    found = _cache(out)
    return found if found is not None and found[0] in _taken(model) else None


def new_cache(model: Any, source: str) -> tuple[str, Any]:
    """Return an empty cache, as ``generate`` makes it, for a model that fills the one that it is given.

    Raises:
        SourceError: The model takes none.
    """
    if _FILLED not in _taken(model):
        raise SourceError(f"{source}: --past needs a cache, and {class_path(type(model))} gives none back")
    from transformers import DynamicCache  # noqa: PLC0415  (the model is one of transformers)

    return _FILLED, DynamicCache(config=model.config)


def tensors_of(out: Any, given: Mapping[str, Any]) -> list[tuple[str, torch.Tensor]]:
    """Return the tensors of the cache after a forward, by the names of their places.

    It is among the results, or it is the one that was given.
    """
    found = _cache(out) or next(((name, given[name]) for name in _CACHES if name in given), None)
    return [] if found is None else list(named_tensors(*found))


def named_tensors(name: str, value: Any, depth: int = _DEEPEST) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the floating tensors of a cache, by the names of their places in it."""
    if isinstance(value, torch.Tensor):
        if value.is_floating_point():
            yield name, value
    elif depth:
        for key, item in _parts(value):
            yield from named_tensors(f"{name}{key}", item, depth - 1)


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f".{key}", item) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"[{index}]", item) for index, item in enumerate(value)]
    return [(f".{key}", item) for key, item in getattr(value, "__dict__", {}).items()]


def _cache(out: Any) -> tuple[str, Any] | None:
    for name in _CACHES:
        found = getattr(out, name, None)
        if found is not None:
            return name, found
    return None


def _taken(model: torch.nn.Module) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(model.forward).parameters


def _tokens(request: Request, name: str, option: str) -> InputSpec:
    batch, length = request.options.get("batch", 1), request.options[option]
    if not (is_dim(batch) and is_dim(length)):
        raise UsageError(f"--batch and --{option} are numbers or symbols, found {batch!r} and {length!r}")
    return InputSpec(name, (batch, length), "int64")
