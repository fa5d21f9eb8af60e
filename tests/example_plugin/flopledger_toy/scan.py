"""The kind ``toy.scan``: a linear recurrence along the last axis, as in state-space models.

Each of the n elements x of the input updates S states and reads them out:
``h[s] = a[s] h[s] + x`` and ``y = sum over s of c[s] h[s]``.
"""

from __future__ import annotations

from flopledger.frontend import Attribute, Call, Facts, Kind, Parts, same_shape


def scan_facts(call: Call) -> Facts:
    """``macs = 2 S n``: one for each state's update, one for each state's readout."""
    return {"macs": 2 * call.dim("state") * call.in_elems, "dots": call.in_elems}


def scan_parts(call: Call) -> Parts:
    """An update is S products and S sums, a readout S products and S - 1 sums."""
    n, state = call.in_elems, call.dim("state")
    return {"multiplies": 2 * state * n, "adds": (2 * state - 1) * n}


SCAN = Kind(
    name="toy.scan",
    doc="linear recurrence with a diagonal state",
    group="recurrent",
    attributes=(Attribute("state", "states of each channel"),),
    shapes=same_shape,
    parts=scan_parts,
    facts=scan_facts,
)
