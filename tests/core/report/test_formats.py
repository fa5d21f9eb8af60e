from __future__ import annotations

import csv
import io
import json
import pickle
import re
from dataclasses import replace
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
from flopledger.counting.ledger import figure
from flopledger.dims.arithmetic import symbol
from flopledger.errors import UsageError
from flopledger.report import FORMATS, View, render
from flopledger.report.notes import version

if TYPE_CHECKING:
    from flopledger.counting.ledger import Ledger


@pytest.fixture
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(resources.files("flopledger.report").joinpath("schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_a_ledger_of_python_is_one_document(toy: Ledger, validator: jsonschema.Draft202012Validator) -> None:
    document = json.loads(toy.to_json())
    validator.validate(document)
    assert document == toy.to_dict()
    assert list(document) == [
        "schema", "flopledger", "graph", "convention", "total", "adjustments", "coverage", "rows",
    ]  # fmt: skip
    assert document["schema"] == "flopledger.ledger/1"
    assert document["flopledger"] == version()
    assert document["graph"] == {
        "source": "toy.prototxt",
        "frontend": "caffe",
        "framework": "caffe",
        "framework_version": "1.0",
        "inputs": [{"name": "data", "shape": [1, 3, 8, 8], "dtype": "float32"}],
        "profile": {"mode": "eval"},
        "step": "forward",
        "digest": "9a4b",
    }
    assert document["total"] == {
        "count": 5328, "unit": "MAC", "macs": 5328, "flops": 10656, "complete": False, "unknown_calls": 1,
        "params": 1562,
        "trainable_params": 1562, "non_trainable_params": 0, "buffers": 0,
    }  # fmt: skip
    assert document["coverage"] == {
        "counted": 2, "free": 0, "ignored": 1,
        "unknown": [{"source": "Python", "kind": "unknown", "calls": 1, "out_elems": 2}],
    }  # fmt: skip
    assert document["rows"][3] == {
        "id": 3, "parent": None, "path": "fc", "call": 1, "kind": "linear", "source": "InnerProduct",
        "level": "layer", "inputs": [[1, 144]], "outputs": [[1, 10]], "params": 1450, "count": 1440,
        "macs": 1440, "parts": {"multiplies": 1440},
    }  # fmt: skip


def test_ledgers_are_a_list_also_where_there_is_one(
    toy: Ledger, halved: Ledger, validator: jsonschema.Draft202012Validator
) -> None:
    alone = json.loads(render([toy], "json"))
    validator.validate(alone)
    assert alone == {"schema": "flopledger.ledgers/1", "ledgers": [toy.to_dict()]}
    document = json.loads(render([toy, halved], "json"))
    validator.validate(document)
    assert document == {"schema": "flopledger.ledgers/1", "ledgers": [toy.to_dict(), halved.to_dict()]}
    assert document["ledgers"][1]["total"]["params"] is None
    assert document["ledgers"][1]["adjustments"] == [{"what": "batch division", "count": -2664}]


def test_symbols_and_fractions_are_strings(toy: Ledger, validator: jsonschema.Draft202012Validator) -> None:
    batch = symbol("N")
    rows = (
        replace(toy.rows[0], count=Fraction(1, 2), inputs=(None,), outputs=((batch, 4),)),
        replace(toy.rows[3], count=batch * 1440),
    )
    document = json.loads(replace(toy, rows=rows).to_json())
    validator.validate(document)
    assert document["rows"][0]["count"] == "1/2"
    assert document["rows"][0]["inputs"] == [None]
    assert document["rows"][0]["outputs"] == [["N", 4]]
    assert document["rows"][1]["count"] == "1440*N"


def test_a_fraction_that_is_whole_is_a_number() -> None:
    assert figure(Fraction(10**16, 1)) == 10**16
    assert isinstance(figure(Fraction(8, 2)), int)
    assert figure(symbol("N") * 3 - symbol("N") * 3 + 5) == 5


def test_figures_beyond_a_double_stay_exact(toy: Ledger) -> None:
    huge = 2**80 + 1
    ledger = replace(toy, total=replace(toy.total, count=huge))
    assert json.loads(ledger.to_json())["total"]["count"] == 1208925819614629174706177


def test_the_schema_refuses_what_the_contract_does_not_know(
    toy: Ledger, validator: jsonschema.Draft202012Validator
) -> None:
    document = toy.to_dict()
    assert not validator.is_valid(document | {"extra": 1})
    assert not validator.is_valid(document | {"total": {**toy.to_dict()["total"], "count": 1.5}})
    assert not validator.is_valid({key: value for key, value in document.items() if key != "coverage"})


CSV = """\
record,graph,convention,path,call,kind,source,level,status,inputs,outputs,params,count,unit,macs
row,toy.prototxt,mac bias=add,features.conv,1,conv,Convolution,layer,counted,1x3x8x8,1x4x6x6,112,3888,MAC,3888
row,toy.prototxt,mac bias=add,features.relu,1,relu,ReLU,layer,ignored,1x4x6x6,1x4x6x6,0,0,MAC,0
row,toy.prototxt,mac bias=add,proposal,1,unknown,Python,layer,unknown,1x4x6x6,1x2,0,0,MAC,0
row,toy.prototxt,mac bias=add,fc,1,linear,InnerProduct,layer,counted,1x144,1x10,1450,1440,MAC,1440
adjustment,toy.prototxt,mac bias=add,batch division,,,,,,,,,-2664,MAC,
total,toy.prototxt,mac bias=add,,,,,,at least (1 call unknown),,,,2664,MAC,5328
"""


def test_csv_has_a_line_for_each_row_adjustment_and_total(halved: Ledger) -> None:
    ledger = replace(halved, convention=replace(halved.convention, switches={"bias": "add"}))
    assert render([ledger], "csv") == CSV


def test_csv_of_several_ledgers_is_one_table(toy: Ledger, halved: Ledger) -> None:
    records = list(csv.DictReader(io.StringIO(render([toy, halved], "csv"))))
    assert [r["record"] for r in records] == ["row"] * 4 + ["total"] + ["row"] * 4 + ["adjustment", "total"]


def test_csv_shows_the_largest_rows_where_asked(toy: Ledger) -> None:
    records = list(csv.DictReader(io.StringIO(render([toy], "csv", View(top=1)))))
    assert [r["path"] for r in records] == ["features.conv", ""]


MARKDOWN = """\
### toy.prototxt: multiply-accumulates (mac)

| layer | kind | output | params | MAC | share |
| --- | --- | --- | ---: | ---: | ---: |
| (network) |  |  | 1,562 | ≥ 5,328 | 100.0% |
| features |  |  | 112 | 3,888 | 73.0% |
| features.conv | conv | 1x4x6x6 | 112 | 3,888 | 73.0% |
| features.relu | relu | 1x4x6x6 | 0 | 0 | 0.0% |
| proposal | Python | 1x2 | 0 | unknown | 0.0% |
| fc | linear | 1x10 | 1,450 | 1,440 | 27.0% |

- **MAC** at least 5,328 MAC (1 call unknown) = 5.328 kMAC (mac)
- **own FLOP** at least 10,656 FLOP (1 call unknown) = 10.66 kFLOP (our own count, 2 for each \
multiply-accumulate)
- **params** 1,562 = 1.562 k (mac)
- **trainable** 1,562 = 1.562 k; frozen 0; buffers 0

Unknown, so not in the total (no formula for them):

- Python: 1 call, 1x4x6x6 -\\> 1x2 at proposal (no formula for 'Python')

To price them, save this as `mine.toml` and count with `-c ./mine.toml`:

```toml
name = "mine"
extend = "mac"

[rules.layer]
"Python" = "out_elems"  # 1x4x6x6 -> 1x2
```

<sub>source: toy.prototxt (caffe 1.0); inputs: data=1x3x8x8:float32; read in evaluation mode; \
convention: mac (c0ffee); graph: 9a4b; flopledger VERSION</sub>
"""


def test_markdown_shows_what_a_table_shows(toy: Ledger) -> None:
    assert render([toy], "markdown") == MARKDOWN.replace("VERSION", version())


def test_markdown_escapes_names(toy: Ledger) -> None:
    ledger = replace(toy, rows=(replace(toy.rows[3], path="a|b_<c>"),))
    assert "| a\\|b\\_\\<c\\> | linear |" in render([ledger], "markdown")


def test_markdown_of_several_networks_ends_with_a_summary(toy: Ledger, halved: Ledger) -> None:
    other = replace(halved.graph, reading=replace(halved.graph.reading, source="b.prototxt"))
    assert render([toy, replace(halved, graph=other)], "markdown").endswith("""### Summary

toy.prototxt at 1x3x8x8; b.prototxt at 1x3x8x8. Conventions: mac: multiply-accumulates (MAC).

| network | params | mac |
| --- | ---: | ---: |
| toy.prototxt | 1.562 k | at least 5.328 kMAC |
| b.prototxt |  | at least 2.664 kMAC |
""")


def test_a_notebook_shows_a_table(halved: Ledger) -> None:
    ledger = replace(halved, rows=(replace(halved.rows[3], path="<script>"),))
    html = ledger._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;</span>" in html
    assert "<div><b>MAC</b> at least 2,664 MAC (1 call unknown) = 2.664 kMAC (mac)</div>" in html


def test_rows_go_into_a_data_frame(toy: Ledger) -> None:
    assert [row["count"] for row in toy.to_dicts()] == [3888, 0, 0, 1440]


def test_rows_are_summed_by_a_field(toy: Ledger) -> None:
    assert toy.by("kind") == {"conv": 3888, "relu": 0, "unknown": 0, "linear": 1440}
    with pytest.raises(UsageError, match="'knd'; did you mean 'kind'"):
        toy.by("knd")
    with pytest.raises(UsageError, match="rows can't be summed by 3"):
        toy.by(3)  # type: ignore[arg-type]


def test_a_sum_with_unknown_calls_is_a_lower_bound(toy: Ledger) -> None:
    kinds = toy.by("kind")

    assert repr(kinds) == "{'conv': 3888, 'relu': 0, 'unknown': at least 0, 'linear': 1440}"
    assert kinds.unknown_calls == {"unknown": 1}
    assert not kinds.complete
    assert pickle.loads(pickle.dumps(kinds)).unknown_calls == {"unknown": 1}  # noqa: S301  (written here)


def test_sums_without_unknown_calls_are_complete(alexnet: Ledger) -> None:
    kinds = alexnet.by("status")

    assert kinds.complete
    assert "at least" not in repr(kinds)


def test_the_totals_of_all_formats_agree(alexnet: Ledger) -> None:
    (document,) = json.loads(render([alexnet], "json"))["ledgers"]
    assert sum(row["count"] for row in document["rows"]) == document["total"]["count"] == 724406816
    records = list(csv.DictReader(io.StringIO(render([alexnet], "csv"))))
    assert sum(int(r["count"]) for r in records[:-1]) == int(records[-1]["count"]) == 724406816
    for form in ("table", "markdown"):
        text = render([alexnet], form)
        total = re.search(r"MAC\W+([\d,]+) MAC = 724\.4 MMAC \(script\)", text)
        assert total is not None
        assert total[1] == "724,406,816"
        assert "60,954,656 = 60.95 M (script)" in text


def test_every_format_has_a_module_and_every_module_is_a_format_or_part_of_one() -> None:
    folder = Path(str(resources.files("flopledger.report")))
    parts = {
        "__init__", "answers", "blocks", "check", "ci", "columns", "comparison", "convention_page",
        "explanation", "footprint", "found_figure", "generation", "grids", "html", "installed", "notes",
        "numbers", "plain", "rows", "scan", "sections", "shown", "survey", "symbol_names", "tree", "wrapping",
        "zoo",
    }  # fmt: skip
    formats = {module.rpartition(".")[2] for module in FORMATS.values()}
    assert {path.stem for path in folder.glob("*.py")} == parts | formats
