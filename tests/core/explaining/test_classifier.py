from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flopledger.explaining.classifier import Classifier, classifier
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading
from flopledger.kinds import builtin

if TYPE_CHECKING:
    from flopledger.graph.graph import Graph

NONE = Classifier()


class Net(GraphBuilder):
    """Builds a chain of calls, each from the output of the one before."""

    def __init__(self, *shape: int) -> None:
        super().__init__(builtin())
        self.end = self.input("x", shape)
        self.modules.append(Module(0, ("",), "mine.Net"))
        self.root = self.layer("", "container", "mine.Net", module=0, inputs=(self.end,))

    def then(self, kind: str, *shape: int, module: int | None = None, **attrs: object) -> int:
        given, self.end = self.end, self.tensor(shape)
        call = self.layer(
            kind, kind, f"torch.nn.{kind}", parent=self.root, module=module, inputs=(given,),
            outputs=(self.end,), attrs=attrs,
        )  # fmt: skip
        return int(call)

    def holding(self, *shapes: tuple[int, ...]) -> int:
        """Add a module with parameters, and return its id."""
        first = len(self.parameters)
        for i, shape in enumerate(shapes, first):
            self.parameters.append(Parameter(i, (f"p{i}",), shape, object=i, storage=i))
        held = tuple((f"p{i}", i) for i in range(first, len(self.parameters)))
        self.modules.append(Module(len(self.modules), (f"m{len(self.modules)}",), "mine", parameters=held))
        return len(self.modules) - 1

    def found(self) -> Classifier:
        graph: Graph = self.build(Reading("net", "hand", "torch"), (self.end,))
        return classifier(graph, builtin())


def test_the_last_dense_layer_is_the_classifier_with_all_that_it_lowers_to() -> None:
    """A Linear is a module, a function, and an op that lowers to a transposition and a product."""
    net = Net(1, 8)
    x, module = net.end, net.holding((5, 8), (5,))
    layer = net.then("linear", 1, 5, module=module, out_features=5)
    whole = {"inputs": (x,), "outputs": (net.end,)}
    function = net.layer(
        "f", "linear", "f", level="function", parent=layer, attrs={"out_features": 5}, **whole
    )
    op = net.layer("o", "linear", "o", level="op", parent=function, attrs={"out_features": 5}, **whole)
    product = net.layer("mm", "matmul", "mm", level="op", parent=op, **whole)

    assert net.found() == Classifier(frozenset({layer, function, op, product}), frozenset({0, 1}))


@pytest.mark.parametrize("behind", [["relu"], ["reshape", "softmax"], ["dropout"]])
def test_activations_a_softmax_and_reshapes_may_follow(behind: list[str]) -> None:
    net = Net(1, 8)
    dense = net.then("linear", 1, 5, out_features=5)
    for kind in behind:
        net.then(kind, 1, 5)

    assert net.found().calls == {dense}


def test_a_dense_layer_further_inside_is_none() -> None:
    net = Net(1, 8)
    net.then("linear", 1, 5, out_features=5)
    net.then("layer_norm", 1, 5)

    assert net.found() == NONE


def test_a_mean_over_dense_layers_is_none() -> None:
    net = Net(1, 6, 8)
    net.then("linear", 1, 6, 5, out_features=5)
    net.then("reduce_mean", 1, 5)

    assert net.found() == NONE


def test_a_1x1_convolution_to_a_vector_of_classes_is_one() -> None:
    """SqueezeNet's is followed by an activation, the mean over all places and a flattening."""
    net = Net(1, 8, 4, 4)
    module = net.holding((5, 8, 1, 1), (5,))
    conv = net.then("conv", 1, 5, 4, 4, module=module, kernel=(1, 1), out_channels=5, groups=1)
    net.then("relu", 1, 5, 4, 4)
    net.then("avg_pool", 1, 5, 1, 1)
    net.then("reshape", 1, 5)

    assert net.found() == Classifier(frozenset({conv}), frozenset({0, 1}))


@pytest.mark.parametrize(("kernel", "end"), [((1, 1), (1, 5, 4, 4)), ((3, 3), (1, 80))])
def test_a_convolution_that_keeps_places_or_is_larger_is_none(
    kernel: tuple[int, int], end: tuple[int, ...]
) -> None:
    net = Net(1, 8, 4, 4)
    net.then("conv", 1, 5, 4, 4, kernel=kernel, out_channels=5, groups=1)
    net.then("reshape", *end)

    assert net.found() == NONE


def test_a_function_in_a_model_takes_only_parameters_of_its_sizes() -> None:
    """The model that calls a dense function itself has a class token of (1, 1, 8) beside its weight."""
    net = Net(1, 8)
    module = net.holding((1, 1, 8), (5, 8))
    block = net.then("container", 1, 5, module=module)
    made = net.layer("f", "linear", "f", level="function", parent=block, inputs=(0,), outputs=(net.end,),
                     attrs={"out_features": 5})  # fmt: skip

    assert net.found() == Classifier(frozenset({made}), frozenset({1}))


def test_weights_that_are_used_elsewhere_too_stay() -> None:
    net = Net(1, 5)
    module = net.holding((5, 5))
    net.then("linear", 1, 5, module=module, out_features=5)
    last = net.then("linear", 1, 5, module=module, out_features=5)

    assert net.found() == Classifier(frozenset({last}))
