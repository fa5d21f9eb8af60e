"""Exported programs in files give the graph that the program gives which was saved."""

from __future__ import annotations

import json
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import flopledger as fl
import pytest
import torch
from flopledger.dims.arithmetic import substitute
from flopledger.errors import SourceError
from flopledger.frontend.request import Request
from flopledger.frontend.specs import parse_spec
from flopledger_torch.read import read_source
from torch import Tensor, nn

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.graph.graph import Graph


class Tied(nn.Module):
    """Two names for one weight, a buffer, a constant, and a weight that is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4)
        self.last = self.first
        self.unused = nn.Linear(2, 2)
        self.register_buffer("shift", torch.ones(4))
        self.scale = torch.ones(4)

    def forward(self, x: Tensor, *, more: Tensor | None = None) -> dict[str, Any]:
        y = self.last(self.norm(self.first(x))) * self.scale + self.shift
        return {"whole": y if more is None else y + more, "parts": (y.chunk(2, -1), x.shape[0])}


class Deep(nn.Module):
    """Arguments in lists and dicts, and a graph within the graph."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 5), nn.ReLU())

    def forward(self, given: dict[str, list[Tensor]], *, flag: bool) -> Tensor:
        x, y = given["b"]
        with torch.no_grad():
            x = self.inner(x)
        both = x @ y
        return both * 2 if flag else both


def saved(path: Path, model: nn.Module, args: tuple[Any, ...], **more: Any) -> torch.export.ExportedProgram:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(model.eval(), args, **more)
        torch.export.save(program, path)
    return program


def read(path: Path, *specs: str) -> Graph:
    return read_source(path, Request(path.name, inputs=tuple(map(parse_spec, specs))))


@pytest.mark.parametrize("more", [{}, {"kwargs": {"more": torch.zeros(2, 4)}}])
def test_a_file_gives_the_graph_of_its_program(tmp_path: Path, more: dict[str, Any]) -> None:
    program = saved(tmp_path / "net.pt2", Tied(), (torch.zeros(2, 4),), **more)
    live, file = fl.read(program), read(tmp_path / "net.pt2")
    assert file.digest == live.digest
    assert file.count("mac").total == live.count("mac").total
    # 4 x 4 weights and 4 biases, once; scale and shift of the norm; the unused layer's 4 + 2
    assert file.count("mac").total.params == 20 + 8 + 6
    assert file.count("mac").total.count == 2 * 2 * 4 * 4


def test_arguments_may_nest_and_graphs_too(tmp_path: Path) -> None:
    given = {"b": [torch.zeros(4, 3), torch.zeros(5, 5)]}
    program = saved(tmp_path / "net.pt2", Deep(), (given,), kwargs={"flag": True})
    live, file = fl.read(program), read(tmp_path / "net.pt2")
    assert [given.name for given in file.inputs] == [given.name for given in live.inputs]
    assert file.count("ops").total == live.count("ops").total


def test_a_file_for_any_batch_takes_any_batch_and_symbols(tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    saved(path, Tied(), (torch.zeros(4, 4),), dynamic_shapes={"x": {0: torch.export.Dim("n", min=3, max=64)}})
    assert read(path).count("mac").total.count == 4 * 32
    assert read(path, "7x4").count("mac").total.count == 7 * 32
    assert substitute(read(path, "Nx4").count("mac").total.count, {"N": 9}) == 9 * 32
    for size, message in (
        ("65x4", "from 3 to 64, not 65"),
        ("2x4", "from 3 to 64, not 2"),
        ("4x5", "== 4, not 5"),
    ):
        with pytest.raises(Exception, match=rf"exported for x\.size\(\)\[\d\] .*{message}"):
            read(path, size)


def test_the_older_archive_is_read_as_the_newer(tmp_path: Path) -> None:
    """Of torch up to 2.7: other names, no list of weights, and everything else a pickle."""
    program = saved(tmp_path / "new.pt2", Tied(), (torch.zeros(2, 4),))
    with zipfile.ZipFile(tmp_path / "new.pt2") as new, zipfile.ZipFile(tmp_path / "old.pt2", "w") as old:
        old.writestr("version", "8.2")
        document = json.loads(new.read("new/models/model.json"))
        for node in document["graph_module"]["graph"]["nodes"]:
            for name in ("name", "is_hop_single_tensor_return"):
                node.pop(name, None)
            for given in node["inputs"]:
                given.pop("kind", None)
        old.writestr("serialized_exported_program.json", json.dumps(document))
        for name in ("state_dict", "constants", "example_inputs"):
            old.writestr(f"serialized_{name}.pt", b"no pickle")
    live, file = fl.read(program), read(tmp_path / "old.pt2")
    assert file.count("mac").total.count == live.count("mac").total.count
    assert {row.path for row in file.layers} == {row.path for row in live.layers}


def test_an_archive_without_a_program_is_a_clear_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.pt2", "w") as archive:
        archive.writestr("net/data/aotinductor/model/x.so", b"")
    with pytest.raises(SourceError, match=r"neither a models/NAME\.json in it nor"):
        read(tmp_path / "net.pt2")
    (tmp_path / "net.pt2").write_bytes(b"PK")
    with pytest.raises(SourceError, match="can't be read"):
        read(tmp_path / "net.pt2")
