"""One network under every convention that applies."""

from __future__ import annotations

import flopledger as fl
from flopledger.explaining.survey import survey
from graphs import layer


def test_the_base_comes_first_and_the_others_by_name_whichever_reading_they_take() -> None:
    graph, other = (layer("linear", {"out_features": 5, "bias": True}, (2, 3)) for _ in range(2))
    base = fl.load("mac")

    found = survey([(graph, [base, fl.load("ops")]), (other, [fl.load("2mac-1"), fl.load("2mac")])], base)

    assert [entry.convention for entry in found] == ["mac", "2mac", "2mac-1", "ops"]
    # 2 rows, 3 to 5: 30 by mac, 60 by 2mac, 10 dot products of 2 * 3 - 1, 50 + 10 biases by ops: less 30
    assert [entry.explanation and entry.explanation.gap for entry in found] == [0, 30, 20, 30]
