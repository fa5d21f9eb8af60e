"""What one convention prices of a network's calls, and why it does not price the others."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flopledger.conventions.facts import STRUCTURAL
from flopledger.counting.scopes import Site
from flopledger.dims.bounds import number
from flopledger.errors import ConventionError, ExpressionError
from flopledger.expressions.compiler import compile_expression
from flopledger.graph.tables import CONTAINER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.counting.engine import Counter
    from flopledger.dims.types import Dim, Number
    from flopledger.expressions.compiler import Expression
    from flopledger.graph.tables import Layer

LOOKED_AT = {"layer": "modules", "function": "functions", "op": "lowered ops"}
"""What a convention looks at that listens to a level, in words."""
REUSE = frozenset({"first", "last", "index", "ncalls"})
"""The facts that tell a module's calls apart."""
NESTED = frozenset({"uncovered", "outermost", "composite"})
"""The facts that a call fails since another one around it stands for it."""
FUSED = frozenset({"attention", "recurrent"})
"""The groups of kinds that frameworks have kernels of their own for."""


class Unbiased(Site):
    """A call as it would be without a bias: what a convention counts less of it is the bias."""

    @property
    def parts(self) -> Mapping[str, Dim]:
        """The arithmetic operations of the call but for the additions of its bias."""
        return {name: value for name, value in super().parts.items() if name != "bias_adds"}

    def _find(self, name: str) -> object:
        if name == "bias" and self.kind is not None and "bias" in self.kind.defaults:
            return False
        if name == "native.bias":
            return False if isinstance(super()._find(name), bool) else None
        if name == "params":
            found = super()._find(name)
            return tuple(p for p in found if "bias" not in str(p[0])) if isinstance(found, tuple) else found
        return super()._find(name)


@dataclass(slots=True)
class Priced:
    """One row of a convention: its call, its price before and after sharing, its price without bias."""

    layer: Layer
    price: Number
    times: Number
    unbiased: Number

    @property
    def count(self) -> Number:
        """What the row counts."""
        return number(self.price * self.times) if self.times != 0 else 0


class Account:
    """What one convention counts of each call, and why it does not count the others."""

    def __init__(self, counter: Counter) -> None:
        self.counter, self.convention = counter, counter.convention
        self.structure = counter.structure
        self.rows: dict[int, Priced] = {}
        self.reasons: dict[int, tuple[str, str]] = {}
        for layer in self.structure.graph.layers:
            if layer.level in self.convention.levels:
                self._look_at(layer)

    def _look_at(self, layer: Layer) -> None:
        rules = self.convention.levels[layer.level]
        rule, _ = self.convention.rule(layer.level, layer.source, layer.kind, self.counter.bases(layer))
        site = Site(self.counter, layer)
        if rules.where.text != "True" and not self._ask(rules.where, site):
            self.reasons[layer.id] = self._unmet(rules.where, site)
        elif rule is None:
            self.reasons[layer.id] = ("unmapped", f"it has no rule for {layer.source}")
        else:
            times = number(self._ask(rules.times, site))
            price = number(self._ask(rule, site)) if times != 0 else 0
            unbiased = number(self._ask(rule, Unbiased(self.counter, layer))) if price != 0 else 0
            self.rows[layer.id] = Priced(layer, price, times, unbiased)
            if times == 0:
                self.reasons[layer.id] = self._hidden(layer)

    def _ask(self, expression: Expression, site: Site) -> object:
        try:
            return expression(site)
        except ExpressionError as error:
            raise ConventionError(f"{self.convention.name}: {site.layer.path}: {error}") from None

    def _unmet(self, where: Expression, site: Site) -> tuple[str, str]:
        """Say which of its conditions a call does not meet."""
        tree = ast.parse(" ".join(where.text.split()), mode="eval").body
        terms = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
        texts = [ast.unparse(term) for term in terms]
        unmet = next(t for t in texts if not self._ask(compile_expression(t, where=where.where), site))
        names = compile_expression(unmet).names
        docs = "; ".join(STRUCTURAL[name].doc for name in sorted(names) if name in STRUCTURAL)
        said = unmet + (f" ({docs.replace('whether ', '')})" if docs else "")
        if names & REUSE:
            return "reuse", f"of several calls of a module it counts those where {said}"
        return ("nested" if names & NESTED else "structure"), f"it counts only calls where {said}"

    def _hidden(self, layer: Layer) -> tuple[str, str]:
        """Name the module around a call that keeps it from being counted."""
        layers, up = self.structure.graph.layers, layer.parent
        while up is not None:
            above = layers[up].module
            if above is not None and self.counter.mapped(self.structure.graph.modules[above]):
                return "hidden", f"it lies below {layers[up].source}, which has a rule of its own"
            up = layers[up].parent
        return "hidden", "it counts it zero times"

    def counts(self, layer: int) -> bool:
        """Whether the convention prices this very call at something."""
        return layer in self.rows and self.rows[layer].count != 0

    def why_not(self, inside: Sequence[Layer]) -> tuple[str, str]:
        """Return the kind of cause, and the words, for a piece of work that is counted at nothing.

        Args:
            inside: The calls that the piece is made of, the outermost first.
        """
        piece = inside[0]
        heard = [layer for layer in inside if layer.level in self.convention.levels]
        if not heard:
            return self._around(piece)
        reasons = [self.reasons.get(layer.id, ("unpriced", "")) for layer in heard]
        for cause in ("hidden", "reuse"):
            for reason in reasons:
                if reason[0] == cause:
                    return reason
        told = [
            (reason, layer)
            for reason, layer in zip(reasons, heard, strict=True)
            if reason[0] != "nested" and (layer.kind != CONTAINER or layer is piece)
        ]
        return self._most_telling(told, piece) if told else ("", "")

    def _around(self, piece: Layer) -> tuple[str, str]:
        """Say why a convention has nothing for a call that it does not listen to, nor to those inside it."""
        layers, up = self.structure.graph.layers, piece.parent
        while up is not None:
            above = layers[up]
            if above.level in self.convention.levels and self.structure.formula(above) is not None:
                cause, said = self.reasons.get(up, ("", ""))
                return cause if cause in ("hidden", "reuse") else "", said
            up = above.parent
        known = " and ".join(LOOKED_AT[level] for level in self.convention.levels)
        spelled = "a function" if piece.level == "function" else piece.source
        kind = "functional" if piece.level == "function" else ""
        return kind, f"it looks at {known} only, this is {spelled}"

    def _most_telling(self, told: Sequence[tuple[tuple[str, str], Layer]], piece: Layer) -> tuple[str, str]:
        """Choose the call that does the work, among those that are not counted."""
        working = [one for one in told if one[1] is piece or self.structure.parts(one[1])]
        (cause, said), layer = (working or told)[0]
        kind = self.structure.formula(piece)
        fused = kind is not None and kind.group in FUSED and layer.level == "op"
        return ("fused kernel" if fused and cause == "unmapped" else ""), said
