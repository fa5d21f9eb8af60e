from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

Run: TypeAlias = "Callable[..., subprocess.CompletedProcess[str]]"


def test_a_training_step_shows_the_shares_of_each_row(flopledger: Run, examples: Path) -> None:
    lenet = str(examples / "lenet.prototxt")
    asked = ("count", lenet, "--step", "train")
    table = flopledger(*asked).stdout
    # conv1 has 20 x 25 x 24^2 products, and no gradient of the picture; ip2 10 x 500 of each
    assert re.search(r"share +forward +grad\. input +grad\. weight$", table, re.MULTILINE)
    assert re.search(r"^conv1 .* 576,000 +8\.7% +288,000 +0 +288,000$", table, re.MULTILINE)
    assert re.search(r"^ip2 .* 15,000 +0\.2% +5,000 +5,000 +5,000$", table, re.MULTILINE)
    assert re.search(r"^\(network\) .* 2,293,000 +2,005,000 +2,293,000$", table, re.MULTILINE)
    summed = flopledger(*asked, "--by", "kind", "--columns", "grad_input,recompute").stdout
    assert re.search(r"^conv +1,600,000 +0$", summed, re.MULTILINE)
    assert re.search(r"^linear +405,000 +0$", summed, re.MULTILINE)
    refused = flopledger("count", lenet, "--columns", "forward")
    assert refused.returncode == 2
    assert "need a training step" in refused.stderr
