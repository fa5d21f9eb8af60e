"""The notebook of the documentation runs, and its cells show the output of the page about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the kernel's own
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # sockets that it leaves
def test_every_cell_runs_and_shows_a_table_and_html(root: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    notebook = nbformat.read(root / "docs" / "how-to" / "notebook.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(root)}}).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(len(cell.outputs) == 1 for cell in cells)
    shown = [cell.outputs[0].data for cell in cells]
    for data, total in zip(shown[:2], ("1,814,073,344 MAC", "3,640,303,878 FLOP"), strict=True):
        page, table = data["text/html"], data["text/plain"]
        assert page.index(total) < page.index("<details")
        assert "<script" not in page
        assert table.startswith("examples/resnet18.prototxt: ")
        assert "100.0%" in table
    assert "+1,826,230,534" in shown[2]["text/html"]
    assert "Not equal." in shown[3]["text/html"]
    assert shown[4]["text/plain"] == "'conv1'"
