"""A model without the inputs that it needs: its modules and parameters, and nothing of what it computes.

torchinfo and others print the parameters of such a model too; what it computes depends on the inputs.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from flopledger.frontend import CONTAINER, UNKNOWN, GraphBuilder, Reading, kinds
from torch import __version__ as torch_version

from flopledger_torch.modules import module_tables, registered_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from flopledger.frontend import Graph, Request

HELD = "torch.weights"
"""The source of the rows of modules: no tool counts a module that is not called."""
SOURCE = "torch.forward"
"""The source of the call that stands for all that the model computes."""


def lacks_inputs(model: torch.nn.Module, request: Request) -> bool:
    """Return whether a request for a model's parameters gives none of the inputs that its forward needs."""
    given = request.inputs or request.values is not None or request.inputs_from or request.options
    if not request.weights_suffice or given:
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
    calls: dict[str, int] = {}
    for number, _module in enumerate(registered.modules):
        path = registered.paths[number][0]
        above = path.rpartition(".")[0]
        parent = calls.get(above) if path else None
        calls[path] = builder.layer(path, CONTAINER, HELD, parent=parent, module=number)
    takes = inspect.signature(model.forward)
    problem = f"no inputs are given, and its forward takes {takes}: what it computes depends on them"
    builder.layer("(operations)", UNKNOWN, SOURCE, parent=0, level="op", problem=problem)
    note = f"{problem}; give the size of each: -i 1x3x224x224, in Python input_size=(1, 3, 224, 224)"
    reading = Reading(request.source, "torch", "torch", torch_version, dict(profile), (*notes, note))
    return builder.build(reading, ())
