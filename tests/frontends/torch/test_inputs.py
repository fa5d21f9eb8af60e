"""How a model's arguments are given: by place, by name, nested, as shapes or as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import numpy as np
import pytest
import torch
from flopledger.errors import UsageError
from torch import Tensor, nn

if TYPE_CHECKING:
    from flopledger.graph.graph import Graph


class Several(nn.Module):
    """Takes tensors in every sort of place."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 2)
        self.table = nn.Embedding(10, 4)

    def forward(
        self,
        x: Tensor,
        ids: Tensor | None = None,
        *,
        batch: dict[str, Tensor] | None = None,
        boxes: tuple[Tensor, ...] = (),
        scale: float = 1,
    ) -> Tensor:
        for more in (*(batch or {}).values(), *boxes):
            x = x + more
        if ids is not None:
            x = x + self.table(ids)
        y: Tensor = self.linear(x) * scale
        return y


def given(graph: Graph) -> list[tuple[str, tuple[Any, ...] | None, str, bool]]:
    tensors = graph.tensors
    return [(i.name, tensors[i.tensor].shape, tensors[i.tensor].dtype, i.positional) for i in graph.inputs]


X = ("x", (3, 4), "float32", True)


def test_inputs_without_a_name_are_given_by_place() -> None:
    graph = fl.read(Several(), ("3x4", "3:int64"))
    assert given(graph) == [X, ("ids", (3,), "int64", True)]


def test_inputs_with_a_name_are_given_by_name() -> None:
    graph = fl.read(Several(), ("x=3x4", "ids=3:int64"))
    assert given(graph) == [("x", (3, 4), "float32", False), ("ids", (3,), "int64", False)]
    assert fl.read(Several(), {"x": (3, 4)}).inputs[0].positional is False


def test_inputs_may_lie_in_dicts_and_tuples() -> None:
    graph = fl.read(Several(), ("3x4", "batch.a=3x4", "batch.b=4", "boxes[0]=3x1", "scale=!2"))
    assert given(graph) == [
        X,
        ("batch.a", (3, 4), "float32", False),
        ("batch.b", (4,), "float32", False),
        ("boxes[0]", (3, 1), "float32", False),
    ]
    assert graph.count("mac").total.count == 24


def test_values_may_be_given_themselves() -> None:
    x, ids = torch.zeros(3, 4), torch.zeros(3, dtype=torch.long)
    assert given(fl.read(Several(), x)) == [X]
    assert given(fl.read(Several(), (x, ids))) == [X, ("ids", (3,), "int64", True)]
    assert given(fl.read(Several(), {"x": x, "boxes": (x, x)}))[1:] == [
        ("boxes[0]", (3, 4), "float32", False),
        ("boxes[1]", (3, 4), "float32", False),
    ]
    assert given(fl.read(Several(), np.zeros((3, 4), np.float32))) == [X]


def test_values_may_lie_on_any_device_and_in_any_order() -> None:
    turned = torch.empty(4, 3, device="meta").T
    assert given(fl.read(Several(), turned)) == [X]


def test_a_half_model_gets_half_inputs() -> None:
    graph = fl.read(Several().to(torch.bfloat16), "3x4")
    assert given(graph) == [("x", (3, 4), "bfloat16", True)]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((), "missing a required argument: 'x'"),
        (("3x4", "3:int64", "3x4"), "too many positional arguments"),
        (("3x4", "y=3"), "unexpected keyword argument 'y'"),
    ],
)
def test_inputs_that_the_forward_does_not_take_are_refused(inputs: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fl.count(Several(), inputs, "thop")


def test_the_batch_of_the_root_is_that_of_its_first_input_by_place() -> None:
    for inputs, batch in (("3x4", 3), ({"x": (3, 4)}, 1)):
        count = fl.read(Several(), inputs).count("mac", batch="one").total.count
        assert count * batch == 24
