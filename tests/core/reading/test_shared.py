"""Several sources, one import: a framework that counts how often it is imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flopledger.cli import run
from flopledger.errors import SourceError
from flopledger.frontend.request import Request
from flopledger.reading.child_process import Task
from flopledger.reading.shared import Shared, modules_for
from flopledger.reading.source import Attribute, locate

if TYPE_CHECKING:
    from conftest import Install

PLUGIN = """
from flopledger import hookimpl
from flopledger.frontend.description import Frontend
from flopledger.graph.tables import Reading
from flopledger.graph.graph import Graph

@hookimpl
def frontend():
    return Frontend("acme", "Acme", module="acme_framework", preload=("acme_framework",))

@hookimpl
def recognises_file(path):
    return path.suffix == ".acme"

@hookimpl
def recognises_object(obj):
    return getattr(obj, "__module__", "").startswith("net")

@hookimpl
def read(source, request):
    import acme_framework
    return Graph(Reading(request.source, "acme", "Acme"), (), (), (), (), (), ())
"""
FRAMEWORK = """
import os
from pathlib import Path
log = Path(__file__).with_name("imports.log")
log.write_text((log.read_text() if log.exists() else "") + f"{os.getpid()}\\n")
"""


@pytest.fixture
def imports(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the framework; return the file with a line for each import of it."""
    site = install("acme", "acme", PLUGIN).parent
    (site / "acme_framework.py").write_text(FRAMEWORK)
    monkeypatch.chdir(tmp_path)
    for name in ("net_a", "net_b"):
        Path(f"{name}.py").write_text("import acme_framework\n\nclass Net:\n    pass\n")
    Path("net_c.acme").touch()
    Path("net_bad.py").write_text("import acme_framework\n1 / 0\n")
    return site / "imports.log"


def test_several_sources_import_their_framework_once(
    imports: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["count", "net_a.py:Net", "net_b.py:Net", "net_c.acme", "--format", "csv"]) == 0
    assert len(imports.read_text().splitlines()) == 1
    assert capfd.readouterr().out.count("total,net_") == 3


def test_two_sources_are_compared_with_one_import(imports: Path) -> None:
    assert run(["compare", "net_a.py:Net", "net_b.py:Net"]) == 0
    assert len(imports.read_text().splitlines()) == 1


def test_the_line_of_an_error_is_named(imports: Path) -> None:
    target = locate("net_bad.py:Net")

    with Shared() as shared, pytest.raises(SourceError, match=r"net_bad.py, line 2: 1 / 0"):
        shared.read(Task(target, Request("net_bad.py:Net")))
    assert len(imports.read_text().splitlines()) == 1


def test_what_a_source_imports_is_known_before_it_runs(imports: Path) -> None:
    assert modules_for(locate("net_bad.py:Net")) == ("acme_framework",)
    assert modules_for(locate("net_c.acme")) == ("acme_framework",)
    assert modules_for(Attribute("json", "loads")) == ()
    assert modules_for(Attribute("no_such_package.deep", "Net")) == ()
    assert not imports.exists()
