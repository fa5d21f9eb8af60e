"""How the tests of the kinds ask one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from flopledger.kinds import Call, builtin

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.dims.types import Shape
    from flopledger.graph.tables import Value
    from flopledger.kinds import Facts, Parts


@dataclass(frozen=True)
class Answer:
    """The answers of a kind about one call; of a kind without a formula, ``parts`` is None."""

    shapes: tuple[Shape, ...]
    parts: Parts | None
    facts: Facts


def answer(kind: str, *inputs: Shape, **attrs: Value) -> Answer:
    """Ask a kind for its output shapes, and with them for its parts and facts."""
    record = builtin()[kind]
    record.check(attrs, kind)
    shapes = record.shapes(Call(record, attrs, inputs, where=kind))
    call = Call(record, attrs, inputs, shapes, where=kind)
    return Answer(shapes, record.parts(call) if record.parts else None, record.facts(call))


@pytest.fixture
def ask() -> Callable[..., Answer]:
    return answer
