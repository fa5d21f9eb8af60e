"""Changes by one unit: of each formula of a kind, and of each expression of a convention.

A formula is changed in the running program, by another code object in the very function that has it; the
file is not touched. A convention is changed as text.
"""

from __future__ import annotations

import ast
import copy
import gc
import re
import tempfile
import types
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger.conventions import loader, names

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECTION = re.compile(r"^\[(?P<name>[^\]]+)\]", re.MULTILINE)
_EXPRESSION = re.compile(
    r'''^(?P<key>[^#\[\n]+?)[ ]=[ ]("""(?P<long>.*?)"""|"(?P<short>[^"\n]+)")''', re.MULTILINE | re.DOTALL
)
_WORDS = ("over", "match")
_CONDITIONS = (ast.BoolOp, ast.Compare)
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
        """The place of the change and the change itself, as one line."""
        return f"{self.path.name}:{self.line}:{self.column}: {self.what}"


def of_kinds(path: Path) -> Iterator[Mutant]:
    """Yield the changes of a file of kinds: each whole number and each result of a formula, one more."""
    tree = ast.parse(path.read_text())
    for node, what in _places(tree):
        yield Mutant(path, node.lineno, node.col_offset, what, "")


def of_convention(path: Path) -> Iterator[Mutant]:
    """Yield the changes of a convention's file: each expression of its rules, one more."""
    text = path.read_text()
    sections = [(found.start(), found["name"]) for found in _SECTION.finditer(text)]
    for found in _EXPRESSION.finditer(text):
        section = next((name for start, name in reversed(sections) if start < found.start()), "")
        if not (_PRICED.match(section) or (not section and found["key"] == "total")):
            continue
        part = "long" if found["long"] else "short"
        grown = _grown(found["key"], " ".join(found[part].split()))
        if not grown:
            continue
        start, end = found.span(part)
        before = text[: found.start()].count("\n") + 1
        column = start - found.start()
        yield Mutant(path, before, column, f"{found['key']} = {grown}", text[:start] + grown + text[end:])


def _grown(key: str, text: str) -> str:
    """Return the expression plus one, or the negated condition; empty where the value is a word."""
    if key in _WORDS:
        return ""
    condition = key == "where" or isinstance(ast.parse(text, mode="eval").body, _CONDITIONS)
    return f"not ({text})" if condition else f"({text}) + 1"


def _places(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """Yield the expressions inside functions that one is added to."""
    seen: set[ast.expr] = set()
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.Lambda)):
            continue
        body = [function.body] if isinstance(function, ast.Lambda) else function.body
        inside = [inner for part in body for inner in _formulas(part)]
        for node in inside:
            if isinstance(node, ast.expr) and _is_amount(node) and node not in seen:
                seen.add(node)
                yield node, f"({ast.unparse(node)}) + 1"


def _formulas(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below it, but no text of a message, and no default, which is read at import."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.keyword) and node.arg == "default"):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _formulas(child)


def _is_amount(node: ast.expr) -> bool:
    """Return whether an expression is a whole number, a product or a quotient, as formulas are made of."""
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.FloorDiv, ast.Pow))


def apply(mutant: Mutant) -> None:
    """Make the change in this process.

    Raises:
        LookupError: No function of the running program has the code that would change.
    """
    if mutant.text:
        _apply_to_convention(mutant)
    else:
        _apply_to_functions(mutant)


def _apply_to_convention(mutant: Mutant) -> None:
    """Let the convention's name stand for a changed copy of its file, for those that extend it too."""
    path = Path(tempfile.mkdtemp(prefix="prove-")) / mutant.path.name
    path.write_text(mutant.text)
    shipped = dict(names.shipped())
    shipped[path.stem] = path
    names.shipped = lambda: shipped
    loader._installed.cache_clear()


def _apply_to_functions(mutant: Mutant) -> None:
    tree = ast.parse(mutant.path.read_text())
    changed = _with_one_more(tree, mutant)
    old = dict(_codes(compile(tree, str(mutant.path), "exec")))
    new = dict(_codes(compile(changed, str(mutant.path), "exec")))
    # A formula may be a function inside another, made by a call that is over: all levels are changed.
    changes = [(old[key], code) for key, code in new.items() if code != old[key]]
    done = 0
    for function in gc.get_objects():
        if not isinstance(function, types.FunctionType):
            continue
        for before, after in changes:
            if function.__code__ == before:
                function.__code__ = after
                done += 1
                break
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
