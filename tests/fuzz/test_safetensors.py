"""Files of weights: headers with something changed, and any bytes."""

from __future__ import annotations

import json

from fuzzing import NUMBERS, ends, folder, mutated
from hypothesis import example, given
from hypothesis import strategies as st

HEADERS = [
    json.dumps(
        {
            "a.w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
            "b": {"dtype": "I8", "shape": [4], "data_offsets": [24, 28]},
        },
        indent=1,
    ),
]
WORDS = st.sampled_from(
    ["dtype", "shape", "F32", "BOOL", "data_offsets", "__metadata__", "a.w", ".", "a..b", "null"]
)


@given(mutated(HEADERS, WORDS | NUMBERS))
def test_a_header_with_something_changed_is_counted_or_refused(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    with folder(net__safetensors=len(content).to_bytes(8, "little") + content):
        ends("count", "net.safetensors", codes=frozenset({0, 3}))


@given(st.binary(max_size=200))
@example(b"")
@example(b"\x02" + b"\0" * 7 + b"{}")
def test_any_bytes_are_counted_or_refused(content: bytes) -> None:
    with folder(net__safetensors=content):
        ends("count", "net.safetensors", "--format", "json", codes=frozenset({0, 3}))


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_name_of_a_tensor_is_shown(first: str, second: str) -> None:
    header = {name: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} for name in (first, second)}
    content = json.dumps(header).encode()
    with folder(net__safetensors=len(content).to_bytes(8, "little") + content):
        ends("count", "net.safetensors", codes=frozenset({0, 3}))
