"""The name of an operator: files name tensors alone, so that an operator goes by its result."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flopledger.frontend import split_name

from flopledger_tflite.tables.elements import FUSED

if TYPE_CHECKING:
    from flopledger.frontend import Scopes

    from flopledger_tflite.flat.model import Graph, Operator

SCOPE = "tflite.Scope"
"""The type of a scope: a file states no classes."""

_WORDS = {
    "CONV_2D": re.compile(r"conv", re.IGNORECASE),
    "CONV_3D": re.compile(r"conv", re.IGNORECASE),
    "TRANSPOSE_CONV": re.compile(r"conv.*transpose|conv", re.IGNORECASE),
    "DEPTHWISE_CONV_2D": re.compile(r"depthwise", re.IGNORECASE),
    "FULLY_CONNECTED": re.compile(r"matmul|dot|tensordot|dense", re.IGNORECASE),
}
"""The names of TensorFlow's own operators that these were made of."""
_OUTPUT = re.compile(r"(?:StatefulPartitionedCall|PartitionedCall|Identity)[_0-9]*(?::\d+)?\Z")
"""The names of a network's outputs, which say nothing of the operator."""
_PLACE = re.compile(r":\d+\Z")
_CALLED = re.compile(r"_\d+\Z")


def root_of(graph: Graph) -> str:
    """Return the scope that all names have in common, that of the model itself; empty where there is none."""
    names = (graph.tensors[i].name for operator in graph.operators for i in operator.outputs)
    found = {part.partition("/")[0] for name in names for part in name.split(";")[:1] if "/" in part}
    return f"{found.pop()}/" if len(found) == 1 else ""


def name_of_call(graph: Graph, operator: Operator, type_: str, number: int, root: str) -> str:
    """Return the name of an operator, without the scope ``root`` of the model.

    A converter joins the names of fused operators, as in
    ``net/relu/Relu;net/bn/batchnorm/mul_1;net/conv/convolution``: the part that names the operator's own sort
    is its name, else the first.
    """
    names = [graph.tensors[i].name for i in operator.outputs if graph.tensors[i].name]
    if not names or _OUTPUT.match(names[0]):
        return f"{type_.lower()}_{number}"
    parts = _parts(names[0], root)
    words = _WORDS.get(type_)
    own = [part for part in parts if words is not None and words.search(part.rpartition("/")[2])]
    return (own or parts or [f"{type_.lower()}_{number}"])[0]


def name_of_activation(graph: Graph, operator: Operator, fused: int, name: str, root: str) -> str:
    """Return the name of the activation that an operator does at its end."""
    kind = FUSED[fused][0].lower()
    parts = _parts(graph.tensors[operator.outputs[0]].name, root)
    own = [part for part in parts if _CALLED.sub("", part.rpartition("/")[2]).lower() == kind]
    return own[0] if own and own[0] != name else f"{name}/{kind}"


def _parts(name: str, root: str) -> list[str]:
    return [_PLACE.sub("", part).removeprefix(root) for part in name.split(";") if part]


def scopes_of(name: str) -> Scopes:
    """Return the modules around an operator, as its name has them between slashes."""
    return split_name(name, SCOPE)
