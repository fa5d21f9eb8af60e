"""Completions of a shell: values too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from flopledger.cli import COMPLETION, PROGRAM, group


@pytest.mark.parametrize(
    ("args", "incomplete", "expected"),
    [
        (["count", "net.prototxt", "-c"], "torchi", ["torchinfo", "torchinfo-size"]),
        (["explain", "net.prototxt"], "net", ["netscope"]),
        (["count", "net.prototxt", "--format"], "js", ["json"]),
        (["check", "--format"], "g", ["github"]),
        (["count", "net.prototxt", "--frontend"], "caf", ["caffe"]),
    ],
)
def test_values_are_completed(args: list[str], incomplete: str, expected: list[str]) -> None:
    found = ShellComplete(group, {}, PROGRAM, COMPLETION).get_completions(args, incomplete)

    assert [item.value for item in found][:1] == expected[:1]
    assert {item.value for item in found} <= set(expected)


def test_files_registries_and_switches_are_completed_too() -> None:
    complete = ShellComplete(group, {}, PROGRAM, COMPLETION).get_completions
    kinds = {
        args: {item.type for item in complete(args.split(), "ne")} for args in ("count", "zoo", "view a -o")
    }
    assert kinds == {"count": {"file"}, "zoo": {"file"}, "view a -o": {"file"}}
    assert [item.type for item in complete(["count", "net.prototxt", "-c"], "./m")] == ["file"]
    assert [item.value for item in complete(["scan"], "keras.")] == ["keras.applications"]
    assert [item.type for item in complete(["scan"], "./nets")] == ["file"]
    assert [item.value for item in complete(["count", "n", "-c", "2mac", "--set"], "bi")] == [
        "bias=none", "bias=add", "bias=mac",
    ]  # fmt: skip
    assert [item.value for item in complete(["count", "n", "--columns"], "kind,pa")] == [
        "kind,params", "kind,params-share",
    ]  # fmt: skip
    assert [item.value for item in complete(["count", "n", "--device"], "h100-s")] == ["h100-sxm"]
    assert [item.value for item in complete(["memory", "n", "--optimizer"], "ams")] == ["amsgrad"]


SHELLS = {
    "bash": 'eval "$(_FLOPLEDGER_COMPLETE=bash_source flopledger)"; '
    "COMP_WORDS=(flopledger count net -c torchp); "
    'COMP_CWORD=4; _flopledger_completion flopledger; printf "%s\\n" "${COMPREPLY[@]}"',
    "fish": "_FLOPLEDGER_COMPLETE=fish_source flopledger | source; "
    "complete -C 'flopledger count net -c torchp'",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_completes_a_convention(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    settings = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        [shell, "-c", SHELLS[shell]], env=settings, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == ["torchprofile"]
