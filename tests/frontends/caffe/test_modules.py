"""Weights that layers share by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from caffe_layers import INPUT, dense, relu
from flopledger.errors import SourceError

if TYPE_CHECKING:
    from conftest import Read


def test_shared_weights_are_one_parameter(read: Read) -> None:
    shared = 'param { name: "w" lr_mult: 0 } param { name: "b" }'
    graph = read(INPUT + dense("f", "x", "f", shared) + dense("g", "x", "g", shared) + dense("h", "x", "h"))
    f, g, h = (graph.modules[i].parameters for i in (1, 2, 3))
    assert f == g == (("weight", 0), ("bias", 1))
    assert h == (("weight", 2), ("bias", 3))
    assert graph.parameters[0].names == ("f.weight", "g.weight")
    assert [(p.trainable, p.object, p.storage) for p in graph.parameters] == [
        (False, 0, 0),
        (True, 1, 1),
        (True, 2, 2),
        (True, 3, 3),
    ]


def test_weights_of_other_shapes_can_not_be_shared(read: Read) -> None:
    text = (
        INPUT + dense("f", "x", "f", 'param { name: "w" }') + dense("g", "f", "g", 'param { name: "w" %s }')
    )
    message = r"layer 'g' .* shares the parameter 'w' with layer 'f', where its shape is 4x192; here .* 4x4"
    with pytest.raises(SourceError, match=message):
        read(text % "")
    with pytest.raises(SourceError, match=message):
        read(text % "share_mode: PERMISSIVE")


def test_permissive_sharing_asks_for_as_many_elements(read: Read) -> None:
    turned = (
        'layer { name: "g" type: "InnerProduct" bottom: "x" top: "g" '
        'param { name: "w" share_mode: PERMISSIVE } inner_product_param { num_output: 4 transpose: true } }'
    )
    graph = read(INPUT + dense("f", "x", "f", 'param { name: "w" }') + turned)
    assert graph.modules[2].parameters[0] == ("weight", 0)


def test_statistics_are_never_trainable(read: Read) -> None:
    graph = read(INPUT + 'layer { name: "n" type: "BatchNorm" bottom: "x" top: "y" param { lr_mult: 1 } }')
    assert [(p.role, p.trainable, p.is_buffer) for p in graph.parameters] == [
        ("running_mean", False, True),
        ("running_var", False, True),
        ("counter", False, True),
    ]


def test_more_param_than_blobs_is_noted(read: Read) -> None:
    graph = read(INPUT + relu("r", "x", "y", "param { lr_mult: 1 }"))
    assert graph.reading.notes == ("r: it has 1 param for 0 blobs; real Caffe would refuse that",)
