"""Sums of products over named indices: Einstein's summation.

Source: numpy.einsum. The equation is explicit, ``ab,bc->ac``, with one letter for each axis.
"""

from __future__ import annotations

import re

from flopledger.dims import Dim, Shape, product
from flopledger.kinds.axes import differ
from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts, dot_parts

_EQUATION = re.compile(r"([A-Za-z]*(?:,[A-Za-z]*)*)->([A-Za-z]*)\Z")


def _indices(call: Call) -> tuple[dict[str, Dim], str]:
    """Return the size of each index, and the indices of the output."""
    equation = call.word("equation")
    match = _EQUATION.match(equation)
    terms = match[1].split(",") if match else []
    if match is None or len(terms) != len(call.inputs):
        raise call.impossible(f"{equation!r} is no equation of {len(call.inputs)} operands such as ab,bc->ac")
    sizes: dict[str, Dim] = {}
    for term, shape in zip(terms, call.inputs, strict=True):
        if len(term) != len(shape):
            raise call.impossible(f"{term!r} in {equation!r} stands for {len(term)} axes, found {len(shape)}")
        for letter, size in zip(term, shape, strict=True):
            if differ(sizes.setdefault(letter, size), size):
                raise call.impossible(f"{letter!r} in {equation!r} is both {sizes[letter]} and {size}")
    if not set(match[2]) <= set(sizes):
        raise call.impossible(f"the output of {equation!r} has an index that no operand has")
    return sizes, match[2]


def einsum_shapes(call: Call) -> tuple[Shape, ...]:
    """The sizes of the output's indices."""
    sizes, out = _indices(call)
    return (tuple(sizes[letter] for letter in out),)


def einsum_facts(call: Call) -> Facts:
    """``macs = (k - 1) prod(sizes of all indices)`` for k operands, each product formed on its own.

    One operand is only summed up or turned. The sums of products are the elements of the output.
    """
    sizes, _ = _indices(call)
    factors = len(call.inputs) - 1
    return {"macs": factors * product(sizes.values()), "dots": call.out_elems if factors else 0}


def einsum_parts(call: Call) -> Parts:
    """``(k - 1)`` products for each term, and the additions that sum the terms up, one less than terms."""
    sizes, _ = _indices(call)
    terms, bias = product(sizes.values()), call.out_elems if call.flag("bias") else 0
    parts = dot_parts(terms, call.out_elems, bias)
    return {**parts, "multiplies": (len(call.inputs) - 1) * terms}


KINDS = (
    Kind(
        name="einsum",
        doc="sum of products over named indices",
        group="linear",
        attributes=(
            Attribute("equation", "the indices of operands and output, explicit, such as ab,bc->ac"),
            Attribute("bias", "whether a bias is added to each output element", default=False),
        ),
        shapes=einsum_shapes,
        parts=einsum_parts,
        facts=einsum_facts,
    ),
)
