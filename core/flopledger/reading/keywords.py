"""Arguments that the library's functions don't have or that are in another's place, and their meaning."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger.conventions.convention import Convention
from flopledger.conventions.names import known_as
from flopledger.errors import UsageError, near_names, of_type
from flopledger.frontend.description import has_type
from flopledger.frontend.request import LANGUAGE, TRAINING
from flopledger.graph.graph import Graph
from flopledger.plugins import discovery as plugins
from flopledger.quantities import is_figure
from flopledger.reading.given import nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_INPUTS = "input_size=(1, 3, 224, 224)"
_DTYPE = 'inputs="1x128:int64", which has the dtype after the shape'
_STRICT = "the result's total.complete and total.unknown_calls, which say whether all is counted"
MEANT: Mapping[str, str] = {
    **dict.fromkeys(
        ("input_shape", "input_shapes", "input_sizes", "input_res", "image_size", "img_size"), _INPUTS
    ),
    **dict.fromkeys(("input", "size", "shape", "shapes"), _INPUTS),
    **dict.fromkeys(("input_data", "example_inputs", "sample_inputs", "dummy_input"), "inputs="),
    **dict.fromkeys(("batch_size", "batch_dim"), f"{_INPUTS}, whose first size is the batch"),
    **dict.fromkeys(("dtype", "dtypes", "input_dtype"), _DTYPE),
    **{name: f'options={{"{name}": ...}}' for name in ("phase", "stage", "level", *LANGUAGE, *TRAINING)},
    **dict.fromkeys(("strict", "fail_on_unknown"), _STRICT),
    **dict.fromkeys(("training", "is_training"), 'mode="train" or mode="eval"'),
    **dict.fromkeys(("args", "kwargs", "model_kwargs"), "arguments={...}"),
    **dict.fromkeys(("conventions", "tool", "method"), 'convention="mac", one name for each call'),
}
"""Names of arguments in other counters and on the command line, and the place of each here."""

OF_GRAPH = frozenset({"sizes=", "device=", "traffic="})
"""The arguments of a count that are no choice of the reading."""


def check_keywords(
    given: Mapping[str, object],
    convention: Convention,
    function: Callable[..., object],
    *,
    of_graph: bool = False,
) -> None:
    """Refuse a keyword that is no decision of a convention, but is meant as an argument.

    Args:
        given: The keywords that the function has no parameter for.
        convention: The convention whose decisions they may be.
        function: The function that was called.
        of_graph: Whether a graph is counted, whose reading is settled.

    Raises:
        UsageError: The message names the argument that is meant.
    """
    for name in given:
        meant = _meant(name, convention.switches, function)
        if meant and of_graph and meant != "convention=":
            taker = "fl.count(graph, ...)" if meant in OF_GRAPH else "a graph is read already; fl.read()"
            raise UsageError(f"graph.count() has no argument {name}=: {taker} takes {meant}")
        if meant:
            raise UsageError(f"{function.__name__}() has no argument {name}=; did you mean {meant}?")


def _meant(name: str, switches: Iterable[str], function: Callable[..., object]) -> str:
    """Return the argument that a keyword means; nothing for a decision, or a name that is more like one."""
    if name in switches:
        return ""
    known = MEANT.get(name.lower())
    if known:
        return known
    parameters = inspect.signature(function).parameters.values()
    names = [each.name for each in parameters if each.kind is not each.VAR_KEYWORD]
    near = near_names(name, [*switches, *names])
    return f"{near[0]}=" if near and near[0] in names else ""


def refuse_figures(source: str, *conventions: object) -> None:
    """Refuse figures in place of conventions, which the command line alone explains.

    Raises:
        UsageError: The message has the command.
    """
    figures = [name for name in conventions if isinstance(name, str) and is_figure(name)]
    if figures:
        raise UsageError(
            f"{figures[0]!r} is a figure; explain() takes two conventions, such as 'mac' and 'ops'. The "
            f"command explains figures: flopledger explain {source} {' '.join(figures)}"
        )


def check_convention(convention: object) -> None:
    """Refuse a value that names no convention.

    Its text would be looked up, and something be suggested that is spelled like ``None``.

    Raises:
        UsageError: The message names the argument's type.
    """
    if not (has_type(convention, str) or has_type(convention, Path) or has_type(convention, Convention)):
        raise UsageError(
            f"the convention is {of_type(convention)}, expected a name such as 'mac', the path of a file, or "
            "what fl.load() returns; one for each call"
        )


def check_inputs(source: object, inputs: object) -> None:
    """Refuse a second argument that can't be inputs, as it is of all functions that read.

    A graph takes no notice of inputs, so that a convention in their place would give another's figure
    without a word; no spec is the name of a convention, and no file's name is one.

    Raises:
        UsageError: The message states the likely intention.
    """
    if has_type(inputs, Convention):
        raise UsageError(
            _in_place(source, f"the convention {inputs.name!r}", "the convention that you loaded")
        )
    name = str(inputs) if has_type(inputs, str) or has_type(inputs, Path) else ""
    if name.endswith(".toml") or known_as(name, plugins.conventions()) is not None:
        raise UsageError(_in_place(source, f"the convention {name!r}", repr(name)))
    if has_type(source, Graph) and not nothing(inputs):
        named = f"{inputs!r:.60}" if has_type(inputs, str) else of_type(inputs)
        raise UsageError(
            f"{named} is given as the inputs of a graph, which was read with its own: leave it out. "
            "A convention is given by name: fl.count(graph, convention='mac'), or graph.count('mac')"
        )


def _in_place(source: object, found: str, word: str) -> str:
    """Return how to pass a convention that was given in place of inputs."""
    what, given = ("graph", "") if has_type(source, Graph) else ("model", " inputs,")
    call = f"fl.count({what},{given} convention=...)"
    return f"{found} is given in place of the inputs; expected {call}, with {word}"
