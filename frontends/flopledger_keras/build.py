"""Making a model without values for its variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger_keras.libraries import keep_size
from flopledger_keras.state import without_values

if TYPE_CHECKING:
    from collections.abc import Callable


def build_model(factory: Callable[[], object]) -> object:
    """Make a model, its variables without values where it lets us, and keep its documented size.

    A maker that gives a variable a value at once, as an optimizer does, is called again and may.
    """
    try:
        with without_values():
            model = factory()
    except Exception:  # noqa: BLE001  (whatever is wrong with the maker shows when it is called plainly)
        model = factory()
    keep_size(model, factory)
    return model
