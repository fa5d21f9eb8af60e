"""Whole networks: both generations, phases and rules, inputs, data flow, sharing, and what is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.dims.arithmetic import substitute, symbol
from flopledger.errors import SourceError, UsageError
from flopledger.graph.tables import TensorRef
from flopledger_caffe.tables.layers import SPELLINGS
from flopledger_caffe.text.net import OLD_TYPES, folded

if TYPE_CHECKING:
    from conftest import Read
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer

INPUT = 'input: "x" input_shape { dim: 2 dim: 3 dim: 8 dim: 8 }\n'


def relu(name: str, bottom: str, top: str, more: str = "") -> str:
    return f'layer {{ name: "{name}" type: "ReLU" bottom: "{bottom}" top: "{top}" {more} }}\n'


def dense(name: str, bottom: str, top: str, more: str = "", out: int = 4) -> str:
    return (
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{top}" {more} '
        f"inner_product_param {{ num_output: {out} }} }}\n"
    )


def names(graph: Graph) -> list[str]:
    return [layer.path for layer in graph.layers[1:]]


def layer_of(graph: Graph, path: str) -> Layer:
    return next(layer for layer in graph.layers if layer.path == path)


def test_the_network_is_the_root_of_modules_and_calls(read: Read) -> None:
    graph = read('name: "n" ' + INPUT + relu("a", "x", "y") + dense("b", "y", "z"))
    root = graph.layers[0]
    assert (root.path, root.kind, root.source, root.level) == ("", "container", "caffe.Net", "layer")
    assert (root.inputs, root.outputs) == (tuple(i.tensor for i in graph.inputs), graph.outputs)
    assert [layer.parent for layer in graph.layers] == [None, 0, 0]
    assert [(m.paths, m.type, m.children) for m in graph.modules] == [
        (("",), "caffe.Net", (1, 2)),
        (("a",), "ReLU", ()),
        (("b",), "InnerProduct", ()),
    ]
    assert graph.modules[0].native == {"name": "n"}
    assert [layer.module for layer in graph.layers] == [0, 1, 2]
    assert (graph.reading.frontend, graph.reading.framework) == ("caffe", "caffe")
    assert type(graph).from_json(graph.to_json()) == graph


def test_data_flows_by_tensor(read: Read) -> None:
    graph = read(INPUT + relu("a", "x", "x") + relu("b", "x", "y") + relu("c", "x", "x"))
    a, b, c = graph.layers[1:]
    assert b.inputs == c.inputs == a.outputs
    assert [graph.tensors[layer.outputs[0]].alias_of for layer in (a, b, c)] == [0, None, 0]
    assert graph.outputs == (*b.outputs, *c.outputs)


def test_what_only_looks_at_memory_shares_it(read: Read) -> None:
    flatten = 'layer { name: "f" type: "Flatten" bottom: "x" top: "y" }'
    split = 'layer { name: "s" type: "Split" bottom: "y" top: "p" top: "q" }'
    graph = read(INPUT + flatten + split)
    assert [graph.tensors[t].alias_of for layer in graph.layers[1:] for t in layer.outputs] == [0, 0, 0]


V1 = """
name: "old" input: "data" input_dim: 1 input_dim: 1 input_dim: 28 input_dim: 28
layers { name: "conv1" type: CONVOLUTION bottom: "data" top: "conv1" blobs_lr: 1 blobs_lr: 0
  convolution_param { num_output: 20 kernel_size: 5 } }
layers { name: "relu1" type: 18 bottom: "conv1" top: "conv1" }
layers { name: "ip" type: INNER_PRODUCT bottom: "conv1" top: "ip" param: "w" param: "b"
  inner_product_param { num_output: 10 } }
layers { name: "loss" type: SOFTMAX_LOSS bottom: "ip" bottom: "label" top: "loss" include { phase: TRAIN } }
layers { name: "prob" type: SOFTMAX bottom: "ip" top: "prob" }
"""


def test_the_first_generation_is_read(read: Read) -> None:
    graph = read(V1)
    assert [layer.source for layer in graph.layers[1:]] == ["Convolution", "ReLU", "InnerProduct", "Softmax"]
    assert [p.shape for p in graph.parameters] == [(20, 1, 5, 5), (20,), (10, 20 * 24 * 24), (10,)]
    assert [p.trainable for p in graph.parameters] == [True, False, True, True]
    assert graph.reading.notes == ()


def test_each_type_of_the_first_generation_is_known() -> None:
    assert len(OLD_TYPES) == 40
    assert [name for name in OLD_TYPES if folded(name) not in SPELLINGS] == ["NONE"]
    assert SPELLINGS[folded("SOFTMAX_LOSS")] == "SoftmaxWithLoss"
    assert SPELLINGS[folded("TANH")] == "TanH"
    assert OLD_TYPES[39] == "DECONVOLUTION"


def test_the_generations_may_be_mixed_with_a_note(read: Read) -> None:
    graph = read(INPUT + relu("a", "x", "y") + 'layers { name: "b" type: TANH bottom: "y" top: "z" }')
    assert names(graph) == ["a", "b"]
    assert graph.reading.notes == ("both layer and layers are used; real Caffe would refuse that",)


def test_an_unquoted_type_is_read(read: Read) -> None:
    assert read(INPUT + 'layer { name: "a" type: Sigmoid bottom: "x" top: "y" }').layers[1].kind == "sigmoid"


RULES = (
    INPUT
    + relu("train", "x", "a", "include { phase: TRAIN }")
    + relu("test", "x", "b", "include { phase: TEST }")
    + relu("not_test", "x", "c", "exclude { phase: TEST }")
    + relu("high", "x", "d", "include { min_level: 2 }")
    + relu("low", "x", "e", "include { max_level: 1 }")
    + relu("deploy", "x", "f", 'include { stage: "deploy" }')
    + relu("both", "x", "g", 'include { stage: "deploy" stage: "gpu" }')
    + relu("not_gpu", "x", "h", 'include { not_stage: "gpu" }')
    + relu("either", "x", "i", 'include { phase: TRAIN } include { stage: "gpu" }')
    + relu("always", "x", "j")
)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, ["test", "low", "not_gpu", "always"]),
        ({"phase": "test"}, ["test", "low", "not_gpu", "always"]),
        ({"phase": "TRAIN"}, ["train", "not_test", "low", "not_gpu", "either", "always"]),
        ({"level": 2}, ["test", "high", "not_gpu", "always"]),
        ({"stage": ("deploy",)}, ["test", "low", "deploy", "not_gpu", "always"]),
        ({"stage": "gpu"}, ["test", "low", "either", "always"]),
        ({"stage": ("deploy", "gpu")}, ["test", "low", "deploy", "both", "either", "always"]),
    ],
)
def test_rules_keep_layers_as_caffe_does(read: Read, options: dict[str, object], kept: list[str]) -> None:
    assert names(read(RULES, **options)) == kept


def test_the_mode_is_the_phase_unless_one_is_given(read: Read) -> None:
    graph = read(RULES, mode="train")
    assert "train" in names(graph)
    assert graph.reading.profile == {"mode": "train"}
    assert all(module.training for module in graph.modules)
    graph = read(RULES, mode="train", phase="test")
    assert "test" in names(graph)
    assert graph.reading.profile == {"mode": "eval"}
    assert not any(module.training for module in graph.modules)


def test_the_file_may_say_its_state(read: Read) -> None:
    state = 'state { phase: TRAIN level: 2 stage: "gpu" }'
    assert names(read(RULES + state)) == ["train", "not_test", "high", "either", "always"]
    assert "test" in names(read(RULES + state, phase="test"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"phase": "deploy"}, "the phase is 'deploy', expected train or test"),
        ({"level": "2"}, "the level is '2', expected a whole number"),
        ({"stage": 3}, "the stage is 3, expected a name or several"),
    ],
)
def test_an_option_without_meaning_is_an_error(read: Read, options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(RULES, **options)


def inputs(graph: Graph) -> dict[str, object]:
    return {item.name: graph.shape(item.tensor) for item in graph.inputs}


DATA = 'layer { name: "d" type: "%s" top: "data" top: "label" %s }\n'
LOSS = 'layer { name: "l" type: "SoftmaxWithLoss" bottom: "data" bottom: "label" top: "loss" }'


@pytest.mark.parametrize(
    ("kind", "fields", "shape", "notes"),
    [
        (
            "Data",
            "data_param { batch_size: 50 } transform_param { crop_size: 227 }",
            (50, 3, 227, 227),
            ("data: 3 channels were assumed, the file gives only 227x227",),
        ),
        (
            "Data",
            "data_param { batch_size: 5 } transform_param { crop_size: 9 force_gray: 1 }",
            (5, 1, 9, 9),
            (),
        ),
        (
            "Data",
            "data_param { batch_size: 5 } transform_param { crop_size: 9 force_color: 1 }",
            (5, 3, 9, 9),
            (),
        ),
        ("ImageData", "image_data_param { batch_size: 5 new_height: 8 new_width: 9 }", (5, 3, 8, 9), ()),
        (
            "ImageData",
            "image_data_param { batch_size: 5 is_color: false } transform_param { crop_size: 7 }",
            (5, 1, 7, 7),
            (),
        ),
        ("WindowData", "window_data_param { batch_size: 5 crop_size: 9 }", (5, 3, 9, 9), ()),
        (
            "MemoryData",
            "memory_data_param { batch_size: 5 channels: 2 height: 8 width: 9 }",
            (5, 2, 8, 9),
            (),
        ),
    ],
)
def test_a_data_layer_tells_its_shape(
    read: Read, kind: str, fields: str, shape: tuple[int, ...], notes: tuple[str, ...]
) -> None:
    graph = read(DATA % (kind, fields) + LOSS)
    assert inputs(graph) == {"data": shape, "label": (shape[0],)}
    assert graph.reading.notes == notes
    assert (graph.layers[1].kind, graph.layers[1].source) == ("input", kind)


def test_dummy_data_tells_the_shape_of_each_top(read: Read) -> None:
    graph = read(DATA % ("DummyData", "dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 } }") + LOSS)
    assert inputs(graph) == {"data": (4, 3), "label": (4,)}
    old = "dummy_data_param { num: 4 channels: 3 height: 2 width: 1 width: 5 }"
    assert inputs(read(DATA % ("DummyData", old))) == {"data": (4, 3, 2, 1), "label": (4, 3, 2, 5)}


def test_an_input_layer_gives_one_shape_to_all_tops_or_one_to_each(read: Read) -> None:
    assert inputs(read(DATA % ("Input", "input_param { shape { dim: 4 } }"))) == {"data": (4,), "label": (4,)}
    each = "input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } }"
    assert inputs(read(DATA % ("Input", each))) == {"data": (4, 3), "label": (4,)}


def test_the_label_follows_the_batch_that_is_given(read: Read) -> None:
    graph = read(DATA % ("Data", "data_param { batch_size: 64 }") + LOSS, "data=7x10")
    assert inputs(graph) == {"data": (7, 10), "label": (7,)}
    graph = read(DATA % ("Data", "data_param { batch_size: 64 }") + LOSS, "7x10", "label=7x1:int64")
    assert inputs(graph) == {"data": (7, 10), "label": (7, 1)}
    assert graph.tensors[graph.inputs[1].tensor].dtype == "int64"


def test_a_data_set_of_unknown_form_has_its_label_assumed(read: Read) -> None:
    graph = read(DATA % ("HDF5Data", 'hdf5_data_param { batch_size: 10 source: "s" }') + LOSS, "data=10x4")
    assert inputs(graph) == {"data": (10, 4), "label": (10,)}
    note = "label: one value for each item of the batch was assumed (the file does not say)"
    assert graph.reading.notes == (note,)


def test_given_shapes_go_before_those_of_the_file(read: Read) -> None:
    text = 'input: "a" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4 ' + relu("r", "a", "y")
    assert inputs(read(text)) == {"a": (1, 2, 3, 4)}
    assert inputs(read(text, "5x6")) == inputs(read(text, "a=5x6")) == {"a": (5, 6)}


def test_a_shape_without_a_name_goes_to_the_first_input_without_one(read: Read) -> None:
    text = 'input: "a" input: "b" input_shape { dim: 1 } input_shape { dim: 1 }' + relu("r", "a", "y")
    assert inputs(read(text, "a=2x2", "3x3")) == {"a": (2, 2), "b": (3, 3)}


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        (["dat=1x3"], "the network has no input 'dat', its inputs are: data, label; did you mean 'data'?"),
        (["data=1x3", "data=1x3"], "the input 'data' is given twice"),
        (["1x3", "1", "5"], "1 more shapes are given than there are inputs: data, label"),
        (["data=!5"], "a prototxt's inputs are shapes"),
    ],
)
def test_an_input_that_is_not_there_is_an_error(read: Read, specs: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        read(
            DATA % ("Data", "data_param { batch_size: 64 }"),
            *([*specs, "data=1x3"] if specs[0][:4] == "dat=" else specs),
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            DATA % ("Data", "data_param { batch_size: 64 }"),
            r"net.prototxt:1:7: layer 'd' \(Data\) does not give .* 'data'; give it.*: -i data=64x3x224x224",
        ),
        (
            'input: "a" ' + relu("r", "a", "y"),
            "does not give the shape of the input 'a'; give it.*-i a=1x3x224x224",
        ),
        (
            'input: "a" input_dim: 1 ' + relu("r", "a", "y"),
            "there are 1 input_dim, expected 4 for each of 1 input",
        ),
        (
            'input: "a" input_dim: 0 input_dim: 1 input_dim: 1 input_dim: 1 ' + relu("r", "a", "y"),
            "input_dim is 0",
        ),
        (
            'input: "a" input_dim: -1 input_dim: 1 input_dim: 1 input_dim: 1 ' + relu("r", "a", "y"),
            "input_dim is -1",
        ),
        (
            DATA % ("Input", "input_param { shape { dim: 2147483648 } }"),
            "dim is 2147483648, expected .* to 2147483647",
        ),
        (DATA % ("Data", "data_param { batch_size: 0 }"), "batch_size is 0"),
    ],
)
def test_an_input_without_a_shape_is_an_error(read: Read, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read(text)


def test_a_shape_for_a_name_that_is_not_there_is_pointed_at(read: Read) -> None:
    with pytest.raises(
        SourceError, match=r"-i data=64x3x224x224; a shape is given for 'dta', .*; did you mean 'data'"
    ):
        read(DATA % ("Data", "data_param { batch_size: 64 }"), "dta=64x10")


def test_symbols_flow_through_the_network(read: Read) -> None:
    text = (
        'layer { name: "d" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 9 dim: 9 } } }'
        'layer { name: "c" type: "Convolution" bottom: "x" top: "c" '
        "convolution_param { num_output: 4 kernel_size: 3 stride: 2 } }"
        'layer { name: "p" type: "Pooling" bottom: "c" top: "p" '
        "pooling_param { kernel_size: 2 stride: 2 pad: 1 } }"
        'layer { name: "g" type: "Pooling" bottom: "p" top: "g" '
        "pooling_param { pool: AVE global_pooling: true } }" + dense("f", "g", "f")
    )
    symbolic, plain = read(text, "x=Nx3xHxW"), read(text, "x=2x3x31x17")
    for a, b in zip(symbolic.tensors, plain.tensors, strict=True):
        assert a.shape is not None
        assert tuple(substitute(size, {"N": 2, "H": 31, "W": 17}) for size in a.shape) == b.shape
    assert symbolic.shape(symbolic.outputs[0]) == (symbol("N"), 4)
    assert [p.shape for p in symbolic.parameters] == [(4, 3, 3, 3), (4,), (4, 4), (4,)]


def test_a_weight_can_not_depend_on_a_symbol_unnoticed(read: Read) -> None:
    graph = read(INPUT + dense("f", "x", "f"), "x=Nx3xHx2")
    assert graph.parameters[0].shape == (4, symbol("H") * 6)


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


PYTHON = (
    'layer { name: "py1" type: "Python" bottom: "x" top: "p" top: "q" '
    'python_param { module: "m" layer: "L" } }\n'
)


def test_an_unknown_type_says_so_and_layers_below_say_whose_fault_it_is(read: Read) -> None:
    graph = read(INPUT + PYTHON + relu("r", "p", "r") + dense("f", "r", "f") + relu("s", "x", "s"))
    py, r, f, s = graph.layers[1:]
    problem = "no formula for Caffe type 'Python'; give its shape, with your sizes: -i p=1x64x14x14"
    assert (py.kind, py.problem, py.source) == ("unknown", problem, "Python")
    assert py.native == {"module": "m", "layer": "L"}
    assert [graph.shape(t) for t in (*py.outputs, *r.outputs, *f.outputs)] == [None] * 4
    fault = "its input has no shape: 'py1' (Python) above it is unknown"
    assert (r.kind, r.problem) == ("relu", fault)
    assert (f.kind, f.problem) == ("linear", fault)
    assert (s.problem, graph.shape(s.outputs[0])) == ("", (2, 3, 8, 8))
    assert type(graph).from_json(graph.to_json()) == graph


def test_the_user_may_give_the_shape_of_an_unknown_layers_blob(read: Read) -> None:
    graph = read(INPUT + PYTHON + dense("f", "p", "f"), "p=300x5")
    assert layer_of(graph, "py1").kind == "unknown"
    f = layer_of(graph, "f")
    assert (f.problem, graph.shape(f.outputs[0])) == ("", (300, 4))


def test_regions_are_proposed_as_lists_of_five_numbers(read: Read) -> None:
    graph = read(INPUT + 'layer { name: "p" type: "Python" bottom: "x" top: "rois" top: "scores" }')
    assert graph.layers[1].problem.endswith("-i rois=300x5")


def test_an_unknown_layer_that_brings_data_is_an_input_once_its_shape_is_given(read: Read) -> None:
    text = 'layer { name: "data" type: "Python" top: "x" top: "info" }' + relu("r", "x", "y")
    graph = read(text)
    assert graph.layers[1].problem.endswith(
        "does not give its shape; give it, with your sizes: -i x=1x3x224x224"
    )
    graph = read(text, "x=1x3x60x60", "info=1x3")
    assert (graph.layers[1].kind, graph.layers[1].problem) == ("input", "")
    assert inputs(graph) == {"x": (1, 3, 60, 60), "info": (1, 3)}


def test_layers_of_one_name_keep_apart(read: Read) -> None:
    graph = read(
        INPUT + relu("a", "x", "y") + relu("a", "y", "z") + relu("a#2", "z", "w") + relu("", "w", "v")
    )
    assert names(graph) == ["a", "a#2", "a#2#2", "ReLU"]
    assert [module.paths for module in graph.modules[1:]] == [(name,) for name in names(graph)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            relu("a", "X", "y"),
            r"net.prototxt:2:7: layer 'a' \(ReLU\) needs the blob 'X', which no layer makes",
        ),
        (relu("a", "x", "blob1") + relu("b", "blob", "z"), "needs the blob 'blob', .*; did you mean 'blob1'"),
        (
            relu("a", "z", "y") + relu("b", "y", "z"),
            r"layer 'a' .* needs the blob 'z', which no earlier .*, only layer 'b' \(line 3\): a cycle",
        ),
        (relu("a", "y", "y"), "needs the blob 'y', which no earlier layer makes, only itself: a cycle"),
        (
            relu("a", "x", "y") + relu("b", "x", "y"),
            r"layer 'b' \(ReLU\) makes the blob 'y', which layer 'a' \(line 2\) makes already",
        ),
        (
            relu("a", "x", "x") + dense("b", "x", "x2") + relu("c", "x2", "x"),
            "makes the blob 'x', which layer 'a'",
        ),
        ('layer { name: "a" }', "the layer 'a' has no type"),
        ('layer { name: "a" type { } }', "the type is { ... }, expected a name"),
        ("layers { type: 40 }", "there is no layer type number 40, they end with 39"),
        (
            'layers { layer { name: "a" type: "conv" } bottom: "x" top: "y" }',
            "the spelling of Caffe before 2014",
        ),
        ("layer: 5", "layer is 5, expected { ... }"),
        ('layer { name: 5 type: "ReLU" }', "name is 5, expected a quoted string"),
        (relu("a", "x", "y", "include { } exclude { }"), "the layer 'a' has include and exclude rules"),
        (relu("a", "x", "y", "include { phase: TRIAN }"), "phase is TRIAN, expected one of TRAIN, TEST"),
        (relu("a", "x", "y", "param: 5"), "param is 5, expected { ... }"),
        ("lyaer { }" + relu("a", "x", "y"), "the file has no field 'lyaer'; did you mean 'layer'"),
    ],
)
def test_a_network_that_can_not_be_is_an_error_with_its_line(read: Read, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read(INPUT + text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('net: "a.prototxt" base_lr: 0.1', "this is a solver's file"),
        ('name: "n"', r"the file has no layer { ... } and so is no Caffe network; it begins with 'name'"),
        (b"\x00\x01", "is binary"),
    ],
)
def test_a_file_that_is_no_network_is_an_error(read: Read, text: str | bytes, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read(text)


def test_a_long_chain_is_read(read: Read) -> None:
    chain = "".join(relu(f"r{i}", f"b{i}", f"b{i + 1}") for i in range(3000))
    graph = read('input: "b0" input_shape { dim: 1 }' + chain)
    assert len(graph.layers) == 3001
    assert TensorRef(graph.outputs[0]) == TensorRef(3000)


STAGED = """layer { name: "in" type: "DummyData" top: "x" include { phase: TRAIN }
  dummy_data_param { shape { dim: 1 dim: 16 } } }
layer { name: "h" type: "InnerProduct" bottom: "x" top: "h" include { stage: "two" }
  inner_product_param { num_output: 5 } }
""" + dense("out", "h", "y")


def test_a_missing_blob_says_with_which_options_it_is_made(read: Read) -> None:
    with pytest.raises(
        SourceError,
        match=r"'h', which no layer makes in the phase TEST; layer 'h' .* --phase train --stage two$",
    ):
        read(STAGED)
    with pytest.raises(SourceError, match=r"in the phase TRAIN; layer 'h' .* with --stage two$"):
        read(STAGED, phase="train")
    # 16 * 5 + 5 * 4
    assert read(STAGED, phase="train", stage="two").count("mac").total.macs == 100


def test_a_missing_blob_of_another_level_says_so(read: Read) -> None:
    text = INPUT + relu("a", "x", "y", "include { min_level: 2 }") + relu("b", "y", "z")
    with pytest.raises(SourceError, match=r"layer 'a' .* makes it with --level 2$"):
        read(text)
    assert names(read(text, level=2)) == ["a", "b"]


def test_a_label_that_another_phase_brings_is_noted_with_that_phase(read: Read) -> None:
    data = DATA % ("DummyData", "dummy_data_param { shape { dim: 4 dim: 3 } } include { phase: TRAIN }")
    graph = read('input: "data" input_shape { dim: 4 dim: 3 }' + data.replace('top: "data"', "") + LOSS)
    assert graph.reading.notes[0].endswith("layer 'd' (line 1) makes it with --phase train")


def test_a_blob_that_no_layer_makes_may_be_given(read: Read) -> None:
    body = dense("f", "feature", "y")
    with pytest.raises(SourceError, match="if it is an input, give its shape, with your sizes: -i feature="):
        read(body)
    graph = read(body, "feature=2x6")
    assert inputs(graph) == {"feature": (2, 6)}
    assert graph.count("mac").total.macs == 48  # 2 * 6 * 4


def test_a_scalar_input_has_no_sizes(read: Read) -> None:
    """Upstream's tests have ``input_shape {}`` and ``shape {}``: blobs without axes."""
    text = 'input: "s" input_shape {} layer { name: "r" type: "ReLU" bottom: "s" top: "r" }'
    assert inputs(read(text)) == {"s": ()}
    assert inputs(read(DATA % ("Input", "input_param { shape { } }"))) == {"data": (), "label": ()}


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ("resize_param { resize_mode: WARP height: 300 width: 500 }", (8, 3, 300, 500)),
        ("resize_param { height: 300 width: 500 }", (8, 3, 300, 500)),
        ("resize_param { resize_mode: FIT_LARGE_SIZE_AND_PAD height: 300 width: 500 }", (8, 3, 300, 500)),
        (
            "resize_param { resize_mode: FIT_SMALL_SIZE height: 300 width: 500 } crop_size: 224",
            (8, 3, 224, 224),
        ),
        ("crop_h: 512 crop_w: 256", (8, 3, 512, 256)),
    ],
)
def test_a_data_layer_that_resizes_tells_its_shape(read: Read, fields: str, shape: tuple[int, ...]) -> None:
    graph = read(DATA % ("AnnotatedData", f"data_param {{ batch_size: 8 }} transform_param {{ {fields} }}"))
    assert inputs(graph) == {"data": shape, "label": (1, 1, 8, 8)}


def test_clips_have_a_length(read: Read) -> None:
    text = (
        'layers { name: "d" type: VIDEO_DATA top: "data" top: "label" image_data_param '
        "{ batch_size: 30 crop_size: 112 new_height: 128 new_width: 171 new_length: 16 } }"
    )
    assert inputs(read(text))["data"] == (30, 3, 16, 112, 112)


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        (
            DATA % ("Data", "data_param { batch_size: 64 } transform_param { force_gray: true }"),
            "data=64x1x224x224",
        ),
        (
            DATA
            % (
                "Data",
                "transform_param { resize_param { resize_mode: FIT_SMALL_SIZE height: 6 width: 9 } }",
            ),
            "data=1x3x6x9",
        ),
        (
            DATA % ("Data", "data_param { batch_size: 2 } transform_param { mean_value: 127 }"),
            "data=2x1x224x224",
        ),
        # what the data layer of the other phase says
        (
            DATA
            % (
                "Data",
                "include { phase: TRAIN } data_param { batch_size: 64 } transform_param { crop_size: 97 }",
            )
            + DATA % ("Data", "include { phase: TEST } data_param { batch_size: 50 }"),
            "data=50x3x97x97",
        ),
    ],
)
def test_the_proposal_for_a_missing_shape_comes_from_the_file(read: Read, text: str, spec: str) -> None:
    with pytest.raises(SourceError, match=f"give it, with your sizes: -i {spec}$"):
        read(text)


ONES = """layer { name: "p" type: "Pooling" bottom: "x" top: "p"
  pooling_param { pool: MAX kernel_size: 1 stride: 2 %s } }
layer { name: "c" type: "Convolution" bottom: "x" top: "c"
  convolution_param { num_output: 3 kernel_size: 1 stride: 2 bias_term: false } }
layer { name: "e" type: "Eltwise" bottom: "p" bottom: "c" top: "e" }
"""


def test_shapes_that_fit_in_intels_caffe_alone_say_so(read: Read) -> None:
    """8 in steps of 2: BVLC's pooling rounds 3.5 up to 4, and 5 windows; the convolution has 4."""
    message = "5x5 and 'c' of shape 2x3x4x4; Intel's Caffe clips .* round_mode: FLOOR .* of 'p' to read"
    with pytest.raises(SourceError, match=message):
        read(INPUT + ONES % "")
    # 2 * 4 * 4 * 3 * 3, as Intel's counts it
    assert read(INPUT + ONES % "round_mode: FLOOR").count("mac").total.macs == 288


def test_shapes_that_fit_nowhere_say_nothing_of_intel(read: Read) -> None:
    with pytest.raises(SourceError) as caught:
        read(INPUT + ONES.replace("num_output: 3", "num_output: 4") % "")
    assert "Intel" not in str(caught.value)
