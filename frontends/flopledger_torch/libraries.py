"""The libraries of PyTorch models that a source may name by model: ``timm:resnet50``.

Nothing is downloaded: a model is made with the weights that its constructor gives it.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import check_library_has

from flopledger_torch.build import add_note
from flopledger_torch.registries import sizes_of
from flopledger_torch.stated import state_inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    Factory = Callable[..., object]


def model_of(library: str, name: str) -> Factory | None:
    """Return the factory of a model of a library; None where the name is another attribute of it.

    Raises:
        SourceError: The library has neither a model nor an attribute of that name.
        ModuleNotFoundError: The library is not installed.
    """
    return _FINDERS[library](importlib.import_module(library), name)


def _timm(timm: Any, name: str) -> Factory | None:
    """Return a factory of timm's registry, whose names may carry a tag of weights: ``resnet50.a1_in1k``."""
    if not timm.is_model(name):
        check_library_has(timm, name, timm.list_models())
        return None

    def make(**arguments: object) -> torch.nn.Module:
        arguments = {"pretrained": False, **arguments}
        model: torch.nn.Module = timm.create_model(name, **arguments)
        return model

    return make


def _torchvision(library: Any, name: str) -> Factory | None:
    """Return a builder of torchvision's registry, which gives its model the input size of its weights.

    The library is torchvision or its module ``models``, where the builders are too.
    """
    models = getattr(library, "models", library)
    known = models.list_models()
    if name not in known:
        check_library_has(library, name, known)
        return None
    builder: Factory = models.get_model_builder(name)
    weights = getattr(models.get_model_weights(name), "DEFAULT", None)
    sizes = () if weights is None else sizes_of(weights, builder.__module__)

    @functools.wraps(builder)
    def make(*args: object, **arguments: object) -> object:
        model = builder(*args, **arguments)
        size = getattr(model, "image_size", None)  # a transformer takes no other, whatever its weights had
        specs = (f"1x3x{size}x{size}",) if isinstance(size, int) else sizes
        if isinstance(model, torch.nn.Module) and specs:
            state_inputs(model, specs, "torchvision states for it")
        return model

    return make


def _transformers(transformers: Any, name: str) -> Factory | None:
    """Return a factory of a class with the default configuration of its family, changed by the arguments."""
    cls = getattr(transformers, name, None)
    config_class = getattr(cls, "config_class", None)
    if cls is None:
        check_library_has(transformers, name, [n for n in dir(transformers) if n.endswith("Model")])
        return None
    if config_class is None:
        return None

    def make(**settings: object) -> torch.nn.Module:
        model: torch.nn.Module = cls(config_class(**settings))
        changed = f", with {', '.join(map(str, settings))} changed" if settings else ""
        add_note(model, f"the model is {name} with the default {config_class.__name__}{changed}")
        return model

    return make


_FINDERS = {
    "timm": _timm,
    "torchvision": _torchvision,
    "torchvision.models": _torchvision,
    "transformers": _transformers,
}
