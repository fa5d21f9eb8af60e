"""What a model's code shares with the program is put back, the user's own and that of libraries."""

from __future__ import annotations

import contextvars
import gc
import importlib
import random
import sys
from typing import TYPE_CHECKING, Any

import flopledger as fl
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

TOTALS = np.zeros(2)
COUNT = torch.zeros(1)
HEAD = nn.Linear(2, 2)
EARLIER: list[FakeTensor] = []
CONTEXT: contextvars.ContextVar[Any] = contextvars.ContextVar("CONTEXT", default=None)

LIBRARY = """
import functools
import torch
from torch import nn

CACHE, READY = {}, False


class Layer(nn.Linear):
    table = None

    def forward(self, x):
        CACHE["x"] = x
        type(self).table = x
        return super().forward(x)


class Ready(nn.Linear):
    def forward(self, x):
        global READY
        if READY:
            raise RuntimeError("set up twice")
        READY = True
        return super().forward(x)


class Cached(nn.Linear):
    def forward(self, x):
        return super().forward(x) + ones(2)


class Hidden(nn.Linear):
    def forward(self, x):
        eval("CACHE")["hidden"] = x
        return super().forward(x)


@functools.lru_cache
def ones(size):
    return torch.ones(size)
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    (folder / "careless_library.py").write_text(LIBRARY, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    yield importlib.import_module("careless_library")
    del sys.modules["careless_library"]


@pytest.fixture(autouse=True)
def _earlier() -> Iterator[None]:
    """Know the stand-ins that tests before this one left, some of which export programs."""
    EARLIER.extend(one for one in gc.get_objects() if type(one) is FakeTensor)
    yield
    EARLIER.clear()


def stand_ins() -> int:
    gc.collect()
    found = [one for one in gc.get_objects() if type(one) is FakeTensor]
    return sum(all(one is not earlier for earlier in EARLIER) for one in found)


def test_a_library_is_put_back_where_stand_ins_got_into_it(library: ModuleType) -> None:
    assert fl.count(library.Layer(2, 2), "3x2").total.count == 12
    assert library.CACHE == {}
    assert library.Layer.table is None
    assert stand_ins() == 0


def test_what_a_library_has_set_up_stays_set_up(library: ModuleType) -> None:
    fl.count(library.Ready(2, 2), "3x2")
    assert library.READY is True


def test_a_library_s_caches_are_emptied(library: ModuleType) -> None:
    assert fl.count(library.Cached(2, 2), "3x2").total.count == 12
    assert library.ones.cache_info().currsize == 0
    assert stand_ins() == 0


def test_a_holder_that_nothing_names_is_an_error_that_does(library: ModuleType) -> None:
    with pytest.raises(fl.FlopledgerError, match=r"stand-ins .* careless_library\.CACHE, .*isolated=True"):
        fl.count(library.Hidden(2, 2), "3x2")
    library.CACHE.clear()
    assert fl.count(library.Hidden(2, 2), "3x2", isolated=True).total.count == 12
    assert library.CACHE == {}


class Outside(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        TOTALS[0] += 1
        COUNT.add_(1)
        HEAD.last = x  # type: ignore[assignment]
        CONTEXT.set(x)
        np.random.seed(5)  # noqa: NPY002  (what is tested)
        random.seed(5)
        y: Tensor = self.linear(x) + HEAD(x)
        return y


@pytest.mark.parametrize("execute", [False, True])
def test_arrays_tensors_modules_and_contexts_of_the_program_are_put_back(*, execute: bool) -> None:
    states = np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]  # noqa: NPY002
    assert fl.count(Outside(), "3x2", "mac").total.count == 24
    graph = fl.read(Outside(), "3x2", execute=execute)
    assert graph.count("mac").total.count == 24
    assert TOTALS.tolist() == [0, 0]
    assert COUNT.tolist() == [0]
    assert not hasattr(HEAD, "last")
    assert CONTEXT.get() is None
    assert (np.random.get_state()[1].tolist(), random.getstate()) == states  # type: ignore[index]  # noqa: NPY002
    assert stand_ins() == 0


def test_a_failure_leaves_no_stand_in_though_its_error_is_kept() -> None:
    class Failing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            kept = [x * 2]
            raise ValueError(len(kept))

    with pytest.raises(fl.FlopledgerError) as caught:
        fl.read(Failing(), "3x2")
    assert stand_ins() == 0
    assert "ValueError: 1" in str(caught.value)


def test_an_isolated_reading_gives_the_same_graph_and_leaves_all_alone() -> None:
    kept: list[Tensor] = []
    plain = nn.Linear(2, 2)
    model = nn.Sequential(plain, nn.ReLU())
    plain.register_forward_hook(lambda *args: kept.append(args[2]))
    alone = fl.read(model, "3x2", isolated=True)
    assert alone.digest == fl.read(model, "3x2").digest
    assert kept == []
