"""The names of Paddle that the direct recipe needs; where one of these fails, look at internals.py."""

from __future__ import annotations

import inspect
import threading
import traceback
from typing import Any

import pytest
from flopledger_paddle import internals
from flopledger_paddle.framework import paddle
from paddle import nn


def test_this_paddle_is_one_that_the_internals_were_seen_on() -> None:
    assert paddle.__version__.startswith(internals.SEEN_ON)


def test_the_names_that_are_replaced_are_there() -> None:
    from paddle import _C_ops
    from paddle.nn.layer import layers, rnn
    from paddle.pir import core

    assert list(inspect.signature(rnn._rnn_dynamic_graph).parameters) == list(
        inspect.signature(rnn._rnn_static_graph).parameters
    )
    assert callable(_C_ops.batch_norm_)
    assert callable(_C_ops.sync_batch_norm_)
    assert callable(layers.name_struct)
    assert list(inspect.signature(core.create_parameter).parameters) == ["dtype", "shape", "name", "kwargs"]


def test_names_are_counted_from_where_they_were() -> None:
    names = internals.Names()
    first = nn.Linear(2, 2).full_name()
    paddle.enable_static()
    paddle.disable_static()
    names.restore()

    assert nn.Linear(2, 2).full_name() == first


def test_only_the_inner_listener_hears() -> None:
    heard = []

    def listener(name: str) -> Any:
        def call(own: Any, layer: Any, args: Any, kwargs: Any) -> Any:
            heard.append(name)
            return own(layer, *args, **kwargs)

        return call

    own = nn.Layer.__call__
    layer = nn.ReLU()
    with internals.intercepting(listener("outer")):
        layer(paddle.ones([1]))
        with internals.intercepting(listener("inner")):
            layer(paddle.ones([1]))
        layer(paddle.ones([1]))

    assert heard == ["outer", "inner", "outer"]
    assert nn.Layer.__call__ is own


def test_a_listener_that_fails_leaves_nothing_behind() -> None:
    own = nn.Layer.__call__

    def call(*_: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"), internals.intercepting(call):
        nn.ReLU()(paddle.ones([1]))
    assert nn.Layer.__call__ is own


def test_what_has_no_such_attribute_is_left_alone() -> None:
    class Empty:
        pass

    with internals.replaced(Empty, "gone", 1):
        assert not hasattr(Empty, "gone")


def test_stacks_are_left_out_in_the_thread_that_reads_alone() -> None:
    seen: list[int] = []
    with internals.without_stacks():
        assert traceback.extract_stack() == []
        other = threading.Thread(target=lambda: seen.append(len(traceback.extract_stack())))
        other.start()
        other.join()
    assert seen[0] > 0
    assert traceback.extract_stack()
