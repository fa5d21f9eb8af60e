from __future__ import annotations

import random
from typing import Any

import flopledger as fl
import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="Keras is not installed: pip install '.[keras]' and a backend")
kl = keras.layers
global_state = pytest.importorskip("keras.src.backend.common.global_state")
Variable = pytest.importorskip("keras.src.backend.common.variables").Variable
Operation = keras.Operation

# Keras's own way of copying variables, under NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


class Own(kl.Layer):  # type: ignore[misc]
    def __init__(self, *, fails: bool = False) -> None:
        super().__init__(name="own")
        self.dense, self.fails, self.calls = kl.Dense(5, name="inside"), fails, 0

    def call(self, x: Any) -> Any:
        self.calls += 1
        if self.fails:
            message = "no"
            raise ValueError(message)
        return self.dense(x)


def model(*, fails: bool = False) -> Any:
    given = keras.Input((5,), name="given")
    x = kl.Dropout(0.5)(kl.BatchNormalization()(kl.Dense(5)(given)))
    return keras.Model(given, kl.Dense(2)(Own(fails=fails)(x) if not fails else x))


def weights(network: Any) -> list[Any]:
    return [keras.ops.convert_to_numpy(variable) for variable in network.variables]


def names() -> dict[str, int]:
    return dict(global_state.get_global_attribute("object_name_uids"))


def test_a_model_s_weights_and_what_it_computes_stay() -> None:
    network, given = model(), np.ones((2, 5), "float32")
    before, result = weights(network), keras.ops.convert_to_numpy(network(given))
    fl.read(network, "3x5")
    assert all(np.array_equal(a, b) for a, b in zip(before, weights(network), strict=True))
    assert np.array_equal(keras.ops.convert_to_numpy(network(given)), result)


def test_names_seeds_and_the_global_state_of_keras_stay() -> None:
    network = model()
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002  (the state that is to stay)
    before = names(), random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index,union-attr]  # noqa: NPY002
    fl.read(network)
    assert (names(), random.getstate(), np.random.get_state()[1].tolist()) == before  # type: ignore[index,union-attr]  # noqa: NPY002
    assert kl.Dense(3).name == "dense_2"


def test_the_methods_that_are_replaced_are_back() -> None:
    before = [Operation.symbolic_call, kl.Layer.symbolic_call, kl.Layer.__call__, Variable.__mul__]
    fl.read(model())
    assert [Operation.symbolic_call, kl.Layer.symbolic_call, kl.Layer.__call__, Variable.__mul__] == before


def test_a_layer_of_the_user_s_own_keeps_its_attributes_and_connections() -> None:
    network = model()
    own = network.get_layer("own")
    before = own.calls, len(own._inbound_nodes), len(own.dense._inbound_nodes), own.built
    fl.read(network, "3x5")
    assert (own.calls, len(own._inbound_nodes), len(own.dense._inbound_nodes), own.built) == before


def test_an_unbuilt_model_stays_unbuilt_and_can_be_used_afterwards() -> None:
    network = keras.Sequential([kl.Dense(4), Own()])
    assert fl.count(network, "2x3").total.count == 2 * (3 * 4 + 4 * 5)
    assert not network.built
    assert network.variables == []
    assert network(np.ones((2, 3), "float32")).shape == (2, 5)
    assert len(network.weights) == 4


def test_all_is_as_it_was_after_a_failure_too() -> None:
    given = keras.Input((5,))
    own = Own()
    network = keras.Model(given, own(given))
    own.fails, before = True, names()
    state = own.calls, Operation.symbolic_call, kl.Layer.symbolic_call
    with pytest.raises(fl.FlopledgerError):
        fl.read(network, "2x7")
    assert (own.calls, Operation.symbolic_call, kl.Layer.symbolic_call) == state
    assert names() == before


def test_a_compiled_model_keeps_its_optimizer() -> None:
    network = keras.Sequential([keras.Input((3,)), kl.Dense(2)])
    network.compile("adam", "mse")
    network.optimizer.build(network.trainable_variables)
    before = [keras.ops.convert_to_numpy(variable) for variable in network.optimizer.variables]
    total = fl.count(network, convention="keras-summary").total
    # 2 counters, and two moments for each of 8 weights
    assert (total.count, total.trainable_params, total.non_trainable_params, total.buffers) == (26, 8, 0, 18)
    assert all(
        np.array_equal(a, keras.ops.convert_to_numpy(b))
        for a, b in zip(before, network.optimizer.variables, strict=True)
    )
    assert fl.count(network).total.buffers == 0


def test_a_model_that_is_built_for_reading_has_no_values() -> None:
    from flopledger_keras.build import build_model

    made: Any = build_model(lambda: keras.Sequential([keras.Input((3,)), kl.Dense(2)]))
    assert [variable._value for variable in made.variables] == [None, None]
    assert not global_state.get_global_attribute("uninitialized_variables")


def test_a_maker_that_gives_variables_values_is_called_plainly() -> None:
    def make() -> Any:
        network = keras.Sequential([keras.Input((3,)), kl.Dense(2)])
        network.compile("adam", "mse")
        return network

    assert fl.count(make).total.count == 6
