"""Training steps of Paddle's models, by hand: gradients follow from the flow of tensors and the weights."""

from __future__ import annotations

import flopledger as fl
from flopledger.counting import engine
from flopledger_paddle.framework import paddle

nn = paddle.nn


def test_convolutions_and_dense_layers_have_the_gradients_of_their_weights() -> None:
    layers = [nn.Conv2D(3, 4, 3), nn.BatchNorm2D(4), nn.Flatten(), nn.Linear(144, 4), nn.ReLU()]
    graph = fl.read(nn.Sequential(*layers), "2x3x8x8", profile={"step": "train"})
    training = graph.count("mac").total.training
    conv, dense = 2 * 144 * 27, 2 * 144 * 4
    assert training is not None
    assert (training.forward, training.grad_weight, training.grad_input) == (
        conv + dense,
        conv + dense,
        dense,
    )


def test_a_recurrent_layer_has_one_step_less_of_gradients_of_states() -> None:
    class Net(nn.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.words, self.lstm = nn.Embedding(10, 4), nn.LSTM(4, 5)

        def forward(self, ids: paddle.Tensor) -> paddle.Tensor:
            return self.lstm(self.words(ids))[0]

    training = fl.read(Net(), "2x8:int64", profile={"step": "train"}).count("mac").total.training
    inputs, states = 2 * 20 * 4, 2 * 20 * 5  # for each of 8 steps
    assert training is not None
    assert training.forward == training.grad_weight == 8 * (inputs + states)
    assert training.grad_input == 8 * inputs + 7 * states  # the table of words wants a gradient


def test_views_share_memory_as_they_do_when_a_layer_is_called() -> None:
    functions = {
        "reshape": lambda x: paddle.reshape(x, [6, 4]),
        "flatten": lambda x: paddle.flatten(x, 1),
        "unsqueeze": lambda x: paddle.unsqueeze(x, 0),
        "transpose": lambda x: paddle.transpose(x, [1, 0, 2]),
        "slice": lambda x: x[:, 1:],
        "split": lambda x: paddle.split(x, 3, 1)[1],
        "expand": lambda x: paddle.expand(x, [5, 2, 3, 4]),
        "copy": lambda x: paddle.reshape(paddle.transpose(x, [1, 0, 2]), [6, 4]),
    }
    x = paddle.ones([2, 3, 4])

    class Net(nn.Layer):  # type: ignore[misc]
        def __init__(self, name: str) -> None:
            super().__init__()
            self.function = functions[name]

        def forward(self, x: paddle.Tensor) -> paddle.Tensor:
            return self.function(x)

    shared = {name: 0 <= f(x).data_ptr() - x.data_ptr() < 24 * 4 for name, f in functions.items()}
    assert shared == dict.fromkeys(functions, True) | dict.fromkeys(("split", "expand", "copy"), False)
    for name in functions:
        graph = fl.read(Net(name), "2x3x4")
        inside = engine.analysis_of(graph).memory.storages[graph.outputs[0]] == graph.inputs[0].tensor
        assert inside == shared[name], name
