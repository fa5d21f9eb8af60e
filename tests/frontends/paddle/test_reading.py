from __future__ import annotations

import random
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flopledger as fl
import numpy as np
import pytest
from flopledger.errors import SourceError, UsageError
from flopledger.frontend.request import Request
from flopledger.frontend.specs import parse_spec
from flopledger.testing import check_frontend
from flopledger_paddle.framework import paddle
from paddle import nn

if TYPE_CHECKING:
    from conftest import Read

HERE = Path(__file__).parent
_NETWORKS = runpy.run_path(str(HERE / "networks.py"), run_name="networks")
Branch, Loop, Steps, TwoInputs = (_NETWORKS[name] for name in ("Branch", "Loop", "Steps", "TwoInputs"))


def request(source: str, *specs: str) -> Request:
    return Request(source, inputs=tuple(map(parse_spec, specs)))


def test_the_contract_on_a_live_model() -> None:
    check_frontend("paddle", paddle.vision.models.LeNet(), request("LeNet", "1x1x28x28"))


def test_the_contract_on_a_class_that_is_named() -> None:
    source = "paddle.vision.models:LeNet"
    check_frontend("paddle", source, request(source, "1x1x28x28"))


def test_resnet50_by_name() -> None:
    graph = fl.read("paddle.vision.models:resnet50", "1x3x224x224")
    own, tool = graph.count("mac"), graph.count("paddle-flops")

    assert own.total.count == 4089184256
    assert (own.total.params, own.total.buffers) == (25557032, 53120)
    assert own.total.non_trainable_params == 0
    assert own.coverage.unknown == ()
    assert (tool.total.count, tool.total.params) == (4111514624, 25610152)


def test_a_function_in_a_file_with_an_argument() -> None:
    graph = fl.read(f"{HERE / 'networks.py'}:made", "5x4", arguments={"width": 16})

    assert graph.count("mac").total.count == 5 * (4 * 16 + 16 * 2)
    assert [layer.path for layer in graph.layers if layer.level == "layer"] == ["Sequential", "0", "1", "2"]


def test_a_model_that_does_not_fit_in_memory_is_built_without_weights() -> None:
    graph = fl.read(f"{HERE / 'networks.py'}:big", "1x100000")

    assert graph.count("mac").total.params == 10 * 100_000**2


def test_several_inputs_integers_among_them(read: Read) -> None:
    graph = read(TwoInputs(), "ids=3x5:int64", "scale=6")

    assert [(i.name, graph.shape(i.tensor), i.positional) for i in graph.inputs] == [
        ("ids", (3, 5), False),
        ("scale", (6,), False),
    ]
    assert graph.tensors[graph.inputs[0].tensor].dtype == "int64"
    assert graph.count("mac").total.count == 3 * 5 * 6 * 2


def test_a_literal_is_given_as_it_is(read: Read) -> None:
    once = read(TwoInputs(), "ids=3x5:int64", "scale=6", "twice=!False")
    twice = read(TwoInputs(), "ids=3x5:int64", "scale=6", "twice=!True")

    assert twice.count("ops").total.count == once.count("ops").total.count + 3 * 5 * 6


def test_live_values_give_shapes_and_dtypes() -> None:
    graph = fl.read(TwoInputs(), (paddle.ones([2, 7], "int64"), np.ones(6, "float32")))

    assert [(i.name, graph.shape(i.tensor)) for i in graph.inputs] == [("ids", (2, 7)), ("scale", (6,))]


def test_inputs_that_do_not_fit_show_what_the_forward_takes(read: Read) -> None:
    with pytest.raises(UsageError, match=r"missing a required argument: 'scale'.*-i ids=1x128:int64"):
        read(TwoInputs(), "3x5:int64")


def test_an_unknown_dtype_is_refused(read: Read) -> None:
    with pytest.raises(UsageError, match="'float99' is not known to Paddle"):
        read(nn.Linear(3, 4), "1x3:float99")


def test_shapes_that_do_not_fit_end_in_an_error(read: Read) -> None:
    with pytest.raises(SourceError, match=r"Linear: its forward can't be followed without data"):
        read(nn.Linear(3, 4), "1x5")


def test_what_is_no_layer_is_refused(read: Read) -> None:
    with pytest.raises(SourceError, match=r"expected a paddle\.nn\.Layer, found dict"):
        read({})


def state(model: Any) -> dict[str, Any]:
    layers = model.sublayers(include_self=True)
    return {
        "training": [layer.training for layer in layers],
        "hooks": [(dict(x._forward_pre_hooks), dict(x._forward_post_hooks)) for x in layers],
        "keys": list(model.state_dict()),
        "values": {k: v.numpy().tolist() for k, v in model.state_dict().items()},
        "identity": [id(p) for p in model.parameters()],
        "attributes": [sorted(layer.__dict__) for layer in layers],
        "calls": getattr(model, "calls", None),
        "seen": list(getattr(model, "seen", [])),
        "call": nn.Layer.__call__,
    }


def process() -> list[Any]:
    return [
        paddle.in_dynamic_mode(),
        paddle.get_default_dtype(),
        [word for word in str(paddle.get_rng_state()[0]).split() if not word.startswith("0x")],
        random.getstate(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002  (the state that models use)
        id(paddle.base.unique_name.generator),
        dict(paddle.base.unique_name.generator.ids),
        set(paddle.base.unique_name.dygraph_parameter_name_checker._name_set),
    ]


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_everything_is_as_it_was_after_a_reading(read: Read, mode: str) -> None:
    model = Steps()
    model.train()
    model.norm.eval()
    model.linear.register_forward_post_hook(lambda *_: None)
    before = state(model), process()

    read(model, "2x4", mode=mode)

    assert (state(model), process()) == before


@pytest.mark.parametrize("execute", [False, True])
def test_everything_is_as_it_was_after_a_failure(read: Read, *, execute: bool) -> None:
    model = Steps()
    before = state(model), process()

    with pytest.raises((SourceError, ValueError)):
        read(model, "2x9", execute=execute)

    assert (state(model), process()) == before


def test_a_model_can_be_read_again_and_again_and_still_runs(read: Read) -> None:
    model = nn.Sequential(
        nn.LSTM(6, 8),
    )
    first = read(model, "2x5x6").digest

    assert [read(model, "2x5x6").digest for _ in range(3)] == [first] * 3
    assert model(paddle.ones([2, 5, 6]))[0].shape == [2, 5, 8]


def test_train_mode_counts_batch_statistics(read: Read) -> None:
    graph = read(nn.Sequential(nn.BatchNorm1D(3), nn.Dropout(0.25)), "2x3", mode="train")
    norm, dropout = (layer for layer in graph.layers if layer.level == "layer" and layer.path in ("0", "1"))

    assert norm.attrs["batch_stats"] is True
    assert dropout.attrs == {"rate": 0.25, "training": True}
    assert all(module.training for module in graph.modules)


def test_running_statistics_are_buffers_and_frozen_weights_are_params(read: Read) -> None:
    frozen = nn.Linear(3, 4, weight_attr=paddle.ParamAttr(trainable=False))
    total = read(nn.Sequential(nn.BatchNorm1D(3), frozen), "2x3").count("mac").total

    assert (total.params, total.trainable_params, total.buffers) == (6 + 12 + 4, 6 + 4, 6)


def test_tied_weights_are_one_storage(read: Read) -> None:
    first, second = nn.Linear(5, 5), nn.Linear(5, 5)
    second.weight = first.weight
    graph = read(nn.Sequential(first, second), "1x5")

    assert graph.count("mac").total.params == 25 + 5 + 5
    assert graph.parameters[0].names == ("0.weight", "1.weight")


def test_a_branch_on_values_is_followed_on_both_sides(read: Read) -> None:
    graph = read(Branch(), "2x5")

    assert graph.reading.notes == (
        "read by the public way: where the forward branches on values, both sides are counted",
    )
    assert graph.count("mac").total.count == 2 * 5 * 7 + 2 * 5 * 9
    assert graph.count("mac").coverage.unknown == ()
    assert [layer.path for layer in graph.layers if layer.level == "layer"] == ["Branch", "left", "right"]
    assert {layer.kind for layer in graph.layers if layer.path in ("left", "right")} == {"linear"}


def test_a_loop_on_values_is_shown_as_unknown(read: Read) -> None:
    graph = read(Loop(), "2x5")
    (unknown,) = graph.count("mac").coverage.unknown

    assert unknown.source == "pd_op.while"
    assert unknown.why == "the body of a loop is counted once: how often it runs depends on the data"
    assert graph.count("mac").total.count == 2 * 5 * 5


def test_a_branch_on_values_runs_where_that_is_allowed(read: Read) -> None:
    graph = read(Branch(), "2x5", execute=True)

    assert "really ran" in graph.reading.notes[0]
    paths = ["Branch", "sum", "greater_than", "right", "right/matmul", "right/add"]
    assert [layer.path for layer in graph.layers] == paths
    assert graph.count("mac").total.count == 2 * 5 * 9
    assert graph.count("paddle-flops").total.count == 2 * 5 * 9


def test_a_lazily_built_model_is_read_and_can_not_run(read: Read) -> None:
    with paddle.LazyGuard():
        model = nn.Linear(5, 7)

    assert read(nn.Sequential(model), "2x5").count("mac").total.count == 2 * 5 * 7
    assert not model.weight._is_initialized()


def test_static_mode_is_refused(read: Read) -> None:
    model = nn.Linear(3, 4)
    paddle.enable_static()
    try:
        with pytest.raises(SourceError, match="Paddle is in static mode"):
            read(model, "1x3")
        assert not paddle.in_dynamic_mode()
    finally:
        paddle.disable_static()


def test_the_parameters_are_known_without_inputs() -> None:
    made = nn.Sequential(nn.Conv2D(3, 8, 3), nn.BatchNorm2D(8), nn.Linear(8, 4))
    total = fl.count(made).total

    assert (total.params, total.buffers) == (8 * 27 + 8 + 16 + 8 * 4 + 4, 16)
    assert (total.count, total.complete) == (0, False)
    assert fl.compare(made, made).equal
    with pytest.raises(UsageError, match="missing a required argument"):
        fl.count(made, convention="paddle-summary")


def test_positional_and_named_values_are_given_as_a_pair() -> None:
    class Sum(nn.Layer):  # type: ignore[misc]  # Paddle's classes have no types
        """A linear layer on the sum of its arguments."""

        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 2)

        def forward(self, x: Any, *, scale: float, y: Any) -> Any:
            return self.linear(x * scale + y)

    x = paddle.ones([3, 4])
    assert fl.count(Sum(), ((x,), {"scale": 2.0, "y": x})).total.count == 3 * 4 * 2
