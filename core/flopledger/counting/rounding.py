"""Totals without their rounding."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING

from flopledger.expressions.compiler import compile_expression
from flopledger.expressions.functions import ROUNDING

if TYPE_CHECKING:
    from flopledger.expressions.compiler import Expression


@functools.lru_cache(maxsize=256)
def without_rounding(expression: Expression) -> Expression:
    """Return an expression with the argument instead of each call that only rounds it.

    A tool that prints whole numbers has its rounding in ``total``; the ledger states by how much that changed
    the figure, and the same expression without it is the only exact way to know.
    """
    tree = _Unrounded().visit(ast.parse(expression.text.replace("\n", " "), mode="eval"))
    return compile_expression(ast.unparse(tree), where=expression.where)


class _Unrounded(ast.NodeTransformer):
    """Replaces a call of a rounding function by its argument."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in ROUNDING and len(node.args) == 1:
            return node.args[0]
        return node
