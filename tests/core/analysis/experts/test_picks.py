"""How many experts a router picks for one token, in networks made by hand."""

from __future__ import annotations

import pytest
from flopledger.dims.arithmetic import symbol
from flopledger.graph.tables import TensorRef
from routed import EXPERTS, INNER, STACK, TOKENS, WIDTH, Net, block


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


def test_the_largest_and_the_next_of_two_are_both() -> None:
    net = Net()
    moe = net.module("moe", inside=0)
    net.weight(moe, 2, WIDTH, INNER)
    call = net.call(moe, net.root)
    for _ in range(2):
        net.largest(call, net.b.tensor((TOKENS, 2)))

    assert net.found() == []


def test_with_symbols_for_what_is_picked_nothing_is_said() -> None:
    for k, size in ((symbol("K"), EXPERTS), (2, symbol("E"))):
        net = Net()
        moe = net.module("moe", inside=0)
        net.weight(moe, size, WIDTH, INNER)
        net.top_k(net.call(moe, net.root), k, size)

        assert net.found() == []


@pytest.mark.parametrize("k", [4, 0])
def test_all_or_none_is_no_choice(k: int) -> None:
    net = Net()
    call, experts = block(net, k=k)
    net.weight(experts, *STACK)
    net.call(experts, call)

    assert net.found() == []
    assert net.graph().count("mac").total.active_params == 384 + 32
