"""An untrusted model's config leads to no code, no file and no process, and to no endless model."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flopledger.errors import SourceError
from flopledger_torch.language import untrusted
from flopledger_torch.language.untrusted import closed, without_code
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable


def test_entries_that_can_name_code_are_left_out_at_any_depth() -> None:
    inner = {"attn_implementation": "someone/kernels", "hidden_size": 8, "trust_remote_code": True}
    config = {
        "auto_map": {"AutoModel": "code.Model"},
        "text_config": inner,
        "list": [{"_attn_implementation": "eager"}, {"experts_implementation": {"": "someone/experts"}}],
    }
    assert without_code(config, "net") == {
        "text_config": {"hidden_size": 8},
        "list": [{"_attn_implementation": "eager"}, {}],
    }


@pytest.mark.parametrize(
    ("act", "named"),
    [
        (lambda file: file.read_text(), "the file"),
        (lambda file: file.read_bytes(), "the file"),
        (lambda file: open(str(file).encode(), "rb"), "the file"),  # noqa: PTH123, SIM115
        (lambda file: (file.parent / "new").write_text("x"), "the file"),
        (lambda _: pickle.loads(pickle.dumps(Path)), "pickle.find_class"),  # noqa: S301
        (lambda _: subprocess.run([sys.executable, "-V"], check=False), "subprocess.Popen"),
        (lambda _: socket.create_connection(("localhost", 9)), "socket"),
    ],
)
def test_nothing_outside_of_installed_code_is_opened_or_started(
    act: Callable[[Path], Any], named: str, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("of somebody")
    with pytest.raises(SourceError, match=f"net: its config leads to .*{named}"), closed("net"):
        act(file)
    assert not (tmp_path / "new").exists()
    act_again = file.read_text  # and afterwards everything is as it was
    assert act_again() == "of somebody"


@pytest.mark.parametrize(
    "path",
    [
        "/proc/self/environ", "/proc/self/mem", "/proc/kmsg", "/proc/1/maps/../environ", "/dev/zero",
        "/sys/kernel/profiling", "/proc/self/cwd/secret", "/proc/self/root/etc/passwd",
        "/sys/fs/cgroup/../../kernel",
    ],
)  # fmt: skip
def test_of_the_machine_only_its_cores_and_memory_are_asked(path: str) -> None:
    with pytest.raises(SourceError, match=r"leads to the file"), closed("net"):
        open(path, "rb")  # noqa: PTH123, SIM115
    with closed("net"):
        assert Path("/proc/meminfo").read_text(encoding="utf-8")
        assert Path("/proc/self/maps").read_text(encoding="utf-8")


def test_installed_code_can_be_imported() -> None:
    with closed("net"):
        assert Path(nn.__file__).read_text(encoding="utf-8")


def test_the_number_of_modules_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untrusted, "_MOST_MODULES", 10)
    with pytest.raises(SourceError, match="more than 10 modules"), closed("net"):
        nn.Sequential(*(nn.ReLU() for _ in range(11)))
    nn.Sequential(*(nn.ReLU() for _ in range(11)))


def test_the_number_of_layers_is_bounded() -> None:
    with pytest.raises(SourceError, match=r"num_hidden_layers is 1000000000, expected at most"):
        without_code({"text_config": {"num_hidden_layers": 10**9}}, "net")
