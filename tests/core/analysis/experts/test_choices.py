"""Modules and stacks that may be experts, and those that are none, in networks made by hand."""

from __future__ import annotations

import pytest
from routed import EXPERTS, STACK, TOKENS, WIDTH, Net, block, expert


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


def test_alike_layers_inside_experts_are_no_experts_of_their_own() -> None:
    net = Net()
    call, experts = block(net)
    net.top_k(call, 1, 2)
    for i in range(EXPERTS):
        expert(net, f"moe.experts.{i}", experts, rows=WIDTH)  # its two layers are alike: 8 * 8 each

    assert net.found() == [
        ("moe", 4, 2, 4 * 128, 2 * 128),
    ]


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


def test_buffers_are_no_experts() -> None:
    net = Net()
    call, experts = block(net)
    net.weight(experts, *STACK, role="buffer")
    net.call(experts, call)

    assert net.found() == []
