"""Products of tensors other than plain matrix products: sums over named axes, rows in groups.

Source of the notation: numpy.einsum.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import product, total
from flopledger.kinds.axes import differ
from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts, dot_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flopledger.dims.types import Dim, Shape

_EQUATION = re.compile(r"([A-Za-z]*(?:,[A-Za-z]*)*)->([A-Za-z]*)\Z")


def _letters(call: Call) -> tuple[tuple[str, ...], str]:
    """Return the index letters of each operand, and of the result."""
    equation = call.word("equation")
    match = _EQUATION.match(equation)
    words = tuple(match[1].split(",")) if match else ()
    if match is None or len(words) != len(call.inputs):
        raise call.impossible(f"{equation!r} is no equation of {len(call.inputs)} operands such as ab,bc->ac")
    if len(set(match[2])) != len(match[2]) or not set(match[2]) <= set(match[1]):
        raise call.impossible(f"the result of {equation!r} has a letter twice, or one that no operand has")
    return words, match[2]


def _index_sizes(call: Call, words: tuple[str, ...]) -> Mapping[str, Dim]:
    sizes: dict[str, Dim] = {}
    for word, shape in zip(words, call.inputs, strict=True):
        if len(word) != len(shape):
            raise call.impossible(f"{word!r} names {len(word)} axes, the operand has {len(shape)}")
        for letter, size in zip(word, shape, strict=True):
            known = sizes.get(letter, 1)
            if differ(known, size) and 1 not in (known, size):
                raise call.impossible(f"the index {letter!r} is both {known} and {size}")
            sizes[letter] = size if known == 1 else known
    return sizes


def einsum_shapes(call: Call) -> tuple[Shape, ...]:
    """The sizes of the result's letters."""
    words, result = _letters(call)
    sizes = _index_sizes(call, words)
    return (tuple(sizes[letter] for letter in result),)


def _pairs(words: tuple[str, ...], result: str) -> Iterator[tuple[str, str, str]]:
    """Yield the letters of both operands and of the result of each product of two.

    Paddle and NumPy contract so, and PyTorch unless it is given an order or finds opt_einsum; TensorFlow's
    order depends on the sizes, and is not followed, so that an einsum costs the same in every source. A
    letter is summed over as soon as no operand to come and no result has it.
    """
    made = words[0]
    for i, word in enumerate(words[1:], 2):
        later = "".join((*words[i:], result))
        out = "".join(letter for letter in dict.fromkeys(made + word) if letter in later)
        yield made, word, out
        made = out


def _each_product(call: Call) -> list[tuple[Dim, Dim]]:
    """Return ``macs`` and ``dots`` of each product of two, from the left; 0 where nothing is summed."""
    words, result = _letters(call)
    sizes = _index_sizes(call, words)
    found: list[tuple[Dim, Dim]] = []
    for left, right, out in _pairs(words, result):
        summed = sorted(set(left).intersection(right) - set(out))
        dots = product(sizes[letter] for letter in out) if summed else 0
        found.append((dots * product(sizes[letter] for letter in summed), dots))
    return found


def einsum_steps(call: Call) -> list[Dim]:
    """Return the ``macs`` of each product of two operands, from the left."""
    return [macs for macs, _ in _each_product(call)]


def einsum_facts(call: Call) -> Facts:
    """``macs`` of two operands are the elements of the result times the sizes that both are summed over.

    Letters of only one operand are summed beforehand; without a common summed letter, elements are only
    multiplied, and a single operand is only summed or transposed. More operands are contracted two by two
    from the left, and the facts are the sums over these products.
    """
    each = _each_product(call)
    return {"macs": total((0, *(macs for macs, _ in each))), "dots": total((0, *(dots for _, dots in each)))}


def einsum_parts(call: Call) -> Parts:
    """The products, the sums, and one addition for each output element with a bias."""
    words, result = _letters(call)
    sizes, facts = _index_sizes(call, words), einsum_facts(call)
    pairs = list(_pairs(words, result))
    only_multiplied = [
        product(sizes[letter] for letter in out)
        for left, right, out in pairs
        if not set(left).intersection(right) - set(out)
    ]
    steps = pairs or [(words[0], "", result)]
    before = [
        _summed_alone(word, left + right + out, sizes) for left, right, out in steps for word in (left, right)
    ]
    parts = dot_parts(facts["macs"], facts["dots"], call.out_elems if call.flag("bias") else 0)
    return {
        **parts,
        "multiplies": total((parts["multiplies"], *only_multiplied)),
        "adds": total((parts["adds"], *before)),
    }


def _summed_alone(word: str, everywhere: str, sizes: Mapping[str, Dim]) -> Dim:
    """Return the additions that sum an operand over the letters that appear nowhere else."""
    letters = dict.fromkeys(word)
    kept = [letter for letter in letters if everywhere.count(letter) > word.count(letter)]
    return product(sizes[letter] for letter in letters) - product(sizes[letter] for letter in kept)


def _groups(call: Call) -> tuple[Shape, Shape]:
    if len(call.inputs) < 2 or not all(len(shape) in (2, 3) for shape in call.inputs[:2]):
        raise call.impossible("a grouped product takes two matrices, or stacks of one for each group")
    return call.inputs[0], call.inputs[1]


def grouped_shapes(call: Call) -> tuple[Shape, ...]:
    """Rows in groups, (T, K) and (G, K, N), give (T, N); columns in groups, (T, K) and (K, N), (G, T, N).

    With a stack on the left, (G, M, K) and (K, N), the columns are in groups: (M, N).
    """
    a, b = _groups(call)
    if differ(a[-1], b[-2]):
        raise call.impossible(f"rows of {a[-1]} can't meet columns of {b[-2]}")
    if len(a) == 2 and len(b) == 2:
        return ((call.dim("groups"), a[0], b[1]),)
    return ((a[0], a[1], b[2]),) if len(a) == len(b) else ((a[-2], b[-1]),)


def grouped_facts(call: Call) -> Facts:
    """Each row is multiplied only with the matrix of its own group: ``macs = T K N``.

    Only where the terms themselves are in groups, G results of T N elements share the K terms.
    """
    a, b = _groups(call)
    terms = a[-1] * a[-2] * b[-1]
    return {"macs": terms * a[0] if len(a) == len(b) == 3 else terms, "dots": call.out_elems}


def grouped_parts(call: Call) -> Parts:
    """A dot product for each output element, plus one addition where there is a bias."""
    facts = grouped_facts(call)
    return dot_parts(facts["macs"], facts["dots"], call.out_elems if call.flag("bias") else 0)


KINDS = (
    Kind(
        name="einsum",
        doc="product of two tensors whose axes are named by letters",
        group="linear",
        attributes=(
            Attribute("equation", "index letters, as in ab,bc->ac"),
            Attribute("bias", "whether a bias is added to each output element", default=False),
        ),
        shapes=einsum_shapes,
        parts=einsum_parts,
        facts=einsum_facts,
    ),
    Kind(
        name="grouped_matmul",
        doc="matrix product whose rows go to a matrix of their group each, as routed experts do",
        group="linear",
        attributes=(
            Attribute("groups", "number of groups", default=1),
            Attribute("bias", "whether a bias is added to each output element", default=False),
        ),
        shapes=grouped_shapes,
        parts=grouped_parts,
        facts=grouped_facts,
    ),
)
