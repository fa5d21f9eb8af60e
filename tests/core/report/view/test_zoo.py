"""The page of a zoo, in a real browser."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flopledger.report.view.zoo import of_zoo
from flopledger.scanning.table import OWN, ZooRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Opened

HOSTILE = "</script><img src=x onerror=alert(1)>\u202e"


def net(number: int, name: str, params: object, count: object, **more: object) -> ZooRow:
    cells = {**dict.fromkeys(OWN), "name": name, "status": "ok", "input_size": 224, "params": params, **more}
    double = 2 * count if isinstance(count, int) else None
    return ZooRow(number, cells, {"mac": count, "2mac": double}, {"mac": "MAC", "2mac": "FLOP"})


NETS = [
    net(1, "resnet9", 9_000_000, 900_000_000),
    net(2, "resnet18", 11_689_512, 1_814_073_344),
    net(3, HOSTILE, 2**70, 10**30, status="unknown"),
    net(4, "failed one", None, None, status="failed"),
    net(5, "symbolic", 12, "3*N"),
]


def names(page: Opened) -> list[str]:
    return page.texts("tbody td:first-child")


def test_it_is_searched_sorted_and_switched(opened: Callable[..., Opened]) -> None:
    page = opened(of_zoo(NETS, "zoo", ["torch 2"], {2: "zoo_networks/2.html"}))

    assert names(page)[1:] == [
        "failed one",
        "resnet9",
        "resnet18",
        "symbolic",
    ]
    page.page.locator("th").nth(4).click()
    assert page.texts("tbody td:last-child") == [
        "1,000,000,000,000,000,000,000,000,000,000", "1,814,073,344", "900,000,000", "", "3*N",
    ]  # fmt: skip
    page.page.locator("#convention").select_option("1")
    assert "3,628,146,688" in page.texts("tbody td:last-child")
    page.page.locator("#find").fill("RES 18")
    assert names(page) == ["resnet18"]
    assert page.texts("#found") == ["1 of 5"]
    assert page.page.locator("tbody a").get_attribute("href") == "zoo_networks/2.html"
    assert page.page.locator("circle").count() == 1
    page.page.locator("circle").focus()
    assert page.texts("#point") == ["resnet18: 11.69 M parameters, 3.628 G FLOP"]


def test_a_name_is_text(opened: Callable[..., Opened]) -> None:
    page = opened(of_zoo(NETS, HOSTILE, [HOSTILE]))

    assert page.page.locator("img").count() == 0
    assert any("onerror" in name for name in names(page))


def test_two_thousand_networks_under_fifteen_conventions_fit(opened: Callable[..., Opened]) -> None:
    rows = [net(i, f"network_{i}", 10**6 + i, 10**9 + i) for i in range(2000)]
    rows = [ZooRow(one.number, one.cells, {f"c{k}": 10**9 + k for k in range(15)}, {}) for one in rows]
    text = of_zoo(rows, "zoo", [])
    started = time.monotonic()
    page = opened(text)

    assert len(text) < 2_000_000
    assert page.page.locator("tbody tr").count() == 2000
    assert time.monotonic() - started < 60  # a page that never ends; the budget is in benchmarks/
