"""Why a convention does not count a call: the first reason that applies, in words."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING

from flopledger.conventions.facts import STRUCTURAL
from flopledger.counting.scopes import CallScope
from flopledger.errors import ConventionError, ExpressionError
from flopledger.expressions.compiler import compile_expression
from flopledger.graph.tables import CONTAINER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.counting.count import Count
    from flopledger.counting.memo import Memo
    from flopledger.graph.tables import Layer

LOOKED_AT = {"layer": "modules", "function": "functions", "op": "lowered ops"}
"""The words for the calls of each level."""
REUSE = frozenset({"first", "last", "index", "ncalls"})
"""The facts that distinguish a module's calls.

A call that fails one of them is left out because its module is called several times: torchstat counts the
last call of each module, Keras's summary lists the first.
"""
NESTED = frozenset({"uncovered", "outermost", "composite"})
"""The facts that a call fails because another one around it is counted instead."""
FUSED = frozenset({"attention", "recurrent"})
"""The groups of kinds for which frameworks have kernels that compute them as a whole."""


class Omissions:
    """The reasons for which one convention leaves out calls; each is computed when it is used."""

    def __init__(self, count: Count) -> None:
        self.count, self.convention, self.analysis = count, count.convention, count.analysis
        self._reasons: dict[int, tuple[str, str]] = {}

    def reason(self, layer: Layer) -> tuple[str, str]:
        """Return why a call on a level that the convention counts has no count.

        Returns:
            A kind of cause and the words for it; ``("unpriced", "")`` for a call that is counted, at 0
            perhaps.
        """
        found = self._reasons.get(layer.id)
        if found is None:
            found = self._reasons[layer.id] = self._reason(layer)
        return found

    def _reason(self, layer: Layer) -> tuple[str, str]:
        call = self.count.priced.get(layer.id)
        if call is None:
            return self._unmet(layer)
        if call.unknown:
            return "unmapped", "the tool's figure is not known there"
        if call.rule is None:
            return "unmapped", f"it has no rule for {layer.source}"
        return self._hidden(layer) if call.times == 0 else ("unpriced", "")

    @functools.cached_property
    def _conditions(self) -> dict[str, list[tuple[str, Memo, frozenset[str]]]]:
        """The conditions that each level's ``where`` joins with ``and``: text, expression and names."""
        found = {}
        for level, rules in self.convention.levels.items():
            tree = ast.parse(" ".join(rules.where.text.split()), mode="eval").body
            terms = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
            compiled = [
                (text, compile_expression(text, where=rules.where.where)) for text in map(ast.unparse, terms)
            ]
            found[level] = [(text, self.count.rules.memo(e), e.names) for text, e in compiled]
        return found

    def _unmet(self, layer: Layer) -> tuple[str, str]:
        """Return which of the conditions of its level a call does not meet."""
        scope = CallScope(self.count.rules, layer)
        try:
            text, names = next(
                (text, names) for text, term, names in self._conditions[layer.level] if not term.value(scope)
            )
        except ExpressionError as error:
            raise ConventionError(f"{self.convention.name}: {layer.path}: {error}") from None
        docs = "; ".join(STRUCTURAL[name].doc for name in sorted(names) if name in STRUCTURAL)
        condition = text + (f" ({docs.replace('whether ', '')})" if docs else "")
        if names & REUSE:
            return "reuse", f"of several calls of a module it counts those where {condition}"
        return ("nested" if names & NESTED else "structure"), f"it counts only calls where {condition}"

    def _hidden(self, layer: Layer) -> tuple[str, str]:
        """Return which module around a call keeps it from being counted."""
        layers, modules = self.analysis.graph.layers, self.analysis.graph.modules
        for up in self.analysis.calls.around(layer.id):
            module = layers[up].module
            if module is not None and self.count.rules.mapped(modules[module]):
                return "hidden", f"it is below {layers[up].source}, which has a rule of its own"
        return "hidden", "it counts it zero times"

    def of_piece(self, inside: Sequence[Layer]) -> tuple[str, str]:
        """Return why a piece of work has no count: the kind of cause, where that is certain, and the words.

        A module's call, the function that it calls and the ops inside are one piece, and a convention has a
        reason for each of them. A piece that is hidden below a counted module or is a repeated call is that
        on every level, so these come first. That a call is nested in another is the reason for the inner
        one only.

        Args:
            inside: The calls of the piece, the outermost first.
        """
        piece = inside[0]
        looked_at = [layer for layer in inside if layer.level in self.convention.levels]
        if not looked_at:
            return self._on_no_level(piece)
        reasons = [self.reason(layer) for layer in looked_at]
        for cause in ("hidden", "reuse"):
            for reason in reasons:
                if reason[0] == cause:
                    return reason
        left = [
            (reason, layer)
            for reason, layer in zip(reasons, looked_at, strict=True)
            if reason[0] != "nested" and (layer.kind != CONTAINER or layer is piece)
        ]
        return self._of_working_call(left, piece) if left else ("", "")

    def _on_no_level(self, piece: Layer) -> tuple[str, str]:
        """Return why a piece without a call on a level that the convention counts has no count."""
        layers = self.analysis.graph.layers
        for up in self.analysis.calls.around(piece.id):
            above = layers[up]
            if above.level in self.convention.levels and self.analysis.formulas.kind_of[up] is not None:
                cause, words = self.reason(above)
                if cause == "unpriced":
                    cause, words = "", ""
                return cause if cause in ("hidden", "reuse") else "", words
        known = " and ".join(LOOKED_AT[level] for level in self.convention.levels)
        spelled = "a function" if piece.level == "function" else piece.source
        kind = "functional" if piece.level == "function" else ""
        return kind, f"it looks at {known} only, this is {spelled}"

    def _of_working_call(
        self, reasons: Sequence[tuple[tuple[str, str], Layer]], piece: Layer
    ) -> tuple[str, str]:
        """Return the reason of the call that does the work; reshapes around it have uninformative reasons.

        ``torch.nn.functional.scaled_dot_product_attention`` lowers to one op,
        ``aten._scaled_dot_product_*``, that counters of matrix products have no rule for: this is the kind
        "fused kernel".
        """
        formulas = self.analysis.formulas
        working = [one for one in reasons if one[1] is piece or formulas.parts(one[1])]
        (cause, words), layer = (working or reasons)[0]
        fused = formulas.group(piece.id) in FUSED and layer.level == "op"
        return ("fused kernel" if fused and cause == "unmapped" else ""), words
