"""Experts and routers in networks made by hand: each test states the weights of its modules."""

from __future__ import annotations

import pytest
from flopledger.comparing import comparison
from flopledger.conventions import loader
from flopledger.dims.arithmetic import symbol
from flopledger.report import comparison as sidebyside
from routed import EXPERTS, INNER, STACK, TOKENS, WIDTH, Net, block, expert


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


def test_a_weight_that_another_module_holds_too_is_used_by_every_token() -> None:
    net = Net()
    call, experts = block(net)
    stored = net.weight(experts, *STACK)
    net.weight(net.module("elsewhere", inside=0), *STACK, storage=stored)
    net.call(experts, call)

    assert net.found() == []


def test_weights_of_symbolic_size_are_active_in_exact_parts() -> None:
    width = symbol("W")
    net = Net()
    call, experts = block(net)
    net.weight(experts, EXPERTS, width, INNER)
    net.call(experts, call)

    assert net.found() == [("moe", 4, 2, 48 * width, 24 * width)]


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
