from __future__ import annotations

from flopledger import Graph
from flopledger.dims import symbol
from flopledger.graph.sized import sized, symbols_of
from flopledger.graph.tables import Layer, Reading, Tensor, TensorRef


def graph() -> Graph:
    n, k = symbol("N"), symbol("K")
    native = {"shape": (n, ("rows", k)), "named": {"rows": k * 2}, "tensor": TensorRef(0), "plain": (1, 2)}
    layer = Layer(0, "fc", "linear", "fc", outputs=(1,), inputs=(0,), attrs={"features": 4}, native=native)
    reading = Reading("a", "b", "c", data_sizes={"K": 9}, given_sizes={"H": 7})
    return Graph(reading, (), (1,), (), (layer,), (Tensor(0, (n, 8)), Tensor(1, (n * k, 4))), ())


def test_numbers_take_the_place_of_symbols_wherever_they_are() -> None:
    found = sized(graph(), {"N": 2, "K": 5})

    assert [tensor.shape for tensor in found.tensors] == [(2, 8), (10, 4)]
    assert found.layers[0].native == {
        "shape": (2, ("rows", 5)), "named": {"rows": 10}, "tensor": TensorRef(0), "plain": (1, 2)
    }  # fmt: skip
    assert symbols_of(found) == []


def test_the_symbols_of_a_graph_are_those_of_its_sizes_and_attributes() -> None:
    assert symbols_of(graph()) == ["K", "N"]
    assert symbols_of(sized(graph(), {"N": 3})) == ["K"]


def test_the_sizes_of_a_reading_are_saved_with_it() -> None:
    reading = Graph.from_json(graph().to_json()).reading
    assert (reading.data_sizes, reading.given_sizes) == ({"K": 9}, {"H": 7})
