"""The safe evaluator: expressions in conventions, files and options are data, never code.

An expression is parsed by Python's own parser, checked node by node against a short list, and
turned into closures over a scope, a function from names to values. It can call nothing but the
functions of :mod:`flopledger.expressions.functions`, reach no attribute, and not grow without bound.
Arithmetic is exact: whole numbers, fractions and symbols, never floats.

``a.b`` is a name in a namespace (``native.kernel_size``, ``switch.bias``), and only that.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from flopledger.dims.bounds import number, whole
from flopledger.errors import ExpressionError, SourceError, Unbounded, nearest, shown
from flopledger.expressions import functions
from flopledger.meter import metered, spend
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flopledger.dims.types import Number

LONGEST = 20_000
"""The longest expression that is read, in characters."""
DEEPEST = 120
"""The deepest nesting that is read."""
NAMESPACES = ("native", "switch")
"""The names that may precede a dot."""

Scope: TypeAlias = Callable[[str], object]
"""Gives the value of a name; raises KeyError where there is none."""
Run: TypeAlias = Callable[[Scope], object]
T = TypeVar("T")
Binary: TypeAlias = Callable[[object, object], object]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: its text, the names that it reads, and how to evaluate it."""

    text: str
    names: frozenset[str]
    run: Run
    where: str = ""

    def __call__(self, scope: Scope) -> object:
        """Evaluate in a scope.

        Raises:
            ExpressionError: A name has no value here, or the arithmetic has no result.
        """
        try:
            with metered():
                return self.run(scope)
        except ZeroDivisionError:
            raise ExpressionError(f"{self.where}division by zero in {_short(self.text)!r}") from None
        except (ExpressionError, Unbounded) as error:
            raise ExpressionError(_nested(f"{self.where}{error} in {_short(self.text)!r}")) from None
        except SourceError:
            raise
        except RecursionError:
            raise ExpressionError(f"{self.where}{_short(self.text)!r} is nested too deeply") from None
        except (TypeError, ValueError, IndexError, KeyError, OverflowError, AttributeError) as error:
            raise ExpressionError(f"{self.where}{_short(self.text)!r} has no value here: {error}") from None

    def number(self, scope: Scope) -> Number:
        """Evaluate to a number.

        Raises:
            ExpressionError: There is no value, or it is not a number.
        """
        value = self(scope)
        try:
            return number(value)
        except (TypeError, Unbounded):
            message = f"{self.where}{_short(self.text)!r} gives {shown(value)}, expected a number"
            raise ExpressionError(message) from None


def compile_expression(text: str, known: Iterable[str] | None = None, where: str = "") -> Expression:
    """Compile an expression.

    Args:
        text: The expression.
        known: The names it may read; others are errors. None allows any name. A whole namespace is
            allowed by ``"native.*"``.
        where: The prefix of every message, such as ``"mac.toml:12: "``.

    Raises:
        ExpressionError: It is malformed, forbidden, or reads a name that is not known.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"{where}an expression of {len(text)} characters; at most {LONGEST} are read")
    try:
        tree = ast.parse(text.replace("\n", " ").strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        raise ExpressionError(f"{where}{_short(text)!r} is not an expression: {reason}") from None
    compiler = _Compiler(None if known is None else frozenset(known), where)
    try:
        run = compiler.compile(tree.body, 0)
    except Unbounded as error:
        raise ExpressionError(f"{where}{error} in {_short(text)!r}") from None
    except RecursionError:
        raise ExpressionError(f"{where}{_short(text)!r} is nested too deeply") from None
    return Expression(text.strip(), frozenset(compiler.names), run, where)


def evaluate(text: str, names: Mapping[str, object], where: str = "") -> object:
    """Compile and evaluate in one step, over the names given."""
    return compile_expression(text, names, where)(names.__getitem__)


def _short(text: str) -> str:
    limit = 60
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _nested(message: str) -> str:
    """Leave out the middle of a message that went through many definitions."""
    limit = 500
    return message if len(message) <= limit else f"{message[:300]} ... {message[-150:]}"


class _Compiler:
    """Turns the nodes of one expression into closures."""

    def __init__(self, known: frozenset[str] | None, where: str) -> None:
        self.known, self.where = known, where
        self.names: set[str] = set()
        self.local: list[str] = []

    def compile(self, node: ast.expr, depth: int) -> Run:  # noqa: PLR0911  (one return a node)
        """Compile one node."""
        if depth > DEEPEST:
            raise ExpressionError(f"{self.where}an expression nested more than {DEEPEST} levels deep")
        depth += 1
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name(id=name):
                return self._name(name)
            case ast.Attribute(value=ast.Name(id=space), attr=attr) if space in NAMESPACES and attr[0] != "_":
                return self._name(f"{space}.{attr}")
            case ast.BinOp() if type(node.op) in _BINARY:
                return self._binary(_BINARY[type(node.op)], node.left, node.right, depth)
            case ast.UnaryOp(op=ast.USub() | ast.Not()):
                return self._unary(node, depth)
            case ast.BoolOp():
                return self._logical(node, depth)
            case ast.Compare() if all(type(op) in _COMPARE for op in node.ops):
                return self._compare(node, depth)
            case ast.IfExp():
                return self._conditional(node, depth)
            case ast.Subscript():
                return self._subscript(node, depth)
            case ast.Tuple() | ast.List():
                return self._list(node, depth)
            case ast.Call(func=ast.Name(id=name), keywords=[]):
                return self._call(name, node.args, depth)
        raise self._forbidden(node)

    def _forbidden(self, node: ast.AST) -> ExpressionError:
        what = {ast.Attribute: "an attribute", ast.Call: "a call"}.get(type(node), type(node).__name__)
        return ExpressionError(
            f"{self.where}{what} is not allowed in an expression: {_short(ast.unparse(node))!r}"
        )

    def _constant(self, node: ast.Constant) -> Run:
        value: object = node.value
        if not isinstance(value, (int, float, str, type(None))):
            raise self._forbidden(node)
        if isinstance(value, float):
            value = self._fraction(node)
        elif isinstance(value, int) and not isinstance(value, bool):
            value = number(value)
        return lambda _: value

    def _fraction(self, node: ast.Constant) -> object:
        text = ast.unparse(node)
        if "inf" in text or abs(int(text.lower().partition("e")[2] or 0)) > functions.LARGEST_EXPONENT:
            raise ExpressionError(f"{self.where}the number {text} is out of range")
        return number(Fraction(text))

    def _name(self, name: str) -> Run:
        if name not in self.local:
            self._check(name)
            self.names.add(name)

        def read(scope: Scope) -> object:
            try:
                return scope(name)
            except KeyError:
                raise ExpressionError(f"there is no {name!r} here") from None

        return read

    def _check(self, name: str) -> None:
        space, dot, _ = name.partition(".")
        if self.known is None or name in self.known or (dot and f"{space}.*" in self.known):
            return
        known = [n for n in self.known if not n.endswith("*")]
        raise ExpressionError(f"{self.where}nothing is called {name!r}{nearest(name, known)}")

    def _binary(self, function: Binary, left: ast.expr, right: ast.expr, depth: int) -> Run:
        a, b = self.compile(left, depth), self.compile(right, depth)
        return lambda scope: function(a(scope), b(scope))

    def _unary(self, node: ast.UnaryOp, depth: int) -> Run:
        operand = self.compile(node.operand, depth)
        if isinstance(node.op, ast.Not):
            return lambda scope: not operand(scope)
        return lambda scope: functions.negative(operand(scope))

    def _logical(self, node: ast.BoolOp, depth: int) -> Run:
        parts = [self.compile(value, depth) for value in node.values]
        stop = isinstance(node.op, ast.Or)

        def run(scope: Scope) -> object:
            result: object = not stop
            for part in parts:
                result = part(scope)
                if bool(result) is stop:
                    break
            return result

        return run

    def _compare(self, node: ast.Compare, depth: int) -> Run:
        first = self.compile(node.left, depth)
        steps = [
            (_COMPARE[type(op)], self.compile(right, depth))
            for op, right in zip(node.ops, node.comparators, strict=True)
        ]

        def run(scope: Scope) -> bool:
            left = first(scope)
            for holds, right in steps:
                value = right(scope)
                if not holds(left, value):
                    return False
                left = value
            return True

        return run

    def _conditional(self, node: ast.IfExp, depth: int) -> Run:
        test = self.compile(node.test, depth)
        yes, no = self.compile(node.body, depth), self.compile(node.orelse, depth)
        return lambda scope: yes(scope) if test(scope) else no(scope)

    def _subscript(self, node: ast.Subscript, depth: int) -> Run:
        base = self.compile(node.value, depth)
        if isinstance(node.slice, ast.Slice):
            bounds = [
                None if part is None else self.compile(part, depth)
                for part in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            return lambda scope: _charged(
                functions.values(base(scope))[
                    slice(*(None if b is None else _index(b(scope)) for b in bounds))
                ]
            )
        index = self.compile(node.slice, depth)
        return lambda scope: functions.values(base(scope))[_index(index(scope))]

    def _list(self, node: ast.Tuple | ast.List, depth: int) -> Run:
        items = [self.compile(item, depth) for item in node.elts]
        return lambda scope: tuple(item(scope) for item in items)

    def _call(self, name: str, args: list[ast.expr], depth: int) -> Run:
        if name == "opt":
            return self._optional(args, depth)
        function = functions.FUNCTIONS.get(name)
        if function is None:
            known = [*functions.FUNCTIONS, "opt"]
            message = f"{self.where}a call of {name!r} is not allowed in an expression{nearest(name, known)}"
            raise ExpressionError(message)
        if len(args) == 1 and isinstance(args[0], ast.GeneratorExp):
            run = self._generator(args[0], depth)
            return lambda scope: function(tuple(run(scope)))
        runs = [self.compile(arg, depth) for arg in args]
        return lambda scope: function(*[_charged(run(scope)) for run in runs])

    def _optional(self, args: list[ast.expr], depth: int) -> Run:
        """``opt(name, default)``: the value of a name that may be missing here."""
        if len(args) != 2 or not isinstance(args[0], (ast.Name, ast.Attribute)):
            raise ExpressionError(
                f"{self.where}opt takes a name and a default, as in opt(native.affine, False)"
            )
        value, default = self.compile(args[0], depth), self.compile(args[1], depth)
        name = ast.unparse(args[0])

        def run(scope: Scope) -> object:
            try:
                scope(name)
            except (KeyError, ExpressionError):
                return default(scope)
            return value(scope)

        return run

    def _generator(self, node: ast.GeneratorExp, depth: int) -> Callable[[Scope], Iterator[object]]:
        if len(node.generators) != 1 or node.generators[0].is_async:
            raise self._forbidden(node)
        clause = node.generators[0]
        targets = clause.target.elts if isinstance(clause.target, ast.Tuple) else [clause.target]
        names = [t.id for t in targets if isinstance(t, ast.Name)]
        if len(names) != len(targets):
            raise self._forbidden(node)
        items = self.compile(clause.iter, depth)
        self.local += names
        body = self.compile(node.elt, depth)
        tests = [self.compile(test, depth) for test in clause.ifs]
        del self.local[len(self.local) - len(names) :]
        several = isinstance(clause.target, ast.Tuple)

        def run(scope: Scope) -> Iterator[object]:
            for item in functions.values(items(scope)):
                spend(1)
                found = functions.values(item) if several else (item,)
                inner = _within(dict(zip(names, found, strict=True)), scope)
                if all(test(inner) for test in tests):
                    yield body(inner)

        return run


def _within(local: Mapping[str, object], scope: Scope) -> Scope:
    return lambda name: local[name] if name in local else scope(name)


def _charged(value: T) -> T:
    """Charge for the steps of a loop over a list, and return the list."""
    if isinstance(value, tuple):
        spend(len(value))
    return value


def _index(value: object) -> int:
    found = whole(value)
    if isinstance(found, int):
        return found
    raise TypeError(f"{value} is not an index")


_BINARY: Mapping[type[ast.operator], Binary] = {
    ast.Add: functions.add,
    ast.Sub: functions.subtract,
    ast.Mult: functions.multiply,
    ast.Div: functions.divide,
    ast.FloorDiv: functions.floor_divide,
    ast.Mod: functions.modulo,
    ast.Pow: functions.power,
}
_COMPARE: Mapping[type[ast.cmpop], Binary] = {
    ast.Eq: functions.equal,
    ast.NotEq: lambda a, b: not functions.equal(a, b),
    ast.Lt: functions.before,
    ast.LtE: lambda a, b: not functions.before(b, a),
    ast.Gt: lambda a, b: functions.before(b, a),
    ast.GtE: lambda a, b: not functions.before(a, b),
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: functions.contains,
    ast.NotIn: lambda a, b: not functions.contains(a, b),
}
