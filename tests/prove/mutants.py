"""Changes by one unit: of each formula of a kind, and of each expression of a convention.

A formula is changed in the running program, by another code object in the very function that has it; the
file is not touched. A convention is changed as text.
"""

from __future__ import annotations

import ast
import copy
import gc
import re
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ARITHMETIC = (ast.BinOp, ast.Call, ast.Name, ast.Subscript)
_EXPRESSION = re.compile(r"""^(?P<key>[^#\[=]+?)\s*=\s*"(?P<text>[^"]+)"\s*(#.*)?$""")
_PRICED = re.compile(r"rules|define|reduce|params")


@dataclass(frozen=True)
class Mutant:
    """One change: the file, its line, and how the changed text reads."""

    path: Path
    line: int
    column: int
    what: str
    text: str
    """The changed text of a convention; empty for a formula."""

    @property
    def name(self) -> str:
        """Where the change is, and what it is, as one line."""
        return f"{self.path.name}:{self.line}:{self.column}: {self.what}"


def of_kinds(path: Path) -> Iterator[Mutant]:
    """Yield the changes of a file of kinds: each whole number and each result of a formula, one more."""
    tree = ast.parse(path.read_text())
    for node, what in _places(tree):
        yield Mutant(path, node.lineno, node.col_offset, what, "")


def of_convention(path: Path) -> Iterator[Mutant]:
    """Yield the changes of a convention's file: each expression of its rules, one more."""
    lines = path.read_text().splitlines(keepends=True)
    section = ""
    for number, line in enumerate(lines, 1):
        if line.startswith("["):
            section = line.strip("[] \n")
        found = _EXPRESSION.match(line)
        if found is None or not (_PRICED.match(section) or (not section and found["key"] == "total")):
            continue
        changed = f"{line[: found.start('text')]}({found['text']}) + 1{line[found.end('text') :]}"
        text = "".join([*lines[: number - 1], changed, *lines[number:]])
        yield Mutant(
            path, number, found.start("text"), f"{found['key'].strip()} = ({found['text']}) + 1", text
        )


def _places(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """Yield the expressions inside functions that one is added to."""
    seen: set[ast.expr] = set()
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.Lambda)):
            continue
        body = [function.body] if isinstance(function, ast.Lambda) else function.body
        for node in (inner for part in body for inner in ast.walk(part)):
            for expression in _numbers(node):
                if expression not in seen:
                    seen.add(expression)
                    yield expression, f"({ast.unparse(expression)}) + 1"
        if (
            isinstance(function, ast.Lambda)
            and isinstance(function.body, ast.BinOp)
            and function.body not in seen
        ):
            seen.add(function.body)
            yield function.body, f"({ast.unparse(function.body)}) + 1"


def _numbers(node: ast.AST) -> Iterator[ast.expr]:
    """Yield a whole number, and what a formula gives back: the value of a part, a size or a sum."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield node
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.FloorDiv)):
        yield node


def apply(mutant: Mutant) -> None:
    """Make the change in this process.

    Raises:
        LookupError: No function of the running program has the code that would change.
    """
    tree = ast.parse(mutant.path.read_text())
    changed = _with_one_more(tree, mutant)
    old = dict(_codes(compile(tree, str(mutant.path), "exec")))
    done = 0
    new = dict(_codes(compile(changed, str(mutant.path), "exec")))
    differ = [key for key, code in new.items() if code != old[key]]
    outermost = min(differ, key=len)
    for function in gc.get_objects():
        if isinstance(function, types.FunctionType) and function.__code__ == old[outermost]:
            function.__code__ = new[outermost]
            done += 1
    if not done:
        raise LookupError(f"{mutant.name}: no function runs this code")


def _with_one_more(tree: ast.Module, mutant: Mutant) -> ast.Module:
    changed = copy.deepcopy(tree)
    for node, what in _places(changed):
        if (node.lineno, node.col_offset, what) == (mutant.line, mutant.column, mutant.what):
            grown = ast.BinOp(copy.deepcopy(node), ast.Add(), ast.Constant(1))
            return ast.fix_missing_locations(_Replace(node, ast.copy_location(grown, node)).visit(changed))
    raise LookupError(f"{mutant.name}: the file has changed")


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else super().generic_visit(node)


def _codes(
    code: types.CodeType, above: tuple[object, ...] = ()
) -> Iterator[tuple[tuple[object, ...], types.CodeType]]:
    """Yield the code objects of functions inside a code object, each with the way to it."""
    for number, inner in enumerate(
        constant for constant in code.co_consts if isinstance(constant, types.CodeType)
    ):
        way = (*above, number)
        yield way, inner
        yield from _codes(inner, way)
