from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from flopledger.scanning import choose

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("entry", "group"),
    [
        ({"source": "timm:resnet18"}, ("torch", "timm")),
        ({"source": "transformers:BertModel"}, ("torch", "transformers")),
        ({"source": "keras.applications:VGG16"}, ("keras", "keras.applications")),
        ({"source": "timm:resnet18", "frontend": "keras"}, ("keras", "")),
        ({"source": "models.py:Net"}, ("", "")),
        ({"source": "timmy:resnet18"}, ("", "")),
    ],
)
def test_a_list_that_names_a_registry_s_network_shares_the_server_that_imports_it(
    tmp_path: Path, entry: dict[str, str], group: tuple[str, str]
) -> None:
    listed = tmp_path / "list.jsonl"
    listed.write_text(json.dumps(entry))

    (network,) = choose.wanted(str(listed))

    assert (network.frontend, network.registry) == group
    assert network.source == entry["source"]
