"""The values of one expression, each computed once for all calls that it can't distinguish."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from flopledger.dims.types import Number
    from flopledger.expressions.compiler import Expression

_MISSING = object()
_NATIVE = "native."


class SignedScope(Protocol):
    """A scope of names that has a signature."""

    def __call__(self, name: str, /) -> object:
        """Return the value of a name."""

    def signature(self, names: tuple[str, ...], natives: tuple[str, ...]) -> Hashable:
        """Return a key that is equal only for scopes in which an expression has the same value.

        Args:
            names: The names that the expression reads and that depend on the call's place.
            natives: The native arguments that it reads, without the namespace.
        """


class Memo:
    """An expression that remembers its values.

    Args:
        expression: The expression.
        define: The definitions that it may name.
        alike: Whether a name has the same value for all calls of one signature. Other names that the
            expression reads, by way of definitions too, become part of the signature.
    """

    __slots__ = ("_names", "_natives", "_numbers", "_values", "expression", "is_one", "is_true")

    def __init__(
        self, expression: Expression, define: Mapping[str, Expression], alike: Callable[[str], bool]
    ) -> None:
        self.expression = expression
        self.is_one, self.is_true = expression.text == "1", expression.text == "True"
        names = names_read(expression, define)
        self._names = tuple(sorted(name for name in names if name not in define and not alike(name)))
        self._natives = tuple(sorted(name.removeprefix(_NATIVE) for name in names if _NATIVE in name))
        self._values: dict[Hashable, object] = {}
        self._numbers: dict[Hashable, Number] = {}

    def value(self, scope: SignedScope) -> object:
        """Return the expression's value in a scope.

        Raises:
            ExpressionError: It has no value there. Errors are not remembered: each names its own call.
        """
        signature = scope.signature(self._names, self._natives)
        found = self._values.get(signature, _MISSING)
        if found is _MISSING:
            found = self._values[signature] = self.expression(scope)
        return found

    def number(self, scope: SignedScope) -> Number:
        """Return the expression's value in a scope, where it is a number.

        Raises:
            ExpressionError: It has no value there, or it is not a number.
        """
        signature = scope.signature(self._names, self._natives)
        found = self._numbers.get(signature)
        if found is None:
            found = self._numbers[signature] = self.expression.number(scope)
        return found


def names_read(expression: Expression, define: Mapping[str, Expression]) -> set[str]:
    """Return the names that an expression reads, those of the definitions that it names included."""
    names: set[str] = set()
    pending = [expression]
    while pending:
        new = pending.pop().names - names
        names |= new
        pending += [define[name] for name in new if name in define]
    return names
