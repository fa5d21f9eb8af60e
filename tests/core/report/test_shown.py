from __future__ import annotations

from typing import TYPE_CHECKING

import flopledger as fl
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from flopledger.counting.ledger import Ledger


class Printer:
    """Stands for IPython's printer."""

    def __init__(self, indentation: int = 0) -> None:
        self.indentation, self.written = indentation, ""

    def text(self, text: str) -> None:
        self.written += text


@pytest.fixture
def graph(root: Path) -> fl.Graph:
    return fl.read(str(root / "examples" / "alexnet.prototxt"))


def test_every_result_is_one_line_among_others(graph: fl.Graph) -> None:
    results = [graph, graph.count(), fl.explain(graph, "mac", "caffe-script"), fl.compare(graph, graph)]
    for result in results:
        assert repr(result).startswith(f"<{type(result).__name__} ")
        assert "\n" not in repr(result)
        assert len(repr(result)) < 400
        assert repr(result) in repr([result])
    assert "724,406,816 MAC (mac), 60,965,224 params>" in repr(results[1])
    assert "caffe, 1x3x227x227, 25 calls>" in repr(results[0])
    assert "mac to caffe-script, +0 MAC in 0 causes>" in repr(results[2])
    assert "Equal: " in repr(results[3])


def test_a_total_without_its_unknown_calls_says_so(toy: Ledger) -> None:
    assert repr(toy) == "<Ledger toy.prototxt: at least 5,328 MAC (mac), 1,562 params>"


def test_a_console_shows_the_table_and_within_others_the_line(toy: Ledger) -> None:
    printer, inside, cycle = Printer(), Printer(4), Printer()
    toy._repr_pretty_(printer, False)  # noqa: FBT003  (IPython calls it so)
    toy._repr_pretty_(inside, False)  # noqa: FBT003
    toy._repr_pretty_(cycle, True)  # noqa: FBT003
    assert printer.written == str(toy)
    assert inside.written == cycle.written == repr(toy)


def test_a_table_fits_the_terminal_that_shows_it(toy: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    printer = Printer()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    toy._repr_pretty_(printer, False)  # noqa: FBT003  (IPython calls it so)
    assert max(map(len, printer.written.splitlines())) <= 60 < max(map(len, str(toy).splitlines()))


def test_a_graph_is_shown_as_our_own_convention_counts_it(graph: fl.Graph) -> None:
    assert str(graph) == str(graph.count("mac"))
    assert "724,406,816 MAC" in graph._repr_html_()


def test_dir_lists_the_public_names() -> None:
    assert dir(fl) == sorted(fl.__all__)
