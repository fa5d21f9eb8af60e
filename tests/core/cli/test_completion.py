"""What a shell completes: values too."""

from __future__ import annotations

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
