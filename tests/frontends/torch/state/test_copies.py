"""The copy of a model that a reading runs on: same types, same sharing, nothing in common that changes."""

from __future__ import annotations

import functools
import gc
import os
import random
import types
import weakref
from typing import Any

import careless_models as careless
import flopledger as fl
import numpy as np
import pytest
import torch
from flopledger_torch.stand_ins import Fakes
from flopledger_torch.state.copies import Copies, NotCopyable
from flopledger_torch.state.weights import StandIns
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor

_EXAMPLES = 100 if "FLOPLEDGER_SLOW_TESTS" in os.environ else 8
"""How many random models are read: each takes about a second. make test-all takes its time."""
_SHARED_BY_EXAMPLES = [HealthCheck.function_scoped_fixture]


def copied(value: Any) -> Any:
    return Copies(StandIns(Fakes()))(value)


@pytest.fixture(autouse=True)
def clean() -> None:
    reset()


def reset() -> None:
    for store in (careless.STORE, careless.HISTORY, vars(careless.helper), vars(careless.MEMORY)):
        store.clear()
    (careless.helper.__defaults__ or ([],))[0].clear()
    careless.LATEST, careless.CALLS, careless.Memory.shared = None, 0, None
    careless.table.cache_clear()
    if "tally" in vars(careless.Model):
        del careless.Model.tally


def test_stand_ins_are_tied_as_the_weights_are() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    made = copied(model)
    assert type(made) is nn.Sequential
    assert made[0].weight is made[1].weight
    assert isinstance(made[0].weight, FakeTensor)
    assert made[0]._parameters["weight"] is made[0].weight
    assert type(model[0].weight) is nn.Parameter


def test_functions_hold_the_copy_and_not_the_original() -> None:
    model = nn.Linear(2, 2)
    plain = model.forward
    model.forward = lambda x: plain(x) + 0  # type: ignore[method-assign]
    model.own = functools.partial(plain, weakref.ref(model))  # type: ignore[assignment]
    made = copied(model)
    (cell,) = made.forward.__closure__
    assert cell.cell_contents.__self__ is made
    assert made.own.func.__self__ is made
    assert made.own.args[0]() is made


def test_functions_of_a_module_stay_what_they_are() -> None:
    model = nn.Module()
    model.act, model.table = nn.functional.relu, careless.table  # type: ignore[assignment]
    made = copied(model)
    assert made.act is nn.functional.relu
    assert made.table is careless.table


def test_settings_that_refuse_changes_are_copied_past_their_methods() -> None:
    kept = careless.Settings()
    kept["a"] = [1]
    vars(kept)["frozen"] = True
    made = copied(kept)
    assert type(made) is careless.Settings
    assert list(made.items()) == [("a", [1])]
    assert made["a"] is not kept["a"]
    assert made.frozen is True


def test_nothing_is_asked_of_an_object_that_raises_at_every_question() -> None:
    model = nn.Linear(2, 2)
    vars(model)["optional"] = careless.BROKEN
    assert copied(model).__dict__["optional"] is careless.BROKEN
    assert fl.count(model, "3x2").total.count == 12


def test_marks_are_compared_with_and_stay_what_they_are() -> None:
    class Holder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mark, self.plain = careless.MEMORY, object()

    model = Holder()
    made = copied(model)
    assert made.mark is careless.MEMORY
    assert made.plain is model.plain


def test_generators_of_random_numbers_go_on_on_their_own() -> None:
    dice, numpy_dice, torch_dice = random.Random(1), np.random.default_rng(1), torch.Generator()  # noqa: S311
    made = copied([dice, numpy_dice, torch_dice])
    states = dice.getstate(), numpy_dice.bit_generator.state, torch_dice.get_state()
    drawn = made[0].random(), made[1].random()
    torch.rand(3, generator=made[2])
    assert (dice.getstate(), numpy_dice.bit_generator.state) == states[:2]
    assert torch.equal(torch_dice.get_state(), states[2])
    assert (dice.random(), numpy_dice.random()) == drawn


def test_a_large_array_of_numbers_is_shown_read_only() -> None:
    small, large = np.zeros(4), np.zeros(1 << 18)
    made = copied([small, large])
    made[0][0] = 1
    assert small[0] == 0
    assert not made[1].flags.writeable
    assert np.shares_memory(made[1], large)


def test_a_small_constant_keeps_its_values_and_a_large_one_has_none() -> None:
    small, large = torch.tensor([3, 4]), torch.empty(1 << 20)
    made = copied({"deep": (small, large)})["deep"]
    assert made[0].tolist() == [3, 4]
    assert made[0] is not small
    assert isinstance(made[1], FakeTensor)


def test_weak_references_and_cycles_lead_to_copies() -> None:
    box: dict[str, Any] = {"self": None}
    box["self"] = (box, [box])
    module = nn.ReLU()
    box["weak"] = weakref.WeakKeyDictionary({module: box})
    box["module"], box["proxy"] = module, weakref.proxy(module)
    made = copied(box)
    assert made["self"][0] is made
    assert made["self"][1][0] is made
    assert list(made["weak"].items()) == [(made["module"], made)]
    assert made["module"] is not module


def test_a_view_of_a_dict_and_an_append_are_bound_to_the_copies() -> None:
    kept: list[int] = []
    table = {"kept": kept}
    made = copied({"view": types.MappingProxyType(table), "table": table, "append": kept.append})
    made["append"](1)
    assert kept == []
    assert made["table"] == {"kept": [1]}
    made["table"]["new"] = 2
    assert made["view"]["new"] == 2


def test_an_iterator_goes_on_on_its_own_or_has_no_copy() -> None:
    for plain in (iter([1, 2]), iter((1, 2)), iter(range(1, 3)), iter("ab")):
        made = copied([plain])[0]
        assert next(made) in (1, "a")
        assert next(plain) in (1, "a")
    for other in (
        iter({1: 2}),
        iter({1}),
        iter({1: 2}.items()),
        reversed([1]),
        iter([nn.ReLU()]),
        iter(int, 1),
    ):
        with pytest.raises(NotCopyable, match="iterator"):
            copied([other])


def test_a_generator_has_no_copy() -> None:
    with pytest.raises(NotCopyable, match="a generator"):
        copied([1, (number for number in range(3))])


def test_a_model_that_holds_a_generator_is_read_in_a_child_process() -> None:
    class Stepping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.steps = nn.Linear(2, 2), (number for number in range(5))

        def forward(self, x: Tensor) -> Tensor:
            next(self.steps)
            y: Tensor = self.linear(x)
            return y

    model = Stepping()
    graph = fl.read(model, "3x2")
    assert graph.count("mac").total.count == 12
    assert graph.reading.notes == (
        "it was read in a child process, since its model can't be copied whole: a generator",
    )
    assert next(model.steps) == 0


def test_an_input_that_is_an_object_is_not_changed() -> None:
    class Store:
        def __init__(self) -> None:
            self.kept: list[Tensor] = [torch.ones(3, 2)]

    class Storing(nn.Linear):
        def forward(self, x: Tensor, store: Any = None) -> Tensor:
            store.kept.append(super().forward(x))
            found: Tensor = store.kept[-1] + store.kept[0]
            return found

    store = Store()
    assert fl.count(Storing(2, 2), (torch.ones(3, 2), store)).total.count == 12
    assert len(store.kept) == 1


def outputs(model: nn.Module, x: Tensor) -> list[Any]:
    found: list[Any] = []
    for _ in range(2):
        with torch.no_grad():
            try:
                found.append(model(x))
            except (ValueError, KeyboardInterrupt) as error:
                found.append(type(error))
    return found


def imitations() -> list[FakeTensor]:
    return [one for one in gc.get_objects() if type(one) is FakeTensor]


def equal(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) is Tensor and torch.equal(a, b))


@settings(max_examples=_EXAMPLES, deadline=None, derandomize=True, suppress_health_check=_SHARED_BY_EXAMPLES)
@given(
    places=st.lists(st.integers(0, len(careless.PLACES) - 1), min_size=1, max_size=5),
    how=st.sampled_from(["", "lambda", "method", "hook", "append"]),
    fails=st.sampled_from(["", "", "raises", "interrupted", "data"]),
    execute=st.booleans(),
    warm=st.booleans(),
)
def test_a_model_computes_after_a_reading_what_it_would_have_before(
    places: list[int], how: str, fails: str, *, execute: bool, warm: bool
) -> None:
    x = torch.rand(3, 4)

    def fresh() -> nn.Module:
        reset()
        torch.manual_seed(1)
        model = careless.dressed(careless.Model(places, fails=fails), how).eval()
        if warm:
            outputs(model, x)
        return model

    fakes = imitations()  # torch.export keeps some of its own, which tests before this one have left
    expected = outputs(fresh(), x)
    model = fresh()
    objects = [(name, id(value)) for module in model.modules() for name, value in vars(module).items()]
    try:
        fl.read(model, (x,), execute=execute)
    except (fl.FlopledgerError, KeyboardInterrupt):
        assert fails
    assert [(name, id(v)) for module in model.modules() for name, v in vars(module).items()] == objects
    found = outputs(model, x)
    assert all(map(equal, found, expected))
    gc.collect()
    assert [one for one in imitations() if all(one is not fake for fake in fakes)] == []
