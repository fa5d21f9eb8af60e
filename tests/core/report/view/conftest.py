"""A browser for the tests of pages: one for all of them, the one that is installed."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import flopledger as fl
import pytest
from flopledger.report import view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser is installed; looked for {', '.join(BROWSERS)}")
    # As root, as in a container, Chromium starts only without its own sandbox.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=options)
        yield browser
        browser.close()


class Opened:
    """A page in the browser, its errors, and its requests to the network."""

    def __init__(self, page: Page) -> None:
        self.page, self.errors, self.requests = page, [], []
        page.on("console", lambda message: self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: self.errors.append(f"a dialog: {dialog.message}"))
        page.on("request", lambda request: self.requests.append(request.url))

    def texts(self, selector: str) -> list[str]:
        found = self.page.locator(selector)
        return found.all_text_contents() if " svg " in selector else found.all_inner_texts()

    def check(self) -> None:
        """Nothing failed, and nothing but the file itself, and pictures inside it, was asked for."""
        assert self.errors == []
        assert [url for url in self.requests[1:] if not url.startswith(("data:", "blob:"))] == []


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Callable[[str], Opened]]:
    """Open the text of a page."""
    found: list[Opened] = []

    def opens(text: str, scheme: str = "light") -> Opened:
        path = tmp_path / f"page{len(found)}.html"
        path.write_text(text, encoding="utf-8")
        page = browser.new_page(viewport={"width": 1440, "height": 1000}, color_scheme=scheme)
        one = Opened(page)
        page.goto(path.as_uri())
        found.append(one)
        page.wait_for_load_state("load")
        assert page.locator("html[data-drawn]").count() == 1, one.errors
        return one

    yield opens
    for one in found:
        one.check()
        one.page.close()


@pytest.fixture(scope="module")
def resnet(root: Path) -> str:
    graph = fl.read(str(root / "examples" / "resnet18.prototxt"))
    ledgers = [graph.count("mac"), graph.count("ops")]
    return view.of_network(graph, ledgers, [fl.explain(graph, "mac", "ops")])
