"""Operators of autograd's engine that have a formula; its products of matrices are plain ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger_torch.tables import elements
from flopledger_torch.tables.call import Meaning, Rule, TorchCall, same

if TYPE_CHECKING:
    from collections.abc import Mapping


def _softmax(kind: str) -> Rule:
    def rule(call: TorchCall) -> Meaning | None:
        axis = call.get("dim")
        return Meaning(kind, {"axis": axis}, call.first) if isinstance(axis, int) else None

    return rule


def _conv(call: TorchCall) -> Meaning | None:
    wanted = call.get("output_mask")
    if not isinstance(wanted, tuple) or len(wanted) != 3:
        return None
    of = zip(("of_input", "of_weight", "of_bias"), map(bool, wanted), strict=True)
    return Meaning(
        "conv_derivative", {"transposed": bool(call.get("transposed")), **dict(of)}, tuple(call.inputs[:3])
    )


DERIVATIVES: Mapping[str, Rule] = {
    "tanh_backward": same("tanh_derivative"),
    "sigmoid_backward": same("sigmoid_derivative"),
    "silu_backward": same("silu_derivative"),
    "threshold_backward": same("relu_derivative"),
    "_softmax_backward_data": _softmax("softmax_derivative"),
    "_log_softmax_backward_data": _softmax("log_softmax_derivative"),
    "convolution_backward": _conv,
    **dict.fromkeys(("select_backward", "slice_backward"), elements.moved),
}
