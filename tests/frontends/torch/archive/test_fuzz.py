"""Archives with anything changed: each is read or refused in our own words, and soon."""

from __future__ import annotations

import contextlib
import json
import random
import time
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import torch
from flopledger.errors import SourceError
from flopledger_torch.archive.program import load
from mutation import changed, damaged

if TYPE_CHECKING:
    from pathlib import Path

TRIES = 150
LONGEST_S = 5


class Net(torch.nn.Module):
    """Something of everything: weights, a buffer, a constant, a graph within the graph, nested outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
        self.scale = torch.ones(3)

    def forward(self, x: torch.Tensor, *, flag: bool = True) -> dict[str, Any]:
        with torch.no_grad():
            y = self.inner(x) * self.scale
        return {"parts": y.chunk(3, -1), "flag": flag}


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fuzz") / "net.pt2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(Net().eval(), (torch.zeros(2, 4),), {"flag": True}), path)
    return path


def test_any_archive_is_read_or_refused(honest: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(honest) as archive:
        program = json.loads(archive.read("net/models/model.json"))
        weights = json.loads(archive.read("net/data/weights/model_weights_config.json"))
    path = tmp_path / "net.pt2"
    for seed in range(TRIES):
        chosen = random.Random(seed)  # noqa: S311  (a seed that can be told)
        if seed % 5 == 4:
            path.write_bytes(damaged(chosen, honest.read_bytes()))
        else:
            with zipfile.ZipFile(path, "w") as archive:
                documents = (
                    (program, changed(chosen, weights))
                    if seed % 5 == 3
                    else (changed(chosen, program), weights)
                )
                archive.writestr("net/models/model.json", json.dumps(documents[0]))
                archive.writestr("net/data/weights/model_weights_config.json", json.dumps(documents[1]))
        started = time.process_time()
        with contextlib.suppress(SourceError):
            load(path)
        assert time.process_time() - started < LONGEST_S, seed
    assert [one.name for one in tmp_path.iterdir()] == ["net.pt2"]
