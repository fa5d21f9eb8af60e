"""Whole networks: both generations, phases and rules, data flow, and layers that are unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from caffe_layers import INPUT, dense, inputs, layer_of, names, relu
from flopledger.dims.arithmetic import substitute, symbol
from flopledger.errors import SourceError, UsageError
from flopledger.graph.tables import TensorRef
from flopledger_caffe.tables.layers import SPELLINGS
from flopledger_caffe.text.net import OLD_TYPES, folded

if TYPE_CHECKING:
    from conftest import Read


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
