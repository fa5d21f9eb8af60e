"""How large a page of a network is, and how long a browser takes to draw it.

Three networks: ResNet-50 under four conventions, a language model of 2,400 calls, and a chain of 100,000.
The page says itself how long its scripts took; the browser, headless and the one that is installed, how long
it took to load.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import flopledger as fl
from flopledger.graph.tables import Input, Layer, Module, Parameter, Reading, Tensor
from flopledger.report import view

if TYPE_CHECKING:
    from collections.abc import Iterator

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BUDGETS = {"ResNet-50": (0.3, 120_000), "language model": (0.5, 400_000), "chain": (None, None)}
"""Seconds to draw and bytes, of the networks that have a budget."""
CONVENTIONS = {"ResNet-50": ("mac", "ptflops", "thop", "fvcore")}
"""The conventions of a page that has several, and so the reasons why they differ."""
PARTS = (
    ("norm1", "rms_norm", 1), ("attn.q", "linear", 2), ("attn.k", "linear", 2), ("attn.v", "linear", 2),
    *((f"attn/rotate{i}", "multiply", 6) for i in range(48)), ("attn/softmax", "softmax", 1),
    ("attn.o", "linear", 2), ("add1", "add", 2), ("norm2", "rms_norm", 1), ("mlp.gate", "linear", 2),
    ("mlp.up", "linear", 2), ("mlp/silu", "silu", 1), ("mlp/mul", "multiply", 2), ("mlp.down", "linear", 2),
    ("add2", "add", 2),
)  # fmt: skip
"""A block of a language model as a reading has it: its projections, and the functions between them."""


class Network:
    """Builds a graph, one call after another on the one before."""

    def __init__(self, name: str, width: int) -> None:
        self.reading = Reading(name, "made", "made")
        self.width, self.layers, self.parameters = width, [Layer(0, "", "container", "Net", module=0)], []
        self.modules, self.tensors = [Module(0, ("",), "Net")], [Tensor(0, (1, 16, width))]

    def call(self, path: str, kind: str) -> None:
        """Add a call; a dense layer brings its weight."""
        number, before, after = len(self.layers), len(self.tensors) - 1, len(self.tensors)
        module, attrs = None, {}
        if kind == "linear":
            module, attrs = len(self.modules), {"in_features": self.width, "out_features": self.width}
            weight = len(self.parameters)
            self.parameters.append(
                Parameter(
                    weight, (f"{path}.weight",), (self.width, self.width), object=weight, storage=weight
                )
            )
            self.modules.append(Module(module, (path,), "Linear", parameters=(("weight", weight),)))
        inputs = (before, before) if kind in ("add", "multiply") else (before,)
        self.tensors.append(Tensor(after, (1, 16, self.width)))
        self.layers.append(
            Layer(
                number,
                path,
                kind,
                kind,
                parent=0,
                module=module,
                inputs=inputs,
                outputs=(after,),
                attrs=attrs,
            )
        )

    def graph(self) -> fl.Graph:
        """Return the graph."""
        children = tuple(module.id for module in self.modules[1:])
        modules = (Module(0, ("",), "Net", children=children), *self.modules[1:])
        tables = (modules, tuple(self.layers), tuple(self.tensors), tuple(self.parameters))
        return fl.Graph(self.reading, (Input("x", 0),), (len(self.tensors) - 1,), *tables)


def networks() -> Iterator[tuple[str, fl.Graph]]:
    """Yield the networks of the table."""
    example = Path(__file__).resolve().parent.parent / "examples" / "resnet50.py"
    yield "ResNet-50", fl.read(f"{example}:resnet50", "1x3x224x224")
    model = Network("language model", 1024)
    for block in range(38):
        for part, kind, _ in PARTS:
            model.call(f"layers.{block}.{part}", kind)
    model.call("head", "linear")
    yield "language model", model.graph()
    chain = Network("chain", 8)
    for number in range(100_000):
        chain.call(f"step{number}", "relu" if number % 2 else "linear")
    yield "chain", chain.graph()


def measured(paths: dict[str, Path], runs: int) -> dict[str, tuple[float, float]]:
    """Return the medians of the seconds that each page takes to draw, and to load with all its scripts."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  (only this needs it)

    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        sys.exit(f"no browser is installed; looked for {', '.join(BROWSERS)}")
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in paths}
    loaded = "performance.getEntriesByType('navigation')[0].loadEventEnd"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=options)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        for _ in range(runs):
            for name, path in paths.items():
                page.goto(path.as_uri())
                drawn = page.evaluate("Number(document.documentElement.dataset.drawn)")
                seconds[name].append((drawn / 1000, page.evaluate(loaded) / 1000))
        browser.close()
    return {
        name: (statistics.median(d for d, _ in each), statistics.median(load for _, load in each))
        for name, each in seconds.items()
    }


def main() -> None:
    """Print the table, and stop with 1 where a page is over its budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        paths, made = {}, {}
        for name, graph in networks():
            names = CONVENTIONS.get(name, ("mac",))
            ledgers = [graph.count(one) for one in names]
            causes = [fl.explain(graph, names[0], other) for other in names[1:]]
            start = time.perf_counter()
            text = view.of_network(graph, ledgers, causes)
            made[name] = len(graph.layers), len(text.encode()), time.perf_counter() - start
            paths[name] = Path(folder) / f"{name.replace(' ', '-')}.html"
            paths[name].write_text(text, encoding="utf-8")
        found = measured(paths, runs)
    print(f"{'':16}{'calls':>9}{'bytes':>10}{'written':>9}{'drawn':>8}{'loaded':>8}")
    over = False
    for name, (calls, size, written) in made.items():
        drawn, loaded = found[name]
        print(f"{name:16}{calls:>9,}{size:>10,}{written:>8.2f}s{drawn:>7.2f}s{loaded:>7.2f}s")
        most_seconds, most_bytes = BUDGETS[name]
        over = over or (most_seconds is not None and drawn > most_seconds)
        over = over or (most_bytes is not None and size > most_bytes)
    sys.exit(int(over))


if __name__ == "__main__":
    main()
