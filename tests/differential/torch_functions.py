"""Probes of one function, method or operator each."""

from __future__ import annotations

import functools
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  (as everybody calls it)
from torch_probes import function

MAP, SMALL = (1, 6, 5, 9), (1, 6, 5, 7)


def _named(name: str, _: Any, x: torch.Tensor) -> torch.Tensor:
    return getattr(F, name)(x)


def layers() -> None:
    image = (1, 6, 11, 14)
    function("f_conv2d", lambda m, x: F.conv2d(x, m.w, m.b, 2, 1), image, w=(10, 6, 3, 3), b=(10,))
    function("f_conv2d_by_name", lambda m, x: F.conv2d(input=x, weight=m.w), image, w=(10, 6, 3, 3))
    function("torch_conv2d", lambda m, x: torch.conv2d(x, m.w, m.b), image, w=(10, 6, 3, 3), b=(10,))
    function("f_conv1d_same", lambda m, x: F.conv1d(x, m.w, padding="same"), (3, 6, 17), w=(10, 6, 4))
    function(
        "f_conv_transpose2d",
        lambda m, x: F.conv_transpose2d(x, m.w, m.b, 2),
        (2, 6, 5, 7),
        w=(6, 4, 3, 2),
        b=(4,),
    )
    function("f_linear_n2", lambda m, x: F.linear(x, m.w, m.b), (2, 7), w=(11, 7), b=(11,))
    function(
        "f_linear_3d_transposed",
        lambda m, x: F.linear(x.transpose(1, 2), m.w, m.b),
        (2, 7, 5),
        w=(11, 7),
        b=(11,),
    )
    function("f_layer_norm", lambda m, x: F.layer_norm(x, (9,), m.w, m.b), (1, 7, 9), w=(9,), b=(9,))
    function("f_layer_norm_plain", lambda _, x: F.layer_norm(x, (9,)), (3, 7, 9))
    function(
        "f_batch_norm",
        lambda m, x: F.batch_norm(x, torch.zeros(7), torch.ones(7), m.w, m.b),
        (1, 7, 5, 9),
        w=(7,),
        b=(7,),
    )
    function("f_batch_norm_training", lambda _, x: F.batch_norm(x, None, None, training=True), (3, 7, 5, 9))
    function("f_group_norm", lambda m, x: F.group_norm(x, 3, m.w, m.b), MAP, w=(6,), b=(6,))
    function("f_instance_norm", lambda _, x: F.instance_norm(x), MAP)
    function("f_normalize", lambda _, x: F.normalize(x, dim=1), MAP)
    function("f_max_pool2d", lambda _, x: F.max_pool2d(x, 2), image)
    function("f_max_pool2d_by_name_n3", lambda _, x: F.max_pool2d(input=x, kernel_size=3), (3, 6, 11, 14))
    function("f_avg_pool2d", lambda _, x: F.avg_pool2d(x, 2), image)
    function("f_adaptive_avg_pool2d", lambda _, x: F.adaptive_avg_pool2d(x, (3, 4)), image)
    function("f_adaptive_max_pool2d", lambda _, x: F.adaptive_max_pool2d(x, 2), image)
    function("f_interpolate", lambda _, x: F.interpolate(x, scale_factor=2), SMALL)
    function("f_interpolate_size", lambda _, x: F.interpolate(x, size=(9, 13)), SMALL)
    function("f_interpolate_size_n2", lambda _, x: F.interpolate(x, size=9), (2, 6, 5, 7))
    function("f_interpolate_position", lambda _, x: F.interpolate(x, None, (2.0, 3.0), "bilinear"), SMALL)
    function(
        "f_interpolate_by_0.7",
        lambda _, x: F.interpolate(x, scale_factor=0.7, mode="bilinear"),
        (3, 6, 11, 13),
    )
    function("f_upsample", lambda _, x: F.upsample(x, scale_factor=2), SMALL)
    function("f_grid_sample", lambda _, x, g: F.grid_sample(x, g, align_corners=False), SMALL, (1, 4, 3, 2))
    function(
        "f_grid_sample_nearest",
        lambda _, x, g: F.grid_sample(x, g, "nearest", align_corners=False),
        SMALL,
        (1, 4, 3, 2),
    )
    function("f_pad", lambda _, x: F.pad(x, (1, 2)), SMALL)
    function("f_one_embedding", lambda m, x: F.embedding(x.long(), m.w), (2, 5), w=(20, 6))


def activations() -> None:
    for name in (
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "selu",
        "gelu",
        "silu",
        "hardtanh",
        "hardswish",
        "sigmoid",
        "tanh",
        "softplus",
        "mish",
        "logsigmoid",
    ):
        function(f"f_{name}", functools.partial(_named, name), MAP)
    function("f_relu_n2", lambda _, x: F.relu(x), (2, 6, 5, 9))
    function("f_relu_inplace", lambda _, x: F.relu(x + 1, inplace=True), (3, 6, 5, 9))
    function("f_relu_", lambda _, x: F.relu_(x + 1), (3, 6, 5, 9))
    function("f_prelu", lambda m, x: F.prelu(x, m.w), MAP, w=(6,))
    function("f_glu", lambda _, x: F.glu(x, 1), MAP)
    function("f_softmax", lambda _, x: F.softmax(x, dim=-1), MAP)
    function("f_log_softmax", lambda _, x: F.log_softmax(x, dim=-1), MAP)
    function("torch_relu", lambda _, x: torch.relu(x), MAP)
    function("x_relu", lambda _, x: x.relu(), MAP)
    function("torch_softmax", lambda _, x: torch.softmax(x, -1), MAP)
    function("x_softmax", lambda _, x: x.softmax(-1), MAP)
    function("torch_sigmoid_n3", lambda _, x: torch.sigmoid(x), (3, 6, 5, 9))
    function("x_tanh", lambda _, x: x.tanh(), MAP)
    function("f_dropout_training", lambda _, x: F.dropout(x, 0.1, training=True), MAP)


def products() -> None:
    a, b = (2, 4, 5), (2, 5, 6)
    function("torch_matmul_n2", lambda _, x, y: torch.matmul(x, y), a, b)
    function("torch_matmul_4d", lambda _, x, y: torch.matmul(x, y), (1, 3, 4, 5), (1, 3, 5, 6))
    function("torch_matmul_4d_n3", lambda _, x, y: torch.matmul(x, y), (3, 2, 4, 5), (3, 2, 5, 6))
    function("torch_matmul_2d_3d", lambda _, x, y: torch.matmul(x, y), (4, 5), (3, 5, 6))
    function("torch_matmul_3d_2d", lambda _, x, y: torch.matmul(x, y), (3, 4, 5), (5, 6))
    function("torch_matmul_vector", lambda _, x, y: torch.matmul(x, y), (4, 5), (5,))
    function("torch_matmul_row", lambda _, x, y: torch.matmul(x, y), (5,), (5, 6))
    function("torch_matmul_dot", lambda _, x, y: torch.matmul(x, y), (5,), (5,))
    function("torch_matmul_by_name", lambda _, x, y: torch.matmul(input=x, other=y), a, b)
    function("operator_matmul", lambda _, x, y: x @ y, a, b)
    function("operator_matmul_weight", lambda m, x: x @ m.w.T, (3, 4, 5), w=(6, 5))
    function("x_matmul", lambda _, x, y: x.matmul(y), a, b)
    function("torch_mm", lambda _, x, y: torch.mm(x, y), (4, 5), (5, 6))
    function("x_mm", lambda _, x, y: x.mm(y), (4, 5), (5, 6))
    function("torch_mv", lambda _, x, y: torch.mv(x, y), (4, 5), (5,))
    function("torch_dot", lambda _, x, y: torch.dot(x, y), (5,), (5,))
    function("torch_bmm", lambda _, x, y: torch.bmm(x, y), a, b)
    function("x_bmm_n3", lambda _, x, y: x.bmm(y), (3, 4, 5), (3, 5, 6))
    function("torch_addmm", lambda _, c, x, y: torch.addmm(c, x, y), (6,), (4, 5), (5, 6))
    function("torch_addmm_beta0", lambda _, c, x, y: torch.addmm(c, x, y, beta=0), (4, 6), (4, 5), (5, 6))
    function("x_addmm", lambda _, c, x, y: c.addmm(x, y), (4, 6), (4, 5), (5, 6))
    function("torch_addmv", lambda _, c, x, y: torch.addmv(c, x, y), (4,), (4, 5), (5,))
    function("torch_addbmm", lambda _, c, x, y: torch.addbmm(c, x, y), (4, 6), a, b)
    function("torch_baddbmm", lambda _, c, x, y: torch.baddbmm(c, x, y), (2, 4, 6), a, b)
    function("torch_outer", lambda _, x, y: torch.outer(x, y), (5,), (7,))
    function("torch_tensordot", lambda _, x, y: torch.tensordot(x, y, 1), a, (5, 6))
    function("torch_cdist", lambda _, x, y: torch.cdist(x, y), (2, 4, 5), (2, 6, 5))
    function("einsum_batched", lambda _, x, y: torch.einsum("bik,bkj->bij", x, y), a, b)
    function(
        "einsum_other_letters",
        lambda _, x, y: torch.einsum("n c t, n c p -> n t p", x, y),
        (2, 4, 5),
        (2, 4, 6),
    )
    function("einsum_third_form", lambda _, x, y: torch.einsum("ntg,ncg->nct", x, y), (2, 4, 5), (2, 6, 5))
    function(
        "einsum_heads", lambda _, x, y: torch.einsum("bhid,bhjd->bhij", x, y), (1, 3, 13, 17), (1, 3, 19, 17)
    )
    function("einsum_sum", lambda _, x: torch.einsum("bik->i", x), (3, 4, 5))
    function("einsum_outer", lambda _, x, y: torch.einsum("i,j->ij", x, y), (5,), (7,))
    function(
        "einsum_ellipsis",
        lambda _, x, y: torch.einsum("...ij,...jk->...ik", x, y),
        (3, 2, 4, 5),
        (3, 2, 5, 6),
    )
    function("einsum_chain", lambda _, x, y, z: torch.einsum("ij,jk,kl->il", x, y, z), (2, 3), (3, 5), (5, 7))
    function("einsum_transpose", lambda _, x: torch.einsum("ij->ji", x), (2, 3))


def attention() -> None:
    dot = F.scaled_dot_product_attention
    q, k, v = (1, 3, 4, 5), (1, 3, 7, 5), (1, 3, 7, 6)
    function("sdpa", lambda _, q, k, v: dot(q, k, v), q, k, k)
    function("sdpa_n3", lambda _, q, k, v: dot(q, k, v), (3, 2, 4, 8), (3, 2, 9, 8), (3, 2, 9, 8))
    function("sdpa_other_width", lambda _, q, k, v: dot(q, k, v), q, k, v)
    function("sdpa_mask", lambda _, q, k, v: dot(q, k, v, attn_mask=torch.zeros(4, 7)), q, k, k)
    function("sdpa_causal", lambda _, q: dot(q, q, q, is_causal=True), (2, 3, 6, 8))
    function("sdpa_3d", lambda _, q: dot(q, q, q), (3, 4, 8))
    function("sdpa_dropout", lambda _, q: dot(q, q, q, dropout_p=0.1), (1, 3, 4, 8))
    function(
        "attention_by_hand", lambda _, q, k, v: torch.softmax(q @ k.transpose(-2, -1) / 2.0, -1) @ v, q, k, k
    )


def elementwise() -> None:
    function("operator_add", lambda _, x, y: x + y, MAP, MAP)
    function("operator_add_channels", lambda _, x, y: x + y, MAP, (1, 6, 1, 1))
    function("operator_mul", lambda _, x, y: x * y, MAP, MAP)
    function("operator_mul_number_n3", lambda _, x: 2.5 * x, (3, 6, 5, 9))
    function("operator_sub_div", lambda _, x, y: (x - y) / 3, MAP, MAP)
    function("torch_add", lambda _, x, y: torch.add(x, y), MAP, MAP)
    function("torch_add_last", lambda _, x, y: torch.add(x, y), MAP, (9,))
    function("torch_add_number", lambda _, x: torch.add(x, 1.5), MAP)
    function("torch_add_alpha", lambda _, x, y: torch.add(x, y, alpha=2), MAP, MAP)
    function("torch_mul", lambda _, x, y: torch.mul(x, y), MAP, MAP)
    function("torch_mul_outer", lambda _, x, y: torch.mul(x, y), (6, 1), (1, 7))
    function("torch_multiply", lambda _, x, y: torch.multiply(x, y), MAP, MAP)
    function("x_add", lambda _, x, y: x.add(y), MAP, MAP)
    function("x_add_", lambda _, x, y: x.clone().add_(y), MAP, MAP)
    function("x_mul_by_name", lambda _, x, y: x.mul(other=y), MAP, MAP)
    function("x_mul_", lambda _, x, y: x.clone().mul_(y), MAP, MAP)
    function("mean_2_3", lambda _, x: x.mean([2, 3]), MAP)
    function("torch_mean_all", lambda _, x: torch.mean(x), MAP)
    function("torch_sum", lambda _, x: torch.sum(x, 1), MAP)
    function("torch_cat", lambda _, x, y: torch.cat([x, y], 1), MAP, (1, 4, 5, 9))
    function("exp_log", lambda _, x: torch.log(torch.exp(x) + 1), MAP)
    function("pow_sqrt", lambda _, x: (x**2).sum(1).sqrt(), MAP)
    function("cumsum", lambda _, x: torch.cumsum(x, -1), MAP)
    function("clamp_where", lambda _, x: torch.where(x > 0.5, x.clamp(0, 1), -x), MAP)


def add() -> None:
    """Add all of them."""
    for part in (layers, activations, products, attention, elementwise):
        part()
