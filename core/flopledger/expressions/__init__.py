"""Expressions in conventions, files and options: data that is evaluated safely, never code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger.expressions.compiler import Expression, compile_expression

__all__ = [
    "Expression",
    "compile_expression",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Expression": "flopledger.expressions.compiler",
        "compile_expression": "flopledger.expressions.compiler",
    },
)
