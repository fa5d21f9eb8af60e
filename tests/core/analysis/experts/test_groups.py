"""Experts and routers in networks made by hand: each test says what its modules weigh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.comparing import comparison
from flopledger.conventions import loader
from flopledger.dims.arithmetic import symbol
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading, TensorRef
from flopledger.kinds import builtin
from flopledger.report import comparison as sidebyside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.dims.types import Dim
    from flopledger.graph.graph import Graph

TOKENS, WIDTH, INNER, EXPERTS = 5, 8, 12, 4
STACK = (EXPERTS, WIDTH, INNER)
"""One weight of 4 experts: 96 elements each, 384 in all."""


class Net:
    """Builds a graph call by call; its root is the module 0, called first."""

    def __init__(self) -> None:
        self.b = GraphBuilder(builtin())
        self.x = self.b.input("x", (TOKENS, WIDTH))
        self.modules: list[dict[str, object]] = []
        self.picked: list[int] = []
        self.root = self.call(self.module("", "mine.Net"), None)

    def module(self, path: str, type_: str = "mine.Block", inside: int | None = None) -> int:
        """Register a module."""
        self.modules.append({"path": path, "type": type_, "children": [], "parameters": []})
        if inside is not None:
            self.holds(inside, len(self.modules) - 1)
        return len(self.modules) - 1

    def holds(self, module: int, child: int) -> None:
        self.modules[module]["children"].append(child)

    def weight(self, module: int, *shape: Dim, storage: int | None = None, role: str = "weight") -> int:
        """Give a module a weight; returns where it is stored."""
        i = len(self.b.parameters)
        stored = i if storage is None else storage
        self.b.parameters.append(Parameter(i, (f"w{i}",), shape, role=role, object=i, storage=stored))
        self.modules[module]["parameters"].append((f"w{i}", i))
        return stored

    def call(self, module: int, parent: int | None, kind: str = "container", **told: object) -> int:
        path = str(self.modules[module]["path"])
        return self.b.layer(path, kind, kind, parent=parent, module=module, **told)

    def op(
        self,
        kind: str,
        parent: int,
        inputs: Sequence[int],
        *shapes: tuple[Dim, ...],
        attrs: dict[str, object] | None = None,
        native: dict[str, object] | None = None,
    ) -> list[int]:
        """Call a function or op; returns its outputs."""
        out = [self.b.tensor(shape) for shape in shapes]
        told = {"attrs": attrs or {}, "native": native or {}}
        self.b.layer(kind, kind, kind, level="op", parent=parent, inputs=inputs, outputs=out, **told)
        return out

    def top_k(self, parent: int, k: Dim = 2, size: Dim = EXPERTS) -> list[int]:
        """Pick k of the places along the last axis; returns values and places."""
        scores = self.b.tensor((TOKENS, size))
        attrs = {"size": k, "axis": -1}
        self.picked = self.op("top_k", parent, [scores], (TOKENS, k), (TOKENS, k), attrs=attrs)
        return self.picked

    def gather(self, parent: int, tensor: int) -> int:
        """Take rows at the places that were picked last."""
        shape, places = (TOKENS, WIDTH), {"index": TensorRef(self.picked[1])}
        return self.op("gather", parent, [tensor], shape, attrs={"shape": shape}, native=places)[0]

    def largest(self, parent: int, scores: int, *, read: bool = True) -> None:
        """Look for the largest along the last axis, and perhaps at its place."""
        attrs = {"axes": (-1,), "keep_dims": False}
        _, place = self.op("reduce_max", parent, [scores], (TOKENS,), (TOKENS,), attrs=attrs)
        if read:
            self.op("gather", parent, [place], (TOKENS, WIDTH), attrs={"shape": (TOKENS, WIDTH)})

    def graph(self) -> Graph:
        self.b.modules.clear()
        for i, told in enumerate(self.modules):
            path, type_ = str(told["path"]), str(told["type"])
            children, parameters = tuple(told["children"]), tuple(told["parameters"])
            self.b.modules.append(Module(i, (path,), type_, children=children, parameters=parameters))
        return self.b.build(Reading("net", "hand", "hand", "1", {}), ())

    def found(self) -> list[tuple[str, int, int, object, object]]:
        experts = self.graph().count("mac").experts
        return [(e.path, e.size, e.picked, e.params, e.active_params) for e in experts]


def block(net: Net, path: str = "moe", inside: int = 0, k: Dim = 2) -> tuple[int, int]:
    """A block with a router of 8 * 4 weights that picks k of 4, and a module for the experts.

    Returns:
        The block's call and the module for the experts, which the caller fills.
    """
    moe = net.module(path, inside=inside)
    router = net.module(f"{path}.router", "mine.Router", inside=moe)
    net.weight(router, EXPERTS, WIDTH)
    experts = net.module(f"{path}.experts", "mine.Experts", inside=moe)
    call = net.call(moe, net.root)
    net.top_k(net.call(router, call), k)
    return call, experts


def expert(net: Net, path: str, inside: int, rows: int = INNER) -> int:
    """An expert of two dense layers: 8 * 12 + 12 * 8 = 192 weights."""
    one = net.module(path, "mine.Expert", inside=inside)
    for name in ("up", "down"):
        dense = net.module(f"{path}.{name}", "mine.Dense", inside=one)
        net.weight(dense, *((WIDTH, rows) if name == "up" else (rows, WIDTH)))
    return one


def test_weights_stacked_by_expert_are_active_as_far_as_they_are_picked() -> None:
    net = Net()
    call, experts = block(net)
    net.weight(experts, *STACK)
    net.weight(experts, EXPERTS, INNER)
    net.weight(experts, 3, 3, 3)
    net.call(experts, call)
    ledger = net.graph().count("mac")

    # 384 and biases of 4 * 12 = 48 are 432, half of them 216; the router has 32, and 27 are no expert's
    assert net.found() == [("moe", 4, 2, 432, 216)]
    assert ledger.total.params == 432 + 32 + 27
    assert ledger.total.active_params == 216 + 32 + 27


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("called", [(), (1, 3), (0, 1, 2, 3)])
def test_siblings_are_experts_whether_their_tokens_are_known_or_not(
    called: tuple[int, ...], *, given: bool
) -> None:
    net = Net()
    call, experts = block(net, k=1)
    each = [expert(net, f"moe.experts.{i}", experts) for i in range(EXPERTS)]
    for i in called:
        x, y = net.gather(call, net.x) if given else net.x, net.b.tensor((TOKENS, WIDTH))
        net.call(each[i], call, inputs=(x,), outputs=(y,))
        if not given:  # they run on all tokens, of which those that were not sent to them are left out
            net.gather(call, y)

    assert net.found() == [("moe", 4, 1, 4 * 192, 192)]


@pytest.mark.parametrize("running", [EXPERTS, 1])
def test_siblings_that_all_run_whatever_was_picked_are_not_chosen(running: int) -> None:
    net = Net()
    call, heads = block(net)
    each = [expert(net, f"moe.experts.{i}", heads) for i in range(EXPERTS)]
    for head in each[:running]:
        y = net.b.tensor((TOKENS, WIDTH))
        net.call(head, call, inputs=(net.x,), outputs=(y,))
        net.op("relu", call, (y,), (TOKENS, WIDTH))
    net.gather(call, net.x)

    # one that runs alone may have been chosen by Python code, whose numbers no graph has
    assert net.found() == ([] if running == EXPERTS else [("moe", 4, 2, 4 * 192, 2 * 192)])


def test_experts_may_lie_beside_their_router_but_not_beside_other_weights() -> None:
    net = Net()
    moe = net.module("moe", inside=0)
    net.weight(net.module("moe.gate", "mine.Dense", inside=moe), WIDTH, 2)
    for i in range(2):
        expert(net, f"moe.expert{i}", moe)
    shared = net.module("moe.shared", inside=moe)
    for name in ("up", "gate"):
        net.weight(net.module(f"moe.shared.{name}", "mine.Dense", inside=shared), WIDTH, INNER)
    net.weight(net.module("moe.shared.down", "mine.Dense", inside=shared), INNER, WIDTH)
    net.top_k(net.call(moe, net.root), 1, 2)

    # "up" and "gate" of the shared expert are two alike too, but a third stands beside them
    assert net.found() == [("moe", 2, 1, 2 * 192, 192)]


def test_alike_layers_inside_experts_are_no_experts_of_their_own() -> None:
    net = Net()
    call, experts = block(net)
    net.top_k(call, 1, 2)
    for i in range(EXPERTS):
        expert(net, f"moe.experts.{i}", experts, rows=WIDTH)  # its two layers are alike: 8 * 8 each

    assert net.found() == [
        ("moe", 4, 2, 4 * 128, 2 * 128),
    ]


def test_of_several_picks_that_of_as_many_as_there_are_experts_matters() -> None:
    net = Net()
    call, experts = block(net)
    for size in (2, 6, 16):
        net.top_k(call, 1, size)
    net.weight(experts, *STACK)
    net.call(experts, call)

    assert net.found() == [("moe", 4, 2, 384, 192)]


def test_the_largest_of_what_is_left_is_a_second_expert_and_of_the_same_is_not() -> None:
    net = Net()
    moe = net.module("moe", inside=0)
    net.weight(moe, *STACK)
    call = net.call(moe, net.root)
    scores, rest, other = (net.b.tensor((TOKENS, EXPERTS)) for _ in range(3))
    for tensor in (scores, rest, scores):
        net.largest(call, tensor)
    net.largest(call, other, read=False)

    assert net.found() == [("moe", 4, 2, 384, 192)]


def test_a_largest_whose_place_nobody_looks_at_picks_nothing() -> None:
    net = Net()
    moe = net.module("moe", inside=0)
    net.weight(moe, *STACK)
    net.largest(net.call(moe, net.root), net.b.tensor((TOKENS, EXPERTS)), read=False)

    assert net.found() == []


def test_a_router_that_picks_one_more_than_it_keeps_picks_those_that_it_keeps() -> None:
    net = Net()
    moe = net.module("moe", inside=0)
    net.weight(moe, *STACK)
    call = net.call(moe, net.root)
    _, places = net.top_k(call, 3)
    net.op("view", call, [places], (TOKENS, 2), attrs={"shape": (TOKENS, 2)})

    assert net.found() == [("moe", 4, 2, 384, 192)]


def test_a_router_whose_weight_looks_like_a_bias_keeps_it() -> None:
    net = Net()
    moe = net.module("moe", inside=0)
    net.weight(moe, EXPERTS, WIDTH)  # the router's
    net.weight(moe, *STACK)
    net.weight(moe, EXPERTS, WIDTH)  # a bias
    call = net.call(moe, net.root)
    router, bias, stack = (net.b.tensor(shape) for shape in ((EXPERTS, WIDTH), (EXPERTS, WIDTH), STACK))
    net.op("view", call, [router], (WIDTH, EXPERTS), attrs={"shape": (WIDTH, EXPERTS)})
    net.top_k(call)
    gathered = {"shape": (TOKENS, 2, WIDTH)}
    net.op("gather", call, [net.x], (TOKENS, 2, WIDTH), attrs=gathered, native={"w": (TensorRef(stack),)})
    net.op("gather", call, [bias], (TOKENS, 2, WIDTH), attrs=gathered)

    # 384 and 32 are the experts', 32 the router's
    assert net.found() == [("moe", 4, 2, 416, 208)]


def test_layers_that_follow_one_another_are_not_chosen() -> None:
    net = Net()
    call, layers = block(net)
    x = net.x
    for i in range(EXPERTS):
        y, z = net.b.tensor((TOKENS, WIDTH)), net.b.tensor((TOKENS, WIDTH))
        one = net.call(expert(net, f"moe.experts.{i}", layers), call, inputs=(x,), outputs=(y,))
        net.b.layer("relu", "relu", "relu", parent=one, level="op", inputs=(x,), outputs=(y,))
        net.b.layer("relu", "relu", "relu", parent=call, level="op", inputs=(y,), outputs=(z,))
        x = z

    assert net.found() == []


def test_layers_that_follow_one_another_behind_a_router_are_not_chosen_either() -> None:
    """Each works on the last one's result, and the first on what was picked, so that all depend on it."""
    net = Net()
    call, layers = block(net)
    x = net.gather(call, net.x)
    for i in range(EXPERTS):
        y = net.b.tensor((TOKENS, WIDTH))
        one = net.call(expert(net, f"moe.experts.{i}", layers), call, inputs=(x,), outputs=(y,))
        net.b.layer("relu", "relu", "relu", parent=one, level="op", inputs=(x,), outputs=(y,))
        x = y

    assert net.found() == []


def test_what_runs_before_a_pick_is_not_chosen_by_it() -> None:
    net = Net()
    stem = net.module("stem", inside=0)
    heads = net.module("heads", inside=0)
    net.weight(heads, *STACK)
    for i in range(EXPERTS):
        one = net.module(f"stem.{i}", "mine.Dense", inside=stem)
        net.weight(one, WIDTH, WIDTH)
        net.call(one, net.root, inputs=(net.x,), outputs=(net.b.tensor((TOKENS, WIDTH)),))
    net.call(heads, net.root)
    net.top_k(net.root)

    assert net.found() == []


def test_what_runs_before_a_pick_and_again_after_it_is_not_chosen_either() -> None:
    net = Net()
    heads = net.module("heads", inside=0)
    net.weight(heads, *STACK)
    net.call(heads, net.root)
    net.top_k(net.root)
    net.call(heads, net.root)

    assert net.found() == []


def test_stacked_weights_read_before_the_pick_are_heads() -> None:
    net = Net()
    attention = net.module("attention", inside=0)
    net.weight(attention, *STACK)
    call = net.call(attention, net.root)
    stack = net.b.tensor(STACK)
    net.op("view", call, [stack], (WIDTH, 48), attrs={"shape": (WIDTH, 48)})
    net.top_k(call)

    assert net.found() == []


def test_a_table_of_words_is_no_stack_of_experts() -> None:
    net = Net()
    words = net.module("words", "mine.Words", inside=0)
    net.weight(words, 100, WIDTH)
    net.weight(net.module("head", "mine.Dense", inside=0), 100, WIDTH)
    net.call(words, net.root)
    net.top_k(net.root, 5, 100)

    assert net.found() == []


def test_the_weight_of_a_layer_of_a_known_kind_is_no_stack() -> None:
    net = Net()
    call, experts = block(net)
    net.weight(experts, 4, 8, 1)
    y = net.b.tensor((TOKENS, 4))
    net.call(experts, call, "linear", inputs=(net.x,), outputs=(y,), attrs={"out_features": 4})

    assert net.found() == []


def test_experts_are_searched_in_the_three_modules_around_a_pick() -> None:
    for depth, expected in ((2, [("", 4, 2, 384, 192)]), (3, [])):
        net = Net()
        net.weight(net.module("experts", "mine.Experts", inside=0), *STACK)
        call, inside = net.root, 0
        for i in range(depth):
            inside = net.module(f"in{i}", inside=inside)
            call = net.call(inside, call)
        net.top_k(call)

        assert net.found() == expected


def test_experts_of_two_routers_count_once_with_the_larger_of_their_picks() -> None:
    net = Net()
    _, first = block(net, "a", k=1)
    call, second = block(net, "b", k=3)
    stored = net.weight(first, *STACK)
    net.weight(second, *STACK, storage=stored)
    net.call(second, call)
    total = net.graph().count("mac").total

    assert net.found() == [("b", 4, 3, 384, 288)]
    assert (total.params, total.active_params) == (384 + 2 * 32, 288 + 2 * 32)


def test_each_router_of_a_flat_network_has_the_experts_that_run_after_it() -> None:
    net = Net()
    for i, k in enumerate((1, 3)):
        experts = net.module(f"experts{i}", "mine.Experts", inside=0)
        net.weight(experts, *STACK)
        net.top_k(net.root, k)
        net.call(experts, net.root)

    assert net.found() == [("", 4, 1, 384, 96), ("", 4, 3, 384, 288)]


def test_a_network_whose_modules_are_never_called_has_its_experts_in_the_root() -> None:
    net = Net()
    for i in range(3):
        moe = net.module(f"moe{i}", inside=0)
        net.weight(moe, EXPERTS, WIDTH)  # the router's
        net.weight(moe, *STACK)
        net.weight(moe, EXPERTS, WIDTH)  # a bias
        for before, shapes in ((True, [(EXPERTS, WIDTH)]), (False, [STACK, (EXPERTS, WIDTH)])):
            for shape in shapes:
                read = net.b.tensor(shape)
                net.op("view", net.root, [read], (*shape, 1), attrs={"shape": (*shape, 1)})
            if before:
                net.top_k(net.root)

    # three times 384 and a bias of 32
    assert net.found() == [("", 4, 2, 3 * 416, 3 * 208)]


def test_what_experts_share_is_used_by_every_token() -> None:
    net = Net()
    _, experts = block(net)
    stored = None
    for i in range(EXPERTS):
        one = net.module(f"moe.experts.{i}", "mine.Expert", inside=experts)
        net.weight(one, WIDTH, INNER)
        stored = net.weight(one, INNER, WIDTH, storage=stored)

    # 4 * 96 of their own, 96 shared by all
    assert net.found() == [("moe", 4, 2, 4 * 96, 2 * 96)]
    assert net.graph().count("mac").total.active_params == 32 + 2 * 96 + 96


def test_experts_that_are_all_the_same_are_no_choice_nor_are_the_layers_in_them() -> None:
    net = Net()
    moe = net.module("moe", inside=0)
    experts = net.module("moe.experts", inside=moe)
    stored: dict[str, int] = {}
    for i in range(2):
        one = net.module(f"moe.experts.{i}", "mine.Expert", inside=experts)
        for name in ("up", "down"):
            dense = net.module(f"moe.experts.{i}.{name}", "mine.Dense", inside=one)
            stored[name] = net.weight(dense, WIDTH, WIDTH, storage=stored.get(name))
    net.top_k(net.call(moe, net.root), 1, 2)

    assert net.found() == []


def test_the_largest_and_the_next_of_two_are_both() -> None:
    net = Net()
    moe = net.module("moe", inside=0)
    net.weight(moe, 2, WIDTH, INNER)
    call = net.call(moe, net.root)
    for _ in range(2):
        net.largest(call, net.b.tensor((TOKENS, 2)))

    assert net.found() == []


def test_a_weight_that_another_module_holds_too_is_used_by_every_token() -> None:
    net = Net()
    call, experts = block(net)
    stored = net.weight(experts, *STACK)
    net.weight(net.module("elsewhere", inside=0), *STACK, storage=stored)
    net.call(experts, call)

    assert net.found() == []


def test_buffers_are_no_experts() -> None:
    net = Net()
    call, experts = block(net)
    net.weight(experts, *STACK, role="buffer")
    net.call(experts, call)

    assert net.found() == []


def test_with_symbols_for_what_is_picked_nothing_is_said() -> None:
    for k, size in ((symbol("K"), EXPERTS), (2, symbol("E"))):
        net = Net()
        moe = net.module("moe", inside=0)
        net.weight(moe, size, WIDTH, INNER)
        net.top_k(net.call(moe, net.root), k, size)

        assert net.found() == []


def test_weights_of_symbolic_size_are_active_in_exact_parts() -> None:
    width = symbol("W")
    net = Net()
    call, experts = block(net)
    net.weight(experts, EXPERTS, width, INNER)
    net.call(experts, call)

    assert net.found() == [("moe", 4, 2, 48 * width, 24 * width)]


@pytest.mark.parametrize("k", [4, 0])
def test_all_or_none_is_no_choice(k: int) -> None:
    net = Net()
    call, experts = block(net, k=k)
    net.weight(experts, *STACK)
    net.call(experts, call)

    assert net.found() == []
    assert net.graph().count("mac").total.active_params == 384 + 32


def test_a_comparison_has_a_line_for_it() -> None:
    graphs = []
    for k in (1, 2):
        net = Net()
        call, experts = block(net, k=k)
        net.weight(experts, *STACK)
        net.call(experts, call)
        graphs.append(net.graph())
    compared = comparison.compare(graphs[0], graphs[1], loader.load("mac"))

    lines = [line.split() for line in sidebyside.render(compared).splitlines()]

    # one and two experts of 96, and the router's 32
    assert ["active", "params", "128", "224", "+96"] in lines
