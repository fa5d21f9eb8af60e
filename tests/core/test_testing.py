from __future__ import annotations

import dataclasses
import os
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flopledger.graph.graph import Graph
from flopledger.graph.tables import Layer, Reading, Tensor
from flopledger.kinds import builtin
from flopledger.plugins import discovery as plugins
from flopledger.testing import check_discovery, check_frontend, check_graph, unchanged

if TYPE_CHECKING:
    from conftest import Install

SMALL = "input x 1x3x8x8\nconv c1 x out=4 kernel=3\nscan s1 c1 state=16\n"

PLUGIN = """
import importlib, os, sys
from pathlib import Path
from flopledger import hookimpl
from flopledger.frontend.description import Frontend
from flopledger.graph.tables import Reading, Tensor
from flopledger.graph.graph import Graph

@hookimpl
def frontend():
    return Frontend("acme", "Acme", module="wave", in_place=True)

@hookimpl
def recognises_file(path):
    {recognise}
    return True

@hookimpl
def recognises_object(obj):
    return False

calls = []

@hookimpl
def read(source, request):
    calls.append(source)
    {read}
    return Graph(Reading(request.source, "acme", "Acme"), (), (), (), (), (), ())
"""


def check(install: Install, tmp_path: Path, *, recognise: str = "", read: str = "") -> Graph:
    install("acme", "acme", PLUGIN.format(recognise=recognise, read=read))
    source = tmp_path / "net.acme"
    source.touch()
    return check_frontend("acme", source)


def broken(install: Install, tmp_path: Path, *, recognise: str = "", read: str = "") -> str:
    with pytest.raises(AssertionError) as caught:
        check(install, tmp_path, recognise=recognise, read=read)
    return str(caught.value)


@pytest.mark.usefixtures("toy")
def test_the_example_plugin_keeps_the_contract(tmp_path: Path) -> None:
    source = tmp_path / "small.toy"
    source.write_text(SMALL)
    assert len(check_frontend("toy", source).layers) == 2


def test_a_frontend_that_keeps_the_contract_passes(install: Install, tmp_path: Path) -> None:
    assert check(install, tmp_path).reading.frontend == "acme"


def test_hooks_that_import_the_framework_are_found(install: Install, tmp_path: Path) -> None:
    found = broken(install, tmp_path, recognise="import wave")
    assert "its light hooks import the framework" in found


def test_hooks_that_fail_are_found(install: Install, tmp_path: Path) -> None:
    found = broken(install, tmp_path, recognise="raise OSError('lost')")
    assert "discovery fails in a fresh interpreter" in found
    assert "OSError: lost" in found


def test_a_plugin_that_is_broken_or_not_there_is_found(install: Install) -> None:
    install("acme", "acme", "raise OSError('lost')")
    with pytest.raises(AssertionError, match="acme: the plugin is broken: OSError: lost"):
        check_discovery("acme", "model")
    with pytest.raises(AssertionError, match="other: no such plugin is installed"):
        check_discovery("other", "model")


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        ("os.environ['ACME'] = str(len(calls))", "reading changed the environment: ACME"),
        ("sys.path.append('/acme')", "reading changed the search path"),
        ("sys.modules[f'acme{len(calls)}'] = sys", "reading changed the imported modules: acme2"),
        ("__import__('random').random()", "reading changed the random state"),
        ("os.chdir('/' if len(calls) == 2 else '.')", "reading changed the folder"),
    ],
)
def test_a_reading_that_leaves_traces_is_found(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("ACME", "0")
    monkeypatch.setitem(sys.modules, "acme1", sys)
    monkeypatch.setitem(sys.modules, "acme2", os)
    state = random.getstate()
    assert reason in broken(install, tmp_path, read=read)
    random.setstate(state)


def test_two_readings_that_differ_are_found(install: Install, tmp_path: Path) -> None:
    reading, tensor = "Reading(request.source, 'acme', 'Acme')", "Tensor(0, (len(calls),))"
    read = f"return Graph({reading}, (), (), (), (), ({tensor},), ())"
    assert "acme: read twice, the digests are " in broken(install, tmp_path, read=read)


CONV = Layer(
    0, "c1", "conv", "acme.Conv", inputs=(0,), outputs=(1,), attrs={"kernel": (3,), "out_channels": 4}
)


def graph(layer: Layer, out: tuple[int, ...] = (1, 4, 6), **changes: object) -> Graph:
    tensors = (Tensor(0, (1, 3, 8)), Tensor(1, out))
    whole = Graph(Reading("net", "acme", "Acme"), (), (1,), (), (layer,), tensors, ())
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]


def test_a_graph_that_fits_together_passes() -> None:
    check_graph(graph(CONV), builtin())
    check_graph(graph(dataclasses.replace(CONV, kind="unknown", attrs={})), builtin())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (graph(CONV, (1, 4, 7)), r"outputs are \(\(1, 4, 7\),\), the rule of 'conv' gives \(\(1, 4, 6\),\)"),
        (graph(dataclasses.replace(CONV, kind="acme.conv")), "c1: no kind is called 'acme.conv'"),
        (graph(dataclasses.replace(CONV, attrs={"kernel": (3,)})), "needs the attribute 'out_channels'"),
        (graph(dataclasses.replace(CONV, attrs={**CONV.attrs, "strides": (2,)})), "no attribute 'strides'"),
        (graph(dataclasses.replace(CONV, inputs=(7,))), "there is no id 7"),
        (graph(CONV, layers=(CONV, dataclasses.replace(CONV, id=1))), "the path 'c1' is taken"),
        (graph(dataclasses.replace(CONV, native={"sizes": [1, 2]})), "native.sizes: expected"),
        (graph(CONV, outputs=[1]), "after it was written as JSON"),
    ],
)  # fmt: skip
def test_a_graph_that_breaks_the_contract_is_found(changed: Graph, reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        check_graph(changed, builtin())


def test_nothing_is_said_where_nothing_changes() -> None:
    plugins.kinds()  # the plugins' modules are imported once
    with unchanged():
        plugins.kinds()
    assert Path.cwd().is_dir()
