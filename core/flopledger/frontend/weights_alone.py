"""A network without the inputs that it needs: its modules and parameters, and nothing of what it computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.graph.tables import CONTAINER, UNKNOWN, Reading

if TYPE_CHECKING:
    from flopledger.frontend.builder import GraphBuilder
    from flopledger.frontend.request import Request
    from flopledger.graph.graph import Graph


def gives_no_inputs(request: Request) -> bool:
    """Return whether a request gives no inputs, and is for the parameters, which are known without them."""
    given = request.inputs or request.values is not None or request.inputs_from
    return request.weights_suffice and not given


ADVICE = "give the size of each: -i 1x3x224x224, in Python input_size=(1, 3, 224, 224)"


def weights_of(builder: GraphBuilder, reading: Reading, lacks: str, advice: str = ADVICE) -> Graph:
    """Return a graph of the modules in a builder, each with its parameters, and one unknown call.

    The call stands for all that the network computes. The profile of the reading has ``forward`` = False,
    so that no convention whose figures go by calls takes the rows of modules for calls.

    Args:
        builder: Has the tables of modules and parameters.
        reading: How the network was read.
        lacks: What it takes, in words.
        advice: What the user can do.
    """
    problem = f"no inputs are given, and {lacks}: what it computes depends on them"
    calls: dict[str, int] = {}
    for module in builder.modules:
        path = module.paths[0]
        parent = calls.get(path.rpartition(".")[0]) if path else None
        source = f"{reading.framework}.weights"  # no tool counts a module that is not called
        calls[path] = builder.layer(path, CONTAINER, source, parent=parent, module=module.id)
    source = f"{reading.framework}.forward"
    builder.layer("(operations)", UNKNOWN, source, parent=calls[""], level="op", problem=problem)
    profile = {**reading.profile, "forward": False}
    notes = (*reading.notes, f"{problem}; {advice}")
    read = Reading(
        reading.source, reading.frontend, reading.framework, reading.framework_version, profile, notes
    )
    return builder.build(read, ())
