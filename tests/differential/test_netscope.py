"""netscope, against the analyzer itself: its answers are recorded, and asked for again with --peers."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import flopledger
import pytest

HERE = Path(__file__).parent
RECORD = HERE / "recorded" / "netscope.json"
OWN = sorted((HERE / "networks").glob("netscope*.prototxt"))
PUBLISHED = (
    "BVLC+caffe/models__bvlc_alexnet__deploy.prototxt",
    "BVLC+caffe/models__bvlc_googlenet__deploy.prototxt",
    "BVLC+caffe/models__finetune_flickr_style__deploy.prototxt",
    "BVLC+caffe/examples__mnist__lenet.prototxt",
    "BVLC+caffe/examples__cifar10__cifar10_quick.prototxt",
    "KaimingHe+deep-residual-networks/prototxt__ResNet-50-deploy.prototxt",
    "dgschwend+netscope/presets__vgg-16.prototxt",
    "forresti+SqueezeNet/SqueezeNet_v1.1__deploy.prototxt",
    "shicai+MobileNet-Caffe/mobilenet_deploy.prototxt",
)


def ask(files: list[Path]) -> dict[str, Any]:
    """Ask netscope itself."""
    done = subprocess.run(
        ["node", HERE / "run_netscope.js", *files], capture_output=True, text=True, check=True, env=os.environ
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        file.name: {**answer, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        for file, answer in zip(files, answers, strict=True)
    }


def recorded(file: Path) -> dict[str, Any]:
    """Return the recorded answer for a file, which must be the file that was asked about."""
    answer: dict[str, Any] = json.loads(RECORD.read_text())["answers"][file.name]
    assert answer["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest(), f"{file.name} has changed"
    return answer


def check(file: Path) -> None:
    """Compare every row's maccs and parameters, and both totals."""
    answer = recorded(file)
    ledger = flopledger.count(str(file), convention="netscope")
    # netscope knows nodes by name and lists them in an order of its own
    theirs = {row["name"]: (exact(row["macc"]), row["params"]) for row in answer["rows"]}
    ours = {row.path: (row.count, row.params) for row in ledger.rows}

    assert answer["complaints"] == []
    assert {name: ours.get(name, (0, 0)) for name in theirs} == theirs
    assert ledger.total.count == sum(macc for macc, _ in theirs.values())
    assert ledger.total.params == sum(params for _, params in theirs.values())


def exact(macc: float) -> Fraction:
    """Return the fraction that netscope's double stands for: over the strides, which are small."""
    return Fraction(macc).limit_denominator(100)


@pytest.mark.parametrize("file", OWN, ids=lambda f: f.stem)
def test_our_probes_count_as_netscope_counts_them(file: Path) -> None:
    check(file)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_count_as_netscope_counts_them(shared: Path, name: str) -> None:
    check(shared / "golden" / "caffe" / name)


def test_netscope_itself_still_says_what_is_recorded(root: Path, *, ask_peers: bool) -> None:
    if "NETSCOPE" not in os.environ:
        pytest.skip("NETSCOPE names no checkout of dgschwend/netscope with coffeescript@1 and lodash@4")
    golden = root.parent / "shared" / "golden" / "caffe"
    files = OWN + [golden / name for name in PUBLISHED if golden.is_dir()]
    answers = ask(files)
    if ask_peers:
        record = {"peer": "netscope", "version": "dgschwend/netscope 8ae36d8", "answers": answers}
        RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")

    assert {file.name: recorded(file) for file in files} == answers
