"""Kernels that are called directly give stand-ins the sizes, strides and types that a fake mode gives."""

from __future__ import annotations

from typing import Any

import flopledger as fl
import pytest
import torch
from flopledger_torch.listen.direct import run_direct
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import _disable_current_modes

ATEN = torch.ops.aten
ELEMENTWISE = (ATEN.add.Tensor, ATEN.sub.Tensor, ATEN.mul.Tensor, ATEN.div.Tensor)
UNARY = """
    neg exp log sqrt rsqrt sin cos abs reciprocal relu sigmoid silu tanh gelu t detach alias
    erf log1p expm1 softplus leaky_relu elu hardswish hardsigmoid
"""
WHOLE, HALF, TRUTH = torch.int64, torch.bfloat16, torch.bool


def _made(*sizes: int, dtype: torch.dtype = torch.float32, order: tuple[int, ...] = ()) -> Tensor:
    found = torch.empty(sizes, dtype=dtype)
    return found.permute(order) if order else found


def _arguments() -> list[tuple[Any, tuple[Any, ...]]]:
    """Return operators with arguments: mixed types and orders of axes, numbers, axes of size 0 and 1."""
    pairs: list[tuple[Any, ...]] = [
        (_made(2, 3), _made(3)),
        (_made(3, 2, order=(1, 0)), _made(2, 3)),
        (_made(2, 3, dtype=WHOLE), _made(2, 3)),
        (_made(2, 3, dtype=WHOLE), 2),
        (_made(2, 3, dtype=TRUTH), 2),
        (_made(2, 3, dtype=HALF), 2.5),
        (_made(), _made(2, 3, dtype=HALF)),
        (_made(2, 0), _made(2, 1)),
        (_made(1, 8, 4, 4).to(memory_format=torch.channels_last), _made(1, 8, 1, 1)),
        (_made(4, 1, 5, order=(1, 0, 2)), _made(4, 5)),
    ]
    found: list[tuple[Any, tuple[Any, ...]]] = [(op, pair) for op in ELEMENTWISE for pair in pairs]
    for name in UNARY.split():
        op = getattr(ATEN, name).default
        found += [(op, (_made(2, 3),)), (op, (_made(3, 2, order=(1, 0)),))]
    return [
        *found,
        (ATEN.rsqrt.default, (_made(2, dtype=WHOLE),)),
        (ATEN.pow.Tensor_Scalar, (_made(2, 3), 2)),
        (ATEN.mm.default, (_made(2, 3), _made(4, 3, order=(1, 0)))),
        (ATEN.bmm.default, (_made(2, 3, 4), _made(2, 4, 5))),
        (ATEN.addmm.default, (_made(4), _made(2, 3), _made(3, 4))),
        (ATEN.baddbmm.default, (_made(2, 3, 5), _made(2, 3, 4), _made(2, 4, 5))),
        (ATEN.dot.default, (_made(3), _made(3))),
        (ATEN.mv.default, (_made(2, 3), _made(3))),
        *((op, pair) for op in (ATEN.maximum.default, ATEN.minimum.default) for pair in pairs[:3]),
        *(
            (op, (_made(2, 3, 4), axes))
            for op in (ATEN.sum.dim_IntList, ATEN.mean.dim)
            for axes in ([-1], [0, 2])
        ),
        (ATEN.sum.dim_IntList, (_made(2, 3, 4, dtype=TRUTH), [1], True)),
        (ATEN.sum.dim_IntList, (_made(4, 3, 2, order=(2, 0, 1)), [1])),
        (ATEN._softmax.default, (_made(4, 3, 2, order=(2, 0, 1)), -1, False)),
        (ATEN.select.int, (_made(2, 3, 4), 1, -1)),
        (ATEN.slice.Tensor, (_made(5, 3), 0, 1, 100)),
        (ATEN.view.default, (_made(2, 6), [3, -1])),
        (ATEN.transpose.int, (_made(2, 3, 4), 1, 2)),
        (ATEN.permute.default, (_made(2, 3, 4), [2, 0, 1])),
        (ATEN.unsqueeze.default, (_made(2, 3), -1)),
        (ATEN.squeeze.dim, (_made(2, 1, 3), 1)),
        (ATEN.expand.default, (_made(1, 3), [5, -1])),
    ]


def _asked() -> list[tuple[Any, tuple[Any, ...], dict[str, Any]]]:
    """Return operators that the mode has rules for, or that have several results, or that write."""
    picture = _made(2, 8, 6, 6)
    last = picture.to(memory_format=torch.channels_last)
    weight = _made(4, 8, 3, 3)
    heads = _made(1, 2, 5, 4)
    found: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
        *(
            (ATEN.convolution.default, (x, w, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1), {})
            for x in (picture, last, _made(16, 8, 6, 6))
            for w in (weight, weight.to(memory_format=torch.channels_last))
        ),
        *(
            (ATEN.native_batch_norm.default, (x, *[_made(8)] * 4, training, 0.1, 1e-5), {})
            for x in (picture, last)
            for training in (False, True)
        ),
        (ATEN.native_layer_norm.default, (_made(2, 3, 8), [8], _made(8), _made(8), 1e-5), {}),
        (ATEN.native_layer_norm.default, (_made(2, 3, 8), [3, 8], None, None, 1e-5), {}),
        (ATEN.native_layer_norm.default, (_made(8, 3, 2, order=(2, 1, 0)), [8], _made(8), None, 1e-5), {}),
        *(
            (op, (_made(2, 8, 6, 6, dtype=HALF), *rest), {})
            for op, rest in (
                (ATEN.native_layer_norm.default, ([6], None, None, 1e-5)),
                (ATEN.native_batch_norm.default, (*[_made(8)] * 4, True, 0.1, 1e-5)),
                (ATEN.native_batch_norm.default, (*[_made(8)] * 4, False, 0.1, 1e-5)),
            )
        ),
        (ATEN.native_group_norm.default, (picture, None, None, 2, 8, 36, 4, 1e-5), {}),
        (ATEN.max_pool2d_with_indices.default, (last, [3, 3], [2, 2], [1, 1]), {}),
        (ATEN.avg_pool2d.default, (picture, [2, 2]), {}),
        (ATEN._adaptive_avg_pool2d.default, (last, [2, 2]), {}),
        (ATEN.embedding.default, (_made(10, 4), _made(2, 3, dtype=WHOLE)), {}),
        (ATEN.gather.default, (_made(2, 3), 1, _made(2, 5, dtype=WHOLE)), {}),
        (ATEN.clone.default, (_made(3, 2, order=(1, 0)),), {}),
        (ATEN.clone.default, (_made(3, 2, order=(1, 0)),), {"memory_format": torch.contiguous_format}),
        (ATEN.cat.default, ([picture, last], 1), {}),
        (ATEN.cat.default, ([_made(2, 3), _made(2, 4, dtype=HALF)], -1), {}),
        (ATEN.empty.memory_format, ([0],), {"dtype": torch.uint8, "device": torch.device("cpu")}),
        (ATEN._scaled_dot_product_flash_attention_for_cpu.default, (heads, heads, heads), {}),
    ]
    names = ("relu_", "sigmoid_", "silu_", "tanh_", "hardtanh_", "hardswish_", "leaky_relu_", "elu_")
    found += [(getattr(ATEN, name).default, (last,), {}) for name in names]
    for op in (ATEN.add_.Tensor, ATEN.sub_.Tensor, ATEN.mul_.Tensor, ATEN.div_.Tensor):
        found += [(op, (last, _made(8, 1, 1)), {}), (op, (picture, 2), {})]
    return found


def _all_facts(out: Any) -> list[tuple[Any, ...]]:
    return [_facts(one) for one in (out if isinstance(out, tuple) else (out,))]


def test_what_is_kept_of_the_mode_is_what_it_gives_again() -> None:
    different = []
    for op, real, named in _asked():
        mode = FakeTensorMode()

        def fake(one: Any, mode: FakeTensorMode = mode) -> Any:
            if isinstance(one, list):
                return list(map(fake, one))
            return mode.from_tensor(one) if isinstance(one, Tensor) else one

        given = tuple(map(fake, real))
        with mode:
            expected = _all_facts(op(*given, **named))
            found = [run_direct(op, given, named) for _ in range(2)]
        if list(map(_all_facts, found)) != [expected, expected]:
            different.append((str(op), expected, found))
        assert (found[0] is given[0]) == op._schema.name.endswith("_"), op
    assert different == []


def test_what_does_not_fit_is_refused_each_time() -> None:
    mode = FakeTensorMode()
    one, other = mode.from_tensor(_made(2, 3)), mode.from_tensor(_made(4, 3))
    for _ in range(2):
        with mode, pytest.raises(RuntimeError, match="broadcast a dimension of length 4"):
            run_direct(ATEN.add_.Tensor, (one, other), {})


def test_a_number_of_another_type_by_default_is_another_result() -> None:
    mode = FakeTensorMode()
    fake = mode.from_tensor(torch.zeros(2, dtype=WHOLE))
    found = []
    try:
        for dtype in (torch.float32, torch.float64):
            torch.set_default_dtype(dtype)
            with mode, _disable_current_modes():
                found.append(run_direct(ATEN.div.Tensor, (fake, 2), {}).dtype)
    finally:
        torch.set_default_dtype(torch.float32)
    assert found == [torch.float32, torch.float64]


def _facts(tensor: Tensor) -> tuple[Any, ...]:
    return (tensor.shape, tensor.stride(), tensor.dtype, tensor.device, tensor.storage_offset())


def test_what_is_given_directly_is_what_the_fake_mode_gives() -> None:
    """The second time from kept results."""
    different = []
    for op, real in _arguments():
        mode = FakeTensorMode()
        given = tuple(mode.from_tensor(one) if isinstance(one, Tensor) else one for one in real)
        with mode:
            expected = _facts(op(*given))
            with _disable_current_modes():
                found = [_facts(run_direct(op, given, {})) for _ in range(2)]
        if found != [expected, expected]:
            different.append((str(op), expected, found))
    assert different == []


def test_what_torch_takes_care_of_is_left_to_it() -> None:
    mode = FakeTensorMode()
    fake = mode.from_tensor(torch.empty(2, 3))
    for op, args, kwargs in (
        (ATEN.add.Tensor, (fake, fake), {"alpha": 2}),
        (ATEN.add.Tensor, (torch.empty(2, 3), torch.empty(2, 3)), {}),
        (ATEN.add.Tensor, (fake, torch.empty(2, 3)), {}),
        (ATEN.cumsum.default, (fake, 0), {}),
    ):
        assert run_direct(op, args, kwargs) is NotImplemented


def test_a_truth_value_is_no_number_to_what_is_kept() -> None:
    """``True`` is equal to 1, and 1 to 1.0: of whole numbers only the last gives broken ones."""
    mode = FakeTensorMode()
    fake = mode.from_tensor(torch.zeros(2, dtype=TRUTH))
    with mode, _disable_current_modes():
        types = [run_direct(ATEN.mul.Tensor, (fake, one), {}).dtype for one in (1, True, 1.0)]
    assert types == [WHOLE, TRUTH, torch.float32]


class Scan(nn.Module):
    """A recurrence that is stepped in Python."""

    def forward(self, a: Tensor, c: Tensor) -> Tensor:
        """Return a row for each step."""
        state, rows = torch.zeros(6, 4), []
        for step in range(20):
            state = a[step] * state + a[step]
            rows.append(state @ c[step])
        return torch.stack(rows)


@pytest.mark.parametrize("execute", [False, True])
def test_a_long_loop_has_its_products(*, execute: bool) -> None:
    """6 * 4 at each of 20 steps."""
    assert fl.count(Scan(), ("20x6x4", "20x4"), execute=execute).total.count == 480
