"""Makes a model: calls the class or function that the user named, with arguments that fit it."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING

from flopledger.errors import SourceError, UsageError, nearest
from flopledger.frontend.description import has_type, is_routine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flopledger.frontend.request import Request
    from flopledger.plugins.registry import Plugin


_NO_WEIGHTS: Mapping[str, object] = {
    "weights": None,
    "weights_backbone": None,
    "pretrained": False,
    "pretrained_backbone": False,
}
"""Parameters of a class or function that are given these values, so that nothing is downloaded."""


def makes_models(obj: object, claims: Sequence[Plugin]) -> bool:
    """Return whether an object is a class or function; a model is callable too in many frameworks."""
    if has_type(obj, type) or has_type(obj, functools.partial) or is_routine(obj):
        return True
    return callable(obj) and not claims


def make(factory: Callable[..., object], request: Request, maker: Plugin | None) -> object:
    """Call a class or function, within the build hook of the frontend that claims it, where there is one."""
    call = functools.partial(factory, **complete(factory, request))
    if maker and maker.offers("build"):
        model: object = maker.hooks.build(factory=call, request=request)
    else:
        model = call()
    if model is None:
        raise SourceError(f"{request.source} was called and gave None, expected a model")
    return model


def complete(factory: Callable[..., object], request: Request) -> dict[str, object]:
    """Return the arguments that a class or function is called with to make the model.

    Raises:
        UsageError: One is missing, or one is given that it does not take.
    """
    given = dict(request.arguments)
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):
        return given
    parameters = signature.parameters
    by_name = {n for n, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    given = {name: value for name, value in _NO_WEIGHTS.items() if name in by_name} | given
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in given:
        if name not in by_name and not open_ended:
            message = f"{request.source} takes no argument {name!r}{nearest(name, by_name)}"
            raise UsageError(f"{message}. It is {_written(request.source, signature)}")
    missing = [n for n, p in parameters.items() if _is_required(p) and n not in given]
    if missing:
        options = " ".join(f"--arg {name}=..." for name in missing)
        message = f"{request.source} needs the argument{'s' * (len(missing) > 1)} {', '.join(missing)}"
        raise UsageError(f"{message}: give {options}. It is {_written(request.source, signature)}")
    return given


def _is_required(parameter: inspect.Parameter) -> bool:
    variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not variadic


def _written(source: str, signature: inspect.Signature) -> str:
    return f"{source.rpartition(':')[2]}{signature}"
