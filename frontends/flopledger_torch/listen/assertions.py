"""Assertions about data, which a reading takes as holding.

``assert mask.all()``, ``if (ids >= n).any(): raise ...`` and ``torch._check_tensor_all(...)`` decide nothing
in a forward that runs: a network that raises has no figure. Which of them asks for a value is seen in the
source of the line that runs, since by the time the value is asked for, only its truth is wanted.
"""

from __future__ import annotations

import ast
import functools
import linecache
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from flopledger.frontend import user_code

if TYPE_CHECKING:
    from types import CodeType, FrameType

_TORCH = f"{Path(torch.__file__).parent}/"
_MACHINERY = (
    f"{Path(__file__).parents[1]}/",
    *(f"{_TORCH}{name}" for name in ("_ops.py", "_tensor.py", "_subclasses/", "utils/_python_dispatch.py")),
    *(f"{_TORCH}{name}" for name in ("_dynamo/", "utils/_stats.py")),
)
"""Code between a question and the code that asks it."""
_CHECKS = ("_check", "_assert")
"""How torch's own checks begin, which raise unless their argument is true."""


def answer() -> tuple[bool, str] | None:
    """Return the truth value with which the assertion that asks holds, and its line; None if none asks."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_MACHINERY):
        frame = frame.f_back
    if frame is None:
        return None
    wanted = _wanted(frame.f_code, frame.f_lasti)
    if wanted is None:
        return None
    return wanted, _line(frame)


def _line(frame: FrameType) -> str:
    """Return the line that asserts, of the model's own code if one of torch's checks was called there."""
    one: FrameType | None = frame
    while one is not None and one.f_code.co_filename.startswith(_TORCH):
        one = one.f_back
    if one is None or one.f_code.co_filename.startswith(_MACHINERY):
        one = frame
    name, number = one.f_code.co_filename, one.f_lineno
    return user_code.quoted_line(name, number)


@functools.lru_cache(maxsize=1024)
def _wanted(code: CodeType, instruction: int) -> bool | None:
    """Return the answer that lets the statement go on that an instruction belongs to.

    A call of ``bool`` or ``item`` has a place of its own. A jump has that of the whole statement (Python
    3.11), and it asks about the result of the instruction before it.
    """
    unit = instruction // 2
    for place in reversed(list(islice(code.co_positions(), max(unit - 1, 0), unit + 1))):
        found = None if None in place else _at(code.co_filename, place)
        if found is not None:
            return found
    return None


def _at(file: str, place: tuple[int | None, ...]) -> bool | None:
    """Return the answer that an expression needs for its statement to go on; None where none asks."""
    for statement in ast.walk(_tree(file)):
        if isinstance(statement, ast.Assert):
            found = _through(statement.test, place, wanted=True)
        elif isinstance(statement, ast.If) and isinstance(statement.body[-1], ast.Raise):
            found = _through(statement.test, place, wanted=False)
        elif isinstance(statement, ast.Call) and _name(statement.func).startswith(_CHECKS):
            answers = [_through(argument, place, wanted=True) for argument in statement.args]
            found = next((one for one in answers if one is not None), None)
        else:
            continue
        if found is not None:
            return found
    return None


@functools.lru_cache(maxsize=8)
def _tree(file: str) -> ast.AST:
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _through(node: ast.expr, place: tuple[int | None, ...], *, wanted: bool) -> bool | None:
    """Return the truth value of the expression at a place for which the one around it is as wanted."""
    truth = isinstance(node, ast.BoolOp) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))
    if not truth and (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset) == place:
        return wanted
    inner: list[ast.expr] = []
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _through(node.operand, place, wanted=not wanted)
    if isinstance(node, ast.BoolOp):
        inner = node.values
    elif isinstance(node, ast.Call) and _name(node.func) == "bool":
        inner = node.args
    elif isinstance(node, ast.Call) and _name(node.func) == "item" and isinstance(node.func, ast.Attribute):
        inner = [node.func.value]
    answers = [_through(one, place, wanted=wanted) for one in inner]
    return next((one for one in answers if one is not None), None)
