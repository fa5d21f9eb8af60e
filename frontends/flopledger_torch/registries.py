"""The registries of PyTorch networks: their names, how one is made, its inputs, and its published figures.

No network is built here: sizes come from timm's ``default_cfg`` and from the transforms that torchvision
ships with each set of weights; models of transformers state their own. Weights are not loaded either.
"""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from flopledger.frontend import Member, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_VIDEO_FRAMES = 16
"""The frames of the clips that torchvision's figures for video networks are of."""
_DETECTION = "images[0]=3x800x800"
"""A picture of the least size that torchvision's detectors scale to."""
_FLOW = (512, 512)
"""The size of the pictures that those for optical flow are of."""


def members(registry: str) -> Iterator[Member]:
    """List a registry.

    Raises:
        UsageError: It is none of :data:`REGISTRIES`, or is not installed.
    """
    try:
        found: Any = importlib.import_module(registry)
    except ModuleNotFoundError as error:
        raise UsageError(f"{registry} can't be listed: {error}. Install it beside PyTorch") from None
    return REGISTRIES[registry](found)


def _timm(timm: Any) -> Iterator[Member]:
    for name in timm.list_models():
        config = timm.get_pretrained_cfg(name)
        size = getattr(config, "input_size", None)
        inputs = ("x".join(map(str, (1, *size))),) if size else ()
        yield Member(name, f"timm:{name}", inputs=inputs)


def _torchvision(models: Any) -> Iterator[Member]:
    """List a network for each set of weights, since their sizes and published figures differ."""
    for name in models.list_models():
        build = models.get_model_builder(name)
        source = f"{build.__module__}:{build.__name__}"
        entries = list(models.get_model_weights(name))
        default = getattr(models.get_model_weights(name), "DEFAULT", None)
        for entry in entries:
            title = name if entry is default else f"{name}.{entry.name}"
            inputs = sizes_of(entry, source)
            yield Member(title, source, _arguments(entry, build), inputs, _published(entry))
        if not entries:
            yield Member(name, source)


def _transformers(transformers: Any) -> Iterator[Member]:
    """List the base model of each family, which is made with its default configuration.

    The names come from a table that imports no family; a family without a base model is not in it.
    """
    names = importlib.import_module(f"{transformers.__name__}.models.auto.modeling_auto").MODEL_MAPPING_NAMES
    for classes in names.values():
        name = classes if isinstance(classes, str) else classes[0]
        yield Member(name, f"transformers:{name}")


def _arguments(entry: Any, build: Any) -> dict[str, object]:
    """Return the arguments that torchvision gives a network for these weights, where they change its figures.

    Vision transformers are made for one size, and segmentation networks have an auxiliary head.
    """
    if build.__module__.endswith(".vision_transformer"):
        return {"image_size": entry.meta["min_size"][0]}
    if ".segmentation" in build.__module__ and "aux_loss" in inspect.signature(build).parameters:
        return {"aux_loss": True}
    return {}


def sizes_of(entry: Any, source: str) -> tuple[str, ...]:
    """Return the inputs of a set of weights, by the size to which its transforms crop or resize."""
    known = getattr(entry.transforms, "keywords", {})
    size = known.get("crop_size", known.get("resize_size"))
    if ".optical_flow" in source:
        height, width = _FLOW
        return (f"1x3x{height}x{width}",) * 2
    if ".detection" in source:
        return (_DETECTION,)
    if size is None:
        return ()
    height, width = _pair(size)
    frames = f"x{_VIDEO_FRAMES}" if ".video" in source else ""
    return (f"1x3{frames}x{height}x{width}",)


def _pair(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return (size, size) if isinstance(size, int) else tuple(size) * (2 // len(size))


def _published(entry: Any) -> dict[str, str]:
    """Return the figures that a set of weights states: operations in thousand millions, and parameters."""
    meta = entry.meta
    stated = {"params": meta.get("num_params"), "macs": meta.get("_ops")}
    return {
        what: str(value) if what == "params" else f"{value}G"
        for what, value in stated.items()
        if value is not None
    }


REGISTRIES: dict[str, Callable[[Any], Iterator[Member]]] = {
    "timm": _timm,
    "torchvision.models": _torchvision,
    "transformers": _transformers,
}
"""The registries, by the module that has each."""
