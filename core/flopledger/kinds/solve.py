"""Systems of linear equations: factorisations of matrices, and the systems solved with them.

All axes but the last two are a stack of matrices. ``macs`` are the products that are taken off a
sum, one addition each. Pivoting costs the comparisons that find the largest element of each column.
Sources: Golub and Van Loan, *Matrix Computations*, 2013, chapters 3 and 4; Higham, *Accuracy and
Stability of Numerical Algorithms*, 2002, chapter 14. The figures are those of the plain algorithms;
where the work depends on the data or the library's choice there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import floordiv, minimum, product
from flopledger.kinds.axes import broadcast, differ
from flopledger.kinds.kind import Attribute, Call, Facts, Kind, Parts, merged, same_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.dims.types import Dim, Shape


def _matrices(call: Call, shape: Shape) -> tuple[Shape, Dim, Dim]:
    """Return the stack, rows and columns of matrices."""
    if len(shape) < 2:
        raise call.impossible("a matrix has two axes or more")
    return shape[:-2], shape[-2], shape[-1]


def _square(call: Call) -> tuple[Dim, Dim]:
    """Return how many square matrices the first input holds, and their size."""
    stack, m, n = _matrices(call, call.input)
    if differ(m, n):
        raise call.impossible(f"a matrix of {m} rows and {n} columns is not square")
    return product(stack), n


def _sum(n: Dim) -> Dim:
    """Return ``0 + 1 + .. + (n - 1)``."""
    return floordiv(n * (n - 1), 2)


def square_shapes(call: Call) -> tuple[Shape, ...]:
    """The shape stays, and its last two axes are equal."""
    _square(call)
    return (call.input,)


def lu_shapes(call: Call) -> tuple[Shape, ...]:
    """Both factors in one matrix; with ``factors`` the permutation and each factor for itself."""
    stack, m, n = _matrices(call, call.input)
    if not call.flag("factors"):
        return (call.input,)
    k = minimum(m, n)
    return ((*stack, m, m), (*stack, m, k), (*stack, k, n))


def _eliminated(m: Dim, n: Dim) -> tuple[Dim, Dim]:
    """Return the products of an elimination, and its quotients.

    Step j of ``k = min(m, n)`` divides m - j elements and takes a product off (m - j) (n - j) others.
    """
    k = minimum(m, n)
    steps = floordiv(k * (k + 1), 2)
    products = k * m * n - (m + n) * steps + floordiv(k * (k + 1) * (2 * k + 1), 6)
    return products, k * m - steps


def lu_facts(call: Call) -> Facts:
    """``P A = L U``: ``macs = n (n - 1) (2 n - 1) / 6`` for each square matrix."""
    stack, m, n = _matrices(call, call.input)
    return {"macs": product(stack) * _eliminated(m, n)[0], "dots": 0}


def lu_parts(call: Call) -> Parts:
    """Gaussian elimination; with the quotients it takes ``n (n^2 - 1) / 3`` products and quotients.

    Without pivoting nothing is compared.
    """
    stack, m, n = _matrices(call, call.input)
    count = product(stack)
    products, quotients = _eliminated(m, n)
    compares = count * quotients if call.flag("pivot") else 0
    return {**_terms(count * products), "divides": count * quotients, "compares": compares}


def _terms(macs: Dim) -> Parts:
    """Return the parts of products that are each added to a sum, or subtracted from one."""
    return {"multiplies": macs, "adds": macs}


def cholesky_facts(call: Call) -> Facts:
    """``A = L L^T``: ``macs = n (n^2 - 1) / 6`` for each matrix."""
    count, n = _square(call)
    return {"macs": count * floordiv(n * (n * n - 1), 6), "dots": 0}


def cholesky_parts(call: Call) -> Parts:
    """Each of n columns takes a root, and a quotient for each element below it."""
    count, n = _square(call)
    return {**_terms(cholesky_facts(call)["macs"]), "divides": count * _sum(n), "sqrts": count * n}


def solve_shapes(call: Call) -> tuple[Shape, ...]:
    """The second input's shape, both stacks broadcast; with ``vector`` it holds vectors, not matrices."""
    if len(call.inputs) != 2:
        raise call.impossible("a system has two inputs, its matrix and its right-hand sides")
    stack, _, n = _matrices(call, call.input)
    _square(call)
    given = call.inputs[1]
    sides = given[-1:] if call.flag("vector") else given[-2:]
    along = sides[-2] if len(sides) == 2 and call.flag("left") else sides[-1] if sides else 1
    if len(sides) < (1 if call.flag("vector") else 2) or differ(along, n):
        raise call.impossible(f"the right-hand sides don't have {n} elements each")
    return ((*broadcast(call, (stack, given[: len(given) - len(sides)])), *sides),)


def _sides(call: Call) -> tuple[Dim, Dim]:
    """Return how many right-hand sides there are, and the elements of each."""
    _, n = _square(call)
    return 0 if n == 0 else floordiv(call.out_elems, n), n


def triangular_solve_facts(call: Call) -> Facts:
    """``T x = b``: ``macs = n (n - 1) / 2`` for each right-hand side and triangle."""
    sides, n = _sides(call)
    return {"macs": call.whole("triangles") * sides * _sum(n), "dots": 0}


def triangular_solve_parts(call: Call) -> Parts:
    """Substitution, and a quotient for each element unless the diagonal is of ones."""
    sides, n = _sides(call)
    divided = call.whole("triangles") - call.whole("unit")
    return {**_terms(triangular_solve_facts(call)["macs"]), "divides": divided * sides * n}


def _substituted(call: Call) -> tuple[Dim, Dim]:
    """Return the products and the quotients of two triangles, one of them with ones on its diagonal."""
    sides, n = _sides(call)
    return 2 * sides * _sum(n), sides * n


def solve_facts(call: Call) -> Facts:
    """``A x = b``: an elimination, then two triangles for each right-hand side."""
    return {"macs": lu_facts(call)["macs"] + _substituted(call)[0], "dots": 0}


def solve_parts(call: Call) -> Parts:
    """The elimination with pivoting, then the two substitutions."""
    count, n = _square(call)
    products, quotients = _substituted(call)
    below = count * _sum(n)
    macs = lu_facts(call)["macs"] + products
    return {**_terms(macs), "divides": below + quotients, "compares": below}


def inverse_facts(call: Call) -> Facts:
    """``A^-1`` by Gauss and Jordan: ``macs = n (n - 1)^2`` for each matrix."""
    count, n = _square(call)
    return {"macs": count * n * (n - 1) * (n - 1), "dots": 0}


def inverse_parts(call: Call) -> Parts:
    """In all ``n^3`` products and quotients, ``n^2`` of them quotients, and ``n (n - 1)^2`` additions."""
    count, n = _square(call)
    macs = inverse_facts(call)["macs"]
    return {
        "multiplies": macs + count * n * (n - 1),
        "adds": macs,
        "divides": count * n * n,
        "compares": count * _sum(n),
    }


def det_shapes(call: Call) -> tuple[Shape, ...]:
    """A number for each matrix; of a logarithm its sign comes first."""
    _square(call)
    return (call.input[:-2],) * (2 if call.kind.name == "log_det" else 1)


def _pivoted(call: Call) -> Parts:
    count, n = _square(call)
    below = count * _sum(n)
    return {**_terms(lu_facts(call)["macs"]), "divides": below, "compares": below}


def det_parts(call: Call) -> Parts:
    """An elimination, and the product of the n elements of the diagonal."""
    count, n = _square(call)
    return merged(_pivoted(call), {"multiplies": count * (n - 1)})


def log_det_parts(call: Call) -> Parts:
    """An elimination, and the sum of the logarithms of n magnitudes, one comparison each."""
    count, n = _square(call)
    return merged(_pivoted(call), {"adds": count * (n - 1), "logs": count * n, "compares": count * n})


def svd_shapes(call: Call) -> tuple[Shape, ...]:
    """``U, S, V^T`` of (m, n) are (m, k), (k) and (k, n) for ``k = min(m, n)``.

    With ``full`` U is (m, m) and V (n, n).
    """
    stack, m, n = _matrices(call, call.input)
    k, full = minimum(m, n), call.flag("full")
    return ((*stack, m, m if full else k), (*stack, k), (*stack, n if full else k, n))


def eig_shapes(call: Call) -> tuple[Shape, ...]:
    """A matrix of n rows has n values, and with ``vectors`` n vectors."""
    _square(call)
    return (call.input[:-1], call.input) if call.flag("vectors") else (call.input[:-1],)


def _linear(
    name: str,
    doc: str,
    rules: tuple[Callable[[Call], tuple[Shape, ...]], Callable[[Call], Parts], Callable[[Call], Facts]],
    *attributes: Attribute,
) -> Kind:
    shapes, parts, facts = rules
    return Kind(
        name=name, doc=doc, group="linear", shapes=shapes, attributes=attributes, parts=parts, facts=facts
    )


_VECTOR = Attribute("vector", "whether the second input holds vectors", default=False)
_LEFT = Attribute("left", "whether the matrix is on the left of the unknowns", default=True)

KINDS = (
    _linear(
        "lu",
        "factors of a matrix, a lower and an upper triangle",
        (lu_shapes, lu_parts, lu_facts),
        Attribute("pivot", "whether rows are exchanged", default=True),
        Attribute("factors", "whether the factors are outputs of their own", default=False),
    ),
    _linear(
        "cholesky",
        "the triangle whose square a positive definite matrix is",
        (square_shapes, cholesky_parts, cholesky_facts),
    ),
    _linear(
        "triangular_solve",
        "systems of equations whose matrix is a triangle, or a product of two",
        (solve_shapes, triangular_solve_parts, triangular_solve_facts),
        Attribute("triangles", "how many triangles, 1 or 2", default=1),
        Attribute("unit", "how many of them have ones on their diagonal", default=0),
        _VECTOR,
        _LEFT,
    ),
    _linear("solve", "systems of equations", (solve_shapes, solve_parts, solve_facts), _VECTOR, _LEFT),
    _linear("inverse", "inverse of a matrix", (square_shapes, inverse_parts, inverse_facts)),
    _linear("det", "determinant", (det_shapes, det_parts, lu_facts)),
    _linear(
        "log_det",
        "sign of the determinant, and the logarithm of its magnitude",
        (det_shapes, log_det_parts, lu_facts),
    ),
    Kind(
        name="svd",
        doc="singular values and vectors; the iterations depend on the data",
        group="transform",
        attributes=(Attribute("full", "whether U and V are square", default=False),),
        shapes=svd_shapes,
        parts=None,
    ),
    Kind(
        name="eig",
        doc="eigenvalues and eigenvectors; the iterations depend on the data",
        group="transform",
        attributes=(Attribute("vectors", "whether the vectors are an output", default=True),),
        shapes=eig_shapes,
        parts=None,
    ),
    Kind(
        name="matrix_exp",
        doc="exponential of a matrix; the terms of its series depend on the data",
        group="transform",
        shapes=same_shape,
        parts=None,
    ),
)
