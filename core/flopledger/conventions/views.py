"""The questions that facts ask about a call and the convention that it is counted under.

The scopes of :mod:`flopledger.counting.scopes` answer them; facts import nothing of counting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from flopledger.analysis.analysis import Analysis
    from flopledger.dims.types import Dim, Shape
    from flopledger.graph.tables import Layer, Module
    from flopledger.kinds import Kind


class RuleView(Protocol):
    """The questions of facts about the convention that a call is counted under."""

    @property
    def open_paths(self) -> Sequence[int]:
        """The number of paths to each module that pass through no mapped one."""

    @property
    def covered(self) -> Sequence[bool]:
        """Whether each call is inside one that the convention can count as a whole."""

    @property
    def hidden(self) -> Collection[int]:
        """The calls that the convention's flow reaches."""

    def mapped(self, module: Module) -> bool:
        """Return whether the convention has a rule for a module's calls, by their source."""

    def ruled(self, layer: Layer) -> bool:
        """Return whether a rule of the convention other than ``*`` is for a call."""

    def inner(self, layer: Layer) -> bool:
        """Return whether a call of the same level contains this one within its module's call."""


class CallView(Protocol):
    """The questions of facts about a call; :class:`flopledger.counting.scopes.CallScope` answers."""

    @property
    def rules(self) -> RuleView:
        """The convention's rules for this network."""

    @property
    def analysis(self) -> Analysis:
        """The views of the network."""

    @property
    def layer(self) -> Layer:
        """The call's record."""

    @property
    def kind(self) -> Kind | None:
        """The call's kind; None where it has no formula."""

    @property
    def group(self) -> str:
        """The group of the call's kind; empty where nothing of its work is known."""

    @property
    def parts(self) -> Mapping[str, Dim]:
        """The arithmetic operations of the call."""

    @property
    def module(self) -> Module | None:
        """The module that the call runs in."""

    def shapes(self, tensors: tuple[int, ...]) -> tuple[Shape, ...]:
        """Return the known ones of the shapes of tensors."""
