"""The contents of the graph of a PyTorch model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
import pytest
import torch
from flopledger.graph.tables import CONTAINER, TensorRef
from networks import Attention, Recurrent, ResNet
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import prune

if TYPE_CHECKING:
    from collections.abc import Callable

    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Layer

    Find = Callable[[Graph, str], Layer]


class Small(nn.Module):
    """One call on each level, spelled in several ways."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.act = nn.ReLU()

    def forward(self, x: Tensor, shift: float = 0.5) -> Tensor:
        y: Tensor = self.act(self.conv(x))
        y = torch.add(y, shift, alpha=2)
        return functional.softmax(y.mul(2) @ y.transpose(2, 3), dim=-1)


@pytest.fixture(scope="module")
def small() -> Graph:
    return fl.read(Small(), "1x3x6x5")


def test_calls_nest_on_three_levels(small: Graph, layer: Find) -> None:
    conv = layer(small, "conv")
    function, composite = layer(small, "conv/conv2d"), layer(small, "conv/conv2d/conv2d")
    lowered = layer(small, "conv/conv2d/conv2d/convolution")
    assert [call.level for call in (conv, function, composite, lowered)] == ["layer", "function", "op", "op"]
    assert [call.source for call in (conv, function, composite, lowered)] == [
        "torch.nn.Conv2d", "torch.nn.functional.conv2d", "aten.conv2d.default", "aten.convolution.default",
    ]  # fmt: skip
    assert (conv.parent, function.parent, composite.parent) == (0, conv.id, function.id)
    assert [call.kind for call in (conv, function, composite, lowered)] == ["conv"] * 4
    assert (composite.composite, lowered.composite) == (True, False)


def test_the_root_is_a_container_under_its_class_s_name(small: Graph) -> None:
    root = small.layers[0]
    assert (root.path, root.kind, root.parent, root.module) == ("Small", CONTAINER, None, 0)
    assert small.modules[0].paths == ("",)


def test_operators_methods_and_functions_keep_their_spelling(small: Graph) -> None:
    functions = [call.source for call in small.layers if call.level == "function" and call.parent == 0]
    assert functions == [
        "torch.add", "torch.Tensor.mul", "torch.Tensor.__matmul__", "torch.nn.functional.softmax",
    ]  # fmt: skip


def test_a_function_s_arguments_are_named_as_they_were_spelled(small: Graph, layer: Find) -> None:
    add = layer(small, "add").native
    assert isinstance(add["input"], TensorRef)
    assert (add["other"], add["alpha"]) == (0.5, 2)
    assert add["args"] == (add["input"], 0.5)
    assert layer(small, "softmax").native["dim"] == -1


def test_an_op_s_arguments_are_named_and_filled_by_its_schema(small: Graph, layer: Find) -> None:
    found = layer(small, "conv/conv2d/conv2d/convolution").native
    assert (found["stride"], found["padding"], found["transposed"], found["groups"]) == (
        (1, 1),
        (1, 1),
        False,
        1,
    )
    assert layer(small, "add/add").native["alpha"] == 2
    # the keyword-only argument of softmax that nobody gave
    assert layer(small, "softmax/softmax/softmax").native["dtype"] is None


def test_tensors_flow_from_call_to_call(small: Graph, layer: Find) -> None:
    conv, act, add = (layer(small, path) for path in ("conv", "act", "add"))
    assert conv.inputs == (small.inputs[0].tensor,)
    assert act.inputs == conv.outputs
    assert add.inputs == act.outputs
    assert small.outputs == small.layers[0].outputs
    assert small.shape(small.outputs[0]) == (1, 4, 6, 6)


def test_a_view_knows_whose_memory_it_shows() -> None:
    graph = fl.read(nn.Flatten(), "2x3x4")
    assert graph.tensors[graph.outputs[0]].alias_of == graph.inputs[0].tensor


def test_a_module_says_its_attributes_and_its_weights_shapes(small: Graph) -> None:
    conv = small.modules[1]
    assert (conv.type, conv.bases[-1], conv.paths) == ("torch.nn.Conv2d", "torch.nn.Module", ("conv",))
    assert conv.native["kernel_size"] == (3, 3)
    assert (conv.native["in_channels"], conv.native["groups"]) == (3, 1)
    assert (conv.native["weight"], conv.native["bias"]) == ((4, 3, 3, 3), (4,))
    assert conv.native["training"] is False
    without = fl.read(nn.Conv2d(3, 4, 3, bias=False), "1x3x6x5").modules[0]
    assert without.native["bias"] is None


def test_a_recurrent_module_says_whether_it_has_biases_and_its_forward_weights() -> None:
    native = fl.read(nn.LSTM(5, 6, 2, bidirectional=True), "7x3x5").modules[0].native
    assert native["bias"] is True
    assert native["weights"] == (((24, 5), (24, 6)), ((24, 12), (24, 6)))


def test_weights_have_roles_and_flags() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    net[0].bias.requires_grad = False
    graph = fl.read(net, "2x4")
    assert [(p.names, p.role, p.trainable) for p in graph.parameters] == [
        (("0.weight",), "weight", True),
        (("0.bias",), "bias", False),
        (("1.weight",), "scale", True),
        (("1.bias",), "shift", True),
        (("1.running_mean",), "running_mean", False),
        (("1.running_var",), "running_var", False),
        (("1.num_batches_tracked",), "counter", False),
    ]


def test_tied_weights_are_one_row_with_two_names() -> None:
    graph = fl.read(Recurrent(), "2x5:int64")
    (tied,) = [p for p in graph.parameters if len(p.names) == 2]
    assert tied.names == ("table.weight", "words.weight")


def test_memory_that_two_parameters_share_is_one_storage() -> None:
    net = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    net[1].weight = nn.Parameter(net[0].weight.data)
    first, second = fl.read(net, "2x4").parameters
    assert first.object != second.object
    assert first.storage == second.storage


def test_parts_of_one_memory_are_weights_of_their_own() -> None:
    flat = torch.zeros(32)
    net = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    net[0].weight, net[1].weight = (nn.Parameter(part.view(4, 4)) for part in flat.split(16))
    assert fl.read(net, "2x4").count("mac").total.params == 32


def test_a_module_in_two_places_has_two_paths_and_each_call_an_index() -> None:
    shared = nn.Linear(4, 4)
    graph = fl.read(nn.Sequential(shared, nn.ReLU(), nn.Sequential(shared)), "2x4")
    calls = [call for call in graph.layers if call.source == "torch.nn.Linear"]
    assert graph.modules[1].paths == ("0", "2.0")
    assert [(call.module, call.index, call.path) for call in calls] == [(1, 1, "0"), (1, 2, "0#2")]
    assert graph.modules[0].children == (1, 2, 3)
    assert graph.modules[3].children == (1,)


def test_a_module_that_is_never_called_is_there_too() -> None:
    net = ResNet()
    net.extra = nn.Linear(2, 3)
    graph = fl.read(net, "1x3x32x32")
    (extra,) = [m for m in graph.modules if m.paths == ("extra",)]
    assert not any(call.module == extra.id for call in graph.layers)


class Plain(nn.Module):
    """Keeps a layer in a plain list, and makes one while it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = [nn.Linear(4, 3)]

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = nn.Softmax(-1)(self.kept[0](x))
        return y


def test_a_module_that_is_not_registered_is_still_recorded() -> None:
    graph = fl.read(Plain(), "2x4")
    assert [call.path for call in graph.layers if call.level == "layer"] == ["Plain", "Linear", "Softmax"]
    assert graph.count("mac").total.count == 24


class LoRA(nn.Linear):
    """A dense layer with a second, small way."""

    def __init__(self) -> None:
        super().__init__(8, 8)
        self.down, self.up = nn.Linear(8, 2, bias=False), nn.Linear(2, 8, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = super().forward(x) + self.up(self.down(x))
        return y


def test_a_subclass_with_a_forward_of_its_own_is_a_container() -> None:
    graph = fl.read(LoRA(), "1x8")
    assert graph.layers[0].kind == CONTAINER
    assert graph.modules[0].bases[0] == "torch.nn.Linear"
    # 8 * 8 of its own, 8 * 2 down and 2 * 8 up
    assert graph.count("mac").total.count == 96


def test_a_subclass_that_only_adds_a_name_is_what_its_base_is() -> None:
    named = type("Named", (nn.Linear,), {"__module__": "mine"})
    assert [(c.source, c.kind) for c in fl.read(named(3, 4), "1x3").layers[:1]] == [("mine.Named", "linear")]


class Masked(nn.Module):
    """Has the names of a pruned layer, and a mask that is a plain attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.weight_orig = nn.Parameter(torch.zeros(4, 8))
        self.weight_mask = (torch.arange(32) % 4 == 0).reshape(4, 8).float()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the product with the weights that the mask leaves."""
        return x @ (self.weight_orig * self.weight_mask).T


def test_a_pruning_mask_need_be_no_buffer() -> None:
    """A quarter of 32 weights, and 4 * 2 + 2 of the layer after them: torchinfo 1.8.0 prints 18."""
    net = nn.Sequential(Masked(), nn.Linear(4, 2))
    assert fl.count(net, "1x8", "torchinfo").total.params == 8 + 10


def test_what_a_pruning_mask_leaves_is_stated() -> None:
    linear = nn.Linear(4, 6)
    prune.random_unstructured(linear, "weight", amount=10)
    module = fl.read(linear, "2x4").modules[0]
    assert module.native["kept"] == {"weight": 14}
    assert [name for name, _ in module.parameters] == ["bias", "weight", "weight_mask"]


@pytest.mark.parametrize("old", [True, False])
def test_a_weight_that_is_computed_shows_its_shape_and_its_work(*, old: bool) -> None:
    linear = nn.Linear(4, 6)
    if old:
        with pytest.warns(FutureWarning):
            nn.utils.weight_norm(linear)
    else:
        nn.utils.parametrizations.weight_norm(linear)
    graph = fl.read(linear, "2x4")
    assert graph.layers[0].kind == CONTAINER
    assert graph.modules[0].native["weight"] == (6, 4)
    ledger = graph.count("mac", norm="on")
    # 48 of the product; 24 squares, sums, divisions and scales, and 6 roots
    assert ledger.total.count == 48 + 4 * 24 + 6
    assert ledger.coverage.unknown == ()


def test_the_profile_is_that_of_the_reading() -> None:
    usual = {"mode": "eval", "grad": True, "fast_paths": True}
    assert fl.read(Small(), "1x3x6x5").reading.profile.items() >= usual.items()
    asked = fl.read(Attention(), "1x4x24", profile={"mode": "train", "grad": False})
    assert asked.reading.profile.items() >= {**usual, "mode": "train", "grad": False}.items()
    assert all(module.training for module in asked.modules)


def test_a_fused_kernel_is_taken_only_where_it_may_be() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    fused = "aten._transformer_encoder_layer_fwd.default"
    for profile, taken in (
        ({"grad": False}, True),
        ({"grad": False, "fast_paths": False}, False),
        ({}, False),
    ):
        graph = fl.read(layer, "2x5x8", profile=profile)
        assert any(call.source == fused for call in graph.layers) is taken
        # 2 sequences: 4 * 5 * 64 and 2 * 25 * 8 in attention, 2 * 5 * 8 * 16 in the dense layers
        assert graph.count("mac").total.count == 2 * (1280 + 400 + 1280)


def test_dropout_and_batch_statistics_count_in_training() -> None:
    net = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.1))
    trained = fl.read(net, "3x4", profile={"mode": "train"})
    norm, dropout = (call for call in trained.layers if call.level == "layer" and call.parent == 0)
    assert (norm.attrs["batch_stats"], dropout.attrs["training"]) == (True, True)
    assert trained.count("ops").total.count > fl.read(net, "3x4").count("ops").total.count


def test_under_vmap_the_ops_are_recorded_with_all_their_axes() -> None:
    class Mapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 5)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = torch.vmap(self.linear)(x)
            return y

    assert fl.read(Mapped(), "3x4").count("mac").total.count == 60


def test_a_deformable_convolution_of_another_library_is_known() -> None:
    library = torch.library.Library("torchvision", "FRAGMENT")
    library.define(
        "deform_conv2d(Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, int stride_h, "
        "int stride_w, int pad_h, int pad_w, int dilation_h, int dilation_w, int groups, int offset_groups, "
        "bool use_mask) -> Tensor"
    )
    library.impl("deform_conv2d", lambda x, w, *_: x.new_empty(x.shape[0], w.shape[0], *x.shape[2:]), "Meta")

    class Deform(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(6, 4, 3, 3))

        def forward(self, x: Tensor) -> Tensor:
            n, _, h, w = x.shape
            offset, mask, bias = x.new_zeros(n, 18, h, w), x.new_ones(n, 9, h, w), x.new_zeros(6)
            y: Tensor = torch.ops.torchvision.deform_conv2d(
                x, self.weight, offset, mask, bias, *(1,) * 8, use_mask=True
            )
            return y

    graph = fl.read(Deform(), "1x4x5x5")
    assert graph.layers[-1].kind == "deform_conv"
    # 25 places, 6 outputs of 9 * 4 terms
    assert graph.count("mac").total.count == 5400
