"""Products written with index letters: the equations of einsum."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flopledger.frontend import Shape


def explicit(equation: str, inputs: tuple[Shape, ...]) -> str:
    """Return an equation without spaces and ``...``, and with its output written out."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    used = set(left + right)
    spare = [chr(code) for code in (*range(65, 91), *range(97, 123)) if chr(code) not in used]
    dots = [len(shape) - len(term.replace("...", "")) for term, shape in zip(terms, inputs, strict=True)]
    widest = max((n for n, term in zip(dots, terms, strict=True) if "..." in term), default=0)
    fill = "".join(spare[:widest])
    terms = [
        term.replace("...", fill[widest - n :] if n else "") for n, term in zip(dots, terms, strict=True)
    ]
    if not arrow:
        letters = "".join(terms)
        once = sorted(c for c in set(letters) if letters.count(c) == 1 and c not in fill)
        right = fill + "".join(once)
    return in_order(f"{','.join(terms)}->{right.replace('...', fill)}")


def in_order(equation: str) -> str:
    """Return an equation with its letters renamed: a, b, c in the order in which they first occur."""
    letters = dict.fromkeys(c for c in equation if c.isalpha())
    return equation.translate({ord(old): chr(97 + i) for i, old in enumerate(letters)})


def tensordot(axes: int | tuple[object, object], a: int, b: int) -> str:
    """Return the equation of a tensor product over axes: the last and first n, or pairs of them."""
    if isinstance(axes, int):
        left, right = list(range(a - axes, a)), list(range(axes))
    else:
        left, right = (_listed(side) for side in axes)
    x = [chr(97 + i) for i in range(a)]
    y = [chr(97 + a + i) for i in range(b)]
    for i, j in zip(left, right, strict=True):
        y[j % b] = x[i % a]
    return in_order(f"{''.join(x)},{''.join(y)}->{''.join([*_alone(x, y), *_alone(y, x)])}")


def _alone(letters: list[str], others: list[str]) -> list[str]:
    return [letter for letter in letters if letter not in others]


def _listed(side: object) -> list[int]:
    return [int(str(axis)) for axis in side] if isinstance(side, (tuple, list)) else [int(str(side))]
