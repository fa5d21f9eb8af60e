"""The table of calls: which row has which weights."""

from __future__ import annotations

from flopledger.counting.engine import analysis_of
from torch_sketch import Sketch

DENSE = {"weight": (7, 7), "bias": (7,)}
X = (1, 7)


def rows(net: Sketch) -> dict[int, int]:
    return dict(analysis_of(net.graph()).module_rows)


def test_a_leaf_lists_its_own_and_a_container_what_is_left() -> None:
    net = Sketch(X)
    box = net.register("torch.nn.Sequential", {"scale": (3,)})
    leaf = net.register("torch.nn.Linear", DENSE, parents=[box])
    net.register("torch.nn.Linear", {"weight": (5, 7)}, parents=[box])  # never called
    net.call(leaf, X, X, parent=net.call(box, 0, X))
    assert rows(net) == {0: 0, box: 3 + 35, leaf: 56}


def test_a_module_that_is_called_twice_is_listed_once() -> None:
    net = Sketch(X)
    leaf = net.register("torch.nn.Linear", DENSE)
    net.call(leaf, 0, X)
    net.call(leaf, X, X)
    assert rows(net) == {0: 0, leaf: 56}


def test_a_module_in_two_containers_belongs_to_the_last() -> None:
    net = Sketch(X)
    first, last = net.register("torch.nn.Sequential"), net.register("torch.nn.Sequential")
    leaf = net.register("torch.nn.Linear", DENSE, parents=[first, last])
    for box in (first, last):
        net.call(leaf, X, X, parent=net.call(box, X, X))
    # The leaf's first row stands under a row put in for the last container, so that neither lists it.
    assert rows(net) == {0: 0, first: 56, leaf: 56, last: 56}


def test_a_container_that_is_never_called_gets_a_row_for_its_place() -> None:
    net = Sketch(X)
    box = net.register("torch.nn.ModuleList", {"own": (4,)})
    leaf = net.register("torch.nn.Linear", DENSE, parents=[box])
    net.call(leaf, 0, X)
    assert rows(net) == {0: 0, box: 4, leaf: 56}


def test_such_a_row_that_is_needed_twice_lists_nothing() -> None:
    net = Sketch(X)
    box = net.register("torch.nn.ModuleList", {"own": (4,)})
    inner = [net.register("torch.nn.Linear", {"weight": (7, 7)}, parents=[box]) for _ in range(2)]
    other = net.register("torch.nn.ReLU")
    for module in (inner[0], other, inner[1]):
        net.call(module, X, X)
    assert rows(net) == {0: 4, inner[0]: 49, other: 0, inner[1]: 49}


def test_pruned_weights_are_listed_without_what_was_pruned() -> None:
    net = Sketch(X)
    leaf = net.register("torch.nn.Linear", DENSE, native={"kept": {"weight": 20}})
    net.call(leaf, 0, X)
    assert rows(net) == {0: 0, leaf: 27}


def test_tied_weights_are_listed_in_each_module() -> None:
    net = Sketch(X)
    first = net.register("torch.nn.Linear", DENSE)
    second = net.register("torch.nn.Linear", {"bias": (7,)}, shared={"weight": 0})
    net.call(first, 0, X)
    net.call(second, X, X)
    assert rows(net) == {0: 0, first: 56, second: 56}
