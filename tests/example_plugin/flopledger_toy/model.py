"""The toy framework: a network is its text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class ToyModel:
    """A network of layers, one a line."""

    text: str
