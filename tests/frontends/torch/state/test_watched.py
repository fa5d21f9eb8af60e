"""State that a model's code shares with the program is put back, the user's own and that of libraries."""

from __future__ import annotations

import contextvars
import copy
import gc
import importlib
import io
import itertools
import random
import sys
import threading
from typing import TYPE_CHECKING, Any

import flopledger as fl
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


class Sub(np.ndarray):
    """A user's own array."""


NATIVES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "Random": (lambda: random.Random(3), lambda v: v.random(), lambda v: v.getstate()),  # noqa: S311
    "Generator": (lambda: np.random.default_rng(3), lambda v: v.random(), lambda v: v.bit_generator.state),
    "bytearray": (lambda: bytearray(b"ab"), lambda v: v.append(1), bytes),
    "stream": (lambda: io.StringIO("ab"), lambda v: v.write("x"), lambda v: (v.getvalue(), v.tell())),
    "subclass": (lambda: np.zeros(2).view(Sub), lambda v: v.__iadd__(1), lambda v: v.tolist()),
    "masked": (lambda: np.ma.array([1, 2]), lambda v: v.__setitem__(0, np.ma.masked), str),
    "objects": (lambda: np.array([None, [1]], dtype=object), lambda v: v[1].append(2), str),
    "local": (threading.local, lambda v: setattr(v, "last", torch.ones(1)), lambda v: list(vars(v))),
}


def placed(place: str, value: Any, change: Callable[[Any], Any]) -> nn.Module:
    """A model whose forward changes a value in a global, a default, a class's table or an attribute."""
    NATIVE["one"] = value

    def default(x: Tensor, held: Any = value) -> Tensor:
        change(held)
        return x

    class Changing(nn.Linear):
        held = value

        def forward(self, x: Tensor) -> Tensor:
            if place == "default":
                default(x)
            else:
                of_class = type(self).held if place == "class" else NATIVE["one"]
                change(self.nested[1][0] if place == "attribute" else of_class)
            return super().forward(x)

    model = Changing(3, 4)
    model.nested = (1, (value,))
    return model


@pytest.mark.parametrize("place", ["global", "default", "class", "attribute"])
@pytest.mark.parametrize("name", NATIVES)
def test_generators_buffers_and_streams_of_the_program_are_as_they_were(name: str, place: str) -> None:
    make, change, state = NATIVES[name]
    value = make()
    before = copy.deepcopy(state(value))
    assert fl.count(placed(place, value, change), "2x3").total.count == 24
    assert state(value) == before


NATIVE: dict[str, Any] = {}
NUMBERS = itertools.count()
DRAWN = (number for number in range(9))


@pytest.mark.parametrize("name", ["NUMBERS", "DRAWN"])
def test_an_iterator_of_the_program_is_moved_on_in_a_child_process(name: str) -> None:
    class Drawing(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            assert next(NUMBERS if name == "NUMBERS" else DRAWN) == 0
            return super().forward(x)

    for _ in range(2):
        (note,) = fl.read(Drawing(3, 4), "2x3").reading.notes
        assert note.startswith("it was read in a child process")
        assert "of the program, which its code names" in note


def test_an_iterator_behind_a_library_s_objects_is_none_that_the_code_names() -> None:
    class Asserting(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            assert x.shape == (2, 3)  # as pytest rewrites it, it leads to this module, and so to NUMBERS
            return super().forward(x)

    assert fl.read(Asserting(3, 4), "2x3").reading.notes == ()


def test_what_a_function_runs_and_its_defaults_are_as_they_were() -> None:
    def helper(x: Tensor, by: float = 2.0) -> Tensor:
        return x * by

    class Changing(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            helper.__defaults__ = (x,)
            helper.__code__ = (lambda x, _: x).__code__
            return super().forward(x)

    assert fl.count(Changing(3, 4), "2x3").total.count == 24
    assert helper(torch.ones(1)).tolist() == [2.0]
