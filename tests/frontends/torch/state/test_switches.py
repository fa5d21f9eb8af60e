"""A forward that sets switches of torch leaves the process as it was, whether it ends well or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from torch import Tensor, nn  # noqa: E402
from torch.nn.modules import module as modules  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

Switch = tuple["Callable[[], Any]", "Callable[[], Any]"]
SWITCHES: dict[str, Switch] = {
    "deterministic": (
        lambda: torch.use_deterministic_algorithms(True, warn_only=True),  # noqa: FBT003  (torch's own)
        torch.get_deterministic_debug_mode,
    ),
    "threads": (lambda: torch.set_num_threads(torch.get_num_threads() + 1), torch.get_num_threads),
    "precision": (
        lambda: torch.set_float32_matmul_precision("medium"),
        torch.get_float32_matmul_precision,
    ),
    "cudnn": (
        lambda: setattr(torch.backends.cudnn, "benchmark", True),
        lambda: torch.backends.cudnn.benchmark,
    ),
    "mkldnn": (
        lambda: torch._C._set_mkldnn_enabled(False),  # noqa: FBT003
        torch._C._get_mkldnn_enabled,
    ),
    "flash": (
        lambda: torch.backends.cuda.enable_flash_sdp(False),  # noqa: FBT003
        torch.backends.cuda.flash_sdp_enabled,
    ),
    "anomaly": (lambda: torch.autograd.set_detect_anomaly(True), torch.is_anomaly_enabled),
    "autocast": (
        lambda: torch.set_autocast_enabled("cpu", True),  # noqa: FBT003
        lambda: torch.is_autocast_enabled("cpu"),
    ),
    "type of autocast": (
        lambda: torch.set_autocast_dtype("cpu", torch.float16),
        lambda: torch.get_autocast_dtype("cpu"),
    ),
    "printing": (lambda: torch.set_printoptions(precision=9, sci_mode=True), lambda: str(torch.ones(1) / 3)),
    "denormal numbers": (
        lambda: torch.set_flush_denormal(True),
        lambda: torch.tensor([1e-310], dtype=torch.float64).div(2).tolist(),
    ),
    "dtype": (lambda: torch.set_default_dtype(torch.float64), torch.get_default_dtype),
    "random state": (lambda: torch.manual_seed(9), lambda: torch.get_rng_state().tolist()),
    "hooks": (
        lambda: modules.register_module_forward_hook(lambda *_: None),
        lambda: list(modules._global_forward_hooks.items()),
    ),
    "hooks of backward": (
        lambda: modules.register_module_full_backward_hook(lambda *_: None),
        lambda: (list(modules._global_backward_hooks), modules._global_is_full_backward_hook),
    ),
}


class Setting(nn.Linear):
    def __init__(self, name: str, *, fails: bool) -> None:
        super().__init__(4, 5)
        self.name, self.fails = name, fails

    def forward(self, x: Tensor) -> Tensor:
        SWITCHES[self.name][0]()
        if self.fails:
            raise ValueError("as it is told")
        return x @ self.weight.T


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_is_as_it_was(name: str, *, fails: bool) -> None:
    state, model = SWITCHES[name][1], Setting(name, fails=fails)
    before = state()
    if fails:
        with pytest.raises(fl.FlopledgerError):
            fl.read(model, "3x4")
    else:
        fl.read(model, "3x4")
    assert state() == before


def test_a_reading_under_autocast_leaves_nothing_in_its_cache() -> None:
    model = nn.Linear(4, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        before = model(torch.ones(3, 4))
        assert fl.count(model, "3x4").total.count == 60
        assert torch.equal(model(torch.ones(3, 4)), before)
