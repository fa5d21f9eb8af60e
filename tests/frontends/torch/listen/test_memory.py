"""No reading writes to a real tensor of the program's, by whatever way a forward tries, wherever it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable


class Plain:
    """An object that only holds a tensor."""

    def __init__(self, value: Any) -> None:
        self.value = value


HELD = Plain(None)
TABLE = np.zeros(1 << 18)

WAYS: dict[str, Callable[[Tensor], object]] = {
    "a number is added in place": lambda t: t.add_(1),
    "an operator in place": lambda t: t.__imul__(2).__iadd__(1),
    "a tensor is copied into it": lambda t: t.copy_(torch.ones(t.shape)),
    "filled": lambda t: t.fill_(3),
    "by index": lambda t: t.__setitem__(0, 1.0),
    "a slice": lambda t: t[:5].add_(1),
    "views of views": lambda t: t.view(-1)[1:].sub_(2).mul_(2),
    "as the result of a function": lambda t: torch.add(torch.ones(t.shape), 1, out=t),
    "several at once": lambda t: torch._foreach_add_([t, t[1:]], 1),
    "random numbers": lambda t: nn.init.uniform_(t, 1, 2),
    "an activation in place": lambda t: functional.elu_(t.sub_(1)),
    "its data": lambda t: t.data.add_(1),
    "without its gradient": lambda t: t.detach().add_(1),
    "statistics of a norm": lambda t: functional.batch_norm(torch.rand(4, len(t)), t, t + 1, training=True),
    "its elements as an array": lambda t: t.numpy().__setitem__(0, 1.0),
    "its bytes": lambda t: memoryview(t.numpy()).cast("B").__setitem__(0, 1),
    "memory shared by a protocol": lambda t: torch.from_dlpack(t).add_(1),
    "other memory": lambda t: setattr(t, "data", torch.ones(3)),
    "a gradient": lambda t: setattr(t, "grad", torch.ones(t.shape)),
    "an attribute": lambda t: setattr(t, "seen", t + 1),
    "whether it requires a gradient": lambda t: t.requires_grad_(),
    "its sizes": lambda t: t.unsqueeze_(0),
    "its length": lambda t: t.resize_(5),
    "the storage": lambda t: t.untyped_storage().fill_(1),
}


def in_a_global(tensor: Tensor, way: Callable[[Tensor], object]) -> Callable[[], object]:
    HELD.value = tensor
    return lambda: way(HELD.value)


def in_a_closure(tensor: Tensor, way: Callable[[Tensor], object]) -> Callable[[], object]:
    return lambda: way(tensor)


def in_a_default(tensor: Tensor, way: Callable[[Tensor], object]) -> Callable[[], object]:
    def write(given: Tensor = tensor) -> object:
        return way(given)

    return write


def in_a_table(tensor: Tensor, way: Callable[[Tensor], object]) -> Callable[[], object]:
    table = {"nested": [(tensor,)]}
    return lambda: way(table["nested"][0][0])


PLACES = (in_a_global, in_a_closure, in_a_default, in_a_table)


def writing(write: Callable[[], object]) -> nn.Module:
    class Writing(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            write()
            return super().forward(x)

    return Writing(2, 2)


@pytest.mark.parametrize("execute", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_no_way_to_write_reaches_a_tensor_of_the_program(way: str, *, execute: bool) -> None:
    for size in (10, 10_000):
        for place in PLACES:
            tensor = torch.arange(size) / 7
            address = tensor.data_ptr()
            try:
                fl.read(writing(place(tensor, WAYS[way])), "3x2", execute=execute)
            except fl.FlopledgerError as error:
                assert "test_memory.py, line" in str(error)  # noqa: PT017  (it may be refused, or do nothing)
            assert tensor.tolist() == (torch.arange(size) / 7).tolist()
            assert (tensor.data_ptr(), tensor.requires_grad, tensor.grad) == (address, False, None)
            assert vars(tensor) == {}


def test_a_tensor_s_sizes_can_t_be_changed_and_the_line_that_tries_is_named() -> None:
    tensor = torch.ones(3)
    with pytest.raises(fl.FlopledgerError, match=r"unsqueeze_ .* use unsqueeze,.*test_memory"):
        fl.read(writing(lambda: tensor.unsqueeze_(0)), "3x2")


@pytest.mark.parametrize("execute", [False, True])
def test_a_forward_sees_what_it_has_written(*, execute: bool) -> None:
    tensor, seen = torch.zeros(3), []

    def write() -> None:
        tensor.add_(2)
        tensor[1] = 5
        array = tensor.numpy()
        seen[:] = [tensor.tolist(), tensor[2].item(), (tensor * 2).sum().item(), array.tolist()]
        if seen != [[2, 5, 2], 2, 18, [2, 5, 2]]:
            raise ValueError(seen)

    fl.read(writing(write), "3x2", execute=execute)
    assert tensor.tolist() == [0, 0, 0]


def test_sizes_follow_the_values_that_a_forward_wrote() -> None:
    counts = torch.ones(1, dtype=torch.int64)

    class Growing(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            counts.add_(1)
            for _ in range(counts.tolist()[0]):
                x = super().forward(x)
            return x

    # two passes of three rows through 2 x 2 weights
    assert fl.count(Growing(2, 2), "3x2").total.count == 2 * 3 * 4


def test_an_array_of_any_size_is_as_it_was() -> None:
    def write() -> None:
        TABLE[3] = 1

    with pytest.raises(fl.FlopledgerError, match=r"read-only .*test_memory.py, line"):
        fl.read(writing(write), "3x2")
    assert TABLE.flags.writeable
    assert not TABLE.any()


def test_a_lazy_model_writes_nothing_while_it_gets_its_sizes() -> None:
    tensor = torch.zeros(10_000)

    class Lazy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.LazyLinear(4)

        def forward(self, x: Tensor) -> Tensor:
            tensor.add_(1)
            y: Tensor = self.layer(x)
            return y

    assert fl.count(Lazy(), "3x2").total.count == 24
    assert not tensor.any()
