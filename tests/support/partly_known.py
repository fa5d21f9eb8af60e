"""A network with a call that no formula is known for, between two that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
from flopledger.graph.tables import Input, Layer, Module, Parameter, Reading, Tensor

if TYPE_CHECKING:
    from flopledger.dims.types import Dim


def partly_known(*, known: bool = False, features: int = 5, batch: Dim = 1) -> fl.Graph:
    """Return a dense layer of 3 x 5 weights behind a call of a layer with one weight.

    Args:
        known: Whether the layer of one weight is a known one, a PReLU.
        features: How many outputs the dense layer has.
        batch: How many inputs there are at once.
    """
    source, kind = ("PReLU", "prelu") if known else ("Odd", "unknown")
    modules = (
        Module(0, ("",), "Net", children=(1, 2)),
        Module(1, ("odd",), source, parameters=(("weight", 0),)),
        Module(2, ("fc",), "Linear", parameters=(("weight", 1),)),
    )
    parameters = (
        Parameter(0, ("odd.weight",), (1,), object=0, storage=0),
        Parameter(1, ("fc.weight",), (features, 3), object=1, storage=1),
    )
    layers = (
        Layer(0, "", "container", "Net", module=0, inputs=(0,), outputs=(2,)),
        Layer(1, "odd", kind, source, parent=0, module=1, inputs=(0,), outputs=(1,)),
        Layer(2, "fc", "linear", "Linear", parent=0, module=2, inputs=(1,), outputs=(2,),
              attrs={"in_features": 3, "out_features": features}),
    )  # fmt: skip
    tensors = (Tensor(0, (batch, 3)), Tensor(1, (batch, 3)), Tensor(2, (batch, features)))
    reading = Reading("partly" if not known else "known", "toy", "toy")
    return fl.Graph(reading, (Input("x", 0),), (2,), modules, layers, tensors, parameters)
