"""The effect of an operator on memory, by its schema, and the tensors in its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

_BY_LAYOUT = ("as_strided", "set_", "resize")
IN_PLACE_VIEWS = frozenset(
    (
        "as_strided_",
        "resize_",
        "resize_as_",
        "set_",
        "squeeze_",
        "swapaxes_",
        "swapdims_",
        "t_",
        "transpose_",
        "unsqueeze_",
    )
)
"""Ops that change a tensor's sizes, or whose memory it shows."""
UNDECLARED = {
    "native_batch_norm": ((3, "running_mean"), (4, "running_var")),
    "cudnn_batch_norm": ((3, "running_mean"), (4, "running_var")),
    "miopen_batch_norm": ((3, "running_mean"), (4, "running_var")),
}
"""The arguments that operators write to in training though their schemas do not declare it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An op's effect on memory, by its schema: which arguments it writes to, whether results are views."""

    name: str
    writes: tuple[tuple[int, str], ...]
    view: bool
    repeatable: bool
    asks: bool
    scalar: bool


def rule_of(func: Any) -> Rule:
    """Return an op's effect on memory, and whether its result depends on its inputs' values."""
    schema = func._schema
    returns = schema.returns[0].alias_info if schema.returns else None
    tags = func.tags
    arguments = enumerate(schema.arguments)
    name = schema.name.rpartition("::")[2]
    written = [(i, a.name) for i, a in arguments if a.alias_info is not None and a.alias_info.is_write]
    return Rule(
        name=name,
        writes=tuple(written),
        view=returns is not None and not returns.is_write,
        # A step that draws random numbers, or that goes by the layout of memory, can't be run again.
        repeatable=torch.Tag.nondeterministic_seeded not in tags and not name.startswith(_BY_LAYOUT),
        asks=torch.Tag.data_dependent_output in tags or torch.Tag.dynamic_output_shape in tags,
        scalar=torch.Tag.data_dependent_output in tags and str(schema.returns[0].type) in ("number", "bool"),
    )


def tensors_in(value: Any) -> list[torch.Tensor]:
    """Return the tensors in an argument or a result."""
    found: list[torch.Tensor] = []
    for item in value if isinstance(value, (tuple, list)) else (value,):
        if isinstance(item, torch.Tensor):
            found.append(item)
        elif isinstance(item, (tuple, list)):
            found += tensors_in(item)
    return found


def replaced(value: Any, change: Callable[[torch.Tensor], Any]) -> Any:
    """Return an argument with its tensors replaced."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, (tuple, list)):
        return [replaced(item, change) for item in value]
    return value


def has_symbol(value: Any) -> bool:
    """Return whether a symbolic number is in an argument."""
    if isinstance(value, (tuple, list)):
        return any(map(has_symbol, value))
    return isinstance(value, (torch.SymInt, torch.SymFloat, torch.SymBool))
