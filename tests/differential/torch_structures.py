"""Probes of a few layers: sharing, reuse, nesting, parameters held elsewhere, ways of calling."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.nn.functional import relu as bound_before
from torch.nn.utils import parametrizations, prune
from torch_probes import PROBES, Holder, integers, layer, named, network

if TYPE_CHECKING:
    from collections.abc import Callable


class Forward(nn.Module):
    """Children by name, and a function of the module and its inputs for a forward."""

    def __init__(self, forward: Any, **children: nn.Module) -> None:
        super().__init__()
        self.rule = forward
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, x0: torch.Tensor, x1: Any = None) -> Any:
        return self.rule(self, x0) if x1 is None else self.rule(self, x0, x1)


def reuse() -> None:
    network("called_twice", lambda: Forward(lambda m, x: m.f(m.f(x)), f=nn.Linear(7, 7)), (1, 7))
    network(
        "called_four_times_n3",
        lambda: Forward(lambda m, x: m.f(m.f(m.f(m.f(x)))), f=nn.Conv2d(6, 6, 3)),
        (3, 6, 11, 14),
    )

    def two_names() -> nn.Module:
        f = nn.Linear(7, 7)
        return Forward(lambda m, x: m.g(m.f(x)), f=f, g=f)

    network("two_names", two_names, (1, 7))

    def two_parents() -> nn.Module:
        f = nn.Linear(7, 7)
        return Forward(lambda m, x: m.b(m.a(x)), a=nn.Sequential(f), b=nn.Sequential(f))

    network("two_parents", two_parents, (1, 7))
    network("two_parents_n3", two_parents, (3, 7))

    def three_parents() -> nn.Module:
        f = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.ReLU())
        return Forward(
            lambda m, x: m.c(m.b(m.a(x))), a=nn.Sequential(f), b=nn.Sequential(f), c=nn.Sequential(f)
        )

    network("three_parents_n2", three_parents, (2, 6, 5, 9))

    def nested() -> nn.Module:
        f = nn.BatchNorm2d(6)
        inner = nn.Sequential(f, nn.Conv2d(6, 6, 1))
        return Forward(
            lambda m, x: m.b(m.a(x)), a=nn.Sequential(inner, f), b=nn.Sequential(nn.Sequential(inner))
        )

    network("nested_reuse", nested, (3, 6, 5, 9))

    def parents_uncalled() -> nn.Module:
        f = nn.Linear(7, 7)
        parts = {"a": nn.ModuleList([f]), "b": nn.ModuleDict({"f": f})}
        return Forward(lambda m, x: m.b["f"](m.a[0](x)), **parts)

    network("two_parents_never_called", parents_uncalled, (1, 7))

    def interleaved() -> nn.Module:
        parts = nn.ModuleList([nn.Linear(7, 7), nn.Linear(7, 7, bias=False), nn.Linear(7, 5)])
        run = lambda m, x: m.parts[1](m.norm(m.parts[0](x)))  # noqa: E731
        return Forward(run, parts=parts, norm=nn.LayerNorm(7))

    network("list_interleaved_n3", interleaved, (3, 7))

    def shared_before_own() -> nn.Module:
        f = nn.Linear(7, 7)
        first = nn.Sequential(f, nn.Linear(7, 7, bias=False))
        return Forward(lambda m, x: m.b(m.a(x)), a=first, b=nn.Sequential(nn.LayerNorm(7), f))

    network("shared_before_own_n3", shared_before_own, (3, 7))

    def spare_parent() -> nn.Module:
        f = nn.Linear(7, 7)
        return Forward(lambda m, x: m.a(x), a=nn.Sequential(f), spare=nn.Sequential(f, nn.Linear(7, 3)))

    network("two_parents_one_spare", spare_parent, (2, 7))

    def tied() -> nn.Module:
        net = Forward(lambda m, x: m.g(m.f(x)), f=nn.Linear(7, 7), g=nn.Linear(7, 7))
        net.g.weight = net.f.weight
        return net

    network("tied_weight", tied, (1, 7))

    def tied_embedding() -> nn.Module:
        net = Forward(
            lambda m, x: m.out(m.table(x)), table=nn.Embedding(20, 6), out=nn.Linear(6, 20, bias=False)
        )
        net.out.weight = net.table.weight
        return net

    integers("tied_embedding_n2", tied_embedding, 2, 5)

    def shared_cell() -> nn.Module:
        return Forward(lambda m, x: m.f(x[:, 1], m.f(x[:, 0])), f=nn.GRUCell(5, 7))

    network("cell_twice_n3", shared_cell, (3, 2, 5))


def parameters() -> None:
    class Direct(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.f = nn.Linear(7, 11)
            self.position = nn.Parameter(torch.zeros(3, 7))

        def forward(self, x0: torch.Tensor) -> torch.Tensor:
            return self.f(x0 + self.position)

    network("direct_parameter", Direct, (1, 3, 7))

    def frozen() -> nn.Module:
        net = Holder(nn.Linear(7, 11))
        net.layer.weight.requires_grad_(requires_grad=False)
        return net

    network("frozen_weight", frozen, (1, 7))
    network(
        "frozen_all_n3",
        lambda: Holder(nn.Conv2d(6, 10, 3)).requires_grad_(requires_grad=False),
        (3, 6, 11, 14),
    )
    network(
        "unused_child",
        lambda: Forward(lambda m, x: m.f(x), f=nn.Linear(7, 11), spare=nn.Linear(7, 5)),
        (1, 7),
    )
    network(
        "unused_box",
        lambda: Forward(
            lambda m, x: m.f(x), f=nn.Linear(7, 11), spare=nn.Sequential(nn.Linear(7, 5), nn.ReLU())
        ),
        (1, 7),
    )

    class Lists(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scales = nn.ParameterList([nn.Parameter(torch.ones(7)), nn.Parameter(torch.ones(2, 7))])
            self.shifts = nn.ParameterDict({"a": nn.Parameter(torch.zeros(7))})

        def forward(self, x0: torch.Tensor) -> torch.Tensor:
            return x0 * self.scales[0] + self.shifts["a"]

    network("parameter_lists", Lists, (1, 7))

    class Gamma(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gamma, self.my_weight = nn.Parameter(torch.ones(6)), nn.Parameter(torch.ones(6, 5, 9))

        def forward(self, x0: torch.Tensor) -> torch.Tensor:
            return x0 * self.my_weight * self.gamma[:, None, None]

    network("own_leaf_n3", lambda: Holder(Gamma()), (3, 6, 5, 9))
    network("weight_norm_old", lambda: Holder(nn.utils.weight_norm(nn.Conv2d(6, 10, 3))), (1, 6, 11, 14))
    network("weight_norm", lambda: Holder(parametrizations.weight_norm(nn.Conv2d(6, 10, 3))), (1, 6, 11, 14))
    network("spectral_norm_old", lambda: Holder(nn.utils.spectral_norm(nn.Linear(7, 11))), (3, 7))
    network("spectral_norm", lambda: Holder(parametrizations.spectral_norm(nn.Linear(7, 11))), (3, 7))

    def pruned() -> nn.Module:
        conv = nn.Conv2d(6, 10, 3)
        prune.l1_unstructured(conv, "weight", amount=0.5)
        return Holder(conv)

    network("pruned", pruned, (1, 6, 11, 14))

    def pruned_bias() -> nn.Module:
        linear = nn.Linear(7, 11)
        prune.random_unstructured(linear, "bias", amount=4)
        return Holder(linear)

    network("pruned_bias_n3", pruned_bias, (3, 7))


class MyConv(nn.Conv2d):
    """A subclass that changes nothing."""


class ConvLike(nn.Linear):
    """A dense layer whose name has Conv in it."""


class WithChild(nn.Linear):
    """A dense layer that holds another."""

    def __init__(self) -> None:
        super().__init__(7, 11)
        self.child = nn.Linear(11, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.child(super().forward(x))


class Lora(nn.Linear):
    """A dense layer with a low-rank path beside its own."""

    def __init__(self) -> None:
        super().__init__(7, 11)
        self.down, self.up = nn.Parameter(torch.zeros(2, 7)), nn.Parameter(torch.zeros(11, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + x @ self.down.T @ self.up.T


def subclasses() -> None:
    layer("conv_subclass", lambda: MyConv(6, 10, (3, 5)), (1, 6, 11, 14))
    layer("dense_named_conv_n2", lambda: ConvLike(7, 11), (2, 5, 7))
    layer("dense_with_child", WithChild, (1, 7))
    layer("lora_n3", Lora, (3, 7))
    layer("lazy_linear", lambda: nn.LazyLinear(11), (3, 7))


class Attention(nn.Module):
    """Self-attention."""

    def __init__(self, *, weights: bool, **told: Any) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, **told)
        self.weights = weights

    def forward(self, x0: torch.Tensor) -> torch.Tensor:
        return self.attention(x0, x0, x0, need_weights=self.weights)[0]


def attention() -> None:
    first = {"batch_first": True}
    network("mha_weights", lambda: Attention(weights=True, **first), (1, 5, 8))
    network("mha_weights_n2", lambda: Attention(weights=True, **first), (2, 5, 8))
    network("mha", lambda: Attention(weights=False, **first), (1, 5, 8))
    network("mha_n3", lambda: Attention(weights=False, **first), (3, 5, 8))
    network("mha_steps_first_n2", lambda: Attention(weights=True), (5, 2, 8))
    network("mha_steps_first_fused_n2", lambda: Attention(weights=False), (5, 2, 8))
    network("mha_nobias", lambda: Attention(weights=True, bias=False, **first), (1, 5, 8))

    def cross() -> nn.Module:
        attend = nn.MultiheadAttention(8, 2, kdim=6, vdim=10, batch_first=True)
        return Forward(lambda m, q, k: m.a(q, k[..., :6], k)[0], a=attend)

    network("mha_other_widths", cross, (2, 5, 8), (2, 7, 10))
    encoder = nn.TransformerEncoderLayer
    layer("encoder_layer", lambda: encoder(8, 2, 12, **first), (1, 5, 8))
    layer("encoder_layer_n3", lambda: encoder(8, 2, 12, **first), (3, 5, 8))
    layer(
        "encoder_layer_gelu_first",
        lambda: encoder(8, 2, 12, activation="gelu", norm_first=True, **first),
        (2, 5, 8),
    )
    layer("encoder_two", lambda: nn.TransformerEncoder(encoder(8, 2, 12, **first), 2), (2, 5, 8))
    layer("decoder_layer", lambda: nn.TransformerDecoderLayer(8, 2, 12, **first), (2, 5, 8), (2, 7, 8))
    layer("transformer", lambda: nn.Transformer(8, 2, 1, 1, 12, **first), (2, 5, 8), (2, 3, 8))


def blocks() -> None:
    conv = nn.Conv2d
    network("conv_relu", lambda: nn.Sequential(conv(6, 10, (3, 5)), nn.ReLU()), (1, 6, 11, 14))
    network(
        "conv_norm_relu_n2",
        lambda: nn.Sequential(conv(6, 10, (3, 5)), nn.BatchNorm2d(10), nn.ReLU()),
        (2, 6, 11, 14),
    )
    network(
        "conv_norm_train_n3",
        lambda: nn.Sequential(conv(6, 10, 3), nn.BatchNorm2d(10)),
        (3, 6, 11, 14),
        train=True,
    )

    def residual() -> nn.Module:
        def run(m: Any, x: torch.Tensor) -> torch.Tensor:
            y = m.relu(m.b1(m.c1(x)))
            return m.relu(m.b2(m.c2(y)) + x)

        convs = {f"c{i}": conv(6, 6, 3, padding=1, bias=False) for i in (1, 2)}
        return Forward(run, **convs, b1=nn.BatchNorm2d(6), b2=nn.BatchNorm2d(6), relu=nn.ReLU(inplace=True))

    network("residual_n2", residual, (2, 6, 5, 9))

    def squeeze() -> nn.Module:
        def run(m: Any, x: torch.Tensor) -> torch.Tensor:
            s = F.adaptive_avg_pool2d(x, 1)
            return x * torch.sigmoid(m.up(F.relu(m.down(s))))

        return Forward(run, down=conv(6, 2, 1), up=conv(2, 6, 1))

    network("squeeze_excite_n3", squeeze, (3, 6, 5, 9))

    def inception() -> nn.Module:
        def run(m: Any, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([m.a(x), m.b(x), m.c(F.avg_pool2d(x, 3, 1, 1))], 1)

        return Forward(run, a=conv(6, 4, 1), b=conv(6, 5, 3, padding=1), c=conv(6, 3, 1))

    network("inception", inception, (1, 6, 11, 14))

    def lists() -> nn.Module:
        parts = nn.ModuleList([nn.Linear(7, 9), nn.Linear(9, 11)])
        return Forward(lambda m, x: m.fs[1](m.fs[0](x)), fs=parts)

    network("module_list", lists, (1, 7))

    def three_dense() -> nn.Module:
        return nn.Sequential(
            nn.Linear(7, 9), nn.Sequential(nn.Tanh(), nn.Linear(9, 5), nn.Sequential(nn.Linear(5, 3)))
        )

    network("nested_boxes_n3", three_dense, (3, 7))


def calls() -> None:
    network("forward_directly", lambda: Forward(lambda m, x: m.f.forward(x), f=nn.Linear(7, 11)), (1, 7))
    network("called_by_name", lambda: Forward(lambda m, x: m.f(input=x), f=nn.Linear(7, 11)), (1, 7))
    network("bound_before", lambda: Forward(lambda m, x: bound_before(m.f(x)), f=nn.Linear(7, 11)), (3, 7))
    network(
        "two_inputs_n2",
        lambda: Forward(lambda m, x, y: m.e(m.f(x) + y), f=nn.Linear(7, 11), e=nn.GELU()),
        (2, 7),
        (2, 11),
    )
    network(
        "branch_on_shape",
        lambda: Forward(lambda m, x: m.f(x) if x.shape[0] > 1 else x, f=nn.Linear(7, 11)),
        (3, 7),
    )
    network(
        "unused_result",
        lambda: Forward(lambda m, x: (m.g(x), m.f(x))[1], f=nn.Linear(7, 11), g=nn.Linear(7, 5)),
        (3, 7),
    )
    network(
        "two_results",
        lambda: Forward(lambda m, x: (m.f(x), m.g(x)), f=nn.Linear(7, 11), g=nn.Linear(7, 5)),
        (3, 7),
    )
    network(
        "dict_result",
        lambda: Forward(lambda m, x: {"a": m.f(x), "b": m.g(x)}, f=nn.Linear(7, 11), g=nn.Linear(7, 5)),
        (3, 7),
    )

    def half() -> Any:
        return Holder(nn.Linear(7, 11)).half().eval(), named(torch.rand(2, 7).half())

    PROBES["half_precision_n2"] = half
    network(
        "loop_over_steps",
        lambda: Forward(lambda m, x: torch.stack([m.f(x[:, t]) for t in range(3)], 1), f=nn.Linear(7, 11)),
        (2, 3, 7),
    )
    network(
        "permuted_dense",
        lambda: Forward(lambda m, x: m.f(x.permute(0, 2, 3, 1)), f=nn.Linear(6, 11)),
        (3, 6, 5, 9),
    )
    network(
        "reshaped_heads",
        lambda: Forward(lambda m, x: m.f(x).view(x.shape[0] * 5, -1), f=nn.Linear(8, 8)),
        (2, 5, 8),
    )


class Auxiliary(nn.Module):
    """A second head while it is trained, as GoogLeNet has."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.head, self.second = nn.Linear(512, 10), nn.Linear(512, 10)

    def forward(self, x0: torch.Tensor) -> Any:
        x = self.body(x0).flatten(1)
        return (self.head(x), self.second(x)) if self.training else self.head(x)


def modes() -> None:
    """Add models in training mode, as a freshly built one is, and with modules in both modes."""

    def add(name: str, build: Callable[[], nn.Module], *shape: int, **inside: bool) -> None:
        def made() -> Any:
            net = build().train()
            for path, training in inside.items():
                net.get_submodule(path).train(training)
            return net, named(torch.rand(shape))

        PROBES[name] = made

    def norms() -> nn.Module:
        parts = {"conv": nn.Conv2d(3, 8, 3, padding=1), "a": nn.BatchNorm2d(8), "b": nn.BatchNorm2d(8)}
        return Forward(lambda m, x: m.b(m.a(m.conv(x))), **parts)

    add("two_norms_fresh", norms, 1, 3, 8, 8)
    add("two_norms_one_in_eval", norms, 1, 3, 8, 8, a=False)
    add("two_norms_frozen", norms, 1, 3, 8, 8, a=False, b=False)
    add("instance_norm_fresh", lambda: Holder(nn.InstanceNorm2d(6, affine=True)), 2, 6, 5, 9)
    add("instance_norm_tracked", lambda: Holder(nn.InstanceNorm2d(6, track_running_stats=True)), 2, 6, 5, 9)
    add("dropout_fresh", lambda: nn.Sequential(nn.Linear(7, 11), nn.Dropout(), nn.Linear(11, 5)), 3, 7)
    add("auxiliary_fresh", Auxiliary, 1, 3, 8, 8)
    add("auxiliary_root_in_eval", lambda: Holder(Auxiliary()), 1, 3, 8, 8, layer=False)
    add("auxiliary_body_in_eval", Auxiliary, 1, 3, 8, 8, body=False)
    encoder = functools.partial(nn.TransformerEncoderLayer, 8, 2, 12, batch_first=True)
    add("encoder_fresh", lambda: Holder(encoder()), 1, 5, 8)
    add("encoder_fresh_no_dropout", lambda: Holder(encoder(dropout=0.0)), 1, 5, 8)
    add(
        "encoder_attention_in_eval",
        lambda: Forward(lambda m, x: m.e(x), e=encoder()),
        1,
        5,
        8,
        **{"e.self_attn": False},
    )
    add("encoder_in_eval", lambda: Forward(lambda m, x: m.e(x), e=encoder()), 1, 5, 8, e=False)
    add("attention_fresh", lambda: Attention(weights=False, batch_first=True, dropout=0.1), 1, 5, 8)
    add("lstm_fresh", lambda: Holder(nn.LSTM(5, 7, 2, dropout=0.2)), 4, 3, 5)
    add("gru_in_eval", lambda: Holder(nn.GRU(5, 7)), 4, 3, 5, layer=False)


def add() -> None:
    """Add all of them."""
    for part in (reuse, parameters, subclasses, attention, blocks, calls, modes):
        part()
