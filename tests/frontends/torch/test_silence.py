"""No function of torch that computes is free without a word: each is counted, or unknown by name.

The functions are those of torch's own test suite, with its own sample inputs.
"""

from __future__ import annotations

import sys
import types
import unittest
import warnings
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from flopledger.errors import FlopledgerError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_SAMPLES = 60

MOVES = [
    "broadcast_to",
    "broadcast_tensors",
    "block_diag",
    "chunk",
    "unsafe_chunk",
    "clone",
    "contiguous",
    "positive",
    "resolve_conj",
    "resolve_neg",
    "view_as_complex",
    "view_as_real",
    "complex",
    "expand",
    "expand_as",
    "expand_copy",
    "diag",
    "diag_embed",
    "diagonal",
    "diagonal_copy",
    "diagonal_scatter",
    "alias_copy",
    "flip",
    "fliplr",
    "flipud",
    "lu_unpack",
    "masked_fill",
    "masked_scatter",
    "meshgrid",
    "as_strided",
    "as_strided_copy",
    "as_strided_scatter",
    "constant_pad_nd",
    "nn.functional.pad",
    "nn.functional.max_unpool1d",
    "nn.functional.max_unpool2d",
    "nn.functional.max_unpool3d",
    "to",
    "narrow",
    "nonzero",
    "argwhere",
    "masked_select",
    "narrow_copy",
    "view_copy",
    "permute",
    "permute_copy",
    "real",
    "imag",
    "roll",
    "rot90",
    "split",
    "unsafe_split",
    "split_with_sizes",
    "split_with_sizes_copy",
    "split_list_args",
    "select",
    "select_scatter",
    "slice",
    "slice_scatter",
    "hsplit",
    "vsplit",
    "dsplit",
    "tensor_split",
    "ravel",
    "unravel_index",
    "reshape",
    "reshape_as",
    "view",
    "view_as",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "flatten",
    "unflatten",
    "gather",
    "index_fill",
    "index_copy",
    "index_select",
    "__getitem__",
    "index_put",
    "take",
    "scatter",
    "bfloat16",
    "bool",
    "byte",
    "char",
    "double",
    "float",
    "half",
    "int",
    "long",
    "short",
    "cdouble",
    "cfloat",
    "chalf",
    "unbind",
    "unbind_copy",
    "unfold",
    "unfold_copy",
    "movedim",
    "repeat",
    "squeeze",
    "squeeze_copy",
    "fill",
    "resize_",
    "resize_as_",
    "take_along_dim",
    "tile",
    "unsqueeze",
    "unsqueeze_copy",
    "transpose",
    "transpose_copy",
    "T",
    "H",
    "mT",
    "mH",
    "tril",
    "triu",
    "t",
    "t_copy",
    "nn.functional.embedding",
    "repeat_interleave",
    "nn.functional.pixel_shuffle",
    "nn.functional.pixel_unshuffle",
    "nn.functional.channel_shuffle",
    "nn.functional.unfold",
    "diagflat",
    "fft.fftshift",
    "fft.ifftshift",
    "linalg.diagonal",
    "stack",
    "cat",
    "hstack",
    "vstack",
    "dstack",
    "column_stack",
    "combinations",
    "cartesian_prod",
    "nonzero_static",
    "where",
    "copysign",
    "signbit",
    "conj",
    "conj_physical",
    "neg",
    "isreal",
    "nn.functional.one_hot",
    "nn.functional.upsample_nearest",
]
"""Operators that only move data: the documented kinds of these are free.

copysign, signbit and neg touch one bit, conj of real numbers nothing, and isreal is true of them; nearest
neighbours are copied.
"""
MADE = [
    "cauchy",
    "exponential",
    "geometric",
    "log_normal",
    "normal",
    "uniform",
    "empty_like",
    "zeros_like",
    "ones_like",
    "randn_like",
    "rand_like",
    "randint_like",
    "full_like",
    "new_zeros",
    "new_ones",
    "new_empty",
    "new_empty_strided",
    "new_full",
    "bernoulli",
    "zero_",
    "arange",
    "linspace",
    "logspace",
    "randn",
    "randint",
    "ones",
    "zeros",
    "full",
    "empty_strided",
    "empty",
    "eye",
    "empty_permuted",
    "scalar_tensor",
    "triu_indices",
    "tril_indices",
]
"""Operators that make a new tensor: its numbers are drawn or written, not computed from data."""
WHOLE = [
    "bitwise_not",
    "bitwise_left_shift",
    "bitwise_right_shift",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "__rand__",
    "__ror__",
    "__rxor__",
    "lcm",
    "gcd",
    "logical_not",
    "bincount",
]
"""Arithmetic of whole numbers and truth values, which says where to look and is data of no network."""


class Run(torch.nn.Module):
    """Runs a function with some of its arguments."""

    def __init__(self, do: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.do, self.args, self.kwargs = do, args, kwargs

    def forward(self, x: torch.Tensor) -> object:
        return self.do(x, *self.args, **self.kwargs)


def _database(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return torch's table of functions; it imports a package for expected texts that it has no use for."""
    stub = types.ModuleType("expecttest")
    vars(stub).update(TestCase=unittest.TestCase, assert_expected_inline=None)
    monkeypatch.setitem(sys.modules, "expecttest", stub)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal import common_methods_invocations
    return common_methods_invocations.op_db


def _samples(op: Any) -> Iterator[Any]:
    dtype = torch.float32 if torch.float32 in op.supported_dtypes("cpu") else torch.int64
    for place, sample in enumerate(op.sample_inputs("cpu", dtype, requires_grad=False)):
        if place == MOST_SAMPLES:
            return
        if isinstance(sample.input, torch.Tensor) and sample.input.numel() > 1:
            yield sample


def _is_silent(op: Any) -> bool:
    """Return whether every sample that can be read counts 0 and says nothing."""
    silent = False
    for sample in _samples(op):
        try:
            ledger = fl.count(Run(op.op, sample.args, sample.kwargs).eval(), (sample.input,), "ops")
        except (FlopledgerError, ValueError):
            continue  # a sample that depends on data is refused: that is a word
        if ledger.total.count or ledger.coverage.unknown:
            return False
        silent = True
    return silent


@pytest.mark.slow
def test_no_function_of_torch_that_computes_is_free_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {*MOVES, *MADE, *WHOLE}
    silent: dict[str, bool] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ops = _database(monkeypatch)
        assert len(ops) > 600
        for op in ops:  # some have a row for each of their modes, of which one may only copy
            if op.name not in known and silent.get(op.name, True):
                silent[op.name] = _is_silent(op)
    assert [name for name, found in silent.items() if found] == []
