"""A model without the inputs that it needs: its modules and parameters, and none of its operations.

torchinfo and others print the parameters of such a model too; its operations depend on the inputs.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from flopledger.frontend import GraphBuilder, Reading, kinds, weights_alone
from torch import __version__ as torch_version

from flopledger_torch.modules import module_tables, registered_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from flopledger.frontend import Graph, Request


def lacks_inputs(model: torch.nn.Module, request: Request) -> bool:
    """Return whether a request for a model's parameters gives none of the inputs that its forward needs."""
    if request.options or not weights_alone.gives_no_inputs(request):
        return False
    try:
        inspect.signature(model.forward).bind()
    except TypeError:
        return True
    except ValueError:  # of a compiled function, which has no signature
        return False
    return False


def weights_of(
    model: torch.nn.Module, request: Request, profile: Mapping[str, Any], notes: tuple[str, ...]
) -> Graph:
    """Return a graph of the modules, each with its parameters, and one unknown call."""
    registered = registered_in(model)
    builder = GraphBuilder(kinds())
    builder.modules, builder.parameters = module_tables(registered, str(profile["mode"]))
    reading = Reading(request.source, "torch", "torch", torch_version, dict(profile), notes)
    takes = inspect.signature(model.forward)
    return weights_alone.weights_of(builder, reading, f"its forward takes {takes}")
