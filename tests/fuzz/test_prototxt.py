"""Networks' texts: drawn from the grammar, and real ones with something changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from flopledger.errors import SourceError
from flopledger_caffe.tables.layers import TABLE
from flopledger_caffe.text import prototxt
from flopledger_caffe.text.message import Message
from fuzzing import NUMBERS, ends, folder, mutated
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
REAL = [path.read_text() for path in sorted((ROOT / "examples").glob("*.prototxt"))]
PUBLISHED = [
    path.read_text("utf-8")
    for path in sorted((ROOT.parent / "shared" / "golden").rglob("*.prototxt"))
    if path.stat().st_size < 20_000
]

BLOBS = st.sampled_from(["data", "a", "b", "c", "label"])
FIELDS = st.sampled_from(
    [
        "num_output", "kernel_size", "kernel_h", "kernel_w", "stride", "pad", "dilation", "group", "axis",
        "bias_term", "pool", "global_pooling", "operation", "coeff", "dim", "order", "slice_point", "tiles",
        "input_dim", "local_size", "power", "num_axes", "round_mode", "top_k", "zoom_factor",
        "pyramid_height", "pooled_h", "end_axis", "unheard_of", "phase", "stage", "name", "lr_mult",
    ]
)  # fmt: skip
VALUES = NUMBERS | st.sampled_from(["true", "MAX", "AVE", "SUM", "PROD", "TEST", '"w"', "{ }", "[1, 2]", "{"])
PARAMS = sorted({row.params for row in TABLE.values() if row.params} | {"param", "include", "exclude"})


@st.composite
def messages(draw: st.DrawFn) -> str:
    fields = draw(st.lists(st.tuples(FIELDS, VALUES), max_size=4))
    return "{ " + " ".join(f"{key}: {value}" for key, value in fields) + " }"


@st.composite
def layers(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from([*TABLE, "Input", "Data", "Python"]))
    parts = [f'name: "{draw(BLOBS)}"', f'type: "{kind}"']
    parts += [f'bottom: "{blob}"' for blob in draw(st.lists(BLOBS, max_size=3))]
    parts += [f'top: "{blob}"' for blob in draw(st.lists(BLOBS, max_size=3))]
    if kind in TABLE and TABLE[kind].params and draw(st.booleans()):
        parts.append(f"{TABLE[kind].params} {draw(messages())}")
    parts += [f"{key} {draw(messages())}" for key in draw(st.lists(st.sampled_from(PARAMS), max_size=1))]
    return f"layer {{ {' '.join(parts)} }}"


HEADS = st.sampled_from(
    [
        "",
        'input: "data"\ninput_shape { dim: 1 dim: 3 dim: 16 dim: 16 }',
        'input: "data" input_dim: 2 input_dim: 4 input_dim: 9 input_dim: 9',
        'input: "data" input_shape { dim: 2147483647 dim: 2147483647 dim: 2147483647 dim: 2147483647 }',
        'input: "data" input_shape { dim: 8 }',
        'input: "data" input_shape { }',
    ]
)


@st.composite
def networks(draw: st.DrawFn) -> str:
    return "\n".join([draw(HEADS), *draw(st.lists(layers(), max_size=6))])


SPECS = st.sampled_from([(), ("-i", "data=Nx3xHxW"), ("-i", "1x3x32x32"), ("-i", "data=2x8")])


@given(networks(), SPECS, st.sampled_from(["mac", "ops", "netscope", "caffe-script", "convnet-burden"]))
def test_a_drawn_network_is_counted_or_refused(text: str, inputs: tuple[str, ...], convention: str) -> None:
    with folder(net__prototxt=text):
        ends("count", "net.prototxt", *inputs, "-c", convention)


@given(mutated(REAL, FIELDS), st.sampled_from(["json", "csv", "markdown", "table"]))
def test_a_network_with_something_changed_is_counted_or_refused(text: str, form: str) -> None:
    with folder(net__prototxt=text):
        ends("count", "net.prototxt", "--format", form)


@pytest.mark.skipif(not PUBLISHED, reason="the published networks, ../shared, are not there")
@given(st.data())
def test_a_published_network_with_something_changed_is_counted_or_refused(data: st.DataObject) -> None:
    with folder(net__prototxt=data.draw(mutated(PUBLISHED, FIELDS))):
        ends("count", "net.prototxt", "-i", "data=1x3x64x64")


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(content: bytes) -> None:
    with folder(net__prototxt=content):
        ends("count", "net.prototxt", codes=frozenset({3}))


TOKENS = st.sampled_from(
    ["layer", "{", "}", "<", ">", "[", "]", ":", ",", ";", "#", "\n", '"x"', "'", "name", "1"]
)


@given(st.lists(TOKENS, max_size=30).map(" ".join))
def test_any_row_of_tokens_is_counted_or_refused(text: str) -> None:
    with folder(net__prototxt=text):
        ends("count", "net.prototxt", codes=frozenset({0, 3}))


def fields(message: Message) -> list[object]:
    """The fields of a message and of all below it, without where they stand."""
    return [
        (field.key, field.form, fields(field.value) if isinstance(field.value, Message) else field.value)
        for field in message.fields
    ]


@given(st.lists(layers(), min_size=1, max_size=4).map("\n".join))
def test_comments_between_all_words_change_nothing(text: str) -> None:
    try:
        plain = fields(prototxt.parse(text))
    except SourceError:
        with pytest.raises(SourceError):
            prototxt.parse(text.replace(" ", " # x\n"))
        return
    assert fields(prototxt.parse(text.replace(" ", " # x\n"))) == plain
