"""The probes of the PyTorch peers, by name: networks of one layer, one function or a few.

``PROBES[name]()`` makes a model, in the mode that it is to be run in, and its inputs by name. No two
sizes in a probe are equal by accident. Importing this module imports torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

    Inputs = dict[str, torch.Tensor]
    Build = Callable[[], tuple[nn.Module, Inputs]]

PROBES: dict[str, Build] = {}
"""The maker of each probe."""

BARE = ("Conv2d", "Linear", "ReLU", "BatchNorm2d", "LSTM")
"""The layers that are also probed as a network of their own."""


class Holder(nn.Module):
    """One layer, called once with all the inputs."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x0: torch.Tensor, x1: Any = None, x2: Any = None) -> Any:
        return self.layer(*(x for x in (x0, x1, x2) if x is not None))


class Called(nn.Module):
    """One function of the inputs and of the module, which holds the weights."""

    def __init__(self, function: Callable[..., Any], weights: dict[str, tuple[int, ...]]) -> None:
        super().__init__()
        self.function = function
        for name, shape in weights.items():
            self.register_parameter(name, nn.Parameter(torch.rand(shape)))

    def forward(self, x0: torch.Tensor, x1: Any = None, x2: Any = None) -> Any:
        return self.function(self, *(x for x in (x0, x1, x2) if x is not None))


def named(*tensors: torch.Tensor) -> Inputs:
    """Name inputs x0, x1, x2."""
    return {f"x{i}": tensor for i, tensor in enumerate(tensors)}


def ids(*shape: int, below: int = 20) -> torch.Tensor:
    """Make an input of whole numbers."""
    return torch.randint(0, below, shape)


def network(name: str, build: Callable[[], nn.Module], *shapes: tuple[int, ...], train: bool = False) -> None:
    """Add a probe: a network, and the shapes of its inputs."""
    assert name not in PROBES, name
    PROBES[name] = lambda: (build().train(train), named(*(torch.rand(s) for s in shapes)))


def layer(name: str, make: Callable[[], nn.Module], *shapes: tuple[int, ...], train: bool = False) -> None:
    """Add a probe of one layer inside of a network."""
    network(name, lambda: Holder(make()), *shapes, train=train)


def function(
    name: str, apply: Callable[..., Any], *shapes: tuple[int, ...], **weights: tuple[int, ...]
) -> None:
    """Add a probe of one function."""
    network(name, lambda: Called(apply, weights), *shapes)


def integers(name: str, build: Callable[[], nn.Module], *shape: int, below: int = 20) -> None:
    """Add a probe of a network that takes whole numbers."""
    assert name not in PROBES, name
    PROBES[name] = lambda: (build().eval(), named(ids(*shape, below=below)))


def every_probe() -> dict[str, Build]:
    """Return all probes, small ones first, and the whole networks after them."""
    import torch_corners
    import torch_functions
    import torch_layers
    import torch_models
    import torch_structures

    for part in (torch_layers, torch_functions, torch_structures, torch_corners, torch_models):
        part.add()
    return PROBES
